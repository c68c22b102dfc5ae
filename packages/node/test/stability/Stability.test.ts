import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Grade from "../../src/stability/Grade.ts"
import * as Page from "../../src/stability/Page.ts"
import { StabilityRecord } from "../../src/stability/Record.ts"
import * as TestHost from "../runner/TestHost.ts"

const stability = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const world = TestHost.make()
  const code = yield* TestHost.run(world, "stability", ...args)
  const last: Record<string, unknown> | undefined = world.stdout().startsWith("{") ? world.objects().at(-1) : undefined
  return { code, ...world, report: last }
})

const temporary = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)

describe("A grade", () => {
  it("is the best whose bounds hold", () => {
    const grade = (errors: number, reconnects: number, heartbeatSuccess: number) =>
      Grade.of({ errors, reconnects, heartbeatSuccess })
    assert.strictEqual(grade(0, 0, 0.951), "EXCELLENT")
    assert.strictEqual(grade(0, 0, 0.95), "GOOD")
    assert.strictEqual(grade(1, 0, 1), "GOOD")
    assert.strictEqual(grade(0, 1, 1), "GOOD")
    assert.strictEqual(grade(4, 2, 0.901), "GOOD")
    assert.strictEqual(grade(5, 2, 1), "FAIR")
    assert.strictEqual(grade(4, 3, 1), "FAIR")
    assert.strictEqual(grade(4, 2, 0.9), "FAIR")
    assert.strictEqual(grade(9, 9, 0.801), "FAIR")
    assert.strictEqual(grade(10, 0, 1), "POOR")
    assert.strictEqual(grade(0, 10, 1), "POOR")
    assert.strictEqual(grade(0, 0, 0.8), "POOR")
  })

  it("goes with whether the run passes, by the hour or as one of an hour at most", () => {
    const passes = (errors: number, reconnects: number, heartbeatSuccess: number, hours: number) =>
      Grade.passes({ errors, reconnects, heartbeatSuccess }, hours)
    assert.isTrue(passes(47, 23, 0.951, 24))
    assert.isFalse(passes(48, 23, 0.951, 24))
    assert.isFalse(passes(47, 24, 0.951, 24))
    assert.isFalse(passes(47, 23, 0.95, 24))
    assert.isTrue(passes(4, 1, 0.901, 1))
    assert.isFalse(passes(5, 1, 0.901, 1))
    assert.isFalse(passes(4, 2, 0.901, 1))
    assert.isFalse(passes(4, 1, 0.9, 0.1))
  })
})

describe("tickline stability --virtual", () => {
  it.live("says the same for the same seed, to the byte, and ends with its report", () =>
    Effect.gen(function*() {
      const once = (seed: string) => stability("--virtual", "--hours", "1", "--seed", seed, "--faults", "48")
      const [one, again, other] = [yield* once("7"), yield* once("7"), yield* once("8")]
      assert.strictEqual(one.code, 0)
      assert.strictEqual(again.stdout(), one.stdout())
      assert.notStrictEqual(other.stdout(), one.stdout())
      assert.deepStrictEqual(Object.keys(one.report ?? {}), [
        "_tag",
        "grade",
        "heartbeats",
        "heartbeatSuccess",
        "reconnects",
        "errors",
        "hours"
      ])
      assert.strictEqual(one.stderr(), "")
    }), 60_000)

  it.live("answers every heartbeat of an hour in which nothing goes wrong", () =>
    Effect.gen(function*() {
      const { objects, report } = yield* stability("--virtual", "--hours", "1")
      assert.deepStrictEqual(report, {
        _tag: "Report",
        grade: "EXCELLENT",
        heartbeats: 120,
        heartbeatSuccess: 1,
        reconnects: 0,
        errors: 0,
        hours: 1
      })
      const of = (tag: string) => objects().filter(({ _tag }) => _tag === tag)
      assert.strictEqual(of("Status").length, 60)
      assert.deepInclude(of("Status").at(-1), { session: "Live", feed: "Connected", heartbeats: 120 })
      assert.deepStrictEqual(of("Error"), [])
      // An order a minute, and its cancellation.
      assert.deepStrictEqual(of("Orders"), [{
        _tag: "Orders",
        acknowledged: 120,
        rejected: 0,
        notSent: 0,
        outcomeUnknown: 0
      }])
      assert.deepInclude(of("Limits")[0], { refused: 0 })
      assert.deepInclude(of("Limits")[0]?.["least"], { instruments: 50, "cancel-all": 20 })
      for (const line of of("Ledger")) assert.deepInclude(line, { balanced: true, gaps: [] })
      assert.strictEqual(of("Ledger").length, 3)
      for (const { count, most, p50 } of of("Latency")) {
        assert.strictEqual(count, 120)
        assert.isAtLeast(Number(p50), 10)
        assert.isAtMost(Number(most), 120)
      }
      assert.strictEqual(of("Memory").length, 0)
    }), 60_000)

  it.live("counts what came back and what went wrong, and grades it", () =>
    Effect.gen(function*() {
      const { objects, report } = yield* stability("--virtual", "--hours", "3", "--seed", "3", "--faults", "96")
      const of = (tag: string) => objects().filter(({ _tag }) => _tag === tag)
      const [errors, reconnects] = [Number(report?.["errors"]), Number(report?.["reconnects"])]
      assert.isAbove(reconnects, 5)
      assert.strictEqual(of("Error").length, errors)
      const back = (name: string, state: string) =>
        of("State").filter((line) => line["of"] === name && line["state"] === state).length - 1
      assert.strictEqual(back("session", "Live") + back("feed", "Connected"), reconnects)
      const heartbeatSuccess = Number(report?.["heartbeatSuccess"])
      assert.strictEqual(Math.round(heartbeatSuccess * 360), report?.["heartbeats"])
      assert.strictEqual(report?.["grade"], Grade.of({ errors, reconnects, heartbeatSuccess }))
      assert.isTrue(of("Ledger").every(({ balanced, gaps }) => balanced === true && JSON.stringify(gaps) !== "[]"))
      assert.deepInclude(of("Limits")[0], { refused: 0 })
    }), 60_000)

  it.live("is a report for people, and one HTML file that loads nothing", () =>
    Effect.gen(function*() {
      const path = Path.join(yield* temporary, "report.html")
      const { code, stdout } = yield* stability("--virtual", "--hours", "1", "--format", "pretty", "--html", path)
      assert.strictEqual(code, 0)
      assert.match(stdout(), /EXCELLENT after 1 h 00 m/)
      assert.match(stdout(), /heartbeats +120 answered, 100 % of those due/)
      assert.match(stdout(), /passes +yes/)
      const page = Fs.readFileSync(path, "utf8")
      assert.match(page, /<p class="grade EXCELLENT">EXCELLENT<\/p>/)
      assert.strictEqual([...page.matchAll(/<svg /g)].length, 3)
      assert.notMatch(page, /<script|\bsrc=|https?:|@import|url\(/)
    }), 60_000)

  it.live(
    "is wrong without hours, with a key of nobody, and with a file that cannot be written",
    () =>
      Effect.gen(function*() {
        const wrong = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
          const { code, stderr, stdout } = yield* stability(...args)
          assert.strictEqual(code, 2)
          assert.strictEqual(stdout(), "")
          return stderr()
        })
        for (const hours of ["0", "-1", "day", "9000", ""]) {
          assert.include(yield* wrong("--virtual", "--hours", hours), "--hours")
        }
        assert.include(yield* wrong("--virtual", "--faults", "many"), "--faults")
        assert.include(yield* wrong("--live"), "TICKLINE_DERIBIT_CLIENT_ID in the environment")
        assert.include(yield* wrong("--live", "--virtual"), "neither --virtual nor --faults")
        assert.include(yield* wrong("--virtual", "--html", "/nowhere/report.html"), "--html")
      }),
    60_000
  )
})

describe("tickline stability", () => {
  it.live("runs in real time against a mock of its own", () =>
    Effect.gen(function*() {
      const { code, objects, report } = yield* stability("--hours", "0.001")
      assert.strictEqual(code, 0)
      assert.deepInclude(report, { grade: "EXCELLENT", heartbeats: 1, heartbeatSuccess: 1, reconnects: 0, errors: 0 })
      assert.closeTo(Number(report?.["hours"]), 0.001, 0.000_5)
      const memory = objects().find(({ _tag }) => _tag === "Memory")
      assert.deepInclude(Object.keys(memory ?? {}), "most")
      const ledger = objects().filter(({ _tag }) => _tag === "Ledger")
      assert.isTrue(ledger.every(({ received }) => Number(received) > 0))
    }))

  it.live("gives the report so far at a signal, and exits with 0", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const running = yield* Effect.forkChild(TestHost.run(world, "stability", "--hours", "10"))
      yield* world.printed(/"of":"session","state":"Live"/)
      yield* Effect.sleep("200 millis")
      yield* world.send("SIGINT")
      assert.strictEqual(yield* Fiber.join(running), 0)
      assert.deepInclude(world.objects().at(-1), { _tag: "Report", grade: "EXCELLENT", heartbeats: 1 })
    }))

  it.live("under the virtual clock as well", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const running = yield* Effect.forkChild(TestHost.run(world, "stability", "--hours", "8000", "--virtual"))
      yield* world.printed(/"Status"/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(running), 0)
      assert.deepInclude(world.objects().at(-1), { _tag: "Report", grade: "EXCELLENT" })
    }), 60_000)

  it.live(
    "drops nothing of a reader who takes his time, and waits for none after a signal",
    () =>
      Effect.gen(function*() {
        const world = TestHost.make()
        const { stdout } = world.host
        let isPaused = false
        const host = {
          ...world.host,
          stdout: {
            ...stdout,
            write: (data: string | Uint8Array) => isPaused ? Effect.never : stdout.write(data),
            // What its reader leaves unread is dropped.
            writeUnsafe: () => assert.fail("written without waiting")
          }
        }
        const run = (...args: ReadonlyArray<string>) => TestHost.run({ ...world, host }, "stability", ...args)
        assert.strictEqual(yield* run("--virtual", "--hours", "1"), 0)
        assert.strictEqual(world.objects().filter(({ _tag }) => _tag === "Status").length, 60)
        isPaused = true
        const paused = yield* Effect.forkChild(run("--virtual", "--hours", "8000"))
        yield* Effect.sleep("300 millis")
        yield* world.send("SIGINT")
        assert.strictEqual(yield* Effect.timeout(Fiber.join(paused), "5 seconds"), 0)
      }),
    60_000
  )

  it.live("ends quietly when the reader of stdout has gone", () =>
    Effect.gen(function*() {
      const world = TestHost.make({ closesAfter: 0 })
      assert.strictEqual(yield* TestHost.run(world, "stability", "--hours", "10"), 0)
      assert.strictEqual(world.stderr(), "")
    }))
})

describe("The page of a stability run", () => {
  it("shows what a peer said as text", () => {
    const record = new StabilityRecord(0, () => undefined)
    record.error(1_000, "feed", "<img src=x onerror=alert(1)> & \u001b[31m'\"")
    record.end(60_000)
    const page = Page.make(record, "<b>a mock</b>", record.report(60_000))
    assert.include(page, "&lt;img src=x onerror=alert(1)&gt; &amp; \\u001b[31m&#39;&quot;")
    assert.include(page, "&lt;b&gt;a mock&lt;/b&gt;")
    assert.notInclude(page, "<img")
    assert.notInclude(page, "\u001b")
  })
})
