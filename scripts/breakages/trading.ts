/** Breakages of the room `trading` of core. */
import type { Breakage } from "./Breakage.ts"

const order = "packages/core/src/trading/Order.ts"
const statusTransitions = "packages/core/src/trading/internal/statusTransitions.ts"
const ofOrder = "packages/core/test/Order.test.ts"
const instrument = "packages/core/src/trading/Instrument.ts"
const ofInstrument = "packages/core/test/Instrument.test.ts"
const matching = "packages/core/src/trading/Matching.ts"
const book = "packages/core/src/trading/internal/matchingBook.ts"
const sorted = "packages/core/src/trading/internal/sorted.ts"
const ofMatching = "packages/core/test/Matching.test.ts"
const ofPlainOne = ["packages/core/test/Matching.property.test.ts", "does what a plain one does"] as const

export const breakages: ReadonlyArray<Breakage> = [
  // an order of ours
  {
    name: "an outcome is said twice",
    file: order,
    original: "to._tag === \"Reconciled\" ? from?._tag === \"OutcomeUnknown\" : from === undefined",
    replacement: "to._tag === \"Reconciled\" || from?._tag !== \"Reconciled\"",
    test: [ofOrder, "whose outcome is unknown is reconciled, once"]
  },
  {
    name: "an order that was never sent is filled",
    file: statusTransitions,
    original: "return said === status || said === \"unknown\" ? status : \"forbidden\"",
    replacement: "return said",
    test: [ofOrder, "that was never there cannot come later"]
  },
  {
    name: "an order that is filled is cancelled",
    file: statusTransitions,
    original: "return said === status || said === \"absent\" || !isOver(said) ? status : \"forbidden\"",
    replacement: "return said",
    test: [ofOrder, "has one end"]
  },
  {
    name: "an answer that is overtaken takes back what is known",
    file: order,
    original: ": order.status\n    case \"Fill\":",
    replacement: ": \"unknown\"\n    case \"Fill\":",
    test: [ofOrder, "knows what overtakes its answer"]
  },
  {
    name: "a fill counts as often as it is told",
    file: order,
    original: "order.fills.some(({ tradeId }) => tradeId === fill.tradeId)",
    replacement: "order.fills.length < 0",
    test: [ofOrder, "has each fill once"]
  },
  {
    name: "a fill adds to what was told already",
    file: order,
    original: "most(most(order.filled, sumOf(fills)), ",
    replacement: "most(BigDecimal.sum(order.filled, fill?.amount ?? Decimal.zero), ",
    test: [ofOrder, "has each fill once"]
  },
  {
    name: "an order is filled beyond its amount",
    file: order,
    original: "if (progress > 0) return",
    replacement: "if (progress > 9) return",
    test: [ofOrder, "is not filled beyond its amount"]
  },
  {
    name: "a fill takes back an order's id",
    file: order,
    original: "fill !== undefined ? order.orderId ?? fill.orderId : ",
    replacement: "",
    test: [ofOrder, "keeps the id and the terms that came last"]
  },
  {
    name: "an order that is over is amended",
    file: order,
    original: "input._tag === \"OrderUpdate\" && !isOver(order.status) ? input",
    replacement: "input._tag === \"OrderUpdate\" ? input",
    test: [ofOrder, "keeps the id and the terms that came last"]
  },
  {
    name: "an order that rested and is there no more was never there",
    file: statusTransitions,
    original: "said === \"absent\" ? \"unknown\" : said === \"rejected\"",
    replacement: "said === \"rejected\"",
    test: [ofOrder, "that rested and is there no more"]
  },
  {
    name: "an average price is cut",
    file: "packages/core/src/value/internal/exactArithmetic.ts",
    original: "2n * (self < 0n ? -self : self) + by",
    replacement: "2n * (self < 0n ? -self : self)",
    test: ["packages/core/test/ExactArithmetic.test.ts", "rounds half away from zero"]
  },
  {
    name: "a limit order needs no price",
    file: "packages/core/src/trading/OrderRequest.ts",
    original: "price !== undefined || \"a limit order needs a price\"",
    replacement: "true",
    test: [ofOrder, "has a price if its type has one"]
  },
  {
    name: "an order's line says its liquidity",
    file: "packages/core/src/trading/OrderEvent.ts",
    original: "instant(\"timestamp\", event.timestamp)",
    replacement: "instant(\"timestamp\", event.timestamp) + text(\"liquidity\", event.liquidity)",
    test: [ofOrder, "is printed as the schema encodes it"]
  },
  // what an instrument allows, and the matching engine
  {
    name: "an instrument with ticks that do not meet is taken",
    file: instrument,
    original: "!isMultiple(next.from, next.tick) || !isMultiple(next.from, last.tick)",
    replacement: "!isMultiple(next.from, next.tick)",
    test: [ofInstrument, "that contradicts itself is refused"]
  },
  {
    name: "an instrument whose largest lot is below its least is taken",
    file: instrument,
    original: "BigDecimal.isLessThan(floor(maximum, lot), ceiling(minimum, lot))",
    replacement: "BigDecimal.isLessThan(maximum, minimum)",
    test: [ofInstrument, "that contradicts itself is refused"]
  },
  {
    name: "a price has the tick of lower ones",
    file: instrument,
    original: "self.ticks?.findLast(",
    replacement: "self.ticks?.find(",
    test: [ofInstrument, "has larger ticks higher up"]
  },
  {
    name: "a price of nothing is the nearest legal one",
    file: instrument,
    original: "below: Decimal.isPositive(below) ? below : undefined",
    replacement: "below",
    test: [ofInstrument, "is a positive multiple of the tick"]
  },
  {
    name: "an amount below the minimum is the nearest legal one",
    file: instrument,
    original: "BigDecimal.isLessThan(below, least) ? undefined : below",
    replacement: "below",
    test: [ofInstrument, "is a multiple of the lot between"]
  },
  {
    name: "an amount above the maximum is the nearest legal one",
    file: instrument,
    original: "maximum !== undefined && BigDecimal.isGreaterThan(above, maximum) ? undefined : above",
    replacement: "above",
    test: [ofInstrument, "is a multiple of the lot between"]
  },
  {
    name: "the least legal amount is the minimum, whatever the lot",
    file: instrument,
    original: "const least = ceiling(minimum, lot)",
    replacement: "const least = minimum",
    test: [ofInstrument, "is a multiple of the lot between"]
  },
  {
    name: "a fee of an inverse instrument is that of a linear one",
    file: instrument,
    original: "if (self.valuation === \"inverse\") return Exact",
    replacement: "if (self.valuation === undefined) return Exact",
    test: [ofInstrument, "of an inverse instrument"]
  },
  {
    name: "a fee that is exact is rounded",
    file: instrument,
    original: "fees.digits === undefined ? exact :",
    replacement: "fees.digits === -1 ? exact :",
    test: [ofInstrument, "is exact, or rounded"]
  },
  {
    name: "an illegal price is placed",
    file: matching,
    original: "(command.type === \"limit\" ? Instrument.checkPrice(instrument, command.price) : undefined)",
    replacement: "(undefined as ReturnType<typeof Instrument.checkPrice>)",
    test: [ofMatching, "is legal by its instrument"]
  },
  {
    name: "an illegal amount is amended to",
    file: matching,
    original: "(command.amount && Instrument.checkAmount(book.instrument, command.amount))",
    replacement: "undefined",
    test: [ofMatching, "is legal by its instrument"]
  },
  {
    name: "an account cancels the orders of others",
    file: matching,
    original: "order?.account === account ? order : undefined",
    replacement: "order",
    test: [ofMatching, "belongs to its account"]
  },
  {
    name: "an order that grows keeps its place",
    file: matching,
    original: "price === order.price && amount <= order.amount",
    replacement: "price === order.price",
    test: [ofMatching, "that is amended keeps its place"]
  },
  {
    name: "an order that shrinks loses its place",
    file: matching,
    original: "price === order.price && amount <= order.amount",
    replacement: "price === order.price && amount < 0n",
    test: [ofMatching, "that is amended keeps its place"]
  },
  {
    name: "a level does not shrink with its order",
    file: matching,
    original: "order.level.total -= order.amount - amount",
    replacement: "order.level.total -= 0n",
    test: [ofMatching, "that is amended keeps its place"]
  },
  {
    name: "an order is amended to less than is filled",
    file: matching,
    original: "amount <= order.filled",
    replacement: "amount < order.filled",
    test: [ofMatching, "is amended to a whole amount"]
  },
  {
    name: "an order that comes when it ends is taken",
    file: matching,
    original: "validUntil <= at",
    replacement: "validUntil < at",
    test: [ofMatching, "ends at its time"]
  },
  {
    name: "an order outlives its time",
    file: matching,
    original: "(order.validUntil ?? 0) > at",
    replacement: "(order.validUntil ?? 0) >= at",
    test: [ofMatching, "ends at its time"]
  },
  {
    name: "orders end in any order",
    file: matching,
    original: "((one.validUntil ?? 0) - (other.validUntil ?? 0) || one.number - other.number) < 0",
    replacement: "one.number < other.number",
    test: [ofMatching, "ends at its time"]
  },
  {
    name: "an order that is over still expires",
    file: matching,
    original: "if (order.validUntil !== undefined) this.expiring.remove(order)",
    replacement: "if (order.validUntil === 0) this.expiring.remove(order)",
    test: [ofMatching, "ends at its time"]
  },
  {
    name: "what an ioc does not trade rests",
    file: matching,
    original: "order.price === undefined || order.timeInForce === \"ioc\"",
    replacement: "order.price === undefined",
    test: [ofMatching, "of ioc cancels"]
  },
  {
    name: "a fok trades a part",
    file: matching,
    original: "order.timeInForce === \"fok\" && plan.total < order.amount",
    replacement: "order.timeInForce === \"fok\" && plan.total === 0n",
    test: [ofMatching, "of fok trades the whole"]
  },
  {
    name: "a post-only order trades",
    file: matching,
    original: "order.timeInForce !== \"post-only\"",
    replacement: "order.price !== undefined",
    test: [ofMatching, "of post-only never trades"]
  },
  {
    name: "a post-only order moves unasked",
    file: matching,
    original: "order.moves ? book.beside(order.side, crossed) : undefined",
    replacement: "book.beside(order.side, crossed)",
    test: [ofMatching, "of post-only never trades"]
  },
  {
    name: "a post-only order moves by the tick of the price it leaves",
    file: book,
    original: "side === \"buy\" ? from < price : from <= price",
    replacement: "from <= price",
    test: [ofMatching, "of post-only moves by the tick"]
  },
  {
    name: "a post-only order moves to a price of nothing",
    file: book,
    original: "beside > 0n ? beside : undefined",
    replacement: "beside",
    test: [ofMatching, "of post-only moves by the tick"]
  },
  {
    name: "a trade is at the price of the order that came",
    file: matching,
    original: "const price = BigDecimal.make(maker.price ?? 0n, priceScale)",
    replacement: "const price = BigDecimal.make(taker.price ?? maker.price ?? 0n, priceScale)",
    test: ofPlainOne
  },
  {
    name: "a reduce-only order needs no position",
    file: matching,
    original: "reduceOnly && book.reducible(account, side) === 0n",
    replacement: "reduceOnly && validUntil === 0",
    test: [ofMatching, "needs a position"]
  },
  {
    name: "a reduce-only order that comes trades beyond its position",
    file: book,
    original: "const most = taker.reduceOnly ?",
    replacement: "const most = taker.reduceOnly && remaining < 0n ?",
    test: [ofMatching, "that comes trades no more"]
  },
  {
    name: "a reduce-only order that rests trades beyond its position",
    file: book,
    original: "const tradable = maker.reduceOnly ?",
    replacement: "const tradable = maker.reduceOnly && left < 0n ?",
    test: [ofMatching, "that rests gives way"]
  },
  {
    name: "a reduce-only order stands in the way",
    file: book,
    original: "tradable < there && tradable < left ? \"reduce-only\" : undefined",
    replacement: "undefined",
    test: [ofMatching, "that rests gives way"]
  },
  {
    name: "a reduce-only order rests without a position",
    file: matching,
    original: "for (const useless of book.useless(account))",
    replacement: "for (const useless of book.useless(account).slice(1))",
    test: [ofMatching, "that rests is cancelled as soon"]
  },
  {
    name: "a fok counts on positions that its own trades end",
    file: book,
    original: "positions.set(maker.account, positionOf(maker.account) - bought)",
    replacement: "positions.set(maker.account, positionOf(maker.account))",
    test: ofPlainOne
  },
  {
    name: "an account trades with itself unasked",
    file: book,
    original: "maker.account === taker.account && taker.selfTrade",
    replacement: "maker === taker && taker.selfTrade",
    test: [ofMatching, "that meets one of its own account"]
  },
  {
    name: "an order that met its own account goes on",
    file: book,
    original: "taker.selfTrade !== \"cancel-maker\"",
    replacement: "taker.selfTrade === \"cancel-taker\"",
    test: [ofMatching, "that meets one of its own account"]
  },
  {
    name: "the youngest order of a price is first",
    file: book,
    original: "for (let maker = level.first; maker !== undefined; maker = maker.after)",
    replacement: "for (let maker = level.last; maker !== undefined; maker = maker.before)",
    test: [ofMatching, "by price and then by time"]
  },
  {
    name: "a level forgets what traded",
    file: book,
    original: "if (maker.level !== undefined) maker.level.total -= amount",
    replacement: "if (maker.level !== undefined) maker.level.total -= 0n",
    test: ofPlainOne
  },
  {
    name: "an order that leaves takes those behind it along",
    file: book,
    original: "else before.after = after",
    replacement: "else before.after = undefined",
    test: ofPlainOne
  },
  {
    name: "a level that is empty stays",
    file: book,
    original: "if (level.first === undefined) {",
    replacement: "if (level.last === undefined && level.total !== 0n) {",
    test: ofPlainOne
  },
  {
    name: "a position does not know the maker",
    file: book,
    original: "this.holding(maker.account).position += maker.side",
    replacement: "this.holding(taker.account).position += maker.side",
    test: ofPlainOne
  },
  {
    name: "a level is put anywhere",
    file: sorted,
    original: "this.items.splice(this.placeOf(item), 0, item)",
    replacement: "this.items.push(item)",
    test: [ofMatching, "and a book of ten thousand"]
  },
  {
    name: "what is cancelled with all is not of the account",
    file: matching,
    original: "return account === undefined ? this.open.values() : this.accounts.get(account) ?? []",
    replacement: "return this.open.values()",
    test: [ofMatching, "is cancelled with all"]
  },
  {
    name: "an amendment that is refused makes an order post-only",
    file: "packages/core/src/trading/Matching.ts",
    original: "    const price = restingPrice(amended, wanted)\n",
    replacement: "    order.timeInForce = amended.timeInForce\n    const price = restingPrice(amended, wanted)\n",
    test: ["packages/core/test/Matching.test.ts", "becomes post-only"]
  },
  {
    name: "an order is amended to reduce what is not there",
    file: "packages/core/src/trading/Matching.ts",
    original: "if (reduceOnly && !order.reduceOnly && book",
    replacement: "if (reduceOnly && order.reduceOnly && book",
    test: ["packages/core/test/Matching.test.ts", "only reduces needs something"]
  },
  {
    name: "an order that is amended to one that only reduces is not looked after",
    file: "packages/core/src/trading/Matching.ts",
    original: "    order.reduceOnly = reduceOnly\n",
    replacement: "",
    test: ["packages/core/test/Matching.test.ts", "only reduces needs something"]
  },
  {
    name: "what closes a position is worth as much as any order",
    file: instrument,
    original: "if (figure === undefined || (reduceOnly && base === undefined)) return undefined",
    replacement: "if (figure === undefined) return undefined",
    test: ["packages/core/test/Instrument.test.ts", "is worth the minimum"]
  },
  {
    name: "an order of any value is placed",
    file: matching,
    original: "(command.type === \"limit\" ? Instrument.checkValue(instrument, command) : undefined)",
    replacement: "undefined",
    test: [ofMatching, "is worth what its instrument asks for"]
  },
  {
    name: "an order is amended to any value",
    file: matching,
    original: "if (worthless !== undefined) return worthless",
    replacement: "",
    test: [ofMatching, "is worth what its instrument asks for"]
  }
]
