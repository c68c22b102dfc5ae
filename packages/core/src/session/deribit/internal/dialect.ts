/**
 * How a session at Deribit asks for channels, public ones and the account's own.
 *
 * @since 0.1.0
 */
import { JsonNumber } from "../../../codec/ExactJson.ts"
import type { Answer, Dialect } from "../../../protocol/Dialect.ts"
import type { KeepAlive } from "../../../protocol/KeepAlive.ts"
import type * as Channel from "../../../value/Channel.ts"
import * as ChannelNames from "../../../venue/deribit/internal/channelNames.ts"
import { heartbeatSeconds } from "../../../venue/deribit/internal/keepAlive.ts"
import { batches } from "../../../venue/deribit/internal/subscribing.ts"
import * as JsonRpc from "../../JsonRpc.ts"

/** Those of the account, and raw ones, are for who has signed in. */
const isPrivate = (name: string): boolean => name.startsWith("user.") || name.endsWith(".raw")

const asks = (verb: "subscribe" | "unsubscribe") => (channels: ReadonlyArray<Channel.Channel>, id: number) =>
  Object.entries(Object.groupBy(channels, (channel) => isPrivate(ChannelNames.nameOf(channel)) ? "private" : "public"))
    .flatMap(([scope, some = []]) => batches(some).map((batch) => ({ scope, ...batch })))
    .map(({ channels, names, scope }, i) => ({
      text: JsonRpc.text(`${id + i}`, `${scope}/${verb}`, { channels: names }),
      channels,
      requestId: `${id + i}`
    }))

// The venue lists what it has taken: channels that it does not know are left out.
const answer = (message: JsonRpc.Message): Answer | undefined => {
  if (message._tag === "Notification" || message.id === undefined) return undefined
  if (message._tag !== "Result") {
    return { _tag: "Refused", requestId: message.id, code: message.code, message: message.reason }
  }
  const { id: requestId, result } = message
  const names = (channel: Channel.Channel): boolean =>
    Array.isArray(result) && result.includes(ChannelNames.nameOf(channel))
  return { _tag: "Confirmed", requestId, lists: true, names }
}

/**
 * The dialect.
 *
 * @category constants
 * @since 0.1.0
 */
export const dialect: Dialect<JsonRpc.Message> = {
  subscribe: asks("subscribe"),
  unsubscribe: asks("unsubscribe"),
  answer
}

const isTest = (message: JsonRpc.Message): boolean => {
  if (message._tag !== "Notification" || message.method !== "heartbeat") return false
  const { params } = message
  return typeof params === "object" && params !== null && "type" in params && params.type === "test_request"
}

/**
 * How the venue is shown that the session is alive: it asks, and is answered
 * before all else.
 *
 * @category constants
 * @since 0.1.0
 */
export const keepAlive: Extract<KeepAlive<JsonRpc.Message>, { readonly _tag: "Requested" }> = {
  _tag: "Requested",
  withinMillis: heartbeatSeconds * 1_000,
  enable: (id) => JsonRpc.text(`${id}`, "public/set_heartbeat", { interval: new JsonNumber(`${heartbeatSeconds}`) }),
  answer: (message, id) => isTest(message) ? JsonRpc.text(`${id}`, "public/test", {}) : undefined
}
