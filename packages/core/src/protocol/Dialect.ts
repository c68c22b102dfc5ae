/**
 * How a peer is asked for channels, and what its answers mean.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import type { Frame } from "../transport/Frame.ts"
import type * as Channel from "../value/Channel.ts"

/**
 * A frame that asks for channels or gives them up. `requestId` is the id that
 * the answer repeats, `undefined` where the peer answers by naming the channels,
 * or not at all. `isListed` says that the peer answers each such frame, in
 * order, by the list of everything that is subscribed to, or by an error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  readonly text: Frame
  readonly channels: ReadonlyArray<Channel.Channel>
  readonly requestId: string | undefined
  readonly isListed?: boolean | undefined
}

/**
 * How asks are signed. `sign` gives what is written of an ask: it is called each
 * time that one is, in the turn in which it is, so that the time which is signed is
 * that of the writing; it does not wait and does not throw. `secrets` are those
 * that stand in it: they are masked wherever the peer repeats them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signing {
  readonly sign: (ask: Ask) => Frame
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
}

/**
 * What a message says of an ask: known by its id where it has one, else by what
 * it names, and then of asks without an id alone; what names nothing is of the
 * oldest of them. Where it `lists`, the ask by that id is confirmed for what is
 * named in the messages of its frame, and refused for the rest. What is named is
 * named by its members, or by a function, `names`, where the peer names it in
 * another way or several at once; a refusal that names nothing is of the ask as a
 * whole.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | {
    readonly _tag: "Confirmed"
    readonly lists?: boolean | undefined
    readonly requestId?: string | undefined
    readonly channel?: string | undefined
    readonly product?: string | undefined
    readonly names?: ((channel: Channel.Channel) => boolean) | undefined
  }
  | {
    readonly _tag: "Refused"
    readonly requestId?: string | undefined
    readonly channel?: string | undefined
    readonly product?: string | undefined
    readonly names?: ((channel: Channel.Channel) => boolean) | undefined
    readonly code?: string | undefined
    readonly message?: string | undefined
  }

/**
 * How a peer is asked for channels, in frames or in asks, numbered from `id` on:
 * none for none. `answer` knows the messages that answer, each with the frame
 * that it came in. `objection` is why a channel cannot be asked for, if it
 * cannot: then it is refused without the peer. `answeredAs` is what a channel is
 * called in confirmations, if not by its own name. `sharing` says of a channel
 * that those of one `name` share a subscription: that of the highest `rank` that
 * is wanted is asked for, and serves the others. Asks are written as
 * `signing` has it; default: as they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect<A = unknown> {
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>, id: number) => ReadonlyArray<Frame | Ask>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>, id: number) => ReadonlyArray<Frame | Ask>
  readonly answer?: ((message: A, frame: Frame) => Answer | undefined) | undefined
  readonly answeredAs?: ((channel: string) => string) | undefined
  readonly sharing?:
    | ((channel: Channel.Channel) => { readonly name: string; readonly rank: number } | undefined)
    | undefined
  readonly objection?: ((channel: Channel.Channel) => string | undefined) | undefined
  readonly signing?: Signing | undefined
}

const wordPart = /[\p{L}\p{N}_/-]/u

/**
 * Of a peer that names what it refuses in its words: whether a channel's product
 * stands in them, as a word of its own. `BTC-USD` does not in `BTC-USDC is
 * unknown`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const mentions = (words: string) => ({ product }: Channel.Channel): boolean => {
  if (product === undefined) return false
  for (let at = words.indexOf(product); at >= 0; at = words.indexOf(product, at + 1)) {
    const around = words.charAt(at - 1) + words.charAt(at + product.length)
    if (!wordPart.test(around)) return true
  }
  return false
}
