import { assert, describe, it } from "@effect/vitest"
import * as ServiceConfig from "@tickline/node/runner/ServiceConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Path from "node:path"

const parse = (text: string, env: Record<string, string> = {}) => ServiceConfig.parse(text, env)

const asked = ({ entries }: ServiceConfig.ServiceConfig): Record<string, ReadonlyArray<string>> =>
  Object.fromEntries(entries.map(({ channels = [], venue }) => [
    venue.name,
    channels.map(({ channel, product }) => product === undefined ? channel : `${channel} ${product}`)
  ]))

describe("the configuration of a service", () => {
  it.effect("deploy/tickline.toml is what it says", () =>
    Effect.gen(function*() {
      const text = Fs.readFileSync(Path.join(import.meta.dirname, "../../../../deploy/tickline.toml"), "utf8")
      const config = yield* parse(text)
      assert.deepStrictEqual(config.output, { stdout: "ndjson", lifecycle: true, overflow: "drop-oldest" })
      assert.deepStrictEqual(config.http, { host: "127.0.0.1", port: 9464, names: [] })
      assert.deepStrictEqual(asked(config), {
        "coinbase-exchange": ["matches BTC-USD", "matches ETH-USD", "ticker BTC-USD", "ticker ETH-USD"],
        kraken: ["trade BTC/USD", "trade ETH/USD", "book BTC/USD", "book ETH/USD"],
        binance: ["trade BTCUSDT", "bookTicker BTCUSDT"],
        deribit: ["trades.100ms BTC-PERPETUAL"]
      })
      const caps = config.entries.map(({ policy }) => policy === undefined ? 0 : Duration.toMillis(policy.backoff.cap))
      assert.deepStrictEqual(caps, [30_000, 10_000, 30_000, 30_000])
      for (const { policy } of config.entries) assert.strictEqual(policy?.retry.maxRetries, "unlimited")
    }))

  it.effect("what is not said is as in market-feed, on stdout, without pages", () =>
    Effect.gen(function*() {
      const config = yield* parse("[venues.kraken]\nproducts = [\"BTC/USD\"]")
      assert.deepStrictEqual(config.output, { stdout: "ndjson", lifecycle: false, overflow: "drop-oldest" })
      assert.isUndefined(config.http)
      assert.deepStrictEqual(asked(config), { kraken: ["trade BTC/USD"] })
      assert.isTrue(config.entries[0]?.policy?.retryInitialConnect)
    }))

  it.effect("limits are shared over a Redis whose URL is shown to nobody", () =>
    Effect.gen(function*() {
      const venue = "\n[venues.kraken]\nproducts = [\"BTC/USD\"]"
      const of = (text: string, env?: Record<string, string>) =>
        Effect.map(parse(`[limits]\n${text}${venue}`, env), ({ limits }) => limits)
      assert.isUndefined((yield* parse(venue)).limits)
      const url = "redis://user:hidden@127.0.0.1:6379/1"
      const limits = yield* of(`redis = "${url}"`)
      assert.deepInclude(limits, { fails: "closed", prefix: "tickline" })
      assert.strictEqual(limits && Redacted.value(limits.url), url)
      assert.notInclude(JSON.stringify(limits), "hidden")
      assert.deepInclude(yield* of("redis_env = \"R\"\nfails = \"open\"\nprefix = \"own\"", { R: url }), {
        url: Redacted.make(url),
        fails: "open",
        prefix: "own"
      })
      const refusals = [
        "",
        "redis = \"http://:hidden@127.0.0.1\"",
        "redis_env = \"redis://:hidden@127.0.0.1\"",
        "redis_env = \"MISSING\"",
        "redis_env = \"WRONG\"",
        `redis = "${url}"\nredis_env = "R"`,
        `redis = "${url}"\nfails = "opened"`,
        `redis = "${url}"\nurl = 1`
      ]
      const messages = yield* Effect.forEach(refusals, (text) =>
        Effect.map(Effect.flip(of(text, { R: url, WRONG: "hidden" })), ({ message }) => message))
      assert.deepStrictEqual(messages, [
        "limits.redis: expected a redis:// or rediss:// URL",
        "limits.redis: expected a redis:// or rediss:// URL",
        "limits.redis_env: expected the name of a variable that is set, not the URL",
        "limits.redis_env: expected the name of a variable that is set, not the URL",
        "limits.redis_env: expected a redis:// or rediss:// URL",
        "limits.redis: expected nothing beside redis_env",
        "limits.fails \"opened\": expected \"closed\", \"open\" (did you mean open?)",
        "limits.url: expected one of the keys redis, redis_env, fails, prefix"
      ])
    }))

  it.effect("further endpoints are connections beside the first", () =>
    Effect.gen(function*() {
      const { entries: [entry] } = yield* parse(
        "[venues.kraken]\nurl = \"wss://a.test\"\nredundant_urls = [\"wss://b.test\"]\nproducts = [\"BTC/USD\"]"
      )
      assert.deepStrictEqual(entry?.redundancy, { endpoints: ["wss://a.test", "wss://b.test"] })
      const wrong = yield* Effect.flip(
        parse("[venues.kraken]\nredundant_urls = [\"wss://b.test\", \"http://c.test\"]\nproducts = [\"BTC/USD\"]")
      )
      assert.include(wrong.message, "venues.kraken.redundant_urls[1]")
    }))

  it.effect("what is read twice is the same, tokens included", () =>
    Effect.gen(function*() {
      const tokens = new Map()
      const text =
        "[venues.kraken]\nproducts = [\"BTC/USD\"]\ntoken_env = \"T\"\n[venues.kraken.reconnection]\njitter = \"full\""
      const first = yield* ServiceConfig.parse(text, { T: "secret" }, tokens)
      const second = yield* ServiceConfig.parse(text, { T: "secret" }, tokens)
      assert.isTrue(Equal.equals(first, second))
    }))

  it.effect("the environment wins over every policy", () =>
    Effect.gen(function*() {
      const text = "[venues.kraken]\nproducts = [\"A\"]\n[venues.kraken.reconnection]\nmax_delay = \"10s\""
      const config = yield* parse(text, { TICKLINE_RECONNECTION_MAX_DELAY: "7s" })
      const policy = config.entries[0]?.policy
      assert.strictEqual(policy === undefined ? 0 : Duration.toMillis(policy.backoff.cap), 7_000)
    }))

  const venue = "[venues.kraken]\nproducts = [\"BTC/USD\"]\n"
  const wrong: ReadonlyArray<readonly [text: string, key: string, value: string | undefined, expected: RegExp]> = [
    ["[venues", "--config", undefined, /TOML/],
    ["", "venues", undefined, /at least one venue/],
    [`${venue}[htpp]\nport = 1`, "htpp", undefined, /did you mean http\?/],
    [`${venue}[output]\nstdout = "json"`, "output.stdout", "json", /"ndjson", "none"/],
    [`${venue}[output]\nstdut = "none"`, "output.stdut", undefined, /did you mean output\.stdout\?/],
    [`${venue}[http]\nport = 99999`, "http.port", "99999", /0 to 65535/],
    [`${venue}[http]\nhost = "::1"`, "http.port", undefined, /a port/],
    [`${venue}[reconnection]\nmax_dely = "1s"`, "reconnection.max_dely", undefined, /did you mean max_delay\?/],
    [
      `${venue}[venues.kraken.reconnection]\nmax_delay = "soon"`,
      "venues.kraken.reconnection.max_delay",
      "soon",
      /duration/
    ],
    ["[venues.krakn]\nproducts = [\"A\"]", "venues.krakn", undefined, /did you mean kraken\?/],
    [
      "[venues.kraken]\nproduct = [\"A\"]",
      "venues.kraken.product",
      undefined,
      /did you mean venues\.kraken\.products\?/
    ],
    ["[venues.kraken]\nproducts = \"A\"", "venues.kraken.products", "A", /a list of products/],
    ["[venues.kraken]\nproducts = [\"A\", 3]", "venues.kraken.products[1]", "3", /text/],
    ["[venues.kraken]\nproducts = []", "venues.kraken.products", undefined, /at least one/],
    [`${venue}channels = ["trade", "trades"]`, "venues.kraken.channels[1]", "trades", /"trade", "ticker", "book"/],
    [`${venue}url = "http://a.test"`, "venues.kraken.url", "http://a.test", /ws:\/\//],
    ["[venues.generic]\nproducts = [\"A\"]", "venues.generic.url", undefined, /none of its own/],
    [`${venue}token_env = "NO_SUCH"`, "venues.kraken.token_env", undefined, /variable that is set/],
    [`${venue}[symbols.krakn]\nA = "B"`, "symbols.krakn", undefined, /did you mean symbols\.kraken\?/],
    [`${venue}[symbols.kraken]\nA = 3`, "symbols.kraken.A", undefined, /own symbol/],
    ["venues = 3", "venues", "3", /a table/]
  ]
  for (const [text, key, value, expected] of wrong) {
    it.effect(`refuses ${key} ${value ?? ""}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(parse(text))
        assert.deepStrictEqual([error.key, error.value], [key, value])
        assert.match(error.expected, expected)
      }))
  }

  it.effect("shows no secret of an address", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(parse(`${venue}url = "http://me:secret@a.test/x?key=secret"`))
      assert.notInclude(error.message, "secret")
    }))
})
