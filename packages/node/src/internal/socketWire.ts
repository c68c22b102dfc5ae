/**
 * The wire over one socket of `ws`, from its opening on.
 *
 * @since 0.1.0
 */
import * as Frame from "@tickline/core/transport/Frame"
import { type DialRequest, type Pull, type Wire, WireClosed } from "@tickline/core/transport/Transport"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import { type RawData, WebSocket } from "ws"
import { closeReason, endOf } from "./wireEnd.ts"

/** Who waits for an effect's end. */
export type Resume<A, E = never> = (effect: Effect.Effect<A, E>) => void

// Who waits for what comes.
interface Reader {
  readonly take: (frames: NonEmptyReadonlyArray<Frame.Frame>) => boolean
  readonly fail: Resume<never, WireClosed>
}

const none: ReadonlyArray<never> = []

/**
 * The wire over one socket. Thousands may be held: what is not a wire's is
 * shared, and who waits for something is kept in a list that is empty at rest.
 */
export class SocketWire implements Wire {
  // Private to the runtime as well: the socket holds the URL and the headers, and an inspection would show them.
  readonly #ws: LineSocket
  private readonly maxMessageBytes: number
  private readonly inboundBytes: number
  private readonly sendBufferBytes: number
  private frames: Array<Frame.Frame> = []
  private bytes = 0
  private isPaused = false
  private closing: WireClosed | undefined
  private ended: WireClosed | undefined
  private clean: boolean | undefined
  private reader: Reader | undefined
  private isDue = false
  private pings = 0
  private isAnswering = false
  private unanswered: Uint8Array | undefined
  private pongs: ReadonlyArray<{ readonly payload: string; readonly resume: Resume<void, WireClosed> }> = none
  // Sizes of the messages that the network has not taken yet, in order, and their sum.
  private readonly unsent: Array<number> = []
  private unsentBytes = 0
  private writers: ReadonlyArray<Resume<void, WireClosed>> = none
  private closers: ReadonlyArray<Resume<{ readonly clean: boolean }>> = none

  constructor(ws: LineSocket, request: DialRequest, sendBufferBytes: number) {
    this.#ws = ws
    this.maxMessageBytes = request.maxMessageBytes
    this.inboundBytes = request.inboundBytes
    this.sendBufferBytes = sendBufferBytes
  }

  /** Begins to hear the socket, which has just opened. */
  listen(): void {
    this.#ws.line = this
    this.#ws.on("message", onMessage)
    this.#ws.on("ping", onPing)
    this.#ws.on("pong", onPong)
    this.#ws.on("error", onError)
    this.#ws.on("close", onClose)
  }

  /** Ends the wire at once and forgets the socket. */
  release(): void {
    this.terminateNow()
    this.#ws.removeAllListeners()
    this.#ws.line = undefined
    // An error of a socket that nobody holds any more must not end the process.
    this.#ws.on("error", ignore)
  }

  // The members of a wire are its own, so that it can be spread into another.

  readonly pull: Pull = Object.assign(
    this.read<NonEmptyReadonlyArray<Frame.Frame>>((frames, resume) => {
      resume(Effect.succeed(frames))
      return false
    }),
    {
      each: (take: (frames: NonEmptyReadonlyArray<Frame.Frame>) => boolean) =>
        this.read<void>((frames, resume) => {
          if (take(frames)) return true
          resume(Effect.void)
          return false
        })
    }
  )

  readonly ready: Wire["ready"] = Effect.suspend(() =>
    this.writers.length === 0 && this.hasRoom() ? Effect.void : this.room()
  )

  readonly write: Wire["write"] = (frame) => {
    if (this.ended !== undefined || this.#ws.readyState !== WebSocket.OPEN) return false
    const size = Frame.size(frame)
    this.unsent.push(size)
    this.unsentBytes += size
    this.#ws.send(frame, this.onSent)
    return true
  }

  readonly ping: Wire["ping"] = Effect.callback((resume) => {
    if (this.ended !== undefined) return resume(Effect.fail(this.ended))
    const payload = String(++this.pings)
    this.pongs = [...this.pongs, { payload, resume }]
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping(payload)
    return Effect.sync(() => this.forgetPing(payload))
  })

  readonly close: Wire["close"] = (code, reason) =>
    Effect.suspend(() => {
      if (this.clean !== undefined) return Effect.succeed({ clean: this.clean })
      const text = closeReason(reason)
      this.#ws.close(code, text) // a code that no endpoint may send (RFC 6455 §7.4) is a defect
      this.closing ??= WireClosed.of({ by: "local", code, reason: text })
      // The peer's close frame may be behind what waits to be read.
      this.resumeReading()
      return Effect.callback<{ readonly clean: boolean }>((resume) => {
        this.closers = [...this.closers, resume]
        return Effect.sync(() => {
          this.closers = this.closers.filter((other) => other !== resume)
        })
      })
    })

  readonly terminate: Wire["terminate"] = Effect.sync(() => this.terminateNow())

  // A socket that has ended has thrown away what it held, and says 0.
  readonly bufferedBytes: Wire["bufferedBytes"] = () =>
    this.ended === undefined ? this.#ws.bufferedAmount : this.unsentBytes

  readonly paused: Wire["paused"] = () => this.isPaused

  private terminateNow(): void {
    // An error is dear: most wires that are let go have ended already.
    if (this.ended === undefined) this.end(WireClosed.of({ by: "local", code: 1006, reason: "terminated" }))
    this.settle(false)
    this.#ws.terminate()
  }

  private resumeReading(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.#ws.resume()
  }

  // `take` says whether it wants more.
  private read<A>(
    take: (frames: NonEmptyReadonlyArray<Frame.Frame>, resume: Resume<A, WireClosed>) => boolean
  ): Effect.Effect<A, WireClosed> {
    return Effect.callback((resume) => {
      this.reader = { take: (frames) => take(frames, resume), fail: resume }
      this.handOver()
      return Effect.sync(() => {
        this.reader = undefined
      })
    })
  }

  // Whoever reads may, meanwhile, be interrupted, or have begun to read anew.
  private handOver(): void {
    while (this.reader !== undefined) {
      const { frames, reader } = this
      if (!isReadonlyArrayNonEmpty(frames)) {
        if (this.ended === undefined) return
        this.reader = undefined
        return reader.fail(Effect.fail(this.ended))
      }
      this.frames = []
      this.bytes = 0
      this.resumeReading()
      let isOver = true
      try {
        isOver = !reader.take(frames)
      } catch (defect) {
        reader.fail(Effect.die(defect))
      }
      if (isOver && this.reader === reader) this.reader = undefined
    }
  }

  // Runs when the socket's read callback has returned: all messages of one
  // read (64 KiB, hundreds of frames under load) are one batch, and the last
  // of them does not wait for the rest of the event loop's turn.
  private handOverSoon(): void {
    if (this.reader === undefined || this.isDue) return
    this.isDue = true
    process.nextTick(handOver, this)
  }

  handOverDue(): void {
    this.isDue = false
    this.handOver()
  }

  private end(closed: WireClosed): void {
    if (this.ended !== undefined) return
    this.ended = closed
    this.#ws.removeAllListeners("message")
    this.handOverSoon()
    const { pongs, writers } = this
    this.pongs = none
    this.writers = none
    for (const { resume } of pongs) resume(Effect.fail(closed))
    for (const resume of writers) resume(Effect.fail(closed))
  }

  private settle(clean: boolean): void {
    if (this.clean !== undefined) return
    this.clean = clean
    const { closers } = this
    this.closers = none
    for (const resume of closers) resume(Effect.succeed({ clean }))
  }

  onMessage(data: RawData, isBinary: boolean): void {
    if (!Buffer.isBuffer(data)) return // never: "nodebuffer" is the binary type
    // Nobody waits for what comes while we close: beyond the bound it is let go.
    if (this.closing !== undefined && this.isFull()) return
    this.bytes += data.length
    // A binary message is copied: it is a view of the buffer of a whole read.
    const frame = isBinary ? new Uint8Array(data) : data.toString()
    // Most are alone: an array that is pushed to has room for many.
    if (this.frames.length === 0) this.frames = [frame]
    else this.frames.push(frame)
    if (!this.isDue && this.#ws.isEmpty) this.handOver()
    else this.handOverSoon()
    if (!this.isPaused && this.isFull() && this.closing === undefined) {
      this.isPaused = true
      this.#ws.pause()
    }
  }

  // RFC 6455 §5.5.3: of the pings that came while a pong waits for the network, the latest is answered. So a flood of
  // them costs no memory, and ends nothing.
  onPing(data: Buffer): void {
    if (this.isAnswering) this.unanswered = new Uint8Array(data)
    else this.answer(data)
  }

  private answer(data: Uint8Array): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    this.isAnswering = true
    this.#ws.pong(data, true, () => {
      this.isAnswering = false
      const next = this.unanswered
      this.unanswered = undefined
      if (next !== undefined) this.answer(next)
    })
  }

  private isFull(): boolean {
    return Frame.fills(this.inboundBytes, this.bytes, this.frames.length)
  }

  onPong(data: Buffer): void {
    const payload = data.toString("latin1")
    const pinged = this.pongs.find((one) => one.payload === payload)
    if (pinged === undefined) return
    this.forgetPing(payload)
    pinged.resume(Effect.void)
  }

  private forgetPing(payload: string): void {
    this.pongs = this.pongs.filter((one) => one.payload !== payload)
  }

  onError(error: Error): void {
    this.end(endOf(error, this.maxMessageBytes))
  }

  onClose(code: number, reason: Buffer): void {
    this.end(
      this.closing ??
        WireClosed.of({ by: code === 1006 ? "network" : "peer", code, reason: reason.toString() })
    )
    this.settle(code !== 1006)
  }

  private hasRoom(): boolean {
    return this.#ws.readyState === WebSocket.OPEN && this.#ws.bufferedAmount <= this.sendBufferBytes
  }

  private room(): Effect.Effect<void, WireClosed> {
    return Effect.callback<void, WireClosed>((resume) => {
      if (this.ended !== undefined) return resume(Effect.fail(this.ended))
      this.writers = [...this.writers, resume]
      return Effect.sync(() => {
        this.writers = this.writers.filter((other) => other !== resume)
      })
    })
  }

  // One listener for all writes, so that they cost no closure. Each writer
  // that it wakes may fill the buffer again.
  private readonly onSent = (error?: Error | null): void => {
    if (error === undefined || error === null) this.unsentBytes -= this.unsent.shift() ?? 0
    while (this.hasRoom()) {
      const [resume, ...others] = this.writers
      if (resume === undefined) return
      this.writers = others
      resume(Effect.void)
    }
  }
}

const handOver = (line: SocketWire): void => line.handOverDue()

/** A socket that knows its wire, so that all sockets share their listeners. */
export class LineSocket extends WebSocket {
  // What `ws` keeps of a read that it has not taken apart yet; it has no public name.
  declare private readonly _receiver?: { readonly _bufferedBytes?: number } | null

  /** Whether nothing of what was read waits behind the message at hand. Where that is not known, something may. */
  get isEmpty(): boolean {
    return this._receiver?._bufferedBytes === 0
  }

  line: SocketWire | undefined
}

const lineOf = (socket: WebSocket): SocketWire | undefined => socket instanceof LineSocket ? socket.line : undefined

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  lineOf(this)?.onMessage(data, isBinary)
}

function onPing(this: WebSocket, data: Buffer): void {
  lineOf(this)?.onPing(data)
}

function onPong(this: WebSocket, data: Buffer): void {
  lineOf(this)?.onPong(data)
}

function onError(this: WebSocket, error: Error): void {
  lineOf(this)?.onError(error)
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  lineOf(this)?.onClose(code, reason)
}

const ignore = (): void => {}
