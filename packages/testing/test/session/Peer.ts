/** A peer of the tests of sessions: how channels are asked for, and how calls are answered. */
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as JsonRpc from "@tickline/core/session/JsonRpc"

/** One call for each channel; its answer confirms or refuses it. */
export const dialect: Dialect<JsonRpc.Message> = {
  subscribe: (channels, id) =>
    channels.map((channel, i) => ({
      text: JsonRpc.text(`${id + i}`, "subscribe", { channel: channel.channel }),
      channels: [channel],
      requestId: `${id + i}`
    })),
  unsubscribe: () => [],
  answer: (message) => {
    if (message._tag === "Notification" || message.id === undefined) return undefined
    return message._tag === "Result"
      ? { _tag: "Confirmed", requestId: message.id }
      : { _tag: "Refused", requestId: message.id, message: message.reason }
  }
}

/** A call as it came. */
export interface Call {
  readonly id: number
  readonly method: string
  /** The channel that it is about, if it is about one. */
  readonly channel: string | undefined
}

export const callOf = (frame: string | Uint8Array): Call => {
  const { id, method, params } = JSON.parse(String(frame))
  return { id, method, channel: params?.channel }
}

export const result = ({ id }: Call, value: string): string => JSON.stringify({ jsonrpc: "2.0", id, result: value })

export const error = ({ id }: Call, code: number, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })

/** A call in the words of a test: the number of its connection, the method, and the channel. */
export const line = (connection: number, { channel, method }: Call): string =>
  `${connection} ${method}${channel === undefined ? "" : ` ${channel}`}`
