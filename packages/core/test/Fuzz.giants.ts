/**
 * What the fuzz test holds decoders to, and the largest frames that are allowed, each of them meant to be slow to read.
 * Run by Node itself it prints how long each takes: a test runner's own module system slows the code it runs.
 */
import type * as Frame from "@tickline/core/transport/Frame"
import * as CoinbaseExchange from "@tickline/core/venue/CoinbaseExchange"
import * as Generic from "@tickline/core/venue/Generic"
import type { Venue } from "@tickline/core/venue/Venue"

const tags = new Set([
  "Trade",
  "Ticker",
  "BookSnapshot",
  "BookDelta",
  "PriceUpdate",
  "Heartbeat",
  "Subscribed",
  "Unsubscribed",
  "VenueError",
  "Response",
  "Other"
])

/** Decodes a frame and returns what is wrong with the answer, if anything is. */
export const judge = (venue: Venue, frame: Frame.Frame): string | undefined => {
  try {
    const decoded = venue.decode(frame)
    if ("_tag" in decoded) {
      if (decoded._tag !== "FrameRejected") return `neither events nor a rejection: ${decoded._tag}`
      const line = JSON.stringify(decoded)
      return line.length > 1_000 ? `a rejection of ${line.length} characters` : undefined
    }
    if (decoded.length === 0) return "no event at all"
    const strange = decoded.find((event) => !tags.has(event._tag))
    return strange === undefined ? undefined : `an event that is none: ${String(strange)}`
  } catch (defect) {
    return `a defect: ${String(defect)}`
  }
}

const mebibyte = 1024 * 1024

const filled = (head: string, unit: string, tail: string): string =>
  head + unit.repeat(Math.floor((mebibyte - head.length - tail.length) / unit.length)) + tail
const match = (price: string): readonly [string, string] => [
  `{"type":"match","product_id":"BTC-USD","side":"buy","size":"1","symbol":"BTC-USD","timestamp":"2025-10-28T12:00:00Z","price":${price}`,
  "}"
]
const [string, closed] = match("\"")
const [number] = match("")
/** Frames of up to 1 MiB, by what is in them. */
export const giants: Readonly<Record<string, string>> = {
  "open brackets": filled("", "[", ""),
  "open objects": filled("", "{\"a\":", ""),
  "brackets in a member": filled("{\"type\":\"match\",\"product_id\":", "[", ""),
  "a nest that is closed": "[".repeat(mebibyte / 2) + "]".repeat(mebibyte / 2),
  "digits in a string": filled(string, "9", `"${closed}`),
  "digits in a number": filled(number, "9", closed),
  "decimals in a string": filled(`${string}0.`, "3", `"${closed}`),
  "decimals in a number": filled(`${number}0.`, "3", closed),
  "zeros and a one": filled(`${string}0.`, "0", `1"${closed}`),
  "an exponent of many digits": filled(`${number}1e`, "9", closed),
  "a quoted exponent of many digits": filled(`${string}1e`, "9", `"${closed}`),
  "an exponent that asks for a gigabyte": `${number}1e1000000000${closed}`,
  "a negative one": `${string}1e-1000000000"${closed}`,
  "digits in a sequence": filled(`${match("\"1\"")[0]},"sequence":`, "7", closed),
  "digits in a timestamp": filled(`${match("\"1\"")[0]},"time":"2025-10-28T12:00:00.`, "7", `Z"${closed}`),
  "digits in an epoch": filled("{\"product_id\":\"A\",\"price\":1,\"timestamp\":", "7", "}"),
  "escapes": filled(string, "\\u0041", `"${closed}`),
  "surrogates": filled(string, "\\ud800", `"${closed}`),
  "backslashes": filled(string, "\\\\", `"${closed}`),
  "a string without an end": filled(string, "a", ""),
  "spaces": filled("{", " ", "}"),
  "commas": filled("[", ",", "]"),
  "members": filled("{\"type\":\"match\"", ",\"a\":1", "}"),
  "members of Object.prototype": filled("{\"type\":\"match\"", ",\"__proto__\":{}", "}"),
  "levels": filled(
    "{\"type\":\"snapshot\",\"product_id\":\"A\",\"asks\":[],\"bids\":[[\"1\",\"1\"]",
    ",[\"1.5\",\"2\"]",
    "]}"
  ),
  "empty rows": filled("{\"type\":\"l2update\",\"product_id\":\"A\",\"changes\":[[]", ",[]", "]}"),
  "changes": filled(
    "{\"type\":\"l2update\",\"product_id\":\"A\",\"changes\":[[\"buy\",\"1\",\"1\"]",
    ",[\"sell\",\"1\",\"1\"]",
    "]}"
  ),
  "changes with one that is wrong": filled(
    "{\"type\":\"l2update\",\"product_id\":\"A\",\"changes\":[[\"buy\",\"1\",\"1\"]",
    ",[\"sell\",\"1\",\"1\"]",
    ",[\"buy\",\"x\",\"1\"]]}"
  ),
  "subscriptions": filled("{\"type\":\"subscriptions\",\"channels\":[\"a\"", ",\"a\"", "]}"),
  "rows that are wrong": filled("{\"type\":\"subscriptions\",\"channels\":[1", ",1", "]}"),
  "products": filled("{\"type\":\"subscribed\",\"product_ids\":[\"a\"", ",\"a\"", "]}"),
  "products that are wrong": filled("{\"type\":\"subscribed\",\"product_ids\":[1", ",1", "]}"),
  "an error with a long message": filled("{\"type\":\"error\",\"message\":\"", "x", "\"}"),
  "an unknown type with a long name": filled("{\"type\":\"", "x", "\"}"),
  "a long product": filled(
    "{\"type\":\"match\",\"side\":\"buy\",\"price\":\"1\",\"size\":\"1\",\"product_id\":\"",
    "x",
    "\"}"
  )
}

/** One giant at one venue: the thread's own milliseconds, the best of a few, and what is wrong with the answer, if anything. */
export interface Measured {
  readonly venue: string
  readonly giant: string
  readonly units: number
  readonly millis: number
  readonly wrong: string | undefined
}

const measure = (venue: Venue, giant: string, frame: string, enoughMillis: number): Measured => {
  let millis = Infinity
  let wrong: string | undefined
  for (let run = 0; run < 15 && millis > enoughMillis; run++) {
    const begun = process.threadCpuUsage()
    wrong = judge(venue, frame)
    const { system, user } = process.threadCpuUsage(begun)
    millis = Math.min(millis, (system + user) / 1_000)
  }
  return { venue: venue.name, giant, units: frame.length, millis, wrong }
}

if (import.meta.main) {
  const enoughMillis = Number(process.argv[2] ?? 0)
  const all = [CoinbaseExchange.venue, Generic.venue].flatMap((venue) =>
    Object.entries(giants).map(([giant, frame]) => measure(venue, giant, frame, enoughMillis))
  )
  process.stdout.write(JSON.stringify(all))
}
