/**
 * How a connection fails, as types: what ended one attempt or one epoch, what
 * a caller of `connect` or `send` is told, and the table of what each failure
 * leads to.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { CircuitOpen } from "../resilience/Breaker.ts"
import type { Answer } from "../resilience/internal/recovery.ts"
import { InvalidLimit } from "../resilience/RollingLimit.ts"
import { DialError, type DialReason } from "../transport/DialError.ts"
import { WireClosed } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import * as Printable from "../value/Printable.ts"
import { Unconfirmed } from "./internal/unconfirmedMessages.ts"

/**
 * No token could be had, the one that was had cannot be the value of a header,
 * or the venue refused the one it was shown (`status` 401 or 403) also after one
 * refresh where a refresh is given, or wants one (401) and none was shown. Not
 * retried.
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthError extends Schema.TaggedError<AuthError>()("AuthError", {
  detail: Schema.String,
  status: Schema.optionalKey(Schema.Finite)
}) {
  override get message(): string {
    return this.status === undefined
      ? `authentication failed: ${Printable.escape(this.detail)}`
      : `authentication failed with status ${this.status}: ${Printable.escape(this.detail)}`
  }
}

/**
 * An open connection ended: by the peer, by the network, or by a message over
 * the size limit (code 1009). `unconfirmed` is absent where nothing was sent that
 * the peer has not been seen to have read.
 *
 * @category errors
 * @since 0.1.0
 */
export class Dropped extends Schema.TaggedError<Dropped>()("Dropped", {
  epoch: Schema.Finite,
  closed: WireClosed,
  unconfirmed: Schema.optionalKey(Unconfirmed)
}) {
  override get message(): string {
    const { closed, unconfirmed } = this
    if (unconfirmed === undefined) return `dropped: ${closed.message}`
    const { bytes, messages } = unconfirmed
    return `dropped: ${closed.message}; ${messages} sent ${
      messages === 1 ? "message" : "messages"
    } (${bytes} bytes) may not have arrived`
  }
}

/**
 * A ping was not answered within its deadline, in milliseconds, though we were
 * reading: the link is half open.
 *
 * @category errors
 * @since 0.1.0
 */
export class HeartbeatMissed extends Schema.TaggedError<HeartbeatMissed>()("HeartbeatMissed", {
  epoch: Schema.Finite,
  afterMillis: Schema.Finite
}) {
  override get message(): string {
    return `no pong within ${this.afterMillis} ms`
  }
}

/**
 * The dial succeeded, but the subscriptions could not be restored, so the
 * reconnect failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class RestoreFailed extends Schema.TaggedError<RestoreFailed>()("RestoreFailed", {
  epoch: Schema.Finite,
  detail: Schema.String
}) {
  override get message(): string {
    return `subscriptions not restored: ${Printable.escape(this.detail)}`
  }
}

/**
 * An observer threw, and was declared to end the connection then. Not retried:
 * it would throw again.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObserverFailed extends Schema.TaggedError<ObserverFailed>()("ObserverFailed", {
  epoch: Schema.Finite,
  observer: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`observer ${this.observer} failed: ${this.detail}`)
  }
}

/**
 * What ended one attempt to connect, or one epoch.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Failure = Schema.Union([DialError, AuthError, Dropped, HeartbeatMissed, RestoreFailed, ObserverFailed])

/**
 * What ended one attempt to connect, or one epoch.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type

/**
 * The class of a failure: of a failed dial, the class of its reason.
 *
 * @category models
 * @since 0.1.0
 */
export type FailureKind = Exclude<Failure["_tag"], "DialError"> | DialReason["_tag"] | "TooLarge"

/** The codes with which a transport ends a wire for the size of a message: too many bytes, or too many parts. */
const tooLarge: ReadonlySet<number> = new Set([1009, 1008])

/**
 * Returns the class of a failure.
 *
 * @category getters
 * @since 0.1.0
 */
export const kind = (failure: Failure): FailureKind => {
  switch (failure._tag) {
    case "DialError":
      return failure.reason._tag
    case "Dropped":
      return failure.closed.by === "local" && tooLarge.has(failure.closed.code) ? "TooLarge" : "Dropped"
    default:
      return failure._tag
  }
}

/**
 * What each class of failure leads to, before a handshake's status is looked
 * at: 401 and 403 lead to `reauthenticate`. Where no token was shown, that is
 * `retry` for a 403, not sooner than after 5 s, and `stop` for the rest.
 *
 * @category constants
 * @since 0.1.0
 */
export const recoveries: Readonly<Record<FailureKind, Answer>> = {
  Refused: "retry",
  NotResolved: "retry",
  Unreachable: "retry",
  TimedOut: "retry",
  TlsFailed: "retry",
  HandshakeRejected: "retry",
  BadUrl: "stop",
  BadHeader: "stop",
  Unsupported: "stop",
  AuthError: "stop",
  Dropped: "retry",
  TooLarge: "retry",
  HeartbeatMissed: "retry",
  RestoreFailed: "retry",
  ObserverFailed: "stop"
}

/**
 * The default answer to a failure. Replace it through `Reconnection.layer`.
 *
 * @category error handling
 * @since 0.1.0
 */
export const classify = (failure: Failure): Answer =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected" &&
    (failure.reason.status === 401 || failure.reason.status === 403)
    ? "reauthenticate"
    : recoveries[kind(failure)]

/**
 * What ended an attempt of a source that brings its own connection (see
 * `ReconnectingStream`), in its own words.
 *
 * @category errors
 * @since 0.1.0
 */
export class SourceFailed extends Schema.TaggedError<SourceFailed>()("SourceFailed", {
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(this.detail)
  }
}

/**
 * The retries are used up. `retries` is how many were made in this outage after
 * its first failure, `last` what ended the last of them, `source` the name of
 * the source that `ReconnectingStream` gave up. `connect` starts anew.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionAborted extends Schema.TaggedError<ConnectionAborted>()("ConnectionAborted", {
  source: Schema.optionalKey(Schema.String),
  retries: Schema.Finite,
  last: Schema.Union([...Failure.members, SourceFailed])
}) {
  override get message(): string {
    const source = this.source === undefined ? "" : `${Printable.escape(this.source)}: `
    return `${source}connection aborted after ${this.retries} retries: ${this.last.message}`
  }
}

/**
 * `connect` was called on a connection that is up, or on its way up or down.
 *
 * @category errors
 * @since 0.1.0
 */
export class AlreadyConnected extends Schema.TaggedError<AlreadyConnected>()("AlreadyConnected", {
  state: Schema.String
}) {
  override get message(): string {
    return `already connected: the connection is ${this.state}`
  }
}

/**
 * The connection was closed by its owner before it was up, or its scope has
 * closed, after which it takes nothing on.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionClosed extends Schema.TaggedError<ConnectionClosed>()("ConnectionClosed", {}) {
  override get message(): string {
    return "connection closed"
  }
}

/**
 * Why a connection is not up and will not be by itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectError = Schema.Union([
  DialError,
  AuthError,
  Dropped,
  HeartbeatMissed,
  RestoreFailed,
  ObserverFailed,
  ConnectionAborted,
  CircuitOpen,
  InvalidLimit,
  ConnectionClosed
])

/**
 * Why a connection is not up and will not be by itself.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectError = typeof ConnectError.Type

/**
 * Why a message was not written. Nothing of it reached the wire, so it is safe
 * to send again.
 *
 * - `NotConnected`: there was no connection and the message was to go now
 * - `EpochEnded`: the connection ended before its turn came
 * - `Closed`: the owner closed the connection
 * - `TimedOut`: its time was up before its turn came
 * - `SignedOut`: the session that it was for had ended
 *
 * @category errors
 * @since 0.1.0
 */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", {
  reason: Schema.Literals(["NotConnected", "EpochEnded", "Closed", "TimedOut", "SignedOut"])
}) {
  override get message(): string {
    return `not sent: ${this.reason}`
  }
}

/**
 * The outbox holds as many messages or bytes as it may. Nothing was queued.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutboxFull extends Schema.TaggedError<OutboxFull>()("OutboxFull", {
  messages: Schema.Finite,
  bytes: Schema.Finite
}) {
  override get message(): string {
    return `outbox full: ${this.messages} messages, ${this.bytes} bytes waiting`
  }
}

/**
 * A subscription was refused: by the peer, in an answer or by leaving it out or
 * unanswered, or for what is asked for. It is not asked for again in this epoch,
 * unless it is wanted anew.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubscriptionRefused extends Schema.TaggedError<SubscriptionRefused>()("SubscriptionRefused", {
  channel: Channel.Channel,
  code: Schema.optionalKey(Schema.String),
  reason: Schema.String
}) {
  override get message(): string {
    const { channel, product } = this.channel
    return Printable.escape(
      `subscription to ${channel}${product === undefined ? "" : ` of ${product}`} refused: ${this.reason}`
    )
  }
}
