/**
 * What Coinbase Advanced Trade tells of an account's orders over its socket, and
 * when that may have had a gap. It tells how much of an order is filled, and no
 * executions.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels#user-channel (read 2026-11-26)
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import type { FrameRejected } from "../../../codec/Rejection.ts"
import * as Connection from "../../../connection/Connection.ts"
import type * as Inbox from "../../../connection/Inbox.ts"
import type { Reconnection } from "../../../connection/Reconnection.ts"
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import * as SubscriptionAnswers from "../../../market/internal/subscriptionAnswers.ts"
import type * as Dialect from "../../../protocol/Dialect.ts"
import type { CircuitBreaker } from "../../../resilience/CircuitBreaker.ts"
import type { CoinbaseJwt } from "../../../session/CoinbaseJwt.ts"
import type { Frame } from "../../../transport/Frame.ts"
import type { Transport } from "../../../transport/Transport.ts"
import * as Channel from "../../../value/Channel.ts"
import * as Digits from "../../../value/internal/digits.ts"
import { venue } from "../../../venue/coinbase/Venue.ts"
import type { Notice } from "../../internal/gateway.ts"
import * as Orders from "./orders.ts"
import * as Schemas from "./schemas.ts"

type Told = Notice<Orders.Order>

/** A message: what it says of orders, or what it is otherwise, with the number of its frame. */
interface Message {
  readonly sequence: bigint | undefined
  readonly said: Told | MarketEvent
}

const gap: Told = { _tag: "Gap" }

const readFrame = SchemaParser.decodeUnknownResult(Schema.Struct({
  events: ExactSchema.optional(
    Schema.Array(Schema.Struct({ orders: ExactSchema.optional(Schema.Array(Schemas.ToldOrder)) }))
  )
}))

/** Its snapshots come in several frames, its updates as they happen: each has orders as they stand. */
const ofUser = (json: ExactJson.JsonObject): Told => {
  const frame = readFrame(json)
  if (Result.isFailure(frame)) return gap
  const orders = (frame.success.events ?? []).flatMap(({ orders }) => orders ?? []).map(Orders.ofSocket)
  return { _tag: "Changes", orders, fills: [] }
}

const decode = (frame: Frame): ReadonlyArray<Message> | FrameRejected => {
  const parsed = typeof frame === "string" ? ExactJson.parse(frame) : null
  const json = parsed instanceof ExactJson.Malformed || !ExactJson.isObject(parsed) ? undefined : parsed
  const number = json?.["sequence_num"]
  const sequence = number instanceof ExactJson.JsonNumber ? Digits.toBigInt(number.text) : undefined
  if (json?.["channel"] === "user") return [{ sequence, said: ofUser(json) }]
  const events = venue.decode(frame)
  return "_tag" in events ? events : events.map((said) => ({ sequence, said }))
}

const answerOf = SubscriptionAnswers.make(venue)

const isOfOrders = (said: Message["said"]): said is Told =>
  said._tag === "Changes" || said._tag === "Gap" || said._tag === "Over"

/** Each ask has a token of its own. */
const signing = (jwt: CoinbaseJwt): Dialect.Signing => ({
  secrets: [],
  sign: ({ text }) =>
    typeof text === "string" ? `${text.slice(0, -1)},${JSON.stringify({ jwt: jwt.socket() }).slice(1)}` : text
})

/** How often the channel of heartbeats has one. */
const beatMillis = 1_000

const channels = [Channel.make("user"), Channel.make("heartbeats")]

/**
 * The notices of one account. `of` has the socket connect, if it has not, and
 * gives what is told from now on, of all products. What is over is told by `end`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserChannel {
  readonly of: Effect.Effect<PubSub.Subscription<Told>, never, Scope.Scope>
  readonly end: (notice: Extract<Told, { readonly _tag: "Over" }>) => void
}

/**
 * Makes the notices of an account. A socket that cannot be brought up is logged:
 * how orders stand can be learned without it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  url: string,
  jwt: CoinbaseJwt,
  plaintextHosts: ReadonlyArray<string> | undefined
): Effect.fn.Return<UserChannel, never, Scope.Scope | Transport | Reconnection | CircuitBreaker> {
  const scope = yield* Effect.scope
  const notices = yield* PubSub.unbounded<Told>()
  const publish = (notice: Told): void => void PubSub.publishUnsafe(notices, notice)
  const connection = yield* Connection.make<Message>(url, {
    label: "coinbase user",
    decode,
    dialect: {
      subscribe: venue.subscribe,
      unsubscribe: venue.unsubscribe,
      answer: ({ said }, frame) => isOfOrders(said) ? undefined : answerOf(said, frame),
      signing: signing(jwt)
    },
    keepAlive: { _tag: "Server", withinMillis: beatMillis },
    limits: venue.limits,
    sequence: ({ sequence }) => sequence,
    ...(plaintextHosts === undefined ? {} : { plaintextHosts })
  })

  const take = ({ said }: Message): void => {
    if (isOfOrders(said)) publish(said)
    // What came before it was not told.
    else if (said._tag === "Subscribed" && said.channel === "user") publish(gap)
  }
  const tell = (item: Inbox.Item<Message>): Effect.Effect<void> => {
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
      case "SequenceGap":
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
      Effect.andThen(connection.subscribe(channels), connection.connect).pipe(
        Effect.catch(({ message }) => Effect.logWarning(`orders are asked for instead: ${message}`)),
        Effect.forkIn(scope, { startImmediately: true })
      )
    )
  })
  return {
    of: Effect.tap(PubSub.subscribe(notices), () => begin),
    end: publish
  }
})
