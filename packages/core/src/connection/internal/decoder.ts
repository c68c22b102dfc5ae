/**
 * From frames to messages: reads what one pull brought and puts it into the
 * inbox, in order, as batches, rejections and gaps of the sequence.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as Frame from "../../transport/Frame.ts"
import type * as Attribution from "../Attribution.ts"
import type { Recorder } from "../ConnectionMetrics.ts"
import type { Inbox } from "../Inbox.ts"
import * as Sequence from "./sequence.ts"

/**
 * Reads one frame: messages, or why it was refused. Must not throw.
 *
 * @category models
 * @since 0.1.0
 */
export type Decode<A> = (frame: Frame.Frame) => ReadonlyArray<A> | FrameRejected

/**
 * What a reception needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly decode: Decode<A>
  readonly sequence: Sequence.SequenceOf<A> | undefined
  readonly inbox: Inbox<A>
  /**
   * Is shown each batch's messages before any consumer has them, and when they came: `at` in epoch milliseconds,
   * `now` on the monotonic clock.
   */
  readonly observe: Attribution.Observe<A> | undefined
  /** Says of each message of a frame to which wanted channels it belongs. */
  readonly attribute: Attribution.Attribute<A> | undefined
  readonly recorder: Recorder
}

/**
 * Makes the reader of one epoch: given what a pull brought and when, in epoch
 * milliseconds and on the monotonic clock. `notice` is shown the messages of each
 * frame before any consumer has them. Per frame there is no effect and no
 * allocation but the messages themselves.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  { attribute, decode, inbox, observe, recorder, sequence }: Options<A>,
  epoch: number,
  notice?: Attribution.Notice<A> | undefined
): (frames: Arr.NonEmptyReadonlyArray<Frame.Frame>, at: number, now: number) => void => {
  let last: bigint | undefined

  const follow = (messages: ReadonlyArray<A>, sequenceOf: Sequence.SequenceOf<A>): void => {
    for (const message of messages) {
      const next = sequenceOf(message)
      if (next === undefined) continue
      const step = Sequence.step(last, next)
      recorder.stepped(step)
      if (step._tag === "Gap") {
        inbox.offer({ _tag: "SequenceGap", epoch, from: step.from, to: step.to, missing: step.missing })
      }
      if (step._tag !== "Violation") last = next
    }
  }

  const deliver = (
    messages: ReadonlyArray<A>,
    channels: Attribution.MessageChannels | undefined,
    at: number,
    now: number,
    bytes: number
  ): void => {
    if (!Arr.isReadonlyArrayNonEmpty(messages)) return
    recorder.delivered(messages.length)
    observe?.(messages, at, now, channels)
    if (sequence !== undefined) follow(messages, sequence)
    inbox.offer({ _tag: "Batch", epoch, at, messages, channels, bytes })
  }

  return (frames, at, now) => {
    let messages: Array<A> = []
    let channels: Array<Attribution.MessageChannels[number]> | undefined = attribute === undefined ? undefined : []
    let bytes = 0
    let total = 0
    for (const frame of frames) {
      const size = Frame.size(frame)
      total += size
      const decoded = decode(frame)
      if ("_tag" in decoded) {
        deliver(messages, channels, at, now, bytes)
        messages = []
        channels = attribute === undefined ? undefined : []
        bytes = 0
        recorder.rejected(decoded.reason)
        inbox.offer({ _tag: "Rejected", epoch, at, bytes: size, rejection: decoded })
        continue
      }
      const of = attribute?.(frame, decoded)
      notice?.(decoded, frame, of)
      if (frames.length === 1) {
        deliver(decoded, of, at, now, size)
      } else {
        bytes += size
        for (const message of decoded) messages.push(message)
        if (of !== undefined) { for (const each of of) channels?.push(each) }
      }
    }
    deliver(messages, channels, at, now, bytes)
    recorder.received(now, frames.length, total)
  }
}
