/** The lock by which one process at a time trades with a storage. */
import { assert, describe, it } from "@effect/vitest"
import * as HistoryLock from "@tickline/node/store/HistoryLock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Databases from "./Databases.ts"

type Taking = Effect.Effect<void, HistoryLock.LockHeld | HistoryLock.LockNotOpened | SqlError, Scope.Scope>

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: ({ _tag }) => _tag, onSuccess: () => "taken" })

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`The lock of a history: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      it.effect("is one process's at a time, and free when that ends", () =>
        Effect.gen(function*() {
          const { address, client } = yield* Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)
          const take: Taking = address.startsWith("postgres:")
            ? Effect.flatMap(Layer.build(Layer.fresh(client)), (context) =>
              HistoryLock.ofDatabase(Context.get(context, SqlClient.SqlClient)))
            : HistoryLock.ofFile(address)
          yield* Effect.scoped(Effect.gen(function*() {
            yield* take
            assert.strictEqual(yield* Effect.scoped(tagOf(take)), "LockHeld")
          }))
          assert.strictEqual(yield* Effect.scoped(tagOf(take)), "taken")
        }))
    })
  })
}

describe("The lock of a history", () => {
  it.effect("that cannot be opened says why", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(HistoryLock.ofFile("/nowhere/trader.sqlite")))
      assert.match(error.message, /cannot lock: ENOENT/)
    }))
})
