/**
 * What the public feed and a session at Deribit have in common in what they ask.
 *
 * @since 0.1.0
 */
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import type { KeepAlive } from "../../../protocol/KeepAlive.ts"
import type * as Channel from "../../../value/Channel.ts"
import * as ChannelNames from "./channelNames.ts"

/** The venue gives no number, but refuses a request that is too large; a hundred names take about 4 KB. */
const batch = 100

/**
 * Channels that are asked for together, by the venue's names of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch {
  readonly names: ReadonlyArray<string>
  readonly channels: ReadonlyArray<Channel.Channel>
}

/**
 * As few batches as there can be, each name in one of them.
 *
 * @category getters
 * @since 0.1.0
 */
export const batches = (channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Batch> => {
  const named = [...new Map(channels.map((channel) => [ChannelNames.nameOf(channel), channel]))]
  return Array.from({ length: Math.ceil(named.length / batch) }, (_, index) => {
    const asked = named.slice(index * batch, (index + 1) * batch)
    return { names: asked.map(([name]) => name), channels: asked.map(([, channel]) => channel) }
  })
}

/**
 * How often the venue asks for a sign of life, in seconds; it takes no less than
 * 10.
 *
 * @category constants
 * @since 0.1.0
 */
export const heartbeatSeconds = 30

/**
 * A request of the public feed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rpc = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params })

/** Requests that keep alive are numbered from here on: no answer to one is taken for that of a subscription. */
const firstKeepAlive = 1_000_000_000

/**
 * The venue asks for a sign of life every so many seconds, and is answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keepAlive = (seconds: number): KeepAlive<MarketEvent> => ({
  _tag: "Requested",
  withinMillis: seconds * 1_000,
  enable: (id) => rpc(firstKeepAlive + id, "public/set_heartbeat", { interval: seconds }),
  answer: (event, id) =>
    event._tag === "Heartbeat" && event.kind === "testRequest"
      ? rpc(firstKeepAlive + id, "public/test", {})
      : undefined
})
