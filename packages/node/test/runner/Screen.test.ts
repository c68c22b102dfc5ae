import { assert, describe, it } from "@effect/vitest"
import type { Sink } from "@tickline/node/runner/Host"
import * as Screen from "@tickline/node/runner/Screen"
import * as Effect from "effect/Effect"
import * as TestHost from "./TestHost.ts"

/** A terminal whose size a test changes; gives what was written since it was asked last. */
const terminal = () => {
  let size = { columns: 20, rows: 6 }
  let text = ""
  const sink: Sink = {
    ...TestHost.make({ terminal: true }).host.stdout,
    size: () => size,
    write: (more) => Effect.sync(() => void (text += more)),
    writeUnsafe: (more) => void (text += more)
  }
  return {
    sink,
    resize: (columns: number, rows: number) => {
      size = { columns, rows }
    },
    written: () => {
      const taken = text
      text = ""
      return taken
    }
  }
}

describe("a block that is drawn again in place", () => {
  it.effect("goes back over its lines, erases each before it is written, and shows the cursor at the end", () =>
    Effect.gen(function*() {
      const { sink, written } = terminal()
      yield* Effect.scoped(Effect.gen(function*() {
        const screen = yield* Screen.make(sink)
        yield* screen.draw(["one", "two"])
        assert.strictEqual(written(), "\u001b[?25l\r\u001b[Kone\n\u001b[Ktwo\n\u001b[J")
        yield* screen.draw(["1"])
        assert.strictEqual(written(), "\u001b[2A\r\u001b[K1\n\u001b[J")
      }))
      assert.strictEqual(written(), "\u001b[?25h")
    }))

  it.effect("fits the terminal, whose last line is the cursor's", () =>
    Effect.gen(function*() {
      const { sink, written } = terminal()
      const screen = yield* Screen.make(sink)
      yield* screen.draw(Array.from({ length: 10 }, () => "x".repeat(30)))
      const lines = written().split("\n").slice(0, -1)
      assert.strictEqual(lines.length, 5)
      assert.isTrue(lines.every((line) => line.endsWith(`${"x".repeat(19)}…`)))
    }))

  it.effect("is drawn anew on a terminal of another size, which may have wrapped its lines", () =>
    Effect.gen(function*() {
      const { resize, sink, written } = terminal()
      const screen = yield* Screen.make(sink)
      yield* screen.draw(["one", "two"])
      written()
      resize(10, 6)
      yield* screen.draw(["one", "two"])
      assert.strictEqual(written(), "\u001b[H\u001b[J\u001b[Kone\n\u001b[Ktwo\n\u001b[J")
      yield* screen.draw(["one", "two"])
      assert.strictEqual(written(), "\u001b[2A\r\u001b[Kone\n\u001b[Ktwo\n\u001b[J")
    }))

  it("is none on a pipe, or on a terminal that cannot move its cursor", () => {
    assert.isTrue(Screen.isPossible(TestHost.make({ terminal: true }).host.stdout, { TERM: "xterm" }))
    assert.isFalse(Screen.isPossible(TestHost.make({ terminal: true }).host.stdout, { TERM: "dumb" }))
    assert.isFalse(Screen.isPossible(TestHost.make().host.stdout, {}))
  })
})
