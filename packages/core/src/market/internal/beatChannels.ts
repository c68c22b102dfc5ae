/**
 * The channels on which a venue beats, which are subscribed to with the data that
 * they vouch for.
 *
 * @since 0.1.0
 */
import * as Channel from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * Those of data, and whether a channel is one of them: none where the user says
 * how a connection is kept alive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ keepAlive }: Venue, isUsual: boolean): {
  readonly of: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Channel.Channel>
  readonly is: (channel: Channel.Channel) => boolean
} => {
  const beatsOf = (channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Channel.Channel> =>
    isUsual && keepAlive.channels !== undefined
      ? keepAlive.channels([...new Set(channels.flatMap(({ product }) => product ?? []))])
      : []
  return {
    of: beatsOf,
    is: (channel) => beatsOf([channel]).some((beat) => Channel.key(beat) === Channel.key(channel))
  }
}
