/** Breakages of Coinbase Advanced Trade: its tokens, its order entry, and its mock. */
import type { Breakage } from "./Breakage.ts"

const jwt = "packages/core/src/session/CoinbaseJwt.ts"
const signer = "packages/core/src/session/Signer.ts"
const ofJwt = "packages/core/test/CoinbaseJwt.test.ts"
const http = "packages/testing/src/exchange/internal/httpExchange.ts"
const rest = "packages/core/src/trading/coinbase/internal/rest.ts"
const gateway = "packages/core/src/trading/coinbase/internal/coinbaseGateway.ts"
const orders = "packages/core/src/trading/coinbase/internal/orders.ts"
const channel = "packages/core/src/trading/coinbase/internal/userChannel.ts"
const ofOrders = "packages/testing/test/trading/CoinbaseAdvanced.test.ts"
const ofAccount = "packages/testing/test/trading/CoinbaseAccount.test.ts"
const ofDocumented = "packages/core/test/CoinbaseDocumented.test.ts"
const ofMock = "packages/core/test/CoinbaseMock.test.ts"
const ofEdits = "packages/core/test/CoinbaseOrders.test.ts"
const mock = (name: string) => `packages/testing/src/exchange/internal/${name}.ts`
const ofHttp = "packages/testing/test/exchange/HttpExchange.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an order at Coinbase that says nothing of its terms is somebody else's",
    file: orders,
    original: "const isSilent = kind === undefined && amount === undefined && price === undefined",
    replacement: "const isSilent = kind !== undefined && amount === undefined && price === undefined",
    test: [ofOrders, "an order of which nobody says what it asks for"]
  },
  {
    name: "an address before paths may have a password and a query",
    file: "packages/node/src/runner/exchange/OrderExchange.ts",
    original: "(kind === \"http\" ? baseFault(url) : undefined)",
    replacement: "(kind !== \"http\" ? baseFault(url) : undefined)",
    test: ["packages/node/test/runner/OrderingCoinbase.test.ts", "coinbase list --url http"]
  },
  {
    name: "Coinbase: a redirect is said to have taken no order",
    file: rest,
    original: "status < 500 && (status >= 400 || method === \"GET\")",
    replacement: "status < 500",
    test: [ofOrders, "a redirect is followed by nobody"]
  },
  {
    name: "what has no time left is written at Coinbase all the same",
    file: rest,
    original: "this.now() >= sending.until ? Effect.fail(unsent(tooLate)) : ",
    replacement: "",
    test: [ofOrders, "what has no time left is not written"]
  },
  {
    name: "a token of Coinbase signs the query as well",
    file: jwt,
    original: "path.replace(/\\?.*$/, \"\")",
    replacement: "path",
    test: [ofJwt, "is signed by a key of P-256, SEC 1"]
  },
  {
    name: "a token of Coinbase lives for three minutes",
    file: jwt,
    original: "const lifeSeconds = 120",
    replacement: "const lifeSeconds = 180",
    test: [ofJwt, "is signed by a key of Ed25519, its seed in base64"]
  },
  {
    name: "a token of Coinbase is the same each time",
    file: jwt,
    original: "const word = (): string => Math.floor(random.nextDoubleUnsafe() * 0x1_0000_0000)",
    replacement: "const word = (): string => Math.floor(0.5 * 0x1_0000_0000)",
    test: [ofJwt, "is another each time, by Effect's chance, and has the time at which it is signed"]
  },
  {
    name: "a PEM is taken for a key of Ed25519 alone",
    file: signer,
    original: "PrivateKeys.isPem(Redacted.value(key)) ? es256(key) : Result.fail(error)",
    replacement: "Result.fail(error)",
    test: [ofJwt, "is signed by a key of P-256, PKCS #8"]
  },
  {
    name: "any signature is taken",
    file: signer,
    original: "return Result.getOrElse(verified, () => false)",
    replacement: "return Result.isSuccess(verified)",
    test: [ofJwt, "takes what is signed by a key of P-256, SEC 1, and nothing else"]
  },
  {
    name: "a call that is withheld is carried out at once or never",
    file: http,
    original: "else if (takenAfter < Infinity) after(takenAfter, take)",
    replacement: "",
    test: [ofHttp, "goes wrong as it is told to"]
  },
  {
    name: "an answer that is late is told of late as well",
    file: http,
    original: "const answer = run()\n        told()",
    replacement: "const answer = run()",
    test: [ofHttp, "goes wrong as it is told to"]
  },
  {
    name: "a fault strikes calls of every name",
    file: http,
    original: "fault.call === undefined || fault.call === call",
    replacement: "true",
    test: [ofHttp, "strikes the calls of a name, so many of them, in the order in which that was said"]
  },
  {
    name: "a call that fails is never carried out",
    file: http,
    original: "if (this.chance.happens(0.5)) run()",
    replacement: "this.chance.happens(0.5)",
    test: [ofHttp, "fails a share of all calls, of which half are carried out, by its seed"]
  },
  {
    name: "an order at Coinbase is written again where its answer did not come",
    file: rest,
    original: ": Effect.fail(unanswered(reason.message))",
    replacement: ": Effect.fail(unsent(reason.message, true))",
    test: [ofOrders, "an answer that says nothing of the order leaves it unknown until it is found"]
  },
  {
    name: "an order at Coinbase that met a server in trouble is rejected",
    file: rest,
    original: ": unanswered(reason)\n",
    replacement: ": refused\n",
    test: [ofOrders, "a server in trouble may have taken the order"]
  },
  {
    name: "an order at Coinbase that is answered with 429 may have been taken",
    file: rest,
    original: "if (status === 429) {",
    replacement: "if (status === 429 && method === \"GET\") {",
    test: [ofOrders, "an order that is answered with 429 was not taken, and is not sent again"]
  },
  {
    name: "Coinbase is asked with a key that it has refused",
    file: rest,
    original: "if (this.refused !== undefined) return Effect.fail(unsent(this.refused))",
    replacement: "",
    test: [ofOrders, "a key that is refused is refused once, and nothing more is asked"]
  },
  {
    name: "what only asks Coinbase is asked again sooner than it says",
    file: rest,
    original: "RetryAfter.millisOf(headers, this.wallMillis()) ?? pauseMillis.busy",
    replacement: "pauseMillis.busy",
    test: [ofOrders, "what only asks is asked again when the venue says, within the deadline"]
  },
  {
    name: "what only asks Coinbase waits for its answer to the end",
    file: rest,
    original: "body === undefined ? Math.min(left, Math.max(answerMillis, left / 3)) : left + 1_000",
    replacement: "left + 1_000",
    test: [ofOrders, "an answer that never comes to what only asks is not waited for to the end"]
  },
  {
    name: "what was never written is unknown at its deadline",
    file: rest,
    original: "isWritten = !hasSeenNothing.has(error.reason._tag)",
    replacement: "isWritten = true",
    test: [ofOrders, "an order that was never written is not sent"]
  },
  {
    name: "the account's limit at Coinbase is not kept",
    file: rest,
    original: "const wait = limit.take(this.now(), 1, spares)",
    replacement: "const wait = 0",
    test: [ofOrders, "no more than 30 requests leave in a second, and orders go before what only asks"]
  },
  {
    name: "the id of an order in a URL is taken for a secret",
    file: rest,
    original: "urlIsPublic: true",
    replacement: "urlIsPublic: false",
    test: [ofOrders, "places, amends, shows and cancels, by either id"]
  },
  {
    name: "an order at Coinbase is absent at its deadline",
    file: gateway,
    original: "const settlingMillis = 2_000",
    replacement: "const settlingMillis = 0",
    test: [ofOrders, "an order is absent only if it is not there 2 s after its answer was due"]
  },
  {
    name: "an order at Coinbase is looked for among those that came after it",
    file: gateway,
    original: "start_date: timeOf(sentAt - slackMillis)",
    replacement: "start_date: timeOf(sentAt + slackMillis)",
    test: [ofOrders, "an answer that says nothing of the order leaves it unknown until it is found"]
  },
  {
    name: "an order under a client id that is in use is taken for the one that was asked for",
    file: orders,
    original: "price: said.kind === undefined ? price : said.price",
    replacement: "price",
    test: [ofOrders, "a client id that is in use is taken for the order that has it only if that is the same"]
  },
  {
    name: "what an answer does not say of an order is as it was asked for",
    file: gateway,
    original: "if (order.kind !== undefined) return Effect.succeed(order)",
    replacement: "return Effect.succeed(order)",
    test: [ofOrders, "where the answer does not say what the order asks for, the order itself says it"]
  },
  {
    name: "a post-only order at Coinbase may trade",
    file: orders,
    original: "post_only: timeInForce === \"post-only\"",
    replacement: "post_only: false",
    test: [ofOrders, "an order that the venue refuses is rejected, in its words"]
  },
  {
    name: "a limit order that is ioc rests at Coinbase",
    file: orders,
    original: "return { sor_limit_ioc: limit }",
    replacement: "return { limit_limit_gtc: limit }",
    test: [ofOrders, "each type and time in force is the venue's own kind of order, its figures in plain notation"]
  },
  {
    name: "reduce-only is passed over at Coinbase",
    file: orders,
    original: "if (reduceOnly) return",
    replacement: "if (clientId === \"\") return",
    test: [ofOrders, "what the rules forbid, or the venue does not have, is not sent, and says what would be legal"]
  },
  {
    name: "a cancel that is begun is taken for one that is done",
    file: gateway,
    original: "if (order.status === \"cancelled\") return Effect.succeed(order)",
    replacement: "if (!isOver(order.status)) return Effect.succeed(order)",
    test: [ofAccount, "an order is cancelled when it is known to be"]
  },
  {
    name: "only a page of orders is read",
    file: gateway,
    original: "if (next === undefined || isEnough(items)) return Effect.succeed(all)",
    replacement: "return Effect.succeed(all)",
    test: [ofAccount, "all are cancelled, however many pages they are, and counted"]
  },
  {
    name: "orders that were not to be cancelled are counted",
    file: gateway,
    original: "unique(listed.filter(({ orderId }) => orderIds.includes(orderId)))",
    replacement: "listed",
    test: [ofAccount, "orders that were not asked for are not counted, shown or waited for"]
  },
  {
    name: "the rules of a product are asked for with each order",
    file: gateway,
    original: "if (known !== undefined && this.now() < known.until)",
    replacement: "if (known !== undefined && known.until < 0)",
    test: [ofOrders, "the rules of a product are asked for once a minute"]
  },
  {
    name: "executions of one moment are the newest first",
    file: orders,
    original: "|| counted(one.trade_id, other.trade_id)",
    replacement: "|| counted(other.trade_id, one.trade_id)",
    test: ["packages/testing/test/trading/CoinbaseFaults.test.ts", "seed 1"]
  },
  {
    name: "executions are ordered to the millisecond",
    file: orders,
    original: "return timestamp === undefined ? 0n : Timestamp.toEpochNanos(timestamp)",
    replacement: "return timestamp === undefined ? 0n : BigInt(Timestamp.epochMillis(timestamp))",
    test: [ofEdits, "executions are in the order of their times, whichever way they come, and once"]
  },
  {
    name: "an edit names only what changes",
    file: orders,
    original: "const [price, size] = [terms.price ?? order.price, terms.amount ?? order.amount]",
    replacement: "const [price, size] = [terms.price, terms.amount]",
    test: [ofOrders, "places, amends, shows and cancels, by either id"]
  },
  {
    name: "what an order was edited to is passed over",
    file: orders,
    original: "price: Schemas.decimalOf(edit?.price) ?? price",
    replacement: "price: price ?? Schemas.decimalOf(edit?.price)",
    test: [ofEdits, "what it was edited to last counts"]
  },
  {
    name: "a kind of order that Coinbase does not edit is sent for an edit",
    file: gateway,
    original: "if (!Orders.isEditable(order)) {",
    replacement: "if (order.orderId === \"\") {",
    test: [ofAccount, "what the venue refuses, and what it does not edit"]
  },
  {
    name: "what was told before the channel of the user was there is not asked for",
    file: channel,
    original: "said._tag === \"Subscribed\" && said.channel === \"user\" ? gap",
    replacement: "said._tag === \"Unsubscribed\" ? gap",
    test: [ofAccount, "what was told while the connection was down is asked for, and said once"]
  },
  {
    name: "an ask over the socket has no token",
    file: channel,
    original: "signing: signing(jwt)",
    replacement: "signing: undefined",
    test: [ofDocumented, "a server takes all that we send, signed by EdDSA"]
  },
  {
    name: "the path of a token is that of another request",
    file: rest,
    original: "authorization: jwt.bearer(method, `${prefix}${path}`)",
    replacement: "authorization: jwt.bearer(method, prefix)",
    test: [ofDocumented, "a server takes all that we send, signed by ES256"]
  },
  {
    name: "the mock of Coinbase takes a token twice",
    file: mock("coinbaseTokens"),
    original: "if (this.used.has(`${kid} ${nonce}`)) return Result.fail(\"token used before\")",
    replacement: "",
    test: [ofMock, "a token is for one request, now, by the key that it names"]
  },
  {
    name: "the mock of Coinbase takes a token for anything",
    file: mock("coinbaseTokens"),
    original: "if (uri !== (request === undefined ? undefined : `${request.method} ${host}${request.path}`)) {",
    replacement: "if (uri === \"\") {",
    test: [ofMock, "a token is for one request, now, by the key that it names"]
  },
  {
    name: "the mock of Coinbase takes any signature",
    file: mock("coinbaseTokens"),
    original: "if (verifier.algorithm !== alg || !verifier.verify(`${head}.${body}`, signature.success)) {",
    replacement: "if (verifier.algorithm !== alg) {",
    test: [ofMock, "a token is for one request, now, by the key that it names"]
  },
  {
    name: "the mock of Coinbase takes a client id twice",
    file: mock("coinbaseExchange"),
    original: "if (known !== undefined) return this.placed(known)",
    replacement: "",
    test: [ofOrders, "a client id that is in use is taken for the order that has it only if that is the same"]
  },
  {
    name: "the socket of the mock of Coinbase is never silent",
    file: mock("coinbaseExchange"),
    original: "if (changed.length === 0 || this.isSilent) return",
    replacement: "if (changed.length === 0) return",
    test: [ofAccount, "a socket that is silent, or refuses the key, is done without"]
  },
  {
    name: "the runner sends orders to Coinbase without an address",
    file: "packages/node/src/runner/exchange/CoinbaseOrders.ts",
    original: "const url = yield* OrderExchange.addressOf(flags, \"http\")",
    replacement: "const url = Option.getOrUndefined(flags.url)",
    test: ["packages/node/test/runner/OrderingCoinbase.test.ts", "coinbase list"]
  },
  {
    name: "Coinbase: what became of cancelled orders is asked for one by one",
    file: gateway,
    original: "return asked.length === 0 ? Effect.succeed([]) : over(asked)",
    replacement: "return asked.length >= 0 ? Effect.succeed([]) : over(asked)",
    test: [ofAccount, "all are cancelled, however many pages they are, and counted"]
  },
  {
    name: "Coinbase: an order that is not known fails",
    file: gateway,
    original: "failure._tag === \"Refused\" && (failure.code === \"NOT_FOUND\" || failure.code === \"404\")",
    replacement: "failure._tag === \"Refused\" && failure.code === \"NOT_FOUND\"",
    test: [ofOrders, "an order that the venue does not know is none, and any other refusal is said"]
  },
  {
    name: "Coinbase: a page of a gateway's is repeated",
    file: rest,
    original: "message.startsWith(\"<\") || message.length > mostWords",
    replacement: "message.length > mostWords",
    test: [ofOrders, "an order that the venue refuses is rejected, in its words"]
  },
  {
    name: "Coinbase: an answer that names another side is believed to be of ours",
    file: orders,
    original: "side: named === \"BUY\" ? \"buy\" : named === \"SELL\" ? \"sell\" : side",
    replacement: "side",
    test: [ofEdits, "an answer to an order names one, or is none"]
  },
  {
    name: "Coinbase: what the socket says and cannot be read is nothing",
    file: channel,
    original: "if (Result.isFailure(frame)) return gap",
    replacement: "if (Result.isFailure(frame)) return { _tag: \"Changes\", orders: [], fills: [] }",
    test: [ofAccount, "what the socket says and cannot be read is asked for"]
  }
]
