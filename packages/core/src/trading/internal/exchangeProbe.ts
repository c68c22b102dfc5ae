/**
 * Health of an exchange that is only asked, and has no session that would notice
 * by itself.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Gateway } from "./gateway.ts"

/** How soon it is asked again while it cannot be reached, twice as long each time, and how long one answer may take. */
const askingMillis = { first: 1_000, longest: 30_000, answer: 5_000 }

/**
 * What asks once, and from then on while the exchange is down, until the scope
 * ends or it has stopped.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  gateway: Pick<Gateway<never>, "balances" | "health" | "now">
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const { health } = gateway
  // What needs the key, and is short.
  const ask = Effect.suspend(() => gateway.balances(gateway.now() + askingMillis.answer))
  let isBegun = false
  const untilUp = (pause: number): Effect.Effect<void> =>
    Effect.flatMap(Effect.andThen(Effect.ignore(ask), health.current), ({ _tag }) =>
      _tag === "Down"
        ? Effect.delay(untilUp(Math.min(pause * 2, askingMillis.longest)), Duration.millis(pause))
        : Effect.void)
  const watched = Effect.andThen(
    untilUp(askingMillis.first),
    Stream.runForEach(health.changes, ({ _tag }) => _tag === "Down" ? untilUp(askingMillis.first) : Effect.void)
  )
  return Effect.suspend(() => {
    if (isBegun) return Effect.void
    isBegun = true
    return Effect.asVoid(Effect.forkIn(watched, scope, { startImmediately: true }))
  })
})
