/** Breakages of `packages/testing`. */
import type { Breakage } from "./Breakage.ts"

const scheduler = "packages/testing/src/SeededScheduler.ts"
const ofScheduler = "packages/testing/test/SeededScheduler.test.ts"

const exchange = (name: string) => `packages/testing/src/exchange/internal/${name}.ts`
const ofExchange = "packages/testing/test/exchange/MockDeribitExchange.test.ts"
const ofDays = "packages/testing/test/ExchangeDays.test.ts"
const hours = "six hours of three traders"
const ofSockets = "packages/testing/test/exchange/Sockets.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "time moves while a fiber is ready",
    file: scheduler,
    original: "settling(base.adjust(duration))",
    replacement: "base.adjust(duration)",
    test: [ofScheduler, "does not let time move while a fiber is ready"]
  },
  {
    name: "fibers go on in their order, and never yield",
    file: scheduler,
    original: "this.#chance = Chance.make(seed)",
    replacement: "this.#chance = { ...Chance.make(seed), next: () => 0, integer: () => 0, happens: () => false }",
    test: [ofScheduler, "finds a lost update, and names its seed"]
  },
  {
    name: "nobody says that nothing can go on",
    file: scheduler,
    original: "if (left === tasks && this.#steps > 0) {",
    replacement: "if (left > tasks && this.#steps > 0) {",
    test: [ofScheduler, "says of a program that waits for ever"]
  },
  {
    name: "a mock takes a refresh token again",
    file: exchange("tokens"),
    original: "    this.revoke(before)\n",
    replacement: "",
    test: [ofExchange, "ends a grant with its time"]
  },
  {
    name: "a mock's tokens do not end",
    file: exchange("tokens"),
    original: "grant !== undefined && at < grant.expiresAt ? grant",
    replacement: "grant !== undefined ? grant",
    test: [ofExchange, "ends a grant with its time"]
  },
  {
    name: "a mock does not verify a signature",
    file: exchange("tokens"),
    original: "      if (!isSigned(key, params)) return",
    replacement: "      if (key === undefined) return",
    test: [ofExchange, "takes the signature that the venue publishes"]
  },
  {
    name: "a mock takes a signature of yesterday",
    file: exchange("tokens"),
    original: "signatureMillis = 60_000",
    replacement: "signatureMillis = 86_400_000",
    test: [ofExchange, "takes the signature that the venue publishes"]
  },
  {
    name: "a mock's grants outlive their connection",
    file: exchange("deribitExchange"),
    original: "    this.tokens.disconnect(member.number)\n",
    replacement: "",
    test: [ofExchange, "has grants of a connection end with it"]
  },
  {
    name: "a mock refuses a call too many and goes on",
    file: exchange("deribitSession"),
    original: "      this.refuse(request, new Refused(10028))\n      return this.end(true)",
    replacement: "      return this.refuse(request, new Refused(10028))",
    test: [ofExchange, "ends the session whose credits run out"]
  },
  {
    name: "a mock's credits do not come back",
    file: exchange("credits"),
    original: "(at - before.at) * perSecond / 1_000",
    replacement: "0 * (at - before.at) * perSecond",
    test: [ofExchange, "ends the session whose credits run out"]
  },
  {
    name: "a mock cancels on a logout",
    file: exchange("deribitSession"),
    original: "    this.end(false)\n",
    replacement: "    this.end(true)\n",
    test: [ofExchange, "cancels a connection's orders when it ends"]
  },
  {
    name: "a mock cancels the orders of other connections",
    file: exchange("deribitExchange"),
    original: "filter(({ connection }) => connection === member.number)",
    replacement: "filter(({ account }) => account === member.account())",
    test: [ofExchange, "cancels a connection's orders when it ends"]
  },
  {
    name: "a mock does not mind a test without an answer",
    file: exchange("deribitSession"),
    original: "      if (this.test === test) this.end(true)",
    replacement: "      if (this.test === undefined) this.end(true)",
    test: [ofExchange, "ends a connection that does not answer"]
  },
  {
    name: "a mock never ends who is idle",
    file: exchange("deribitSession"),
    original: "if (left > 0) this.endIfIdle(left)",
    replacement: "if (left >= 0) this.endIfIdle(left + 1)",
    test: [ofExchange, "ends a connection that does not answer"]
  },
  {
    name: "a mock takes an order that is late",
    file: exchange("deribitMethods"),
    original: "  if (isLate(call)) return new Refused(13888)\n  const type",
    replacement: "  const type",
    test: [ofExchange, "refuses what is late"]
  },
  {
    name: "a mock moves what was to be rejected",
    file: exchange("deribitMethods"),
    original: "moves: !rejectPostOnly",
    replacement: "moves: true",
    test: [ofExchange, "refuses what is late"]
  },
  {
    name: "a mock shows the orders of others",
    file: exchange("deribitMethods"),
    original: "record?.account === account ? record",
    replacement: "record !== undefined ? record",
    test: [ofExchange, "fills an order in part"]
  },
  {
    name: "a mock's own market does not trade with clients",
    file: exchange("deribitBook"),
    original: "BigDecimal.make(row.size, sizeScale),\n",
    replacement: "Decimal.zero,\n",
    test: [ofExchange, "trades with the market as it moves"]
  },
  {
    name: "a socket's end does not reach the exchange",
    file: "packages/testing/src/node/internal/member.ts",
    original: "    conversation.ended()\n",
    replacement: "",
    test: [ofSockets, "signs in, takes an order"]
  },
  {
    name: "quotes that move up meet each other",
    file: "packages/testing/src/exchange/internal/deribitQuotes.ts",
    original: "return isUp ? [\"ask\", \"bid\"] : [\"bid\", \"ask\"]",
    replacement: "return [\"bid\", \"ask\"]",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "moves both of its sides up"]
  },
  {
    name: "a quote that cannot be amended stays as it was",
    file: "packages/testing/src/exchange/internal/deribitQuotes.ts",
    original: "if (amended instanceof Refused) this.books.cancel([resting])",
    replacement: "",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "are amended by what comes next"]
  },
  {
    name: "a maker's protection lets everything be traded",
    file: "packages/testing/src/exchange/internal/deribitQuotes.ts",
    original: "if (!BigDecimal.isGreaterThanOrEqualTo(sum, limit)) continue",
    replacement: "continue",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "when more of them trades"]
  },
  {
    name: "quotes are frozen for ever",
    file: "packages/testing/src/exchange/internal/deribitQuotes.ts",
    original: "frozenMillis === 0 ? Infinity : now + frozenMillis",
    replacement: "Infinity",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "when more of them trades"]
  },
  {
    name: "a quote may be larger than its protection allows",
    file: "packages/testing/src/exchange/internal/deribitQuotes.ts",
    original: "if (most !== undefined &&",
    replacement: "if (most === undefined &&",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "no more than it allows"]
  },
  {
    name: "a quote is edited as an order",
    file: "packages/testing/src/exchange/internal/deribitMethods.ts",
    original: "if (record.quote !== undefined) return new Refused(10004)",
    replacement: "",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "are amended by what comes next"]
  },
  {
    name: "the mock forgets that an edit makes an order post-only",
    file: "packages/testing/src/exchange/internal/deribitMethods.ts",
    original: "      postOnly,\n      moves",
    replacement: "      moves",
    test: ["packages/testing/test/exchange/Quotes.test.ts", "only rest, or only reduce"]
  },
  {
    name: "giving up all channels ends the heartbeats",
    file: "packages/testing/src/venue/MockDeribit.ts",
    original: "new Map(beats === undefined ? [] : [[heartbeats, beats] as const])",
    replacement: "new Map<string, ReadonlySet<string>>()",
    test: ["packages/testing/test/MockDeribit.test.ts", "goes on with heartbeats"]
  },
  {
    name: "an exchange says the time in parts of a millisecond",
    file: exchange("deribitExchange"),
    original: "Math.floor(server.wallMillis())",
    replacement: "server.wallMillis()",
    test: [ofExchange, "says the time in whole milliseconds"]
  },
  {
    name: "an account has the pools of all others",
    file: exchange("deribitExchange"),
    original: "{ ...settings.pools, ...pools }",
    replacement: "{ ...pools, ...settings.pools }",
    test: [ofExchange, "what an account has is its own"]
  },
  {
    name: "fills that were missed are not asked for",
    file: "packages/testing/src/simulation/internal/orderKeeper.ts",
    original: "|| hasFills(order)",
    replacement: "|| hasFills(order) || order !== undefined",
    test: [ofDays, hours]
  },
  {
    name: "what was not known is given again",
    file: "packages/testing/src/simulation/internal/trader.ts",
    original: "return keeper.say(clientId, new OrderEvent.OutcomeUnknown(said))",
    replacement: "keeper.say(clientId, new OrderEvent.OutcomeUnknown(said))\n        return yield* Effect.ignore(call)",
    test: [ofDays, hours]
  },
  {
    name: "an order whose answer is late counts as absent at once",
    file: "packages/testing/src/simulation/internal/orderKeeper.ts",
    original: "Math.max(0, until - venueMillis())",
    replacement: "0 * Math.max(0, until - venueMillis())",
    test: [ofDays, hours]
  }
]
