/** The matching engine against the plain one of `Matching.reference.ts`, and what holds after each command. */
import { assert, describe, it } from "@effect/vitest"
import { Instrument } from "@tickline/core/trading/Instrument"
import * as Matching from "@tickline/core/trading/Matching"
import type { Command } from "@tickline/core/trading/MatchingCommand"
import type { Event, Order } from "@tickline/core/trading/MatchingEvent"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"
import { type Asked, Reference } from "./Matching.reference.ts"

// Prices in halves and amounts in tenths: whole numbers of the reference are units here.
const instrument = new Instrument({
  product: "X",
  tick: BigDecimal.make(5n, 1),
  lot: BigDecimal.make(1n, 1),
  feeAsset: "Y"
})
const priceOf = (units: number): Decimal.Decimal => BigDecimal.make(BigInt(units) * 5n, 1)
const amountOf = (units: number): Decimal.Decimal => BigDecimal.make(BigInt(units), 1)
const unitsOf = (amount: Decimal.Decimal): number => Number(BigDecimal.scale(amount, 1).value)
const ticksOf = (price: Decimal.Decimal): number => unitsOf(price) / 5

const accounts = ["ann", "bob", "cat"] as const
const sides = ["buy", "sell"] as const
const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

/** One command by chance, and how long it comes after the one before. */
const Chance = Schema.Struct({
  kind: below(20),
  account: Schema.Literals(accounts),
  side: Schema.Literals(sides),
  amount: below(9),
  price: below(7),
  timeInForce: Schema.Literals(["gtc", "gtc", "ioc", "fok", "post-only"]),
  moves: Schema.Boolean,
  reduces: below(4),
  selfTrade: Schema.Literals(["allow", "cancel-maker", "cancel-taker", "cancel-both"]),
  validFor: below(40),
  id: below(25),
  wait: below(3)
})

/** What one is asked by chance: mostly about an order that rests, now and then about any. */
const askedOf = (chance: typeof Chance.Type, at: number, resting: Reference["state"]["resting"]): Asked => {
  const { kind, price, side } = chance
  const meant = kind === 1 ? undefined : resting[chance.id % resting.length]
  const { account, id } = { ...chance, ...meant }
  const amount = chance.amount + 1
  if (kind === 0) {
    return {
      kind: "cancelAll",
      account: chance.id < 20 ? chance.account : undefined,
      side: price < 3 ? side : undefined
    }
  }
  if (kind < 3) return { kind: "cancel", account, id }
  if (kind < 6) {
    return {
      kind: "amend",
      account,
      id,
      price: price < 2 ? undefined : price + 1,
      amount: amount < 2 ? undefined : amount
    }
  }
  const isMarket = kind === 6
  return {
    kind: "place",
    account: chance.account,
    side,
    amount,
    price: isMarket ? undefined : price + 1,
    timeInForce: !isMarket ? chance.timeInForce : chance.timeInForce === "fok" ? "fok" : "ioc",
    moves: chance.moves,
    reduceOnly: chance.reduces === 0,
    selfTrade: chance.selfTrade,
    validUntil: chance.validFor < 20 ? at + chance.validFor : undefined
  }
}

const commandOf = (asked: Asked): Command => {
  switch (asked.kind) {
    case "place": {
      const { amount, moves, price, timeInForce, ...rest } = asked
      const placed = { _tag: "Place", product: "X", amount: amountOf(amount), ...rest } as const
      return price === undefined
        ? { ...placed, type: "market", timeInForce: timeInForce === "fok" ? "fok" : "ioc" }
        : { ...placed, type: "limit", price: priceOf(price), timeInForce, moves }
    }
    case "amend":
      return {
        _tag: "Amend",
        account: asked.account,
        orderId: String(asked.id),
        price: asked.price === undefined ? undefined : priceOf(asked.price),
        amount: asked.amount === undefined ? undefined : amountOf(asked.amount)
      }
    case "cancel":
      return { _tag: "Cancel", account: asked.account, orderId: String(asked.id) }
    case "cancelAll":
      return { _tag: "CancelAll", account: asked.account, side: asked.side }
  }
}

const shown = (what: string, { account, amount, filled, orderId, price, side }: Order): string =>
  `${what} ${orderId} of ${account}: ${side} ${unitsOf(filled)}/${unitsOf(amount)}@${
    price === undefined ? "market" : ticksOf(price)
  }`

const lineOf = (event: Event): string => {
  switch (event._tag) {
    case "Accepted":
      return shown("accepted", event.order)
    case "Rejected": {
      const { reason } = event
      return `rejected ${reason._tag}${reason._tag === "NotFillable" ? ` ${unitsOf(reason.available)}` : ""}`
    }
    case "Traded": {
      const parties = [event.maker, event.taker].map(({ order }) =>
        `${order.orderId} of ${order.account} (${unitsOf(order.filled)})`
      )
      return `trade ${event.tradeId} ${unitsOf(event.amount)}@${ticksOf(event.price)} ${parties.join(" with ")}`
    }
    case "Amended":
      return shown(event.keepsPriority ? "amended in place" : "amended", event.order)
    case "Cancelled":
      return shown(`cancelled ${event.reason}`, event.order)
    case "Expired":
      return shown("expired", event.order)
  }
}

/** Everything that holds of an engine after any command, from its own events alone. */
class Invariants {
  /** By order: its amount, what its trades come to, and whether it is over. */
  private readonly orders = new Map<string, { order: Order; traded: number; isOver: boolean }>()

  check(engine: Matching.Matching, events: ReadonlyArray<Event>): void {
    for (const event of events) this.see(event)
    const resting = engine.orders()
    const open = [...this.orders.values()].filter(({ isOver }) => !isOver)
    // What is neither over nor resting, or both, would be lost or doubled.
    assert.deepStrictEqual(
      resting.map(({ orderId }) => orderId).toSorted(),
      open.map(({ order }) => order.orderId).toSorted()
    )
    for (const { order, traded } of this.orders.values()) {
      assert.strictEqual(unitsOf(order.filled), traded)
      assert.isAtMost(traded, unitsOf(order.amount))
    }
    const [bid] = engine.levels("X", "buy", 1)
    const [ask] = engine.levels("X", "sell", 1)
    if (bid !== undefined && ask !== undefined) assert.isBelow(ticksOf(bid[0]), ticksOf(ask[0]))
    for (const side of sides) {
      const totals = new Map<number, number>()
      for (const { amount, filled, price, side: own } of resting) {
        if (own !== side || price === undefined) continue
        totals.set(ticksOf(price), (totals.get(ticksOf(price)) ?? 0) + unitsOf(amount) - unitsOf(filled))
      }
      const sign = side === "buy" ? -1 : 1
      assert.deepStrictEqual(
        engine.levels("X", side).map(([price, size]) => [ticksOf(price), unitsOf(size)]),
        [...totals].toSorted(([one], [other]) => sign * (one - other))
      )
      for (const [ticks, total] of totals) {
        assert.strictEqual(unitsOf(engine.amountAt("X", side, priceOf(ticks))), total)
      }
    }
    assert.strictEqual(accounts.reduce((sum, account) => sum + unitsOf(engine.position(account, "X")), 0), 0)
  }

  private see(event: Event): void {
    if (event._tag === "Rejected") return
    if (event._tag !== "Traded") {
      const traded = this.orders.get(event.order.orderId)?.traded ?? 0
      const isOver = event._tag === "Cancelled" || event._tag === "Expired"
      this.orders.set(event.order.orderId, { order: event.order, traded, isOver })
      return
    }
    const { amount, maker, price, taker } = event
    assert.isTrue(maker.order.price !== undefined && BigDecimal.equals(maker.order.price, price))
    if (taker.order.price !== undefined) {
      const gain = ticksOf(taker.order.price) - ticksOf(price)
      assert.isAtLeast(taker.order.side === "buy" ? gain : -gain, 0)
    }
    for (const { order } of [maker, taker]) {
      const seen = this.orders.get(order.orderId)
      assert.isFalse(seen?.isOver)
      const traded = (seen?.traded ?? 0) + unitsOf(amount)
      this.orders.set(order.orderId, { order, traded, isOver: traded === unitsOf(order.amount) })
    }
  }
}

const seed = process.env["TICKLINE_SEED"] ?? "matching"

describe("the matching engine", () => {
  const seen = new Map<string, number>()
  let commands = 0

  it.prop(
    "does what a plain one does, and keeps what must hold",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 1, maxLength: 150 })],
    ([chances]) => {
      const engine = Matching.make([instrument])
      const reference = new Reference()
      const invariants = new Invariants()
      let at = 0
      commands += chances.length
      for (const chance of chances) {
        at += chance.wait
        const asked = askedOf(chance, at, reference.state.resting)
        const events = engine.apply(commandOf(asked), at)
        const lines = events.map(lineOf)
        assert.deepStrictEqual(lines, reference.apply(asked, at))
        for (const account of accounts) {
          assert.strictEqual(unitsOf(engine.position(account, "X")), reference.position(account))
        }
        invariants.check(engine, events)
        for (const line of lines) {
          const what = line.replaceAll(/ \d.*/g, "")
          seen.set(what, (seen.get(what) ?? 0) + 1)
        }
      }
      engine.apply({ _tag: "CancelAll" }, at)
      assert.deepStrictEqual([engine.orders(), engine.levels("X", "buy"), engine.levels("X", "sell")], [[], [], []])
      assert.isUndefined(engine.nextExpiry())
    },
    { timeout: 120_000, arbitrary: { runs: 400, size: 150, seed } }
  )

  it("does everything it can in those commands", () => {
    const expected = [
      "accepted",
      "amended",
      "amended in place",
      "cancelled immediate",
      "cancelled reduce-only",
      "cancelled requested",
      "cancelled self-trade",
      "expired",
      "rejected BelowFilled",
      "rejected NotFillable",
      "rejected NotReducing",
      "rejected TooLate",
      "rejected UnknownOrder",
      "rejected WouldTrade",
      "trade"
    ]
    assert.isAbove(commands, 10_000)
    assert.deepStrictEqual([...seen.keys()].toSorted(), expected)
    for (const [what, times] of seen) assert.isAbove(times, 20, what)
  })
})
