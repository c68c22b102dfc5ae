import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BookFormats from "../src/codec/internal/bookFormats.ts"
import * as Layout from "../src/codec/internal/layout.ts"

/** What reads levels of two strings, and the levels that it has read. */
const ofPairs: Layout.ReadRows = (scanner, isSpaced) => {
  const { segment } = BookFormats.levels({})
  return segment._tag === "Book" ? segment.read(scanner, isSpaced) : assert.fail("no rows of a book")
}
const levelsOf = (rows: object): ReadonlyArray<readonly [Decimal.Decimal, Decimal.Decimal]> =>
  Array.isArray(rows) ? rows : assert.fail("no levels")

/** What a plan hands over, as text. */
const shown = (wanted: number) => (members: Layout.Members): string =>
  [
    ...Array.from({ length: wanted }, (_, i) => Layout.text(members, i) ?? "-"),
    ...members.tables.map((cells) =>
      cells.flatMap((from, i) => i % 2 === 0 ? [members.frame.slice(from, cells[i + 1])] : []).join(",")
    ),
    ...members.lists.map((objects) => objects.map((object) => Layout.text(object, 0) ?? "-").join(",")),
    ...members.books.map((levels) =>
      levelsOf(levels).map(([price, size]) => `${Decimal.format(price)}:${Decimal.format(size)}`).join(",")
    )
  ].join(" ")

const plan = (more: Partial<Layout.Plan<string>>): Layout.Plan<string> => ({
  wanted: [],
  times: [],
  tables: [],
  pinned: ["type"],
  build: shown(more.wanted?.length ?? 0),
  ...more
})

/** What the second frame gives once the first is known. */
const after = (first: string, second: string, by: Layout.Plan<string>): string | undefined => {
  const layouts = Layout.make<string>()
  const json = ExactJson.parse(first)
  assert.isTrue(!(json instanceof ExactJson.Malformed) && ExactJson.isObject(json), first)
  layouts.learn(first, json as ExactJson.JsonObject, by)
  return layouts.read(second)
}

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
    const table = `{"type":"x","rows":[${rows}["3","4"]]}`
    assert.isAbove(table.length, 16_384)
    const short = table.replace(rows, "")
    assert.strictEqual(after(table, short, plan({ tables: [["rows", 2]] })), "3,4")
    assert.strictEqual(after(table, short, plan({ books: [["rows", ofPairs]] })), "3:4")
    const list = table.replaceAll(/\["(\d)","\d"\]/g, "{\"p\":\"$1\"}")
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

  it("reads tables of one, two and three columns, and of rows in parts, next to each other", () => {
    for (const columns of [1, 2, 3]) {
      const row = (from: number): string => `[${Array.from({ length: columns }, (_, i) => `"${from + i}"`).join(",")}]`
      const frame = (...rows: ReadonlyArray<string>): string => `{"type":"x","r":[${rows.join(",")}],"n":1}`
      const by = plan({ tables: [["r", columns]], wanted: ["n"] })
      const cells = (from: number): string => Array.from({ length: columns }, (_, i) => from + i).join(",")
      assert.strictEqual(
        after(frame(row(1)), frame(row(1), row(4), row(7)), by),
        `1 ${cells(1)},${cells(4)},${cells(7)}`
      )
      assert.strictEqual(after(frame(), frame(row(5)), by), `1 ${cells(5)}`)
      for (
        const bad of [
          row(1).slice(0, -1),
          row(1).slice(1),
          row(1).replace("\"1\"", "1"),
          `${row(1)},`,
          row(1).replace("]", ",]")
        ]
      ) {
        assert.isUndefined(after(frame(row(1)), frame(bad), by), bad)
        assert.isUndefined(after(frame(row(1)), frame(row(2), bad), by), bad)
      }
    }
    const parts = plan({ tables: [["r", ["{\"p\":", ",\"q\":\"", "\"}"]]], wanted: ["n"] })
    const frame = (...rows: ReadonlyArray<string>): string => `{"type":"x","r":[${rows.join(",")}],"n":1}`
    const row = (p: string, q: string): string => `{"p":${p},"q":"${q}"}`
    assert.strictEqual(
      after(frame(), frame(row("1.5", "a"), row("-2e+3", ""), row("0E5", "~")), parts),
      "1 1.5,a,-2e+3,,0E5,~"
    )
    for (
      const bad of [
        row("1", "\\n"),
        row("1", "\u001f"),
        row("\"1\"", "a"),
        row("1 ", "a"),
        row("1", "a").replace("p", "P"),
        row("1", "a").slice(0, -1),
        row("1", "a").slice(1),
        row("1", "a").replace("\"}", "}")
      ]
    ) {
      assert.isUndefined(after(frame(), frame(bad), parts), bad)
    }
    // A string may hold any character but a quote, an escape and what is below a space.
    for (const character of " !#[]^~\u007fé") {
      assert.strictEqual(after(frame(), frame(row("1", character)), parts), `1 1,${character}`)
      const table = plan({ tables: [["r", 1]], wanted: ["n"] })
      assert.strictEqual(after(frame(), frame(`["${character}"]`), table), `1 ${character}`)
      for (const bad of ["\u001f", "\u0000", "\\n"]) assert.isUndefined(after(frame(), frame(`["${bad}"]`), table))
    }
    // Python writes a space after each comma and colon.
    const python = (text: string): string => text.replaceAll(/[,:]/g, "$& ")
    for (const by of [parts, plan({ lists: [["r", ["p"]]], wanted: ["n"] })]) {
      const spaced = python(frame(row("1", "a"), row("2", "b"), row("3", "c")))
      assert.strictEqual(after(python(frame(row("7", "z"))), spaced, by), by === parts ? "1 1,a,2,b,3,c" : "1 1,2,3")
      for (const other of ["!", "\u001f", "\t", "  "]) {
        assert.isUndefined(after(python(frame(row("7", "z"))), spaced.replace("}, {", `},${other}{`), by), other)
      }
    }
    // Rows begin and end with their brackets, whatever would fit behind.
    const rows = frame(row("1", "a"))
    for (const other of ["{", " ", "\"", "(", "Z", "\\"]) {
      for (const bracket of ["[{\"p\"", "}],\"n\""]) {
        const at = rows.indexOf(bracket) + (bracket.startsWith("}") ? 1 : 0)
        assert.isUndefined(after(frame(), rows.slice(0, at) + other + rows.slice(at + 1), parts), other)
      }
    }
    // Every character that a number may be made of, and their neighbours.
    for (const character of "-./0123456789:+,eEdDfF*".split("")) {
      const read = after(frame(), frame(row(`1${character}1`, "a")), parts)
      assert.strictEqual(read, /[-./\d+eE]/.test(character) ? `1 1${character}1,a` : undefined, character)
    }
  })

  it("refuses a table, a list and a book that do not begin with their bracket", () => {
    const frame = (table: string, list: string, book: string): string =>
      `{"type":"x","t":${table},"l":${list},"b":${book},"n":1}`
    const [table, list, book] = ["[[\"1\",\"2\"]]", "[{\"p\":\"3\"}]", "[[\"4\",\"5\"]]"]
    const by = plan({ tables: [["t", 2]], lists: [["l", ["p"]]], books: [["b", ofPairs]], wanted: ["n"] })
    assert.strictEqual(after(frame(table, list, book), frame(table, list, book), by), "1 1,2 3 4:5")
    for (const other of ["{", " ", "(", "Z", "]", "\""]) {
      const instead = (text: string): string => other + text.slice(1)
      for (
        const bad of [
          frame(instead(table), list, book),
          frame(table, instead(list), book),
          frame(table, list, instead(book))
        ]
      ) {
        assert.isUndefined(after(frame(table, list, book), bad, by), bad)
      }
    }
  })

  it("reads of rows what JSON reads, or nothing, wherever one character is another, is missing or comes twice", () => {
    const cellsOf = (rows: ReadonlyArray<object>): string =>
      rows.map((row) => Object.values(row).map((cell) => String(cell)).join(",")).join(",")
    const [tables, objects] = ["[[\"1\",\"2\"],[\"3\",\"4\"]]", "[{\"p\":12,\"q\":\"ab\"},{\"p\":34,\"q\":\"\"}]"]
    for (
      const [rows, by] of [
        [tables, { tables: [["r", 2]] }],
        [tables, { books: [["r", ofPairs]] }],
        [objects, { tables: [["r", ["{\"p\":", ",\"q\":\"", "\"}"]]] }],
        [objects, { lists: [["r", ["p"]]] }]
      ] as const
    ) {
      const frame = `{"type":"x","r":${rows},"n":1}`
      const isList = "lists" in by
      const layouts = Layout.make<string>()
      const json = ExactJson.parse(frame)
      if (json instanceof ExactJson.Malformed) continue
      layouts.learn(frame, json as ExactJson.JsonObject, plan({ wanted: ["n"], ...by }))
      let read = 0
      for (const base of [frame, frame.replace(rows, "[]")]) {
        for (let at = 0; at < base.length; at++) {
          const others = [..."{}[]\",:;Z 1\\\u0001"].map((other) => base.slice(0, at) + other + base.slice(at + 1))
          const lengths = [base.slice(0, at) + base.slice(at + 1), base.slice(0, at) + base.slice(at - 1)]
          for (const text of [base, ...others, ...lengths]) {
            const told = layouts.read(text)
            if (told === undefined) continue
            read++
            const { n, r }: { n: number; r: ReadonlyArray<{ p: number }> } = JSON.parse(text)
            const cells = isList ? r.map(({ p }) => p).join(",") : cellsOf(r)
            assert.strictEqual(told.replaceAll(":", ","), `${n} ${cells}`.replaceAll(":", ","), text)
          }
        }
      }
      assert.isAbove(read, frame.length)
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
