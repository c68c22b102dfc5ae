import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { incident, replayed } from "../incident.ts"

it.effect("a book whose change was lost is never told as if it were whole", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* replayed(incident), ["Live", "Gapped", "Syncing", "Live"])
  }))
