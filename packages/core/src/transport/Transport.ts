/**
 * The port through which the house reaches a network: dial a URL, get a wire.
 *
 * A transport never retries and keeps no state between dials; reconnection
 * belongs to `Connection`. Implementations: `NodeTransport` in
 * `@tickline/node`, `BrowserTransport` beside this file over a WebSocket that
 * is handed in, and `VirtualNetwork` in `@tickline/testing`.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { untraced } from "../value/internal/untraced.ts"
import * as Printable from "../value/Printable.ts"
import type { DialError } from "./DialError.ts"
import type { Frame } from "./Frame.ts"
import type { Replayed } from "./internal/replayed.ts"

/**
 * Everything a transport needs to know of one dial. Bounds are in bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface DialRequest {
  /** A `ws://` or `wss://` URL, dialled as it is. */
  readonly url: string
  /** Headers of the upgrade request. A `Redacted` value is a secret. */
  readonly headers: Readonly<Record<string, string | Redacted.Redacted<string>>>
  /** WebSocket subprotocols to offer, best first. A `Redacted` one is a secret. */
  readonly protocols: ReadonlyArray<string | Redacted.Redacted<string>>
  /** What of our messages is a secret: it travels as the others do, and is masked where the peer repeats it. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted<string>> | undefined
  /** A larger inbound message closes the wire with code 1009. */
  readonly maxMessageBytes: number
  /** Inbound bytes held for `pull` beyond which the transport stops reading the socket, or ends it where it cannot. */
  readonly inboundBytes: number
  /** Whether to offer permessage-deflate. */
  readonly deflate: boolean
  /** Hosts, besides loopback, to which a secret may travel over plain `ws://`. */
  readonly plaintextHosts: ReadonlyArray<string>
  /**
   * Who dials, as a recording tells it: the label of the connection, which of
   * several of that label it is, which attempt it is since it was up, from 1 on,
   * and how long it waited before it.
   */
  readonly by?: {
    readonly connection: string
    readonly leg?: number | undefined
    readonly attempt: number
    readonly delayMillis: number
  } | undefined
}

/**
 * How and why a wire ended.
 *
 * - `by`: `"peer"` sent a close frame, `"local"` we closed or terminated it,
 *   `"network"` it broke without a close frame (the code is then 1006).
 * - `code`: the close code, RFC 6455 §7.4. A message over the limit is 1009.
 *
 * @category errors
 * @since 0.1.0
 */
export class WireClosed extends Schema.TaggedError<WireClosed>()("WireClosed", {
  by: Schema.Literals(["peer", "local", "network"]),
  code: Schema.Finite,
  reason: Schema.String
}) {
  /** Makes one without a stack, which says nothing of an end that is the network's. */
  static of(members: Pick<WireClosed, "by" | "code" | "reason">): WireClosed {
    return untraced(() => new WireClosed(members))
  }

  override get message(): string {
    return `closed by ${this.by} with ${this.code}${this.reason === "" ? "" : `: ${Printable.escape(this.reason)}`}`
  }
}

/**
 * Takes what a wire brings. As an effect: every message that arrived since the
 * last pull, waiting for at least one. Fails with `WireClosed` when the wire has
 * ended and all that arrived before its end has been taken. One puller at a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pull extends Effect.Effect<NonEmptyReadonlyArray<Frame>, WireClosed> {
  /**
   * Hands over batch after batch in the callback in which it was read, with no
   * fiber between, and completes when `take` has returned `false`. What `take`
   * throws is a defect. `isMore` says that the next batch is there already and
   * comes in the same callback: what follows from both may be done after it.
   * Absent if the transport has no such callback; a pull that is made from
   * another, such as by `Effect.map`, has none either.
   */
  readonly each?:
    | ((
      take: (frames: NonEmptyReadonlyArray<Frame>, isMore?: boolean | undefined) => boolean
    ) => Effect.Effect<void, WireClosed>)
    | undefined
}

/**
 * One open WebSocket. It lives in the scope of its dial: closing the scope
 * terminates it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wire {
  /** Takes what has arrived. */
  readonly pull: Pull
  /**
   * Completes when `bufferedBytes` is under the transport's bound, at once
   * where it is already. Fails when the wire has ended.
   */
  readonly ready: Effect.Effect<void, WireClosed>
  /**
   * Hands one message to the socket, synchronously, so that the caller can be
   * sure that a message is on its way exactly when this returns `true`. `true`
   * does not mean that the peer has it. `false`: the wire has ended, nothing
   * was handed over. Await `ready` first; a write beyond the bound is accepted
   * all the same.
   */
  readonly write: (frame: Frame) => boolean
  /**
   * Sends a protocol ping with a payload of its own and completes when the
   * pong with the same payload arrives. Has no deadline: race it with one.
   */
  readonly ping: Effect.Effect<void, WireClosed>
  /**
   * Starts the closing handshake and completes when it is done. `clean` is
   * whether the peer answered the close frame. Has no deadline.
   */
  readonly close: (code: number, reason: string) => Effect.Effect<{ readonly clean: boolean }>
  /** Drops the connection at once, without a close frame. */
  readonly terminate: Effect.Effect<void>
  /** Bytes accepted by `write` and not yet taken by the network; when the wire has ended, those that never were. */
  readonly bufferedBytes: () => number
  /** Whether reading is paused because `inboundBytes` are waiting for `pull`. */
  readonly paused: () => boolean
}

/**
 * What a transport can do. A browser can set no header, send no ping, pause
 * nothing and see no handshake status.
 *
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  readonly headers: boolean
  readonly ping: boolean
  readonly pause: boolean
  readonly handshakeStatus: boolean
}

type Dial = (request: DialRequest) => Effect.Effect<Wire, DialError, Scope.Scope>

/**
 * Dials wires.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, {
  readonly capabilities: Capabilities
  /**
   * The network whose hosts are dialled, by identity: limits per address are
   * shared by all who dial in one. Absent: the one of the process, or of a test.
   */
  readonly network?: object | undefined
  /** Present if what is dialled is recorded: how many frames of a connection's label the recording has left out. */
  readonly leftOut?: ((connection: string) => number) | undefined
  /** Present if what is dialled is a recording. */
  readonly replay?: Replayed<Dial> | undefined
  readonly dial: Dial
}>()("@tickline/core/transport/Transport") {}
