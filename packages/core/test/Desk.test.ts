/** What a trader knows of its lots, live and after a restart. */
import { assert, describe, it } from "@effect/vitest"
import { Signal } from "@tickline/core/strategy/Signal"
import { Instrument } from "@tickline/core/trading/Instrument"
import * as Order from "@tickline/core/trading/Order"
import { Fill } from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Risk from "@tickline/core/trading/Risk"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Result from "effect/Result"
import * as Desk from "../src/strategy/internal/desk.ts"
import type * as History from "../src/strategy/internal/traderHistory.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

const exchange = "here"
const product = "ETH-USD"
const at = Timestamp.fromEpochMillis(1_000)

const make = (options: Partial<Desk.Options> = {}) =>
  new Desk.Desk({
    quote: "USD",
    alike: [],
    limits: Risk.limits,
    portfolio: Portfolio.empty({ cash: decimal("10000"), quote: "USD" }),
    now: () => 1_000,
    tell: () => {},
    ...options
  })

const purposes: History.Past["purposes"] = new Map<string, { purpose: History.Purpose; at: Timestamp.Timestamp }>([
  ["lot", {
    at,
    purpose: {
      _tag: "Enter",
      product,
      side: "buy",
      confidence: 0.8,
      strategy: "by hand",
      price: decimal("100"),
      at,
      base: "ETH"
    }
  }],
  ["exit", { at, purpose: { _tag: "Exit", product, lot: "lot", why: "stop" } }]
])

let trades = 0
const fill = (clientId: "lot" | "exit", amount: string, fee?: string): History.PastFill => {
  const side = clientId === "lot" ? "buy" : "sell"
  const [price, filled] = [decimal("100"), decimal(amount)]
  const order = Order.make(
    exchange,
    new OrderRequest({
      product,
      side,
      type: "limit",
      amount: filled,
      price,
      timeInForce: "ioc",
      reduceOnly: false,
      clientId
    })
  )
  const charged = fee === undefined ? {} : { fee: decimal(fee), feeAsset: "ETH" }
  const told = { exchange, product, side, clientId, price, amount: filled, tradeId: String(++trades) } as const
  return { of: clientId, order, fill: new Fill({ ...told, ...charged }) }
}

/** A lot of spot of which 0.04 is left, and what is told of its entry only then. */
const fills = [fill("lot", "1", "0.01"), fill("exit", "0.95"), fill("lot", "0.5", "0.005"), fill("exit", "0.45")]

const past = (
  fills: ReadonlyArray<History.PastFill>,
  ...rests: ReadonlyArray<readonly [amount: string, fills: number]>
): History.Past => ({
  opening: undefined,
  openedAt: undefined,
  halt: undefined,
  purposes,
  writtenOff: new Map([["lot", rests.map(([amount, fills]) => ({ amount: decimal(amount), fills, at }))]]),
  fills,
  open: []
})

interface Seen {
  readonly left: ReadonlyArray<string>
  readonly trades: number
}

const seen = ({ portfolio: { lots, total, trades } }: Desk.Desk): Seen & { readonly total: string } => ({
  left: [...lots.values()].map(({ amount }) => Decimal.format(amount)),
  total: Decimal.format(total),
  trades
})

describe("a rest that was given up", () => {
  it("is so after a restart as it was, also if the entry was filled once more after it", () => {
    for (
      const [count, rests, expected] of [
        [2, [], { left: ["0.04"], trades: 0 }],
        [2, [["0.04", 2]], { left: [], trades: 1 }],
        [3, [["0.04", 2]], { left: ["0.495"], trades: 1 }],
        [4, [["0.04", 2], ["0.045", 2]], { left: [], trades: 2 }]
      ] as const
    ) {
      const desk = make()
      desk.restore(past(fills.slice(0, count), ...rests))
      assert.deepInclude(seen(desk), expected, `after ${count} fills`)
      assert.deepStrictEqual(Portfolio.violations(desk.portfolio), [])

      // As it was told.
      const live = make()
      const open = [...rests]
      for (const each of fills.slice(0, count)) {
        live.restore(past([each]))
        const [rest] = open
        const left = live.portfolio.lots.get("lot")?.amount
        if (rest === undefined || left === undefined || Decimal.format(left) !== rest[0]) continue
        live.writeOff("lot", { amount: left, fills: rest[1] }, "stop")
        open.shift()
      }
      assert.deepStrictEqual(seen(live), seen(desk))
    }
  })

  it("is not given up once it is another amount, or after other fills", () => {
    for (const rest of [{ amount: decimal("0.05"), fills: 2 }, { amount: decimal("0.04"), fills: 3 }]) {
      const desk = make()
      desk.restore(past(fills.slice(0, 2)))
      desk.writeOff("lot", rest, "stop")
      assert.deepStrictEqual(seen(desk).left, ["0.04"])
    }
  })
})

describe("a product whose base counts as the currency", () => {
  const product = "USDC-USD"
  const signal = new Signal({
    venue: "here",
    product,
    side: "buy",
    price: decimal("1"),
    confidence: 0.9,
    at,
    strategy: "by hand"
  })
  const [tick, lot] = [decimal("0.0001"), decimal("0.01")]
  const rules = new Instrument({ product, tick, lot, base: "USDC", feeAsset: "USD" })
  const limits = { ...Risk.limits, products: [product] }
  const refusal = (quote: string, alike: ReadonlyArray<string>) => {
    const portfolio = Portfolio.empty({ cash: decimal("10000"), quote })
    const checked = make({ quote, alike, limits, portfolio }).check("id", signal, rules)
    return Result.isFailure(checked) ? checked.failure : undefined
  }

  it("is not traded: it would be bought with what it counts as", () => {
    for (const [quote, other] of [["USD", "USDC"], ["USDC", "USD"]] as const) {
      const refused = refusal(quote, [other])
      assert.deepStrictEqual(refused?.reason, { _tag: "IsCurrency", asset: "USDC" })
    }
    assert.isUndefined(refusal("USD", []))
  })
})
