/**
 * `tickline stability`: a session and a feed for as long as it is wanted, against
 * a mock venue on loopback, under the virtual clock, or against the venue's test
 * network; and a graded report.
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as FileSystem from "node:fs/promises"
import process from "node:process"
import * as Timers from "node:timers/promises"
import * as NodeTransport from "../NodeTransport.ts"
import { Host, type OutputClosed } from "../runner/Host.ts"
import * as Log from "../runner/Log.ts"
import { type Format, jsonLine } from "../runner/Output.ts"
import { RunFailed, UsageError } from "../runner/RunnerError.ts"
import { grouped, type Paint, paint as makePaint, span } from "../runner/Style.ts"
import * as Grade from "./Grade.ts"
import { type Line, mebibytes, type Memory, percent, type Report, toJson, toText } from "./Lines.ts"
import * as Page from "./Page.ts"
import { StabilityRecord } from "./Record.ts"
import * as Workload from "./Workload.ts"

/**
 * How it is run. `faultsPerDay` is how often on average the mock goes wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly format: Format
  readonly hours: number
  readonly virtual: boolean
  readonly seed: number
  readonly faultsPerDay: number
  readonly live: boolean
  readonly html: string | undefined
}

/** The venue's test network. */
const testNetwork = "wss://test.deribit.com/ws/api/v2"

const key = { clientId: "AMANDA", clientSecret: Redacted.make("AMANDASECRECT") }

const products = [{ symbol: Workload.product, price: "43250.0", size: "1000" }]

/** Market data frames a second of the mock in real time, and how often its market moves under the virtual clock. */
const pace = { rate: 10, every: "15 seconds" } as const

const memory = (): Memory => {
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, resident: rss }
}

// What goes wrong at venues in a day; each is over by itself.
const plan = ({ faultsPerDay, hours, seed }: Options): FaultPlan.FaultPlan =>
  faultsPerDay === 0 ? FaultPlan.calm : FaultPlan.random({
    seed,
    within: Duration.hours(hours),
    perHour: faultsPerDay / 24,
    kinds: ["Drop", "Drop", "Close", "Silent"]
  })

/** Where the run takes place, and what is known of it from the other side. */
interface Place {
  readonly against: string
  readonly url: string
  readonly exchange: MockDeribitExchange.MockDeribitExchange | undefined
}

type Services = Scope.Scope | Transport | Reconnection.Reconnection | CircuitBreaker

/** What the mock has seen that may not be. */
const inspect = (record: StabilityRecord, at: number, { exchange }: Place): void => {
  if (exchange === undefined) return
  const spent = exchange.credits()
  const refused = spent.filter(({ isRefused }) => isRefused).length
  record.limits = { calls: spent.length, refused }
  if (refused > 0) record.error(at, "limits", `${refused} calls were refused for want of credits`)
  const labels = new Map<string, number>()
  for (const { label } of exchange.holdings(key.clientId).orders) labels.set(label, (labels.get(label) ?? 0) + 1)
  for (const [label, times] of labels) if (times > 1) record.error(at, "orders", `${label} came ${times} times`)
}

const text = (paint: Paint, record: StabilityRecord, report: Report): string => {
  const details = record.details()
  const lines = details.flatMap((line): ReadonlyArray<readonly [string, string]> => {
    switch (line._tag) {
      case "Latency":
        return line.count === 0
          ? []
          : [[`${line.of} latency`, `median ${line.p50} ms, p99 ${line.p99} ms, most ${line.most} ms`]]
      case "Orders":
        return [[
          "orders",
          `${
            grouped(line.acknowledged)
          } acknowledged, ${line.rejected} rejected, ${line.notSent} not sent, ${line.outcomeUnknown} unknown`
        ]]
      case "Limits":
        return [["limits", `${grouped(line.calls)} calls, ${line.refused} refused for want of credits`]]
      case "Memory":
        return [[
          "heap",
          `${mebibytes(line.first.heap)} after a minute, ${mebibytes(line.last.heap)} at the end, ${
            mebibytes(line.most.heap)
          } at most`
        ]]
      default:
        return []
    }
  })
  const balanced = record.ledger.filter(({ balanced }) => balanced).length
  const tone = report.grade === "POOR" ? "red" : report.grade === "FAIR" ? "yellow" : "green"
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["heartbeats", `${grouped(report.heartbeats)} answered, ${percent(report.heartbeatSuccess)} of those due`],
    ["reconnects", grouped(report.reconnects)],
    ["errors", grouped(report.errors)],
    ...lines,
    ["ledger", `${balanced} of ${record.ledger.length} channels balanced, ${grouped(record.events)} events`],
    ["passes", Grade.passes(report, report.hours) ? "yes" : "no"]
  ]
  return [
    "",
    `${paint(tone, paint("bold", report.grade))} after ${span(report.hours * 3_600_000)}`,
    ...rows.map(([name, value]) => `${paint("dim", name.padEnd(18))} ${value}`),
    ""
  ].join("\n")
}

// Runs until it is over, `stopped` or has failed, and tells what it came to.
const play = Effect.fnUntraced(function*(
  options: Options,
  place: Place,
  credentials: Pick<Workload.Options, "clientId" | "clientSecret">,
  stop: Effect.Effect<void>,
  wait: (failed: Effect.Effect<void>, flush: Effect.Effect<void, OutputClosed>) => Effect.Effect<void, OutputClosed>
): Effect.fn.Return<void, RunFailed | OutputClosed, Host | Services> {
  const { stderr, stdout } = yield* Host
  const clock = yield* Clock.Clock
  const at = (): number => clock.currentTimeMillisUnsafe()
  const isJson = options.format === "ndjson"
  const said = makePaint(stderr.hasColor)
  // Whoever reads takes the time that it takes, also while virtual time would fly; after a signal a second.
  const unwritten: Array<string> = []
  const write = (text: string) =>
    Effect.raceFirst(stdout.write(text), Effect.andThen(stop, Effect.promise(() => Timers.setTimeout(1_000))))
  const flush = Effect.suspend(() => unwritten.length === 0 ? Effect.void : write(unwritten.splice(0).join("")))
  const tell = (line: Line): void => {
    if (isJson) return void unwritten.push(jsonLine(toJson(line), stdout))
    // Under the virtual clock a day is over before anybody has read a line of it.
    const shown = options.virtual ? undefined : toText(said, line)
    if (shown !== undefined) stderr.writeUnsafe(`${shown}\n`)
  }
  const record = new StabilityRecord(at(), tell)
  tell({ _tag: "Started", at: at(), against: place.against, hours: options.hours })

  const scope = yield* Scope.make()
  const workload = yield* Workload.start(
    {
      url: place.url,
      ...credentials,
      trades: place.exchange !== undefined,
      memory: options.virtual ? undefined : memory
    },
    record
  ).pipe(
    Scope.provide(scope),
    Effect.mapError(({ message }) => new RunFailed({ detail: message }))
  )
  yield* wait(workload.failed, flush)
  record.end(at())

  const ending = workload.settle.pipe(Effect.ensuring(Scope.close(scope, Exit.void)))
  if (options.virtual) {
    // The graceful close takes virtual time of its own.
    const closing = yield* Effect.forkChild(ending)
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(closing)
  } else yield* ending
  inspect(record, at(), place)

  const report = record.report(at())
  if (options.html !== undefined) {
    const path = options.html
    yield* Effect.tryPromise({
      try: () => FileSystem.writeFile(path, Page.make(record, place.against, report)),
      catch: (error) => new RunFailed({ detail: `cannot write ${path}: ${String(error)}` })
    })
  }
  yield* flush
  yield* write(
    isJson
      ? [...record.details().map(toJson), ...record.ledger.map((line) => JSON.stringify(line)), toJson(report)]
        .map((json) => jsonLine(json, stdout)).join("")
      : `${text(makePaint(stdout.hasColor), record, report)}\n`
  )
  if (record.failed !== undefined) return yield* new RunFailed({ detail: record.failed })
})

const policy = Reconnection.layerWithBreaker(Presets.recommended)

// How often it is looked whether a signal has come while virtual time passes.
const stepMillis = 60_000

const virtually = (options: Options, stop: Effect.Effect<void>, isStopped: () => boolean) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: options.seed, latency: { min: 5, max: 60 }, keepLog: false })
    const exchange = MockDeribitExchange.make()
    const url = "wss://deribit.test/ws/api/v2"
    const { host } = yield* MockVenue.serve(network, url, exchange.venue, {
      products,
      seed: options.seed,
      every: pace.every
    })
    yield* FaultPlan.run(network, host, plan(options))
    const place = { against: `the mock of Deribit under the virtual clock, seed ${options.seed}`, url, exchange }
    yield* play(options, place, key, stop, (failed, flush) =>
      Effect.gen(function*() {
        const over = yield* Effect.forkChild(failed)
        for (let left = options.hours * 3_600_000; left > 0; left -= stepMillis) {
          if (isStopped() || over.pollUnsafe() !== undefined) return
          yield* TestClock.adjust(Math.min(left, stepMillis))
          yield* flush
        }
      })).pipe(Effect.provide(policy), Effect.provideService(Transport, network.transport))
  }).pipe(Effect.scoped, Random.withSeed(options.seed), Effect.provide(TestClock.layer()))

// A run in real time ends with its hours, with a signal, or because it cannot go on.
const until =
  ({ hours }: Options, stop: Effect.Effect<void>) =>
  (failed: Effect.Effect<void>, flush: Effect.Effect<void, OutputClosed>): Effect.Effect<void, OutputClosed> =>
    Effect.raceAllFirst([
      failed,
      stop,
      Effect.sleep(Duration.hours(hours)),
      Effect.forever(Effect.andThen(flush, Effect.sleep("100 millis")))
    ])

const really = Effect.fnUntraced(function*(options: Options, stop: Effect.Effect<void>) {
  const exchange = MockDeribitExchange.make()
  const server = yield* MockServer.make({ venue: exchange.venue, products, seed: options.seed, rate: pace.rate }).pipe(
    Effect.mapError(({ message }) => new RunFailed({ detail: message }))
  )
  yield* Effect.forkScoped(Effect.forEach(plan(options), ({ action, atMillis }, i) =>
    Effect.delay(
      action._tag === "Drop" || action._tag === "Close" || action._tag === "Silent"
        ? server.inject(action)
        : Effect.void,
      atMillis - (plan(options)[i - 1]?.atMillis ?? 0)
    ), { discard: true }))
  const place = { against: `the mock of Deribit at ${server.url}`, url: server.url, exchange }
  yield* play(
    options,
    place,
    key,
    stop,
    until(options, stop)
  )
}, Effect.scoped)

const variables = { clientId: "TICKLINE_DERIBIT_CLIENT_ID", clientSecret: "TICKLINE_DERIBIT_CLIENT_SECRET" } as const

const live = Effect.fnUntraced(function*(options: Options, stop: Effect.Effect<void>) {
  const { env } = yield* Host
  const value = Effect.fnUntraced(function*(name: string): Effect.fn.Return<string, UsageError> {
    const found = Object.hasOwn(env, name) ? env[name] ?? "" : ""
    if (found !== "") return found
    return yield* new UsageError({ key: name, source: "the environment", expected: "a key of the test network" })
  })
  const clientId = yield* value(variables.clientId)
  const clientSecret = Redacted.make(yield* value(variables.clientSecret))
  const place: Place = { against: testNetwork, url: testNetwork, exchange: undefined }
  yield* play(
    options,
    place,
    { clientId, clientSecret },
    stop,
    until(options, stop)
  )
}, Effect.scoped)

/**
 * Runs the command. A signal ends it with the report so far.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, RunFailed | UsageError | OutputClosed, Host> {
  const { html } = options
  const { signal, stdout } = yield* Host
  if (options.live && (options.virtual || options.faultsPerDay > 0)) {
    return yield* new UsageError({ key: "--live", expected: "neither --virtual nor --faults: they are for the mock" })
  }
  if (html !== undefined) {
    // Known now, and not after a day.
    yield* Effect.tryPromise({
      try: () => FileSystem.writeFile(html, ""),
      catch: () => new UsageError({ key: "--html", value: html, expected: "a file that can be written" })
    })
  }
  const stopped = yield* Deferred.make<void>()
  const watch = Effect.raceFirst(Effect.asVoid(signal), Effect.ignore(stdout.closed)).pipe(
    Effect.andThen(Deferred.succeed(stopped, undefined))
  )
  return yield* Effect.scoped(Effect.gen(function*() {
    yield* Effect.forkScoped(watch, { startImmediately: true })
    const stop = Deferred.await(stopped)
    if (options.virtual) return yield* virtually(options, stop, () => Deferred.isDoneUnsafe(stopped))
    return yield* (options.live ? live : really)(options, stop).pipe(
      Effect.provide([NodeTransport.layer, policy])
    )
  })).pipe(Effect.provide(Log.silent))
})
