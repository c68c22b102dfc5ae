/** What a database itself has to do with the storage: its tables, and the nonces that are kept in it. */
import { assert, describe, it } from "@effect/vitest"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as Databases from "./Databases.ts"

const request = new OrderRequest({
  product: "BTC-PERPETUAL",
  side: "buy",
  type: "market",
  amount: BigDecimal.make(10n, 1),
  timeInForce: "ioc",
  reduceOnly: false,
  clientId: "a"
})

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`SqlStorage: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      const fresh = Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)

      const opened = ({ client }: Databases.Database) => Layer.build(Layer.provide(SqlStorage.layer, client))

      // The client's own connections live in real time.
      const nonces = (database: Databases.Database) =>
        TestClock.withLive(Effect.map(opened(database), (built) => Context.get(built, NonceStore.NonceStore)))

      it.effect("processes that start at once on an empty database bring it up together", () =>
        Effect.gen(function*() {
          const database = yield* fresh
          const all = yield* Effect.all(Array.from({ length: 6 }, () => opened(database)), { concurrency: "unbounded" })
          const claims = yield* Effect.all(
            all.map((built) => Context.get(built, Storage.Storage).claim(request)),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(claims.filter(({ isFirst }) => isFirst).length, 1)
        }))

      it.effect("a database of a later version is refused, and left alone", () =>
        Effect.gen(function*() {
          const database = yield* fresh
          yield* opened(database)
          const sql = Context.get(yield* Layer.build(database.client), SqlClient.SqlClient)
          yield* sql`INSERT INTO tickline_migrations ${sql.insert({ migration_id: 99, name: "later" })}`
          const error = yield* Effect.flip(Effect.scoped(opened(database)))
          assert.strictEqual(error._tag, "NewerSchema")
          assert.include(error.message, "later version of Tickline (schema 99; this one knows 1)")
        }))

      it.effect("nonces are the time, or the next above the last, of each signer", () =>
        Effect.gen(function*() {
          const store = yield* nonces(yield* fresh)
          yield* TestClock.setTime(1_700_000_000_000)
          assert.deepStrictEqual(
            yield* Effect.all([store.next("a"), store.next("a"), store.next("b"), store.next("a")]),
            [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_000, 1_700_000_000_002]
          )
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* store.next("a"), 1_700_000_060_000)
          yield* TestClock.setTime(1_600_000_000_000)
          assert.strictEqual(yield* store.next("a"), 1_700_000_060_001)
        }).pipe(Effect.provide(TestClock.layer())))

      it.effect("a nonce is never given again: not after an end without notice, nor by two at once, nor beyond a lease", () =>
        Effect.gen(function*() {
          const database = yield* fresh
          yield* TestClock.setTime(1_700_000_000_000)
          const [one, other] = [yield* nonces(database), yield* nonces(database)]
          const all: Array<number> = []
          for (let times = 0; times < 40; times++) {
            all.push(yield* one.next("a"), yield* other.next("a"))
            if (times % 10 === 9) {
              // As one that was killed: its lease is lost.
              const killed = yield* nonces(database)
              all.push(yield* killed.next("a"))
              yield* TestClock.adjust("7 seconds")
            }
          }
          assert.strictEqual(new Set(all).size, all.length)
          const many = yield* Effect.forEach(Array.from({ length: 10_050 }), () => one.next("b"))
          assert.isTrue(many.every((nonce, index) => index === 0 || nonce > (many[index - 1] ?? 0)))
        }).pipe(Effect.provide(TestClock.layer())))

      it.effect("what is left of a lease goes back, so that nonces stay near the clock", () =>
        Effect.gen(function*() {
          const database = yield* fresh
          yield* TestClock.setTime(1_700_000_000_000)
          const given: Array<number> = []
          for (let times = 0; times < 5; times++) {
            const scope = yield* Scope.make()
            const store = yield* Scope.provide(nonces(database), scope)
            given.push(yield* store.next("a"))
            yield* Scope.close(scope, Exit.void)
          }
          assert.deepStrictEqual(given, Array.from({ length: 5 }, (_, index) => 1_700_000_000_000 + index))
        }).pipe(Effect.provide(TestClock.layer())))
    })
  })
}
