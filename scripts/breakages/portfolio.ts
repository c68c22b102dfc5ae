/** Breakages of what a trader has, what it may do, and what its accounts must have. */
import type { Breakage } from "./Breakage.ts"

const lot = "packages/core/src/trading/Lot.ts"
const portfolio = "packages/core/src/trading/Portfolio.ts"
const risk = "packages/core/src/trading/Risk.ts"
const orderSize = "packages/core/src/trading/internal/orderSize.ts"
const reconciliation = "packages/core/src/trading/Reconciliation.ts"
const settlement = "packages/core/src/trading/internal/settlement.ts"
const ofPortfolio = "packages/core/test/Portfolio.test.ts"
const ofRisk = "packages/core/test/Risk.test.ts"
const ofReconciliation = "packages/core/test/Reconciliation.test.ts"
const anySteps = ["packages/core/test/Portfolio.property.test.ts", "keeps its invariants"] as const
const lastDigit = ["packages/core/test/Reconciliation.property.test.ts", "what fills come to"] as const
const sameWorth = ["packages/core/test/Reconciliation.property.test.ts", "a portfolio is worth"] as const

const ofTheLots: ReadonlyArray<Breakage> = [
  {
    name: "closed trades stand as they were booked",
    file: portfolio,
    original: ".toSorted(byClose)",
    replacement: "",
    test: ["packages/core/test/Portfolio.test.ts", "keeps closed trades oldest first"]
  },
  {
    name: "those of one instant stand as they were booked",
    file: portfolio,
    original: "a.closedAt - b.closedAt || Order.String(a.id, b.id)",
    replacement: "a.closedAt - b.closedAt",
    test: ["packages/core/test/Portfolio.test.ts", "keeps closed trades oldest first"]
  },
  {
    name: "a price does not change the total",
    file: portfolio,
    original: "settled({ ...self, marks: new Map(self.marks).set(product, price) })",
    replacement: "({ ...self, marks: new Map(self.marks).set(product, price) })",
    test: [ofPortfolio, "is worth its money and its lots"]
  },
  {
    name: "a first lot is worth what the price was before",
    file: portfolio,
    original: "marks: isMarked ? self.marks",
    replacement: "marks: isMarked || self.marks.has(lot.product) ? self.marks",
    test: [ofPortfolio, "is worth what its first lot of a product cost"]
  },
  {
    name: "a short gains where the price rises",
    file: lot,
    original: "return signed(direction === \"long\", gained)",
    replacement: "return signed(direction !== undefined, gained)",
    test: [ofPortfolio, "sets a short's cost aside"]
  },
  {
    name: "every fill is long",
    file: lot,
    original: "direction: side === \"buy\" ? \"long\" : \"short\",",
    replacement: "direction: \"long\",",
    test: [ofPortfolio, "sets a short's cost aside"]
  },
  {
    name: "what a lot cost stays set aside",
    file: portfolio,
    original: "cash: total([self.cash, BigDecimal.subtract(lot.cost, cost), realized]),",
    replacement: "cash: total([self.cash, realized]),",
    test: anySteps
  },
  {
    name: "what a lot gained is no money",
    file: portfolio,
    original: "cash: total([self.cash, BigDecimal.subtract(lot.cost, cost), realized]),",
    replacement: "cash: total([self.cash, BigDecimal.subtract(lot.cost, cost)]),",
    test: sameWorth
  },
  {
    name: "fees are paid by nobody",
    file: portfolio,
    original: "cash: feeAsset === self.quote ? BigDecimal.subtract(self.cash, fee) : self.cash",
    replacement: "cash: self.cash",
    test: anySteps
  },
  {
    name: "a fee in another asset is paid in money",
    file: portfolio,
    original: "cash: feeAsset === self.quote ? BigDecimal.subtract(self.cash, fee) : self.cash",
    replacement: "cash: BigDecimal.subtract(self.cash, fee)",
    test: [ofPortfolio, "takes a fee in another asset from no money"]
  },
  {
    name: "a part of a cost loses the digits of what is traded",
    file: lot,
    original: "BigDecimal.scale(self.cost, Math.max(self.cost.scale, fill.amount.scale + price.scale))",
    replacement: "self.cost",
    test: [ofPortfolio, "rounds no part of a cost"]
  },
  {
    name: "a stop is on the side of the target",
    file: lot,
    original: "stop: away(entryPrice, terms.stop, !isLong),",
    replacement: "stop: away(entryPrice, terms.stop, isLong),",
    test: [ofPortfolio, "has a stop 5 % and a target 10 %"]
  },
  {
    name: "the target is looked at before the stop",
    file: lot,
    original: "isStopped(stop) === true ? \"stop\" : isThere(target) === true ? \"target\" : undefined",
    replacement: "isThere(target) === true ? \"target\" : isStopped(stop) === true ? \"stop\" : undefined",
    test: [ofPortfolio, "tells the lots whose stop or target"]
  },
  {
    name: "a short stops where the price falls",
    file: lot,
    original: "direction === \"long\" ? [isAtMost, isAtLeast] : [isAtLeast, isAtMost]",
    replacement: "[isAtMost, isAtLeast]",
    test: [ofPortfolio, "tells the lots whose stop or target"]
  },
  {
    name: "a fill is booked twice",
    file: portfolio,
    original: "self.lots.get(id)?.tradeIds.includes(tradeId) === true ||",
    replacement: "",
    test: anySteps
  },
  {
    name: "a fill of a closed lot is booked twice",
    file: portfolio,
    original: "self.closed.some((closed) => closed.id === id && closed.tradeIds.includes(tradeId))",
    replacement: "false",
    test: [ofPortfolio, "books a fill once"]
  },
  {
    name: "more is closed than is open",
    file: lot,
    original: "(BigDecimal.isGreaterThan(fill.amount, self.amount)",
    replacement: "(BigDecimal.isGreaterThan(Decimal.zero, self.amount)",
    test: [ofPortfolio, "refuses what belongs to no lot"]
  },
  {
    name: "a lot is closed at another exchange",
    file: lot,
    original: "return lot.exchange === exchange && lot.symbol === product",
    replacement: "return lot.symbol === product",
    test: [ofPortfolio, "refuses what belongs to no lot"]
  },
  {
    name: "an open entry needs no money",
    file: portfolio,
    original: "BigDecimal.subtract(BigDecimal.subtract(self.cash, planned(self)), plannedFees(self))",
    replacement: "BigDecimal.subtract(self.cash, plannedFees(self))",
    test: [ofPortfolio, "needs the money that it may cost"]
  },
  {
    name: "what was filled stays set aside",
    file: portfolio,
    original: "const after = filled(charged(self, fill), id, fill)",
    replacement: "const after = charged(self, fill)",
    test: [ofPortfolio, "sets aside what it may cost"]
  },
  {
    name: "a short may cost more than is set aside",
    file: portfolio,
    original: "const price = most(order.price, self.marks.get(product))",
    replacement: "const price = order.price",
    test: [ofPortfolio, "of a short, or below the mark"]
  },
  {
    name: "open entries are no lots",
    file: portfolio,
    original: "const [crowd] = tooMany(self, productsOf(self.lots.values(), entries.values()))",
    replacement: "const [crowd] = tooMany(self, productsOf(self.lots.values()))",
    test: [ofPortfolio, "is of at most 5 lots"]
  },
  {
    name: "a product may have any number of lots",
    file: portfolio,
    original: "if (length > maxPerProduct) found",
    replacement: "if (length > maxPerProduct + maxLots) found",
    test: [ofPortfolio, "is of at most 5 lots"]
  },
  {
    name: "open entries are not exposed",
    file: portfolio,
    original: "BigDecimal.sum(atStake(self), planned(after))",
    replacement: "atStake(self)",
    test: [ofPortfolio, "exposes at most 0.8 of the total"]
  },
  {
    name: "what is owed is hidden by the total",
    file: portfolio,
    original: "if (self.cash.value < 0n) found.push",
    replacement: "if (self.total.value < 0n) found.push",
    test: [ofPortfolio, "is named, whatever it is"]
  },
  {
    name: "a total that the gains do not explain is none",
    file: portfolio,
    original: "[worth(self), byGains].find(",
    replacement: "[worth(self), worth(self)].find(",
    test: [ofPortfolio, "is named, whatever it is"]
  }
]

const ofTheChecks: ReadonlyArray<Breakage> = [
  {
    name: "a signal is executed twice",
    file: risk,
    original: "if (before !== undefined) return refused(before)",
    replacement: "if (before === null) return refused(before)",
    test: [ofRisk, "that was executed within 5 minutes"]
  },
  {
    name: "what came to nothing cannot be given again",
    file: risk,
    original: "isWithdrawn !== true && product",
    replacement: "product",
    test: [ofRisk, "that was executed within 5 minutes"]
  },
  {
    name: "any product may be traded",
    file: risk,
    original: "if (!limits.products.includes(product))",
    replacement: "if (product === \"\")",
    test: [ofRisk, "of a product that is not allowed"]
  },
  {
    name: "an inverse product counts as money",
    file: risk,
    original: "if (feeAsset !== quote || valuation === \"inverse\")",
    replacement: "if (feeAsset !== quote)",
    test: [ofRisk, "of a product that is not allowed"]
  },
  {
    name: "no number is confidence enough",
    file: risk,
    original: "if (!(confidence >= limits.confidence))",
    replacement: "if (confidence < limits.confidence)",
    test: [ofRisk, "of too little confidence"]
  },
  {
    name: "an hour lasts a day",
    file: risk,
    original: "tooOften(\"PerHour\", self, input, limits.perHour, hour)",
    replacement: "tooOften(\"PerHour\", self, input, limits.perHour, day)",
    test: [ofRisk, "after 10 orders in an hour"]
  },
  {
    name: "there is no limit of a day",
    file: risk,
    original: "    tooOften(\"PerDay\", self, input, limits.perDay, day)\n",
    replacement: "    undefined\n",
    test: [ofRisk, "after 50 orders in a day"]
  },
  {
    name: "what was admitted is never forgotten",
    file: risk,
    original: "self.admissions.filter(({ at }) => admission.at - at < day)",
    replacement: "self.admissions",
    test: [ofRisk, "after 50 orders in a day"]
  },
  {
    name: "an order is as small as it comes out",
    file: orderSize,
    original: "if (!isEnough(asWanted)) {",
    replacement: "if (asWanted.value === 0n) {",
    test: [ofRisk, "that would be too small"]
  },
  {
    name: "an order is as large as the share, whatever is there",
    file: orderSize,
    original: "const amount = BigDecimal.min(asWanted, amountFor(instrument, there, highest))",
    replacement: "const amount = asWanted",
    test: [ofRisk, "is at most what the available money comes to"]
  },
  {
    name: "an amount is rounded up to a lot",
    file: orderSize,
    original: "? legal(BigDecimal.subtract(amount, lot))",
    replacement: "? legal(amount)",
    test: [ofRisk, "never has a value beyond the share"]
  },
  {
    name: "an old signal is as good as a new one",
    file: risk,
    original: "tooOld(\"StaleSignal\", signal.at, input, limits.signalAge)",
    replacement: "tooOld(\"StaleSignal\", input.now, input, limits.signalAge)",
    test: [ofRisk, "that is too old"]
  },
  {
    name: "an old price is as good as a new one",
    file: risk,
    original: "tooOld(\"StalePrice\", input.pricedAt, input, limits.priceAge)",
    replacement: "undefined",
    test: [ofRisk, "that is too old"]
  },
  {
    name: "an order is priced beyond the slippage",
    file: risk,
    original: "side === \"buy\" ? illegal.below : illegal.above",
    replacement: "side === \"buy\" ? illegal.above : illegal.below",
    test: [ofRisk, "is cut to a tick within the slippage"]
  },
  {
    name: "an order's larger fee is not set aside",
    file: risk,
    original: "fees.reduce((one, other) => BigDecimal.max(one, other), Decimal.zero)",
    replacement: "Decimal.zero",
    test: [ofRisk, "sets its money aside"]
  },
  {
    name: "what is not there is sold",
    file: risk,
    original: "base !== undefined && side === \"sell\"",
    replacement: "base !== undefined && side !== \"buy\" && amount.value < 0n",
    test: [ofRisk, "for which the exchange has too little"]
  },
  {
    name: "an admitted order sets nothing aside",
    file: risk,
    original: "remember({ ...self, portfolio: portfolio.success }, admission)",
    replacement: "remember(self, admission)",
    test: [ofRisk, "sets its money aside"]
  },
  {
    name: "an order that came to nothing stays set aside",
    file: risk,
    original: "portfolio: Portfolio.release(self.portfolio, id),",
    replacement: "portfolio: self.portfolio,",
    test: [ofRisk, "that was executed within 5 minutes"]
  },
  {
    name: "an order is worth what its exchange asks for at the price, not at its limit",
    file: orderSize,
    original: "Instrument.checkValue(instrument, { amount, price: lowest }) === undefined",
    replacement: "Instrument.checkValue(instrument, { amount, price }) === undefined",
    test: [ofRisk, "that would be too small"]
  },
  {
    name: "an order may be worth less than its exchange asks for",
    file: orderSize,
    original: "Instrument.checkValue(instrument, { amount, price: lowest }) === undefined",
    replacement: "amount.scale < Infinity",
    test: [ofRisk, "that would be too small"]
  }
]

const ofTheAccounts: ReadonlyArray<Breakage> = [
  {
    name: "what only the exchange has is never told",
    file: reconciliation,
    original: "[...new Set([...ours.keys(), ...theirs.keys()])]",
    replacement: "[...ours.keys()]",
    test: [ofReconciliation, "are named that only one side has, in both directions"]
  },
  {
    name: "what only we have is never told",
    file: reconciliation,
    original: "[...new Set([...ours.keys(), ...theirs.keys()])]",
    replacement: "[...theirs.keys()]",
    test: [ofReconciliation, "are named that only one side has, in both directions"]
  },
  {
    name: "an order that nobody here knows is never told",
    file: reconciliation,
    original: "updates.filter((update) => !ours.some((order) => isOf(update, order)))",
    replacement: "updates.filter((update) => ours.length < 0 && isOf(update, ours[0]!))",
    test: [ofReconciliation, "are critical that only one side has"]
  },
  {
    name: "what is missing is as bad as it is large",
    file: reconciliation,
    original: "isMissing || exceeds(critical)",
    replacement: "exceeds(critical)",
    test: [ofReconciliation, "are named that only one side has, in both directions"]
  },
  {
    name: "a difference counts in its own units",
    file: reconciliation,
    original: "of === quote ? one : marks?.get(of) ?? one",
    replacement: "of === quote ? one : one",
    test: [ofReconciliation, "differ by what it is worth"]
  },
  {
    name: "a report has the mildest of its severities",
    file: reconciliation,
    original: "severities[Math.max(0, ...",
    replacement: "severities[Math.min(4, ...",
    test: [ofReconciliation, "are named that only one side has, in both directions"]
  },
  {
    name: "an exchange that does not answer is in order",
    file: reconciliation,
    original: "unanswered.length > 0 ? [...severities, \"Major\"] : severities",
    replacement: "severities",
    test: [ofReconciliation, "are not taken for missing"]
  },
  {
    name: "fees are not expected",
    file: reconciliation,
    original: "if (fee !== undefined) addTo(balances, feeAsset ?? instrument.feeAsset, BigDecimal.negate(fee))",
    replacement: "",
    test: lastDigit
  },
  {
    name: "a cost has the digits of its fills",
    file: reconciliation,
    original: "value.scale >= scale ? value :",
    replacement: "value.scale >= -scale ? value :",
    test: lastDigit
  },
  {
    name: "a position that was there has cost nothing",
    file: reconciliation,
    original: "cost: averagePrice === undefined",
    replacement: "cost: averagePrice !== undefined",
    test: [ofReconciliation, "begin with what the exchanges say"]
  },
  {
    name: "who buys what is spot pays nothing",
    file: settlement,
    original: "[feeAsset, signed(side === \"sell\", value)]] as const",
    replacement: "[feeAsset, signed(side === \"sell\", Decimal.zero)]] as const",
    test: [ofReconciliation, "are an exchange of spot"]
  }
]

export const breakages: ReadonlyArray<Breakage> = [...ofTheLots, ...ofTheChecks, ...ofTheAccounts]
