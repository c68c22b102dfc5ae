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
import { nearest } from "@tickline/core/value/Suggestion"
import { type ChannelKind, channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type Overflow, overflows } from "./OutputQueue.ts"
import * as Policy from "./Policy.ts"
import type { Recordings } from "./Recorders.ts"
import * as Rotations from "./Rotations.ts"
import { UsageError } from "./RunnerError.ts"
import { expectedVenue, shownUrl } from "./Targets.ts"
import * as Token from "./Token.ts"

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
    readonly stdout: "ndjson" | "none"
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
  readonly entries: ReadonlyArray<MarketFeeds.Entry>
}

type Table = Readonly<Record<string, unknown>>
type Read<A> = Effect.Effect<A, UsageError>

/** A text, number or truth value as it was written. What is inside a table or a list has keys of its own. */
const shown = (value: unknown): { readonly value?: string } => {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return {}
  const text = String(value)
  return { value: text.length > 64 ? `${text.slice(0, 63)}…` : text }
}

/** The value is that of a key that is known and can hold no secret; else `undefined`. */
const refuse = (key: string, value: unknown, expected: string): Effect.Effect<never, UsageError> =>
  Effect.fail(new UsageError({ key, ...shown(value), expected }))

const isTable = (value: unknown): value is Table => Predicate.isObject(value) && !Array.isArray(value)

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `"${name}"`).join(", ")

/** The table under a key, its keys among those known; an empty one where there is none. */
const tableOf = (within: Table, key: string, path: string, known?: ReadonlyArray<string>): Read<Table> => {
  const table = Object.hasOwn(within, key) ? within[key] : {}
  if (!isTable(table)) return refuse(path, table, "a table")
  return known === undefined ? Effect.succeed(table) : checked(table, `${path}.`, known)
}

const checked = (table: Table, path: string, known: ReadonlyArray<string>): Read<Table> => {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue
    const meant = nearest(key, known)
    return refuse(
      `${path}${key}`,
      undefined,
      meant === undefined ? `one of the keys ${known.join(", ")}` : `a key there is (did you mean ${path}${meant}?)`
    )
  }
  return Effect.succeed(table)
}

/** A value under a key that `is` accepts, or the default. */
const value = <A>(
  table: Table,
  key: string,
  path: string,
  expected: string,
  is: (value: unknown) => value is A,
  otherwise: A
): Read<A> => {
  if (!Object.hasOwn(table, key)) return Effect.succeed(otherwise)
  const found = table[key]
  return is(found) ? Effect.succeed(found) : refuse(`${path}.${key}`, found, expected)
}

const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== ""
const isPort = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535
const isOneOf = <const A extends string>(names: ReadonlyArray<A>) => (value: unknown): value is A =>
  names.some((name) => name === value)

const textsOf = (table: Table, key: string, path: string, expected: string): Read<ReadonlyArray<string>> => {
  const found = Object.hasOwn(table, key) ? table[key] : []
  if (!Array.isArray(found)) return refuse(`${path}.${key}`, found, expected)
  const wrong = found.findIndex((item) => !isText(item))
  return wrong < 0
    ? Effect.succeed([...new Set<string>(found)])
    : refuse(`${path}.${key}[${wrong}]`, found[wrong], "a text that is not empty")
}

const outputs = ["ndjson", "none"] as const

const readOutput = Effect.fnUntraced(function*(root: Table): Effect.fn.Return<ServiceConfig["output"], UsageError> {
  const table = yield* tableOf(root, "output", "output", ["stdout", "lifecycle", "overflow"])
  return {
    stdout: yield* value(table, "stdout", "output", quoted(outputs), isOneOf(outputs), "ndjson"),
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

const isVariable = (value: unknown): value is string => typeof value === "string" && /^\w+$/.test(value)

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
const readSymbols = Effect.fnUntraced(function*(root: Table): Effect.fn.Return<Symbols.Symbols, UsageError> {
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
  return Symbols.make(entries)
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
    "venues"
  ])
  const output = yield* readOutput(root)
  const http = yield* readHttp(root)
  const limits = yield* readLimits(root, env)
  const recordings = yield* readRecordings(root)
  const symbols = yield* readSymbols(root)

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

    const url = Object.hasOwn(table, "url") ? table["url"] : venue.endpoint ?? ""
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
      channels: yield* readChannels(table, venue, path, symbols),
      policy: yield* Policy.overEnvironment(own, env),
      auth: tokens.get(tokenName)
    })
  }
  if (entries.length === 0) return yield* refuse("venues", undefined, "at least one venue, such as [venues.kraken]")
  return { output, http, limits, recordings, entries }
})
