import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Layout from "../src/codec/internal/layout.ts"
import { levelsOf, rowsOf } from "./Layout.rig.ts"

/** Hands over everything that was captured. */
interface Captured {
  readonly a: string | undefined
  readonly b: string | undefined
  readonly t: string | undefined | null
  readonly levels: ReadonlyArray<string>
}

const plan: Layout.Plan<Captured> = {
  wanted: ["a", "b", "t"],
  times: ["t"],
  books: [["rows", rowsOf({})]],
  pinned: ["type"],
  build: (members) => {
    const time = Layout.timestamp(members, 2)
    return {
      a: Layout.text(members, 0),
      b: Layout.text(members, 1),
      t: time === undefined || time === null ? time : String(time),
      levels: members.books.flatMap(levelsOf)
    }
  }
}

const learned = (...frames: ReadonlyArray<string>): Layout.Layouts<Captured> => {
  const layouts = Layout.make<Captured>()
  for (const frame of frames) {
    const json = ExactJson.parse(frame)
    assert.isTrue(!(json instanceof ExactJson.Malformed) && ExactJson.isObject(json), frame)
    layouts.learn(frame, json as ExactJson.JsonObject, plan)
  }
  return layouts
}

const captured = (members: Partial<Captured>): Captured => ({
  a: undefined,
  b: undefined,
  t: undefined,
  levels: [],
  ...members
})

describe("Layout", () => {
  const flat = "{\"type\":\"x\",\"a\":\"1\",\"skipped\":\"s\",\"b\":1,\"n\":2,\"ok\":true,\"none\":null}"

  it("captures the members' own texts", () => {
    const layouts = learned(flat)
    const frame =
      "{\"type\":\"x\",\"a\":\"1.50\",\"skipped\":\"é😀\u2028\",\"b\":-1.0e-8,\"n\":0,\"ok\":false,\"none\":null}"
    assert.deepStrictEqual(layouts.read(frame), captured({ a: "1.50", b: "-1.0e-8" }))
  })

  it("reads nothing of a frame that is laid out in another way", () => {
    const layouts = learned(flat)
    assert.isDefined(layouts.read(flat))
    for (
      const other of [
        flat.replace("\"x\"", "\"y\""),
        flat.replace("\"b\":1", "\"b\":\"1\""),
        flat.replace("\"none\":null", "\"none\":1"),
        flat.replace("\"n\":2,", ""),
        flat.replace("\"n\":2", "\"n\":2,\"n\":3"),
        flat.replace("\"n\":2", "\"m\":2"),
        flat.replace(":", ": "),
        ` ${flat}`,
        `${flat} `,
        `${flat}\n`,
        `${flat}{`,
        flat.slice(0, -1),
        // What is no JSON is no frame of the layout, in wanted members and in others.
        flat.replace("\"b\":1", "\"b\":01"),
        flat.replace("\"b\":1", "\"b\":+1"),
        flat.replace("\"b\":1", "\"b\":1."),
        flat.replace("\"n\":2", "\"n\":02"),
        flat.replace("\"n\":2", "\"n\":"),
        flat.replace("\"s\"", "\"\u0001\""),
        flat.replace("\"s\"", "\"\n\""),
        flat.replace("\"1\"", "\"\u001f\""),
        flat.replace("\"s\"", "\"\\q\""),
        // Escapes are JSON, but their text is not their value.
        flat.replace("\"1\"", "\"\\u0031\""),
        flat.replace("\"1\"", "\"\\\"\"")
      ]
    ) {
      assert.notStrictEqual(other, flat)
      assert.isUndefined(layouts.read(other), other)
    }
  })

  it("does not learn what it could not read again", () => {
    for (
      const frame of [
        "{\"type\":\"x\",\"a\":{\"b\":1}}",
        "{\"type\":\"x\",\"a\":[1]}",
        "{\"type\":\"x\",\"a\":\"\\u0031\"}",
        "{\"type\":\"x\",\"a\":\"1\",\"a\":\"2\"}",
        "{\"type\":1,\"a\":\"1\"}",
        "{\"type\":\"x\",\"a b\":\"1\"}",
        "{\"type\" : \"x\"}",
        "{\"type\":\"x\",\"2\":1,\"1\":1}",
        "{\"type\":\"x\",\"rows\":[[\"1\"]]}",
        "{\"type\":\"x\",\"rows\":[[\"1\",\"x\"]]}",
        `{"type":"x"${Array.from({ length: 80 }, (_, i) => `,"m${i}":1`).join("")}}`
      ]
    ) {
      assert.isUndefined(learned(frame).read(frame), frame)
    }
  })

  it("knows the spaces that Python writes", () => {
    const frame = "{\"type\": \"x\", \"a\": \"1\", \"b\": 2.0}"
    assert.deepStrictEqual(learned(frame).read(frame), captured({ a: "1", b: "2.0" }))
  })

  it("reads times, in parts where they are UTC", () => {
    const frame = (time: string): string => `{"type":"x","t":${time}}`
    const read = (time: string, first: string): unknown => {
      const result = learned(frame(first)).read(frame(time))
      return result === undefined ? "not read" : result.t
    }
    const utc = "\"2024-02-29T00:00:00.10Z\""
    assert.strictEqual(read(utc, utc), "2024-02-29T00:00:00.10Z")
    assert.strictEqual(read("\"2024-03-01T00:00:00Z\"", utc), "2024-03-01T00:00:00Z")
    assert.isNull(read("\"2023-02-29T00:00:00Z\"", utc))
    assert.strictEqual(read("\"2024-02-29T00:00:00+01:00\"", utc), "not read")
    const offset = "\"2024-02-29T00:00:00+01:00\""
    assert.strictEqual(read(offset, offset), "2024-02-28T23:00:00Z")
    assert.isNull(read("\"noon\"", offset))
    assert.strictEqual(read("1761652800123", "1"), "2025-10-28T12:00:00.123Z")
  })

  it("reads a book between other members", () => {
    const first = "{\"type\":\"x\",\"a\":\"1\",\"rows\":[[\"1\",\"2\"]],\"b\":\"3\"}"
    const layouts = learned(first)
    const frame = (rows: string): string => first.replace("[[\"1\",\"2\"]]", rows)
    assert.deepStrictEqual(
      layouts.read(frame("[[\"1.0\",\"0\"],[\"3\",\"0.20\"]]")),
      captured({ a: "1", b: "3", levels: ["1.0:0", "3:0.20"] })
    )
    assert.deepStrictEqual(layouts.read(frame("[]")), captured({ a: "1", b: "3", levels: [] }))
    for (
      const rows of ["[[\"1\"]]", "[[\"1\",\"2\",\"3\"]]", "[[\"1\",2]]", "[[\"1\",\"2\"],]", "[[\"1\",\"2\"]", "[[]]"]
        .concat([
          "[[\"1\",\"\\u0032\"]]",
          "[[\"1\",\"\u0001\"]]",
          "[[\"1\",\"],[\"]]",
          "[[\"1\", \"2\"]]",
          "[[\"1\",\"2]]",
          "null",
          "[\"1\",\"2\"]"
        ])
    ) {
      assert.isUndefined(layouts.read(frame(rows)), rows)
    }
    assert.isUndefined(layouts.read(` ${first}`))
    assert.isUndefined(layouts.read(`{"type":"y"}${first}`))
    assert.isUndefined(layouts.read(`${first} `))
  })

  /** Wants members of nested objects, a book in one, and the objects of a list. */
  interface Nested {
    readonly flag: string | undefined
    readonly product: string | undefined
    readonly levels: ReadonlyArray<string>
    readonly rows: ReadonlyArray<readonly [price: string | undefined, time: string | undefined | null]>
  }
  const nestedPlan: Layout.Plan<Nested> = {
    wanted: ["data.m", "events[0].product"],
    times: ["events[0].rows[].time"],
    books: [["data.levels", rowsOf({})]],
    lists: [["events[0].rows", ["price", "time"]]],
    pinned: ["data.e", "events[0].type"],
    build: (members) => ({
      flag: Layout.text(members, 0),
      product: Layout.text(members, 1),
      levels: members.books.flatMap(levelsOf),
      rows: (members.lists[0] ?? []).map((row) => {
        const time = Layout.timestamp(row, 1)
        return [Layout.text(row, 0), time === undefined || time === null ? time : String(time)] as const
      })
    })
  }
  const nested = (rows: string): string =>
    "{\"channel\":\"c\",\"data\":{\"e\":\"d\",\"m\":true,\"x\":[1,{\"y\":null}],\"levels\":[[\"1\",\"2\"]]}," +
    `"events":[{"type":"t","product":"A-B","rows":${rows},"after":1}]}`
  const nestedRows = "[{\"price\":\"1.0\",\"time\":\"2024-02-29T00:00:00Z\",\"n\":1}]"
  const learnedNested = (frame: string): Layout.Layouts<Nested> => {
    const layouts = Layout.make<Nested>()
    layouts.learn(frame, ExactJson.parse(frame) as ExactJson.JsonObject, nestedPlan)
    return layouts
  }

  it("reads members of nested objects and arrays, and the objects of lists, as many as there are", () => {
    const layouts = learnedNested(nested(nestedRows))
    const row = (price: string, time: string): string => `{"price":"${price}","time":"${time}","n":-1e3}`
    assert.deepStrictEqual(
      layouts.read(
        nested(`[${row("5.50", "2024-03-01T00:00:00.5Z")},${row("", "2023-02-29T00:00:00Z")}]`)
          .replace("true", "false")
          .replace("[[\"1\",\"2\"]]", "[[\"7\",\"8\"],[\"9\",\"0.0\"]]")
          .replace("A-B", "C-D")
      ),
      {
        flag: "false",
        product: "C-D",
        levels: ["7:8", "9:0.0"],
        rows: [["5.50", "2024-03-01T00:00:00.5Z"], ["", null]]
      }
    )
    assert.deepStrictEqual(layouts.read(nested("[]"))?.rows, [])
    assert.strictEqual(layouts.read(nested(`[${row("1", "2024-03-01T00:00:00Z")}]`))?.rows.length, 1)
    assert.strictEqual(
      layouts.read(nested(`[${`${row("1", "2024-03-01T00:00:00Z")},`.repeat(999)}${row("1", "x")}]`)),
      undefined
    )
  })

  it("reads nothing where a nested object or a list is laid out in another way", () => {
    const layouts = learnedNested(nested(nestedRows))
    const [, row = ""] = /^\[(.*)\]$/.exec(nestedRows) ?? []
    for (
      const other of [
        nested(nestedRows).replace("\"d\"", "\"e\""),
        nested(nestedRows).replace("\"t\"", "\"u\""),
        nested(nestedRows).replace("[1,{", "[{"),
        nested(nestedRows).replace("null", "1"),
        nested(nestedRows).replace("true", "\"true\""),
        nested(nestedRows).replace("true", "null"),
        nested(nestedRows).replace("}]}", "},{}]}"),
        nested(nestedRows).replace("\"after\":1", "\"after\":1,\"after\":2"),
        nested("null"),
        nested("{}"),
        nested("[{}]"),
        nested("[null]"),
        nested(`[${row},]`),
        nested(`[${row}${row}]`),
        nested(`[${row},{}]`),
        nested(`[,${row}]`),
        nested(`[${row}`),
        nested(`[${row},,${row}]`),
        nested(`[${row.replace("\"n\":1", "\"n\":1,\"n\":1")}]`),
        nested(`[${row.replace("\"n\":1", "\"n\":01")}]`),
        nested(`[${row.replace("1.0", "\\u0031")}]`),
        nested(`[${row.replace("1.0", "\n")}]`),
        nested(`[${row.replace("\"1.0\"", "1.0")}]`),
        nested(`[${row},${row.replace("\"price\"", "\"prices\"")}]`)
      ]
    ) {
      assert.notStrictEqual(other, nested(nestedRows))
      assert.isUndefined(layouts.read(other), other)
    }
    assert.isUndefined(learnedNested(nested("[]")).read(nested(nestedRows)))
  })

  it("knows the spaces that Python writes in lists too", () => {
    const spaced = (frame: string): string => frame.replaceAll(",", ", ").replaceAll("\":", "\": ")
    const flat = "{\"channel\":\"c\",\"data\":{\"e\":\"d\",\"m\":true},\"events\":[{\"type\":\"t\",\"rows\":ROWS}]}"
    const one = "[{\"price\":\"1\"}]"
    const layouts = learnedNested(spaced(flat.replace("ROWS", one)))
    assert.deepStrictEqual(
      layouts.read(spaced(flat.replace("ROWS", "[{\"price\":\"1\"},{\"price\":\"2.0\"}]")))?.rows,
      [["1", undefined], ["2.0", undefined]]
    )
  })

  it("reads book levels as they pass, and nothing where one is no decimal or laid out in another way", () => {
    const bookPlan: Layout.Plan<ReadonlyArray<ReadonlyArray<string>>> = {
      wanted: [],
      times: [],
      books: [["asks", rowsOf({})], ["d.bids", rowsOf({})]],
      pinned: ["e"],
      build: (members) => members.books.map(levelsOf)
    }
    const frame = (levels: string): string => `{"e":"x","d":{"bids":${levels},"n":1},"asks":[["7","8"]]}`
    const layouts = Layout.make<ReadonlyArray<ReadonlyArray<string>>>()
    const first = frame("[[\"1\",\"2\"]]")
    layouts.learn(first, ExactJson.parse(first) as ExactJson.JsonObject, bookPlan)
    assert.deepStrictEqual(layouts.read(first), [["7:8"], ["1:2"]])
    assert.deepStrictEqual(layouts.read(frame("[]")), [["7:8"], []])
    assert.deepStrictEqual(
      layouts.read(frame(
        "[[\"0.10\",\"0\"],[\"-1.0e-8\",\"1e2\"],[\"12345678901234567890.1234567890\",\"0.00000000\"]]"
      )),
      [["7:8"], ["0.10:0", "-0.000000010:100", "12345678901234567890.1234567890:0.00000000"]]
    )
    for (
      const levels of [
        "[[\"1\"]]",
        "[[\"1\",\"2\",\"3\"]]",
        "[[1,2]]",
        "[[\"\",\"1\"]]",
        "[[\"x\",\"1\"]]",
        "[[\"1\",\"2\"],[\"x\",\"1\"]]",
        "[[\"1\",\"2\"],[\"1\",\"x\"]]",
        "[[\"1\",\"\"]]",
        "[[\"1\",\".5\"]]",
        "[[\"1\",\"5.\"]]",
        "[[\"01\",\"5\"]]",
        "[[\"1\",\"1.2.3\"]]",
        "[[\"1\",\"0x1\"]]",
        "[[\"1\",\"\\u0031\"]]",
        "[[\"1\",\"1\n\"]]",
        "[[\"1\",\"2\"],]",
        "[[\"1\",\"2\"]",
        "[[\"1\",\"2",
        "[[\"1\", \"2\"]]",
        "[[]]",
        "null",
        "{}"
      ]
    ) {
      assert.isUndefined(layouts.read(frame(levels)), levels)
    }
  })

  it("keeps sixteen layouts", () => {
    const frames = Array.from({ length: 17 }, (_, i) => `{"type":"x","m${i}":1}`)
    const layouts = learned(...frames)
    assert.deepStrictEqual(frames.map((frame) => layouts.read(frame) !== undefined), [
      ...frames.slice(1).map(() => true),
      false
    ])
  })

  /** Rows of numbers in objects, and of a word and numbers in arrays; a name's beginning; numbers that may be null. */
  interface Numbers {
    readonly last: string | undefined
    readonly levels: ReadonlyArray<string>
    readonly changes: ReadonlyArray<string>
  }
  const numbersPlan: Layout.Plan<Numbers> = {
    wanted: ["last"],
    times: [],
    books: [
      ["levels", rowsOf({ price: "price", size: "qty", isNumber: true })],
      ["changes", rowsOf({ actions: ["new", "change", "delete"] })]
    ],
    pinned: [],
    prefixed: [["channel", "."]],
    nullable: true,
    build: (members) => ({
      last: Layout.text(members, 0),
      levels: levelsOf(members.books[0]),
      changes: levelsOf(members.books[1])
    })
  }
  const numbers = (levels: string, changes: string, last = "1.50", channel = "book.A.raw"): string =>
    `{"channel":"${channel}","last":${last},"skipped":${last},"levels":${levels},"changes":${changes}}`
  const someLevels = "[{\"price\":1.50,\"qty\":2}]"
  const someChanges = "[[\"new\",1,0.0]]"
  const learnedNumbers = (frame: string): Layout.Layouts<Numbers> => {
    const layouts = Layout.make<Numbers>()
    layouts.learn(frame, ExactJson.parse(frame) as ExactJson.JsonObject, numbersPlan)
    return layouts
  }

  it("reads rows of numbers as they are written, a name by its beginning, and null for a number", () => {
    // Learned from what is empty or null as well as from what is not.
    for (const first of [numbers(someLevels, someChanges), numbers("[]", "[]", "null", "book.B.agg2")]) {
      const layouts = learnedNumbers(first)
      assert.deepStrictEqual(
        layouts.read(
          numbers(
            "[{\"price\":0.0280,\"qty\":0.00000000},{\"price\":-1e-8,\"qty\":1.0E+5}]",
            "[[\"delete\",7,0],[\"change\",1,2]]"
          )
        ),
        {
          last: "1.50",
          levels: ["0.0280:0.00000000", "-0.00000001:100000"],
          changes: ["7:0", "1:2"]
        }
      )
      assert.deepStrictEqual(layouts.read(numbers("[]", "[]", "null")), { last: undefined, levels: [], changes: [] })
      for (
        const other of [
          numbers(someLevels, someChanges, "\"1\""),
          numbers(someLevels, someChanges, "1", "books.A"),
          numbers(someLevels, someChanges, "1", "book"),
          numbers(someLevels, someChanges, "1", "book.\\u0041"),
          numbers("[{\"price\":1,\"qty\":2},]", "[]"),
          numbers("[{\"price\":1,\"qty\":2}", "[]"),
          numbers("[{\"price\":1,\"qty\":2,\"n\":3}]", "[]"),
          numbers("[{\"qty\":2,\"price\":1}]", "[]"),
          numbers("[{\"price\":\"1\",\"qty\":2}]", "[]"),
          numbers("[{\"price\":null,\"qty\":2}]", "[]"),
          numbers("[{\"price\":1 ,\"qty\":2}]", "[]"),
          numbers("[{\"price\":1,\"qty\":[2]}]", "[]"),
          // What is made of a number's characters and is none.
          numbers("[{\"price\":,\"qty\":2}]", "[]"),
          numbers("[{\"price\":1,\"qty\":-}]", "[]"),
          numbers("[{\"price\":01,\"qty\":2}]", "[]"),
          numbers("[{\"price\":1,\"qty\":1e1000}]", "[]"),
          numbers("{}", "[]"),
          numbers("[]", "[[\"new\",1]]"),
          numbers("[]", "[[\"delete\",1]]"),
          numbers("[]", "[[\"\",1,2]]"),
          numbers("[]", "[[\"news\",1,2]]"),
          numbers("[]", "[[\"New\",1,2]]"),
          numbers("[]", "[[new,1,2]]"),
          numbers("[]", "[[\"new\",1,\"2\"]]"),
          numbers("[]", "[[\"new\",1,]]"),
          numbers("[]", "[[\"n\\u0065w\",1,2]]"),
          numbers("[]", "[[\"n\new\",1,2]]"),
          numbers("[]", "[[\"new\",1,2,3]]"),
          numbers("[]", "[[\"new\",1,2][\"new\",1,2]]"),
          numbers("[]", "null")
        ]
      ) {
        assert.isUndefined(layouts.read(other), other)
      }
    }
    assert.isUndefined(learnedNumbers(numbers("[]", "[]", "1", "book")).read(numbers("[]", "[]", "1", "book")))
    const python = numbers(someLevels, someChanges).replace(/[,:]/g, "$& ")
    assert.deepStrictEqual(learnedNumbers(python).read(python)?.levels, ["1.50:2"])
    assert.deepStrictEqual(learnedNumbers(python).read(python)?.changes, ["1:0.0"])
  })

  it("takes megabytes in its stride", () => {
    const rows = numbers(`[${"{\"price\":1,\"qty\":2},".repeat(50_000)}{"price":1,"qty":2}]`, "[]")
    assert.strictEqual(learnedNumbers(numbers(someLevels, someChanges)).read(rows)?.levels.length, 50_001)
    assert.isUndefined(
      learnedNumbers(numbers(someLevels, someChanges)).read(numbers(`[${"1".repeat(1_000_000)}]`, "[]"))
    )
    const layouts = learned(flat)
    const long = flat.replace("\"s\"", `"${"s".repeat(2_000_000)}"`)
    assert.isDefined(layouts.read(long))
    assert.isUndefined(layouts.read(long.slice(0, -1)))
    assert.isUndefined(layouts.read(flat.replace("\"n\":2", `"n":${"2".repeat(2_000_000)}.`)))
  })
})
