/** Orders at an exchange in trouble, drawn by chance: whatever goes wrong, what is said of each is what became of it. */
import { assert, describe, it } from "@effect/vitest"
import type { TimeInForce } from "@tickline/core/trading/OrderRequest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import type * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import { market, request, withDesk } from "./CoinbaseDesk.ts"
import { decimal, give, pass } from "./Desk.ts"

const place = "POST orders"

/** What may go wrong with an order: it is taken at once, within the time in which it is looked for, or never. */
const faultOf = (chance: Chance.Chance): MockCoinbaseAdvanced.Fault | undefined => {
  const takenAfter = chance.pick([0, 0, 700, 3_500, Infinity])
  switch (chance.integer(12)) {
    case 0:
      return { _tag: "Withhold", call: place, takenAfter }
    case 1:
      return { _tag: "Cut", call: place, takenAfter }
    case 2:
      return { _tag: "Malform", call: place }
    case 3:
      return { _tag: "Delay", call: place, millis: chance.pick([300, 1_900, 2_500]) }
    case 4:
      return { _tag: "Late", call: place, millis: chance.pick([300, 1_900, 2_500]) }
    case 5:
      return { _tag: "Answer", call: place, status: chance.pick([500, 502, 503, 400, 429]) }
    default:
      return undefined
  }
}

const read = ["GET orders/historical/batch", "GET orders/historical/{id}", "GET orders/historical/fills"] as const

const faultOfReading = (chance: Chance.Chance): MockCoinbaseAdvanced.Fault | undefined => {
  const call = chance.pick(read)
  switch (chance.integer(6)) {
    case 0:
      return { _tag: "Answer", call, status: chance.pick([429, 503]), headers: { "retry-after": "1" } }
    case 1:
      return { _tag: "Malform", call }
    case 2:
      return { _tag: "Cut", call }
    case 3:
      return { _tag: "Withhold", call }
    default:
      return undefined
  }
}

const amountOf = (chance: Chance.Chance): string => `0.0${1 + chance.integer(9)}`

const run = (seed: number) =>
  withDesk(({ exchange, orders, other, served }) =>
    Effect.gen(function*() {
      const chance = Chance.make(seed)
      const given = []
      for (let n = 0; n < 12; n++) {
        for (const fault of [faultOf(chance), faultOfReading(chance)]) if (fault !== undefined) exchange.fault(fault)
        const clientId = `${n}`
        const amount = decimal(amountOf(chance))
        const side = chance.pick<"buy" | "sell">(["buy", "sell"])
        const price = decimal(chance.pick(["40000.00", "43250.50", "43251.00", "46000.00"]))
        const asked = chance.happens(0.2)
          ? market({ clientId, amount, side })
          : request({
            clientId,
            amount,
            side,
            price,
            timeInForce: chance.pick<TimeInForce>(["gtc", "gtc", "ioc", "fok", "post-only"])
          })
        const isFollowed = chance.happens(0.5)
        const command = yield* give(orders.place(asked, { deadline: "2 seconds", follow: isFollowed }))
        given.push({ clientId, command, isFollowed })
        if (chance.happens(0.3)) yield* served.host.drop
        if (chance.happens(0.3)) exchange.silence(chance.happens(0.5))
        if (chance.happens(0.4)) yield* other[chance.pick<"buy" | "sell">(["buy", "sell"])](amountOf(chance))
        yield* pass(chance.integer(3_000))
      }
      exchange.silence(false)
      yield* pass("40 seconds")

      for (const { clientId, command, isFollowed } of given) {
        const what = `seed ${seed}, order ${clientId}: ${command.lines().join("; ")}`
        const written = exchange.received().filter(({ call, question }) =>
          call === place && JSON.parse(question.body).client_order_id === clientId
        )
        assert.isAtMost(written.length, 1, what)
        const own = exchange.orders(clientId)
        assert.isAtMost(own.length, 1, what)
        const [order] = own
        const outcomes = command.events.filter(({ _tag }) => _tag !== "Fill" && _tag !== "OrderUpdate")
        const [first, last] = [outcomes[0], outcomes.at(-1)]
        // What is unknown is learned.
        assert.strictEqual(outcomes.length, first?._tag === "OutcomeUnknown" ? 2 : 1, what)
        const isThere = last?._tag === "Acknowledged" || (last?._tag === "Reconciled" && last.status !== "absent")
        assert.strictEqual(order !== undefined, isThere, what)
        if (order === undefined || !isFollowed) continue
        const fills = command.events.flatMap((event) => event._tag === "Fill" ? [event] : [])
        assert.strictEqual(new Set(fills.map(({ tradeId }) => tradeId)).size, fills.length, what)
        assert.deepStrictEqual(fills.map(({ tradeId }) => tradeId), order.fills.map(({ tradeId }) => tradeId), what)
        const filled = fills.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)
        assert.isTrue(BigDecimal.equals(filled, order.filled), what)
        assert.strictEqual(command.ended() === "done", order.status !== "OPEN", what)
      }
    }), { latency: 5, requestsPerSecond: 30, seed })

describe("Orders at a Coinbase Advanced Trade in trouble", () => {
  for (const seed of [1, 2, 3, 13, 21, 36]) it.effect(`seed ${seed}`, () => run(seed), 30_000)
})
