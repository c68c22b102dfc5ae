/** What is checked before a signal becomes an order, check by check and in their order. */
import { assert, describe, it } from "@effect/vitest"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import { Fill } from "@tickline/core/trading/OrderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Risk from "@tickline/core/trading/Risk"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
/** Without trailing zeros. */
const text = (value: Decimal.Decimal | undefined) => value && Decimal.format(BigDecimal.normalize(value))

const rules = {
  product: "BTC-USD",
  tick: decimal("0.01"),
  lot: decimal("0.001"),
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("0.0005"), taker: decimal("0.001") })
}
const spot = new Instrument({ ...rules, base: "BTC" })
const linear = new Instrument(rules)
const limits: Risk.Limits = { ...Risk.limits, products: ["BTC-USD", "ETH-USD"] }
const [minute, hour] = [60_000, 3_600_000]
const start = 1_750_000_000_000

const begin = (cash = "10000", own?: Partial<Portfolio.Limits>): Risk.State => ({
  portfolio: Portfolio.empty({ cash: decimal(cash), quote: "USD", ...(own === undefined ? {} : { limits: own }) }),
  admissions: []
})

type Change = Partial<Omit<Risk.Input, "signal">> & { readonly signal?: Partial<Risk.Input["signal"]> }

let ids = 0
const input = ({ signal, ...more }: Change = {}): Risk.Input => {
  const now = more.now ?? start
  return {
    id: `order ${++ids}`,
    signal: { product: "BTC-USD", side: "buy", confidence: 0.8, at: now, ...signal },
    instrument: spot,
    price: decimal("100"),
    pricedAt: now,
    now,
    ...more
  }
}
const check = (state: Risk.State, change?: Change, own: Partial<Risk.Limits> = {}) =>
  Risk.check({ ...limits, ...own }, state, input(change))
const admit = (state: Risk.State, change?: Change, own?: Partial<Risk.Limits>) =>
  Result.getOrThrowWith(check(state, change, own), (refused) => new Error(refused.reason._tag))
const refuse = (state: Risk.State, change?: Change, own?: Partial<Risk.Limits>) =>
  Result.getOrThrowWith(Result.flip(check(state, change, own)), () => new Error("was admitted"))
const reasonOf = (...args: Parameters<typeof refuse>) => refuse(...args).reason
/** One after the other, so that none is the same signal as another. */
const after = (count: number, everyMillis: number, state = begin("1000000", { maxLots: 99, maxPerProduct: 99 })) =>
  Array.from({ length: count }, (_, index) => index).reduce(
    (state, index) => {
      const { admission, state: next } = admit(state, { now: start + index * everyMillis }, {
        share: decimal("0.001"),
        repeatAfter: 0,
        perHour: 99
      })
      return { ...next, portfolio: Portfolio.release(next.portfolio, admission.id) }
    },
    state
  )

describe("a signal that passes", () => {
  it("becomes a limit order of the portfolio's share at the price and the slippage", () => {
    const { request } = admit(begin(), { id: "mine" })
    assert.deepStrictEqual(
      { ...request, amount: text(request.amount), price: text(request.price) },
      {
        product: "BTC-USD",
        side: "buy",
        type: "limit",
        amount: "10",
        price: "100.2",
        timeInForce: "ioc",
        reduceOnly: false,
        clientId: "mine"
      }
    )
    const sell = admit(begin(), { instrument: linear, signal: { side: "sell" } }).request
    assert.deepStrictEqual([sell.side, text(sell.price), text(sell.amount)], ["sell", "99.8", "10"])
    assert.strictEqual(admit(begin(), {}, { timeInForce: "gtc" }).request.timeInForce, "gtc")
  })

  it("is cut to a tick within the slippage, and to a lot within the share", () => {
    const instrument = new Instrument({ ...rules, tick: decimal("0.7"), lot: decimal("0.7") })
    const buy = admit(begin(), { instrument }).request
    assert.deepStrictEqual([text(buy.price), text(buy.amount)], ["100.1", "9.8"])
    const sell = admit(begin(), { instrument, signal: { side: "sell" } }).request
    assert.deepStrictEqual([text(sell.price), text(sell.amount)], ["100.1", "9.8"])
    // A tick by which no price lies within.
    const coarse = new Instrument({ ...rules, tick: decimal("200") })
    const none = reasonOf(begin(), { instrument: coarse })
    assert.deepStrictEqual(none._tag === "NoPrice" ? [text(none.price), text(none.tick)] : none, ["100", "200"])
  })

  it("sets its money aside with the larger fee, and is remembered", () => {
    const { admission, state } = admit(begin(), { id: "mine", now: start + 1, signal: { confidence: 0.9 } })
    // 10 at 100.2, and 0.1 % of it.
    assert.strictEqual(text(Portfolio.available(state.portfolio)), "8996.998")
    assert.deepStrictEqual(state.admissions, [admission])
    assert.deepStrictEqual(
      { ...admission },
      { id: "mine", product: "BTC-USD", side: "buy", confidence: 0.9, at: start + 1 }
    )
    const read = Schema.decodeUnknownSync(Risk.Admission)(JSON.parse(JSON.stringify(admission)))
    assert.deepStrictEqual(read, admission)
  })

  it("is at most what the available money comes to", () => {
    const state = begin("1000")
    assert.strictEqual(text(admit(state, {}, { share: decimal("5") }).request.amount), "7.984")
    // Half of what would be 8,000 is there; by leverage less than the exposure allows.
    const balances = new Map([["USD", decimal("500")]])
    assert.strictEqual(text(admit(state, { balances }, { share: decimal("5") }).request.amount), "3.992")
    const careful = { share: decimal("5"), leverage: decimal("0.5") }
    assert.strictEqual(text(admit(state, { instrument: linear }, careful).request.amount), "4.99")
    assert.strictEqual(
      text(admit(state, {}, { share: decimal("5"), maximumValue: decimal("250") }).request.amount),
      "2.5"
    )
  })

  it("is at most what the instrument takes", () => {
    const instrument = new Instrument({ ...rules, maximum: decimal("2.5") })
    assert.strictEqual(text(admit(begin(), { instrument }).request.amount), "2.5")
  })

  it("never has a value beyond the share where a quotient is rounded up", () => {
    // 1,000 / 1.5 = 666.67: rounded to a lot of 1 it would be 667.
    const instrument = new Instrument({ ...rules, lot: decimal("1") })
    assert.strictEqual(text(admit(begin(), { instrument, price: decimal("1.5") }).request.amount), "666")
  })
})

describe("a signal is refused", () => {
  it("that was executed within 5 minutes, by product, side and confidence", () => {
    const { admission, state } = admit(begin())
    const later = start + 5 * minute
    const repeated = refuse(state, { now: later - 1 })
    assert.deepStrictEqual(repeated.reason, { _tag: "Repeated", id: admission.id, ageMillis: 5 * minute - 1 })
    admit(state, { now: later })
    admit(state, { signal: { confidence: 0.81 } })
    admit(state, { instrument: linear, signal: { side: "sell" } })
    admit(state, { signal: { product: "ETH-USD" } })
    const withdrawn = Risk.withdraw(state, admission.id)
    assert.strictEqual(text(Portfolio.available(withdrawn.portfolio)), "10000")
    admit(withdrawn)
  })

  it("of a product that is not allowed, or is paid in another currency", () => {
    assert.deepStrictEqual(reasonOf(begin(), { signal: { product: "DOGE-USD" } }), {
      _tag: "NotAllowed",
      product: "DOGE-USD"
    })
    assert.strictEqual(reasonOf(begin(), {}, { products: Risk.limits.products })._tag, "NotAllowed")
    const other = new Instrument({ ...rules, feeAsset: "EUR" })
    assert.deepStrictEqual(reasonOf(begin(), { instrument: other }), {
      _tag: "OtherCurrency",
      asset: "EUR",
      quote: "USD"
    })
    const inverse = new Instrument({ ...rules, valuation: "inverse" })
    assert.strictEqual(reasonOf(begin(), { instrument: inverse })._tag, "OtherCurrency")
  })

  it("of too little confidence, or of none that is a number", () => {
    assert.deepStrictEqual(reasonOf(begin(), { signal: { confidence: 0.699 } }), {
      _tag: "Confidence",
      confidence: 0.699,
      least: 0.7
    })
    assert.strictEqual(reasonOf(begin(), { signal: { confidence: NaN } })._tag, "Confidence")
    admit(begin(), { signal: { confidence: 0.7 } })
  })

  it("that says to hold", () => {
    assert.deepStrictEqual(reasonOf(begin(), { signal: { side: "hold" } }), { _tag: "Hold" })
  })

  it("after 10 orders in an hour, until the first of them is an hour old", () => {
    const ten = after(10, minute)
    assert.deepStrictEqual(reasonOf(ten, { now: start + 20 * minute }), {
      _tag: "PerHour",
      count: 10,
      most: 10,
      waitMillis: 40 * minute
    })
    assert.strictEqual(reasonOf(ten, { now: start + hour - 1 })._tag, "PerHour")
    admit(ten, { now: start + hour })
    // One that came to nothing counts.
    const first = ten.admissions[0] ?? assert.fail()
    assert.strictEqual(reasonOf(Risk.withdraw(ten, first.id), { now: start + 20 * minute })._tag, "PerHour")
  })

  it("after 50 orders in a day, until the first of them is a day old", () => {
    const fifty = after(50, 7 * minute)
    const now = start + 12 * hour
    assert.deepStrictEqual(reasonOf(fifty, { now }), { _tag: "PerDay", count: 50, most: 50, waitMillis: 12 * hour })
    const { state } = admit(fifty, { now: start + 24 * hour })
    assert.strictEqual(state.admissions.length, 50)
  })

  it("that would be too small", () => {
    const small = reasonOf(begin("999"), {})
    assert.deepStrictEqual(
      small._tag === "TooSmall" ? [text(small.amount), text(small.value)] : small,
      ["0.999", "99.9"]
    )
    assert.strictEqual(
      reasonOf(begin(), { price: decimal("20000000") }, { minimumValue: decimal("0") })._tag,
      "TooSmall"
    )
    const instrument = new Instrument({ ...rules, minimum: decimal("11") })
    assert.strictEqual(reasonOf(begin(), { instrument })._tag, "TooSmall")
    const worth = new Instrument({ ...rules, minimumValue: decimal("1000.1") })
    const least = reasonOf(begin(), { instrument: worth })
    assert.strictEqual(least._tag === "TooSmall" ? text(least.minimumValue) : least._tag, "1000.1")
    // What is sold may be sold for less than the price.
    const sold = new Instrument({ ...rules, minimumValue: decimal("999.9") })
    assert.strictEqual(reasonOf(begin(), { instrument: sold, signal: { side: "sell" } })._tag, "TooSmall")
    assert.isTrue(Decimal.isPositive(admit(begin(), { instrument: sold }).request.amount))
    const fine = new Instrument({ ...rules, lot: decimal("0.00000001") })
    const tiny = { minimumValue: decimal("0"), share: decimal("0.000001") }
    assert.strictEqual(reasonOf(begin(), { instrument: fine, price: decimal("101") }, tiny)._tag, "TooSmall")
    assert.strictEqual(text(admit(begin(), { instrument: fine }, tiny).request.amount), "0.0001")
  })

  it("that is too old, or whose price is", () => {
    const now = start + hour
    assert.deepStrictEqual(reasonOf(begin(), { now, signal: { at: now - 30_000 } }), {
      _tag: "StaleSignal",
      ageMillis: 30_000,
      mostMillis: 30_000
    })
    const stale = refuse(begin(), { now, pricedAt: now - 5_000 })
    assert.deepStrictEqual(stale.reason, { _tag: "StalePrice", ageMillis: 5_000, mostMillis: 5_000 })
    admit(begin(), { now, pricedAt: now - 4_999, signal: { at: now - 29_999 } })
    // A venue's clock may be ahead.
    admit(begin(), { now, pricedAt: now + 50, signal: { at: now + 50 } })
  })

  it("whose price is none", () => {
    assert.strictEqual(reasonOf(begin(), { price: decimal("0") })._tag, "Terms")
    assert.strictEqual(reasonOf(begin(), { price: decimal("-1") })._tag, "Terms")
  })

  it("that would break an invariant of the portfolio", () => {
    const four = admit(begin(), {}, { repeatAfter: 0 })
    const one = { maxPerProduct: 1 }
    const crowded = { ...four.state, portfolio: { ...four.state.portfolio, limits: { ...Portfolio.limits, ...one } } }
    assert.strictEqual(reasonOf(crowded, {}, { repeatAfter: 0 })._tag, "LotsOfProduct")
    const none = { ...four.state, portfolio: { ...four.state.portfolio, limits: { ...Portfolio.limits, maxLots: 1 } } }
    assert.strictEqual(reasonOf(none, {}, { repeatAfter: 0 })._tag, "Lots")
    const most = {
      ...four.state,
      portfolio: { ...four.state.portfolio, limits: { ...Portfolio.limits, maxExposure: decimal("0.2") } }
    }
    assert.strictEqual(reasonOf(most, {}, { repeatAfter: 0 })._tag, "Exposure")
  })

  it("for which the exchange has too little", () => {
    const usd = (amount: string) => new Map([["USD", decimal(amount)]])
    const poor = reasonOf(begin(), { balances: usd("99") })
    assert.deepStrictEqual(
      poor._tag === "Balance" ? [poor.asset, text(poor.needed), text(poor.available)] : poor,
      ["USD", "100", "99"]
    )
    // To sell what is spot takes what is sold; of a derivative it takes a margin.
    const btc = new Map([...usd("10000"), ["BTC", decimal("9.999")] as const])
    const lacks = reasonOf(begin(), { balances: btc, signal: { side: "sell" } })
    assert.deepStrictEqual(
      lacks._tag === "Balance" ? [lacks.asset, text(lacks.needed), text(lacks.available)] : lacks,
      ["BTC", "10", "9.999"]
    )
    admit(begin(), { balances: btc, instrument: linear, signal: { side: "sell" } })
    admit(begin(), { balances: new Map([...usd("10000"), ["BTC", decimal("10")] as const]), signal: { side: "sell" } })
    // The fees are needed besides.
    const all = { share: decimal("5"), maxExposure: decimal("1") }
    const wide = begin("1000", { maxExposure: decimal("2") })
    assert.strictEqual(reasonOf(wide, {}, all)._tag, "Cash")
    const rich = begin("100000", { maxExposure: decimal("2") })
    assert.strictEqual(reasonOf(rich, { balances: usd("1000") }, all)._tag, "Balance")
    // By a leverage of 2 a derivative takes half of its value, and spot all of it.
    const twice = { share: decimal("0.019"), maxExposure: decimal("3"), leverage: decimal("2") }
    const half = usd("1000")
    assert.strictEqual(text(admit(rich, { balances: half, instrument: linear }, twice).request.amount), "19")
    assert.strictEqual(reasonOf(rich, { balances: half }, twice)._tag, "Balance")
  })

  it("by the first check that refuses", () => {
    const worst: Change = {
      instrument: new Instrument({ ...rules, tick: decimal("200") }),
      balances: new Map([["USD", decimal("1000")]]),
      pricedAt: start - hour,
      signal: { product: "DOGE-USD", side: "hold", confidence: 0.1, at: start - hour }
    }
    const full = after(50, 1000)
    const broken = { ...full, portfolio: { ...full.portfolio, limits: { ...Portfolio.limits, maxLots: 0 } } }
    interface Asked {
      readonly state: Risk.State
      readonly change: Change
      readonly own: Partial<Risk.Limits>
    }
    const signalling = (signal: Change["signal"]) => ({ change, ...more }: Asked): Asked => ({
      ...more,
      change: { ...change, signal: { ...change.signal, ...signal } }
    })
    const with_ = (change: Change) => (asked: Asked): Asked => ({ ...asked, change: { ...asked.change, ...change } })
    const under = (own: Partial<Risk.Limits>) => (asked: Asked): Asked => ({ ...asked, own: { ...asked.own, ...own } })
    const steps: ReadonlyArray<(asked: Asked) => Asked> = [
      signalling({ product: "BTC-USD" }),
      signalling({ confidence: 0.75 }),
      signalling({ side: "buy" }),
      under({ perHour: 99 }),
      under({ perDay: 99 }),
      under({ minimumValue: decimal("100") }),
      signalling({ at: start }),
      with_({ pricedAt: start }),
      (asked) => ({ ...asked, state: full }),
      with_({ balances: new Map() })
    ]
    const own = { minimumValue: decimal("1e9"), share: decimal("0.001"), maxExposure: decimal("1") }
    let asked: Asked = { state: broken, change: worst, own }
    const seen = [reasonOf(asked.state, asked.change, asked.own)._tag]
    for (const step of steps) {
      asked = step(asked)
      seen.push(reasonOf(asked.state, asked.change, asked.own)._tag)
    }
    assert.deepStrictEqual(seen, [
      "NotAllowed",
      "Confidence",
      "Hold",
      "PerHour",
      "PerDay",
      "TooSmall",
      "StaleSignal",
      "StalePrice",
      "Lots",
      "Balance",
      "NoPrice"
    ])
  })

  it("with a code, how bad it is, and whether it may pass soon", () => {
    const now = start + hour
    const refusals = [
      refuse(admit(begin(), { now }).state, { now }),
      refuse(begin(), { signal: { product: "DOGE-USD" } }),
      refuse(begin(), { instrument: new Instrument({ ...rules, feeAsset: "EUR" }) }),
      refuse(begin(), { signal: { confidence: 0 } }),
      refuse(begin(), { signal: { side: "hold" } }),
      refuse(begin(), {}, { perHour: 0 }),
      refuse(begin(), {}, { perDay: 0 }),
      refuse(begin("1")),
      refuse(begin(), { now, signal: { at: 0 } }),
      refuse(begin(), { now, pricedAt: 0 }),
      refuse(begin(), { price: decimal("0") }),
      refuse(begin("10000", { maxLots: 0 })),
      refuse(begin("10000", { maxPerProduct: 0 })),
      refuse(begin("10000", { maxExposure: decimal("0") })),
      refuse(begin("1000", { maxExposure: decimal("2") }), {}, { share: decimal("5"), maxExposure: decimal("1") }),
      refuse(begin(), { balances: new Map([["USD", decimal("1")]]) }),
      refuse(begin(), { instrument: new Instrument({ ...rules, tick: decimal("200") }) })
    ]
    assert.deepStrictEqual(
      refusals.map(({ code, isRecoverable, reason, severity }) => [reason._tag, code, severity, isRecoverable]),
      [
        ["Repeated", "ERR_DUPLICATE_SIGNAL", "Minor", false],
        ["NotAllowed", "ERR_SYMBOL_NOT_WHITELISTED", "Major", false],
        ["OtherCurrency", "ERR_CURRENCY", "Major", false],
        ["Confidence", "ERR_LOW_CONFIDENCE", "Minor", false],
        ["Hold", "ERR_HOLD", "Minor", false],
        ["PerHour", "ERR_HOURLY_LIMIT", "Major", false],
        ["PerDay", "ERR_DAILY_LIMIT", "Major", false],
        ["TooSmall", "ERR_ORDER_TOO_SMALL", "Minor", false],
        ["StaleSignal", "ERR_STALE_SIGNAL", "Minor", false],
        ["StalePrice", "ERR_STALE_PRICE", "Major", true],
        ["Terms", "ERR_INVALID_ORDER", "Major", false],
        ["Lots", "ERR_POSITION_LIMIT", "Major", false],
        ["LotsOfProduct", "ERR_SYMBOL_POSITION_LIMIT", "Major", false],
        ["Exposure", "ERR_EXPOSURE_LIMIT", "Major", false],
        ["Cash", "ERR_INSUFFICIENT_BALANCE", "Critical", false],
        ["Balance", "ERR_INSUFFICIENT_BALANCE", "Critical", false],
        ["NoPrice", "ERR_INVALID_ORDER", "Major", false]
      ]
    )
  })
})

const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

describe("whatever is asked", () => {
  let admitted = 0

  it.prop(
    "an order is legal, within the slippage and the share, and can be paid",
    [Arbitrary.array(
      Arbitrary.schema(Schema.Struct({
        side: Schema.Literals(["buy", "sell"]),
        price: below(20_000),
        tick: below(400),
        lot: below(400),
        share: below(30),
        fill: below(4),
        isSpot: Schema.Boolean
      })),
      { minLength: 1, maxLength: 30 }
    )],
    ([chances]) => {
      let state = begin()
      for (const { fill, isSpot, lot, price: units, share, side, tick } of chances) {
        const price = BigDecimal.make(BigInt(units + 100), 2)
        const instrument = new Instrument({
          ...rules,
          ...(isSpot ? { base: "BTC" } : {}),
          tick: BigDecimal.make(BigInt(tick + 1), 3),
          lot: BigDecimal.make(BigInt(lot + 1), 3)
        })
        const own = { share: BigDecimal.make(BigInt(share + 1), 2), repeatAfter: 0, perHour: 99 }
        const found = check(state, { instrument, price, signal: { side } }, own)
        if (Result.isFailure(found)) continue
        admitted++
        const { request: { amount, clientId, price: limit = Decimal.zero }, state: next } = found.success
        const worth = BigDecimal.multiply(amount, price)
        assert.isTrue(BigDecimal.isLessThanOrEqualTo(worth, BigDecimal.multiply(state.portfolio.total, own.share)))
        const apart = side === "buy" ? BigDecimal.subtract(limit, price) : BigDecimal.subtract(price, limit)
        assert.isTrue(BigDecimal.isLessThanOrEqualTo(apart, BigDecimal.multiply(price, limits.slippage)))
        for (const [value, step] of [[amount, instrument.lot], [limit, instrument.tick]] as const) {
          assert.strictEqual(BigDecimal.remainderUnsafe(value, step).value, 0n)
          assert.isTrue(Decimal.isPositive(value))
        }
        assert.isTrue(Portfolio.available(next.portfolio).value >= 0n)
        // Filled in full, in part, or not at all.
        const part = BigDecimal.multiply(amount, BigDecimal.make(BigInt(fill), 0))
        state = fill === 0 ? Risk.withdraw(next, clientId) : {
          ...next,
          portfolio: Result.getOrThrow(Portfolio.enter(
            next.portfolio,
            clientId,
            new Fill({
              exchange: "here",
              product: "BTC-USD",
              side,
              price: side === "buy" ? limit : price,
              amount: BigDecimal.multiply(part, decimal("0.25")),
              tradeId: clientId
            }),
            0
          ))
        }
        const broken = Portfolio.violations(state.portfolio).filter(({ _tag }) => _tag !== "Exposure")
        assert.deepStrictEqual(broken, [])
      }
    },
    { timeout: 60_000, arbitrary: { runs: 400, size: 30, seed: process.env["TICKLINE_SEED"] ?? "risk" } }
  )

  it("was often enough admitted", () => assert.isAbove(admitted, 500))
})
