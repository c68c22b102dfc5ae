/** Accounts over the matching engine: what holds after each command, by what its events and the books say. */
import { assert, describe, it } from "@effect/vitest"
import * as Clearing from "@tickline/core/trading/Clearing"
import * as Instrument from "@tickline/core/trading/Instrument"
import * as Matching from "@tickline/core/trading/Matching"
import type { Command } from "@tickline/core/trading/MatchingCommand"
import type { Order } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const zero = Decimal.zero
const { subtract, sum } = BigDecimal

const rules = { tick: decimal("0.5"), lot: decimal("0.1") }
const spot = new Instrument.Instrument({
  ...rules,
  product: "BTC-USD",
  base: "BTC",
  feeAsset: "USD",
  fees: new Instrument.Fees({ maker: decimal("-0.001"), taker: decimal("0.0031") })
})
const linear = new Instrument.Instrument({
  ...rules,
  product: "BTC-PERP",
  feeAsset: "USD",
  fees: new Instrument.Fees({ maker: decimal("0.001"), taker: decimal("0.005"), digits: 2 })
})
const inverse = new Instrument.Instrument({
  ...rules,
  product: "BTC-INVERSE",
  feeAsset: "BTC",
  valuation: "inverse",
  fees: new Instrument.Fees({ maker: zero, taker: decimal("0.005") })
})
const instruments = [spot, linear, inverse]
const instrumentOf = (product: string): Instrument.Instrument =>
  instruments.find((instrument) => instrument.product === product) ?? assert.fail(product)

const accounts = ["ann", "bob", "cat"] as const
const assets = ["USD", "BTC"] as const
const leverages = { ann: decimal("1"), bob: decimal("3"), cat: decimal("20") } as const
const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

/** One command by chance. */
const Chance = Schema.Struct({
  kind: below(20),
  account: Schema.Literals(accounts),
  product: Schema.Literals(["BTC-USD", "BTC-USD", "BTC-PERP", "BTC-PERP", "BTC-INVERSE"]),
  side: Schema.Literals(["buy", "sell"]),
  amount: below(40),
  price: below(7),
  timeInForce: Schema.Literals(["gtc", "gtc", "gtc", "gtc", "gtc", "gtc", "gtc", "gtc", "ioc", "fok", "post-only"]),
  moves: Schema.Boolean,
  reduces: below(5),
  selfTrade: Schema.Literals(["allow", "allow", "allow", "cancel-maker", "cancel-taker", "cancel-both"]),
  validFor: below(40),
  id: below(25),
  wait: below(3)
})

const commandOf = (chance: typeof Chance.Type, at: number, resting: ReadonlyArray<Order>): Command => {
  const { account, kind, product, side } = chance
  const amount = BigDecimal.make(BigInt(chance.amount + 1), 1)
  const price = BigDecimal.make(BigInt(chance.price + 1) * 5n, 1)
  if (kind === 0 && chance.id === 0) {
    return { _tag: "CancelAll", account, product: chance.price < 3 ? product : undefined }
  }
  const order = resting[chance.id % resting.length]
  if (kind < 2 && order !== undefined) return { _tag: "Cancel", account: order.account, orderId: order.orderId }
  if (kind < 5 && order !== undefined) {
    return {
      _tag: "Amend",
      account: order.account,
      orderId: order.orderId,
      price: chance.moves ? price : undefined,
      amount: chance.validFor < 30 ? amount : undefined,
      reduceOnly: chance.reduces === 0 ? chance.moves : undefined
    }
  }
  const placing = {
    _tag: "Place",
    account,
    product,
    side,
    amount,
    reduceOnly: chance.reduces === 0 && product !== "BTC-USD",
    selfTrade: chance.selfTrade,
    validUntil: chance.validFor < 3 ? at + chance.validFor : undefined
  } as const
  const { moves, timeInForce } = chance
  return kind < 7
    ? { ...placing, type: "market", timeInForce: timeInForce === "fok" ? "fok" : "ioc" }
    : { ...placing, type: "limit", price, timeInForce, moves }
}

/** What the accounts have by the events alone. */
class Books {
  readonly totals = new Map<string, Decimal.Decimal>()

  of(account: string, asset: string): Decimal.Decimal {
    return this.totals.get(`${account} ${asset}`) ?? zero
  }

  add(account: string, asset: string, amount: Decimal.Decimal): void {
    const total = sum(this.of(account, asset), amount)
    this.totals.set(`${account} ${asset}`, total.value < 0n && account !== "own" ? zero : total)
    if (total.value < 0n && account !== "own") this.add("own", asset, total)
  }

  see(event: Clearing.Event): void {
    if (event._tag !== "Traded") return
    const { amount, maker, price, product, taker } = event
    const { base, feeAsset } = instrumentOf(product)
    for (const { fee, order: { account, side }, realized } of [maker, taker]) {
      const sign = BigDecimal.make(side === "buy" ? 1n : -1n, 0)
      if (base === undefined) this.add(account, feeAsset, realized)
      else {
        this.add(account, base, BigDecimal.multiply(sign, amount))
        this.add(account, feeAsset, BigDecimal.negate(BigDecimal.multiply(sign, BigDecimal.multiply(amount, price))))
      }
      this.add(account, feeAsset, BigDecimal.negate(fee))
      this.add("own", feeAsset, fee)
    }
  }
}

const mostOf = (...values: ReadonlyArray<Decimal.Decimal>): Decimal.Decimal =>
  values.reduce((one, other) => BigDecimal.max(one, other))

/** What an order that rests would cost. */
const costOf = (instrument: Instrument.Instrument, { amount, filled, price = zero }: Order) => {
  const remaining = subtract(amount, filled)
  const fees = (["maker", "taker"] as const).map((liquidity) => Instrument.fee(instrument, liquidity, price, remaining))
  return { remaining, value: Instrument.value(instrument, price, remaining), fee: mostOf(zero, ...fees) }
}

/** What must stay of an asset in an account, by the orders that rest and the positions; rounded up where it is a part. */
const neededOf = (clearing: Clearing.Clearing, account: (typeof accounts)[number], asset: string): Decimal.Decimal => {
  let needed = zero
  for (const instrument of instruments) {
    const orders = clearing.books.orders(account).filter(({ product }) => product === instrument.product)
    if (instrument.base !== undefined) {
      for (const order of orders) {
        const { fee, remaining, value } = costOf(instrument, order)
        if (order.side === "buy" && asset === instrument.feeAsset) needed = sum(needed, sum(value, fee))
        if (order.side === "sell" && asset === instrument.base) needed = sum(needed, remaining)
      }
    } else if (asset === instrument.feeAsset) {
      const { amount, cost } = clearing.position(account, instrument.product)
      const sides = (["buy", "sell"] as const).map((side) => {
        let open = { remaining: zero, value: zero, fee: zero }
        for (const order of orders) {
          if (order.side !== side || order.reduceOnly) continue
          const { fee, remaining, value } = costOf(instrument, order)
          open = {
            remaining: sum(open.remaining, remaining),
            value: sum(open.value, value),
            fee: sum(open.fee, fee)
          }
        }
        const scale = instrument === inverse ? 8 : 2
        if (amount.value === 0n || (amount.value > 0n) === (side === "buy")) {
          const whole = BigDecimal.divideUnsafe(sum(BigDecimal.abs(cost), open.value), leverages[account])
          return sum(BigDecimal.ceil(whole, scale), open.fee)
        }
        const opens = subtract(open.remaining, BigDecimal.abs(amount))
        if (opens.value <= 0n) return zero
        const shareOf = (whole: Decimal.Decimal, digits: number) =>
          BigDecimal.round(BigDecimal.divideUnsafe(BigDecimal.multiply(whole, opens), open.remaining), {
            scale: digits,
            mode: "half-from-zero"
          })
        const margin = BigDecimal.divideUnsafe(shareOf(open.value, scale), leverages[account])
        return sum(BigDecimal.ceil(margin, scale), shareOf(open.fee, open.fee.scale))
      })
      needed = sum(needed, mostOf(...sides))
    }
  }
  return needed
}

const equal = (one: Decimal.Decimal, other: Decimal.Decimal, what: string): void => {
  if (!BigDecimal.equals(one, other)) assert.strictEqual(Decimal.format(one), Decimal.format(other), what)
}

const json = (value: unknown): string =>
  JSON.stringify(
    value,
    (key, value: unknown) =>
      key === "realized" || key === "position"
        ? undefined
        : BigDecimal.isBigDecimal(value)
        ? Decimal.format(value)
        : value
  )

const seed = process.env["TICKLINE_SEED"] ?? "clearing"

describe("accounts over the matching engine", () => {
  const seen = new Map<string, number>()
  let commands = 0

  it.prop(
    "match as it does, and conserve every asset",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 150, maxLength: 450 })],
    ([chances]) => {
      const clearing = Clearing.make(instruments)
      const engine = Matching.make(instruments)
      const books = new Books()
      const deposited = { USD: zero, BTC: zero }
      const deposit = (account: string, asset: "USD" | "BTC", amount: Decimal.Decimal) => {
        clearing.deposit(account, asset, amount)
        books.add(account, asset, amount)
        deposited[asset] = sum(deposited[asset], amount)
      }
      for (const account of accounts) {
        deposit(account, "USD", decimal("14"))
        deposit(account, "BTC", decimal("5"))
        clearing.setLeverage(account, leverages[account])
      }
      let at = 0
      commands += chances.length
      for (const chance of chances) {
        at += chance.wait
        const resting = clearing.books.orders()
        if (chance.kind === 19 && chance.amount < 3) deposit(chance.account, "USD", decimal("3.25"))
        const command = commandOf(chance, at, resting)
        const availableOf = (account: string) => ({
          USD: clearing.balance(account, "USD").available,
          BTC: clearing.balance(account, "BTC").available
        })
        const available = new Map<string, Record<string, Decimal.Decimal>>(
          accounts.map((account) => [account, availableOf(account)])
        )
        const events = clearing.apply(command, at)
        const refused = events.find((event) => event._tag === "Rejected")?.reason
        const lacks = refused?._tag === "InsufficientFunds" ? refused : undefined
        // The engine, asked the same, does the same.
        const expected = lacks === undefined ? engine.apply(command, at) : engine.expire(at)
        const covered = events.filter((event) => event._tag === "Cancelled" && event.reason === "funds")
        for (const event of covered) {
          if (event._tag === "Cancelled") engine.apply({ _tag: "Cancel", ...event.order }, at)
        }
        const own = events.filter((event) => event._tag !== "Rejected" || event.reason !== lacks)
        assert.strictEqual(json(own.filter((event) => !covered.includes(event))), json(expected))
        if (lacks !== undefined) {
          assert.isTrue(BigDecimal.isGreaterThan(lacks.needed, lacks.available))
          const before = "account" in command ? available.get(command.account ?? "") : undefined
          // What expired first is not held any more.
          if (events.length === 1) equal(lacks.available, before?.[lacks.asset] ?? assert.fail(), "what is available")
        }
        for (const event of events) {
          books.see(event)
          const what = event._tag === "Rejected" || event._tag === "Cancelled"
            ? `${event._tag} ${typeof event.reason === "string" ? event.reason : event.reason._tag}`
            : event._tag
          seen.set(what, (seen.get(what) ?? 0) + 1)
        }
        for (const asset of assets) {
          let all = clearing.own(asset)
          equal(all, books.of("own", asset), `the exchange's ${asset}`)
          for (const account of accounts) {
            const { available, held, total } = clearing.balance(account, asset)
            assert.isTrue(total.value >= 0n && available.value >= 0n && held.value >= 0n, `${account}'s ${asset}`)
            equal(sum(available, held), total, `${account}'s ${asset}`)
            equal(total, books.of(account, asset), `${account}'s ${asset}`)
            const needed = neededOf(clearing, account, asset)
            equal(held, BigDecimal.min(total, needed), `what is held of ${account}'s ${asset}`)
            all = sum(all, total)
            for (const { feeAsset, product } of [linear, inverse]) {
              const position = clearing.position(account, product)
              if (feeAsset === asset) all = subtract(all, position.cost)
              equal(position.amount, engine.position(account, product), `${account}'s ${product}`)
            }
          }
          equal(all, deposited[asset], `all ${asset}`)
        }
      }
      assert.strictEqual(json(clearing.books.orders()), json(engine.orders()))
      clearing.apply({ _tag: "CancelAll" }, at)
      for (const account of accounts) {
        if (clearing.positions(account).length > 0) continue
        for (const { held } of clearing.balances(account)) equal(held, zero, "what is held for nothing")
      }
    },
    { timeout: 240_000, arbitrary: { runs: 560, size: 450, seed } }
  )

  it("do everything they can in those commands", () => {
    assert.isAbove(commands, 100_000)
    const expected = [
      "Accepted",
      "Amended",
      "Cancelled funds",
      "Cancelled immediate",
      "Cancelled reduce-only",
      "Cancelled requested",
      "Cancelled self-trade",
      "Expired",
      "Rejected BelowFilled",
      "Rejected InsufficientFunds",
      "Rejected NotFillable",
      "Rejected NotReducing",
      "Rejected TooLate",
      "Rejected UnknownOrder",
      "Rejected WouldTrade",
      "Traded"
    ]
    assert.deepStrictEqual([...seen.keys()].toSorted(), expected)
    for (const [what, times] of seen) assert.isAbove(times, 20, what)
  })
})
