/**
 * The connections of a feed whose data is a recording: it has as many as were
 * recorded, from when they were dialled until they were closed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { internals } from "../../connection/internal/connectionInternals.ts"
import type { Transport } from "../../transport/Transport.ts"
import type { Leg, Legs } from "./legs.ts"

/**
 * Has a feed follow its recording until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  legs: Legs,
  endpoint: string,
  { another }: NonNullable<Transport["Service"]["replay"]>
): Effect.fn.Return<void, never, Scope.Scope> {
  const joined: Array<Leg> = []
  const follow = Effect.suspend(() =>
    Effect.forEach(
      joined.splice(0),
      (leg) =>
        Effect.suspend(() => leg.connection[internals].replay?.closed ?? Effect.never).pipe(
          Effect.andThen(Effect.suspend(() => legs.all.length > 1 ? legs.close(leg) : leg.connection.close())),
          Effect.forkScoped({ startImmediately: true })
        ),
      { discard: true }
    )
  )
  legs.watch({ added: (leg) => void joined.push(leg) })
  yield* follow
  yield* Effect.forkScoped(
    Effect.gen(function*() {
      while (true) {
        yield* another
        const leg = yield* legs.open(endpoint)
        yield* follow
        yield* Effect.forkScoped(Effect.ignore(leg.connection.connect), { startImmediately: true })
      }
    }),
    { startImmediately: true }
  )
})
