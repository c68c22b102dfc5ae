/**
 * What the fuzz test holds decoders to, and the largest frames that are allowed, each of them meant to be slow to read.
 * Run by Node itself it prints how long each takes: a test runner's own module system slows the code it runs.
 */
import type * as Frame from "@tickline/core/transport/Frame"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MachineSpeed from "./MachineSpeed.ts"

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
/** As many different units as a frame has room for, with commas between. */
export const numbered = (head: string, unit: (n: number) => string, tail: string, length = mebibyte): string => {
  const parts = [head]
  let size = head.length + tail.length
  for (let n = 0;; n++) {
    const part = n === 0 ? unit(n) : `,${unit(n)}`
    size += part.length
    if (size > length) return parts.join("") + tail
    parts.push(part)
  }
}

const match = (price: string): readonly [string, string] => [
  `{"type":"match","product_id":"BTC-USD","side":"buy","size":"1","symbol":"BTC-USD","timestamp":"2025-10-28T12:00:00Z","price":${price}`,
  "}"
]
const [string, closed] = match("\"")
const [number] = match("")
/** Frames of up to 1 MiB (and one of 10), by what is in them. */
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
  "names": numbered("{", (n) => `"k${n.toString(36)}":1`, "}"),
  "names, ten mebibytes": numbered("{", (n) => `"k${n.toString(36)}":1`, "}", 10 * mebibyte),
  "names of numbers": numbered("{", (n) => `"${(n * 2_654_435_761) % 4_294_967_296}":1`, "}"),
  "names of other letters": numbered(
    "{",
    (n) => `"${String.fromCharCode(0x4e00 + n % 20_000, 0x4e00 + n / 20_000)}":1`,
    "}"
  ),
  "names with escapes": numbered("{", (n) => `"\\u0061${n}":1`, "}"),
  "names in a frame": numbered("{\"type\":\"match\",\"data\":{", (n) => `"k${n.toString(36)}":1`, "}}"),
  "objects of different names": numbered("[", (n) => `{"k${n.toString(36)}":1}`, "]"),
  "objects in objects of different names": numbered("{", (n) => `"k${n.toString(36)}":{"x${n.toString(36)}":[]}`, "}"),
  "empty objects": numbered("[", () => "{}", "]"),
  "numbers": numbered("[", () => "1", "]"),
  "strings": numbered("[", () => "\"\"", "]"),
  "nests that are closed": numbered("[", () => "[".repeat(250) + "]".repeat(250), "]"),
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

/** The lists of the venues: what stands before, one element, what stands after. */
export const lists: Readonly<Record<string, ReadonlyArray<readonly [head: string, element: string, tail: string]>>> = {
  coinbase: [
    [
      "{\"channel\":\"market_trades\",\"client_id\":\"\",\"timestamp\":\"2025-10-28T12:00:00Z\",\"sequence_num\":1,\"events\":[{\"type\":\"update\",\"trades\":[",
      "{\"trade_id\":\"1\",\"product_id\":\"BTC-USD\",\"price\":\"1.5\",\"size\":\"1.5\",\"side\":\"BUY\",\"time\":\"2025-10-28T12:00:00Z\"}",
      "]}]}"
    ],
    [
      "{\"channel\":\"l2_data\",\"client_id\":\"\",\"timestamp\":\"2025-10-28T12:00:00Z\",\"sequence_num\":1,\"events\":[{\"type\":\"update\",\"product_id\":\"BTC-USD\",\"updates\":[",
      "{\"side\":\"bid\",\"event_time\":\"2025-10-28T12:00:00Z\",\"price_level\":\"1.5\",\"new_quantity\":\"1.5\"}",
      "]}]}"
    ]
  ],
  binance: [
    ["{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":1,\"u\":2,\"b\":[", "[\"1.5\",\"1.5\"]", "],\"a\":[]}"],
    [
      "[",
      "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1.5\",\"q\":\"1.5\",\"T\":1,\"m\":true}}",
      "]"
    ]
  ],
  kraken: [
    [
      "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[",
      "{\"symbol\":\"BTC/USD\",\"side\":\"buy\",\"price\":1.5,\"qty\":1.5,\"ord_type\":\"market\",\"trade_id\":1,\"timestamp\":\"2025-10-28T12:00:00.000000Z\"}",
      "]}"
    ],
    [
      "{\"channel\":\"book\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"bids\":[",
      "{\"price\":1.5,\"qty\":1.5}",
      "],\"asks\":[],\"checksum\":1,\"timestamp\":\"2025-10-28T12:00:00.000000Z\"}]}"
    ]
  ],
  deribit: [
    [
      "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"trades.BTC-PERPETUAL.100ms\",\"data\":[",
      "{\"trade_seq\":1,\"trade_id\":\"1\",\"timestamp\":1,\"price\":1.5,\"instrument_name\":\"BTC-PERPETUAL\",\"direction\":\"buy\",\"amount\":1.5}",
      "]}}"
    ],
    [
      "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"book.BTC-PERPETUAL.100ms\",\"data\":{\"type\":\"change\",\"timestamp\":1,\"instrument_name\":\"BTC-PERPETUAL\",\"change_id\":2,\"prev_change_id\":1,\"bids\":[",
      "[\"new\",1.5,1.5]",
      "],\"asks\":[]}}}"
    ],
    ["{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[", "\"trades.BTC-PERPETUAL.100ms\"", "]}"]
  ],
  hyperliquid: [
    [
      "{\"channel\":\"trades\",\"data\":[",
      "{\"coin\":\"BTC\",\"side\":\"B\",\"px\":\"1.5\",\"sz\":\"1.5\",\"hash\":\"0x0\",\"time\":1,\"tid\":1,\"users\":[\"0x0\",\"0x1\"]}",
      "]}"
    ],
    [
      "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"time\":1,\"levels\":[[",
      "{\"px\":\"1.5\",\"sz\":\"1.5\",\"n\":1}",
      "],[]]}}"
    ]
  ],
  dydx: [
    [
      "{\"type\":\"channel_batch_data\",\"connection_id\":\"1\",\"message_id\":1,\"id\":\"BTC-USD\",\"version\":\"1\",\"channel\":\"v4_trades\",\"contents\":[{\"trades\":[",
      "{\"id\":\"1\",\"size\":\"1.5\",\"price\":\"1.5\",\"side\":\"BUY\",\"createdAt\":\"2025-10-28T12:00:00.000Z\",\"type\":\"LIMIT\"}",
      "]}]}"
    ],
    [
      "{\"type\":\"channel_data\",\"connection_id\":\"1\",\"message_id\":1,\"id\":\"BTC-USD\",\"version\":\"1\",\"channel\":\"v4_orderbook\",\"contents\":{\"bids\":[",
      "[\"1.5\",\"1.5\"]",
      "]}}"
    ],
    [
      "{\"type\":\"channel_batch_data\",\"connection_id\":\"1\",\"message_id\":1,\"id\":\"BTC-USD\",\"version\":\"1\",\"channel\":\"v4_orderbook\",\"contents\":[",
      "{\"bids\":[[\"1.5\",\"1.5\"]]}",
      "]}"
    ]
  ]
}

// A list of a venue as long as it may be, good and bad, and once it has learned as many ways to end it as it learns.
const listed = (head: string, element: string, tail: string): Readonly<Record<string, string>> => ({
  good: numbered(head, () => element, tail),
  "with a bad last": numbered(head, () => element, `,{}${tail}`),
  "of exponents": numbered(head, () => element.replaceAll("1.5", "1e999"), tail),
  "of long prices": numbered(head, () => element.replaceAll("1.5", `0.${"7".repeat(400)}`), tail),
  "of empty objects": numbered(head, () => "{}", tail),
  "of empty rows": numbered(head, () => "[]", tail),
  "with another end": numbered(head, () => element, tail.replace(/\}$/, ",\"y\":1}"))
})
const endings = (head: string, element: string, tail: string): ReadonlyArray<string> =>
  Array.from({ length: 20 }, (_, n) => head + element + tail.replace(/\}$/, `,"x${n}":1}`))

/** One giant at one venue: the milliseconds a mebibyte at the usual speed, the best of a few, and what is wrong with the answer, if anything. */
export interface Measured {
  readonly venue: string
  readonly giant: string
  readonly units: number
  readonly millis: number
  readonly wrong: string | undefined
}

const measure = (venue: Venue, giant: string, frame: string, enoughMillis: number): Measured => {
  let wrong: string | undefined
  const mebibytes = Math.max(1, frame.length / mebibyte)
  const millis = MachineSpeed.leastMillis(() => {
    wrong = judge(venue, frame)
  }, { runs: 15, enough: enoughMillis * mebibytes })
  return { venue: venue.name, giant, units: frame.length, millis: millis / mebibytes, wrong }
}

if (import.meta.main) {
  const enoughMillis = Number(process.argv[2] ?? 0)
  const all = Venues.all.flatMap((venue) => [
    ...Object.entries(giants).map(([giant, frame]) => measure(venue, giant, frame, enoughMillis)),
    ...(lists[venue.name] ?? []).flatMap(([head, element, tail], index) => {
      for (const ending of endings(head, element, tail)) venue.decode(ending)
      return Object.entries(listed(head, element, tail)).map(([giant, frame]) =>
        measure(venue, `list ${index} ${giant}`, frame, enoughMillis)
      )
    })
  ])
  process.stdout.write(JSON.stringify(all))
}
