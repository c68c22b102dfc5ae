/**
 * `tickline demo`: two mock venues on loopback, troubles on a schedule, exact
 * prices through the whole stack, and an account that has to balance.
 *
 * @since 0.1.0
 */
import type * as ConnectError from "@tickline/core/connection/ConnectError"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../NodeTransport.ts"
import * as Board from "../runner/Board.ts"
import * as BoardLayout from "../runner/BoardLayout.ts"
import { Host, type OutputClosed } from "../runner/Host.ts"
import * as Log from "../runner/Log.ts"
import { eventLine, type Format, jsonLine } from "../runner/Output.ts"
import * as OutputQueue from "../runner/OutputQueue.ts"
import { RunFailed, UsageError } from "../runner/RunnerError.ts"
import * as Screen from "../runner/Screen.ts"
import { counted, grouped, pad, type Paint, paint as makePaint, span } from "../runner/Style.ts"
import * as Tally from "../runner/Tally.ts"
import * as Account from "./Account.ts"
import * as AccountedVenue from "./AccountedVenue.ts"
import * as Scenario from "./Scenario.ts"

/**
 * How the demo is run. The default duration is 20 s, under the virtual clock an
 * hour.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly format: Format
  readonly duration: Duration.Duration | undefined
  readonly seed: number
  readonly virtual: boolean
}

/** Market data frames a second of each venue. */
const rate = 12

/** What a message may be under way on loopback, on a machine that is busy with other things. */
const transitMillis = 250

/** The market stops so long before the end, so that everything under way arrives. */
const settleMillis = 400

/** One venue of the demo: its server, its client, and both their books. */
interface Stage {
  readonly venue: Venue
  readonly server: MockServer.MockServer
  readonly accounted: AccountedVenue.AccountedVenue
  readonly feed: MarketFeed.MarketFeed["Service"]
  readonly books: {
    readonly received: Array<Account.Received>
    readonly gaps: Array<Account.DeclaredGap>
  }
  readonly tally: { prices: number; differing: number; opened: number; closed: number; drops: number; rejected: number }
  readonly consumer: Fiber.Fiber<void, OutputClosed | RunFailed | ConnectError.ConnectError>
}

const millisOf = (text: string | undefined): number | undefined => {
  const timestamp = text === undefined ? undefined : Timestamp.fromIso(text)
  return timestamp === undefined ? undefined : Timestamp.epochMillis(timestamp)
}

/** Stays subscribed on a connection of its own that nothing disturbs, so that the market goes on during outages. */
const keepMarketOpen = Effect.fnUntraced(
  function*(url: string, venue: Venue, channels: ReadonlyArray<Channel.Channel>) {
    const transport = yield* Transport
    const wire = yield* transport.dial({
      url,
      headers: {},
      protocols: [],
      maxMessageBytes: 1_048_576,
      inboundBytes: 1_048_576,
      deflate: false,
      plaintextHosts: []
    })
    for (const { text } of venue.subscribe(channels, 1)) wire.write(text)
    yield* wire.pull
    yield* Effect.forkScoped(Effect.ignore(Effect.forever(wire.pull)))
  }
)

type Show = (events: ReadonlyArray<MarketEvent.AnyEvent>) => Effect.Effect<void, OutputClosed | RunFailed>

const stage = Effect.fnUntraced(function*(
  name: string,
  products: (typeof Scenario.venues)[number]["products"],
  seed: number,
  show: Show
): Effect.fn.Return<
  Stage,
  RunFailed,
  Scope.Scope | Effect.Services<ReturnType<typeof MarketFeed.prepare>>
> {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const venue = Venues.get(name)
  const mock = MockVenues.byName(name)
  if (venue === undefined || mock === undefined) return yield* Effect.die(new Error(`no venue ${name}`))
  const accounted = AccountedVenue.make(mock, now)
  const server = yield* MockServer.make({ venue: accounted.venue, products, seed, rate }).pipe(
    Effect.mapError((error) => new RunFailed({ detail: error.message }))
  )
  const channel = venue.channels.trade ?? ""
  const channels = products.map(({ symbol }) => Channel.make(channel, symbol))
  yield* keepMarketOpen(server.url, venue, channels).pipe(
    Effect.mapError((error) => new RunFailed({ detail: error.message }))
  )
  const feed = yield* MarketFeed.prepare(venue, { url: server.url, channels })

  const books: Stage["books"] = { received: [], gaps: [] }
  const tally: Stage["tally"] = { prices: 0, differing: 0, opened: 0, closed: 0, drops: 0, rejected: 0 }
  const seen = new Set<string>()
  let place = 0
  let isUp = false
  const enter = (event: MarketEvent.AnyEvent): boolean => {
    place++
    switch (event._tag) {
      case "Trade":
      case "PriceUpdate": {
        const id = event.timestamp === undefined ? "" : Timestamp.format(event.timestamp)
        books.received.push({ product: event.product, id, at: now(), place })
        const key = `${event.product} ${id}`
        // The second copy of a message is counted, and goes no further.
        if (seen.has(key)) return false
        seen.add(key)
        const price = Decimal.format(event.price)
        tally.prices++
        if (BoardLayout.asFloat(price) !== price) tally.differing++
        return true
      }
      case "Gap": {
        const gap = { product: event.product ?? "", from: millisOf(event.from), to: millisOf(event.to), place }
        // One that was noticed and is over now is the same gap.
        const open = books.gaps.findIndex(({ from, product, to }) =>
          to === undefined && from === gap.from && product === gap.product
        )
        books.gaps.splice(open < 0 ? books.gaps.length : open, 1, gap)
        return true
      }
      case "Breaker":
        if (event.to === "Open") tally.opened++
        if (event.to === "Closed") tally.closed++
        return true
      case "FrameRejected":
        tally.rejected++
        return true
      case "Connection":
        if (isUp && event.state !== "Connected" && event.state !== "Closing") tally.drops++
        isUp = event.state === "Connected"
        return true
      default:
        return true
    }
  }
  const consumer = yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEachArray((events) => show(events.filter(enter))),
    Effect.catchTag("ConsumerOverflow", (error) => Effect.fail(new RunFailed({ detail: error.message }))),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
  return { venue, server, accounted, feed, books, tally, consumer }
})

const strike = (stages: ReadonlyArray<Stage>, trouble: Scenario.Trouble): Effect.Effect<void> =>
  Effect.suspend(() => {
    const on = stages.find(({ venue }) => venue.name === trouble.venue)
    if (on === undefined) return Effect.void
    if (trouble.repeats) on.accounted.repeatNext()
    // The connection that came last is the client's; the first one keeps the market open.
    const client = Math.max(0, ...on.server.connections().map(({ id }) => id))
    return Effect.forEach(trouble.actions, (action) => on.server.inject(action, client), { discard: true })
  })

/**
 * The account as lines for people.
 *
 * @category getters
 * @since 0.1.0
 */
export const accountLines = (
  paint: Paint,
  accounts: ReadonlyArray<readonly [venue: string, account: Account.DemoReport]>
): ReadonlyArray<string> => {
  const cells = (of: (account: Account.DemoReport) => number) =>
    Math.max(...accounts.map(([, account]) => grouped(of(account)).length))
  const widths = {
    venue: Math.max(...accounts.map(([venue]) => venue.length)),
    product: Math.max(...accounts.map(([, { product }]) => product.length)),
    sent: cells(({ sent }) => sent),
    delivered: cells(({ delivered }) => delivered),
    duplicates: cells(({ duplicates }) => duplicates),
    lost: cells(({ lost }) => lost)
  }
  return accounts.map(([venue, account]) => {
    const number = (name: "sent" | "delivered" | "duplicates" | "lost", word: string) =>
      `${pad(grouped(account[name]), widths[name], "right")} ${paint("dim", word)}`
    const verdict = account.isBalanced
      ? paint("green", "✓")
      : paint("red", `✗ ${account.unexplained.length} lost in silence, ${account.unknown.length} never sent`)
    return `${pad(venue, widths.venue)} ${paint("bold", pad(account.product, widths.product))}  ${
      number("sent", "sent")
    } = ${number("delivered", "delivered")} + ${number("duplicates", "twice")} + ${
      number("lost", "in gaps")
    } ${verdict}`
  })
}

const summary = (
  paint: Paint,
  stages: ReadonlyArray<Stage>,
  accounts: ReadonlyArray<readonly [string, Account.DemoReport]>
) => {
  const sum = (of: (tally: Stage["tally"]) => number) => stages.reduce((all, { tally }) => all + of(tally), 0)
  const gaps = stages.reduce((all, { books }) => all + books.gaps.length, 0)
  const differing = sum(({ differing }) => differing)
  return [
    "",
    ...accountLines(paint, accounts),
    "",
    [
      `${counted(sum(({ drops }) => drops), "drop")}`,
      `${counted(gaps, "gap")} declared`,
      `breaker opened ${sum(({ opened }) => opened)} ×, closed ${sum(({ closed }) => closed)} ×`,
      `${counted(sum(({ rejected }) => rejected), "frame")} rejected`
    ].join(paint("dim", " · ")),
    `${counted(sum(({ prices }) => prices), "exact price")}, of which a float client shows ${
      paint(differing > 0 ? "red" : "green", `${grouped(differing)} differently`)
    }`,
    ""
  ].join("\n")
}

const play = Effect.fnUntraced(function*(
  options: Options,
  durationMillis: number
): Effect.fn.Return<
  void,
  RunFailed | OutputClosed,
  Host | Scope.Scope | Effect.Services<ReturnType<typeof MarketFeed.prepare>>
> {
  const { env, signal, stderr, stdout } = yield* Host
  const clock = yield* Clock.Clock
  const monotonic = () => Monotonic.nowMillis(clock)
  const startedAt = monotonic()
  const paint = makePaint(stdout.hasColor)
  const said = makePaint(stderr.hasColor)
  const isLive = options.format === "pretty" && Screen.isPossible(stdout, env)
  const board = Board.make({
    title: "tickline demo",
    note: Scenario.policyText,
    detail: "float",
    now: () => clock.currentTimeMillisUnsafe(),
    monotonic
  })
  const screen = isLive ? yield* Screen.make(stdout) : undefined
  const draw = Effect.suspend(() => screen?.draw(board.lines(paint, stdout.size())) ?? Effect.void)
  const say = (text: string) => {
    if (!isLive) stderr.writeUnsafe(`${text}\n`)
  }
  const time = () => said("dim", `${((monotonic() - startedAt) / 1000).toFixed(2).padStart(6)} s`)
  say(Scenario.policyText)

  // Whoever pauses the output changes nothing of what is played, nor of its account.
  const queue = yield* OutputQueue.make({
    stdout,
    overflow: () => "drop-oldest",
    format: (event) =>
      options.format === "ndjson" ? jsonLine(Ndjson.toVenueJson(event), stdout) : `${eventLine(paint, event)}\n`,
    tally: Tally.make()
  })

  const show: Show = (events) =>
    Effect.suspend(() => {
      if (isLive) return Effect.sync(() => events.forEach(board.observe))
      for (const event of events) {
        const isStory = event._tag === "Connection" || event._tag === "Breaker" || event._tag === "Gap" ||
          event._tag === "FrameRejected"
        if (isStory && options.format === "ndjson") {
          say(`${time()}  ${said("dim", event.venue.padEnd(17))} ${eventLine(said, event)}`)
        }
      }
      return queue.offer(events)
    })

  const stages = yield* Effect.forEach(
    Scenario.venues,
    ({ name, products }) => stage(name, products, options.seed, show)
  )
  if (isLive) yield* Effect.forkScoped(Effect.ignore(Effect.forever(Effect.andThen(draw, Effect.sleep(100)))))

  const troubles = Effect.forEach(
    Scenario.troubles(durationMillis),
    (trouble) =>
      Effect.gen(function*() {
        yield* Effect.sleep(Math.max(0, startedAt + trouble.atMillis - monotonic()))
        board.note("magenta", `fault: ${trouble.text}`, trouble.venue)
        say(
          `${time()}  ${said("dim", trouble.venue.padEnd(17))} ${
            said("magenta", `Fault                   ${trouble.text}`)
          }`
        )
        yield* strike(stages, trouble)
      }),
    { discard: true }
  )
  yield* Effect.forkScoped(troubles)

  const stopped = yield* Deferred.make<"signal" | "closed">()
  yield* Effect.forkScoped(Effect.andThen(signal, Deferred.succeed(stopped, "signal")))
  yield* Effect.forkScoped(Effect.andThen(Effect.exit(stdout.closed), Deferred.succeed(stopped, "closed")))
  const isStopped = () => Deferred.isDoneUnsafe(stopped)

  const broken = Effect.raceAllFirst(stages.map(({ consumer }) => Fiber.join(consumer))).pipe(
    Effect.catch((error) =>
      Effect.fail(
        error._tag === "OutputClosed" || error._tag === "RunFailed"
          ? error
          : new RunFailed({ detail: `a feed ended: ${error.message}` })
      )
    )
  )
  const period = Effect.gen(function*() {
    yield* Effect.sleep(Math.max(0, durationMillis - settleMillis))
    // An outage that has not healed yet is waited for: its gap is declared when it has.
    const isUp = Effect.map(
      Effect.forEach(stages, ({ feed }) => feed.connection.isConnected),
      (all) => all.every((up) => up)
    )
    for (let tries = 0; tries < 100 && !(yield* isUp); tries++) yield* Effect.sleep(50)
    yield* Effect.forEach(stages, ({ server }) => server.setRate(0), { discard: true })
    yield* Effect.sleep(settleMillis)
  })
  yield* Effect.raceAllFirst([period, Effect.asVoid(Deferred.await(stopped)), broken])

  yield* Effect.forEach(stages, ({ server }) => server.setRate(0), { discard: true })
  const accounts = stages.flatMap(({ accounted, books, venue }) =>
    Account.draw({ sent: accounted.sent, received: books.received, gaps: books.gaps, transitMillis })
      .map((account) => [venue.name, account] as const)
  )
  yield* Effect.forEach(stages, ({ feed }) => feed.connection.close(), { concurrency: "unbounded", discard: true })
  yield* OutputQueue.settled(
    Effect.andThen(Effect.forEach(stages, ({ consumer }) => Fiber.await(consumer)), isLive ? draw : queue.end),
    { signal, stdout }
  )
  stderr.writeUnsafe(summary(said, stages, accounts))
  const wrong = accounts.filter(([, { isBalanced }]) => !isBalanced)
  if (wrong.length > 0 && !isStopped()) {
    return yield* new RunFailed({
      detail: `the account does not balance: ${wrong.map(([, { product }]) => product).join(", ")}`
    })
  }
})

/**
 * Runs the command.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, RunFailed | UsageError | OutputClosed, Host> {
  const duration = options.duration ?? (options.virtual ? Duration.hours(1) : Duration.seconds(20))
  const durationMillis = Duration.toMillis(duration)
  if (durationMillis < 1_000) {
    return yield* new UsageError({ key: "--duration", value: span(durationMillis), expected: "1s or more" })
  }
  if (options.virtual) {
    const VirtualDemo = yield* Effect.promise(() => import("./VirtualDemo.ts"))
    return yield* VirtualDemo.run({ format: options.format, seed: options.seed, durationMillis })
  }
  return yield* Effect.scoped(play(options, durationMillis)).pipe(
    Effect.provide(Layer.mergeAll(NodeTransport.layer, Reconnection.layerWithBreaker(Scenario.policy))),
    Random.withSeed(options.seed),
    // The demo tells its own story; the log would tell it again.
    Effect.provide(Log.silent)
  )
})
