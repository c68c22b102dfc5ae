/**
 * What a transport tells whoever dials it if what it gives is a recording: what
 * is there is replayed, and nothing is waited for, asked again or given up.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/**
 * The next dial of a connection as it was recorded: which attempt it was since
 * the connection was up, where that was recorded, how long was waited before it,
 * as it was told, and how long it is until the replay reaches it. Both are
 * `Infinity` if the recording has no other dial.
 *
 * @category models
 * @since 0.1.0
 */
export interface Redial {
  readonly attempt: number | undefined
  readonly delayMillis: number
  readonly waitMillis: number
}

/**
 * A recording, as a connection sees it, dialled by `Dial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Replayed<Dial> {
  /** What one connection dials by: each that asks gets the next that was recorded. */
  readonly join: () => { readonly dial: Dial; readonly replay: Replayed<Dial> }
  /** Completes when the replay has come to a connection that nobody has. */
  readonly another: Effect.Effect<void>
  /** Completes when the replay has come to where this one was closed by us, for good. */
  readonly closed: Effect.Effect<void>
  readonly redial: () => Redial
  /** Whether its owner has asked for the end of its wire that is being told, to dial anew. */
  readonly isAskedAnew: () => boolean
  /** Whether it wrote this on the wire that is open. */
  readonly wrote: (text: string) => boolean
  /** How many frames it has written since it was open, so far, if any such frame was recorded. */
  readonly written: () => number | undefined
}
