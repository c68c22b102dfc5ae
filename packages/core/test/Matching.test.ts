/** The matching engine, rule by rule. */
import { assert, describe, it } from "@effect/vitest"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import * as Matching from "@tickline/core/trading/Matching"
import type { Place } from "@tickline/core/trading/MatchingCommand"
import type { Event, Order } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

const btc = new Instrument({
  product: "BTC",
  tick: decimal("0.5"),
  lot: decimal("0.1"),
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("-0.0001"), taker: decimal("0.0005") })
})
const eth = new Instrument({ product: "ETH", tick: decimal("0.01"), lot: decimal("1"), feeAsset: "USD" })

interface More {
  readonly account?: string
  readonly product?: string
  readonly timeInForce?: "gtc" | "ioc" | "fok" | "post-only"
  readonly moves?: boolean
  readonly reduceOnly?: boolean
  readonly selfTrade?: Place["selfTrade"]
  readonly validUntil?: number
}

/** An order as it is said: `buy 0.3 at 100`. */
const limit = (side: "buy" | "sell", amount: string, price: string, more: More = {}): Place => ({
  _tag: "Place",
  account: "ann",
  product: "BTC",
  type: "limit",
  timeInForce: "gtc",
  side,
  amount: decimal(amount),
  price: decimal(price),
  ...more
})
const market = (side: "buy" | "sell", amount: string, account = "bob", timeInForce: "ioc" | "fok" = "ioc"): Place => ({
  _tag: "Place",
  account,
  product: "BTC",
  type: "market",
  timeInForce,
  side,
  amount: decimal(amount)
})

const stateOf = ({ amount, filled, orderId, price }: Order): string =>
  `${orderId} ${Decimal.format(filled)}/${Decimal.format(amount)}${price ? `@${Decimal.format(price)}` : ""}`

const lineOf = (event: Event): string => {
  switch (event._tag) {
    case "Rejected":
      return `rejected ${event.reason._tag}`
    case "Traded":
      return `traded ${Decimal.format(event.amount)}@${Decimal.format(event.price)}: ` +
        `${stateOf(event.maker.order)} with ${stateOf(event.taker.order)}`
    case "Cancelled":
      return `cancelled ${event.reason} ${stateOf(event.order)}`
    case "Amended":
      return `amended${event.keepsPriority ? " in place" : ""} ${stateOf(event.order)}`
    default:
      return `${event._tag.toLowerCase()} ${stateOf(event.order)}`
  }
}

const setUp = () => {
  const engine = Matching.make([btc, eth])
  const does = (command: Parameters<typeof engine.apply>[0], at = 0): ReadonlyArray<string> =>
    engine.apply(command, at).map(lineOf)
  const amend = (orderId: string, members: { price?: string; amount?: string }, account = "ann") =>
    does({
      _tag: "Amend",
      account,
      orderId,
      ...(members.price === undefined ? {} : { price: decimal(members.price) }),
      ...(members.amount === undefined ? {} : { amount: decimal(members.amount) })
    })
  const levels = (side: "buy" | "sell", depth?: number) =>
    engine.levels("BTC", side, depth).map(([price, size]) => `${Decimal.format(size)}@${Decimal.format(price)}`)
  const position = (account: string) => Decimal.format(engine.position(account, "BTC"))
  return { engine, does, amend, levels, position }
}

describe("orders match", () => {
  it("by price and then by time, at the price of the one that rested", () => {
    const { does, levels } = setUp()
    does(limit("sell", "1", "101"))
    does(limit("sell", "1", "100"))
    does(limit("sell", "0.5", "100", { account: "cat" }))
    assert.deepStrictEqual(does(limit("buy", "2", "101.5", { account: "bob" })), [
      "accepted 4 0.0/2.0@101.5",
      "traded 1.0@100.0: 2 1.0/1.0@100.0 with 4 1.0/2.0@101.5",
      "traded 0.5@100.0: 3 0.5/0.5@100.0 with 4 1.5/2.0@101.5",
      "traded 0.5@101.0: 1 0.5/1.0@101.0 with 4 2.0/2.0@101.5"
    ])
    assert.deepStrictEqual([levels("buy"), levels("sell")], [[], ["0.5@101.0"]])
  })

  it("and what is left of a limit order rests, that of a market order does not", () => {
    const { does, levels } = setUp()
    does(limit("sell", "1", "100"))
    assert.deepStrictEqual(does(market("buy", "1.5")), [
      "accepted 2 0.0/1.5",
      "traded 1.0@100.0: 1 1.0/1.0@100.0 with 2 1.0/1.5",
      "cancelled immediate 2 1.0/1.5"
    ])
    assert.deepStrictEqual(does(market("buy", "1")), ["accepted 3 0.0/1.0", "cancelled immediate 3 0.0/1.0"])
    does(limit("sell", "1", "100"))
    does(limit("buy", "3", "100", { account: "bob" }))
    assert.deepStrictEqual([levels("buy"), levels("sell")], [["2.0@100.0"], []])
  })

  it("exactly, far beyond what a double holds", () => {
    const fine = new Instrument({
      product: "BTC",
      tick: decimal("0.000000000000000001"),
      lot: decimal("0.000000000000000001"),
      feeAsset: "USD"
    })
    const engine = Matching.make([fine])
    const amount = decimal("123456789012345678901234567890.000000000000000001")
    engine.apply({ ...limit("sell", "1", "9007199254740993.000000000000000001"), amount }, 0)
    const [, traded] = engine.apply({ ...market("buy", "1"), amount }, 0)
    assert.strictEqual(
      traded && lineOf(traded).split(":")[0],
      `traded ${Decimal.format(amount)}@9007199254740993.000000000000000001`
    )
    assert.strictEqual(Decimal.format(engine.position("ann", "BTC")), `-${Decimal.format(amount)}`)
  })

  it("with the fees of maker and taker", () => {
    const { engine } = setUp()
    engine.apply(limit("sell", "0.3", "43250.5"), 0)
    const [, traded] = engine.apply(market("buy", "0.3"), 0)
    assert.strictEqual(traded?._tag, "Traded")
    if (traded?._tag !== "Traded") return
    assert.strictEqual(Decimal.format(traded.maker.fee), "-1.297515")
    assert.strictEqual(Decimal.format(traded.taker.fee), "6.487575")
    assert.strictEqual(traded.tradeId, "1")
  })

  it("in the books of their products alone, and leave positions there", () => {
    const { does, engine, position } = setUp()
    does(limit("sell", "2", "100", { product: "ETH" }))
    assert.deepStrictEqual(does(limit("buy", "2", "100", { account: "bob" })), ["accepted 2 0.0/2.0@100.0"])
    does(limit("buy", "1", "100", { account: "bob", product: "ETH" }))
    assert.strictEqual(Decimal.format(engine.position("bob", "ETH")), "1")
    assert.strictEqual(Decimal.format(engine.position("ann", "ETH")), "-1")
    assert.strictEqual(position("bob"), "0.0")
    assert.deepStrictEqual(does({ ...limit("buy", "1", "1"), product: "SOL" }), ["rejected UnknownProduct"])
    assert.strictEqual(Decimal.format(engine.position("bob", "SOL")), "0")
    assert.deepStrictEqual(engine.levels("SOL", "buy"), [])
    assert.strictEqual(Decimal.format(engine.amountAt("SOL", "buy", decimal("1"))), "0")
  })

  it("and a book of ten thousand is looked at from its best", () => {
    const { engine, levels } = setUp()
    for (let i = 0; i < 10_000; i++) {
      engine.apply(limit("sell", "0.1", String(1_000 + (i * 7_919) % 10_000), { account: "cat" }), 0)
    }
    assert.deepStrictEqual(levels("sell", 2), ["0.1@1000.0", "0.1@1001.0"])
    assert.strictEqual(levels("sell").length, 10_000)
    const trades = engine.apply(market("buy", "1000"), 0).filter(({ _tag }) => _tag === "Traded")
    assert.strictEqual(trades.length, 10_000)
    assert.deepStrictEqual(levels("sell"), [])
  })
})

describe("a time in force", () => {
  it("of ioc cancels what does not trade at once", () => {
    const { does } = setUp()
    does(limit("sell", "1", "100"))
    assert.deepStrictEqual(does(limit("buy", "3", "100", { account: "bob", timeInForce: "ioc" })), [
      "accepted 2 0.0/3.0@100.0",
      "traded 1.0@100.0: 1 1.0/1.0@100.0 with 2 1.0/3.0@100.0",
      "cancelled immediate 2 1.0/3.0@100.0"
    ])
  })

  it("of fok trades the whole or nothing, and says what is there", () => {
    const { does, engine, levels } = setUp()
    does(limit("sell", "1", "100"))
    does(limit("sell", "1", "101"))
    const fok = limit("buy", "2", "100.5", { account: "bob", timeInForce: "fok" })
    const [refused] = engine.apply(fok, 0)
    assert.deepStrictEqual(refused, {
      _tag: "Rejected",
      command: fok,
      reason: { _tag: "NotFillable", available: decimal("1.0") }
    })
    assert.deepStrictEqual(does(market("buy", "2.1", "bob", "fok")), ["rejected NotFillable"])
    assert.deepStrictEqual(levels("sell"), ["1.0@100.0", "1.0@101.0"])
    assert.strictEqual(does(market("buy", "2", "bob", "fok")).length, 3)
  })

  it("of post-only never trades: it is rejected, or moves beside the price it would trade at", () => {
    const { does, engine } = setUp()
    does(limit("sell", "1", "100"))
    does(limit("buy", "1", "98"))
    const postOnly = { account: "bob", timeInForce: "post-only" } as const
    const [refused] = engine.apply(limit("buy", "1", "100.5", postOnly), 0)
    assert.deepStrictEqual(refused?._tag === "Rejected" ? refused.reason : undefined, {
      _tag: "WouldTrade",
      price: decimal("100.0")
    })
    assert.deepStrictEqual(does(limit("buy", "1", "100.5", { ...postOnly, moves: true })), ["accepted 3 0.0/1.0@99.5"])
    assert.deepStrictEqual(does(limit("sell", "1", "90", { ...postOnly, moves: true })), ["accepted 4 0.0/1.0@100.0"])
    assert.deepStrictEqual(does(limit("buy", "1", "99", postOnly)), ["accepted 5 0.0/1.0@99.0"])
  })

  it("of post-only moves by the tick of where it comes to rest", () => {
    const option = new Instrument({
      product: "BTC",
      tick: decimal("0.1"),
      ticks: [{ from: decimal("10"), tick: decimal("1") }, { from: decimal("100"), tick: decimal("5") }],
      lot: decimal("1"),
      feeAsset: "USD"
    })
    const moved = (rests: Place, comes: Place) => {
      const engine = Matching.make([option])
      engine.apply(rests, 0)
      return engine.apply({ ...comes, account: "bob" }, 0).map(lineOf)
    }
    const moves = { timeInForce: "post-only", moves: true } as const
    assert.deepStrictEqual(moved(limit("sell", "1", "10"), limit("buy", "1", "10", moves)), ["accepted 2 0/1@9.9"])
    assert.deepStrictEqual(moved(limit("buy", "1", "10"), limit("sell", "1", "9", moves)), ["accepted 2 0/1@11.0"])
    assert.deepStrictEqual(moved(limit("sell", "1", "100"), limit("buy", "1", "200", moves)), ["accepted 2 0/1@99.0"])
    assert.deepStrictEqual(moved(limit("buy", "1", "100"), limit("sell", "1", "50", moves)), ["accepted 2 0/1@105.0"])
    assert.deepStrictEqual(moved(limit("sell", "1", "0.1"), limit("buy", "1", "1", moves)), ["rejected WouldTrade"])
  })

  it("ends at its time, and a command that comes then is too late", () => {
    const { does, engine, levels } = setUp()
    does(limit("buy", "1", "100", { validUntil: 3_000 }))
    does(limit("buy", "1", "101", { validUntil: 2_000 }))
    does(limit("buy", "1", "102", { validUntil: 2_000 }))
    does(limit("buy", "1", "103", { validUntil: 1_500 }))
    does({ _tag: "Cancel", account: "ann", orderId: "4" })
    assert.strictEqual(engine.nextExpiry(), 2_000)
    assert.deepStrictEqual(engine.expire(1_999).map(lineOf), [])
    assert.deepStrictEqual(does(market("sell", "1"), 2_000), [
      "expired 2 0.0/1.0@101.0",
      "expired 3 0.0/1.0@102.0",
      "accepted 5 0.0/1.0",
      "traded 1.0@100.0: 1 1.0/1.0@100.0 with 5 1.0/1.0"
    ])
    assert.strictEqual(engine.nextExpiry(), undefined)
    assert.deepStrictEqual(does(limit("buy", "1", "100", { validUntil: 2_000 }), 2_000), ["rejected TooLate"])
    does(limit("buy", "1", "100", { validUntil: 2_001 }), 2_000)
    assert.deepStrictEqual(engine.expire(9_999).map(lineOf), ["expired 6 0.0/1.0@100.0"])
    assert.deepStrictEqual(levels("buy"), [])
  })
})

describe("an order", () => {
  it("is legal by its instrument, or rejected with the nearest legal values", () => {
    const { does, engine } = setUp()
    const reason = (command: Parameters<typeof engine.apply>[0]) => {
      const [event] = engine.apply(command, 0)
      return event?._tag === "Rejected" && event.reason._tag === "Illegal"
        ? [event.reason.rule, ...[event.reason.below, event.reason.above].map((one) => one && Decimal.format(one))]
        : event
    }
    assert.deepStrictEqual(reason(limit("buy", "1", "100.3")), ["tick", "100.0", "100.5"])
    assert.deepStrictEqual(reason(limit("buy", "0.15", "100")), ["lot", "0.1", "0.2"])
    assert.deepStrictEqual(reason(market("buy", "0.05")), ["minimum", undefined, "0.1"])
    assert.deepStrictEqual(does(limit("buy", "1.00", "100.500")), ["accepted 1 0.0/1.0@100.5"])
    assert.deepStrictEqual(
      reason({ _tag: "Amend", account: "ann", orderId: "1", price: decimal("0.7") }),
      ["tick", "0.5", "1.0"]
    )
    assert.deepStrictEqual(
      reason({ _tag: "Amend", account: "ann", orderId: "1", amount: decimal("0.77") }),
      ["lot", "0.7", "0.8"]
    )
    assert.deepStrictEqual(engine.orders().map(stateOf), ["1 0.0/1.0@100.5"])
  })

  it("is worth what its instrument asks for, if it has a price and does not only reduce a position", () => {
    const engine = Matching.make([new Instrument({ ...btc, minimumValue: decimal("10") })])
    const does = (command: Parameters<typeof engine.apply>[0]) => engine.apply(command, 0).map(lineOf)[0]
    const amend = (terms: object) => does({ _tag: "Amend", account: "ann", orderId: "1", ...terms })
    assert.strictEqual(does(limit("buy", "0.1", "99.5")), "rejected Illegal")
    assert.strictEqual(does(limit("buy", "0.2", "100")), "accepted 1 0.0/0.2@100.0")
    assert.strictEqual(amend({ amount: decimal("0.1"), price: decimal("99.5") }), "rejected Illegal")
    assert.strictEqual(amend({ amount: decimal("0.1") }), "amended in place 1 0.0/0.1@100.0")
    assert.strictEqual(amend({ price: decimal("99.5") }), "rejected Illegal")
    // What a market order is worth is only known by its trades.
    assert.strictEqual(does(market("sell", "0.1")), "accepted 2 0.0/0.1")
    assert.strictEqual(does(limit("sell", "0.1", "50", { reduceOnly: true })), "accepted 3 0.0/0.1@50.0")
  })

  it("that is amended keeps its place only if it shrinks where it is", () => {
    const { amend, does, levels } = setUp()
    const next = (amount: string) => {
      const [, traded] = does(market("sell", amount))
      return traded?.split(": ")[1]?.split(" ")[0]
    }
    does(limit("buy", "1", "100"))
    does(limit("buy", "1", "100", { account: "cat" }))
    assert.deepStrictEqual(amend("1", { amount: "0.9" }), ["amended in place 1 0.0/0.9@100.0"])
    assert.deepStrictEqual(amend("1", { price: "100", amount: "0.9" }), ["amended in place 1 0.0/0.9@100.0"])
    assert.deepStrictEqual(levels("buy"), ["1.9@100.0"])
    assert.strictEqual(next("0.1"), "1")
    assert.deepStrictEqual(amend("1", { amount: "1" }), ["amended 1 0.1/1.0@100.0"])
    assert.strictEqual(next("0.1"), "2")
    assert.deepStrictEqual(amend("2", { price: "99.5" }, "cat"), ["amended 2 0.1/1.0@99.5"])
    assert.deepStrictEqual(amend("2", { price: "100" }, "cat"), ["amended 2 0.1/1.0@100.0"])
    assert.strictEqual(next("0.1"), "1")
    assert.deepStrictEqual(levels("buy"), ["1.7@100.0"])
  })

  it("is amended to a whole amount, the filled part included", () => {
    const { amend, does, levels } = setUp()
    does(limit("buy", "1", "100"))
    does(market("sell", "0.4"))
    assert.deepStrictEqual(amend("1", { amount: "0.4" }), ["rejected BelowFilled"])
    assert.deepStrictEqual(amend("1", { amount: "0.5" }), ["amended in place 1 0.4/0.5@100.0"])
    assert.deepStrictEqual(levels("buy"), ["0.1@100.0"])
    assert.deepStrictEqual(amend("1", { amount: "0.8", price: "99" }), ["amended 1 0.4/0.8@99.0"])
    assert.deepStrictEqual(levels("buy"), ["0.4@99.0"])
  })

  it("that is amended may trade, unless it is post-only", () => {
    const { amend, does } = setUp()
    does(limit("sell", "1", "101", { account: "bob" }))
    does(limit("buy", "2", "100"))
    assert.deepStrictEqual(amend("2", { price: "101" }), [
      "amended 2 0.0/2.0@101.0",
      "traded 1.0@101.0: 1 1.0/1.0@101.0 with 2 1.0/2.0@101.0"
    ])
    does(limit("sell", "1", "102", { account: "bob", timeInForce: "post-only" }))
    does(limit("sell", "1", "103", { account: "bob", timeInForce: "post-only", moves: true }))
    assert.deepStrictEqual(amend("3", { price: "101" }, "bob"), ["rejected WouldTrade"])
    assert.deepStrictEqual(amend("4", { price: "90" }, "bob"), ["amended 4 0.0/1.0@101.5"])
  })

  it("that is amended becomes post-only, or is it no longer", () => {
    const { does, engine, levels } = setUp()
    does(limit("sell", "1", "101", { account: "bob" }))
    does(limit("buy", "1", "100"))
    const amended = { _tag: "Amend", account: "ann", orderId: "2" } as const
    assert.deepStrictEqual(does({ ...amended, price: decimal("102"), postOnly: true }), ["rejected WouldTrade"])
    // What is refused changes nothing: it may still trade.
    assert.deepStrictEqual(levels("buy"), ["1.0@100.0"])
    assert.deepNestedInclude(engine.apply(amended, 0)[0], { "order.timeInForce": "gtc" })
    assert.deepStrictEqual(does({ ...amended, price: decimal("102"), postOnly: true, moves: true }), [
      "amended 2 0.0/1.0@100.5"
    ])
    // It stays so, and moves, until something else is said.
    assert.deepStrictEqual(does({ ...amended, price: decimal("101") }), ["amended in place 2 0.0/1.0@100.5"])
    assert.deepStrictEqual(does({ ...amended, price: decimal("101"), moves: false }), ["rejected WouldTrade"])
    assert.deepStrictEqual(does({ ...amended, price: decimal("101"), postOnly: false }), [
      "amended 2 0.0/1.0@101.0",
      "traded 1.0@101.0: 1 1.0/1.0@101.0 with 2 1.0/1.0@101.0"
    ])
  })

  it("that is amended to one that only reduces needs something to reduce, and ends with it", () => {
    const { does } = setUp()
    does(limit("sell", "1", "110"))
    const amended = { _tag: "Amend", account: "ann", orderId: "1", reduceOnly: true } as const
    assert.deepStrictEqual(does(amended), ["rejected NotReducing"])
    does(limit("sell", "1", "100", { account: "bob" }))
    does(limit("buy", "1", "100"))
    assert.deepStrictEqual(does(amended), ["amended 1 0.0/1.0@110.0"])
    does(limit("buy", "1", "99", { account: "bob" }))
    assert.include(does(limit("sell", "1", "99")), "cancelled reduce-only 1 0.0/1.0@110.0")
  })

  it("belongs to its account", () => {
    const { amend, does, engine } = setUp()
    does(limit("buy", "1", "100"))
    assert.deepStrictEqual(does({ _tag: "Cancel", account: "bob", orderId: "1" }), ["rejected UnknownOrder"])
    assert.deepStrictEqual(amend("1", { amount: "2" }, "bob"), ["rejected UnknownOrder"])
    assert.deepStrictEqual(engine.order("1") && stateOf(engine.order("1") ?? assert.fail()), "1 0.0/1.0@100.0")
    assert.deepStrictEqual(does({ _tag: "Cancel", account: "ann", orderId: "1" }), [
      "cancelled requested 1 0.0/1.0@100.0"
    ])
    assert.deepStrictEqual(does({ _tag: "Cancel", account: "ann", orderId: "1" }), ["rejected UnknownOrder"])
    assert.isUndefined(engine.order("1"))
    assert.deepStrictEqual(engine.orders("ann"), [])
  })

  it("is cancelled with all of its account, product or side", () => {
    const { does, engine } = setUp()
    const fill = () => {
      does(limit("buy", "1", "100"))
      does(limit("sell", "1", "110"))
      does(limit("buy", "1", "100", { product: "ETH" }))
      does(limit("buy", "1", "99", { account: "bob" }))
    }
    const left = () => engine.orders().map(({ account, product, side }) => `${account} ${product} ${side}`)
    fill()
    assert.deepStrictEqual(does({ _tag: "CancelAll", account: "ann" }).length, 3)
    assert.deepStrictEqual(left(), ["bob BTC buy"])
    does({ _tag: "CancelAll" })
    fill()
    does({ _tag: "CancelAll", product: "BTC" })
    assert.deepStrictEqual(left(), ["ann ETH buy"])
    does({ _tag: "CancelAll" })
    fill()
    does({ _tag: "CancelAll", side: "buy" })
    assert.deepStrictEqual(left(), ["ann BTC sell"])
    assert.deepStrictEqual(does({ _tag: "CancelAll", account: "dan" }), [])
  })

  it("that meets one of its own account does as it was told", () => {
    const meets = (selfTrade: Place["selfTrade"]) => {
      const { does } = setUp()
      does(limit("sell", "1", "100", { account: "bob" }))
      does(limit("sell", "1", "100"))
      does(limit("sell", "1", "101", { account: "bob" }))
      return does(limit("buy", "3", "101", { selfTrade })).slice(1).map((line) => line.split("@")[0])
    }
    const first = "traded 1.0"
    assert.deepStrictEqual(meets(undefined), [first, first, first])
    assert.deepStrictEqual(meets("allow"), [first, first, first])
    assert.deepStrictEqual(meets("cancel-maker"), [first, "cancelled self-trade 2 0.0/1.0", first])
    assert.deepStrictEqual(meets("cancel-taker"), [first, "cancelled self-trade 4 1.0/3.0"])
    assert.deepStrictEqual(meets("cancel-both"), [
      first,
      "cancelled self-trade 2 0.0/1.0",
      "cancelled self-trade 4 1.0/3.0"
    ])
  })
})

describe("a reduce-only order", () => {
  const withPosition = () => {
    const all = setUp()
    all.does(limit("sell", "1", "100", { account: "cat" }))
    all.does(limit("buy", "1", "100"))
    assert.strictEqual(all.position("ann"), "1.0")
    return all
  }
  const reduceOnly = { reduceOnly: true } as const

  it("needs a position of the other side", () => {
    const { does, engine } = withPosition()
    const [refused] = engine.apply(limit("buy", "1", "90", reduceOnly), 0)
    assert.deepStrictEqual(refused?._tag === "Rejected" ? refused.reason : undefined, {
      _tag: "NotReducing",
      position: decimal("1.0")
    })
    assert.deepStrictEqual(does(limit("sell", "1", "110", { ...reduceOnly, account: "bob" })), ["rejected NotReducing"])
  })

  it("that comes trades no more than the position, and the rest of it is cancelled", () => {
    const { does, position } = withPosition()
    does(limit("buy", "3", "99", { account: "bob" }))
    assert.deepStrictEqual(does(limit("sell", "2", "99", { ...reduceOnly, timeInForce: "fok" })), [
      "rejected NotFillable"
    ])
    assert.deepStrictEqual(does(limit("sell", "2", "99", reduceOnly)), [
      "accepted 4 0.0/2.0@99.0",
      "traded 1.0@99.0: 3 1.0/3.0@99.0 with 4 1.0/2.0@99.0",
      "cancelled reduce-only 4 1.0/2.0@99.0"
    ])
    assert.strictEqual(position("ann"), "0.0")
  })

  it("that rests gives way to what comes behind it once there is nothing to reduce", () => {
    const { does, position } = withPosition()
    does(limit("sell", "3", "105", reduceOnly))
    does(limit("sell", "1", "105", { account: "cat" }))
    assert.deepStrictEqual(does(market("buy", "2")), [
      "accepted 5 0.0/2.0",
      "traded 1.0@105.0: 3 1.0/3.0@105.0 with 5 1.0/2.0",
      "cancelled reduce-only 3 1.0/3.0@105.0",
      "traded 1.0@105.0: 4 1.0/1.0@105.0 with 5 2.0/2.0"
    ])
    assert.strictEqual(position("ann"), "0.0")
  })

  it("that rests is cancelled as soon as another order has taken its position away", () => {
    const { does } = withPosition()
    does(limit("sell", "1", "105", reduceOnly))
    does(limit("sell", "1", "106", reduceOnly))
    does(limit("buy", "1", "99", { account: "bob" }))
    assert.deepStrictEqual(does(market("sell", "1", "ann")).slice(2), [
      "cancelled reduce-only 3 0.0/1.0@105.0",
      "cancelled reduce-only 4 0.0/1.0@106.0"
    ])
  })

  it("counts for a fok with what it may trade only", () => {
    const { does } = withPosition()
    does(limit("sell", "3", "105", reduceOnly))
    assert.deepStrictEqual(does(market("buy", "2", "bob", "fok")), ["rejected NotFillable"])
    assert.strictEqual(does(market("buy", "1", "bob", "fok")).length, 3)
  })
})
