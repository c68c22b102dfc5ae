/**
 * What dYdX's indexer tells of a subaccount's orders and executions over its
 * socket, and when that may have had a gap.
 *
 * @see https://docs.dydx.xyz/indexer-client/websockets (read 2026-11-26)
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import type { FrameRejected } from "../../../codec/Rejection.ts"
import * as Connection from "../../../connection/Connection.ts"
import type * as Inbox from "../../../connection/Inbox.ts"
import type { Reconnection } from "../../../connection/Reconnection.ts"
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import * as SubscriptionAnswers from "../../../market/internal/subscriptionAnswers.ts"
import type { CircuitBreaker } from "../../../resilience/CircuitBreaker.ts"
import type { Frame } from "../../../transport/Frame.ts"
import type { Transport } from "../../../transport/Transport.ts"
import * as Channel from "../../../value/Channel.ts"
import * as Dydx from "../../../venue/dydx/Venue.ts"
import type { Notice } from "../../internal/gateway.ts"
import * as Orders from "./orders.ts"
import * as Schemas from "./schemas.ts"

type Told = Notice<Orders.DydxOrder>

// As it happens, and not collected.
const venue = Dydx.make({ batched: false })

const name = "v4_subaccounts"

const gap: Told = { _tag: "Gap" }

const readTold = SchemaParser.decodeUnknownResult(Schemas.Told)

/** What has changed. Of an order that is not told as a whole it has to be asked for. */
const changes = (contents: ExactJson.Json | undefined): ReadonlyArray<Told> => {
  const told = readTold(contents)
  if (Result.isFailure(told)) return [gap]
  const { fills, orders } = told.success
  const whole = (orders ?? []).flatMap((order) => "size" in order ? [Orders.ofIndexer(order)] : [])
  return [
    { _tag: "Changes", orders: whole, fills: Orders.toFills(fills ?? []) },
    ...(whole.length < (orders ?? []).length ? [gap] : [])
  ]
}

const decode = (frame: Frame): ReadonlyArray<Told | MarketEvent> | FrameRejected => {
  const parsed = typeof frame === "string" ? ExactJson.parse(frame) : null
  const json = parsed instanceof ExactJson.Malformed || !ExactJson.isObject(parsed) ? undefined : parsed
  if (json?.["channel"] === name && json["type"] === "channel_data") return changes(json["contents"])
  return venue.decode(frame)
}

const answerOf = SubscriptionAnswers.make(venue)

const isOfOrders = (said: Told | MarketEvent): said is Told =>
  said._tag === "Changes" || said._tag === "Gap" || said._tag === "Over"

/**
 * Makes what subscribes to the notices of a subaccount, and has the socket connect
 * if nobody has. A socket that cannot be brought up is logged: how orders stand
 * can be learned without it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  url: string,
  address: string,
  subaccountNumber: number
): Effect.fn.Return<
  Effect.Effect<PubSub.Subscription<Told>, never, Scope.Scope>,
  never,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> {
  const scope = yield* Effect.scope
  const notices = yield* PubSub.unbounded<Told>()
  const publish = (notice: Told): void => void PubSub.publishUnsafe(notices, notice)
  const connection = yield* Connection.make<Told | MarketEvent>(url, {
    label: "dydx subaccount",
    decode,
    dialect: {
      subscribe: venue.subscribe,
      unsubscribe: venue.unsubscribe,
      answer: (said, frame) => isOfOrders(said) ? undefined : answerOf(said, frame)
    },
    keepAlive: { _tag: "Protocol" },
    limits: venue.limits
  })
  const take = (said: Told | MarketEvent): void => {
    if (isOfOrders(said)) publish(said)
    // What came before it was not told.
    else if (said._tag === "Subscribed") publish(gap)
  }
  const tell = (item: Inbox.Item<Told | MarketEvent>): Effect.Effect<void> => {
    switch (item._tag) {
      case "Batch":
        return Effect.sync(() => item.messages.forEach(take))
      case "Refused":
        return Effect.forEach(
          item.refused,
          (error) => Effect.logWarning(`orders are asked for instead: ${error.message}`),
          { discard: true }
        )
      case "Missed":
      case "Rejected":
        return Effect.sync(() => publish(gap))
      default:
        return Effect.void
    }
  }
  let isBegun = false
  const begin = Effect.suspend(() => {
    if (isBegun) return Effect.void
    isBegun = true
    return Effect.andThen(
      Stream.runForEach(connection.inbound({ name: "orders", overflow: "drop-oldest" }), tell).pipe(
        Effect.ignore,
        Effect.forkIn(scope, { startImmediately: true })
      ),
      Effect.andThen(
        connection.subscribe([Channel.make(name, `${address}/${subaccountNumber}`)]),
        connection.connect
      ).pipe(
        Effect.catch(({ message }) => Effect.logWarning(`orders are asked for instead: ${message}`)),
        Effect.forkIn(scope, { startImmediately: true })
      )
    )
  })
  return Effect.tap(PubSub.subscribe(notices), () => begin)
})
