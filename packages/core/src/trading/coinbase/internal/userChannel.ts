/**
 * What Coinbase Advanced Trade tells of an account's orders over its socket, and
 * when that may have had a gap. It tells how much of an order is filled, and no
 * executions.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels#user-channel (read 2026-11-26)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import type { FrameRejected } from "../../../codec/Rejection.ts"
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import * as SubscriptionAnswers from "../../../market/internal/subscriptionAnswers.ts"
import type * as Dialect from "../../../protocol/Dialect.ts"
import type { CoinbaseJwt } from "../../../session/CoinbaseJwt.ts"
import type { Frame } from "../../../transport/Frame.ts"
import * as Channel from "../../../value/Channel.ts"
import * as Digits from "../../../value/internal/digits.ts"
import { venue } from "../../../venue/coinbase/Venue.ts"
import type { Notice } from "../../internal/gateway.ts"
import * as PrivateChannel from "../../internal/privateChannel.ts"
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
 * Makes the notices of an account.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (url: string, jwt: CoinbaseJwt, plaintextHosts: ReadonlyArray<string> | undefined) =>
  PrivateChannel.make<Orders.Order, Message>(url, {
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
  }, {
    channels,
    notice: ({ said }) =>
      isOfOrders(said) ? said : said._tag === "Subscribed" && said.channel === "user" ? gap : undefined
  })
