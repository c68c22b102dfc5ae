/**
 * How a session signs in, and keeps being signed in.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { AuthError } from "../connection/ConnectError.ts"
import type { CallError, JsonRpc } from "./JsonRpc.ts"

/**
 * The calls of an epoch that is being opened, or of one that is up.
 *
 * @category models
 * @since 0.1.0
 */
export type Calls = Pick<JsonRpc, "call">

/**
 * What a sign-in gives: for how long it holds, and how it is renewed before it
 * ends. Without a duration it holds as long as the connection; without a way to
 * renew it, the session is opened anew.
 *
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly expiresIn?: Duration.Input | undefined
  readonly renew?: SignIn | undefined
}

/**
 * Signs in. Where the peer refuses whoever asks, it fails with `AuthError`, and
 * the session stops with that reason; whatever else fails is tried again on a
 * new epoch.
 *
 * @category models
 * @since 0.1.0
 */
export type SignIn = (calls: Calls) => Effect.Effect<Grant, AuthError | CallError>
