/**
 * The configuration of `tickline run`: a TOML file that says which venues are
 * streamed, how each comes back, what goes to stdout, and where its pages are.
 *
 * Everything in it is checked before anything is done: a key that is none, and a
 * value that cannot be read, are refused by name.
 *
 * @since 0.1.0
 */
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import * as Channel from "@tickline/core/value/Channel"
import { type ChannelKind, channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import {
  checked,
  isOneOf,
  isPort,
  isText,
  isVariable,
  quoted,
  refuse,
  type Table,
  tableOf,
  textsOf,
  value
} from "./internal/tables.ts"
import { type Overflow, overflows } from "./OutputQueue.ts"
import * as Policy from "./Policy.ts"
import type { Recordings } from "./Recorders.ts"
import * as Rotations from "./Rotations.ts"
import type { UsageError } from "./RunnerError.ts"
import { expectedVenue, shownUrl } from "./Targets.ts"
import * as Token from "./Token.ts"
import * as SimulationConfig from "./trader/SimulationConfig.ts"
import * as TraderConfig from "./trader/TraderConfig.ts"

/**
 * How limits are shared with other processes; see `RedisGovernor`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SharedLimits {
  readonly url: Redacted.Redacted<string>
  readonly fails: "closed" | "open"
  readonly prefix: string
}

/**
 * What a service does.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceConfig {
  readonly output: {
    /** What goes to stdout: market events, with those of a trader's orders; these alone; or nothing. */
    readonly stdout: typeof outputs[number]
    /** Whether the life of the connections, heartbeats and other frames are printed too. */
    readonly lifecycle: boolean
    /** What happens when nobody reads stdout. Default: `drop-oldest`. */
    readonly overflow: Overflow
  }
  /** Where `/metrics` and `/healthz` are served, or `undefined` where they are not. */
  readonly http: { readonly host: string; readonly port: number; readonly names: ReadonlyArray<string> } | undefined
  /** The Redis over which limits are shared with other processes, or `undefined` where they are not. */
  readonly limits: SharedLimits | undefined
  /** Where each venue is recorded, or `undefined` where none is. */
  readonly recordings: Recordings | undefined
  /** Of what is simulated the URLs are those of `SimulationConfig.nowhere`. */
  readonly entries: ReadonlyArray<MarketFeeds.Entry>
  /** Names of one's own for symbols, by venue; see `Symbols.make`. */
  readonly symbols: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly simulation: SimulationConfig.SimulationConfig | undefined
  readonly trader: TraderConfig.TraderConfig | undefined
}

const outputs = ["ndjson", "orders", "none"] as const

const readOutput = Effect.fnUntraced(function*(root: Table): Effect.fn.Return<ServiceConfig["output"], UsageError> {
  const table = yield* tableOf(root, "output", "output", ["stdout", "lifecycle", "overflow"])
  const hasTrader = Object.hasOwn(root, "trader")
  const known = hasTrader ? outputs : outputs.filter((name) => name !== "orders")
  return {
    stdout: yield* value(table, "stdout", "output", quoted(known), isOneOf(known), hasTrader ? "orders" : "ndjson"),
    lifecycle: yield* value(table, "lifecycle", "output", "true or false", Predicate.isBoolean, false),
    overflow: yield* value(table, "overflow", "output", quoted(overflows), isOneOf(overflows), "drop-oldest")
  }
})

const readHttp = Effect.fnUntraced(function*(root: Table): Effect.fn.Return<ServiceConfig["http"], UsageError> {
  if (!Object.hasOwn(root, "http")) return undefined
  const table = yield* tableOf(root, "http", "http", ["host", "port", "names"])
  if (!Object.hasOwn(table, "port")) return yield* refuse("http.port", undefined, "a port, 0 to 65535")
  return {
    host: yield* value(table, "host", "http", "an address to listen on", isText, "127.0.0.1"),
    port: yield* value(table, "port", "http", "a port, 0 to 65535", isPort, 0),
    names: yield* textsOf(table, "names", "http", "a list of names, such as [\"tickline\"]")
  }
})

const isVenuePath = (value: unknown): value is string => isText(value) && value.includes("{venue}")

const readRecordings = Effect.fnUntraced(function*(
  root: Table
): Effect.fn.Return<ServiceConfig["recordings"], UsageError> {
  if (!Object.hasOwn(root, "recording")) return undefined
  const table = yield* tableOf(root, "recording", "recording", ["path", "rotate"])
  const expected = "a path with {venue} in it, such as \"recordings/{venue}.jsonl.zst\""
  const path = yield* value(table, "path", "recording", expected, isVenuePath, "")
  if (path === "") return yield* refuse("recording.path", undefined, expected)
  const rotate = yield* textsOf(table, "rotate", "recording", "a list of sizes and durations, such as [\"256MiB\"]")
  const rotation = yield* Effect.fromResult(
    Rotations.parse(rotate.length === 0 ? ["256MiB"] : rotate, "recording.rotate")
  )
  return { path, rotation }
})

const failures = ["closed", "open"] as const

// A URL of Redis may hold a password: it is not shown.
const readLimits = Effect.fnUntraced(function*(
  root: Table,
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<ServiceConfig["limits"], UsageError> {
  if (!Object.hasOwn(root, "limits")) return undefined
  const table = yield* tableOf(root, "limits", "limits", ["redis", "redis_env", "fails", "prefix"])
  const variable = Object.hasOwn(table, "redis_env") ? table["redis_env"] : undefined
  if (variable !== undefined && (!isVariable(variable) || !env[variable])) {
    return yield* refuse("limits.redis_env", undefined, "the name of a variable that is set, not the URL")
  }
  const url = variable === undefined ? table["redis"] : env[variable]
  const key = variable === undefined ? "limits.redis" : "limits.redis_env"
  if (variable !== undefined && Object.hasOwn(table, "redis")) {
    return yield* refuse("limits.redis", undefined, "nothing beside redis_env")
  }
  if (typeof url !== "string" || !/^rediss?:$/.test(URL.parse(url)?.protocol ?? "")) {
    return yield* refuse(key, undefined, "a redis:// or rediss:// URL")
  }
  return {
    url: Redacted.make(url),
    fails: yield* value(table, "fails", "limits", quoted(failures), isOneOf(failures), "closed"),
    prefix: yield* value(table, "prefix", "limits", "a text that is not empty", isText, "tickline")
  }
})

/** Names of one's own for symbols, by venue. */
const readSymbols = Effect.fnUntraced(function*(root: Table): Effect.fn.Return<ServiceConfig["symbols"], UsageError> {
  const entries: Record<string, Record<string, string>> = {}
  for (const venue of Object.keys(yield* tableOf(root, "symbols", "symbols", Venues.all.map(({ name }) => name)))) {
    const table = yield* tableOf(yield* tableOf(root, "symbols", "symbols"), venue, `symbols.${venue}`)
    const symbols: Record<string, string> = {}
    for (const [name, symbol] of Object.entries(table)) {
      if (!isText(symbol)) return yield* refuse(`symbols.${venue}.${name}`, undefined, "the venue's own symbol, a text")
      symbols[name] = symbol
    }
    entries[venue] = symbols
  }
  return entries
})

const kinds: ReadonlyArray<ChannelKind> = ["trade", "ticker", "book"]

const readChannels = Effect.fnUntraced(function*(
  table: Table,
  venue: Venue,
  path: string,
  symbols: Symbols.Symbols
): Effect.fn.Return<ReadonlyArray<Channel.Channel>, UsageError> {
  const named = yield* textsOf(table, "products", path, "a list of products, such as [\"BTC-USD\"]")
  const products = named.map((product) => Symbols.resolve(symbols, venue, product))
  const native = yield* textsOf(table, "native_channels", path, "a list of the venue's own channels")
  const asked = Object.hasOwn(table, "channels")
    ? yield* textsOf(table, "channels", path, `a list of ${quoted(kinds)}`)
    : native.length === 0
    ? ["trade"]
    : []
  const found = new Map<string, Channel.Channel>()
  const add = (channel: Channel.Channel) => found.set(Channel.key(channel), channel)
  for (const [index, name] of asked.entries()) {
    const kind = kinds.find((kind) => kind === name)
    if (kind === undefined) return yield* refuse(`${path}.channels[${index}]`, name, quoted(kinds))
    const channels = MarketFeeds.channelsOf(venue, [kind], products)
    if (Result.isFailure(channels)) {
      const offered = Object.keys(venue.channels).join(", ")
      return yield* refuse(`${path}.channels[${index}]`, name, `a channel that ${venue.name} has: ${offered}`)
    }
    channels.success.forEach(add)
  }
  for (const name of native) {
    if (products.length === 0) add(Channel.make(name))
    else for (const product of products) add(channelOf(venue, name, product))
  }
  if (found.size === 0) return yield* refuse(`${path}.products`, undefined, "at least one product")
  return [...found.values()]
})

const venueKeys = ["products", "channels", "native_channels", "url", "redundant_urls", "token_env", "reconnection"]

/**
 * Reads the configuration of a service. The environment has what secrets it
 * names, and what overrides every venue's policy. Tokens are kept by the name of
 * their variable, so that one that is read again is the same.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  tokens: Map<string, BearerToken.BearerToken> = new Map()
): Effect.fn.Return<ServiceConfig, UsageError> {
  const root = yield* checked(yield* Policy.parse(text), "", [
    "output",
    "http",
    "limits",
    "recording",
    "reconnection",
    "symbols",
    "venues",
    "simulation",
    "exchanges",
    "trader",
    "history"
  ])
  const output = yield* readOutput(root)
  const http = yield* readHttp(root)
  const limits = yield* readLimits(root, env)
  const recordings = yield* readRecordings(root)
  const symbols = yield* readSymbols(root)
  const names = Symbols.make(symbols)
  const simulation = yield* SimulationConfig.parse(root)

  // A service has to come up by itself: what a section does not say is as in `market-feed`.
  const common = yield* Effect.mapError(
    PolicyConfig.fromUnknown({ ...root }, Presets.marketFeed),
    (error) => Policy.refused(error)
  )

  const tables = yield* tableOf(root, "venues", "venues")
  const entries: Array<MarketFeeds.Entry> = []
  for (const name of Object.keys(tables)) {
    const path = `venues.${name}`
    const venue = Venues.get(name)
    if (venue === undefined) return yield* refuse(path, undefined, expectedVenue(name))
    const table = yield* tableOf(tables, name, path, venueKeys)

    const endpoint = simulation === undefined ? venue.endpoint ?? "" : SimulationConfig.nowhere
    const url = Object.hasOwn(table, "url") ? table["url"] : endpoint
    if (typeof url !== "string") return yield* refuse(`${path}.url`, undefined, "a ws:// or wss:// URL")
    if (url === "") return yield* refuse(`${path}.url`, undefined, `an endpoint: ${name} has none of its own`)
    const fault = Endpoint.urlFault(url)
    if (fault !== undefined) return yield* refuse(`${path}.url`, shownUrl(url), `a ws:// or wss:// URL (${fault})`)

    const others = yield* textsOf(table, "redundant_urls", path, "a list of ws:// or wss:// URLs")
    for (const [index, other] of others.entries()) {
      const fault = Endpoint.urlFault(other)
      if (fault === undefined) continue
      return yield* refuse(`${path}.redundant_urls[${index}]`, shownUrl(other), `a ws:// or wss:// URL (${fault})`)
    }

    // Whoever mistakes this key writes the token itself there: what stands there is not shown.
    const tokenName = Object.hasOwn(table, "token_env") ? table["token_env"] : ""
    if (typeof tokenName !== "string" || !/^(\w+)?$/.test(tokenName)) {
      return yield* refuse(`${path}.token_env`, undefined, "the name of a variable, not the token")
    }
    const token = yield* Token.read(env, tokenName)
    if (tokenName !== "" && token === undefined) {
      return yield* refuse(`${path}.token_env`, undefined, "the name of a variable that is set")
    }
    if (token !== undefined && !tokens.has(tokenName)) tokens.set(tokenName, yield* BearerToken.make(token))

    const own = yield* Effect.mapError(
      PolicyConfig.fromUnknown(
        Object.hasOwn(table, "reconnection") ? { reconnection: table["reconnection"] } : {},
        common
      ),
      (error) => Policy.refused(error, `${path}.`)
    )
    entries.push({
      venue,
      url,
      ...(others.length === 0 ? {} : { redundancy: { endpoints: [url, ...others] } }),
      channels: yield* readChannels(table, venue, path, names),
      policy: yield* Policy.overEnvironment(own, env),
      auth: tokens.get(tokenName)
    })
  }
  if (entries.length === 0) return yield* refuse("venues", undefined, "at least one venue, such as [venues.kraken]")
  const trader = yield* TraderConfig.parse(root, {
    env,
    isSimulated: simulation !== undefined,
    venues: entries.map(({ venue }) => venue.name)
  })
  return { output, http, limits, recordings, entries, symbols, simulation, trader }
})
