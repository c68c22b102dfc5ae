/**
 * What `tickline stream` is asked for: venues and their products, as they stand
 * on the command line.
 *
 * @since 0.1.0
 */
import type * as Dialect from "@tickline/core/protocol/Dialect"
import * as Address from "@tickline/core/transport/Address"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Result from "effect/Result"
import { UsageError } from "./RunnerError.ts"
import * as Usage from "./Usage.ts"

/**
 * A venue, the products asked of it, and where it is if not where it says; how what
 * is asked is signed, and from which channel books are kept if not the usual one,
 * where the environment has a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  readonly venue: Venue
  readonly products: ReadonlyArray<string>
  readonly url: string | undefined
  readonly signing?: Dialect.Signing | undefined
  readonly bookChannel?: string | undefined
}

const names = Venues.all.map(({ name }) => name)

/**
 * What is said of a name that is no venue's.
 *
 * @category getters
 * @since 0.1.0
 */
export const expectedVenue = (name: string): string => Usage.oneOf(name, names)

/**
 * Of an address that was refused what may be shown: scheme, host and port,
 * where they can be read.
 *
 * @category getters
 * @since 0.1.0
 */
export const shownUrl = (url: string): string | undefined =>
  Address.parse(url) === undefined ? undefined : Address.origin(url)

const wrong = (key: string, value: string | undefined, expected: string) =>
  Result.fail(new UsageError({ key, ...(value === undefined ? {} : { value }), expected }))

/** Products by venue, in the order in which they are named, each once. */
const readProducts = (
  first: string,
  rest: ReadonlyArray<string>
): Result.Result<ReadonlyMap<string, ReadonlyArray<string>>, UsageError> => {
  const products = new Map<string, ReadonlyArray<string>>()
  if (!first.includes(":")) {
    if (Venues.get(first) === undefined) return wrong("venue", first, expectedVenue(first))
    return rest.length === 0
      ? wrong("product", undefined, `products of ${first}, by the venue's own symbols`)
      : Result.succeed(products.set(first, [...new Set(rest)]))
  }
  for (const target of [first, ...rest]) {
    // A product may hold colons of its own.
    const [, name = "", product = ""] = /^([^:]*):(.*)$/s.exec(target) ?? []
    if (product === "") {
      return wrong("target", target, "venue:product, such as kraken:BTC/USD, as in the targets before it")
    }
    if (Venues.get(name) === undefined) return wrong("venue", name, expectedVenue(name))
    products.set(name, [...new Set([...products.get(name) ?? [], product])])
  }
  return Result.succeed(products)
}

/** Endpoints by venue: `venue=url`, or a URL where there is one venue only. */
const readUrls = (
  texts: ReadonlyArray<string>,
  venues: ReadonlyArray<string>
): Result.Result<ReadonlyMap<string, string>, UsageError> => {
  const urls = new Map<string, string>()
  const [only, second] = venues
  for (const text of texts) {
    const [, named, rest = ""] = /^([a-z-]+)=(.*)$/s.exec(text) ?? []
    const name = named ?? (second === undefined ? only : undefined)
    const url = named === undefined ? text : rest
    if (name === undefined) {
      return wrong("--url", shownUrl(text), `venue=url where there are several venues: ${venues.join(", ")}`)
    }
    if (!venues.includes(name)) return wrong("--url", name, `a venue that is streamed: ${venues.join(", ")}`)
    if (urls.has(name)) return wrong("--url", shownUrl(text), `one endpoint for ${name}`)
    const fault = Endpoint.urlFault(url)
    if (fault !== undefined) return wrong("--url", shownUrl(url), `a ws:// or wss:// URL (${fault})`)
    urls.set(name, url)
  }
  return Result.succeed(urls)
}

/**
 * Reads the arguments: a venue and its products, or `venue:product` each. A
 * venue without an endpoint of its own needs one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (
  first: string,
  rest: ReadonlyArray<string>,
  urls: ReadonlyArray<string>
): Result.Result<ReadonlyArray<Target>, UsageError> => {
  const products = readProducts(first, rest)
  if (Result.isFailure(products)) return Result.fail(products.failure)
  const endpoints = readUrls(urls, [...products.success.keys()])
  if (Result.isFailure(endpoints)) return Result.fail(endpoints.failure)
  const targets: Array<Target> = []
  for (const [name, asked] of products.success) {
    const venue = Venues.get(name)
    if (venue === undefined) continue
    const url = endpoints.success.get(name)
    if (url === undefined && venue.endpoint === undefined) {
      return wrong("--url", undefined, `an endpoint: ${name} has none of its own`)
    }
    targets.push({ venue, products: asked, url })
  }
  return Result.succeed(targets)
}
