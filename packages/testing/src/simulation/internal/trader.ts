/** A trader at the simulated exchange: what it does by chance, and what became of each of its commands. */
import type { AlreadyConnected, ConnectError } from "@tickline/core/connection/ConnectError"
import type { ConsumerOverflow } from "@tickline/core/connection/Inbox"
import type { Reconnection } from "@tickline/core/connection/Reconnection"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Schemas from "@tickline/core/session/deribit/Schemas"
import type { CallError } from "@tickline/core/session/JsonRpc"
import type { SigningKeyError } from "@tickline/core/session/Signer"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { OrderRequest, type TimeInForce } from "@tickline/core/trading/OrderRequest"
import { isOver } from "@tickline/core/trading/OrderStatus"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Chance from "../../Chance.ts"
import { OrderKeeper } from "./orderKeeper.ts"

/** How a command ended. */
export type Outcome = "Acknowledged" | "Rejected" | "NotSent" | "OutcomeUnknown"

/**
 * A command that was given: about which order (its label where it places one, the exchange's id otherwise, nothing
 * where it is about all), on which connection of the trader's host, and between when and when it may be written, in
 * milliseconds of the monotonic clock.
 */
export interface Command {
  readonly method: string
  readonly key: string
  readonly connection: number | undefined
  readonly at: number
  readonly until: number
  outcome: Outcome | undefined
}

/** A time from one moment to another. */
export interface Period {
  readonly from: number
  readonly to: number
}

/** What a trader is made of. */
export interface Settings {
  readonly name: string
  readonly account: string
  readonly url: string
  readonly product: string
  /** The price around which it trades, in ticks of 0.5. */
  readonly price: number
  readonly secret: Redacted.Redacted<string>
  /** When it trades, in milliseconds of the monotonic clock. */
  readonly periods: ReadonlyArray<Period>
  readonly chance: Chance.Chance
  readonly cancelOnDisconnect: boolean
  readonly now: () => number
  /** The connection of its host that is open. */
  readonly connection: () => number | undefined
  readonly note: (event: string, detail: Record<string, string | number>) => void
}

/** A trader. */
export interface Trader {
  readonly name: string
  readonly account: string
  readonly session: DeribitSession.DeribitSession
  readonly keeper: OrderKeeper
  readonly commands: ReadonlyArray<Command>
  /** What its session failed with where it may not. */
  readonly violations: ReadonlyArray<string>
  /** Whether nothing is under way, and nothing in doubt. */
  readonly isQuiet: () => boolean
  /** Forgets its orders and commands. */
  readonly forget: () => void
  /** Connects, and trades. */
  readonly run: Effect.Effect<void, ConnectError | AlreadyConnected | ConsumerOverflow, Scope.Scope>
}

const Changes = Schema.decodeUnknownOption(Schema.Struct({
  data: Schema.Struct({ orders: Schema.Array(Schemas.Order), trades: Schema.Array(Schemas.UserTrade) })
}))

const outcomeOf = (error: CallError): Outcome => {
  switch (error._tag) {
    case "RpcError":
      return "Rejected"
    // What was carried out, and cannot be read.
    case "UnreadableResult":
    case "OutcomeUnknown":
      return "OutcomeUnknown"
    default:
      return "NotSent"
  }
}

const timesInForce: readonly [TimeInForce, ...Array<TimeInForce>] = ["gtc", "gtc", "gtc", "post-only", "ioc", "fok"]

const standing = {
  gtc: "good_til_cancelled",
  "post-only": "good_til_cancelled",
  ioc: "immediate_or_cancel",
  fok: "fill_or_kill"
} as const

const deadlines = [60, 250, 1_000, 1_000, 3_000] as const

/** A price of half dollars. */
const priceOf = (halves: number) => BigDecimal.make(BigInt(halves * 5), 1)

/** So many orders of a trader rest at most: it has to ask about each after a drop. */
const mostOpen = 6

/** Makes a trader, who is to connect and to trade. */
export const make = Effect.fnUntraced(function*(
  settings: Settings
): Effect.fn.Return<Trader, SigningKeyError, Scope.Scope | Transport | Reconnection | CircuitBreaker> {
  const { account, chance, connection, name, note, now, product } = settings
  const commands: Array<Command> = []
  const violations: Array<string> = []
  const keeper = new OrderKeeper((clientId, { filled, status }) =>
    note("order", { clientId, status, filled: Decimal.format(filled) })
  )
  let count = 0
  let pending = 0

  const session: DeribitSession.DeribitSession = yield* DeribitSession.make({
    label: name,
    url: settings.url,
    clientId: account,
    clientSecret: settings.secret,
    cancelOnDisconnect: settings.cancelOnDisconnect,
    reconcile: (calls) => keeper.reconcile(calls, () => session.clock.venueMillis(), "all")
  })
  yield* Effect.orDie(session.subscribe([Channel.make("user.changes.any.any.raw")]))

  const told = Stream.runForEach(session.notifications(), ({ params }) =>
    Effect.sync(() => {
      const changes = Changes(params)
      if (Option.isSome(changes)) keeper.changed(changes.value.data.orders, changes.value.data.trades)
    }))

  const states = Stream.runForEach(session.state.changes, (state) =>
    Effect.sync(() => {
      note("session", {
        trader: name,
        state: state._tag,
        ..."epoch" in state ? { epoch: state.epoch } : {},
        ..."failure" in state && state.failure !== undefined ? { failure: state.failure.message } : {}
      })
      if (state._tag === "Failed") violations.push(`${name}: the session failed: ${state.error.message}`)
    }))

  // Gives a command, and writes down how it ended.
  const give = <A>(
    method: string,
    key: string,
    deadline: number,
    call: Effect.Effect<A, CallError>
  ): Effect.Effect<Result.Result<A, CallError>> =>
    Effect.suspend(() => {
      const at = now()
      const command: Command = { method, key, connection: connection(), at, until: at + deadline, outcome: undefined }
      commands.push(command)
      pending++
      return Effect.map(Effect.result(call), (result) => {
        pending--
        command.outcome = Result.isSuccess(result) ? "Acknowledged" : outcomeOf(result.failure)
        note("command", { trader: name, method, key, outcome: command.outcome, after: now() - at })
        if (Result.isFailure(result) && result.failure._tag === "RpcError" && result.failure.code === "10028") {
          violations.push(`${name}: ${result.failure.message}`)
        }
        return result
      })
    })

  const place = Effect.gen(function*() {
    const clientId = `${name}-${++count}`
    const side = chance.pick(["buy", "sell"] as const)
    const type = chance.happens(0.1) ? "market" : "limit"
    const away = chance.pick([-40, -4, 1, 10, 400, 4_000]) + chance.integer(20)
    const price = priceOf(settings.price + (side === "buy" ? -away : away))
    const amount = BigDecimal.make(BigInt(10 * (1 + chance.integer(200))), 0)
    const timeInForce = type === "market" ? "ioc" : chance.pick(timesInForce)
    const reduceOnly = chance.happens(0.1)
    const deadline = chance.pick(deadlines)
    const validUntil = Math.ceil(session.clock.venueMillis()) + deadline
    keeper.begin(
      new OrderRequest({
        product,
        side,
        type,
        amount,
        ...(type === "market" ? {} : { price }),
        timeInForce,
        reduceOnly,
        clientId
      }),
      validUntil
    )
    const call = session.call(Methods.trading[side], {
      instrument_name: product,
      amount,
      type,
      ...(type === "market" ? {} : { price }),
      label: clientId,
      time_in_force: standing[timeInForce],
      ...(timeInForce === "post-only" ? { post_only: true, reject_post_only: chance.happens(0.5) } : {}),
      reduce_only: reduceOnly,
      valid_until: Timestamp.fromEpochMillis(validUntil)
    }, { deadline })
    const result = yield* give(`private/${side}`, clientId, deadline, call)
    if (Result.isSuccess(result)) return keeper.placed(result.success)
    const { failure } = result
    const said = { exchange: "deribit", clientId, reason: failure.message }
    switch (outcomeOf(failure)) {
      case "Rejected":
        return keeper.say(clientId, new OrderEvent.Rejected(said))
      case "NotSent":
        return keeper.say(clientId, new OrderEvent.NotSent(said))
      default:
        return keeper.say(clientId, new OrderEvent.OutcomeUnknown(said))
    }
  })

  const resting = () =>
    [...keeper.orders.values()].filter(({ orderId, status }) => orderId !== undefined && !isOver(status))

  // Amends or cancels one of those that rest.
  const change = Effect.suspend(() => {
    const [first, ...others] = resting()
    if (first === undefined) return place
    const { amount, orderId = "", price, request: { clientId } } = chance.pick([first, ...others])
    const deadline = chance.pick(deadlines)
    const doubt = ({ _tag }: CallError) => {
      if (_tag !== "NotSent") keeper.doubt(clientId)
    }
    if (chance.happens(0.5)) {
      return Effect.map(
        give(
          "private/cancel",
          orderId,
          deadline,
          session.call(Methods.trading.cancel, { order_id: orderId }, { deadline })
        ),
        (result) => Result.isSuccess(result) ? keeper.changed([result.success], []) : doubt(result.failure)
      )
    }
    return Effect.map(
      give(
        "private/edit",
        orderId,
        deadline,
        session.call(Methods.trading.edit, {
          order_id: orderId,
          ...(price === undefined || chance.happens(0.3)
            ? {}
            : { price: BigDecimal.sum(price, priceOf(chance.integer(40) - 20)) }),
          amount: BigDecimal.sum(amount, BigDecimal.make(BigInt(10 * chance.integer(20)), 0)),
          valid_until: Timestamp.fromEpochMillis(Math.ceil(session.clock.venueMillis()) + deadline)
        }, { deadline })
      ),
      (result) =>
        Result.isSuccess(result) ? keeper.changed([result.success.order], result.success.trades) : doubt(result.failure)
    )
  })

  const cancelAll = Effect.map(
    give("private/cancel_all", "", 5_000, session.call(Methods.trading.cancelAll, {})),
    (result) => {
      if (Result.isSuccess(result) || outcomeOf(result.failure) === "NotSent") return
      for (const { request: { clientId } } of resting()) keeper.doubt(clientId)
    }
  )

  const query = Effect.ignore(session.call(Methods.account.getPositions, { currency: "BTC" }))

  // More at once than there are credits for.
  const burst = Effect.suspend(() =>
    Effect.forEach(
      Array.from({ length: 3 + chance.integer(25) }, () =>
        chance.happens(0.7) ? query : chance.happens(0.5) ? place : change),
      (each) =>
        each,
      { concurrency: "unbounded", discard: true }
    )
  )

  const act = Effect.suspend(() => {
    const drawn = chance.next()
    if (drawn < 0.04) return burst
    if (drawn < 0.06) return cancelAll
    return drawn < 0.5 && resting().length < mostOpen ? place : change
  })

  const trading = Effect.gen(function*() {
    for (const { from, to } of settings.periods) {
      yield* Effect.sleep(Math.max(0, from - now()))
      while (now() < to) {
        yield* Effect.forkScoped(act)
        yield* Effect.sleep(Duration.millis(200 + chance.integer(6_000)))
      }
    }
  })

  // What is in doubt while the link holds is asked about, too.
  const asking = Effect.gen(function*() {
    while (true) {
      yield* keeper.hasDoubts.await
      yield* Effect.sleep("5 seconds")
      if ((yield* session.state.current)._tag !== "Live") continue
      yield* Effect.ignore(keeper.reconcile(session, () => session.clock.venueMillis(), "doubtful"))
    }
  })

  return {
    name,
    account,
    session,
    keeper,
    commands,
    violations,
    forget: () => {
      commands.length = 0
      keeper.orders.clear()
    },
    isQuiet: () => pending === 0 && keeper.isCertain,
    run: Effect.all([told, states, trading, asking, session.connect], { concurrency: "unbounded", discard: true })
  }
})
