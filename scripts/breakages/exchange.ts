/** Breakages of order entry: at an exchange, and from a shell. */
import type { Breakage } from "./Breakage.ts"

const inside = "packages/core/src/trading/deribit/internal"
const calls = `${inside}/calls.ts`
const gateway = `${inside}/deribitGateway.ts`
const notices = `${inside}/notices.ts`
const orders = `${inside}/orders.ts`
const common = "packages/core/src/trading/internal"
const cancelling = `${common}/cancelling.ts`
const failures = `${common}/failure.ts`
const orderByName = `${common}/orderByName.ts`
const following = `${common}/following.ts`
const unknownOutcome = `${common}/unknownOutcome.ts`
const placing = `${common}/placing.ts`
const session = "packages/core/src/session/deribit/DeribitSession.ts"
const runner = "packages/node/src/runner/Ordering.ts"
const ofAccount = "packages/testing/test/trading/DeribitAccount.test.ts"
const ofEntry = "packages/testing/test/trading/DeribitExchange.test.ts"
const ofAnswers = "packages/testing/test/trading/DeribitAnswers.test.ts"
const ofLookups = "packages/testing/test/trading/DeribitLookups.test.ts"
const ofChanges = "packages/testing/test/trading/DeribitChanges.test.ts"
const ofResuming = "packages/testing/test/trading/Resuming.test.ts"
const ofFollowing = "packages/testing/test/trading/Following.test.ts"
const ofSession = "packages/testing/test/session/DeribitSession.test.ts"
const ofRunner = "packages/node/test/runner/Ordering.test.ts"
const isAbsent = "says that an order is absent only"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an order whose answer was lost is sent again",
    file: failures,
    original: `failure._tag === "Unsent" && failure.mayFollow && now()`,
    replacement: `failure._tag !== "Refused" && failure.mayFollow && now()`,
    test: [ofEntry, "says what became of an order"]
  },
  {
    name: "an order that may still come is absent",
    file: placing,
    original: "      if (isPending) return undefined\n",
    replacement: "",
    test: [ofEntry, isAbsent]
  },
  {
    name: "an order that can no longer come is never absent",
    file: gateway,
    original: "(time) => Timestamp.epochMillis(time) >= end",
    replacement: "(time) => Timestamp.epochMillis(time) >= end + 60_000",
    test: [ofEntry, isAbsent]
  },
  {
    name: "an order has no end by the venue's clock",
    file: orders,
    original: "...(reduceOnly ? { reduce_only: true } : {}),\n    valid_until: validUntil",
    replacement: "...(reduceOnly ? { reduce_only: true } : {})",
    test: [ofEntry, "an order is taken by nobody after its deadline"]
  },
  {
    name: "an order waits for its credits longer than it has",
    file: calls,
    original: "          duration: left,\n",
    replacement: "          duration: left + 1_000,\n",
    test: [ofEntry, "what waits for the account's limits"]
  },
  {
    name: "what was not written by its deadline has an outcome that is unknown",
    file: calls,
    original: "isWritten ? unanswered(",
    replacement: "!isWritten ? unanswered(",
    test: [ofEntry, "what waits for the account's limits"]
  },
  {
    name: "what never left is given up with its connection",
    file: calls,
    original: "unsent(error.message, error.reason !== \"Closed\")",
    replacement: "unsent(error.message)",
    test: [ofEntry, "what waits for the account's limits while"]
  },
  {
    name: "a notice that contradicts what is known ends it with a defect",
    file: following,
    original: "Order.allows(known, input) ? Order.transition(known, input) : known",
    replacement: "Order.transition(known, input)",
    test: [ofAnswers, "what contradicts what is known"]
  },
  {
    name: "it is asked for ever what became of an order",
    file: unknownOutcome,
    original: "at >= end || (yield* isOver)",
    replacement: "yield* isOver",
    test: [ofEntry, "gives up learning"]
  },
  {
    name: "a key that is refused is not told",
    file: calls,
    original: "Effect.raceFirst(live, Deferred.await(this.refused))",
    replacement: "live",
    test: [ofEntry, "sends nothing where its key is refused"]
  },
  {
    name: "a refusal of a key is tried again",
    file: session,
    original: "ErrorCodes.temporary.has(error.code) ? error : new AuthError",
    replacement: "error.code !== \"13004\" ? error : new AuthError",
    test: [ofSession, "stops at any refusal of its key"]
  },
  {
    name: "a key without its account cannot trade",
    file: session,
    original: `error._tag === "UnreadableResult" || error._tag === "RpcError" && !ErrorCodes.temporary.has(error.code)`,
    replacement: `error._tag === "UnreadableResult"`,
    test: [ofSession, "does without the account's limits"]
  },
  {
    name: "limits that cannot be read end the sign-in",
    file: "packages/core/src/session/deribit/DeribitSession.ts",
    original: `error._tag === "UnreadableResult" || error._tag`,
    replacement: "error._tag",
    test: [ofSession, "reads the account's limits whatever else"]
  },
  {
    name: "the limits need the rest of the account",
    file: "packages/core/src/session/deribit/DeribitSession.ts",
    original: "call(limitsOfAccount, {",
    replacement: "call(Methods.account.getAccountSummary, {",
    test: [ofSession, "reads the account's limits whatever else"]
  },
  {
    name: "what the rules forbid is sent",
    file: gateway,
    original: "illegal === undefined ? Effect.succeed(market)",
    replacement: "illegal !== \"\" ? Effect.succeed(market)",
    test: [ofEntry, "sends nothing that the instrument's rules forbid"]
  },
  {
    name: "a post-only order is moved",
    file: orders,
    original: "{ post_only: true, reject_post_only: true }",
    replacement: "{ post_only: true }",
    test: [ofEntry, "says what the exchange refuses"]
  },
  {
    name: "an amendment makes a post-only order any other",
    file: orders,
    original: "{ post_only, reject_post_only: reject_post_only ?? true }",
    replacement: "{}",
    test: [ofEntry, "an amendment keeps what it does not name"]
  },
  {
    name: "an amendment leaves out the amount",
    file: orders,
    original: "terms.amount ?? amount ?? undefined",
    replacement: "terms.amount",
    test: [ofEntry, "an amendment keeps what it does not name"]
  },
  {
    name: "the first of several orders is meant",
    file: orderByName,
    original: "others.length === 0 ? Effect.succeed(order)",
    replacement: "others.length >= 0 ? Effect.succeed(order)",
    test: [ofEntry, "touches none of several orders"]
  },
  {
    name: "an amendment that was not taken is done",
    file: placing,
    original: "update !== undefined && !isAmended && !isOver(update.status)",
    replacement: "update !== undefined && isAmended && !isOver(update.status)",
    test: [ofEntry, "an amendment whose answer was lost"]
  },
  {
    name: "a cancel whose answer was lost is left at that",
    file: cancelling,
    original: "yield* gateway.cancel(named, { until })\n      return new",
    replacement: "order\n      return new",
    test: [ofEntry, "a cancel whose answer was lost"]
  },
  {
    name: "what the venue did not cancel with all is passed over",
    file: cancelling,
    original: "filter(({ orderId }) => !ids.has(orderId))",
    replacement: "filter(({ orderId }) => ids.has(orderId))",
    test: [ofChanges, "counts those cancelled"]
  },
  {
    name: "a refused cancel counts",
    file: cancelling,
    original: `event._tag !== "Rejected" && event.status === "cancelled"`,
    replacement: `event._tag === "Rejected" || event.status === "cancelled"`,
    test: [ofChanges, "counts those cancelled"]
  },
  {
    name: "whatever order is answered is ours",
    file: placing,
    original: "!gateway.isOf(request, order)",
    replacement: "false",
    test: [ofAnswers, "an answer that names another order"]
  },
  {
    name: "an answer that leaves the amount out is of another order",
    file: orders,
    original: "const taken = order.amount ?? amount",
    replacement: "const taken = order.amount ?? Decimal.zero",
    test: [ofAnswers, "an answer that leaves out"]
  },
  {
    name: "what the venue takes of a reduce-only order is another order",
    file: orders,
    original: "reduceOnly && order.reduce_only === true",
    replacement: "false",
    test: [ofAnswers, "of a reduce-only order"]
  },
  {
    name: "an order that is smaller is ours",
    file: orders,
    original: "reduceOnly && order.reduce_only === true",
    replacement: "order.reduce_only === true",
    test: [ofAnswers, "an answer that names another order"]
  },
  {
    name: "an order is followed to the amount that was asked for",
    file: placing,
    original: "taken?.amount ?? before.amount",
    replacement: "before.amount",
    test: [ofAnswers, "of a reduce-only order"]
  },
  {
    name: "what is followed is not looked up in the history",
    file: placing,
    original: "gateway.findEver(hasUniqueClientIds",
    replacement: "gateway.find(hasUniqueClientIds",
    test: [ofLookups, "an order that is followed over a long outage"]
  },
  {
    name: "what is followed and cannot be read is passed over in silence",
    file: placing,
    original: "isNews ? Effect.logWarning(describe(failure)) : Effect.void",
    replacement: "Effect.void",
    test: [ofLookups, "what is followed and cannot be read"]
  },
  {
    name: "what is followed and cannot be read is logged again and again",
    file: placing,
    original: "isWarned ||= isNews",
    replacement: "isWarned = false",
    test: [ofLookups, "what is followed and cannot be read"]
  },
  {
    name: "a currency needs more than its name",
    file: gateway,
    original: "this.calls.read(namesOfCurrencies, {}, until)",
    replacement: "this.calls.read(Methods.market.getCurrencies, {}, until)",
    test: [ofLookups, "looks an order up under the currencies that are listed"]
  },
  {
    name: "without a list of currencies no order is found",
    file: gateway,
    original: "Effect.orElseSucceed(() => describedCurrencies)",
    replacement: "Effect.orElseSucceed(() => [])",
    test: [ofLookups, "looks an order up under the currencies that are listed"]
  },
  {
    name: "whatever bears our client id is ours",
    file: placing,
    original: "found.findLast((order) => gateway.isOf(request, order))",
    replacement: "found.at(-1)",
    test: [ofAnswers, "another's order under our client id"]
  },
  {
    name: "a failure of the venue is a rejection",
    file: calls,
    original: "failure.code === ErrorCodes.internalServerError",
    replacement: "failure.code === \"\"",
    test: [ofAnswers, "a failure of the venue"]
  },
  {
    name: "a busy venue is asked once",
    file: failures,
    original: "failure._tag === \"Refused\" ? failure.retryAfterMillis",
    replacement: "failure._tag === \"Refused\" ? undefined",
    test: [ofAnswers, "what is asked is asked again"]
  },
  {
    name: "a unit that has no orders ends the search",
    file: gateway,
    original: "failure.code === ErrorCodes.invalidParams",
    replacement: "failure.code === \"\"",
    test: [ofLookups, "looks an order up under each currency"]
  },
  {
    name: "an order that has been over for long is absent",
    file: gateway,
    original: "orders.length > 0 ? Effect.succeed(orders) : this.findOld(name, until)",
    replacement: "Effect.succeed(orders)",
    test: [ofEntry, "an order that has been over for long"]
  },
  {
    name: "Deribit's spot is taken for what has positions",
    file: orders,
    original: "base: base_currency, feeAsset",
    replacement: "feeAsset",
    test: [ofAnswers, "spot has no positions"]
  },
  {
    name: "spot is of its quote alone",
    file: orders,
    original: "[...new Set([base_currency, quote_currency])]",
    replacement: "[base_currency]",
    test: [ofAnswers, "spot has no positions"]
  },
  {
    name: "an execution is said as often as it is told",
    file: following,
    original: "!tradeIds.has(tradeId)",
    replacement: "tradeId !== \"\" || tradeIds.size < 0",
    test: [ofFollowing, "says those of a time without a connection"]
  },
  {
    name: "executions come as they are told",
    file: orders,
    original: "(one.trade_seq ?? 0) - (other.trade_seq ?? 0)",
    replacement: "(other.trade_seq ?? 0) - (one.trade_seq ?? 0)",
    test: [ofFollowing, "says those of a time without a connection"]
  },
  {
    name: "a drop is no reason to ask",
    file: notices,
    original: `return state._tag === "SigningIn" && wasLive ? publish(gap) : Effect.void`,
    replacement: "return Effect.void",
    test: [ofFollowing, "says those of a time without a connection"]
  },
  {
    name: "silence is no reason to ask",
    file: placing,
    original: "silent: 8_000",
    replacement: "silent: 3_600_000",
    test: [ofFollowing, "asks where nothing is told"]
  },
  {
    name: "what was not told comes after what is",
    file: placing,
    original: "      if (Following.isBehind(following, told)) yield* fetch\n",
    replacement: "",
    test: [ofFollowing, "asks for what was not told"]
  },
  {
    name: "an outcome that is not known is a failure like any other",
    file: runner,
    original: "this.unknown.size > 0 ? exitCodes.unknown : this.hasFailed",
    replacement: "this.hasFailed",
    test: [ofRunner, "SIGINT before the answer"]
  },
  {
    name: "a signal says of what was written that it was not sent",
    file: runner,
    original: "isWritten ? new OrderEvent.OutcomeUnknown(ids)",
    replacement: "!isWritten ? new OrderEvent.OutcomeUnknown(ids)",
    test: [ofRunner, "a signal before it was written"]
  },
  {
    name: "an order that the exchange does not know is fine",
    file: runner,
    original: `        if (event.status === "absent") this.hasFailed = true\n`,
    replacement: "",
    test: [ofRunner, "places, amends, shows and cancels"]
  },
  {
    name: "without an address it goes to the exchange's own",
    file: "packages/node/src/runner/exchange/OrderExchange.ts",
    original: "if (live === Option.isSome(url)) {",
    replacement: "if (live && Option.isSome(url)) {",
    test: [ofRunner, "deribit list"]
  },
  {
    name: "the deadline counts from when everything is loaded and dialled",
    file: runner,
    original: "Duration.toMillis(deadline) - ((yield* Monotonic.now) - startedAt)",
    replacement: "Duration.toMillis(deadline) + ((yield* Monotonic.now) - startedAt) + 5_000",
    test: [ofRunner, "not sent: nobody listens"]
  },
  {
    name: "an amendment that was not taken is not told to people",
    file: "packages/node/src/runner/Ordering.ts",
    original: "Stream.fromEffectDrain(Effect.logWarning(message))",
    replacement: "Stream.fromEffectDrain(Effect.logDebug(message))",
    test: [ofRunner, "an amendment that is never taken"]
  },
  {
    name: "executions of a time without a connection are lost",
    file: `${common}/executions.ts`,
    original: "isBehind = !(yield* fetch)",
    replacement: "isBehind = !(Option.isSome(notice) || (yield* fetch))",
    test: [ofAccount, "those of a time without a connection"]
  },
  {
    name: "what was known before a gap is complete after it",
    file: `${common}/executions.ts`,
    original: "if (isBehind) continue",
    replacement: "",
    test: [ofAccount, "those of a long outage"]
  },
  {
    name: "the account is not asked while nothing is told",
    file: `${common}/executions.ts`,
    original: "silent: 8_000",
    replacement: "silent: 3_600_000",
    test: [ofAccount, "tells those that no notice brought"]
  },
  {
    name: "an execution is told of as often as it is known",
    file: `${common}/executions.ts`,
    original: "if (known.has(id)) continue",
    replacement: "",
    test: [ofAccount, "tells each execution once"]
  },
  {
    name: "an order of a process that ended is absent at once",
    file: placing,
    original: "gateway.wallMillis() < dueMillis + settlingMillis",
    replacement: "gateway.wallMillis() < 0",
    test: [ofResuming, "is absent only once"]
  },
  {
    name: "what happened to an order between two processes is not asked for",
    file: placing,
    original: "yield* isOld ? fetch : take({ fills })",
    replacement: "yield* take({ fills })",
    test: [ofResuming, "tells what is new"]
  },
  {
    name: "an order that is gone on with tells its executions again",
    file: following,
    original: "new Set(order.fills.map(({ tradeId }) => tradeId))",
    replacement: "new Set()",
    test: [ofResuming, "tells what is new"]
  }
]
