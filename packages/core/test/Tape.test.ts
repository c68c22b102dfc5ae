import { assert, describe, it } from "@effect/vitest"
import * as Tape from "@tickline/core/recording/Tape"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const at = (text: string) => Timestamp.fromIso(text)

const read = (line: string) => Tape.parse(line, 7)

describe("Tape", () => {
  it("a line without a text as `raw` is a frame, whatever it holds", () => {
    for (
      const line of ["{\"a\":1}", "[1]", "not json", "{\"raw\":5}", "{\"raw\":null}", "\"raw\"", "{\"raw\": \"torn"]
    ) {
      assert.deepStrictEqual(read(line), { _tag: "Frame", direction: "in", frame: line })
    }
    const bytes = new Uint8Array([0xff, 0xfe])
    assert.deepStrictEqual(Tape.parse(bytes, 1), { _tag: "Frame", direction: "in", frame: bytes })
  })

  it("a blank line says nothing", () => {
    for (const line of ["", "  ", "\t"]) assert.isUndefined(read(line))
  })

  it("reads each kind of envelope", () => {
    const lines: ReadonlyArray<readonly [string, Tape.Entry]> = [
      [
        `{"id":"a","at":"2026-11-26T12:00:00.250Z","connection":2,"raw":"{\\"x\\":1.10}"}`,
        {
          _tag: "Frame",
          id: "a",
          at: at("2026-11-26T12:00:00.250Z"),
          connection: 2,
          direction: "in",
          frame: "{\"x\":1.10}"
        }
      ],
      [`{"direction":"out","r\\u0061w":"x"}`, { _tag: "Frame", direction: "out", frame: "x" }],
      [`{"kind":"binary","raw":"/wA="}`, { _tag: "Binary", direction: "in", bytes: new Uint8Array([255, 0]) }],
      [
        `{"raw":"","kind":"header","version":1,"venue":"kraken","url":"wss://v","products":["A"],"channels":["book"],"policy":"fast"}`,
        {
          _tag: "Header",
          version: 1,
          venue: "kraken",
          url: "wss://v",
          products: ["A"],
          channels: ["book"],
          policy: "fast"
        }
      ],
      [`{"raw":"","kind":"header","version":1}`, { _tag: "Header", version: 1, products: [], channels: [] }],
      [
        `{"raw":"","kind":"dial","attempt":2,"delayMillis":500}`,
        { _tag: "Dial", attempt: 2, delayMillis: 500 }
      ],
      [`{"raw":"","kind":"open","connection":"b","leg":1}`, { _tag: "Open", connection: "b", leg: 1 }],
      [
        `{"raw":"","kind":"close","code":1006,"reason":"gone","clean":false}`,
        { _tag: "Close", direction: "in", code: 1006, reason: "gone", clean: false }
      ],
      [`{"raw":"p","kind":"ping"}`, { _tag: "Ping", direction: "in", payload: "p" }],
      [`{"raw":"p","kind":"pong","direction":"out"}`, { _tag: "Pong", direction: "out", payload: "p" }],
      [
        `{"raw":"{}","kind":"response","url":"https://v/depth?symbol=A","status":200}`,
        { _tag: "Response", method: "GET", url: "https://v/depth?symbol=A", status: 200, body: "{}" }
      ]
    ]
    for (const [line, entry] of lines) assert.deepStrictEqual(read(line), entry, line)
  })

  it("says which member is wrong, in which line, and what the line says without it", () => {
    const wrong: ReadonlyArray<readonly [string, string, boolean]> = [
      [`{"raw":"x","at":"yesterday"}`, "at", true],
      [`{"raw":"x","at":5}`, "at", true],
      [`{"raw":"x","direction":"up"}`, "direction", true],
      [`{"raw":"x","kind":"smoke"}`, "kind", false],
      [`{"raw":"x","kind":7}`, "kind", false],
      [`{"raw":"%","kind":"binary"}`, "raw", false],
      [`{"raw":"","kind":"header","version":2}`, "version", false],
      [`{"raw":"","kind":"header","version":1,"products":"A"}`, "products", true],
      [`{"raw":"","kind":"close","code":"x"}`, "code", true],
      [`{"raw":"","kind":"close","clean":1}`, "clean", true],
      [`{"raw":"","kind":"close","failure":{"_tag":"Smoke"}}`, "failure", true],
      [`{"raw":"","kind":"response","status":200}`, "url", false],
      [`{"raw":"","kind":"response","url":"https://v"}`, "status", false],
      [`{"raw":"","kind":"dial","attempt":-1}`, "attempt", true]
    ]
    for (const [line, member, isKnown] of wrong) {
      const rejected = read(line)
      assert.instanceOf(rejected, Tape.EntryRejected, line)
      if (!(rejected instanceof Tape.EntryRejected)) continue
      assert.deepStrictEqual([rejected.line, rejected.member], [7, member])
      assert.strictEqual(rejected.entry !== undefined, isKnown, line)
    }
    assert.deepInclude(Tape.frameOf(read(`{"raw":"x","at":"yesterday"}`)), { frame: "x" })
  })

  it("a name keeps its own digits", () => {
    assert.deepInclude(read(`{"raw":"x","id":7.0,"connection":12345678901234567890}`), {
      id: "7.0",
      connection: "12345678901234567890"
    })
    // A long line is read by the other reader.
    const long = JSON.stringify("y".repeat(70_000))
    assert.deepInclude(read(`{"id":12345678901234567890,"connection":3,"raw":${long}}`), {
      id: "12345678901234567890",
      connection: 3
    })
  })

  const letters = ["a", "\"", "\\", "\n", "\r", "\u0000", "\u2028", "é", "\ud83d\ude00", "\ud800", "{", "raw"]
  const text = Effect.gen(function*() {
    let out = ""
    while ((yield* Random.nextIntBetween(0, 5)) > 0) out += yield* Random.choice(letters)
    return out
  })
  const whole = Random.nextIntBetween(0, 1_000_000)
  const direction = Random.choice(["in", "out"] as const)
  const place = Effect.gen(function*(): Effect.fn.Return<Pick<Tape.Entry, "at" | "connection" | "id">, unknown> {
    return {
      ...(yield* Random.nextBoolean) ? { at: Timestamp.fromEpochMillis((yield* whole) * 4_000_000) } : {},
      ...(yield* Random.nextBoolean) ? { connection: yield* text } : { connection: yield* whole },
      ...(yield* Random.nextBoolean) ? { id: yield* text } : {}
    }
  })
  const entries: ReadonlyArray<Effect.Effect<Tape.Entry, unknown>> = [
    Effect.all({ _tag: Effect.succeed("Frame" as const), direction, frame: text }),
    Effect.all({
      _tag: Effect.succeed("Binary" as const),
      direction,
      bytes: Effect.map(text, (text) => new TextEncoder().encode(text))
    }),
    Effect.all({
      _tag: Effect.succeed("Header" as const),
      version: Effect.succeed(1 as const),
      products: Effect.all([text, text]),
      channels: Effect.all([text])
    }),
    Effect.all({ _tag: Effect.succeed("Dial" as const), url: text, attempt: whole, delayMillis: whole }),
    Effect.all({ _tag: Effect.succeed("Open" as const), leg: text }),
    Effect.all({
      _tag: Effect.succeed("Close" as const),
      direction,
      code: whole,
      reason: text,
      clean: Random.nextBoolean
    }),
    Effect.all({ _tag: Random.choice(["Ping", "Pong"] as const), direction, payload: text }),
    Effect.all({ _tag: Effect.succeed("Response" as const), method: text, url: text, status: whole, body: text })
  ]

  it.effect("what is written reads the same, on one line", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 1_000; i++) {
        const entry: Tape.Entry = { ...yield* place, ...yield* yield* Random.choice(entries) }
        const line = Tape.encode(entry)
        assert.notInclude(line, "\n")
        assert.deepStrictEqual(Tape.parse(line, 1), entry)
      }
    }).pipe(Random.withSeed("tape"), Effect.orDie))

  it.effect("reads whatever comes", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 1_000; i++) {
        const line = Tape.encode({ ...yield* place, ...yield* yield* Random.choice(entries) })
        const from = yield* Random.nextIntBetween(0, line.length)
        Tape.parse(line.slice(0, from) + (yield* Random.choice(letters)) + line.slice(from + 1), 1)
      }
    }).pipe(Random.withSeed("torn"), Effect.orDie))
})
