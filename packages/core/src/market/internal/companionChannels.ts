/**
 * The channels that are asked for with those of data, though nobody asks for
 * them: those on which a venue beats, and those on which it says how the product
 * of a book trades.
 *
 * @since 0.1.0
 */
import * as Channel from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * Which channels go with which.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompanionChannels {
  /** Those on which the venue beats for the products of channels. */
  readonly beatsOf: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Channel.Channel>
  /** Whether a channel is one of them, or of those that are asked for with books. */
  readonly is: (channel: Channel.Channel) => boolean
  /** That on which it is said how the product of a book trades, if it has one. */
  readonly ofBook: (book: Channel.Channel) => ReadonlyArray<Channel.Channel>
  /** Whether a channel is asked for with a book alone: that it is refused is nothing to a user. */
  readonly isOfBooks: (channel: Channel.Channel) => boolean
  /** A user asks for the channels. */
  readonly asked: (channels: ReadonlyArray<Channel.Channel>) => void
}

/**
 * Makes them for a venue. It beats on none where the user says how a connection
 * is kept alive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ keepAlive, trading }: Venue, isUsual: boolean): CompanionChannels => {
  // Of those that books have brought, the ones that no user has asked for; and all that users have.
  const ofBooks = new Set<string>()
  const ofUsers = new Set<string>()
  const beatsOf: CompanionChannels["beatsOf"] = (channels) =>
    isUsual && keepAlive.channels !== undefined
      ? keepAlive.channels([...new Set(channels.flatMap(({ product }) => product ?? []))])
      : []
  const isOfBooks = (channel: Channel.Channel): boolean => ofBooks.size > 0 && ofBooks.has(Channel.key(channel))
  return {
    beatsOf,
    is: (channel) =>
      isOfBooks(channel) || beatsOf([channel]).some((beat) => Channel.key(beat) === Channel.key(channel)),
    ofBook: (book) => {
      const channel = trading?.channelOf?.(book)
      if (channel === undefined) return []
      if (!ofUsers.has(Channel.key(channel))) ofBooks.add(Channel.key(channel))
      return [channel]
    },
    isOfBooks,
    asked: (channels) => {
      if (trading?.channelOf === undefined) return
      for (const channel of channels) {
        ofUsers.add(Channel.key(channel))
        ofBooks.delete(Channel.key(channel))
      }
    }
  }
}
