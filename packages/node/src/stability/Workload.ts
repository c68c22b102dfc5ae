/**
 * What a stability run does: a session at Deribit whose heartbeats are asked for
 * twice a minute, and a feed of one product beside it; where orders may be
 * placed, one a minute that does not trade and is taken back.
 *
 * @since 0.1.0
 */
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import type { CallError } from "@tickline/core/session/JsonRpc"
import type { SigningKeyError } from "@tickline/core/session/Signer"
import * as Channel from "@tickline/core/value/Channel"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LedgerLines from "../runner/LedgerLines.ts"
import type { Memory } from "./Lines.ts"
import type { Outcome, StabilityRecord } from "./Record.ts"

/**
 * How it is done.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
  /** Whether orders are placed. */
  readonly trades: boolean
  readonly memory: (() => Memory) | undefined
}

/**
 * The product that is followed and traded.
 *
 * @category constants
 * @since 0.1.0
 */
export const product = "BTC-PERPETUAL"

/**
 * How often heartbeats are asked for and samples taken, how often it is told how
 * it stands, and how often an order is placed.
 *
 * @category constants
 * @since 0.1.0
 */
export const everyMillis = { heartbeat: 30_000, sample: 30_000, status: 60_000, order: 60_000 } as const

/** The venue has so many calls at once of its pool of requests, and so many of the matching engine, to begin with. */
const full = { requests: 100, matching: 20 } as const

// Far from every market, so that it rests.
const order = {
  instrument_name: product,
  type: "limit",
  amount: BigDecimal.make(10n, 0),
  price: BigDecimal.make(10_000n, 1),
  post_only: true
} as const

const outcomeOf = (error: CallError): Outcome => {
  switch (error._tag) {
    case "RpcError":
      return "rejected"
    case "OutcomeUnknown":
    case "UnreadableResult":
      return "outcomeUnknown"
    default:
      return "notSent"
  }
}

// At 0, at each interval after it, whatever the time that it takes.
const repeated = <E, R>(millis: number, now: () => number, once: Effect.Effect<void, E, R>) =>
  Effect.gen(function*() {
    const begun = now()
    for (let turn = 0;; turn++) {
      yield* Effect.sleep(Math.max(0, begun + turn * millis - now()))
      yield* Effect.forkScoped(once)
    }
  })

/**
 * A workload that runs until its scope ends. `failed` completes when its session
 * or its feed has given up; `settle` ends it and looks at the ledger.
 *
 * @category models
 * @since 0.1.0
 */
export interface Workload {
  readonly failed: Effect.Effect<void>
  readonly settle: Effect.Effect<void>
}

/**
 * Starts it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = Effect.fnUntraced(function*(
  options: Options,
  record: StabilityRecord
): Effect.fn.Return<
  Workload,
  SigningKeyError,
  Scope.Scope | Effect.Services<ReturnType<typeof MarketFeed.prepare>>
> {
  const { clientId, clientSecret, memory, trades, url } = options
  const clock = yield* Clock.Clock
  const now = (): number => Monotonic.nowMillis(clock)
  const at = (): number => clock.currentTimeMillisUnsafe()
  const failed = yield* Deferred.make<void>()

  const session = yield* DeribitSession.make({ label: "stability", url, clientId, clientSecret })
  const feed = yield* MarketFeed.prepare(Deribit.venue, {
    url,
    backfill: "none",
    channels: [
      Channel.make("trades.100ms", product),
      Channel.make("ticker.100ms", product),
      Channel.make("book.100ms", product)
    ]
  })

  const beside = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkScoped(Effect.ignore(effect))

  yield* Stream.runForEach(session.state.changes, (state) =>
    Effect.suspend(() => {
      record.session(at(), state)
      return record.failed === undefined ? Effect.void : Deferred.succeed(failed, undefined)
    })).pipe(Effect.forkScoped({ startImmediately: true }))
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) => Effect.sync(() => record.market(at(), event))),
    Effect.tapError((error) => Effect.sync(() => void (record.failed ??= `the feed ended: ${error.message}`))),
    Effect.ensuring(Deferred.succeed(failed, undefined)),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
  yield* beside(feed.connection.connect)

  const timed = <A>(call: Effect.Effect<A, CallError>) =>
    Effect.suspend(() => {
      const begun = now()
      return Effect.tap(
        Effect.map(Effect.result(call), (result) => ({ result, millis: now() - begun })),
        Effect.map(session.credits, (left) => record.credits(left))
      )
    })

  const heartbeat = Effect.suspend(() => {
    record.beat()
    return Effect.map(timed(session.call(Methods.connection.test, {})), ({ millis, result }) => {
      if (Result.isSuccess(result)) return record.beaten(millis)
      // What was not sent for want of a connection is the reconnect's matter.
      if (outcomeOf(result.failure) !== "notSent") record.error(at(), "session", result.failure.message)
    })
  })

  let count = 0
  const command = <A>(call: Effect.Effect<A, CallError>) =>
    Effect.map(timed(call), ({ millis, result }) => {
      const outcome = Result.isSuccess(result) ? "acknowledged" : outcomeOf(result.failure)
      record.ordered(outcome, millis)
      if (Result.isFailure(result) && outcome === "rejected") record.error(at(), "orders", result.failure.message)
      return outcome
    })
  const trade = Effect.gen(function*() {
    const label = `stability-${++count}`
    const placed = yield* command(session.call(Methods.trading.buy, { ...order, label }))
    if (placed !== "acknowledged" && placed !== "outcomeUnknown") return
    // A cancellation may be given again, until it is known to have been carried out.
    for (let tries = 0; tries < 60; tries++) {
      if ((yield* command(session.call(Methods.trading.cancelByLabel, { label }))) === "acknowledged") return
      yield* Effect.sleep("5 seconds")
    }
    record.error(at(), "orders", `${label} could not be cancelled`)
  })

  const look = (then: (credits: number) => void) =>
    Effect.map(session.credits, (left) => {
      record.credits(left)
      then(Math.min(left.requests / full.requests, left.matching / full.matching))
    })

  // Nothing is due before it has been live.
  const asking = Effect.all([
    repeated(everyMillis.heartbeat, now, heartbeat),
    ...trades ? [repeated(everyMillis.order, now, trade)] : []
  ], { concurrency: "unbounded", discard: true })
  yield* session.connect.pipe(
    Effect.tapError((error) =>
      Effect.andThen(
        Effect.sync(() => void (record.failed ??= `no session: ${error.message}`)),
        Deferred.succeed(failed, undefined)
      )
    ),
    Effect.andThen(asking),
    beside
  )
  yield* beside(repeated(
    everyMillis.sample,
    now,
    Effect.delay(look((credits) => record.sample(at(), credits, memory?.())), everyMillis.sample - 1)
  ))
  yield* beside(repeated(
    everyMillis.status,
    now,
    Effect.delay(look((credits) => record.status(at(), credits, memory?.())), everyMillis.status - 1)
  ))

  return {
    failed: Deferred.await(failed),
    settle: Effect.gen(function*() {
      yield* look((credits) => record.sample(at(), credits, memory?.()))
      yield* Effect.all([session.close(), feed.connection.close()], { concurrency: "unbounded", discard: true })
      record.ledger = LedgerLines.make({ venue: Deribit.venue.name, ledger: yield* feed.ledger })
      for (const { balanced, channel } of record.ledger) {
        if (!balanced) record.error(at(), "ledger", `the counts of ${channel ?? "the feed"} do not add up`)
      }
    })
  }
})
