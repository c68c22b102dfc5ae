/**
 * The decoder of a venue's frames: what of them is a message of which kind, read
 * by its layout where that is known and exactly else, or refused.
 *
 * @since 0.1.0
 */
import * as ExactJson from "./ExactJson.ts"
import { limitExpansion } from "./internal/expansionLimit.ts"
import * as Layout from "./internal/layout.ts"
import * as RejectionWords from "./internal/rejectionWords.ts"
import type { Message } from "./Message.ts"
import * as Rejection from "./Rejection.ts"

/**
 * What a frame is: a message of a kind, or already its events, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type Choice<A> = Message<A> | ReadonlyArray<A> | Rejection.FrameRejected

/**
 * Reads one frame: one event or more, in the frame's order, or the reason why
 * it was refused. A frame is all or nothing. Never throws.
 *
 * @category models
 * @since 0.1.0
 */
export type Decode<A> = (frame: string | Uint8Array) => ReadonlyArray<A> | Rejection.FrameRejected

/**
 * What a decoder has besides: `scan` reads frames that no layout fits, such as
 * batches whose elements differ, before they are parsed, and leaves by
 * `undefined` what is not as usual; `otherwise` reads what is no object, or no
 * JSON, given what the text was parsed to, and leaves by `undefined` that it is
 * refused.
 */
interface Options<A> {
  readonly scan?: ((frame: string) => ReadonlyArray<A> | undefined) | undefined
  readonly otherwise?:
    | ((
      json: ExactJson.Json | ExactJson.Malformed,
      frame: string
    ) => ReadonlyArray<A> | Rejection.FrameRejected | undefined)
    | undefined
}

/**
 * Makes the decoder of a venue's frames, which are objects. `choose` says what a
 * frame is.
 *
 * Layouts are learned from the frames that come; what a frame means never
 * depends on the frames before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends object>(
  venue: string,
  choose: (frame: ExactJson.JsonObject) => Choice<A>,
  { otherwise, scan }: Options<A> = {}
): Decode<A> => {
  const layouts = Layout.make<ReadonlyArray<A>>()
  return limitExpansion(venue, (frame) => {
    if (typeof frame !== "string") return Rejection.frameRejected(venue, ...RejectionWords.binary(frame))
    const known = layouts.read(frame) ?? scan?.(frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed || !ExactJson.isObject(json)) {
      const read = otherwise?.(json, frame)
      if (read !== undefined) return read
      return json instanceof ExactJson.Malformed
        ? Rejection.frameRejected(venue, ...RejectionWords.malformed(frame, json))
        : Rejection.frameRejected(venue, ...RejectionWords.notAnObject(json))
    }
    const choice = choose(json)
    if (!("read" in choice)) return choice
    const events = choice.read(venue, json)
    if (!Rejection.isFrameRejected(events)) {
      const plan = choice.plan(json)
      if (plan !== undefined) layouts.learn(frame, json, plan)
    }
    return events
  })
}

/**
 * The text of the member that names a message's kind, or why the message is
 * refused: it has none, or it is no text.
 *
 * @category getters
 * @since 0.1.0
 */
export const nameOf = (
  venue: string,
  message: ExactJson.JsonObject,
  member: string,
  at: ReadonlyArray<PropertyKey> = []
): string | Rejection.FrameRejected => {
  if (!Object.hasOwn(message, member)) return Rejection.unknownMessage(venue, member)
  const name = message[member]
  return typeof name === "string" && name !== ""
    ? name
    : Rejection.unexpected(venue, [...at, member], "a non-empty string", name)
}
