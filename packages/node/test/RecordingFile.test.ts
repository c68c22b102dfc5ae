/** A recording as a file: what can be read of it, whatever becomes of who writes it. */
import { assert, describe, it } from "@effect/vitest"
import * as RecordingFile from "@tickline/node/RecordingFile"
import * as Recording from "@tickline/node/runner/Recording"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Buffer } from "node:buffer"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

/** The lines that can be read, and how often it was said that the end is torn. */
const read = (bytes: Uint8Array, size = 65_536) =>
  Effect.promise(async () => {
    const lines: Array<Recording.Line> = []
    let torn = 0
    for await (const some of Recording.lines(chunksOf(bytes, size), () => torn++)) lines.push(...some)
    return { lines, torn }
  })

const header = "{\"kind\":\"header\",\"version\":1,\"raw\":\"\"}\n"

/** Lines that do not compress to nothing. */
const linesOf = (count: number, from = 0): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ raw: `${from + n} € ${((from + n) * 7919) % 104_729}` }))

const textOf = (lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")

const names = ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] as const

describe("a recording as a file", () => {
  for (const name of names) {
    it.live(`${name}: what was flushed can be read, though it was never ended`, () =>
      Effect.gen(function*() {
        const file = Path.join(yield* folder, name)
        const sink = yield* RecordingFile.open(file)
        yield* sink.begin(header)
        yield* sink.flush
        assert.deepStrictEqual((yield* read(Fs.readFileSync(file))).lines, [header.trim()])
        yield* sink.write([textOf(linesOf(500)), textOf(linesOf(500, 500))])
        yield* sink.flush
        assert.deepStrictEqual((yield* read(Fs.readFileSync(file))).lines, [header.trim(), ...linesOf(1_000)])
        yield* sink.end
        const { lines, torn } = yield* read(Fs.readFileSync(file))
        assert.deepStrictEqual([lines.length, torn], [1_001, 0])
      }))

    it.live(`${name}: cut anywhere it gives the lines that are whole, and says that it is torn`, () =>
      Effect.gen(function*() {
        const file = Path.join(yield* folder, name)
        const sink = yield* RecordingFile.open(file)
        yield* sink.begin(header)
        yield* sink.flush
        const least = Fs.statSync(file).size
        for (let n = 0; n < 5; n++) {
          yield* sink.write([textOf(linesOf(40, n * 40))])
          yield* sink.flush
        }
        yield* sink.end
        const whole = Fs.readFileSync(file)
        const all = [header.trim(), ...linesOf(200)]
        for (let length = least; length < whole.length; length += 1 + (length % 13)) {
          const { lines } = yield* read(whole.subarray(0, length), 1 + (length % 500))
          assert.deepStrictEqual(lines, all.slice(0, lines.length), `${length} of ${whole.length} bytes`)
          assert.isAtLeast(lines.length, 1)
        }
        const { lines, torn } = yield* read(whole.subarray(0, -10))
        assert.isAtLeast(lines.length, 161)
        assert.strictEqual(torn, 1)
      }))

    it.live(`${name}: files that were put together are read as one, in pieces of any size`, () =>
      Effect.gen(function*() {
        const path = yield* folder
        for (const [index, part] of ["1", "2", "3"].entries()) {
          const sink = yield* RecordingFile.open(Path.join(path, part + name))
          yield* sink.begin(header)
          yield* sink.write([textOf(linesOf(30, index * 30))])
          yield* sink.end
        }
        const bytes = Buffer.concat(["1", "2", "3"].map((part) => Fs.readFileSync(Path.join(path, part + name))))
        const one = header.trim()
        const expected = [one, ...linesOf(30), one, ...linesOf(30, 30), one, ...linesOf(30, 60)]
        for (const size of [1, 7, 100, 65_536]) {
          assert.deepStrictEqual(yield* read(bytes, size), { lines: expected, torn: 0 })
        }
      }))
  }

  it.live("one that is damaged is no recording, nor is a compressed one of which no line can be read", () =>
    Effect.gen(function*() {
      const bytes = Zlib.zstdCompressSync(textOf(linesOf(100)))
      const damaged = Buffer.from(bytes)
      damaged.fill(7, 20, 60)
      const cut = bytes.subarray(0, 20)
      const trailing = Buffer.concat([bytes, Buffer.from("not zstd")])
      for (const wrong of [damaged, cut, trailing]) {
        const exit = yield* Effect.exit(Effect.tryPromise({
          try: async () => {
            for await (const _ of Recording.lines(chunksOf(wrong, 1_000)));
          },
          catch: (cause) => String(cause)
        }))
        assert.strictEqual(exit._tag, "Failure")
      }
    }))

  it.live("goes on in the next numbered file, each with the header, and touches none that is there", () =>
    Effect.gen(function*() {
      for (const name of names) {
        const path = yield* folder
        const [, ending = ""] = /^a(.*)$/.exec(name) ?? []
        Fs.writeFileSync(Path.join(path, `a.0003${ending}`), "mine")
        Fs.writeFileSync(Path.join(path, `a.0009.txt`), "another's")
        const sink = yield* RecordingFile.open(Path.join(path, name), { bytes: 2_000 })
        yield* sink.begin(header)
        for (let n = 0; n < 20; n++) {
          yield* sink.write([textOf(linesOf(100, n * 100))])
          yield* sink.flush
        }
        yield* sink.end
        assert.strictEqual(Fs.readFileSync(Path.join(path, `a.0003${ending}`), "utf8"), "mine")
        const found = Fs.readdirSync(path).filter((one) => one.endsWith(ending) && one !== `a.0003${ending}`).toSorted()
        assert.isAtLeast(found.length, 3)
        assert.deepStrictEqual(
          found,
          found.map((_, index) => `a.${String(index + 4).padStart(4, "0")}${ending}`)
        )
        const lines: Array<Recording.Line> = []
        for (const one of found) {
          const [first, ...rest] = (yield* read(Fs.readFileSync(Path.join(path, one)))).lines
          assert.strictEqual(first, header.trim())
          lines.push(...rest)
        }
        assert.deepStrictEqual(lines, [...linesOf(2_000)])
      }
    }))

  it.effect("goes on in the next file after so long, and begins none for nothing", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const sink = yield* RecordingFile.open(Path.join(path, "b"), { every: "1 hour" })
      yield* sink.begin(header)
      yield* sink.write(["{}\n"])
      yield* TestClock.adjust("59 minutes")
      yield* sink.write(["{}\n"])
      yield* TestClock.adjust("1 minute")
      yield* sink.flush
      assert.deepStrictEqual(Fs.readdirSync(path), ["b.0001"])
      yield* sink.write(["[]\n"])
      yield* sink.end
      assert.deepStrictEqual(Fs.readdirSync(path).toSorted(), ["b.0001", "b.0002"])
      assert.strictEqual(Fs.readFileSync(Path.join(path, "b.0002"), "utf8"), `${header}[]\n`)
    }))

  it.live("names the path that cannot be written", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(RecordingFile.open("/no/such/dir/a.jsonl"))
      assert.deepInclude(error, { path: "/no/such/dir/a.jsonl", code: "ENOENT" })
      const rotated = yield* Effect.flip(RecordingFile.open("/no/such/dir/a.jsonl", { bytes: 1 }))
      assert.strictEqual(rotated.code, "ENOENT")
    }))
})
