/**
 * Numbers that are used once. An exchange that takes signed actions refuses a
 * nonce that it has seen, and one that is far from its clock: so a nonce is the
 * time in milliseconds, or the next above the last one. Those of a signer only
 * increase, also over a restart, a clock that is set back, and processes beside
 * each other that share what is kept.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StorageError } from "./StorageError.ts"

/**
 * The nonces of signers, each by a name that tells it from the others, such as
 * its address. `next` gives each number once.
 *
 * @category services
 * @since 0.1.0
 */
export class NonceStore extends Context.Service<NonceStore, {
  /** Epoch milliseconds, above each that the signer had before. */
  readonly next: (signer: string) => Effect.Effect<number, StorageError>
}>()("@tickline/core/trading/NonceStore") {}

/**
 * Nonces that are kept nowhere: after a restart only the clock keeps them apart.
 * For tests, and for a signer that lives no longer than the process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<NonceStore> = Layer.sync(NonceStore, () => {
  const last = new Map<string, number>()
  return {
    next: (signer) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        // A clock may tell parts of a millisecond.
        const nonce = Math.max(Math.floor(now), (last.get(signer) ?? 0) + 1)
        last.set(signer, nonce)
        return nonce
      })
  }
})
