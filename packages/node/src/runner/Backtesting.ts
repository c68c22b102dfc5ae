/**
 * `tickline backtest`: a strategy over recordings, with the code that runs live.
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Backtest from "@tickline/core/strategy/Backtest"
import * as Strategy from "@tickline/core/strategy/Strategy"
import type { Fees } from "@tickline/core/trading/Instrument"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "node:fs/promises"
import * as BacktestPage from "./BacktestPage.ts"
import { Host, type OutputClosed } from "./Host.ts"
import * as JoinedRecordings from "./internal/joinedRecordings.ts"
import * as OrderLines from "./OrderLines.ts"
import { type Format, jsonLine } from "./Output.ts"
import * as Policy from "./Policy.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import { counted, grouped, pad, type Paint, paint as makePaint } from "./Style.ts"
import * as Survey from "./Survey.ts"
import * as Targets from "./Targets.ts"
import * as Strategies from "./trader/Strategies.ts"
import * as TraderConfig from "./trader/TraderConfig.ts"

/**
 * What is tried, over what, and where the report goes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** In the order in which they are read; `-` is stdin. */
  readonly recordings: ReadonlyArray<string>
  readonly strategy: keyof typeof Strategy.byName
  /** The venue, where the recordings do not name it. */
  readonly venue: Venue | undefined
  readonly config: string | undefined
  readonly fees: Pick<Fees, "maker" | "taker"> | undefined
  readonly latency: Duration.Duration | undefined
  readonly html: string | undefined
  readonly format: Format
}

type Failure = RunFailed | UsageError | OutputClosed

/** What `--config` says, if it is there. */
const termsOf = (path: string | undefined): Effect.Effect<TraderConfig.Terms | undefined, UsageError> =>
  path === undefined
    ? Effect.undefined
    : Policy.readFile(path).pipe(
      Effect.flatMap(Policy.parse),
      Effect.flatMap(TraderConfig.parseTerms),
      Effect.mapError((error) => error.in(path))
    )

// The flag says which strategy; how much each counts that is combined, the file may say.
const strategyOf = (name: Options["strategy"], terms: TraderConfig.Terms | undefined): Strategy.Strategy =>
  name === "combined" && terms?.strategy._tag === "Weighted"
    ? Strategies.make(terms.strategy)
    : Strategy.byName[name]

/** The one venue of the recordings. */
const venueOf = (
  named: Venue | undefined,
  headers: Effect.Success<ReturnType<typeof JoinedRecordings.headersOf>>
): Effect.Effect<Venue, UsageError> => {
  const names = [...new Set(headers.flatMap(({ venue }) => venue ?? []))]
  const [name, other] = names
  if (other !== undefined) {
    const key = "recording"
    return Effect.fail(new UsageError({ key, expected: `recordings of one venue, not of ${names.join(" and ")}` }))
  }
  const venue = named ?? (name === undefined ? undefined : Venues.get(name))
  return venue === undefined
    ? Effect.fail(
      new UsageError({
        key: "--venue",
        ...(name === undefined ? {} : { value: name }),
        expected: name === undefined
          ? `the venue, which no recording names: ${Venues.all.map(({ name }) => name).join(", ")}`
          : Targets.expectedVenue(name)
      })
    )
    : Effect.succeed(venue)
}

/** What of a course a strategy can have: its products, and the channels of their books. */
const tradableOf = ({ wanted }: Survey.Course) => {
  const of = (kind: "trade" | "ticker" | "book") =>
    wanted.filter((one) => one.kind === kind).map(({ channel }) => channel)
  const traded = of("trade")
  const products = (traded.length > 0 ? traded : of("ticker")).flatMap(({ product }) => product ?? [])
  return { products: [...new Set(products)], books: of("book") }
}

const resultJson = ({ drawdown, exposure, hitRate, pnl, return: gained, sharpe, trades }: Backtest.Result): string =>
  JSON.stringify({
    _tag: "Result",
    trades,
    pnl: Decimal.format(pnl),
    return: gained,
    drawdown,
    hitRate,
    exposure,
    sharpe
  })

const percent = (value: number): string => `${(value * 100).toFixed(2)} %`

const resultText = (paint: Paint, { performance, quote, result }: Backtest.Report): string => {
  const { averageLoss, averageWin, profitFactor, volume } = performance
  const rows: ReadonlyArray<readonly [name: string, value: string | undefined]> = [
    ["gained", `${Decimal.format(result.pnl)} ${quote}`],
    ["return", percent(result.return)],
    ["drawdown", percent(result.drawdown)],
    ["closed trades", grouped(result.trades)],
    ["hit rate", result.hitRate === undefined ? undefined : percent(result.hitRate)],
    ["average win", averageWin === undefined ? undefined : `${averageWin.toFixed(2)} ${quote}`],
    ["average loss", averageLoss === undefined ? undefined : `${averageLoss.toFixed(2)} ${quote}`],
    ["profit factor", profitFactor?.toFixed(2)],
    ["sharpe", result.sharpe?.toFixed(2)],
    ["exposure", percent(result.exposure)],
    ["volume", `${Decimal.format(volume)} ${quote}`]
  ]
  return `\n${
    rows.flatMap(([name, value]) =>
      value === undefined ? [] : [`${paint("dim", pad(name, 14))} ${paint("bold", value)}\n`]
    ).join("")
  }`
}

/** What a reader would miss in the figures: signals that came to nothing, and why. */
const remarks = ({ fills, refusals, signals }: Backtest.Report): string => {
  const refused = Array.from(refusals, ([code, count]) => `${code} ${grouped(count)}`)
  return `${counted(signals.length, "signal")}, ${counted(fills.length, "fill")}` +
    `${refused.length === 0 ? "" : `; not traded: ${refused.join(", ")}`}\n`
}

/**
 * Runs the command.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { html } = options
    const { signal, stderr, stdin, stdout } = yield* Host
    const terms = yield* termsOf(options.config)
    const strategy = strategyOf(options.strategy, terms)
    if (options.recordings.filter((path) => path === "-").length > 1) {
      return yield* new UsageError({ key: "recording", value: "-", expected: "stdin once at most" })
    }
    const recordings = yield* Effect.forEach(options.recordings, (path) =>
      Survey.linesOf(
        path === "-" ? undefined : path,
        stdin,
        (bytes) => stderr.writeUnsafe(`${path} is torn at its end: ${counted(bytes, "byte")} of a line passed over\n`),
        (line) => stderr.writeUnsafe(`${path}: line ${line} is too long, and passed over\n`)
      ))
    const headers = yield* JoinedRecordings.headersOf(recordings)
    const venue = yield* venueOf(options.venue, headers)
    if (html !== undefined) {
      // Known now, and not after all has been read. What is there stays until there is another report.
      yield* Effect.tryPromise({
        try: () => FileSystem.appendFile(html, ""),
        catch: () => new UsageError({ key: "--html", value: html, expected: "a file that can be written" })
      })
    }
    const lines = yield* JoinedRecordings.timed(JoinedRecordings.join(recordings, headers), venue)
    const { courses, replay } = yield* Survey.make({
      venue,
      kinds: venue.channels.trade === undefined ? ["ticker", "book"] : ["trade", "ticker", "book"],
      tellsBooks: false,
      replay: { turns: "moment" }
    }, lines)
    for (const { line, member, message } of replay.rejected) {
      stderr.writeUnsafe(`line ${line}: ${member}: ${message}\n`)
    }
    const [course] = courses
    const { books, products } = course === undefined ? { books: [], products: [] } : tradableOf(course)
    if (course === undefined || products.length === 0) stderr.writeUnsafe("no trades are recorded\n")
    const isUsual = books.some(({ channel }) => channel === venue.channels.book)
    const hasBook = isUsual && (yield* JoinedRecordings.hasSnapshot(lines, venue))
    if (books.length > 0 && !hasBook) {
      const why = isUsual ? "has no snapshot" : "is not of the venue's usual channel"
      stderr.writeUnsafe(`the recorded book ${why}: orders are filled at the price of the last trade\n`)
    }

    const program = Effect.scoped(Effect.gen(function*() {
      // What took over from a connection was recorded, too.
      const feed = yield* MarketFeed.prepare({ ...venue, sessionMillis: undefined, endsSoon: undefined }, {
        url: course?.url ?? venue.endpoint ?? "ws://recording.invalid"
      })
      const backtest = yield* Backtest.make(feed, {
        products,
        strategy,
        interval: terms?.interval,
        book: terms?.book === true && hasBook,
        capital: terms?.capital,
        patience: terms?.patience,
        fees: options.fees,
        latency: options.latency,
        limits: terms?.risk,
        portfolio: terms?.portfolio,
        fillsByBook: hasBook
      })
      yield* course?.legs[0].begun ?? Effect.void
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
      yield* replay.ended
      return yield* backtest.report
    })).pipe(
      Effect.provideService(Transport, replay.transport(course?.legs ?? [], course?.asked)),
      Effect.provide(Reconnection.layerWithBreaker()),
      Effect.mapError(({ message }) => new RunFailed({ detail: message }))
    )
    const stopped = Effect.as(Effect.raceFirst(Effect.asVoid(signal), stdout.closed), undefined)
    const report = yield* Effect.raceFirst(replay.run(program), stopped)
    if (report === undefined) return

    const paint = makePaint(stdout.hasColor)
    const isJson = options.format === "ndjson"
    const fills = report.fills.map((fill) =>
      isJson
        ? jsonLine(OrderEvent.toJson(fill), stdout)
        : `${paint("dim", fill.timestamp === undefined ? "" : Timestamp.format(fill.timestamp).slice(0, 10))} ${
          OrderLines.line(paint, fill)
        }\n`
    )
    yield* stdout.write(
      fills.join("") + (isJson ? jsonLine(resultJson(report.result), stdout) : resultText(paint, report))
    )
    if (html !== undefined) {
      const page = yield* BacktestPage.make(report, { strategy: strategy.name, venue: venue.name, options })
      yield* Effect.tryPromise({
        try: () => FileSystem.writeFile(html, page),
        catch: (error) => new RunFailed({ detail: `cannot write ${html}: ${String(error)}` })
      })
    }
    stderr.writeUnsafe(remarks(report))
  }))
