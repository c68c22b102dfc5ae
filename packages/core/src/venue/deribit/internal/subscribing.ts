/**
 * What the public feed and a session at Deribit have in common in what they ask.
 *
 * @since 0.1.0
 */
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
 * A request of the public feed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rpc = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params })
