import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as DialError from "@tickline/core/transport/DialError"
import * as Transport from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Printable from "@tickline/core/value/Printable"
import * as EscapedText from "../src/value/internal/escapedText.ts"

/** Each of these moves the cursor, reorders or hides text, or shows as nothing. */
const hidden = {
  "C0": [0x00, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b, 0x1f],
  "DEL and C1": [0x7f, 0x80, 0x85, 0x9b, 0x9d, 0x9f],
  "bidirectional controls": [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2069],
  "zero-width characters": [0x00ad, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0xfeff, 0x180e, 0x034f],
  "separators": [0x2028, 0x2029],
  "lone surrogates": [0xd800, 0xdbff, 0xdc00, 0xdfff],
  "variation selectors and tags": [0xfe00, 0xfe0f, 0xe0100, 0xe0001, 0xe0041, 0xe007f],
  "fillers": [0x115f, 0x3164, 0xffa0],
  "noncharacters and private use": [0xfffe, 0xfdd0, 0xe000, 0x10fffe]
}

const units = (text: string) =>
  Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("")

describe("what a peer sent, to be shown", () => {
  for (const [kind, points] of Object.entries(hidden)) {
    it(`escapes ${kind}`, () => {
      for (const point of points) {
        const text = String.fromCodePoint(point)
        assert.strictEqual(Printable.escape(`a${text}b`), `a${units(text)}b`)
        assert.isFalse(EscapedText.isPrintable(text))
      }
    })
  }

  it("leaves what can be seen as it is", () => {
    for (
      const text of ["", "BTC-USD", "a b\\c\"", "Zürich é", "東京 ビットコイン", "한국", "₿ 😀", "שלום", "e\u0301"]
    ) {
      assert.strictEqual(Printable.escape(text), text)
      assert.isTrue(EscapedText.isPrintable(text))
    }
  })

  it("escapes marks that would sit on our own text, or reach over other lines", () => {
    assert.strictEqual(Printable.escape("\u0301a"), "\\u0301a")
    assert.strictEqual(Printable.escape("= \u0301\u0302"), "= \\u0301\\u0302")
    assert.strictEqual(Printable.escape(`a${"\u0301".repeat(3)}`), `a${"\u0301".repeat(3)}`)
    assert.strictEqual(Printable.escape(`a${"\u0301".repeat(4)}`), `a${"\\u0301".repeat(4)}`)
  })

  it("changes the spelling of a JSON text only", () => {
    const value = { "a\u202e": ["\u0085\u2028", "\ud800", "\u{e0041}", "\u001b[2J", "e\u0301 \u0301"] }
    const text = Printable.escape(JSON.stringify(value))
    assert.deepStrictEqual(JSON.parse(text), value)
    assert.isTrue(EscapedText.isPrintable(text))
  })

  it("is the same applied twice, and does not take long over a long text", () => {
    const text = `${"\u0301".repeat(500_000)}${"a\u202e".repeat(200_000)}`
    const once = Printable.escape(text)
    assert.strictEqual(Printable.escape(once), once)
  })

  it("cuts to so many characters, never within an escape or a pair", () => {
    assert.strictEqual(Printable.cut("abc", 3), "abc")
    assert.strictEqual(Printable.cut("abcd", 3), "abc")
    assert.strictEqual(Printable.cut("ab\u001b", 8), "ab\\u001b")
    for (let length = 2; length < 8; length++) assert.strictEqual(Printable.cut("ab\u001b", length), "ab")
    assert.strictEqual(Printable.cut("a😀", 2), "a")
    assert.strictEqual(Printable.cut("\u0000😀😀", 9), "\\u0000😀")
  })

  it("cuts before a pair that would not fit whole, and nowhere else", () => {
    for (const pair of ["\u{10000}", "\u{2f81a}", "\u{3fff}\u{4000}"]) {
      assert.strictEqual(Printable.cut(`a${pair}`, 3), `a${pair}`)
      assert.strictEqual(Printable.cut(`a${pair}b`, 3), `a${pair}`)
    }
    assert.strictEqual(Printable.cut("a\u{10000}b", 2), "a")
    assert.strictEqual(Printable.cut("a\u{2f81a}b", 2), "a")
    assert.strictEqual(Printable.cut("ab\ud800", 8), "ab\\ud800")
    assert.strictEqual(Printable.cut("a\\", 2), "a\\")
    assert.strictEqual(Printable.cut("abc", 0), "")
  })

  it("quotes 64 characters, and says where there were more", () => {
    const letters = (many: number) => "a".repeat(many)
    const quotes: ReadonlyArray<readonly [input: string, quote: string]> = [
      ["", "``"],
      ["a`b", "`a'b`"],
      [letters(64), `\`${letters(64)}\``],
      [letters(65), `\`${letters(64)}…\``],
      [letters(1_000), `\`${letters(64)}…\``],
      [`${letters(58)}\n`, `\`${letters(58)}\\u000a\``],
      [`${letters(59)}\n`, `\`${letters(59)}…\``],
      [`${letters(62)}😀`, `\`${letters(62)}😀\``],
      [`${letters(63)}😀`, `\`${letters(63)}…\``]
    ]
    for (const [input, quote] of quotes) assert.strictEqual(EscapedText.quote(input), quote)
  })

  it("escapes the texts of a record, and leaves all else", () => {
    assert.deepStrictEqual(EscapedText.fields({ reason: "a\n", attempt: 3, last: undefined, is: true }), {
      reason: "a\\u000a",
      attempt: 3,
      last: undefined,
      is: true
    })
  })

  it("no error's message shows it raw", () => {
    const detail = "a\u202e\u009b\n"
    const closed = new Transport.WireClosed({ by: "peer", code: 4000, reason: detail })
    const errors: ReadonlyArray<{ readonly message: string }> = [
      closed,
      new ConnectError.Dropped({ epoch: 1, closed }),
      new ConnectError.AuthError({ detail }),
      new ConnectError.RestoreFailed({ epoch: 1, detail }),
      new DialError.HandshakeRejected({ status: 403, detail }),
      new DialError.TlsFailed({ detail }),
      new DialError.Unreachable({ detail }),
      new ConnectError.SubscriptionRefused({ channel: Channel.make(detail, detail), reason: detail }),
      Rejection.frameRejected("v", "InvalidField", detail, detail)
    ]
    for (const { message } of errors) assert.isTrue(EscapedText.isPrintable(message), message)
  })
})
