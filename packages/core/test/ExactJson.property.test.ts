/**
 * Random frames against an independent reader. The seed is fixed;
 * `TICKLINE_SEED` replays another one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Messages from "@tickline/core/venue/coinbase-exchange/Messages"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as ParserLimits from "../src/codec/internal/parserLimits.ts"
import * as DecimalText from "../src/value/internal/decimal.ts"
import { expand, plain, reference, referenceAccepts } from "./ExactJson.reference.ts"

const seed = Number(process.env["TICKLINE_SEED"] ?? "20251028")

/** A small generator of random numbers (mulberry32), the same on every machine. */
const random = (from: number): () => number => {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

class Dice {
  readonly next: () => number

  constructor(from: number) {
    this.next = random(from)
  }

  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  pick<A>(choices: ReadonlyArray<A>): A {
    const choice = choices[this.below(choices.length)]
    assert.isDefined(choice)
    return choice
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => String(this.below(10))).join("")
  }

  /** A JSON number of up to 40 digits, perhaps with trailing zeros and an exponent. */
  token(): string {
    const whole = this.next() < 0.3 ? "0" : `${1 + this.below(9)}${this.digits(this.below(20))}`
    const fraction = this.next() < 0.3
      ? ""
      : `.${this.digits(1 + this.below(14))}${"0".repeat(this.below(6))}`
    const exponent = this.next() < 0.7
      ? ""
      : this.pick(["e", "E"]) + this.pick(["", "+", "-"]) + String(this.below(this.next() < 0.1 ? 420 : 30))
    return (this.next() < 0.15 ? "-" : "") + whole + fraction + exponent
  }

  space(): string {
    return this.next() < 0.85 ? "" : this.pick([" ", "\n", "\t", "\r\n", "  "])
  }

  /**
   * The text of a string or name. No name is a backslash: once an object with
   * such a member exists, V8's `JSON.parse` (Node 24.21) reads the name
   * `"\u0041"` as a backslash, and the reference would be wrong.
   */
  name(): string {
    return this.pick(["", "a", "price", "BTC-USD", "é", "\\u0041", "\\\"price\\\":1", "\\ud83d", "{[,:]}", "1.50"])
  }

  text(): string {
    return this.next() < 0.9 ? this.name() : "\\\\"
  }

  value(depth: number): string {
    const kind = this.below(depth > 4 ? 5 : 8)
    if (kind < 3) return this.token()
    if (kind === 3) return `"${this.text()}"`
    if (kind === 4) return this.pick(["true", "false", "null"])
    const parts = Array.from({ length: this.below(5) }, () =>
      kind === 5
        ? this.space() + this.value(depth + 1) + this.space()
        : `${this.space()}"${this.pick(["price", "size", "__proto__", "a", "1", this.name()])}"${this.space()}:` +
          this.space() + this.value(depth + 1) + this.space())
    return kind === 5 ? `[${parts.join(",")}]` : `{${parts.join(",")}}`
  }

  /** The text with a few characters changed, dropped or doubled. */
  mutate(text: string): string {
    let out = text
    for (let i = 0; i <= this.below(3); i++) {
      const at = this.below(out.length + 1)
      out = out.slice(0, at) + this.pick(["", "\"", ",", "}", "]", "0", "e", ".", "-", "\\", "\u0000", " ", "null"]) +
        out.slice(at + this.below(3))
    }
    return out
  }
}

const depthOf = (text: string): number => {
  let depth = 0
  let deepest = 0
  for (const character of text) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth)
    if (character === "]" || character === "}") depth--
  }
  return deepest
}

const replay = (run: number): string => `replay with TICKLINE_SEED=${seed}, run ${run}`

describe("ExactJson (properties)", () => {
  it("reads random documents as the reference does", () => {
    const dice = new Dice(seed)
    for (let run = 0; run < 2000; run++) {
      const text = dice.space() + dice.value(0) + dice.space()
      const json = ExactJson.parse(text)
      assert.notInstanceOf(json, ExactJson.Malformed, `${replay(run)}: ${text}`)
      assert.deepStrictEqual(plain(json as ExactJson.Json), reference(text), `${replay(run)}: ${text}`)
    }
  })

  it("accepts of mutated documents exactly what JSON.parse accepts", () => {
    const dice = new Dice(seed + 1)
    let accepted = 0
    let refused = 0
    for (let run = 0; run < 8000; run++) {
      const text = dice.mutate(dice.value(0))
      assert.isBelow(depthOf(text), ParserLimits.maxDepth)
      const json = ExactJson.parse(text)
      const ours = !(json instanceof ExactJson.Malformed)
      if (ours !== referenceAccepts(text)) assert.fail(`${replay(run)}: ${JSON.stringify(text)}`)
      if (ours) assert.deepStrictEqual(plain(json), reference(text), `${replay(run)}: ${text}`)
      if (ours) accepted++
      else refused++
    }
    // Both outcomes must have been tried, or the property says little.
    assert.isAbove(accepted, 800)
    assert.isAbove(refused, 800)
  })

  it("prints decimals as a digit-by-digit expansion does, and reads its own print", () => {
    const dice = new Dice(seed + 2)
    for (let run = 0; run < 8000; run++) {
      const token = dice.token()
      const decimal = Decimal.parse(token)
      assert.isDefined(decimal, `${replay(run)}: ${token}`)
      const printed = Decimal.format(decimal)
      // The expansion keeps a zero whole part such as `000`; ours is one zero.
      if (printed !== expand(token)) assert.strictEqual(printed, expand(token), `${replay(run)}: ${token}`)
      const again = Decimal.parse(printed)
      assert.strictEqual(again === undefined ? undefined : Decimal.format(again), printed)
    }
  })

  it("refuses mutated tokens unless they are JSON numbers", () => {
    const dice = new Dice(seed + 3)
    for (let run = 0; run < 8000; run++) {
      const token = dice.mutate(dice.token())
      const isNumber = /^[-0-9]/.test(token) && /[0-9]$/.test(token) && referenceAccepts(token) &&
        typeof JSON.parse(token) === "number"
      if ((Decimal.parse(token) !== undefined) !== isNumber) {
        // Only length may part them.
        assert.isTrue(
          isNumber && DecimalText.refusal(token) !== "not a number",
          `${replay(run)}: ${JSON.stringify(token)}`
        )
      }
    }
  })
})

const print = (venue: Venue, frame: string): string => {
  const decoded = venue.decode(frame)
  return Rejection.isFrameRejected(decoded)
    ? Ndjson.toJson(decoded)
    : decoded.map((event) => Ndjson.toJson(event)).join("\n")
}

/** A frame of a kind, its members in the venue's order or in any, with random numbers in it. */
const randomFrame = (dice: Dice): string => {
  const price = `"${dice.next() < 0.9 ? dice.token() : dice.text()}"`
  const size = `"${dice.token()}"`
  const id = dice.next() < 0.8 ? String(dice.below(1e9)) : dice.token()
  const time = `"20${dice.pick(["21", "24"])}-0${dice.below(10)}-2${dice.below(10)}T1${dice.below(10)}:43:29.${
    dice.digits(1 + dice.below(11))
  }Z"`
  const side = dice.pick(["\"buy\"", "\"sell\"", "\"buy\"", "\"sell\"", "\"bid\"", "null"])
  const rows = (columns: number): string =>
    `[${
      Array.from({ length: dice.below(4) }, () =>
        `[${(columns === 3 ? [side] : []).concat(`"${dice.token()}"`, `"${dice.token()}"`).join(",")}]`).join(",")
    }]`
  const members: ReadonlyArray<readonly [string, string]> = dice.pick([
    [
      ["type", "\"match\""],
      ["trade_id", id],
      ["side", side],
      ["size", size],
      ["price", price],
      [
        "product_id",
        "\"A-B\""
      ],
      ["sequence", id],
      ["time", time]
    ],
    [["type", "\"ticker\""], ["sequence", id], ["product_id", "\"A-B\""], ["price", price], ["best_bid", size], [
      "time",
      time
    ]],
    [["type", "\"l2update\""], ["product_id", "\"A-B\""], ["changes", rows(3)], ["time", time]],
    [["type", "\"snapshot\""], ["product_id", "\"A-B\""], ["asks", rows(2)], ["bids", rows(2)]],
    [["product_id", "\"A-B\""], ["price", dice.pick([price, dice.token()])], ["timestamp", time]]
  ])
  const order = dice.next() < 0.8 ? members : [...members].sort(() => dice.next() - 0.5)
  const colon = dice.next() < 0.9 ? ":" : ": "
  const text = `{${order.map(([name, value]) => `"${name}"${colon}${value}`).join(dice.next() < 0.9 ? "," : ", ")}}`
  return dice.next() < 0.85 ? text : dice.mutate(text)
}

describe("Layouts (properties)", () => {
  const exchange = (): Venue => ({ ...CoinbaseExchange.venue, ...Messages.make() })
  for (const make of [exchange, Generic.make]) {
    it(`${make().name} reads a frame on a known layout as it reads it exactly`, () => {
      const dice = new Dice(seed + 4)
      const known = make()
      let rejected = 0
      for (let run = 0; run < 5000; run++) {
        const frame = randomFrame(dice)
        const exact = print(make(), frame)
        const fast = print(known, frame)
        if (exact.startsWith("{\"_tag\":\"FrameRejected\"")) rejected++
        if (fast !== exact) assert.strictEqual(fast, exact, `${replay(run)}: ${frame}`)
      }
      assert.isAbove(rejected, 250)
      assert.isBelow(rejected, 4750)
    })
  }

  it("keeps every number of a generic message, on a known layout or not", () => {
    const dice = new Dice(seed + 5)
    const known = Generic.make()
    for (let run = 0; run < 5000; run++) {
      const token = dice.token().replace(/^-/, "")
      if (!/[1-9]/.test(token.split(/e/i)[0] ?? "")) continue
      const frame = `{"product_id":"X","price":${token},"timestamp":1761652800}`
      assert.deepInclude(JSON.parse(print(known, frame)), { _tag: "PriceUpdate", price: expand(token) }, replay(run))
    }
  })
})
