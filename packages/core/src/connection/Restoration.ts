/**
 * Subscriptions as desired state: which channels are wanted, and which of them
 * this epoch was asked for. An epoch begins with nothing asked for; asking goes
 * on until the two agree.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Frame } from "../transport/Frame.ts"
import type { Wire, WireClosed } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"

/**
 * How a venue is asked for channels: the frames that subscribe to them and the
 * frames that end the subscriptions. None for none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect {
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Frame>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Frame>
}

/**
 * The subscriptions of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restoration {
  readonly want: (channels: ReadonlyArray<Channel.Channel>) => void
  readonly unwant: (channels: ReadonlyArray<Channel.Channel>) => void
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly wanted: () => ReadonlyArray<Channel.Channel>
  /** A new epoch has begun: nothing was asked for. */
  readonly begin: () => void
  /** Asks for what is wanted and was not asked for, and gives up what is not wanted any more. */
  readonly ask: (wire: Wire) => Effect.Effect<void, WireClosed>
}

type Channels = ReadonlyMap<string, Channel.Channel>

const without = (channels: Channels, others: Channels): Array<Channel.Channel> =>
  [...channels].filter(([key]) => !others.has(key)).map(([, channel]) => channel)

/**
 * Makes the subscriptions of one connection. Without a dialect nothing is asked
 * for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (dialect: Dialect | undefined): Restoration => {
  const wanted = new Map<string, Channel.Channel>()
  const asking = Semaphore.makeUnsafe(1)
  let asked: Channels = new Map()

  const ask = Effect.fnUntraced(function*(wire: Wire): Effect.fn.Return<void, WireClosed> {
    while (dialect !== undefined) {
      const adds = without(wanted, asked)
      const removes = without(asked, wanted)
      if (adds.length + removes.length === 0) return
      asked = new Map(wanted)
      for (const frame of [...dialect.subscribe(adds), ...dialect.unsubscribe(removes)]) {
        yield* wire.ready
        // A wire that ended says why when it is asked again.
        if (!wire.write(frame)) yield* wire.ready
      }
    }
  })

  return {
    want: (channels) => {
      for (const channel of channels) wanted.set(Channel.key(channel), channel)
    },
    unwant: (channels) => {
      for (const channel of channels) wanted.delete(Channel.key(channel))
    },
    wanted: () => [...wanted.values()],
    begin: () => {
      asked = new Map()
    },
    ask: (wire) => asking.withPermits(1)(ask(wire))
  }
}
