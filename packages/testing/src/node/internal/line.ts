/** The server's end of one socket: frames on their way out, and what keeps them. */
import type { Frame } from "@tickline/core/transport/Frame"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import type { WebSocket } from "ws"

/** A frame on its way, and whether it goes in fragments. */
interface Parcel {
  readonly frame: Frame
  readonly fragments: boolean
}

/** A market waits, and a client is not heard, while it has so many bytes left to read. */
export const sendBound = 16 * 1_048_576

/** What a line is made of. `onSent` is told of each frame that goes out. */
export interface Options {
  readonly id: number
  readonly ws: WebSocket
  readonly socket: Socket
  readonly now: () => number
  readonly onSent: () => void
}

export class Line {
  readonly id: number
  readonly ws: WebSocket
  readonly socket: Socket
  readonly address: string
  /** When the latest frame went out. */
  sentAt: number
  isSilent = false
  private readonly options: Options
  private slow:
    | { millis: number; readonly parcels: Queue.Queue<Parcel & { readonly due: number }, Cause.Done> }
    | undefined

  constructor(options: Options) {
    this.options = options
    this.id = options.id
    this.ws = options.ws
    this.socket = options.socket
    this.address = options.socket.remoteAddress ?? ""
    this.sentAt = options.now()
  }

  /** Sends a frame, late where the line is slow. */
  send(frame: Frame, fragments = false): void {
    if (this.slow === undefined) this.transmit({ frame, fragments })
    else {
      Queue.offerUnsafe(this.slow.parcels, { frame, fragments, due: this.options.now() + this.slow.millis })
    }
  }

  /** Whether so much is unread that nothing more is to be sent. */
  isFull(): boolean {
    return this.ws.bufferedAmount > sendBound
  }

  isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN
  }

  /** Nothing goes out any more. Nothing of the client is heard, a close frame included; that it leaves still is. */
  silence(): void {
    this.isSilent = true
    this.socket.removeAllListeners("data")
    this.socket.on("data", () => {})
  }

  /** Lets every frame from now on be so late. */
  slowDown(millis: number, scope: Scope.Scope): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      if (this.slow !== undefined) {
        this.slow.millis = millis
        return
      }
      const parcels = yield* Queue.unbounded<Parcel & { readonly due: number }, Cause.Done>()
      this.slow = { millis, parcels }
      yield* Queue.take(parcels).pipe(
        Effect.tap(({ due }) => Effect.sleep(Math.max(0, due - this.options.now()))),
        Effect.flatMap((parcel) => Effect.sync(() => this.transmit(parcel))),
        Effect.forever,
        Effect.ignore,
        Effect.forkIn(scope)
      )
    })
  }

  /** Its socket is gone. */
  end(): void {
    if (this.slow !== undefined) Queue.endUnsafe(this.slow.parcels)
  }

  private transmit({ fragments, frame }: Parcel): void {
    const { ws } = this
    if (this.isSilent || !this.isOpen()) return
    this.options.onSent()
    this.sentAt = this.options.now()
    if (!fragments || typeof frame !== "string" || frame.length < 3) return ws.send(frame)
    const third = Math.ceil(frame.length / 3)
    for (let from = 0; from < frame.length; from += third) {
      ws.send(frame.slice(from, from + third), { fin: from + third >= frame.length })
    }
  }
}
