/** What a mock server tells of itself. `MockServer` exports it. */
import type { Frame } from "@tickline/core/transport/Frame"
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"

/**
 * A frame of a client as it came: on which connection, when (epoch
 * milliseconds), and which kind it is. The `text` is a message's, or a ping's or
 * pong's payload; of binary frames it is empty.
 */
export interface Arrival {
  readonly connection: number
  readonly at: number
  readonly kind: "message" | "ping" | "pong"
  readonly text: string
}

/**
 * A rule of the venue that a client did not keep: too many messages, no
 * subscription or no answer in time.
 */
export type Rule = "messages" | "subscribe" | "pong" | "test" | "idle" | "session"

/**
 * What happened, in order; `at` in epoch milliseconds. Dials and connections
 * are numbered from 1; a connection for HTTP is a dial too. `how` a dial was
 * rejected: `refused` (cut before the handshake), `hung` (never upgraded),
 * `status` (answered with it).
 */
export type LogEntry =
  | { readonly _tag: "Dial"; readonly at: number; readonly dial: number }
  | { readonly _tag: "Upgraded"; readonly at: number; readonly dial: number; readonly connection: number }
  | {
    readonly _tag: "Rejected"
    readonly at: number
    readonly dial: number
    readonly how: "refused" | "hung" | "status"
    readonly status?: number
  }
  | { readonly _tag: "Fault"; readonly at: number; readonly fault: string; readonly connections: ReadonlyArray<number> }
  | { readonly _tag: "Drop"; readonly at: number; readonly connection: number }
  | { readonly _tag: "Enforced"; readonly at: number; readonly connection: number; readonly rule: Rule }
  | {
    readonly _tag: "Closed"
    readonly at: number
    readonly connection: number
    readonly code: number
    readonly reason: string
  }

/**
 * Market data frames of one product on one channel, counted when the market
 * makes them for a connection. A copy that a fault added is one more `sent` and
 * one `duplicated`; one that a fault took, or that fell into a silent
 * connection, is `sent` and `lost`. So where every frame under way arrives,
 * `sent` is what was delivered, and `duplicated`, and `lost`.
 */
export interface ServerCounts {
  readonly channel: string
  readonly product: string
  readonly sent: number
  readonly duplicated: number
  readonly lost: number
  readonly reordered: number
  readonly corrupted: number
}

/**
 * The server's counters since it began; `open` is now.
 */
export interface Metrics {
  readonly dials: number
  readonly upgraded: number
  readonly rejected: number
  readonly open: number
  readonly dropped: number
  readonly closed: number
  readonly faults: number
  readonly framesSent: number
  readonly framesReceived: number
}

/**
 * The server's end of one connection.
 */
export interface MockConnection {
  /** 1 for the first that was upgraded, and so on. */
  readonly id: number
  /** The path and query of the upgrade request. */
  readonly path: string
  /** The bearer token of the upgrade request. */
  readonly token: Redacted.Redacted<string> | undefined
  /** A header of the upgrade request; `authorization` is `token`. */
  readonly header: (name: string) => string | undefined
  /** What the client sent, the latest 16,384 or fewer where they are more than 64 MiB; ends with the connection. */
  readonly received: Queue.Dequeue<Frame, Cause.Done>
  /** Sends a frame as it is, untouched by faults of data frames and not counted as data. */
  readonly send: (frame: Frame) => Effect.Effect<void>
  /** Cuts the connection with a TCP reset. */
  readonly drop: Effect.Effect<void>
  /** Sends a close frame. */
  readonly close: (code?: number | undefined, reason?: string | undefined) => Effect.Effect<void>
  readonly isOpen: () => boolean
  /** Completes with the close code once the connection is gone. */
  readonly ended: Effect.Effect<{ readonly code: number; readonly reason: string }>
  /** Market data sent on this connection. */
  readonly accounts: () => ReadonlyArray<ServerCounts>
}
