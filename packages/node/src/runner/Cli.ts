/**
 * The commands of `tickline`, their arguments and flags. What a command does is
 * loaded when it is run, so that `--version` and `--help` answer at once.
 *
 * @since 0.1.0
 */
import * as Presets from "@tickline/core/resilience/Presets"
import type { ChannelKind } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { backtest } from "./BacktestCommand.ts"
import { chaos } from "./ChaosCommand.ts"
import * as Completion from "./Completion.ts"
import {
  durationFlag,
  formatFlag,
  hoursFlag,
  logFormatFlag,
  overflowFlag,
  running,
  switchFlag,
  wholeFlag
} from "./internal/flags.ts"
import { order } from "./OrderCommand.ts"
import type { Overflow } from "./OutputQueue.ts"
import * as Rotations from "./Rotations.ts"
import { halt, run } from "./RunCommand.ts"
import { UsageError } from "./RunnerError.ts"
import * as Targets from "./Targets.ts"

// ---------------------------------------------------------------------------
// Flags and arguments
// ---------------------------------------------------------------------------

const venueNames = Venues.all.map(({ name }) => name).join(", ")

const venue = Argument.String("venue").pipe(
  Argument.filterMap(
    (name) => Option.fromUndefinedOr(Venues.get(name)),
    Targets.expectedVenue
  ),
  Argument.withDescription(`Venue: ${venueNames}`)
)

const seed = wholeFlag(
  "seed",
  0,
  Number.MAX_SAFE_INTEGER,
  "a whole number, 0 or more",
  "Seed of the synthetic market; the same seed gives the same market"
).pipe(Flag.withDefault(1))

const preset = Flag.Literals("preset", Presets.presetNames).pipe(
  Flag.optional,
  Flag.withDescription("Reconnection policy to start from; recommended by default")
)

const kinds: ReadonlyArray<ChannelKind> = ["trade", "ticker", "book"]

// ---------------------------------------------------------------------------
// Commands
// ---------------------------------------------------------------------------

const decode = Command.make(
  "decode",
  {
    venue,
    file: Argument.String("file").pipe(
      Argument.withDescription("Recording, plain, gzip or zstd; stdin where it is left out or -"),
      Argument.optional
    ),
    strict: switchFlag("strict", "Exit with 1 where a frame is rejected"),
    explain: switchFlag("explain", "Show how each member came from the frame")
  },
  ({ explain, file, strict, venue }) =>
    running(({ format }) =>
      Effect.flatMap(Effect.promise(() => import("./Decoding.ts")), (Decoding) =>
        Decoding.run({
          venue,
          file: Option.getOrUndefined(Option.filter(file, (path) => path !== "-")),
          // An explanation is for people, whatever it is printed to.
          format: explain ? "pretty" : format,
          strict,
          explain
        }))
    )
).pipe(
  Command.withDescription("Frames in, events out: no network, no memory from one frame to the next"),
  Command.withExamples([
    { command: "tickline decode coinbase-exchange frames.jsonl", description: "Decode a recording" },
    { command: "zcat frames.jsonl.gz | tickline decode generic --strict", description: "Fail where one is rejected" }
  ])
)

const venues = Command.make(
  "venues",
  { venue: venue.pipe(Argument.optional) },
  ({ venue }) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("./VenueTable.ts")),
        (VenueTable) => VenueTable.run(format, Option.getOrUndefined(venue))
      )
    )
).pipe(
  Command.withDescription("Venues: channels, form of prices, continuity, heartbeat, limits; or one of them"),
  Command.withExamples([
    { command: "tickline venues", description: "All of them" },
    { command: "tickline venues kraken", description: "One of them, in detail" }
  ])
)

const levels = (description: string) =>
  wholeFlag("book", 1, 10_000, "a number of levels, 1 to 10000", description).pipe(Flag.optional)

const channels = (description: string) =>
  Flag.Literals("channel", kinds).pipe(Flag.withDescription(description), Flag.atLeast(0))

const marketEvents = wholeFlag(
  "count",
  1,
  Number.MAX_SAFE_INTEGER,
  "a whole number, 1 or more",
  "End after so many market events"
).pipe(Flag.optional)

const ledger = switchFlag("ledger", "Print at the end what came of each product and channel, and what did not")

const lifecycle = switchFlag("lifecycle", "Print the connection's life, heartbeats and other frames too")

const stream = Command.make(
  "stream",
  {
    venue: Argument.String("venue").pipe(
      Argument.withDescription(`Venue: ${venueNames}; of several, venue:product each`)
    ),
    products: Argument.String("product").pipe(
      Argument.withDescription("Products, by the venue's own symbols"),
      Argument.atLeast(0)
    ),
    channel: channels("Channel, may be repeated; trade by default"),
    book: levels(
      "States of the order book, so many levels of each side, instead of its frames; on a terminal a ladder"
    ),
    url: Flag.String("url").pipe(
      Flag.withMetavar("url|venue=url"),
      Flag.withDescription("Another endpoint than the venue's own; of several venues venue=url, may be repeated"),
      Flag.atLeast(0)
    ),
    rest: Flag.String("rest").pipe(
      Flag.withMetavar("url"),
      Flag.withDescription("The venue's REST interface, for snapshots of books; by default where the endpoint says"),
      Flag.optional
    ),
    preset,
    config: Flag.String("config").pipe(
      Flag.withMetavar("file.toml"),
      Flag.withDescription(
        "Policy from the [reconnection] section of a TOML file; TICKLINE_RECONNECTION_* override it"
      ),
      Flag.optional
    ),
    duration: durationFlag("duration", "End after so long").pipe(Flag.optional),
    count: marketEvents,
    record: Flag.String("record").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Record what goes over the wire; compressed where the name ends in .gz or .zst"),
      Flag.optional
    ),
    rotate: Flag.String("rotate").pipe(
      Flag.withMetavar("size|duration"),
      Flag.withDescription(
        "Go on in the next numbered file at a size such as 256MiB, or after so long; may be repeated"
      ),
      Flag.atLeast(0)
    ),
    overflow: overflowFlag.pipe(Flag.withDefault<Overflow>("drop-oldest")),
    lifecycle,
    ledger,
    metricsPort: wholeFlag(
      "metrics-port",
      0,
      65_535,
      "a port, 0 to 65535",
      "Serve /metrics for Prometheus on 127.0.0.1 while it runs; 0 takes any free port"
    ).pipe(Flag.optional)
  },
  (flags) =>
    running(({ format }) =>
      Effect.gen(function*() {
        const targets = yield* Effect.fromResult(Targets.parse(flags.venue, flags.products, flags.url))
        const rotation = yield* Effect.fromResult(Rotations.parse(flags.rotate, "--rotate"))
        if (flags.rotate.length > 0 && Option.isNone(flags.record)) {
          return yield* new UsageError({ key: "--rotate", expected: "--record, to say what is rotated" })
        }
        const Streaming = yield* Effect.promise(() => import("./Streaming.ts"))
        yield* Streaming.run({
          format,
          targets,
          kinds: flags.channel.length === 0 ? ["trade"] : flags.channel,
          book: Option.getOrUndefined(flags.book),
          rest: Option.getOrUndefined(flags.rest),
          preset: Option.getOrUndefined(flags.preset),
          config: Option.getOrUndefined(flags.config),
          duration: Option.getOrUndefined(flags.duration),
          count: Option.getOrUndefined(flags.count),
          record: Option.getOrUndefined(flags.record),
          rotation,
          lifecycle: flags.lifecycle,
          ledger: flags.ledger,
          overflow: flags.overflow,
          metricsPort: Option.getOrUndefined(flags.metricsPort)
        })
      })
    )
).pipe(
  Command.withDescription("Live events from one venue or several, over connections that come back by themselves"),
  Command.withExamples([
    { command: "tickline stream coinbase:BTC-USD kraken:BTC/USD binance:BTCUSDT", description: "Three venues at once" },
    { command: "tickline stream coinbase-exchange BTC-USD ETH-USD", description: "Trades of two products" },
    { command: "tickline stream kraken BTC/USD ETH/USD --channel book", description: "Two order books, as ladders" },
    {
      command: "tickline stream coinbase-exchange BTC-USD --channel book --duration 1m --record book.jsonl.zst",
      description: "A minute of a book, recorded"
    }
  ])
)

const replay = Command.make(
  "replay",
  {
    recording: Argument.String("recording").pipe(
      Argument.withDescription("Recording, plain, gzip or zstd; - is stdin")
    ),
    speed: Flag.Literals("speed", ["1", "10", "max"]).pipe(
      Flag.withDefault<"1" | "10" | "max">("max"),
      Flag.withDescription("How many times as fast as it was recorded; max, the default, as fast as it can be")
    ),
    venue: Flag.String("venue").pipe(
      Flag.filterMap((name) => Option.fromUndefinedOr(Venues.get(name)), Targets.expectedVenue),
      Flag.withDescription(`Venue, where the recording does not name it: ${venueNames}`),
      Flag.optional
    ),
    channel: channels("Channel, may be repeated; all by default"),
    book: levels("States of the order book, so many levels of each side, instead of its frames"),
    count: marketEvents,
    ledger,
    lifecycle
  },
  (flags) =>
    running(({ format }) =>
      Effect.flatMap(Effect.promise(() => import("./Replaying.ts")), (Replaying) =>
        Replaying.run({
          file: flags.recording === "-" ? undefined : flags.recording,
          format,
          speed: flags.speed === "max" ? "max" : Number(flags.speed),
          venue: Option.getOrUndefined(flags.venue),
          kinds: flags.channel,
          book: Option.getOrUndefined(flags.book),
          count: Option.getOrUndefined(flags.count),
          ledger: flags.ledger,
          lifecycle: flags.lifecycle
        }))
    )
).pipe(
  Command.withDescription("A recording through the code that runs live: the same output every time"),
  Command.withExamples([
    { command: "tickline replay incident.jsonl.zst --lifecycle", description: "What happened, again" },
    { command: "tickline replay kraken.jsonl --venue kraken --book 10", description: "Its books, frame by frame" }
  ])
)

const simulate = Command.make(
  "simulate",
  {
    venue,
    port: wholeFlag("port", 0, 65_535, "a port, 0 to 65535", "Port on 127.0.0.1; 0, the default, takes any free one")
      .pipe(
        Flag.withDefault(0)
      ),
    rate: Flag.String("rate").pipe(
      Flag.filterMap((text) => {
        const rate = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN
        return rate > 0 && rate <= 100_000 ? Option.some(rate) : Option.none()
      }, () => "frames per second, a number more than 0 and up to 100000"),
      Flag.withMetavar("number"),
      Flag.withDescription("Market data frames per second; 20 by default"),
      Flag.withDefault(20)
    ),
    seed,
    faults: Flag.String("fault").pipe(
      Flag.withMetavar("kind[=argument]@offset[/every]"),
      Flag.withDescription("Fault to inject, may be repeated: drop@3s/10s, close=1012@5s, status=429;retry-after=2@8s"),
      Flag.atLeast(0)
    ),
    requireToken: switchFlag("require-token", "Refuse an upgrade whose bearer token is not TICKLINE_TOKEN"),
    replay: Flag.String("replay").pipe(
      Flag.withMetavar("recording"),
      Flag.withDescription("Send a recording's frames instead of a synthetic market"),
      Flag.optional
    )
  },
  (flags) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("../simulate/Simulation.ts")),
        (Simulation) => Simulation.run({ ...flags, format, replay: Option.getOrUndefined(flags.replay) })
      )
    )
).pipe(
  Command.withDescription("A mock venue on 127.0.0.1, with faults on a schedule"),
  Command.withExamples([
    {
      command: "tickline simulate coinbase-exchange --port 9001 --fault drop@3s/10s",
      description: "A venue that drops its clients every ten seconds"
    }
  ])
)

const demo = Command.make(
  "demo",
  {
    duration: durationFlag("duration", "How long it runs; 20 s by default, under --virtual one hour").pipe(
      Flag.optional
    ),
    seed,
    virtual: switchFlag("virtual", "Run under the virtual clock and print the hash of the event log")
  },
  ({ duration, seed, virtual }) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("../demo/Demo.ts")),
        (Demo) => Demo.run({ format, seed, virtual, duration: Option.getOrUndefined<Duration.Duration>(duration) })
      )
    )
).pipe(
  Command.withDescription("Two mock venues, faults, and exact prices all the way: no network, no account"),
  Command.withExamples([
    { command: "tickline demo", description: "Twenty seconds of it" },
    { command: "tickline demo --virtual --seed 7", description: "An hour of it in a second or two" }
  ])
)

const stability = Command.make(
  "stability",
  {
    hours: hoursFlag("How long it runs; 24 by default"),
    virtual: switchFlag("virtual", "Run under the virtual clock: a day takes seconds, and the same seed says the same"),
    seed,
    faults: Flag.String("faults").pipe(
      Flag.filterMap((text) => {
        const faults = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN
        return faults <= 10_000 ? Option.some(faults) : Option.none()
      }, () => "faults a day, a number up to 10000"),
      Flag.withMetavar("number"),
      Flag.withDescription("How often a day, on average, the mock drops its clients or falls silent; never by default"),
      Flag.withDefault(0)
    ),
    html: Flag.String("html").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Write the report as one HTML file too, with charts"),
      Flag.optional
    ),
    live: switchFlag(
      "live",
      "Against the venue's test network instead of a mock; its key is TICKLINE_DERIBIT_CLIENT_ID and …_SECRET"
    )
  },
  ({ faults, html, ...flags }) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("../stability/Stability.ts")),
        (Stability) => Stability.run({ ...flags, format, faultsPerDay: faults, html: Option.getOrUndefined(html) })
      )
    )
).pipe(
  Command.withDescription("A session and a feed for a day, and a graded report"),
  Command.withExamples([
    { command: "tickline stability --virtual --seed 7", description: "A day of it in seconds" },
    { command: "tickline stability --hours 1 --html report.html", description: "An hour against a mock on 127.0.0.1" }
  ])
)

const indicators = Command.make(
  "indicators",
  {
    args: Argument.String("spec|file").pipe(
      Argument.withDescription("Indicators, then the file of candles or prices; stdin where it is left out or -"),
      Argument.atLeast(0)
    )
  },
  ({ args }) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("./Calculating.ts")),
        (Calculating) => Calculating.run({ args, format })
      )
    )
).pipe(
  Command.withDescription("Indicators over candles or prices, one a line"),
  Command.withExamples([
    { command: "tickline indicators sma:20 rsi:14 macd:12:26:9 candles.jsonl", description: "Three of a file" },
    {
      command: "tickline stream kraken BTC/USD | tickline indicators ema:50 bollinger:20:2",
      description: "Live, trade by trade"
    }
  ])
)

/**
 * The flags that are not of a command: help, version, completions and the rest.
 *
 * @category constants
 * @since 0.1.0
 */
export const builtIns: ReadonlyArray<GlobalFlag.BuiltIn> = [
  GlobalFlag.Help,
  GlobalFlag.Version,
  GlobalFlag.Wizard,
  Completion.flag,
  GlobalFlag.LogLevel
]

/**
 * The command `tickline` with all its subcommands.
 *
 * @category constants
 * @since 0.1.0
 */
export const command = Command.make("tickline").pipe(
  Command.withDescription("Exact market data over connections that survive"),
  Command.withSubcommands([
    demo,
    stream,
    replay,
    run,
    halt,
    decode,
    simulate,
    stability,
    chaos,
    venues,
    order,
    indicators,
    backtest
  ]),
  Command.withGlobalFlags([formatFlag, logFormatFlag])
)
