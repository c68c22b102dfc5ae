/** Breakages of routing orders to several exchanges. */
import type { Breakage } from "./Breakage.ts"

const trading = "packages/core/src/trading"
const router = `${trading}/internal/router.ts`
const routedOrder = `${trading}/internal/routedOrder.ts`
const ofCancelling = "packages/testing/test/routing/Cancelling.test.ts"
const splitter = `${trading}/internal/splitter.ts`
const splitting = `${trading}/internal/splitting.ts`
const strategy = `${trading}/RoutingStrategy.ts`
const aggregates = `${trading}/internal/aggregates.ts`
const service = `${trading}/OrderRouter.ts`
const tests = "packages/testing/test"
const named = `${tests}/named/Routing.test.ts`
const scenarios = `${tests}/named/Scenarios.test.ts`
const ofSplitting = `${tests}/routing/Splitting.test.ts`
const ofRecovery = `${tests}/routing/Recovery.test.ts`
const ofUnknown = `${tests}/routing/Unknown.test.ts`

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an order goes to the first exchange there is",
    file: strategy,
    original: "return named([self.exchange])",
    replacement: "return candidates.slice(0, 1)",
    test: [named, "Order routing to correct exchange"]
  },
  {
    name: "an exchange that is down is available",
    file: router,
    original: "isAvailable: reason === undefined",
    replacement: "isAvailable: true",
    test: [named, "Multiple exchange availability"]
  },
  {
    name: "a refusal is the end of routing",
    file: router,
    original: `fallback === "not-taken" ||`,
    replacement: `fallback === "never" ||`,
    test: [named, "Fallback to secondary exchange"]
  },
  {
    name: "an order goes to a session that is not live",
    file: router,
    original: `if (reason !== undefined) return cause("Unavailable", reason)`,
    replacement: `if (reason === "") return cause("Unavailable", reason)`,
    test: [named, "All exchanges unavailable error"]
  },
  {
    name: "what an exchange lacks is not asked",
    file: router,
    original: `if (lacking !== undefined) return cause("Unsupported", lacking)`,
    replacement: "",
    test: [named, "Exchange-specific order types"]
  },
  {
    name: "one exchange that does not answer hides what the others have",
    file: service,
    original: "if (failures.length === answers.length && failures.length > 0)",
    replacement: "if (failures.length > 0)",
    test: [named, "Balance query across exchanges"]
  },
  {
    name: "of an asset at several exchanges the last counts",
    file: aggregates,
    original: "total: each.reduce((sum, { total }) => BigDecimal.sum(sum, total), Decimal.zero)",
    replacement: "total: each.at(-1)?.total ?? Decimal.zero",
    test: [named, "Aggregated balance calculation"]
  },
  {
    name: "an order's status is asked of the first exchange",
    file: service,
    original: "command(route.exchange, nameOf(order))",
    replacement: "command(routes[0]?.exchange ?? route.exchange, nameOf(order))",
    test: [named, "Order status from correct exchange"]
  },
  {
    name: "orders that are given at once go to one exchange",
    file: router,
    original: "this.options.routes.find((route) => routeName(route) === exchange)",
    replacement: "this.options.routes.find((route) => routeName(route) <= exchange)",
    test: [named, "Concurrent orders to different exchanges"]
  },
  {
    name: "an exchange's own error is left out",
    file: routedOrder,
    original: "({ exchange, reason, detail, outcome })",
    replacement: "({ exchange, reason, detail })",
    test: [named, "Exchange-specific error propagation"]
  },
  {
    name: "another exchange gets what may have been taken",
    file: routedOrder,
    original: `outcome._tag === "NotSent" || outcome._tag === "Rejected" ||`,
    replacement: `outcome._tag === "NotSent" || outcome._tag === "Rejected" || outcome._tag === "OutcomeUnknown" ||`,
    test: [ofUnknown, "no other exchange gets it"]
  },
  {
    name: "a lost order is not looked for elsewhere once it is known not to have come",
    file: routedOrder,
    original: `(outcome._tag === "Reconciled" && (outcome.status === "absent" || outcome.status === "rejected"))`,
    replacement: "false",
    test: [named, "Connection timeout handling"]
  },
  {
    name: "an exchange that asks for patience is asked at once",
    file: router,
    original: "answers.patientUntil = this.now() + outcome.retryAfterMillis",
    replacement: "answers.patientUntil = 0",
    test: [named, "Rate limiting response"]
  },
  {
    name: "what cannot be read of one exchange is a defect",
    file: service,
    original: "Effect.map(Effect.result(ask(route.exchange)),",
    replacement: "Effect.map(Effect.result(Effect.orDie(ask(route.exchange))),",
    test: [named, "Malformed response handling"]
  },
  {
    name: "turns are not taken",
    file: router,
    original: "    this.turn++\n",
    replacement: "",
    test: [named, "Exchange selection strategy"]
  },
  {
    name: "the worst price is the best",
    file: strategy,
    original: `return request.side === "buy"`,
    replacement: `return request.side === "sell"`,
    test: [named, "Exchange selection strategy"]
  },
  {
    name: "an exchange that could not be asked is not told of",
    file: router,
    original: "isDegraded: causes.some(isUnavailable)",
    replacement: "isDegraded: false",
    test: [named, "Graceful degradation"]
  },
  {
    name: "an order that was given before is sent again",
    file: router,
    original: "if (taken.length > 0) return this.placement(request, taken, [])",
    replacement: "",
    test: [ofRecovery, "knows an order that rests"]
  },
  {
    name: "what was open before is forgotten",
    file: router,
    original: `this.storage.orders({ only: "unsettled" })`,
    replacement: `this.storage.orders({ only: "unsettled", exchange: "" })`,
    test: [ofRecovery, "reconciles an order of which nothing was heard"]
  },
  {
    name: "a restart forgets until when an order could be taken",
    file: router,
    original: "{ asked: of, due }",
    replacement: "{ asked: of, due: Timestamp.fromEpochMillis(0) }",
    test: [ofRecovery, "knows that an order never came"]
  },
  {
    name: "a part is more than its share",
    file: splitting,
    original: "left = BigDecimal.subtract(left, taken)",
    replacement: "left = BigDecimal.subtract(left, Decimal.zero)",
    test: [ofSplitting, "takes the best levels of all books"]
  },
  {
    name: "the price is no bound for the parts",
    file: splitting,
    original: ".filter(([price]) => limit === undefined || !worse(price, limit))",
    replacement: "",
    test: [ofSplitting, "is for what its price allows"]
  },
  {
    name: "what must not be filled in part is begun",
    file: splitter,
    original: "if (isWhole && BigDecimal.isLessThan(offered, amount)) {",
    replacement: "if (isWhole && BigDecimal.isLessThan(amount, offered)) {",
    test: [ofSplitting, "is not begun if so much is not offered"]
  },
  {
    name: "what must not be filled in part is left so",
    file: splitter,
    original: "for (const { order } of taken) {",
    replacement: "for (const { order } of taken.slice(taken.length)) {",
    test: [ofSplitting, "is traded back"]
  },
  {
    name: "more is sent while a part is unknown",
    file: splitter,
    original: "if (taken.some(({ order }) => !isOver(order.status))) return { parts: taken, unwound: [], causes }",
    replacement: "",
    test: [ofUnknown, "nothing is sent for that part"]
  },
  {
    name: "a market order is divided once",
    file: splitter,
    original: "const mostRounds = 3",
    replacement: "const mostRounds = 1",
    test: [ofSplitting, "divided anew"]
  },
  {
    name: "two accounts of one exchange are one",
    file: routedOrder,
    original: "if (event.exchange === exchange) return event",
    replacement: "if (event.exchange !== \"\") return event",
    test: [named, "Exchange-specific error propagation"]
  },
  {
    name: "an order goes to no exchange",
    file: strategy,
    original: "return named([self.exchange])",
    replacement: "return named([self.exchange]).slice(1)",
    test: [scenarios, "BTC order on dYdX"]
  },
  {
    name: "a product has no strategy of its own",
    file: strategy,
    original: "Object.hasOwn(self.products, product) ?",
    replacement: "Object.hasOwn(self.products, \"\") ?",
    test: [scenarios, "ETH order on Coinbase"]
  },
  {
    name: "every exchange takes every form of client id",
    file: router,
    original: "isFirst && route.exchange.lacks(own) === undefined",
    replacement: "isFirst",
    test: [scenarios, "SOL order on Hyperliquid"]
  },
  {
    name: "of an asset at three venues one counts",
    file: aggregates,
    original: "total: each.reduce((sum, { total }) => BigDecimal.sum(sum, total), Decimal.zero)",
    replacement: "total: each[0]?.total ?? Decimal.zero",
    test: [scenarios, "3-way balance aggregation"]
  },
  {
    name: "an exchange that was down stays so",
    file: `${trading}/internal/exchangeProbe.ts`,
    original: `_tag === "Down" ? untilUp(askingMillis.first) : Effect.void)`,
    replacement: `_tag === "Idle" ? untilUp(askingMillis.first) : Effect.void)`,
    test: [scenarios, "Single exchange failure recovery"]
  },
  {
    name: "nothing of all exchanges is an answer",
    file: service,
    original: "if (failures.length === answers.length && failures.length > 0)",
    replacement: "if (failures.length > answers.length)",
    test: [scenarios, "All exchanges fail scenario"]
  },
  {
    name: "what is to be done at once rests at Coinbase",
    file: `${trading}/coinbase/internal/orders.ts`,
    original: "return { sor_limit_ioc: limit }",
    replacement: "return { limit_limit_gtc: { ...limit, post_only: false } }",
    test: [scenarios, "Mixed order types across exchanges"]
  },
  {
    name: "an order is cancelled at the first exchange",
    file: service,
    original: "command(route.exchange, nameOf(order))",
    replacement: "command(routes[0]?.exchange ?? route.exchange, nameOf(order))",
    test: [scenarios, "Cancel on specific exchange"]
  },
  {
    name: "an open order is left out",
    file: router,
    original: `Effect.succeed(events.filter((event) => event._tag === "OrderUpdate"))`,
    replacement: `Effect.succeed(events.filter((event) => event._tag === "OrderUpdate").slice(1))`,
    test: [scenarios, "Order status sync across exchanges"]
  },
  {
    name: "fills are not stored",
    file: router,
    original: "Effect.asVoid(this.storage.append(name, clientId, event))",
    replacement: "event._tag === \"Fill\" ? Effect.void : Effect.asVoid(this.storage.append(name, clientId, event))",
    test: [scenarios, "Portfolio consistency with multi-exchange"]
  },
  {
    name: "nobody observes what a router learns",
    file: router,
    original: "this.options.observe?.(update)",
    replacement: "void update",
    test: [ofRecovery, "tells what it learns, with the order that it is of, from the first moment"]
  },
  {
    name: "an update has the order from before it",
    file: router,
    original: "const update: Update = { of, order: part.order, event }",
    replacement: "const update: Update = { of, order, event }",
    test: [ofRecovery, "tells what it learns, with the order that it is of, from the first moment"]
  },
  {
    name: "an order goes on to another exchange though all were cancelled",
    file: router,
    original: "[undefined, clientId].every((of)",
    replacement: "[clientId].every((of)",
    test: [ofCancelling, "goes to no other exchange once all orders are cancelled"]
  },
  {
    name: "an order goes on to another exchange though it was cancelled",
    file: router,
    original: "[undefined, clientId].every((of)",
    replacement: "[undefined].every((of)",
    test: [ofCancelling, "goes to no other exchange once it is cancelled"]
  },
  {
    name: "an order is divided anew though all were cancelled",
    file: splitter,
    original: "terms.side !== side || isWanted()",
    replacement: "true",
    test: [ofCancelling, "is not divided anew once all are cancelled"]
  },
  {
    name: "all orders that come later count as cancelled with those before",
    file: router,
    original: "const { cancels } = this",
    replacement: "const cancels = 0",
    test: [ofCancelling, "goes to no other exchange once all orders are cancelled"]
  },
  {
    name: "an order is sent though it was cancelled while it was stored",
    file: router,
    original: ": isWanted()\n",
    replacement: ": isWanted() || true\n",
    test: [ofCancelling, "is not sent if it is cancelled while it is stored"]
  },
  {
    name: "half of a whole or nothing is kept where it is cancelled",
    file: splitter,
    original: "terms.side !== side || isWanted()",
    replacement: "isWanted()",
    test: [ofCancelling, "is traded back also where all are cancelled"]
  },
  {
    name: "an order that no exchange has cannot be cancelled",
    file: "packages/core/src/trading/OrderRouter.ts",
    original: "router.cancelRouting(clientId) &&",
    replacement: "!router.cancelRouting(clientId) &&",
    test: [ofCancelling, "goes nowhere if it is cancelled before it has left"]
  },
  {
    name: "a part is sent that is worth less than an order must be",
    file: splitting,
    original: "Instrument.checkValue(instrument, { amount: whole, price, reduceOnly }) !== undefined",
    replacement: "whole.value === 0n",
    test: ["packages/core/test/Splitting.test.ts", "is worth what its exchange asks for"]
  },
  {
    name: "a part is dropped that could be all of it",
    file: splitting,
    original: "BigDecimal.Order(depthOf(one.place), depthOf(other.place))",
    replacement: "BigDecimal.Order(depthOf(other.place), depthOf(one.place))",
    test: ["packages/core/test/Splitting.test.ts", "goes to the exchange that has more"]
  },
  {
    name: "nobody says why a rest does not rest",
    file: splitter,
    original: "causes.push(...places.map(({ exchange }) => new RouteCause({ exchange, reason: \"NotSent\", detail })))",
    replacement: "void detail",
    test: [ofSplitting, "says why its rest does not rest"]
  }
]
