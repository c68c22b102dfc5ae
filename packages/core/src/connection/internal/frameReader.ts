/**
 * From frames to messages: reads what one pull brought, shows it to the
 * observers and puts it into the inbox, in order, as batches and rejections.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as Frame from "../../transport/Frame.ts"
import { youngArray } from "../../value/internal/youngArray.ts"
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

const copied = <B>(all: ReadonlyArray<B>): ReadonlyArray<B> => {
  const first = all[0]
  return all.length === 1 && first !== undefined ? youngArray(first) : all.slice()
}

const fromTheFirst: ReadonlyArray<number> = [0]

/**
 * The reader of one epoch. Per frame there is no effect and no allocation but the
 * messages themselves.
 *
 * @category models
 * @since 0.1.0
 */
export class FrameReader<A> {
  private readonly options: Options<A>
  private readonly epoch: number

  constructor(options: Options<A>, epoch: number) {
    this.options = options
    this.epoch = epoch
  }

  /** Reads what a pull brought, and when: in epoch milliseconds and on the monotonic clock. */
  read(frames: Arr.NonEmptyReadonlyArray<Frame.Frame>, at: number, now: number): void {
    const bytes = frames.length === 1 ? this.readOne(frames[0], frames, at, now) : this.readMany(frames, at, now)
    this.options.recorder.received(now, frames.length, bytes)
  }

  private deliver(
    messages: ReadonlyArray<A>,
    channels: MessageChannels.MessageChannels | undefined,
    frames: ReadonlyArray<Frame.Frame>,
    starts: ReadonlyArray<number>,
    at: number,
    monotonicMillis: number,
    bytes: number
  ): void {
    if (!Arr.isReadonlyArrayNonEmpty(messages) || !Arr.isReadonlyArrayNonEmpty(frames)) return
    const { inbox, observers, onHandedOn, recorder } = this.options
    recorder.delivered(messages.length)
    const batch: Batch<A> = {
      _tag: "Batch",
      epoch: this.epoch,
      at,
      messages,
      channels,
      bytes,
      monotonicMillis,
      frames,
      starts
    }
    const shown = observers.batch(batch)
    if (shown === undefined) return
    inbox.offer(shown)
    inbox.route(shown)
    onHandedOn?.(shown)
  }

  private reject(rejection: FrameRejected, frame: Frame.Frame, at: number, bytes: number): void {
    const { inbox, observers, recorder } = this.options
    const rejected: Rejected = { _tag: "Rejected", epoch: this.epoch, at, bytes, rejection }
    recorder.rejected(rejection.reason)
    observers.rejected(rejected, frame)
    inbox.offer(rejected)
  }

  private readOne(frame: Frame.Frame, frames: ReadonlyArray<Frame.Frame>, at: number, now: number): number {
    const { attribute, decode } = this.options
    const size = Frame.size(frame)
    const decoded = decode(frame, at)
    if ("_tag" in decoded) this.reject(decoded, frame, at, size)
    else this.deliver(decoded, attribute && copied(attribute(frame, decoded)), frames, fromTheFirst, at, now, size)
    return size
  }

  // Once all of them are decoded: to find what is kept of a message takes several fetches from memory, and those of one
  // message after the other overlap where nothing as long as the decoding of a frame stands between them.
  private attributed(
    frames: ReadonlyArray<Frame.Frame>,
    messages: ReadonlyArray<ReadonlyArray<A>>
  ): MessageChannels.MessageChannels | undefined {
    const { attribute } = this.options
    if (attribute === undefined) return undefined
    const channels: Array<MessageChannels.MessageChannels[number]> = []
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]
      const some = messages[i]
      if (frame !== undefined && some !== undefined) append(channels, attribute(frame, some))
    }
    return channels
  }

  private readMany(frames: ReadonlyArray<Frame.Frame>, at: number, now: number): number {
    const { decode } = this.options
    let first = 0
    let end = 0
    let messages: Array<A> = []
    let byFrame: Array<ReadonlyArray<A>> = []
    let starts: Array<number> = []
    let bytes = 0
    let total = 0
    const flush = (): void => {
      const read = end - first === frames.length ? frames : frames.slice(first, end)
      this.deliver(messages, this.attributed(read, byFrame), read, starts, at, now, bytes)
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
        byFrame = []
        starts = []
        bytes = 0
        this.reject(decoded, frame, at, size)
        continue
      }
      end++
      starts.push(messages.length)
      bytes += size
      append(messages, decoded)
      byFrame.push(decoded)
    }
    flush()
    return total
  }
}
