/**
 * Learning from an exchange what became of something whose outcome is unknown.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Failure from "./failure.ts"
import type { Gateway } from "./gateway.ts"

/** For how long it is asked, how often, and how long one answer may take. */
const askingMillis = { wholly: 30_000, every: 250, answer: 5_000 }

/**
 * Asks until it is known, for 30 s; `undefined` if it is not known by then.
 *
 * @category running
 * @since 0.1.0
 */
export const learn = <A>(
  { isOver, now }: Pick<Gateway<unknown>, "isOver" | "now">,
  ask: (until: number) => Effect.Effect<A | undefined, Failure.Failure>
): Effect.Effect<A | undefined> =>
  Effect.suspend(() => {
    const end = now() + askingMillis.wholly
    const once = (): Effect.Effect<A | undefined> =>
      Effect.gen(function*() {
        const at = now()
        if (at >= end || (yield* isOver)) return undefined
        const found = yield* Effect.catch(
          ask(Math.min(end, at + askingMillis.answer)),
          (failure) => Effect.as(Effect.logDebug(`not reconciled yet: ${Failure.describe(failure)}`), undefined)
        )
        return found ?? (yield* Effect.delay(once(), askingMillis.every))
      })
    return once()
  })
