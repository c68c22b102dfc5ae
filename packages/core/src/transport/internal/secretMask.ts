/**
 * A dial whose wire repeats no secret.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { DialError } from "../DialError.ts"
import { type Mask, maskOf } from "../Secrets.ts"
import { type DialRequest, type Wire, WireClosed } from "../Transport.ts"

/**
 * Why a dial failed, without what a mask hides.
 *
 * @category combinators
 * @since 0.1.0
 */
export const maskError = ({ text }: Mask) => (error: DialError): DialError => {
  if (text(error.message) === error.message) return error
  const encoded = Schema.encodeSync(DialError)(error)
  // Its members' values, and not what they are called.
  const reason = Object.entries(encoded.reason).map(([name, value]) =>
    [name, typeof value === "string" && name !== "_tag" ? text(value) : value] as const
  )
  return Schema.decodeUnknownSync(DialError)({ ...encoded, reason: Object.fromEntries(reason) })
}

const ofEnd = ({ text }: Mask) => (closed: WireClosed): WireClosed =>
  text(closed.reason) === closed.reason
    ? closed
    : WireClosed.of({ by: closed.by, code: closed.code, reason: text(closed.reason) })

/**
 * A dial whose wire gives what the peer sends cleared of the request's secrets:
 * frames, the reason of a close, and why the dial failed. Without secrets it is
 * the dial itself.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mask = (
  request: DialRequest,
  dial: Effect.Effect<Wire, DialError, Scope.Scope>
): Effect.Effect<Wire, DialError, Scope.Scope> => {
  const found = maskOf(request)
  if (found === undefined) return dial
  const { frame } = found
  const ended = ofEnd(found)
  return Effect.mapBoth(dial, {
    onFailure: maskError(found),
    onSuccess: (wire) => ({
      ...wire,
      pull: Effect.mapBoth(wire.pull, { onSuccess: Arr.map(frame), onFailure: ended }),
      ready: Effect.mapError(wire.ready, ended),
      ping: Effect.mapError(wire.ping, ended)
    })
  })
}
