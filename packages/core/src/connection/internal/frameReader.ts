/**
 * From frames to messages: reads what one pull brought, shows it to the
 * observers and puts it into the inbox, in order, as batches and rejections.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as Frame from "../../transport/Frame.ts"
import type { Batch } from "../Observer.ts"
import type { Inbox } from "./inbox.ts"
import type { Rejected } from "./inboxItems.ts"
import type * as MessageChannels from "./messageChannels.ts"
import type { MetricsRecorder } from "./metricsRecorder.ts"
import type { Observers } from "./observers.ts"

/**
 * Reads one frame that came at `at`, in epoch milliseconds: messages, or why it
 * was refused. Must not throw.
 *
 * @category models
 * @since 0.1.0
 */
export type Decode<A> = (frame: Frame.Frame, at: number) => ReadonlyArray<A> | FrameRejected

/**
 * What a reader needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly decode: Decode<A>
  readonly inbox: Inbox<A>
  readonly observers: Observers<A>
  /** Says of each message of a frame to which wanted channels it belongs. */
  readonly attribute: MessageChannels.Attribute<A> | undefined
  readonly recorder: MetricsRecorder
  /** Called with each batch, once it is in the queues of the consumers. */
  readonly onHandedOn?: ((batch: Batch<A>) => void) | undefined
}

// Most frames hold one message.
const append = <B>(all: Array<B>, some: ReadonlyArray<B>): void => {
  const first = some[0]
  if (some.length === 1 && first !== undefined) all.push(first)
  else for (const one of some) all.push(one)
}

const fromTheFirst: ReadonlyArray<number> = [0]

/**
 * Makes the reader of one epoch: given what a pull brought and when, in epoch
 * milliseconds and on the monotonic clock. Per frame there is no effect and no
 * allocation but the messages themselves.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  { attribute, decode, inbox, observers, onHandedOn, recorder }: Options<A>,
  epoch: number
): (frames: Arr.NonEmptyReadonlyArray<Frame.Frame>, at: number, now: number) => void => {
  const deliver = (
    messages: ReadonlyArray<A>,
    channels: MessageChannels.MessageChannels | undefined,
    frames: ReadonlyArray<Frame.Frame>,
    starts: ReadonlyArray<number>,
    at: number,
    monotonicMillis: number,
    bytes: number
  ): void => {
    if (!Arr.isReadonlyArrayNonEmpty(messages) || !Arr.isReadonlyArrayNonEmpty(frames)) return
    recorder.delivered(messages.length)
    const batch: Batch<A> = {
      _tag: "Batch",
      epoch,
      at,
      messages,
      channels,
      bytes,
      monotonicMillis,
      frames,
      starts
    }
    observers.batch(batch)
    inbox.offer(batch)
    inbox.route(batch)
    onHandedOn?.(batch)
  }

  const reject = (rejection: FrameRejected, at: number, bytes: number): void => {
    const rejected: Rejected = { _tag: "Rejected", epoch, at, bytes, rejection }
    recorder.rejected(rejection.reason)
    observers.rejected(rejected)
    inbox.offer(rejected)
  }

  const readOne = (frame: Frame.Frame, frames: ReadonlyArray<Frame.Frame>, at: number, now: number): number => {
    const size = Frame.size(frame)
    const decoded = decode(frame, at)
    if ("_tag" in decoded) reject(decoded, at, size)
    else deliver(decoded, attribute?.(frame, decoded), frames, fromTheFirst, at, now, size)
    return size
  }

  const attributed = (): Array<MessageChannels.MessageChannels[number]> | undefined =>
    attribute === undefined ? undefined : []

  const readMany = (frames: ReadonlyArray<Frame.Frame>, at: number, now: number): number => {
    let first = 0
    let end = 0
    let messages: Array<A> = []
    let channels = attributed()
    let starts: Array<number> = []
    let bytes = 0
    let total = 0
    const flush = (): void => {
      const read = end - first === frames.length ? frames : frames.slice(first, end)
      deliver(messages, channels, read, starts, at, now, bytes)
    }
    for (const frame of frames) {
      const size = Frame.size(frame)
      total += size
      const decoded = decode(frame, at)
      if ("_tag" in decoded) {
        flush()
        end++
        first = end
        messages = []
        channels = attributed()
        starts = []
        bytes = 0
        reject(decoded, at, size)
        continue
      }
      end++
      starts.push(messages.length)
      bytes += size
      append(messages, decoded)
      if (attribute !== undefined && channels !== undefined) append(channels, attribute(frame, decoded))
    }
    flush()
    return total
  }

  return (frames, at, now) => {
    const bytes = frames.length === 1 ? readOne(frames[0], frames, at, now) : readMany(frames, at, now)
    recorder.received(now, frames.length, bytes)
  }
}
