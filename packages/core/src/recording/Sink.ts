/**
 * The port through which a recorder's lines leave core, which has no files.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/**
 * Where the lines of a recording go. Its members are called one after the other,
 * `begin` first and once, `end` last; after a failure none is called any more.
 *
 * - `begin`: the lines with which the recording begins, and each part of it
 * - `write`: whole lines, in order, each with its line feed
 * - `flush`: completes when what was written can be read, whatever becomes of
 *   this process
 * - `end`: completes the recording
 *
 * @category models
 * @since 0.1.0
 */
export interface Sink<out E = never> {
  readonly begin: (header: string) => Effect.Effect<void, E>
  readonly write: (texts: ReadonlyArray<string>) => Effect.Effect<void, E>
  readonly flush: Effect.Effect<void, E>
  readonly end: Effect.Effect<void, E>
}
