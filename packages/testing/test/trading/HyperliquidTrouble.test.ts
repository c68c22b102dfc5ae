/** Orders at a Hyperliquid in trouble: whatever goes wrong, what is said of each is what became of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Chance from "@tickline/testing/Chance"
import type * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as Effect from "effect/Effect"
import { decimal, give, pass } from "./Desk.ts"
import { address, request, withDesk } from "./HyperliquidDesk.ts"

const orders = 25

const faults = (chance: Chance.Chance): ReadonlyArray<MockHyperliquidExchange.Fault> => {
  const call = ["order", "orderStatus", "meta", "userRole"][chance.integer(4)] ?? "order"
  const takenAfter = [0, 1_000, 4_000, 6_000, Infinity][chance.integer(5)] ?? 0
  const all: ReadonlyArray<MockHyperliquidExchange.Fault> = [
    { _tag: "Cut", call, takenAfter },
    { _tag: "Withhold", call, takenAfter },
    { _tag: "Delay", call, millis: 500 + chance.integer(6_000) },
    { _tag: "Late", call, millis: 500 + chance.integer(6_000) },
    { _tag: "Malform", call },
    { _tag: "Answer", call, status: [429, 500, 502, 503, 422][chance.integer(5)] ?? 500 }
  ]
  return chance.happens(0.6) ? [all[chance.integer(all.length)] ?? assert.fail()] : []
}

describe("orders at a Hyperliquid in trouble", () => {
  for (const seed of Array.from({ length: 8 }, (_, index) => index + 1)) {
    it.effect(`have one outcome each, which is true, and are sent once: seed ${seed}`, () =>
      withDesk((desk) =>
        Effect.gen(function*() {
          const { exchange, orders: side, served } = desk
          const chance = Chance.make(seed)
          const given = []
          for (let n = 1; n <= orders; n++) {
            for (const fault of faults(chance)) exchange.fault(fault)
            if (chance.happens(0.1)) { for (const peer of served.host.peers()) yield* peer.drop }
            if (chance.happens(0.05)) yield* served.host.script({ _tag: "Refuse" }, { _tag: "Refuse" })
            exchange.fail(chance.happens(0.2) ? 0.3 : 0)
            const clientId = `0x${String(n).padStart(32, "0")}`
            const price = chance.happens(0.5) ? "40000" : "50000"
            given.push({ clientId, events: yield* give(side.place(request({ clientId, price: decimal(price) }))) })
            yield* pass(`${chance.integer(3_000)} millis`)
          }
          exchange.fail(0)
          yield* pass("2 minutes")
          for (const { clientId, events: { ended, events } } of given) {
            const there = exchange.orders(address).filter((order) => order.clientId === clientId)
            assert.isAtMost(there.length, 1, clientId)
            assert.strictEqual(ended(), "done", clientId)
            const [first, second] = events
            assert.strictEqual(events.length, first?._tag === "OutcomeUnknown" ? 2 : 1, `${seed} ${clientId}`)
            const last = second ?? first
            const isThere = last !== undefined && "status" in last && last.status !== "absent"
            assert.strictEqual(there.length, isThere ? 1 : 0, `${seed} ${clientId} ${JSON.stringify(events)}`)
          }
          const sent = exchange.received().filter(({ call }) => call === "order")
            .map(({ question: { body } }) => JSON.parse(body))
          const ids = sent.map(({ action: { orders: [order] } }) => String(order.c))
          assert.strictEqual(new Set(ids).size, ids.length)
          const nonces = exchange.received().filter(({ question: { path } }) => path === "/exchange")
            .map(({ question: { body } }) => Number(JSON.parse(body).nonce))
          assert.strictEqual(new Set(nonces).size, nonces.length)
          assert.isAbove(ids.length, orders / 2)
        })
      ))
  }
})
