import { assert, it } from "@effect/vitest"
import * as SeededScheduler from "@tickline/testing/SeededScheduler"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

/** The application: an account from which nobody takes more than there is. */
const makeAccount = (balance: number) =>
  Effect.map(Ref.make(balance), (left) => ({
    left: Ref.get(left),
    // In one step: `Ref.get` and then `Ref.set` would be two, with somebody in between.
    take: (amount: number) => Ref.modify(left, (before) => before >= amount ? [true, before - amount] : [false, before])
  }))

it.effect("is never overdrawn, whoever comes first", () =>
  SeededScheduler.check(
    Effect.gen(function*() {
      const account = yield* makeAccount(100)
      const taken = yield* Effect.all([account.take(70), account.take(70)], { concurrency: "unbounded" })
      assert.strictEqual(taken.filter((isTaken) => isTaken).length, 1)
      assert.strictEqual(yield* account.left, 30)
    }),
    { seeds: [1, 500] }
  ))
