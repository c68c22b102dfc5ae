/**
 * Why a dial did not give a wire. Each reason is a class of its own, so that
 * what to do about it can be decided without reading a message.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Printable from "../value/Printable.ts"

/**
 * Nobody listens at the address, or who does cut the connection before the
 * handshake: the host answered with a reset.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { detail: Schema.String }) {
  override get message(): string {
    return `connection refused: ${Printable.escape(this.detail)}`
  }
}

/**
 * The host name has no address (DNS).
 *
 * @category errors
 * @since 0.1.0
 */
export class NotResolved extends Schema.TaggedError<NotResolved>()("NotResolved", { detail: Schema.String }) {
  override get message(): string {
    return `host name not resolved: ${Printable.escape(this.detail)}`
  }
}

/**
 * There is no way to the host, or the connection broke before the handshake
 * ended.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { detail: Schema.String }) {
  override get message(): string {
    return `unreachable: ${Printable.escape(this.detail)}`
  }
}

/**
 * The handshake did not end within the connect timeout, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", { afterMillis: Schema.Finite }) {
  override get message(): string {
    return `connection timeout: no handshake within ${this.afterMillis} ms`
  }
}

/**
 * TLS could not be set up: an untrusted or wrong certificate, or no TLS there.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsFailed extends Schema.TaggedError<TlsFailed>()("TlsFailed", { detail: Schema.String }) {
  override get message(): string {
    return `TLS failed: ${Printable.escape(this.detail)}`
  }
}

/**
 * The server answered the upgrade with something other than 101, or with an
 * answer that is no WebSocket handshake (`status` is then what it sent).
 * `retryAfterMillis` is its `Retry-After`, where it sent one, `location` where
 * it says that the venue has moved to, without what may be secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class HandshakeRejected extends Schema.TaggedError<HandshakeRejected>()("HandshakeRejected", {
  status: Schema.Finite,
  retryAfterMillis: Schema.optionalKey(Schema.Finite),
  location: Schema.optionalKey(Schema.String),
  detail: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const wait = this.retryAfterMillis === undefined ? "" : `, retry after ${this.retryAfterMillis} ms`
    const detail = this.detail === undefined ? "" : ` (${Printable.escape(this.detail)})`
    const moved = this.location === undefined ? "" : `, moved to ${this.location}`
    return `handshake rejected with status ${this.status}${moved}${wait}${detail}`
  }
}

/**
 * The URL cannot be dialled: not exactly a URL, a scheme other than `ws` or
 * `wss`, a fragment, or a secret that would travel over plain `ws://`.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadUrl extends Schema.TaggedError<BadUrl>()("BadUrl", { detail: Schema.String }) {
  override get message(): string {
    return `bad URL: ${Printable.escape(this.detail)}`
  }
}

/**
 * A header, or the list of subprotocols, cannot be sent over HTTP: it holds what
 * HTTP does not allow. `name` is the header's, empty where that is what is
 * wrong; the value is never said. Nothing was dialled.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadHeader extends Schema.TaggedError<BadHeader>()("BadHeader", {
  name: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `bad header${this.name === "" ? "" : ` ${this.name}`}: ${this.detail}`
  }
}

/**
 * The request asks for what the transport cannot do, such as a header from a
 * browser (`Capabilities` says what it can). Nothing was dialled.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", { detail: Schema.String }) {
  override get message(): string {
    return `unsupported: ${Printable.escape(this.detail)}`
  }
}

/**
 * Why a dial failed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DialReason = Schema.Union([
  Refused,
  NotResolved,
  Unreachable,
  TimedOut,
  TlsFailed,
  HandshakeRejected,
  BadUrl,
  BadHeader,
  Unsupported
])

/**
 * Why a dial failed.
 *
 * @category models
 * @since 0.1.0
 */
export type DialReason = typeof DialReason.Type

/**
 * A dial that failed. Of the URL only scheme, host and port are in `url`: user
 * information, path and query may hold secrets.
 *
 * @category errors
 * @since 0.1.0
 */
export class DialError extends Schema.TaggedError<DialError>()("DialError", {
  url: Schema.String,
  reason: DialReason
}) {
  override get message(): string {
    return `${this.url}: ${this.reason.message}`
  }
}
