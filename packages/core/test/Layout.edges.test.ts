import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Layout from "../src/codec/internal/layout.ts"
import { levelsOf, rowsOf } from "./Layout.rig.ts"

/** What a plan hands over, as text. */
const shown = (wanted: number) => (members: Layout.Members): string =>
  [
    ...Array.from({ length: wanted }, (_, i) => Layout.text(members, i) ?? "-"),
    ...members.lists.map((objects) => objects.map((object) => Layout.text(object, 0) ?? "-").join(",")),
    ...members.books.map((rows) => levelsOf(rows).join(","))
  ].join(" ")

const plan = (more: Partial<Layout.Plan<string>>): Layout.Plan<string> => ({
  wanted: [],
  times: [],
  pinned: ["type"],
  build: shown(more.wanted?.length ?? 0),
  ...more
})

/** The layouts of these frames. */
const learned = (by: Layout.Plan<string>, ...frames: ReadonlyArray<string>): Layout.Layouts<string> => {
  const layouts = Layout.make<string>()
  for (const frame of frames) {
    const json = ExactJson.parse(frame)
    assert.isTrue(!(json instanceof ExactJson.Malformed) && ExactJson.isObject(json), frame)
    layouts.learn(frame, json as ExactJson.JsonObject, by)
  }
  return layouts
}

/** What the second frame gives once the first is known. */
const after = (first: string, second: string, by: Layout.Plan<string>): string | undefined =>
  learned(by, first).read(second)

/** A way of writing the rows of a book: what reads them, a row of a price and a size, and which of its members these are. */
const forms: ReadonlyArray<{
  readonly name: string
  readonly read: Layout.ReadRows
  readonly row: (price: string | number, size: string | number) => string
  readonly cells: readonly [price: string | number, size: string | number]
  readonly isQuoted: boolean
}> = [
  {
    name: "strings",
    read: rowsOf({}),
    row: (price, size) => `["${price}","${size}"]`,
    cells: [0, 1],
    isQuoted: true
  },
  {
    name: "numbers",
    read: rowsOf({ isNumber: true }),
    row: (price, size) => `[${price},${size}]`,
    cells: [0, 1],
    isQuoted: false
  },
  {
    name: "objects",
    read: rowsOf({ price: "p", size: "q", isNumber: true }),
    row: (price, size) => `{"p":${price},"q":${size}}`,
    cells: ["p", "q"],
    isQuoted: false
  },
  {
    name: "actions",
    read: rowsOf({ actions: ["new", "change", "delete"] }),
    row: (price, size) => `["change",${price},${size}]`,
    cells: [1, 2],
    isQuoted: false
  },
  {
    name: "sides",
    read: rowsOf({ bid: "buy", ask: "sell" }),
    row: (price, size) => `["buy","${price}","${size}"]`,
    cells: [1, 2],
    isQuoted: true
  }
]

describe("Layout, at its edges", () => {
  it("learns flat frames of up to 16 KiB, and any with rows", () => {
    const flat = (length: number): string => {
      const [head, tail] = ["{\"type\":\"x\",\"a\":\"", "\"}"]
      return head + "y".repeat(length - head.length - tail.length) + tail
    }
    const wanting = plan({ wanted: ["type"] })
    assert.strictEqual(flat(16_384).length, 16_384)
    assert.isDefined(after(flat(16_384), flat(30), wanting))
    assert.isUndefined(after(flat(16_385), flat(30), wanting))
    const rows = "[\"1\",\"2\"],".repeat(2000)
    const book = `{"type":"x","rows":[${rows}["3","4"]]}`
    assert.isAbove(book.length, 16_384)
    assert.strictEqual(after(book, book.replace(rows, ""), plan({ books: [["rows", rowsOf({})]] })), "3:4")
    const list = book.replaceAll(/\["(\d)","\d"\]/g, "{\"p\":\"$1\"}")
    assert.strictEqual(
      after(list, "{\"type\":\"x\",\"rows\":[{\"p\":\"3\"}]}", plan({ lists: [["rows", ["p"]]] })),
      "3"
    )
  })

  it("learns up to 64 values, the frame and its objects counted, and names of up to 40 characters", () => {
    const members = (many: number): string =>
      `{"type":"x"${Array.from({ length: many }, (_, i) => `,"m${i}":${i}`).join("")}}`
    assert.isDefined(after(members(62), members(62), plan({})))
    assert.isUndefined(after(members(63), members(63), plan({})))
    for (
      const [name, isPlain] of [["n".repeat(40), true], ["n".repeat(41), false], ["a-B_9", true], [
        "a.b",
        false
      ]] as const
    ) {
      const frame = `{"type":"x","${name}":1}`
      assert.strictEqual(after(frame, frame, plan({})) !== undefined, isPlain, name)
    }
  })

  it("hands over each kind of scalar in the plan's order, at any depth", () => {
    const first = "{\"type\":\"x\",\"a\":{\"b\":[1,\"s\",true,null]},\"c\":\"t\"}"
    const wanting = plan({ wanted: ["c", "a.b[2]", "a.b[0]", "a.b[1]", "a.b[3]", "nowhere"] })
    assert.strictEqual(after(first, first, wanting), "t true 1 s - -")
    const second = first.replace("1", "-2.50e3").replace("\"s\"", "\"\"").replace("true", "false").replace(
      "\"t\"",
      "\"u\""
    )
    assert.strictEqual(after(first, second, wanting), "u false -2.50e3  - -")
    assert.isUndefined(after(first, first.replace("true", "1"), wanting))
    assert.isUndefined(after(first, first.replace("true", "\"true\""), wanting))
    assert.isUndefined(after(first, first.replace("null", "0"), wanting))
  })

  it("takes null for a number and a number for null where the plan allows it, wanted or not", () => {
    const wanting = plan({ wanted: ["a"], nullable: true })
    const frame = (a: string, b: string): string => `{"type":"x","a":${a},"b":${b}}`
    for (const [a, b] of [["1", "2"], ["null", "null"]] as const) {
      assert.strictEqual(after(frame(a, b), frame("1.0", "null"), wanting), "1.0")
      assert.strictEqual(after(frame(a, b), frame("null", "7"), wanting), "-")
      assert.isUndefined(after(frame(a, b), frame("true", "7"), wanting))
      assert.isUndefined(after(frame(a, b), frame("1", "\"\""), wanting))
    }
  })

  it("pins a name, or its beginning up to and with the separator", () => {
    const by = plan({ prefixed: [["channel", "."]], wanted: ["n"] })
    const frame = (channel: string): string => `{"type":"x","channel":"${channel}","n":1}`
    assert.strictEqual(after(frame("book.A"), frame("book.B.100ms"), by), "1")
    assert.strictEqual(after(frame("book."), frame("book."), by), "1")
    for (const other of ["book", "books.A", "boo.A", "Book.A", "bookxA", "trades.A"]) {
      assert.isUndefined(after(frame("book.A"), frame(other), by), other)
    }
    assert.isUndefined(after("{\"type\":\"x\",\"channel\":1,\"n\":1}", frame("book.A"), by))
    // A name may hold what a pattern gives a meaning.
    const odd = "{\"type\":\"a+b(c)?[d]{e}|f^g$h*i.j-k/l\",\"n\":1}"
    assert.strictEqual(after(odd, odd, by), "1")
    for (const other of ["a+b", "aab(c)?[d]{e}|f^g$h*i.j-k/l", "a+b(c)?[d]{e}|f^g$h*ixj-k/l"]) {
      assert.isUndefined(after(odd, `{"type":"${other}","n":1}`, by))
    }
  })

  for (const { cells, isQuoted, name, read, row } of forms) {
    const frame = (...rows: ReadonlyArray<string>): string => `{"type":"x","r":[${rows.join(",")}],"n":1}`
    const by = plan({ books: [["r", read]], wanted: ["n"] })

    it(`reads the rows of a book, as many as there are: ${name}`, () => {
      for (const first of [frame(), frame(row(1, 2)), frame(row(1, 2), row(3, 4))]) {
        assert.strictEqual(after(first, frame(), by), "1 ")
        assert.strictEqual(after(first, frame(row("5.0", 6)), by), "1 5.0:6")
        assert.strictEqual(
          after(first, frame(row("1.5", 0), row("-2e+3", "0.00"), row("0E5", "1e-2")), by),
          "1 1.5:0,-2000:0.00,0:0.01"
        )
        const some = row(1, 2)
        for (
          const bad of [
            some.slice(0, -1),
            some.slice(1),
            `${some},`,
            `,${some}`,
            `${some}${some}`,
            `${some},,${some}`,
            `${some.slice(0, -1)},${some.slice(-1)}`,
            `${some.slice(0, 1)},${some.slice(1)}`,
            `${some.slice(0, -1)},3${some.slice(-1)}`,
            some.replaceAll(/[,:]/g, "$& "),
            some.replaceAll(/[,:]/g, " $&"),
            isQuoted ? some.replace("\"1\"", "1") : some.replace("1", "\"1\""),
            isQuoted ? some.replace("\"2\"", "2") : some.replace("2", "\"2\""),
            isQuoted ? some.replace("2\"", "2") : some.replace("2", "2\""),
            row("\\n", 2),
            row(1, "\\u0031"),
            row("", 2),
            row(1, ""),
            row("1 ", 2),
            row(1, " 2"),
            row(1, "\u001f"),
            row("-", 2),
            row(1, "null"),
            "[]",
            "{}",
            "1",
            "null"
          ]
        ) {
          assert.isUndefined(after(first, frame(bad), by), bad)
          assert.isUndefined(after(first, frame(row(3, 4), bad), by), bad)
        }
      }
    })

    it(`reads of a cell what is a decimal: ${name}`, () => {
      // Every character that a number may be made of, their neighbours, and others.
      for (const character of "-./0123456789:+,eEdDfF* !#[]^~\u007fé\u0000\u001f".split("")) {
        for (const cell of [`1${character}1`, `${character}1`, `1${character}`, character]) {
          const expected = Decimal.parse(cell)
          const shownCell = expected === undefined ? undefined : Decimal.format(expected)
          assert.strictEqual(
            after(frame(), frame(row(cell, 2)), by),
            shownCell === undefined ? undefined : `1 ${shownCell}:2`,
            cell
          )
          assert.strictEqual(
            after(frame(), frame(row(2, cell)), by),
            shownCell === undefined ? undefined : `1 2:${shownCell}`,
            cell
          )
        }
      }
    })

    it(`reads rows as Python writes them, with a space after each comma and colon: ${name}`, () => {
      const python = (text: string): string => text.replaceAll(/[,:]/g, "$& ")
      const spaced = python(frame(row(1, 2), row(3, 4), row(5, 6)))
      for (const first of [python(frame()), python(frame(row(7, 8)))]) {
        assert.strictEqual(after(first, spaced, by), "1 1:2,3:4,5:6")
        const [open, close] = [row(1, 2).slice(0, 1), row(1, 2).slice(-1)]
        for (const other of ["", "!", "\u001f", "\t", "  "]) {
          const between = spaced.replace(`${close}, ${open}`, `${close},${other}${open}`)
          const within = python(frame(row(1, 2))).replace(python(row(1, 2)), python(row(1, 2)).replaceAll(" ", other))
          for (const bad of [between, within]) {
            assert.notStrictEqual(bad, spaced)
            assert.isUndefined(after(first, bad, by), bad)
          }
        }
      }
      assert.isUndefined(after(frame(), spaced, by))
      assert.isUndefined(after(python(frame()), frame(row(1, 2)), by))
    })

    it(`rows begin and end with their brackets, whatever would fit behind: ${name}`, () => {
      const rows = frame(row(1, 2))
      const [start, end] = [rows.indexOf("\"r\":") + 4, rows.indexOf(",\"n\"") - 1]
      for (const at of [start, start + 1, end - 1, end]) {
        for (const other of ["{", "}", "[", "]", "(", " ", "\"", "Z", "\\", ","]) {
          if (rows[at] === other) continue
          const bad = rows.slice(0, at) + other + rows.slice(at + 1)
          assert.isUndefined(after(frame(), bad, by), bad)
          assert.isUndefined(after(rows, bad, by), bad)
        }
      }
    })

    it(`reads what JSON reads, or nothing, wherever one character is another, is missing or comes twice: ${name}`, () => {
      const written = (rows: string, more: string): string =>
        `{"type":"x","a":"1","r":${rows},"b":2,"l":[{"p":3},{"p":45}],"s":${more},"c":true}`
      const whole = written(`[${row(12, 30)},${row("0.5", 4)}]`, `[${row(6, 7)}]`)
      const layouts = learned(
        plan({ books: [["s", read], ["r", read]], lists: [["l", ["p"]]], wanted: ["a", "b", "c"] }),
        whole
      )
      const textOf = (json: unknown): string => json instanceof ExactJson.JsonNumber ? json.text : String(json)
      const decimalOf = (json: unknown): string =>
        Decimal.format(Decimal.parse(textOf(json)) ?? assert.fail(textOf(json)))
      const meaningOf = (text: string): string => {
        const json = ExactJson.parse(text)
        if (json instanceof ExactJson.Malformed) return "no JSON"
        const { a, b, c, l, r, s } = json as Record<string, ReadonlyArray<Record<string | number, unknown>>>
        const book = (rows: typeof r): string =>
          (rows ?? []).map((row) => cells.map((cell) => decimalOf(row[cell])).join(":")).join(",")
        return [...[a, b, c].map(textOf), (l ?? []).map(({ p }) => textOf(p)).join(","), book(s), book(r)].join(" ")
      }
      assert.strictEqual(layouts.read(whole), "1 2 true 3,45 6:7 12:30,0.5:4")
      let count = 0
      for (const base of [whole, written("[]", `[${row(6, 7)}]`), written(`[${row(12, 30)}]`, "[]")]) {
        for (let at = 0; at < base.length; at++) {
          const others = [..."{}[]\",:;Z 10.-e\\\u0001"].map((other) => base.slice(0, at) + other + base.slice(at + 1))
          const lengths = [
            base.slice(0, at) + base.slice(at + 1),
            base.slice(0, at) + base.slice(at - 1),
            base.slice(0, at)
          ]
          for (const text of [...others, ...lengths, base]) {
            const read = layouts.read(text)
            if (read === undefined) {
              assert.notStrictEqual(text, base)
              continue
            }
            count++
            assert.strictEqual(read, meaningOf(text), text)
          }
        }
      }
      assert.isAbove(count, whole.length)
    })
  }

  it("reads a word of a row whatever it holds, but a quote, an escape and what is below a space", () => {
    const frame = (...rows: ReadonlyArray<string>): string => `{"type":"x","r":[${rows.join(",")}],"n":1}`
    for (const character of " !#[]^~\u007fé,\u0000\u001f\"\\") {
      const isRead = character >= " " && character !== "\"" && character !== "\\"
      const ofActions = plan({ books: [["r", rowsOf({ actions: ["new", character] })]], wanted: ["n"] })
      const action = frame("[\"new\",1,2]", `["${character}",3,4]`)
      assert.strictEqual(after(frame(), action, ofActions), isRead ? "1 1:2,3:4" : undefined, character)
      const ofSides = plan({ books: [["r", rowsOf({ bid: "buy", ask: character })]], wanted: ["n"] })
      const side = frame(`["${character}","3","4"]`, "[\"buy\",\"1\",\"2\"]")
      assert.strictEqual(after(frame(), side, ofSides), isRead ? "1 1:2,3:4" : undefined, character)
    }
  })

  it("reads a list as Python writes it, with a space after each comma and colon", () => {
    const python = (...prices: ReadonlyArray<number>): string =>
      `{"type": "x", "r": [${prices.map((price) => `{"p": ${price}, "q": "a"}`).join(", ")}], "n": 1}`
    const by = plan({ lists: [["r", ["p"]]], wanted: ["n"] })
    assert.strictEqual(after(python(7), python(1, 2, 3), by), "1 1,2,3")
    for (const other of ["!", "\u001f", "\t", "  "]) {
      assert.isUndefined(after(python(7), python(1, 2, 3).replace("}, {", `},${other}{`), by), other)
    }
  })

  it("refuses books and lists that do not begin with their bracket", () => {
    const frame = (levels: string, list: string, book: string): string =>
      `{"type":"x","t":${levels},"l":${list},"b":${book},"n":1}`
    const [levels, list, book] = ["[[\"new\",1,2]]", "[{\"p\":\"3\"}]", "[[\"4\",\"5\"]]"]
    const by = plan({
      lists: [["l", ["p"]]],
      books: [["t", rowsOf({ actions: ["new"] })], ["b", rowsOf({})]],
      wanted: ["n"]
    })
    assert.strictEqual(after(frame(levels, list, book), frame(levels, list, book), by), "1 3 1:2 4:5")
    for (const other of ["{", " ", "(", "Z", "]", "\""]) {
      const instead = (text: string): string => other + text.slice(1)
      for (
        const bad of [
          frame(instead(levels), list, book),
          frame(levels, instead(list), book),
          frame(levels, list, instead(book))
        ]
      ) {
        assert.isUndefined(after(frame(levels, list, book), bad, by), bad)
      }
    }
  })

  it("hands over a frame's own members before, between and after its books, whichever failed before it", () => {
    const by = plan({
      wanted: ["a", "b", "c", "t"],
      times: ["t"],
      nullable: true,
      books: [["r", rowsOf({})], ["s", rowsOf({ isNumber: true })]],
      build: (members) => `${shown(3)(members)} ${String(Layout.timestamp(members, 3) ?? "-")}`
    })
    const frame = (a: string, r: string, t: string, b: string, s: string, c: string): string =>
      `{"type":"x","a":${a},"r":${r},"t":${t},"b":${b},"s":${s},"c":${c}}`
    const [r, s, t] = ["[[\"1\",\"2\"]]", "[[3,4]]", "\"2024-01-02T03:04:05.6Z\""]
    // Two that begin alike, one that has no member between its books, and one that has its own type.
    const layouts = learned(
      by,
      frame("1", r, t, "2", s, "3"),
      frame("1", r, t, "\"2\"", s, "3"),
      `{"type":"x","a":1,"r":${r},"s":${s},"c":3}`,
      frame("1", r, t, "2", s, "3").replace("\"x\"", "\"y\"")
    )
    const good = [
      [frame("1", r, t, "2", s, "3"), "1 2 3 1:2 3:4 2024-01-02T03:04:05.6Z"],
      [frame("null", "[]", t.replace(".6", ""), "null", "[]", "null"), "- - -   2024-01-02T03:04:05Z"],
      [frame("11", r, t, "\"12\"", s, "13"), "11 12 13 1:2 3:4 2024-01-02T03:04:05.6Z"],
      [frame("null", r, t, "\"\"", "[]", "null"), "-  - 1:2  2024-01-02T03:04:05.6Z"],
      [`{"type":"x","a":21,"r":${r},"s":[],"c":null}`, "21 - - 1:2  -"],
      [`{"type":"x","a":null,"r":[],"s":${s},"c":23}`, "- - 23  3:4 -"],
      [frame("null", r, t, "32", s, "33").replace("\"x\"", "\"y\""), "- 32 33 1:2 3:4 2024-01-02T03:04:05.6Z"]
    ] as const
    const bad = [
      frame("\"91\"", r, t, "92", s, "93"),
      frame("91", "[[\"1\"]]", t, "92", s, "93"),
      frame("91", r, "\"noon\"", "92", s, "93"),
      frame("91", r, t, "true", s, "93"),
      frame("91", r, t, "92", "[[\"3\",\"4\"]]", "93"),
      frame("91", r, t, "\"92\"", "[[3]]", "93"),
      frame("91", r, t, "92", s, "\"93\""),
      `${frame("91", r, t, "92", s, "93")} `,
      `{"type":"x","a":91,"r":${r},"s":${s},"c":false}`
    ]
    for (const failing of bad) {
      for (const first of good) {
        for (const second of good) {
          for (const [text, expected] of [first, second, first]) {
            assert.isUndefined(layouts.read(failing), failing)
            assert.strictEqual(layouts.read(text), expected, `${text} after ${failing}`)
            assert.strictEqual(layouts.read(text), expected, `${text} again after ${failing}`)
          }
        }
      }
    }
  })

  it("puts what often comes before what seldom does, and loses none", () => {
    const layouts = Layout.make<string>()
    const kinds = Array.from({ length: 5 }, (_, i) => `{"type":"t${i}","n":${i}}`)
    for (const frame of kinds) {
      layouts.learn(frame, ExactJson.parse(frame) as ExactJson.JsonObject, plan({ wanted: ["n"] }))
    }
    for (let time = 0; time < 3; time++) {
      for (const [i, frame] of kinds.toReversed().entries()) assert.strictEqual(layouts.read(frame), String(4 - i))
      for (const [i, frame] of kinds.entries()) assert.strictEqual(layouts.read(frame), String(i))
    }
  })

  it("reads a time where it stands, and says where a text is none", () => {
    const time = (by: Partial<Layout.Plan<string>>) =>
      plan({
        wanted: ["t", "u"],
        times: ["t", "u"],
        build: (members) => [0, 1].map((i) => String(Layout.timestamp(members, i) ?? "none")).join(" "),
        ...by
      })
    const frame = (t: string, u: string): string => `{"type":"x","t":${t},"u":${u}}`
    const some = frame("\"2024-01-02T03:04:05.6Z\"", "\"2023-12-31T23:59:59Z\"")
    assert.strictEqual(after(some, some, time({})), "2024-01-02T03:04:05.6Z 2023-12-31T23:59:59Z")
    const other = frame("\"2020-02-29T00:00:00Z\"", "\"2021-02-29T00:00:00.123456789Z\"")
    assert.strictEqual(after(some, other, time({})), "2020-02-29T00:00:00Z none")
    const numbers = frame("1700000000123", "1700000000")
    assert.strictEqual(after(numbers, numbers, time({})), "2023-11-14T22:13:20.123Z 2023-11-14T22:13:20Z")
    // A time that the plan does not know as one is a text like any other.
    assert.strictEqual(after(some, some, time({ times: [] })), "2024-01-02T03:04:05.6Z 2023-12-31T23:59:59Z")
  })

  it("reads decimals, and tells one that is none from one that is absent", () => {
    const by = plan({
      wanted: ["a", "b"],
      build: (members) =>
        [0, 1].map((i) => {
          const decimal = Layout.decimal(members, i)
          return decimal === undefined ? "absent" : decimal === null ? "none" : Decimal.format(decimal)
        }).join(" ")
    })
    assert.strictEqual(
      after("{\"type\":\"x\",\"a\":\"1\"}", "{\"type\":\"x\",\"a\":\"1.50\"}", by),
      "1.50 absent"
    )
    assert.strictEqual(
      after("{\"type\":\"x\",\"a\":\"1\",\"b\":1}", "{\"type\":\"x\",\"a\":\"\",\"b\":2}", by),
      "none 2"
    )
  })
})
