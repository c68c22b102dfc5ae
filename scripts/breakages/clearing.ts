/** Breakages of the accounts over the matching engine. */
import type { Breakage } from "./Breakage.ts"

const clearing = "packages/core/src/trading/Clearing.ts"
const account = "packages/core/src/trading/internal/clearingAccount.ts"
const exposure = "packages/core/src/trading/internal/exposure.ts"
const settlement = "packages/core/src/trading/internal/settlement.ts"
const ofClearing = "packages/core/test/Clearing.test.ts"
const ofAll = ["packages/core/test/Clearing.property.test.ts", "conserve every asset"] as const

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an order without funds is taken",
    file: clearing,
    original: "command._tag === \"Place\" || command._tag === \"Amend\" ?",
    replacement: "command._tag === \"Amend\" ?",
    test: [ofClearing, "without the funds is rejected"]
  },
  {
    name: "an amendment without funds is taken",
    file: clearing,
    original: "command._tag === \"Place\" || command._tag === \"Amend\" ?",
    replacement: "command._tag === \"Place\" ?",
    test: [ofClearing, "that expires, or is amended to less"]
  },
  {
    name: "an amendment needs what the order held already",
    file: clearing,
    original: "command._tag === \"Amend\" ? command.orderId : undefined",
    replacement: "undefined",
    test: [ofClearing, "that expires, or is amended to less"]
  },
  {
    name: "a market order needs nothing",
    file: clearing,
    original: "heldFor(instrument, order, trades)))",
    replacement: "heldFor(instrument, order, [])))",
    test: [ofClearing, "at the market needs what the book costs"]
  },
  {
    name: "an order holds no fees",
    file: clearing,
    original: "fee: BigDecimal.max(asPlanned.fee, atLimit.fee)",
    replacement: "fee: Decimal.zero",
    test: [ofClearing, "to buy holds its price × amount with fees"]
  },
  {
    name: "what is over still holds its funds",
    file: clearing,
    original: "resting && heldFor(instrument, resting, [])",
    replacement: "heldFor(instrument, resting ?? orders.get(orderId)!, [])",
    test: ofAll
  },
  {
    name: "what has expired still holds its funds for the command that comes then",
    file: clearing,
    original: "const expired = this.expire(at)",
    replacement: "const expired: ReadonlyArray<Event> = []",
    test: [ofClearing, "that expires, or is amended to less"]
  },
  {
    name: "fees go nowhere",
    file: clearing,
    original: "    this.earn(feeAsset, fee)\n",
    replacement: "",
    test: ofAll
  },
  {
    name: "a loss beyond what is there goes nowhere",
    file: clearing,
    original: "this.earn(asset, account.add(asset, amount))",
    replacement: "account.add(asset, amount)",
    test: ofAll
  },
  {
    name: "a balance goes below zero",
    file: account,
    original: "const isThere = total.value >= 0n",
    replacement: "const isThere = total.value >= -(10n ** 30n)",
    test: [ofClearing, "that loses more than there is"]
  },
  {
    name: "more is held than there is",
    file: account,
    original: "BigDecimal.isLessThan(total, needed) ? total : needed",
    replacement: "needed",
    test: ofAll
  },
  {
    name: "orders stay that nothing covers any more",
    file: clearing,
    original: "settled.push(...this.cover(account, at))",
    replacement: "settled.push()",
    test: [ofClearing, "that loses more than there is"]
  },
  {
    name: "the oldest order goes where one is not covered",
    file: clearing,
    original: "[...account.orders.values()].toReversed()",
    replacement: "[...account.orders.values()]",
    test: [ofClearing, "that loses more than there is"]
  },
  {
    name: "an inverse position is paid for in money",
    file: settlement,
    original: "(side === \"buy\") === (valuation !== \"inverse\")",
    replacement: "side === \"buy\"",
    test: [ofClearing, "of an inverse instrument"]
  },
  {
    name: "what closes a position needs a margin",
    file: exposure,
    original: "const opens = BigDecimal.subtract(amount, had)",
    replacement: "const opens = amount",
    test: [ofClearing, "needs its margin by the account's leverage"]
  },
  {
    name: "a margin is rounded down",
    file: exposure,
    original: "BigDecimal.isLessThan(BigDecimal.multiply(margin, leverage), value)",
    replacement: "margin.scale < 0",
    test: ofAll
  },
  {
    name: "a position that turns keeps its price",
    file: exposure,
    original: "const received = shareOf(cost, closed, traded)",
    replacement: "const received = cost",
    test: [ofClearing, "turns, and then has the price"]
  },
  {
    name: "the margins exceed what is there after a change of leverage",
    file: account,
    original: "if (refusal !== undefined) return refusal",
    replacement: "if (refusal === undefined) return refusal",
    test: [ofClearing, "needs its margin by the account's leverage"]
  }
]
