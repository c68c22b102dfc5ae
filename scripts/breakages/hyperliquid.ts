/** Breakages of order entry at Hyperliquid. */
import type { Breakage } from "./Breakage.ts"

const folder = "packages/core/src/trading/hyperliquid"
const msgpack = `${folder}/internal/msgpack.ts`
const signing = `${folder}/HyperliquidSigning.ts`
const exchange = `${folder}/HyperliquidExchange.ts`
const account = `${folder}/internal/account.ts`
const amendments = `${folder}/internal/amendments.ts`
const assets = `${folder}/internal/assets.ts`
const calls = `${folder}/internal/calls.ts`
const gateway = `${folder}/internal/hyperliquidGateway.ts`
const messages = `${folder}/internal/messages.ts`
const notices = `${folder}/internal/notices.ts`
const orders = `${folder}/internal/orders.ts`
const accounts = "packages/testing/src/exchange/internal/hyperliquidAccounts.ts"
const actions = "packages/testing/src/exchange/internal/hyperliquidActions.ts"
const runner = "packages/node/src/runner/exchange/HyperliquidOrders.ts"
const ofSigning = "packages/core/test/HyperliquidSigning.test.ts"
const ofExchange = "packages/testing/test/trading/HyperliquidExchange.test.ts"
const ofAnswers = "packages/testing/test/trading/HyperliquidAnswers.test.ts"
const ofFollowing = "packages/testing/test/trading/HyperliquidFollowing.test.ts"
const ofAccount = "packages/testing/test/trading/HyperliquidAccount.test.ts"
const ofClient = "packages/testing/test/exchange/HyperliquidClient.test.ts"
const ofMock = "packages/testing/test/exchange/MockHyperliquidExchange.test.ts"
const ofAssets = "packages/core/test/HyperliquidAssets.test.ts"
const ofRunner = "packages/node/test/runner/HyperliquidOrdering.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // what is signed
  {
    name: "a number of Hyperliquid's is written in more bytes than it needs",
    file: msgpack,
    original: "value >= 0n ? value < 1n << BigInt(8 * bytes)",
    replacement: "value >= 0n ? bytes === 8",
    test: [ofSigning, "writes each size as the format has it"]
  },
  {
    name: "an action of Hyperliquid's is hashed without its bound in time",
    file: signing,
    original: "[Uint8Array.of(0), Eip712.bigEndian(expiresAfter, 8)]",
    replacement: "[]",
    test: [ofSigning, "a vault and a bound"]
  },
  {
    name: "an action of Hyperliquid's is hashed without its vault",
    file: signing,
    original: "[Uint8Array.of(1), Eip712.bytesOf(vault)]",
    replacement: "[Uint8Array.of(0)]",
    test: [ofSigning, "for a vault"]
  },
  {
    name: "what is signed for Hyperliquid's test network holds on the main one",
    file: signing,
    original: "options.network === \"testnet\" ? \"b\" : \"a\"",
    replacement: "\"a\"",
    test: [ofSigning, "a bound, on the test network"]
  },
  {
    name: "members that are undefined are hashed at Hyperliquid",
    file: msgpack,
    original: "member !== undefined)",
    replacement: "member !== null)",
    test: [ofSigning, "scheduleCancel at no time"]
  },
  {
    name: "what is posted to Hyperliquid is not what was signed",
    file: calls,
    original: "action: jsonOf(action),",
    replacement: "action: jsonOf({ ...action, type: \"noop\" }),",
    test: [ofExchange, "places, amends, shows and cancels, by either id"]
  },
  // what is written, and once
  {
    name: "an order at Hyperliquid has no bound in time",
    file: calls,
    original: "const options = { nonce, vault, expiresAfter, network }",
    replacement: "const options = { nonce, vault, expiresAfter: expiresAfter + 60_000, network }",
    test: [ofExchange, "places, amends, shows and cancels, by either id"]
  },
  {
    name: "an order at Hyperliquid goes over HTTP beside a socket that is up",
    file: calls,
    original: "isUp ? this.bySocket(signed, priority, until)",
    replacement: "!isUp ? this.bySocket(signed, priority, until)",
    test: [ofExchange, "says what became of an order whose answer was lost, and sends it once"]
  },
  {
    name: "an order that was cut off over HTTP is taken not to have left Hyperliquid",
    file: calls,
    original: "const unseen = new Set([\"Refused\",",
    replacement: "const unseen = new Set([\"Refused\", \"Unreachable\",",
    test: [ofExchange, "goes over HTTP while there is no socket, and never over both"]
  },
  {
    name: "an order at Hyperliquid is written again where no answer came",
    file: calls,
    original: "return Failure.writeOnce(once,",
    replacement: "return Failure.askAgain(once,",
    test: [ofExchange, "goes over HTTP while there is no socket, and never over both"]
  },
  {
    name: "an order that never reached Hyperliquid over HTTP is unknown",
    file: calls,
    original: "? Failure.unsent(message, mayFollow)",
    replacement: "? Failure.unanswered(message, mayFollow)",
    test: [ofAnswers, "over HTTP: nobody to take an order is nobody who has"]
  },
  {
    name: "an order that Hyperliquid answered with 503 is taken to be refused",
    file: calls,
    original: "if (status >= 500) return Failure.unanswered(reason)",
    replacement: "if (status > 599) return Failure.unanswered(reason)",
    test: [ofAnswers, "over HTTP are read as those on the socket"]
  },
  {
    name: "a wait of Hyperliquid's is not obeyed by what only asks",
    file: calls,
    original: "retryAfterMillis: retryAfter ?? (status === 503",
    replacement: "retryAfterMillis: (status === 503",
    test: [ofExchange, "what only asks is asked again where the venue wants to be asked later"]
  },
  {
    name: "Hyperliquid's clock is taken to be ours",
    file: calls,
    original: "this.ahead = least > 0 ? least",
    replacement: "this.ahead = least < 0 ? least",
    test: [ofAnswers, "with a time: what is valid until is by the venue's clock, as far as it is known"]
  },
  {
    name: "the weight of Hyperliquid's address is not kept",
    file: calls,
    original: "const wait = weights.take(now, weight)",
    replacement: "const wait = weights.take(now, 0 * weight)",
    test: [ofAnswers, "what the address may ask in a minute is not exceeded"]
  },
  // what became of it
  {
    name: "an order is absent at Hyperliquid before its bound",
    file: gateway,
    original: "this.wallMillis() < expiresAfter + settlingMillis",
    replacement: "this.wallMillis() < expiresAfter - 60_000",
    test: [ofExchange, "says that an order is absent only when it can no longer come"]
  },
  {
    name: "an answer of Hyperliquid's that names no order is acknowledged",
    file: gateway,
    original: "return answered === undefined\n",
    replacement: "return answered !== undefined\n",
    test: [ofAnswers, "to an order: what was filled at once, and what rests"]
  },
  {
    name: "what an order that takes at once has not filled rests at Hyperliquid",
    file: orders,
    original: "order.timeInForce === \"Ioc\" ? \"cancelled\"",
    replacement: "order.timeInForce === \"Ioc\" ? \"open\"",
    test: [ofAnswers, "to an order: what was filled at once, and what rests"]
  },
  {
    name: "an order that Hyperliquid refused later is cancelled",
    file: orders,
    original: "if (/rejected$/i.test(word)) return \"rejected\"",
    replacement: "if (/^rejected$/.test(word)) return \"rejected\"",
    test: [ofAnswers, "about an order: each of the venue's words for how it ended"]
  },
  {
    name: "an order that is only in Hyperliquid's history is absent",
    file: gateway,
    original: "if (found.length > 0) return found\n",
    replacement: "if (found.length >= 0) return found\n",
    test: [ofAnswers, "about an order that it has in its history only, or nowhere"]
  },
  {
    name: "a cancel at Hyperliquid that cannot be asked for is unknown",
    file: gateway,
    original: "Failure.unsent(Failure.describe(failure))\n      )\n      if (order",
    replacement: "Failure.unanswered(Failure.describe(failure))\n      )\n      if (order",
    test: [ofAnswers, "a cancel of what cannot be asked for is not sent"]
  },
  {
    name: "a cancel that says nothing counts at Hyperliquid",
    file: gateway,
    original: "if (status !== \"success\") {",
    replacement: "if (status !== undefined && status !== \"success\") {",
    test: [ofAnswers, "to an amendment and to a cancel that say nothing are looked up"]
  },
  {
    name: "all of the orders count as cancelled at Hyperliquid",
    file: gateway,
    original: "statuses[index] === \"success\"",
    replacement: "statuses[index] !== \"\"",
    test: [ofExchange, "cancels one by one what is not said to be cancelled"]
  },
  // amendments
  {
    name: "an amendment at Hyperliquid is of what is left",
    file: gateway,
    original: "const left = BigDecimal.subtract(amount, filled)\n",
    replacement: "const left = BigDecimal.sum(amount, BigDecimal.subtract(filled, filled))\n",
    test: [ofExchange, "an amendment is of the whole amount, what is filled included"]
  },
  {
    name: "what is filled while an amendment is on its way is bought twice at Hyperliquid",
    file: gateway,
    original: "!BigDecimal.isGreaterThan(last.filled, filled) || corrections === 0",
    replacement: "!BigDecimal.isGreaterThan(filled, last.filled) || corrections === 0",
    test: [ofExchange, "what is filled while an amendment is on its way is not bought twice"]
  },
  {
    name: "an amendment at Hyperliquid is not sent because its correction was not",
    file: gateway,
    original: "Failure.unanswered(`it was filled meanwhile",
    replacement: "Failure.unsent(`it was filled meanwhile",
    test: [ofExchange, "nor is it said not to be sent if that cannot be put right"]
  },
  {
    name: "an order with a trigger is amended into one without at Hyperliquid",
    file: gateway,
    original: "if (order.isTrigger) return",
    replacement: "if (order.isTrigger && order.reduceOnly) return",
    test: [ofAnswers, "an order that waits for its trigger is not amended into another"]
  },
  {
    name: "the ids of one client id are not added up at Hyperliquid",
    file: amendments,
    original: "if (BigInt(other) < BigInt(oid))",
    replacement: "if (BigInt(other) < 0n)",
    test: [ofExchange, "an amendment is of the whole amount, what is filled included"]
  },
  {
    name: "nobody learns what another process has amended at Hyperliquid",
    file: account,
    original: "if (cloids.length === 0) return Effect.void",
    replacement: "if (cloids.length >= 0) return Effect.void",
    test: [ofExchange, "an amendment is of the whole amount, what is filled included"]
  },
  {
    name: "an order that is amended elsewhere is over for who follows it at Hyperliquid",
    file: notices,
    original: "cloid !== undefined && isOver(status) && status === \"cancelled\"",
    replacement: "cloid === undefined && isOver(status) && status === \"cancelled\"",
    test: [ofFollowing, "goes on with what an amendment puts in the order's place, whoever amends"]
  },
  // what is told
  {
    name: "what was missed without a socket is not asked for at Hyperliquid",
    file: notices,
    original: "if (message.channel === last) publish(gap)",
    replacement: "if (message.channel === \"\") publish(gap)",
    test: [ofFollowing, "says each execution once and in order, over a drop"]
  },
  {
    name: "executions that Hyperliquid tells are passed over",
    file: messages,
    original: "case \"userFills\": {",
    replacement: "case \"userFill\": {",
    test: [ofFollowing, "all executions of the account, those of a time without a connection included"]
  },
  {
    name: "the executions of others are told of an order at Hyperliquid",
    file: gateway,
    original: "(fill.orderId !== undefined && ids.has(fill.orderId))",
    replacement: "(fill.orderId !== undefined && !ids.has(\"\"))",
    test: [ofFollowing, "asks where nothing is told"]
  },
  {
    name: "the socket to Hyperliquid is not kept alive",
    file: messages,
    original: "everyMillis: 30_000,",
    replacement: "everyMillis: 3_000_000,",
    test: [ofAccount, "keeps its socket alive, which the venue ends after a minute of silence"]
  },
  {
    name: "how long Hyperliquid asks to wait is not said",
    file: calls,
    original: "status === 429 ? { retryAfterMillis: retryAfter",
    replacement: "status === 429 ? { retryAfterMillis: status === 429 ? undefined : retryAfter",
    test: [ofAnswers, "that ask for patience say how long"]
  },
  // whose, and what
  {
    name: "an API wallet's orders are asked for as its own at Hyperliquid",
    file: account,
    original: "\"data\" in role ? role.data.user.toLowerCase() : address",
    replacement: "\"data\" in role ? address : address",
    test: [ofAccount, "of an API wallet is asked for, once"]
  },
  {
    name: "a vault's orders are asked for as the leader's at Hyperliquid",
    file: exchange,
    original: "account: vault ?? account, amendments",
    replacement: "account: account ?? vault?.slice(0, 0), amendments",
    test: [ofAccount, "of a vault is traded for by whoever leads it"]
  },
  {
    name: "a price at Hyperliquid has six significant figures",
    file: assets,
    original: "const figures = 5",
    replacement: "const figures = 6",
    test: [ofExchange, "what the rules forbid is not sent, with the nearest legal values"]
  },
  {
    name: "a price of spot has the decimals of a perpetual's at Hyperliquid",
    file: assets,
    original: "const firstSpot = 10_000",
    replacement: "const firstSpot = 0",
    test: [ofClient, "is what another client's schemas describe, and is hashed as it does"]
  },
  {
    name: "a figure is sent to Hyperliquid with zeros at its end",
    file: orders,
    original: "plain.replace(/\\.?0+$/, \"\")",
    replacement: "plain",
    test: [ofExchange, "a market order takes at once, up to its slippage, and in plain figures"]
  },
  {
    name: "a market order at Hyperliquid may trade at the best price only",
    file: assets,
    original: "BigDecimal.sum(one, slippage)",
    replacement: "BigDecimal.sum(one, BigDecimal.subtract(slippage, slippage))",
    test: [ofExchange, "a market order takes at once, up to its slippage, and in plain figures"]
  },
  {
    name: "a market order to sell at Hyperliquid goes beyond its bound",
    file: assets,
    original: "(side === \"buy\" ? illegal?.below : illegal?.above)",
    replacement: "illegal?.below",
    test: [ofAssets, "of a market order is at its bound or before it"]
  },
  {
    name: "a price at Hyperliquid has all decimals, whatever the size leaves",
    file: assets,
    original: "const least = Math.min(0, -priceDecimals)",
    replacement: "const least = Math.min(0, -6 - 0 * priceDecimals)",
    test: [ofAssets, "has the decimals that the size leaves"]
  },
  {
    name: "what is delisted is traded at Hyperliquid, under another's number",
    file: assets,
    original: "isDelisted === true ? undefined",
    replacement: "isDelisted === false ? undefined",
    test: [ofAssets, "has the numbers by which orders name it"]
  },
  {
    name: "a fill-or-kill is sent to Hyperliquid as something else",
    file: gateway,
    original: "if (timeInForce === \"fok\") return",
    replacement: "if (timeInForce === \"fok\" && clientId === \"\") return",
    test: [ofExchange, "what the rules forbid is not sent, with the nearest legal values"]
  },
  // the mock
  {
    name: "a list of orders at Hyperliquid knows nothing of those before an amendment",
    file: gateway,
    original: "      yield* this.account.learnHistory(orders, until)\n",
    replacement: "",
    test: [ofExchange, "an amendment is of the whole amount, what is filled included"]
  },
  {
    name: "a cancel at Hyperliquid knows nothing of the orders before an amendment",
    file: gateway,
    original: "      yield* Effect.ignore(this.account.learnHistory([last], until))\n",
    replacement: "",
    test: [ofExchange, "an amendment is of the whole amount, what is filled included"]
  },
  {
    name: "a history of Hyperliquid that is none makes an order unknown",
    file: account,
    original: "isNone ? Effect.succeed([])",
    replacement: "isNone && until < 0 ? Effect.succeed([])",
    test: [ofAnswers, "about an order that it has in its history only, or nowhere"]
  },
  {
    name: "Hyperliquid: a redirect is said to have taken no order",
    file: calls,
    original: "status < 400 ? Failure.unanswered(`status ${status}`) : refusedBy",
    replacement: "refusedBy",
    test: [ofAnswers, "over HTTP are read as those on the socket"]
  },
  {
    name: "a nonce of Hyperliquid is waited for without end",
    file: calls,
    original: "Effect.timeoutOrElse({ duration: Math.max(0, until - this.now()), orElse: () => Effect.fail(tooLate) })",
    replacement: "Effect.tap(() => Effect.void)",
    test: [ofAccount, "sends nothing past its deadline, however long a nonce is waited for"]
  },
  {
    name: "an action of Hyperliquid is written with a nonce that came too late",
    file: calls,
    original: "if (this.now() >= until) return yield* Effect.fail(tooLate)",
    replacement: "",
    test: [ofAccount, "sends nothing past its deadline, however long a nonce is waited for"]
  },
  {
    name: "the mock of Hyperliquid takes a nonce twice",
    file: accounts,
    original: "if (used.includes(nonce)) return",
    replacement: "if (used.includes(-nonce)) return",
    test: [ofAccount, "signs with no nonce twice, over a restart and with a clock that is behind"]
  },
  {
    name: "the mock of Hyperliquid takes a nonce below the hundred highest",
    file: accounts,
    original: "used.length >= nonces.kept && nonce < lowest",
    replacement: "used.length < 0 && nonce < lowest",
    test: [ofMock, "a nonce once, above the lowest of the hundred highest, and near the time"]
  },
  {
    name: "the mock of Hyperliquid takes what has expired",
    file: accounts,
    original: "at > expiresAfter) return",
    replacement: "at > expiresAfter + 86_400_000) return",
    test: [ofExchange, "says that an order is absent only when it can no longer come"]
  },
  {
    name: "the mock of Hyperliquid hashes figures as they were sent",
    file: accounts,
    original: "const read = asRead(action)",
    replacement: "const read: unknown = action",
    test: [ofMock, "figures without zeros at their end"]
  },
  {
    name: "anybody trades for a vault at the mock of Hyperliquid",
    file: accounts,
    original: "this.vaults.get(vault.toLowerCase()) !== owner",
    replacement: "this.vaults.get(vault.toLowerCase()) === undefined",
    test: [ofAccount, "of another is not traded for"]
  },
  {
    name: "the mock of Hyperliquid takes prices with any number of figures",
    file: actions,
    original: "digits > significant || decimals > most",
    replacement: "decimals > most",
    test: [ofMock, "prices of five figures, and sizes of the asset's decimals"]
  },
  {
    name: "two open orders have one client id at the mock of Hyperliquid",
    file: actions,
    original: "return c !== undefined && isTaken",
    replacement: "return c === undefined && isTaken",
    test: [ofMock, "a client id of one open order"]
  },
  // the runner
  {
    name: "a nonce of tickline order hyperliquid is kept nowhere",
    file: runner,
    original: "next: (signer) => Effect.flatMap(opened, (store) => store.next(signer))",
    replacement: "next: () => Effect.sync(() => Date.now())",
    test: [ofRunner, "signs with nonces that increase over processes, and keeps them without the key"]
  },
  {
    name: "tickline order hyperliquid signs for the main net, whatever is said",
    file: runner,
    original: "flags.testnet ? HyperliquidExchange.testnet",
    replacement: "flags.testnet ? HyperliquidExchange.live",
    test: [ofRunner, "what the rules forbid, and what the exchange refuses"]
  },
  {
    name: "an order may be worth less than ten dollars",
    file: assets,
    original: "    minimumValue,\n    feeAsset,",
    replacement: "    feeAsset,",
    test: ["packages/core/test/HyperliquidAssets.test.ts", "ten dollars at least"]
  },
  {
    name: "what is sold may be worth too little at its bound",
    file: assets,
    original: "return BigDecimal.isGreaterThan(least, best) ? price : least",
    replacement: "return BigDecimal.isGreaterThan(least, best) ? least : price",
    test: ["packages/core/test/HyperliquidAssets.test.ts", "at its bound too"]
  }
]
