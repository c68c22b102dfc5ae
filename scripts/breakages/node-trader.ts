/** Breakages of the trader in the runner, and of what it needs of simulated exchanges. */
import type { Breakage } from "./Breakage.ts"

const ofTrader = "packages/node/test/runner/trader/Trader.test.ts"
const ofConfig = "packages/node/test/runner/trader/TraderConfig.test.ts"
const folder = "packages/node/src/runner/trader"

export const breakages: ReadonlyArray<Breakage> = [
  // ids that do not come again after a restart
  {
    name: "the ids of orders count from one",
    file: "packages/core/src/trading/Matching.ts",
    original: "this.placed = firstId - 1",
    replacement: "this.placed = 0",
    test: ["packages/testing/test/trading/PaperExchange.test.ts", "counts its ids"]
  },
  {
    name: "the ids of trades count from one",
    file: "packages/core/src/trading/Matching.ts",
    original: "this.traded = firstId - 1",
    replacement: "this.traded = 0",
    test: ["packages/testing/test/trading/PaperExchange.test.ts", "counts its ids"]
  },
  {
    name: "a market's trades have the ids of its seed",
    file: "packages/testing/src/venue/Market.ts",
    original: "(product.firstTradeId ?? seeded) - 1",
    replacement: "seeded - 1",
    test: ["packages/testing/test/Market.test.ts", "counts its trades"]
  },
  {
    name: "a market moves as far as any",
    file: "packages/testing/src/venue/Market.ts",
    original: "(product.volatility ?? 1) * 200",
    replacement: "200",
    test: ["packages/testing/test/Market.test.ts", "counts its trades"]
  },
  {
    name: "a mock Coinbase counts its orders from one",
    file: "packages/testing/src/exchange/internal/coinbaseExchange.ts",
    original: "this.settings.firstOrder + this.orders.length",
    replacement: "1 + this.orders.length",
    test: ["packages/testing/test/trading/CoinbaseAccount.test.ts", "an exchange of other fees"]
  },
  {
    name: "a mock Coinbase has its own fees only",
    file: "packages/testing/src/exchange/internal/coinbaseExchange.ts",
    original: "settings.fees ?? standardFees",
    replacement: "standardFees",
    test: ["packages/testing/test/trading/CoinbaseAccount.test.ts", "an exchange of other fees"]
  },
  // what is said of orders
  {
    name: "an order that was open is not said to be as it is",
    file: `${folder}/Trading.ts`,
    original: "Effect.forkScoped(Effect.map(Confirming.confirm(route.exchange, name, stored), say))",
    replacement: "Effect.void",
    test: [ofTrader, "says what became of each order"]
  },
  {
    name: "market events are on the stdout of a trader",
    file: "packages/node/src/runner/ServiceConfig.ts",
    original: "hasTrader ? \"orders\" : \"ndjson\"",
    replacement: "\"ndjson\"",
    test: [ofConfig, "has defaults"]
  },
  {
    name: "orders are said where stdout is to be silent",
    file: `${folder}/OrderOutput.ts`,
    original: "if (!isSilent()) Queue",
    replacement: "Queue",
    test: [ofTrader, "stdout has market events too"]
  },
  // how it ends
  {
    name: "what rests is left at the end",
    file: `${folder}/Trading.ts`,
    original: "(of) => Effect.ignore(Stream.runDrain(router.cancel(of)))",
    replacement: "() => Effect.void",
    test: [ofTrader, "says what became of each order"]
  },
  {
    name: "what is to be left is cancelled",
    file: `${folder}/Trading.ts`,
    original: "if (config.onStop === \"leave\") return",
    replacement: "",
    test: [ofTrader, "leaves what rests"]
  },
  // one at a time
  {
    name: "two processes trade with one file",
    file: "packages/node/src/store/HistoryLock.ts",
    original: "database.exec(\"BEGIN EXCLUSIVE\")",
    replacement: "database.exec(\"BEGIN\")",
    test: [ofTrader, "one history is traded with by one process"]
  },
  // halting
  {
    name: "a page may halt a trader",
    file: `${folder}/TraderControl.ts`,
    original: "headers[header] === undefined",
    replacement: "headers[\"host\"] === undefined",
    test: [ofTrader, "a page in a browser cannot"]
  },
  {
    name: "any path may be posted to",
    file: "packages/node/src/runner/Guard.ts",
    original: "place.posts?.includes(url) === true",
    replacement: "place.posts !== undefined",
    test: [ofTrader, "a page in a browser cannot"]
  },
  {
    name: "a halt where nobody runs is not stored",
    file: `${folder}/Halting.ts`,
    original: "if (!wasHalted) yield*",
    replacement: "if (wasHalted) yield*",
    test: [ofTrader, "where none runs"]
  },
  {
    name: "what is open still is passed over",
    file: `${folder}/Halting.ts`,
    original: "if (open.length > 0 || failures.length > 0) return yield*",
    replacement: "if (open.length > 9) return yield*",
    test: [ofTrader, "exits with 1"]
  },
  {
    name: "a halt says nothing of what it cancelled",
    file: `${folder}/Trading.ts`,
    original: "cancelled.forEach((tell) => tell(event))",
    replacement: "cancelled.clear()",
    test: [ofTrader, "cancels everything of a trader that runs"]
  },
  // the configuration
  {
    name: "an exchange without an address is taken for live",
    file: `${folder}/ExchangeConfig.ts`,
    original: "if (kind === \"remote\" && !isGiven) {",
    replacement: "if (kind === \"paper\" && isGiven) {",
    test: [ofConfig, "refuses exchanges.coinbase.url"]
  },
  {
    name: "simulated prices may send live orders",
    file: `${folder}/ExchangeConfig.ts`,
    original: "if (isSimulated && address.live) {",
    replacement: "if (isSimulated && address.testnet) {",
    test: [ofConfig, "refuses exchanges.coinbase.live"]
  },
  {
    name: "the URL of a database is shown",
    file: `${folder}/History.ts`,
    original: "return yield* Tables.refuse(\"history.database_env\", undefined, \"the name of",
    replacement: "return yield* Tables.refuse(\"history.database_env\", variable, \"the name of",
    test: [ofConfig, "a database is named by its variable"]
  },
  {
    name: "what is simulated is dialled at its own address",
    file: "packages/node/src/runner/ServiceConfig.ts",
    original: "simulation === undefined ? venue.endpoint ?? \"\" : SimulationConfig.nowhere",
    replacement: "venue.endpoint ?? \"\"",
    test: [ofConfig, "an exchange of its own name"]
  },
  {
    name: "an order of others is cancelled in silence",
    file: `${folder}/OtherOrders.ts`,
    original: "now?.status !== \"cancelled\"",
    replacement: "now?.status !== \"filled\"",
    test: [ofTrader, "where none runs"]
  },
  {
    name: "a trader without prices goes on",
    file: `${folder}/TraderService.ts`,
    original: "if (state._tag !== \"Ended\") return",
    replacement: "if (state._tag !== undefined) return",
    test: [ofTrader, "ends with 1 when it has no prices"]
  },
  // what ends with the process
  {
    name: "an order that ended with its exchange stays open",
    file: `${folder}/EphemeralAccounts.ts`,
    original: ": [new OrderUpdate({ ...ids, status: \"cancelled\", filled })]",
    replacement: ": []",
    test: ["packages/node/test/runner/trader/EphemeralAccounts.test.ts", "end the orders that were open"]
  },
  {
    name: "an account that begins again has not paid its fees",
    file: `${folder}/EphemeralAccounts.ts`,
    original: "add(feeAsset, BigDecimal.negate(fee))",
    replacement: "add(feeAsset, BigDecimal.make(0n, 0))",
    test: ["packages/node/test/runner/trader/EphemeralAccounts.test.ts", "begin again with what their fills came to"]
  },
  // who may halt
  {
    name: "another machine may halt a trader",
    file: `${folder}/TraderControl.ts`,
    original: "if (!isOfThisMachine(Option.getOrUndefined(remoteAddress))) {",
    replacement: "if (remoteAddress === undefined) {",
    test: ["packages/node/test/runner/trader/TraderControl.test.ts", "from another machine needs the token"]
  },
  {
    name: "any token will do to halt a trader",
    file: `${folder}/TraderControl.ts`,
    original: "if (!isToken(headers[\"authorization\"], token))",
    replacement: "if (headers[\"authorization\"] === undefined)",
    test: ["packages/node/test/runner/trader/TraderControl.test.ts", "from another machine needs the token"]
  },
  // what does not change while it runs
  {
    name: "SIGHUP changes what is traded, as far as the log says",
    file: `${folder}/TraderService.ts`,
    original: "if (!Equal.equals(first.trader, config.trader)) return \"trader\"",
    replacement: "",
    test: [ofTrader, "SIGHUP changes its output"]
  },
  {
    name: "a run goes on for longer than it was to",
    file: "packages/node/src/runner/Service.ts",
    original: "[Effect.sleep(duration)]",
    replacement: "[]",
    test: [ofTrader, "venues are simulated without a trader"]
  },
  {
    name: "what others placed is not told where it was cancelled at once",
    file: "packages/node/src/runner/trader/Trading.ts",
    original: "[...yield* Fiber.join(asking), ...orders]",
    replacement: "[...yield* Fiber.join(asking), ...orders.slice(orders.length)]",
    test: ["packages/node/test/runner/trader/Trader.test.ts", "tells of what others placed"]
  }
]
