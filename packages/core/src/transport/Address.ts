/**
 * A URL in its parts, and the one form of it that is safe to compare and to
 * show. What is not exactly of the form is not guessed at: nothing of a text
 * that was not parsed is ever shown.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Printable from "../value/Printable.ts"

// Core is compiled without the types of a runtime; each of them has the parser of the URL standard.
declare const URL: new(url: string) => { readonly protocol: string; readonly host: string }

/**
 * The parts of a `ws`, `wss`, `http` or `https` URL.
 *
 * - `userInfo`: user and password as they were written, without the `@`
 * - `host`: in lower case, an IPv6 address in its brackets
 * - `port`: absent where none is written
 * - `rest`: path, query and fragment as they were written
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  readonly scheme: "ws" | "wss" | "http" | "https"
  readonly userInfo?: string | undefined
  readonly host: string
  readonly port?: number | undefined
  readonly rest: string
}

// Stricter than the URL standard, which passes over what surrounds a URL, drops tabs, takes a backslash for a slash and
// counts slashes loosely: what it reads as a password there is easily read as something else here.
const grammar =
  /^(?<scheme>wss?|https?):\/\/(?:(?<userInfo>[^/?#\\]*)@)?(?<host>\[[\da-f:.]+\]|[\p{L}\p{N}._~-]+)(?::(?<port>\d{1,5}))?(?<rest>(?:[/?#].*)?)$/iu

/** White space and control characters: no URL holds any. */
const unfit = /[\s\p{Cc}]/u

const schemes = { ws: "ws", wss: "wss", http: "http", https: "https" } as const

const isScheme = (text: string): text is keyof typeof schemes => Object.hasOwn(schemes, text)

const read = (url: string): Address | undefined => {
  const { host = "", port, rest = "", scheme: written = "", userInfo } = grammar.exec(url)?.groups ?? {}
  const scheme = written.toLowerCase()
  if (!isScheme(scheme) || unfit.test(url) || Number(port) > 65_535) return undefined
  return { scheme, userInfo, host: host.toLowerCase(), port: port === undefined ? undefined : Number(port), rest }
}

// A dial asks for the parts of its URL several times, and so does the next.
let latest: { readonly url: string; readonly address: Address | undefined } = { url: "", address: undefined }

/**
 * Reads a URL; `undefined` where the text is not exactly
 * `scheme://[user[:password]@]host[:port][/path][?query][#fragment]`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (url: string): Address | undefined => {
  if (url !== latest.url) latest = { url, address: read(url) }
  return latest.address
}

/**
 * Scheme, host and port of a URL in the one form that all its spellings have,
 * such as `wss://venue.example` or `ws://[::1]:8080`: what breakers and limits
 * are shared by, and all of a URL that is ever shown. The host is in lower case
 * and without a trailing dot, an IP address in its shortest form, the scheme's
 * own port left out. User information, path (which may be a listen key) and
 * query may hold secrets. A text that cannot be read is `(unreadable URL)`.
 *
 * @category getters
 * @since 0.1.0
 */
export const origin = (url: string): string => {
  const address = parse(url)
  if (address === undefined) return "(unreadable URL)"
  const port = address.port === undefined ? "" : `:${address.port}`
  const written = `${address.scheme}://${address.host.replace(/\.$/, "")}${port}`
  const standard = Result.try(() => new URL(written))
  return Result.isFailure(standard) ? written : `${standard.success.protocol}//${standard.success.host}`
}

const segmentsOf = (url: string): ReadonlyArray<string> =>
  parse(url)?.rest.replace(/[?#].*$/s, "").split("/").slice(1) ?? []

// What stands in a path like a key, such as a listen key.
const keyLike = /[\w-]{32,}/g

// At most 200 characters; no segment of the path that is one of those, or like a key.
const shown = (url: string, hidden: ReadonlySet<string>): string => {
  const path = segmentsOf(url).map((segment) => hidden.has(segment) ? "…" : segment.replace(keyLike, "…"))
  return Printable.cut([origin(url), ...path].join("/"), 200)
}

/**
 * What of a URL may be shown if its path says what was asked for, as that of a
 * REST interface does: scheme, host, port and path, without what in the path is
 * like a key, at most 200 characters.
 *
 * @category getters
 * @since 0.1.0
 */
export const place = (url: string): string => shown(url, new Set())

/**
 * Where an answer of the peer at `url` says that it has moved to
 * (`Location`, RFC 9110 §10.2.2), fit to be shown: scheme, host, port and path,
 * at most 200 characters. Left out of the path is what is like a key, and what
 * stood in our own, which may be one.
 *
 * @category getters
 * @since 0.1.0
 */
export const movedTo = (location: string, url: string): string => {
  const [, scheme = ""] = /^(\w+:)/.exec(origin(url)) ?? []
  const target = location.startsWith("//")
    ? `${scheme}${location}`
    : location.startsWith("/")
    ? `${origin(url)}${location}`
    : location
  // A server that moves a whole site repeats the path that it was asked for.
  return shown(target, new Set(segmentsOf(url).filter((segment) => segment !== "")))
}
