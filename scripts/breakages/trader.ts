/** Breakages of the trader: signals, orders, lots, its history, its kill switch. */
import type { Breakage } from "./Breakage.ts"

const strategy = "packages/core/src/strategy"
const trader = `${strategy}/Trader.ts`
const desk = `${strategy}/internal/desk.ts`
const traderOrders = `${strategy}/internal/traderOrders.ts`
const kept = `${strategy}/internal/traderHistory.ts`
const halting = `${strategy}/internal/halting.ts`
const comparing = `${strategy}/internal/comparing.ts`
const watching = `${strategy}/internal/watching.ts`
const tests = "packages/testing/test"
const named = `${tests}/named/EndToEnd.test.ts`
const ofRests = `${tests}/strategy/TraderRests.test.ts`
const own = `${tests}/strategy/Trader.test.ts`

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "why a trader's order was placed is not stored",
    file: kept,
    original: "    reason,\n    detail: Schema.encodeSync(Purpose)(purpose)",
    replacement: "    reason: \"\"",
    test: [named, "Signal → order flow (complete)"]
  },
  {
    name: "candles that have ended are shown to nobody",
    file: `${strategy}/internal/wholeCandles.ts`,
    original: "return closed.flatMap((candle) => {",
    replacement: "return closed.slice(1).flatMap((candle) => {",
    test: [named, "Price feed → indicator → signal pipeline"]
  },
  {
    name: "a trader has one entry under way, whatever the products",
    file: trader,
    original: "if (desk.entering.has(product)) return",
    replacement: "if (desk.entering.size > 0 || desk.portfolio.lots.size > 0) return",
    test: [named, "Multi-symbol concurrent trading"]
  },
  {
    name: "a sell closes nothing",
    file: trader,
    original: "for (const lot of lots) yield* leave(lot, \"signal\")",
    replacement: "for (const lot of lots.slice(1)) yield* leave(lot, \"signal\")",
    test: [named, "Position open → close cycle"]
  },
  {
    name: "a fill is booked twice",
    file: desk,
    original: "const before = this.booked.get(key) ?? 0",
    replacement: "const before = Math.max(0, (this.booked.get(key) ?? 0) - 1)",
    test: [named, "Portfolio consistency maintained"]
  },
  {
    name: "a trader looks at one exchange only",
    file: traderOrders,
    original: "const placed = yield* place(ordering, { purpose, reason, request }, { strategy: routing })",
    replacement:
      "const placed = yield* place(ordering, { purpose, reason, request }, { strategy: routing, fallback: \"never\" })",
    test: [named, "Error recovery (exchange fails)"]
  },
  {
    name: "a strategy that throws ends all signals",
    file: `${strategy}/internal/strategyRun.ts`,
    original: "cause = thrown",
    replacement: "throw thrown",
    test: [named, "Error recovery (signal fails)"]
  },
  {
    name: "checks look at the portfolio of the beginning",
    file: desk,
    original: "Risk.check(limits, this.risk, {",
    replacement: "Risk.check(limits, { ...this.risk, portfolio: { ...this.portfolio, lots: new Map() } }, {",
    test: [named, "Concurrent signal processing"]
  },
  {
    name: "a trader begins with fills of before the portfolio",
    file: desk,
    original: "      this.fill(this.purposes.get(of), of, fill)",
    replacement: "      this.fill(undefined, of, fill)",
    test: [named, "Trade history recording"]
  },
  {
    name: "the metrics of a trader count no closed lots",
    file: watching,
    original: "Metrics.trades.updateUnsafe(1, by",
    replacement: "Metrics.trades.updateUnsafe(0, by",
    test: [named, "Metrics collection"]
  },
  {
    name: "a stop closes nothing",
    file: trader,
    original: "isTrading ? Effect.forEach(reached, ({ by, lot }) => leave(lot, by), { discard: true }) : Effect.void",
    replacement:
      "isTrading ? Effect.forEach(reached.slice(1), ({ by, lot }) => leave(lot, by), { discard: true }) : Effect.void",
    test: [own, "closes a lot when its stop is reached, and when its target is"]
  },
  {
    name: "a sell enters a short that may not",
    file: trader,
    original: "if (side === \"sell\" && !shorts) return",
    replacement: "if (side === \"sell\" && shorts) return",
    test: [own, "closes a long by a sell, and enters a short only if it may"]
  },
  {
    name: "an entry under way keeps no other from being placed",
    file: trader,
    original: "desk.entering.set(product, id)",
    replacement: "void id",
    test: [own, "places nothing while an order of the product is under way, nor the same signal twice"]
  },
  {
    name: "a lot that could not be closed is left",
    file: traderOrders,
    original: "for (let pause = firstPause; yield* isTrading; pause = Math.min(pause * 2, longestPause)) {",
    replacement: "for (let pause = firstPause; (yield* isTrading) && pause === firstPause; pause *= 2) {",
    test: [own, "tries to close a lot again until it is closed, each time after the one before is over"]
  },
  {
    name: "a halt is forgotten",
    file: trader,
    original: "storage.decide({ kind: \"halt\", reason })",
    replacement: "Effect.void",
    test: [own, "halts: cancels what rests, whoever placed it, and places nothing until it is cleared"]
  },
  {
    name: "a halt cancels nothing",
    file: halting,
    original: "const events = yield* Stream.runCollect(router.cancelAll)",
    replacement: "const events = yield* Stream.runCollect(Stream.take(router.cancelAll, 0))",
    test: [own, "halts: cancels what rests, whoever placed it, and places nothing until it is cleared"]
  },
  {
    name: "a halted trader trades",
    file: `${strategy}/internal/traderPhase.ts`,
    original: "({ _tag }) => _tag === \"Trading\"",
    replacement: "({ _tag }) => _tag !== \"Ended\"",
    test: [own, "halts: cancels what rests, whoever placed it, and places nothing until it is cleared"]
  },
  {
    name: "a trader is patient for ever",
    file: traderOrders,
    original: "if (Option.isNone(inTime)) yield* Effect.ignore(Stream.runDrain(router.cancel(of)))",
    replacement: "if (Option.isNone(inTime)) yield* Effect.void",
    test: [own, "cancels an order that rests for longer than it is patient"]
  },
  {
    name: "a signal whose order came to nothing may not be given again",
    file: desk,
    original: "if (isNothing) this.risk = Risk.withdraw(this.risk, id)",
    replacement: "if (isNothing && id === \"\") this.risk = Risk.withdraw(this.risk, id)",
    test: [own, "cancels an order that rests for longer than it is patient"]
  },
  {
    name: "accounts are not compared again and again",
    file: trader,
    original: "Schedule.spaced(options.reconcileEvery ?? \"5 minutes\")",
    replacement: "Schedule.recurs(0)",
    test: [own, "compares what it knows with what the exchanges say, in both directions"]
  },
  {
    name: "what the accounts had at the beginning is not counted",
    file: comparing,
    original: "Reconciliation.expected(before, fills, instrumentOf)",
    replacement: "Reconciliation.expected(new Map(), fills, instrumentOf)",
    test: [own, "compares what it knows with what the exchanges say, in both directions"]
  },
  {
    name: "orders from before a restart do not count against the limits",
    file: desk,
    original: "if (purpose._tag === \"Exit\") continue",
    replacement: "if (purpose._tag === \"Exit\" || purpose._tag === \"Enter\") continue",
    test: [own, "knows after a restart what it had, what it gained and how often it may trade"]
  },
  {
    name: "what was gained before a restart is forgotten",
    file: desk,
    original:
      "    this.performance = Performance.trade(this.performance, BigDecimal.subtract(closed.realized, closed.fees))\n",
    replacement: "",
    test: [own, "knows after a restart what it had, what it gained and how often it may trade"]
  },
  {
    name: "what positions have gained is money at Hyperliquid",
    file: "packages/core/src/trading/hyperliquid/internal/hyperliquidGateway.ts",
    original: "BigDecimal.subtract(perpetual.marginSummary.accountValue, BigDecimal.sumAll(gained))",
    replacement: "BigDecimal.sum(perpetual.marginSummary.accountValue, BigDecimal.sumAll(gained.slice(0, 0)))",
    test: [`${tests}/routing/RandomVenues.test.ts`, "seed 4: sums are the exchanges' own"]
  },
  {
    name: "a halt that cannot be stored cancels nothing",
    file: trader,
    original: "const stored = yield* Effect.result(isFirst",
    replacement: "const stored = Exit.succeed(yield* isFirst",
    test: [own, "halts also if the halt cannot be stored, and says that it could not"]
  },
  {
    name: "what a process left that ended while it halted stays open",
    file: trader,
    original: "if (phase.isHalted()) yield* Halting.cancelAll(router, desk)",
    replacement: "if (!phase.isHalted()) yield* Halting.cancelAll(router, desk)",
    test: [own, "cancels after a restart what a process left that ended while it halted"]
  },
  {
    name: "what rests from before a restart may be spent again",
    file: desk,
    original: "for (const order of open) this.reserve(order)",
    replacement: "for (const order of open.slice(1)) this.reserve(order)",
    test: [own, "sets aside after a restart what an order that rests may cost"]
  },
  {
    name: "a lot is closed by each signal",
    file: trader,
    original: "if (desk.isLeaving(product)) return desk.refuse",
    replacement: "if (desk.isLeaving(\"\")) return desk.refuse",
    test: [own, "closes a lot once, however often it is told to"]
  },
  {
    name: "an alert is never over",
    file: watching,
    original: "    up = alerts\n",
    replacement: "    up = [...up, ...raised]\n    void alerts\n",
    test: [own, "raises an alert while an exchange is away"]
  },
  {
    name: "what is about to be placed as the trader is halted is placed",
    file: traderOrders,
    original: "Effect.filterOrFail(isTrading, (may) => may, () => notTrading)",
    replacement: "Effect.filterOrFail(isTrading, () => true, () => notTrading)",
    test: [own, "places nothing once it is halted"]
  },
  {
    name: "a halt ends while an order that was on its way rests",
    file: halting,
    original: "const isPlacing = desk.placing.size > 0",
    replacement: "const isPlacing = false",
    test: ["packages/core/test/Halting.test.ts", "looks once more for what was on its way"]
  },
  {
    name: "what was filled as all was cancelled counts as cancelled",
    file: halting,
    original: " && event.status === \"cancelled\"",
    replacement: "",
    test: ["packages/core/test/Halting.test.ts", "says which orders were cancelled"]
  },
  {
    name: "what is spot is closed by an order that is reduce-only",
    file: traderOrders,
    original: "order(rules.base === undefined)",
    replacement: "order(true)",
    test: [own, "not reduce-only, where there are no positions"]
  },
  {
    name: "what is to be closed where no order is reduce-only stays open",
    file: traderOrders,
    original: "isUnsupported ? order(false) : preferred",
    replacement: "preferred",
    test: [own, "where the exchange has no reduce-only orders"]
  },
  {
    name: "a fee in what was bought is sold with it",
    file: "packages/core/src/trading/Lot.ts",
    original: "? BigDecimal.subtract(amount, fee)",
    replacement: "? amount",
    test: ["packages/core/test/Portfolio.test.ts", "what a fee in it has left"]
  },
  {
    name: "a fee in any asset is taken from the position",
    file: "packages/core/src/trading/Lot.ts",
    original: " && base !== undefined && feeAsset === base",
    replacement: " && feeAsset !== undefined",
    test: ["packages/core/test/Portfolio.test.ts", "what a fee in it has left"]
  },
  {
    name: "a rest that nobody trades is tried to be sold for ever",
    file: traderOrders,
    original: "return Result.isSuccess(left) ? undefined :",
    replacement: "return Result.isSuccess(left) || why !== undefined ? undefined :",
    test: [ofRests, "gives up the rest that nobody trades"]
  },
  {
    name: "a rest that was given up is there again after a restart",
    file: desk,
    original: "writtenOff.get(lot) ?? []",
    replacement: "writtenOff.get(\"\") ?? []",
    test: [ofRests, "gives up the rest that nobody trades"]
  },
  {
    name: "a whole lot is given up",
    file: traderOrders,
    original: " && Instrument.legalAmount(rules, entered) !== undefined",
    replacement: "",
    test: [ofRests, "gives up nothing that the exchange would not"]
  },
  {
    name: "the cost of what is given up is not lost",
    file: "packages/core/src/trading/Lot.ts",
    original: "BigDecimal.subtract(self.realized, self.cost)",
    replacement: "self.realized",
    test: ["packages/core/test/Portfolio.test.ts", "gives up the rest of what a buy"]
  },
  {
    name: "a rest is given up whatever was filled since",
    file: desk,
    original: "lot?.tradeIds.length !== rest.fills ||",
    replacement: "lot === undefined ||",
    test: ["packages/core/test/Desk.test.ts", "is not given up once it is another amount"]
  },
  {
    name: "a rest is given up whatever it is by then",
    file: desk,
    original: " || !BigDecimal.equals(lot.amount, rest.amount)",
    replacement: "",
    test: ["packages/core/test/Desk.test.ts", "is not given up once it is another amount"]
  },
  {
    name: "what counts as the currency is bought with it",
    file: desk,
    original: "base !== undefined && this.likeQuote(base) === quote",
    replacement: "base !== undefined && base === quote",
    test: ["packages/core/test/Desk.test.ts", "is not traded"]
  },
  {
    name: "a rest is sold whatever it is worth",
    file: traderOrders,
    original: "return price && Instrument.checkValue(rules, { amount, price, reduceOnly: true })",
    replacement: "return price && Instrument.checkValue(rules, { amount, price })?.above && undefined",
    test: [ofRests, "worth less than an order must be"]
  },
  {
    name: "a rest is worth what was paid for it",
    file: traderOrders,
    original: "desk.priceOf(product)",
    replacement: "desk.marks().get(product)",
    test: [ofRests, "without a price of the day"]
  },
  {
    name: "most of what was bought is a rest",
    file: traderOrders,
    original: "BigDecimal.isLessThan(BigDecimal.sum(amount, amount), entered)",
    replacement: "BigDecimal.isLessThan(amount, entered)",
    test: [ofRests, "nor most of what was bought"]
  }
]
