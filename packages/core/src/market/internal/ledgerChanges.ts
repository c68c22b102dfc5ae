/**
 * A feed's ledger as a stream.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Ledger } from "../Ledger.ts"
import type { GapLedger } from "./gapLedger.ts"

/**
 * The ledger as it is, then the newest after each change.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (ledger: GapLedger): Stream.Stream<Ledger> =>
  Stream.unwrap(Effect.gen(function*() {
    const changed = yield* Queue.sliding<void>(1)
    const change = (): void => void Queue.offerUnsafe(changed, undefined)
    change()
    yield* Effect.acquireRelease(Effect.sync(() => ledger.watch(change)), (unwatch) => Effect.sync(unwatch))
    return Stream.map(Stream.fromQueue(changed), () => ledger.read())
  }))
