import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Credits from "@tickline/core/session/deribit/Credits"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Schema from "effect/Schema"
import { randomOf } from "./DeribitDescription.ts"

const { market: { getInstruments }, connection: { test }, trading: { buy, cancel, getOrderState } } = Methods

const summary = (limits: string) => {
  const json = ExactJson.parse(`{"currency":"BTC","balance":0,"equity":0,"available_funds":0,"limits":${limits}}`)
  return Schema.decodeUnknownSync(Methods.account.getAccountSummary.result)(json)
}

/** How many calls can be made at once. */
const atOnce = (credits: Credits.Credits, at: number, method: Pick<Methods.AnyMethod, "pool" | "priority">): number => {
  let left = credits
  let calls = 0
  while (Credits.waitFor(left, at, method) === 0) {
    left = Credits.spend(left, at, method.pool)
    calls++
  }
  return calls
}

describe("Credits of Deribit", () => {
  it("keeps a tenth of a pool for heartbeats and cancels", () => {
    const full = Credits.make(0)
    assert.strictEqual(atOnce(full, 0, getOrderState), 88)
    assert.strictEqual(atOnce(full, 0, test), 98)
    assert.strictEqual(atOnce(full, 0, buy), 17)
    assert.strictEqual(atOnce(full, 0, cancel), 19)
    assert.strictEqual(atOnce(full, 0, getInstruments), 44)
  })

  it("fills up at the pool's rate, and never beyond it", () => {
    let credits = Credits.make(1_000)
    while (Credits.waitFor(credits, 1_000, buy) === 0) credits = Credits.spend(credits, 1_000, "matching")
    const wait = Credits.waitFor(credits, 1_000, buy)
    assert.strictEqual(wait, 100)
    assert.isAbove(Credits.waitFor(credits, 1_000 + wait - 1, buy), 0)
    assert.strictEqual(Credits.waitFor(credits, 1_000 + wait, buy), 0)
    assert.strictEqual(atOnce(credits, 1_000_000, buy), 17)
    // Other pools are not touched, and a time that is earlier adds nothing.
    assert.strictEqual(atOnce(credits, 1_000, getOrderState), 88)
    assert.strictEqual(Credits.waitFor(credits, 0, buy), 100)
  })

  it("has the account's own figures once it says them", () => {
    const { "cancel-all": cancelAll, matching, quotes, requests, subscribe } = Credits.limitsOf(summary(
      `{"limits_per_currency":false,"non_matching_engine":{"burst":1500,"rate":1000},"matching_engine":` +
        `{"trading":{"total":{"burst":250,"rate":200}},"spot":{"burst":1,"rate":1},"quotes":{"burst":500,"rate":500},` +
        `"max_quotes":{"burst":10,"rate":10},"guaranteed_quotes":{"burst":3,"rate":2},"cancel_all":{"burst":25,"rate":20}}}`
    ))
    assert.deepStrictEqual(requests, { burst: 1_500, rate: 1_000 })
    assert.deepStrictEqual(matching, { burst: 250, rate: 200 })
    assert.deepStrictEqual(cancelAll, { burst: 25, rate: 20 })
    assert.deepStrictEqual(quotes, { burst: 3, rate: 2 })
    assert.deepStrictEqual(subscribe, Credits.published.subscribe)
  })

  it("has the least of limits by kind and currency, one limit of older answers, and what is published otherwise", () => {
    const of = (limits: string) => Credits.limitsOf(summary(limits))
    assert.deepStrictEqual(
      of(
        `{"limits_per_currency":true,"matching_engine":{"trading":{"btc":{"futures":{"rate":30,"burst":40},` +
          `"options":{"rate":20,"burst":100}},"total":{"rate":50,"burst":100}}}}`
      ).matching,
      { burst: 40, rate: 20 }
    )
    const older = of(`{"non_matching_engine":{"rate":30,"burst":100},"matching_engine":{"rate":7,"burst":21}}`)
    assert.deepStrictEqual([older.matching, older["cancel-all"]], [{ burst: 21, rate: 7 }, { burst: 21, rate: 7 }])
    for (
      const other of [`{}`, `null`, `{"non_matching_engine":200,"matching_engine":{"trading":{"total":{"rate":0}}}}`]
    ) {
      assert.deepStrictEqual(of(other), Credits.published)
    }
  })

  it("learns other limits without giving more than there was", () => {
    const more = { ...Credits.published, matching: { burst: 100, rate: 30 } }
    const credits = Credits.learn(Credits.spend(Credits.make(0), 0, "matching"), 0, more)
    assert.strictEqual(credits.left.matching, 19)
    assert.strictEqual(Credits.learn(credits, 60_000, more).left.matching, 100)
    assert.strictEqual(Credits.learn(credits, 0, Credits.published).left.matching, 19)
    const empty = Credits.exhausted(credits, 0, "matching")
    assert.strictEqual(empty.left.matching, 0)
    assert.strictEqual(Credits.waitFor(empty, 0, cancel), Math.ceil(4_000 / 30))
  })

  it("never finds a pool empty at the venue, however long calls are on their way", () => {
    const pools = ["requests", "subscribe", "matching", "quotes"] as const
    const priorities = ["query", "order", "cancel", "heartbeat"] as const
    for (let seed = 0; seed < 200; seed++) {
      const random = randomOf(seed)
      const pool = pools[random(pools.length)] ?? "requests"
      const { burst, rate } = Credits.published[pool]
      let credits = Credits.make(0)
      let at = 0
      const venue = { at: 0, left: burst }
      for (let call = 0; call < 300; call++) {
        at += random(4) === 0 ? random(10_000) : random(50)
        at += Credits.waitFor(credits, at, { pool, priority: priorities[random(priorities.length)] })
        credits = Credits.spend(credits, at, pool)
        const arrival = Math.max(venue.at, at + random(101))
        venue.left = Math.min(burst, venue.left + (arrival - venue.at) * rate / 1_000) - 1
        venue.at = arrival
        if (venue.left < -1e-9) assert.fail(`seed ${seed}: ${pool} ${venue.left} at ${arrival}`)
      }
    }
  })
})
