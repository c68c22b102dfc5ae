/**
 * What failures are answered by; a refused handshake by what the venue said, and
 * by what was shown to it.
 *
 * @since 0.1.0
 */
import type * as Recovery from "../../resilience/internal/recovery.ts"
import type { HandshakeRejected } from "../../transport/DialError.ts"
import * as ConnectError from "../ConnectError.ts"
import type { Classify } from "../Reconnection.ts"

const rejectionOf = (failure: ConnectError.Failure): HandshakeRejected | undefined =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected" ? failure.reason : undefined

// A 403 is often that of a firewall that was dialled too fast.
const forbiddenMillis = 5_000

/**
 * How long the venue wants to be left alone, in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const restMillisOf = (failure: ConnectError.Failure): number => {
  const rejection = rejectionOf(failure)
  if (rejection === undefined) return 0
  return Math.max(rejection.retryAfterMillis ?? 0, rejection.status === 403 ? forbiddenMillis : 0)
}

/**
 * The answer to a failure. Without a token there is none to show anew: a 403 is
 * then the address's, which may pass.
 *
 * @category getters
 * @since 0.1.0
 */
export const answerTo = (
  failure: ConnectError.Failure,
  classify: Classify,
  showsToken: boolean
): Recovery.Answer => {
  const answer = classify(failure)
  if (answer !== "reauthenticate" || showsToken) return answer
  return rejectionOf(failure)?.status === 403 ? "retry" : "stop"
}

/**
 * What a failure that ends the connection is called: a refused token by its
 * name.
 *
 * @category getters
 * @since 0.1.0
 */
export const finalOf = (
  failure: ConnectError.Failure,
  classify: Classify,
  showsToken: boolean
): ConnectError.Failure => {
  const rejection = rejectionOf(failure)
  if (rejection === undefined || classify(failure) !== "reauthenticate") return failure
  const detail = showsToken
    ? "the venue refused the token"
    : "the venue wants a token, and none was shown"
  return new ConnectError.AuthError({ status: rejection.status, detail })
}
