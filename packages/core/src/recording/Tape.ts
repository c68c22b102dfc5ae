/**
 * A recording, line by line: what each line of it says, read and written.
 *
 * A line is a raw frame's text as the peer sent it, or an envelope: a JSON
 * object whose string member `raw` is the frame's exact text, with when, on
 * which connection and which way it went. Envelopes of other kinds tell of the
 * life of a connection and of answers over HTTP. Everything here is pure.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ExactJson from "../codec/ExactJson.ts"
import { DialReason } from "../transport/DialError.ts"
import type { Frame } from "../transport/Frame.ts"
import * as Printable from "../value/Printable.ts"
import * as Timestamp from "../value/Timestamp.ts"

interface Place {
  readonly at?: Timestamp.Timestamp | undefined
  readonly connection?: number | string | undefined
  readonly id?: string | undefined
}

type Direction = "in" | "out"

const encodeFailure = Schema.encodeSync(DialReason)

const decodeFailure = Schema.decodeUnknownOption(DialReason)

/**
 * What a line of a recording says: besides its kind, when it happened, on which
 * connection (a number or a name, as it is written), and the line's own name. A
 * raw frame says none of these.
 *
 * - `Frame`: a frame's text; its bytes if a raw line is not UTF-8
 * - `Binary`: a frame of bytes
 * - `Header`: what was recorded: the venue, its URL without secrets, products,
 *   and channels
 * - `Dial`: a wire is asked for. `attempt` counts from 1 after each success,
 *   `delayMillis` is how long was waited before it; both may be absent
 * - `Open`: it is there; `leg` names which of several connections of a feed it is
 * - `Close`: it has ended, by us where the direction is `"out"`; after a `Dial`
 *   without `Open` the dial has failed: `reason` says why, `failure` exactly
 * - `Ping`, `Pong`: those of the protocol, with their payload
 * - `Response`: the answer to a request over HTTP
 *
 * @category models
 * @since 0.1.0
 */
export type Entry =
  & Place
  & (
    | { readonly _tag: "Frame"; readonly direction: Direction; readonly frame: Frame }
    | { readonly _tag: "Binary"; readonly direction: Direction; readonly bytes: Uint8Array }
    | {
      readonly _tag: "Header"
      readonly version: 1
      readonly venue?: string | undefined
      readonly url?: string | undefined
      readonly products: ReadonlyArray<string>
      readonly channels: ReadonlyArray<string>
      readonly policy?: string | undefined
    }
    | {
      readonly _tag: "Dial"
      readonly url?: string | undefined
      readonly attempt?: number | undefined
      readonly delayMillis?: number | undefined
    }
    | { readonly _tag: "Open"; readonly leg?: number | string | undefined }
    | {
      readonly _tag: "Close"
      readonly direction: Direction
      readonly code?: number | undefined
      readonly reason?: string | undefined
      readonly clean?: boolean | undefined
      readonly failure?: DialReason | undefined
    }
    | { readonly _tag: "Ping" | "Pong"; readonly direction: Direction; readonly payload: string }
    | {
      readonly _tag: "Response"
      readonly method: string
      readonly url: string
      readonly status: number
      readonly body: string
    }
  )

/**
 * An envelope that does not say what it should. `line` is its number, from 1 on,
 * `member` the first one that is wrong; `entry` is what the line says without
 * it, if that is something.
 *
 * @category models
 * @since 0.1.0
 */
export class EntryRejected extends Schema.TaggedClass<EntryRejected>()("EntryRejected", {
  line: Schema.Finite,
  member: Schema.String,
  message: Schema.String,
  entry: Schema.optionalKey(Schema.declare((value): value is Entry => typeof value === "object"))
}) {}

// ---------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------

// A longer line is read by the reader that bounds what one may cost: `JSON.parse` takes a second for a frame of 10 MiB
// whose members all have names of their own.
const usualLine = 65_536

const parseJson = (line: string): unknown => {
  if (line.length > usualLine) return ExactJson.parse(line)
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

// What is `null` is not there.
const member = (json: object, name: string): unknown =>
  Object.hasOwn(json, name) ? Reflect.get(json, name) ?? undefined : undefined

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : value instanceof ExactJson.JsonNumber ? Number(value.text) : undefined

// A number is its own digits: it may have more of them than a double.
const identifier = (json: object, name: string, line: string): string | undefined => {
  const value = member(json, name)
  if (typeof value === "string") return value
  if (value instanceof ExactJson.JsonNumber) return value.text
  if (typeof value !== "number") return undefined
  const exact = ExactJson.parse(line)
  const number = exact instanceof ExactJson.Malformed || !ExactJson.isObject(exact) ? undefined : exact[name]
  return String(number)
}

// Nearly always a small number, on every line.
const nameOf = (json: object, name: string, line: string): number | string | undefined => {
  const value = numberOf(member(json, name))
  return Number.isSafeInteger(value) ? value : identifier(json, name, line)
}

const shown = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : Printable.cut(value instanceof ExactJson.JsonNumber ? value.text : JSON.stringify(value), 64)

/** One envelope while it is read: it remembers the first member that is wrong. */
class Envelope {
  readonly json: object
  wrong: { readonly member: string; readonly message: string } | undefined

  constructor(json: object) {
    this.json = json
  }

  expected(name: string, what: string): undefined {
    this.wrong ??= { member: name, message: `expected ${what}, got ${shown(member(this.json, name))}` }
  }

  text(name: string): string | undefined {
    const value = member(this.json, name)
    return value === undefined || typeof value === "string" ? value : this.expected(name, "a text")
  }

  whole(name: string): number | undefined {
    const value = member(this.json, name)
    const number = numberOf(value)
    return value === undefined || (number !== undefined && Number.isSafeInteger(number) && number >= 0)
      ? number
      : this.expected(name, "a whole number")
  }

  texts(name: string): ReadonlyArray<string> {
    const value = member(this.json, name)
    if (value === undefined) return []
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value
    this.expected(name, "an array of texts")
    return []
  }

  at(): Timestamp.Timestamp | undefined {
    const value = member(this.json, "at")
    if (value === undefined) return undefined
    return (typeof value === "string" ? Timestamp.fromIso(value) : undefined) ??
      this.expected("at", "a time in ISO-8601")
  }

  failure(): DialReason | undefined {
    const value = member(this.json, "failure")
    if (value === undefined) return undefined
    return Option.getOrUndefined(decodeFailure(value)) ?? this.expected("failure", "why a dial failed")
  }

  direction(): Direction {
    const value = member(this.json, "direction")
    if (value === "out") return value
    if (value !== undefined && value !== "in") this.expected("direction", "\"in\" or \"out\"")
    return "in"
  }
}

// What an envelope of a kind says; nothing if that is not known without the member that is wrong.
const said = (envelope: Envelope, kind: unknown, raw: string, line: string): Entry | undefined => {
  const { json } = envelope
  switch (kind) {
    case "frame":
      return { _tag: "Frame", direction: envelope.direction(), frame: raw }
    case "binary": {
      const bytes = Base64.decode(raw)
      return Result.isSuccess(bytes)
        ? { _tag: "Binary", direction: envelope.direction(), bytes: bytes.success }
        : envelope.expected("raw", "bytes in base64")
    }
    case "header": {
      if (envelope.whole("version") !== 1) return envelope.expected("version", "1")
      return {
        _tag: "Header",
        version: 1,
        ...defined({ venue: envelope.text("venue"), url: envelope.text("url") }),
        products: envelope.texts("products"),
        channels: envelope.texts("channels"),
        // Whatever it is, it is kept as text.
        ...defined({ policy: policyOf(member(json, "policy")) })
      }
    }
    case "dial":
      return {
        _tag: "Dial",
        ...defined({
          url: envelope.text("url"),
          attempt: envelope.whole("attempt"),
          delayMillis: envelope.whole("delayMillis")
        })
      }
    case "open":
      return { _tag: "Open", ...defined({ leg: nameOf(json, "leg", line) }) }
    case "close": {
      const clean = member(json, "clean")
      if (clean !== undefined && typeof clean !== "boolean") envelope.expected("clean", "true or false")
      return {
        _tag: "Close",
        direction: envelope.direction(),
        ...defined({
          code: envelope.whole("code"),
          // Older recordings have it as the line's text.
          reason: envelope.text("reason") ?? (raw === "" ? undefined : raw),
          clean: typeof clean === "boolean" ? clean : undefined,
          failure: envelope.failure()
        })
      }
    }
    case "ping":
      return { _tag: "Ping", direction: envelope.direction(), payload: raw }
    case "pong":
      return { _tag: "Pong", direction: envelope.direction(), payload: raw }
    case "response": {
      const url = envelope.text("url")
      const status = envelope.whole("status")
      if (url === undefined) return envelope.expected("url", "a URL")
      if (status === undefined) return envelope.expected("status", "the status of an answer")
      return { _tag: "Response", method: envelope.text("method") ?? "GET", url, status, body: raw }
    }
    default:
      return envelope.expected("kind", "a kind of line that is known")
  }
}

const policyOf = (value: unknown): string | undefined =>
  value === undefined || typeof value === "string" ? value : JSON.stringify(value)

// The members that are there.
const defined = <A extends object>(members: A): Partial<A> => {
  const kept: Partial<A> = {}
  for (const name in members) if (members[name] !== undefined) kept[name] = members[name]
  return kept
}

const isBlank = /^\s*$/

/**
 * Reads a line, without its line feed; `line` is its number, from 1 on. A line
 * that is no envelope is a raw frame, whatever it holds; a blank one says
 * nothing. What the kinds have no member for is passed over.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: Frame, line: number): Entry | EntryRejected | undefined => {
  if (typeof text !== "string") return { _tag: "Frame", direction: "in", frame: text }
  // Most frames are told apart without parsing; a member name may also be written with escapes.
  const mayBe = text.includes("\"raw\"") || text.includes("\\u")
  const json = mayBe ? parseJson(text) : undefined
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json)
  const raw = isObject ? member(json, "raw") : undefined
  if (!isObject || typeof raw !== "string") {
    return isBlank.test(text) ? undefined : { _tag: "Frame", direction: "in", frame: text }
  }
  const envelope = new Envelope(json)
  const place: Place = defined({
    at: envelope.at(),
    connection: nameOf(json, "connection", text),
    id: identifier(json, "id", text)
  })
  const found = said(envelope, member(json, "kind") ?? "frame", raw, text)
  const entry = found === undefined ? undefined : { ...place, ...found }
  const { wrong } = envelope
  if (wrong !== undefined) return new EntryRejected({ line, ...wrong, ...(entry === undefined ? {} : { entry }) })
  return entry
}

/**
 * The frame of text that a line says was received, whatever else the line says
 * wrong; `undefined` if it says something else.
 *
 * @category getters
 * @since 0.1.0
 */
export const frameOf = (
  read: Entry | EntryRejected | undefined
): Extract<Entry, { readonly _tag: "Frame" }> | undefined => {
  const entry = read?._tag === "EntryRejected" ? read.entry : read
  return entry?._tag === "Frame" && entry.direction === "in" ? entry : undefined
}

// ---------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------

const membersOf = (entry: Entry): object => {
  switch (entry._tag) {
    case "Frame":
      return typeof entry.frame === "string"
        ? { raw: entry.frame }
        : { kind: "binary", raw: Base64.encode(entry.frame) }
    case "Binary":
      return { kind: "binary", raw: Base64.encode(entry.bytes) }
    case "Header": {
      const { channels, policy, products, url, venue, version } = entry
      return { kind: "header", version, venue, url, products, channels, policy, raw: "" }
    }
    case "Dial":
      return { kind: "dial", url: entry.url, attempt: entry.attempt, delayMillis: entry.delayMillis, raw: "" }
    case "Open":
      return { kind: "open", leg: entry.leg, raw: "" }
    case "Close":
      return {
        kind: "close",
        code: entry.code,
        reason: entry.reason,
        clean: entry.clean,
        failure: entry.failure === undefined ? undefined : encodeFailure(entry.failure),
        raw: entry.reason ?? ""
      }
    case "Ping":
      return { kind: "ping", raw: entry.payload }
    case "Pong":
      return { kind: "pong", raw: entry.payload }
    case "Response":
      return { kind: "response", method: entry.method, url: entry.url, status: entry.status, raw: entry.body }
  }
}

/**
 * Writes a line as an envelope, without a line feed: `parse` reads the same from
 * it.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (entry: Entry): string =>
  JSON.stringify({
    at: entry.at,
    connection: entry.connection,
    id: entry.id,
    direction: "direction" in entry && entry.direction === "out" ? "out" : undefined,
    ...membersOf(entry)
  })
