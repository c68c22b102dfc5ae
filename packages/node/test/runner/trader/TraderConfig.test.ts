/** What a configuration says of a trader, and each way in which it can be wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as ServiceConfig from "@tickline/node/runner/ServiceConfig"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"

const parse = (text: string, env: Record<string, string> = {}) => ServiceConfig.parse(text, env)

const venues = "[venues.kraken]\nproducts = [\"BTC-USD\"]\n[venues.coinbase]\nproducts = [\"BTC-USD\"]\n"
const exchanges = "[exchanges.paper]\nvenue = \"kraken\"\n"
const history = "[history]\npath = \"trader.sqlite\"\n"
const trader = (keys = "") => `[trader]\nproducts = ["BTC-USD"]\n${keys}\n`
const whole = (keys = "", exchange = exchanges) => venues + exchange + history + trader(keys)

const written = (amounts: Readonly<Record<string, unknown>> | undefined) =>
  Object.fromEntries(
    Object.entries(amounts ?? {}).map((
      [key, value]
    ) => [key, BigDecimal.isBigDecimal(value) ? Decimal.format(value) : value])
  )

describe("the configuration of a trader", () => {
  it.effect("has defaults for all but products, exchanges and a history", () =>
    Effect.gen(function*() {
      const { output, simulation, trader } = yield* parse(whole())
      assert.strictEqual(output.stdout, "orders")
      assert.isUndefined(simulation)
      assert.deepInclude(trader, {
        venue: "kraken",
        products: ["BTC-USD"],
        quote: "USD",
        strategy: { _tag: "Named", name: "combined" },
        book: false,
        capital: undefined,
        shorts: false,
        timeInForce: "ioc",
        onStop: "cancel",
        risk: { products: ["BTC-USD"], timeInForce: "ioc" },
        portfolio: {},
        history: { _tag: "Sqlite", path: "trader.sqlite" }
      })
      assert.strictEqual(trader && Duration.toMillis(trader.interval), 10_000)
      assert.deepStrictEqual(trader?.routing, RoutingStrategy.priority("paper"))
      assert.deepStrictEqual(trader?.exchanges.map(({ kind, name, venue }) => [name, kind, venue.name]), [[
        "paper",
        "paper",
        "kraken"
      ]])
    }))

  it.effect("takes what it says of all of them", () =>
    Effect.gen(function*() {
      const { trader } = yield* parse(whole(
        `venue = "coinbase"
quote = "USDC"
alike = ["USD"]
strategy = { fast = 0.4, momentum = 2 }
interval = "500ms"
book = true
capital = "10000.50"
stop = 0.02
target = 1.5
shorts = true
time_in_force = "gtc"
patience = "5s"
routing = "best-price"
on_stop = "leave"
[trader.limits]
confidence = 0.6
repeat_after = "2s"
per_hour = 100
per_day = 1000
share = 1
max_exposure = 0.9
leverage = 2
minimum_amount = "0.001"
minimum_value = 10
maximum_value = 5000
signal_age = "3s"
price_age = "1s"
slippage = "0.001"
max_lots = 3
max_per_product = 2`,
        `${exchanges}balance = { USD = 5000 }\nfees = { taker = 0.0005 }\nlatency = "50ms"\n` +
          `[exchanges.coinbase]\nurl = "http://127.0.0.1:1"\naccepts_unverified = true\n`
      ))
      assert.deepInclude(trader, {
        venue: "coinbase",
        quote: "USDC",
        alike: ["USD"],
        strategy: { _tag: "Weighted", weights: { fast: 0.4, momentum: 2 } },
        book: true,
        shorts: true,
        timeInForce: "gtc",
        onStop: "leave",
        routing: RoutingStrategy.bestPrice
      })
      assert.strictEqual(trader?.capital && Decimal.format(trader.capital), "10000.50")
      assert.deepStrictEqual(written(trader?.portfolio), {
        maxExposure: "0.9",
        maxLots: 3,
        maxPerProduct: 2,
        stop: "0.02",
        target: "1.5"
      })
      const { perDay, perHour, repeatAfter, slippage } = trader?.risk ?? {}
      assert.deepStrictEqual([perHour, perDay], [100, 1000])
      assert.strictEqual(repeatAfter && Duration.toMillis(repeatAfter), 2_000)
      assert.strictEqual(slippage && Decimal.format(slippage), "0.001")
      const [paper, coinbase] = trader?.exchanges ?? []
      assert.deepStrictEqual([written(paper?.balance), written(paper?.fees)], [{ USD: "5000" }, {
        maker: "0",
        taker: "0.0005"
      }])
      assert.deepStrictEqual([coinbase?.name, coinbase?.kind, coinbase?.acceptsUnverified], [
        "coinbase",
        "remote",
        true
      ])
    }))

  it.effect("an exchange of its own name is chosen, and what has no address is simulated where that is said", () =>
    Effect.gen(function*() {
      const { entries, simulation, trader } = yield* parse(
        whole(
          "routing = \"coinbase\"",
          `${exchanges}[exchanges.coinbase]\n[simulation]\nseed = 7\nfaults = ["drop@3s/10s"]\n`
        )
      )
      assert.deepStrictEqual(simulation, { seed: 7, rate: 20, volatility: 1, faults: ["drop@3s/10s"] })
      assert.deepStrictEqual(trader?.routing, RoutingStrategy.fixed("coinbase"))
      assert.deepStrictEqual(trader?.exchanges.map(({ kind }) => kind), ["paper", "simulated"])
      for (const { url } of entries) assert.strictEqual(url, "ws://simulated.invalid")
    }))

  it.effect("a database is named by its variable, and its URL is shown to nobody", () =>
    Effect.gen(function*() {
      const of = (keys: string, env: Record<string, string> = {}) =>
        parse(`${venues}${exchanges}${trader()}[history]\n${keys}`, env)
      const url = "postgres://me:hidden@127.0.0.1/db"
      const { trader: found } = yield* of("database_env = \"DB\"", { DB: url })
      assert.deepInclude(found?.history, { _tag: "Postgres", variable: "DB" })
      assert.notInclude(JSON.stringify(found), "hidden")
      for (
        const [keys, key] of [
          [`database_env = "${url}"`, "history.database_env"],
          ["database_env = \"NONE\"", "history.database_env"],
          ["database_env = \"WRONG\"", "history.database_env"],
          ["database_env = \"DB\"\npath = \"x\"", "history.path"]
        ] as const
      ) {
        const error = yield* Effect.flip(of(keys, { DB: url, WRONG: "http://me:hidden@a.test" }))
        assert.strictEqual(error.key, key)
        assert.notInclude(error.message, "hidden")
      }
    }))

  it.effect("what is read twice is the same", () =>
    Effect.gen(function*() {
      const text = whole("stop = 0.02\n[trader.limits]\nslippage = 0.01", `${exchanges}balance = { USD = 5 }\n`)
      assert.isTrue(Equal.equals(yield* parse(text), yield* parse(text)))
    }))

  const wrong: ReadonlyArray<readonly [text: string, key: string, value: string | undefined, expected: RegExp]> = [
    [venues + exchanges, "exchanges", undefined, /\[trader\] beside it/],
    [venues + history, "history", undefined, /\[trader\] beside it/],
    [venues + trader() + history, "exchanges", undefined, /at least one exchange/],
    [venues + exchanges + trader(), "history.path", undefined, /trader\.sqlite/],
    [`${venues}${exchanges}${trader()}[history]\npath = ""`, "history.path", "", /a file/],
    [
      `${venues}${exchanges}${trader()}[history]\npaht = "x"`,
      "history.paht",
      undefined,
      /did you mean history\.path\?/
    ],
    [`${venues}${exchanges}${history}[trader]\nproducts = []`, "trader.products", undefined, /at least one product/],
    [`${venues}${exchanges}${history}[trader]\nproducts = ["GOLD"]`, "trader.quote", undefined, /currency/],
    [whole("strategy = \"fats\""), "trader.strategy", "fats", /"fast"/],
    [whole("strategy = { fats = 1 }"), "trader.strategy.fats", undefined, /did you mean trader\.strategy\.fast\?/],
    [whole("strategy = { fast = 0 }"), "trader.strategy.fast", "0", /weight above 0/],
    [whole("strategy = {}"), "trader.strategy", undefined, /weight of at least one/],
    [whole("interval = \"0s\""), "trader.interval", "0s", /greater than zero/],
    [whole("venue = \"binance\""), "trader.venue", "binance", /"kraken", "coinbase"/],
    [whole("capital = -1"), "trader.capital", "-1", /above zero/],
    [whole("stop = 1"), "trader.stop", "1", /below 1/],
    [whole("time_in_force = \"fok\""), "trader.time_in_force", "fok", /"ioc", "gtc"/],
    [whole("routing = \"split\""), "trader.routing", "split", /"best-price".*"paper"/],
    [whole("on_stop = \"keep\""), "trader.on_stop", "keep", /"cancel", "leave"/],
    [whole("shorts = 1"), "trader.shorts", "1", /true or false/],
    [whole("productss = 1"), "trader.productss", undefined, /did you mean trader\.products\?/],
    [whole("[trader.limits]\nconfidence = 2"), "trader.limits.confidence", "2", /from 0 to 1/],
    [whole("[trader.limits]\nper_hour = 0"), "trader.limits.per_hour", "0", /whole number/],
    [whole("[trader.limits]\nslippage = 1"), "trader.limits.slippage", "1", /below 1/],
    [
      whole("[trader.limits]\nper_our = 1"),
      "trader.limits.per_our",
      undefined,
      /did you mean trader\.limits\.per_hour\?/
    ],
    [whole("", "[exchanges.coinbse]\n"), "exchanges.coinbse", undefined, /did you mean exchanges\.coinbase\?/],
    [
      whole("", "[exchanges.coinbase]\n"),
      "exchanges.coinbase.url",
      undefined,
      /live = true.*\[simulation\].*nothing is sent/
    ],
    [whole("", "[exchanges.deribit]\n"), "exchanges.deribit.url", undefined, /live = true/],
    [whole("", "[exchanges.hyperliquid]\nslippage = 1\n"), "exchanges.hyperliquid.slippage", "1", /below 1/],
    [whole("", "[exchanges.paper]\nvenue = \"binance\"\n"), "exchanges.paper.venue", "binance", /kraken, coinbase/],
    [whole("", "[exchanges.paper]\nurl = \"x\"\n"), "exchanges.paper.url", undefined, /one of the keys/],
    [whole("", "[exchanges.paper]\nbalance = { USD = -1 }\n"), "exchanges.paper.balance.USD", "-1", /an amount/],
    [whole("", "[exchanges.paper]\nfees = { make = 1 }\n"), "exchanges.paper.fees.make", undefined, /did you mean/],
    [whole("", "[exchanges.paper]\nfees = { maker = 1 }\n"), "exchanges.paper.fees.maker", "1", /share/],
    [
      whole("", "[exchanges.coinbase]\nurl = \"http://127.0.0.1:1\"\nbalance = { USD = 1 }\n"),
      "exchanges.coinbase.balance",
      undefined,
      /knows what its account has/
    ],
    [whole("", "[exchanges.coinbase]\nlive = true\n[simulation]\n"), "exchanges.coinbase.live", "true", /no real ones/],
    [whole("", "[exchanges.deribit]\n[simulation]\n"), "exchanges.deribit.url", undefined, /simulate deribit/],
    [`${venues}[simulation]\nsed = 1`, "simulation.sed", undefined, /did you mean simulation\.seed\?/],
    [`${venues}[simulation]\nseed = -1`, "simulation.seed", "-1", /0 or more/],
    [`${venues}[simulation]\nrate = 0`, "simulation.rate", "0", /frames per second/],
    [`${venues}[simulation]\nvolatility = "high"`, "simulation.volatility", "high", /a number/],
    [
      `${venues}[simulation]\nfaults = ["drop@3s", "dorp@3s"]`,
      "simulation.faults[1]",
      "dorp@3s",
      /did you mean drop\?/
    ],
    [`${venues}[output]\nstdout = "orders"`, "output.stdout", "orders", /"ndjson", "none"/]
  ]
  for (const [text, key, value, expected] of wrong) {
    it.effect(`refuses ${key} ${value ?? ""}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(parse(text))
        assert.deepStrictEqual([error.key, error.value], [key, value])
        assert.match(error.expected, expected)
      }))
  }
})
