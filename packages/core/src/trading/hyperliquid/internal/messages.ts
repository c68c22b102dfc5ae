/**
 * What Hyperliquid sends on the socket of an account: answers to what is posted,
 * and what is told of its orders.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/post-requests (read 2026-11-26)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions (read 2026-11-26)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import * as JsonText from "../../../codec/internal/jsonText.ts"
import * as Rejections from "../../../codec/internal/rejectionWords.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import type * as Dialect from "../../../protocol/Dialect.ts"
import type * as KeepAlive from "../../../protocol/KeepAlive.ts"
import type { Frame } from "../../../transport/Frame.ts"
import type { Channel } from "../../../value/Channel.ts"
import { exchange } from "./orders.ts"
import * as Wire from "./wire.ts"

/**
 * - `Answer`: to what was posted under this id; `kind` is `error` if the payload
 *   is the status and the words that HTTP would have had
 * - `Orders`, `Fills`: what is told; fills of a `snapshot` are old
 * - `Unreadable`: something was told that cannot be read
 * - `Confirmed`, `Refused`: of a subscription
 *
 * @category models
 * @since 0.1.0
 */
export type Message =
  | { readonly _tag: "Answer"; readonly id: string; readonly kind: string; readonly payload: ExactJson.Json }
  | { readonly _tag: "Orders"; readonly orders: ReadonlyArray<typeof Wire.OrderWithStatus.Type> }
  | { readonly _tag: "Fills"; readonly fills: ReadonlyArray<typeof Wire.Fill.Type>; readonly isSnapshot: boolean }
  | { readonly _tag: "Unreadable"; readonly channel: string }
  | { readonly _tag: "Confirmed"; readonly channel: string }
  | { readonly _tag: "Refused"; readonly words: string }
  | { readonly _tag: "Pong" }
  | { readonly _tag: "Other" }

const readPost = SchemaParser.decodeUnknownResult(Schema.Struct({
  id: ExactSchema.Id,
  response: Schema.Struct({ type: Schema.String })
}))

const readOrders = SchemaParser.decodeUnknownResult(Schema.Array(Wire.OrderWithStatus))

const readFills = SchemaParser.decodeUnknownResult(Schema.Struct({
  isSnapshot: ExactSchema.optional(Schema.Boolean),
  fills: Schema.Array(Wire.Fill)
}))

const readConfirmation = SchemaParser.decodeUnknownResult(Schema.Struct({
  method: Schema.String,
  subscription: Schema.Struct({ type: Schema.String })
}))

/**
 * The channels of an account that are subscribed to, in this order: once the last
 * is confirmed, all is told. What `userEvents` says of orders is said by these two.
 *
 * @category constants
 * @since 0.1.0
 */
export const channels = ["orderUpdates", "userFills"] as const

const messageOf = (channel: string, data: ExactJson.Json): Message => {
  switch (channel) {
    case "post": {
      const post = readPost(data)
      if (Result.isFailure(post) || !ExactJson.isObject(data)) return { _tag: "Other" }
      const { response = null } = data
      const payload = ExactJson.isObject(response) ? response["payload"] ?? null : null
      return { _tag: "Answer", id: post.success.id, kind: post.success.response.type, payload }
    }
    case "orderUpdates": {
      const orders = readOrders(data)
      return Result.isSuccess(orders) ? { _tag: "Orders", orders: orders.success } : { _tag: "Unreadable", channel }
    }
    case "userFills": {
      const told = readFills(data)
      return Result.isSuccess(told)
        ? { _tag: "Fills", fills: told.success.fills, isSnapshot: told.success.isSnapshot === true }
        : { _tag: "Unreadable", channel }
    }
    case "subscriptionResponse": {
      const confirmation = readConfirmation(data)
      return Result.isSuccess(confirmation) && confirmation.success.method === "subscribe"
        ? { _tag: "Confirmed", channel: confirmation.success.subscription.type }
        : { _tag: "Other" }
    }
    case "error":
      return { _tag: "Refused", words: typeof data === "string" ? data : JSON.stringify(JsonText.plain(data)) }
    case "pong":
      return { _tag: "Pong" }
    default:
      return { _tag: "Other" }
  }
}

/** What the server says to every connection, in plain text. */
const greeting = "Websocket connection established."

/**
 * Reads a frame.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (frame: Frame): ReadonlyArray<Message> | Rejection.FrameRejected => {
  if (frame === greeting) return []
  if (typeof frame !== "string") return Rejection.frameRejected(exchange, ...Rejections.binary(frame))
  const json = ExactJson.parse(frame)
  if (json instanceof ExactJson.Malformed) {
    return Rejection.frameRejected(exchange, ...Rejections.malformed(frame, json))
  }
  if (!ExactJson.isObject(json)) return Rejection.frameRejected(exchange, ...Rejections.notAnObject(json))
  const { channel, data = null } = json
  if (typeof channel !== "string") return Rejection.unknownMessage(exchange, "channel")
  return [messageOf(channel, data)]
}

/**
 * The id that a message answers; none where it answers nothing.
 *
 * @category getters
 * @since 0.1.0
 */
export const idOf = (message: Message): string | undefined => message._tag === "Answer" ? message.id : undefined

/**
 * How the channels of an account are asked for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dialect: Dialect.Dialect<Message> = {
  subscribe: (wanted) => wanted.map((channel) => ask("subscribe", channel)),
  unsubscribe: (wanted) => wanted.map((channel) => ask("unsubscribe", channel)),
  answer: (message) => {
    if (message._tag === "Confirmed") return { _tag: "Confirmed", channel: message.channel }
    if (message._tag !== "Refused") return undefined
    const { words } = message
    const channel = channels.find((channel) => words.includes(`"${channel}"`))
    return channel === undefined ? undefined : { _tag: "Refused", channel, message: words }
  }
}

const ask = (method: "subscribe" | "unsubscribe", channel: Channel): Dialect.Ask => ({
  text: JSON.stringify({ method, subscription: { type: channel.channel, user: channel.product } }),
  channels: [channel],
  requestId: undefined
})

/**
 * How the server shows that it is alive: it ends a connection to which it has sent
 * nothing for a minute.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats (read 2026-11-26)
 * @category constants
 * @since 0.1.0
 */
export const keepAlive: KeepAlive.KeepAlive<Message> = {
  _tag: "Application",
  everyMillis: 30_000,
  ping: () => "{\"method\":\"ping\"}",
  isPong: ({ _tag }) => _tag === "Pong"
}
