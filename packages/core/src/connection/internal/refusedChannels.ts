/**
 * Which of the channels that were asked for in one frame a refusal is of, and
 * which are to be asked for once more.
 *
 * @since 0.1.0
 */
import type { Answer } from "../../protocol/Dialect.ts"
import * as Channel from "../../value/Channel.ts"
import type { Pending } from "./pendingAsks.ts"

/**
 * A refusal.
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal = Answer & { readonly _tag: "Refused" }

/**
 * What a refusal means: the ask that it answers, which of its channels it
 * refuses, and the groups of the others that are to be asked for once more.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meaning {
  readonly one: Pending
  readonly refused: ReadonlyArray<Channel.Channel>
  readonly again: ReadonlyArray<ReadonlyArray<Channel.Channel>>
}

const isNamedBy = ({ channel: name, names = () => false, product }: Refusal) => (channel: Channel.Channel): boolean =>
  name === undefined && product === undefined
    ? names(channel)
    : (name === undefined || channel.channel === name) && (product === undefined || channel.product === product)

// A refusal without an id is of the ask whose channels it names, else of the oldest; one that names by members of its
// own what several asks are of, or none, is of none that is known.
const askOf = (
  refusal: Refusal,
  byId: Pending | undefined,
  pending: ReadonlyArray<Pending>,
  isAlone: boolean
): Pending | undefined => {
  if (refusal.requestId !== undefined) return byId
  const isNamed = isNamedBy(refusal)
  const adding = pending.filter(({ adds, ask }) => adds && ask.requestId === undefined)
  const waiting = adding.filter(({ isAnswered }) => !isAnswered)
  const candidates = waiting.filter(({ ask }) => ask.channels.some(isNamed))
  if (refusal.channel === undefined && refusal.product === undefined) {
    return candidates[0] ?? (isAlone ? waiting[0] ?? adding[0] : undefined)
  }
  const meant = new Set(candidates.flatMap(({ ask }) => ask.channels.filter(isNamed)).map(Channel.key))
  return meant.size === 1 ? candidates[0] : undefined
}

/**
 * What a refusal means, of the asks that are pending; `byId` is the one whose id
 * it has, `isAlone` whether nobody else sends what may be refused without a name.
 * If it names some of an ask's channels, it is those that are refused, and the
 * others are asked for again. If it names none of several, each half is.
 *
 * @category getters
 * @since 0.1.0
 */
export const meaningOf = (
  refusal: Refusal,
  byId: Pending | undefined,
  pending: ReadonlyArray<Pending>,
  isAlone: boolean,
  isConfirmed: (channel: Channel.Channel) => boolean
): Meaning | undefined => {
  const one = askOf(refusal, byId, pending, isAlone)
  if (one === undefined || !one.adds) return one && { one, refused: [], again: [] }
  const isNamed = isNamedBy(refusal)
  const { channels } = one.ask
  const open = channels.filter((channel) => !isConfirmed(channel))
  if (channels.some(isNamed)) {
    return { one, refused: open.filter(isNamed), again: [open.filter((channel) => !isNamed(channel))] }
  }
  if (open.length < 2) return { one, refused: open, again: [] }
  const half = Math.ceil(open.length / 2)
  return { one, refused: [], again: [open.slice(0, half), open.slice(half)] }
}
