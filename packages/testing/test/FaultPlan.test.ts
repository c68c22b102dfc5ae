/**
 * What each fault does to a client that dials again and again, second by
 * second; and what is drawn from a seed. Written down to the letter, for both
 * are the same on every machine. What changes on purpose is written anew by
 * `vitest run -u`.
 */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Chance from "@tickline/testing/Chance"
import * as EventLog from "@tickline/testing/EventLog"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const url = "wss://venue.test/feed"

const shown = (frame: string | Uint8Array): string =>
  typeof frame === "string"
    ? (frame.length > 40 ? `${frame.slice(0, 20)}… (${frame.length})` : frame)
    : `bytes ${frame.join()}`

/** What a client sees in 40 s of a server that counts the seconds, while the plan runs: one line for each thing. */
const seen = Effect.fnUntraced(function*(
  plan: FaultPlan.FaultPlan,
  options: FaultPlan.RunOptions & { readonly latency?: number } = {}
) {
  const network = yield* VirtualNetwork.make({ seed: 5, latency: options.latency })
  const lines: Array<string> = []
  const note = (what: string): Effect.Effect<void> =>
    Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (at) => {
      lines.push(`${at} ${what}`)
    })
  const host = yield* network.serve(url, (peer) =>
    Effect.gen(function*() {
      peer.onMessage((frame) => Effect.runSync(peer.send(`echo ${String(frame)}`)))
      for (let n = 1;; n++) {
        yield* peer.send(`${peer.id}:${n}`)
        yield* Effect.sleep(1000)
      }
    }))
  const { dial } = network.transport
  const once = Effect.gen(function*() {
    const wire = yield* dial({
      url,
      headers: {},
      protocols: [],
      maxMessageBytes: 5000,
      inboundBytes: 10_000,
      deflate: false,
      plaintextHosts: []
    })
    yield* note("open")
    yield* Effect.forkScoped(
      Effect.forever(Effect.gen(function*() {
        yield* Effect.sleep(2500)
        wire.write(`at ${wire.bufferedBytes()}`)
        yield* wire.ping
        yield* note("pong")
      }))
    )
    return yield* Effect.forever(Effect.flatMap(wire.pull, (frames) => note(frames.map(shown).join(" | "))))
  }).pipe(
    Effect.scoped,
    Effect.timeout(30_000),
    Effect.catch((error) => note(error._tag === "TimeoutError" ? "nothing for 30 s" : error.message))
  )
  const running = yield* FaultPlan.run(network, host, plan, options)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(once, Effect.sleep(500))))
  for (let at = 0; at < 40_000; at += 250) yield* TestClock.adjust(250)
  return { lines, running, network, host }
})

const parsed = (specs: ReadonlyArray<string>): FaultPlan.FaultPlan => {
  const plan = FaultPlan.parse(specs)
  assert.strictEqual(plan._tag, "Success")
  return plan._tag === "Success" ? plan.success : []
}

describe("faults on the virtual network", () => {
  const plans: ReadonlyArray<readonly [name: string, plan: FaultPlan.FaultPlan]> = [
    ["drop, again and again", parsed(["drop@3s/10s"])],
    ["close", parsed(["close=1012@3500ms"])],
    ["refuse", parsed(["refuse=3@2s", "drop@2s"])],
    ["status", parsed(["status=429;retry-after=7@2s", "status=503@2s", "drop@2s"])],
    ["hang", parsed(["hang@2s", "drop@2s"])],
    ["silent", parsed(["silent@3s", "drop@8s"])],
    ["slow", parsed(["slow=300@3s", "drop@9s"])],
    ["garbage and binary", parsed(["garbage@3s", "binary@4s"])],
    [
      "duplicate, reorder, lose, corrupt",
      parsed(["duplicate@2500ms", "reorder@5500ms", "lose@9500ms", "corrupt@12500ms"])
    ],
    [
      "two reordered in a row, and a drop behind one",
      parsed(["reorder@2500ms", "reorder@2500ms", "reorder@8500ms", "drop@9500ms"])
    ],
    [
      "reorder, then another alteration",
      parsed([
        "reorder@2500ms",
        "duplicate@2500ms",
        "reorder@6500ms",
        "lose@6500ms",
        "reorder@10500ms",
        "corrupt@10500ms"
      ])
    ],
    ["freeze", [FaultPlan.at("3 seconds", { _tag: "Freeze", forMillis: 4000 })]],
    ["down", [
      FaultPlan.at("3 seconds", { _tag: "Down", forMillis: 4000 }),
      FaultPlan.at("4 seconds", { _tag: "Down", forMillis: 6000 }),
      FaultPlan.at("3 seconds", { _tag: "Drop" })
    ]],
    ["accept, then close", [
      FaultPlan.at("3 seconds", { _tag: "AcceptThenClose", dials: 2, code: 1013 }),
      FaultPlan.at("3 seconds", { _tag: "Drop" })
    ]],
    ["latency", [
      FaultPlan.at("3 seconds", { _tag: "Latency", latency: 750, forMillis: 5000 }),
      FaultPlan.at("20 seconds", { _tag: "Latency", latency: { min: 100, max: 900 }, forMillis: 9000 })
    ]],
    ["stop reading", [
      FaultPlan.at("3 seconds", { _tag: "StopReading", forMillis: 4000 }),
      FaultPlan.at("20 seconds", { _tag: "StopReading", forMillis: 1000 }, "10 seconds")
    ]],
    ["oversize", [
      FaultPlan.at("3 seconds", { _tag: "Oversize", bytes: 5000 }),
      FaultPlan.at("5 seconds", { _tag: "Oversize", bytes: 5001 })
    ]],
    ["nothing", FaultPlan.calm]
  ]
  for (const [name, plan] of plans) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const { host, lines, network, running } = yield* seen(plan)
        expect([
          ...FaultPlan.format(plan),
          "",
          ...lines,
          "",
          ...running.strikes.map(({ action, at, connections }) =>
            `strike ${at} ${FaultPlan.formatAction(action)} on ${connections.join()}`
          ),
          ...running.alterations.map(({ at, connection, frame, kind }) =>
            `${kind} ${at} ${connection} ${shown(frame)}`
          ),
          ...host.dials.map(({ at, outcome }) => `dial ${at} ${outcome}`),
          "",
          ...network.log.lines,
          network.log.hash()
        ].join("\n")).toMatchSnapshot()
      }).pipe(Effect.scoped))
  }

  it.effect("strikes only what is data, corrupts as it is told to, and strikes by hand", () =>
    Effect.gen(function*() {
      const { lines, running } = yield* seen(parsed(["corrupt@2s", "lose@3s"]), {
        isData: (frame) => String(frame).startsWith("1:1"),
        corrupt: (frame) => `<${String(frame)}>`,
        latency: 20
      })
      const altered = lines.filter((line) => line.includes("<"))
      assert.deepStrictEqual(altered, ["9060 <1:10>"])
      assert.deepStrictEqual(running.alterations.map(({ kind }) => kind), ["Corrupt", "Lose"])
      assert.isFalse(lines.some((line) => line.endsWith(" 1:11")))
      assert.isTrue(lines.some((line) => line.endsWith(" 1:12")))
      yield* running.strike({ _tag: "Drop" })
      assert.strictEqual(running.strikes.at(-1)?.at, 40_000)
      yield* TestClock.adjust(0)
      assert.include(lines.at(-1), "closed by network with 1006")
    }).pipe(Effect.scoped))
})

describe("a plan", () => {
  const dialled = Effect.fnUntraced(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const host = yield* network.serve(url)
    const request = { url, headers: {}, protocols: [], maxMessageBytes: 99, inboundBytes: 99, deflate: false }
    return { network, host, dial: network.transport.dial({ ...request, plaintextHosts: [] }) }
  })

  it.effect("begins with the host's first connection, however late that comes", () =>
    Effect.gen(function*() {
      const { dial, host, network } = yield* dialled()
      const running = yield* FaultPlan.run(network, host, parsed(["drop@1s"]))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(running.strikes, [])
      yield* dial
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(running.strikes, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(running.strikes.map(({ at, connections }) => [at, connections]), [[11_000, [1]]])
    }).pipe(Effect.scoped))

  it.effect("begins at once on a host that has connections, and changes their frames, of text and of bytes", () =>
    Effect.gen(function*() {
      const { dial, host, network } = yield* dialled()
      const wire = yield* dial
      const running = yield* FaultPlan.run(network, host, parsed(["corrupt@0s", "corrupt@1s", "drop@2s"]))
      yield* TestClock.adjust(0)
      for (const frame of ["a1b9", Uint8Array.of(0, 1, 255)]) {
        yield* TestClock.adjust("500 millis")
        yield* host.peers()[0]!.send(frame)
        yield* TestClock.adjust("500 millis")
      }
      assert.deepStrictEqual(yield* wire.pull, ["a2b0", Uint8Array.of(1, 0, 254)])
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(running.strikes.map(({ at }) => at), [0, 1_000, 2_000])
      assert.deepStrictEqual(running.alterations.map(({ at, connection }) => [at, connection]), [[500, 1], [1_500, 1]])
    }).pipe(Effect.scoped))
})

describe("what is drawn from a seed", () => {
  it("plans", () => {
    for (const seed of [1, 2, 4_294_967_297]) {
      const plan = FaultPlan.random({
        seed,
        within: "3 hours",
        perHour: 60,
        kinds: seed === 2 ? ["Slow", "Status", "Latency", "Close"] : undefined
      })
      assert.isAbove(plan.length, 100)
      assert.isTrue(plan.every(({ atMillis }) => atMillis > 0 && atMillis < 3 * 3_600_000))
      expect(FaultPlan.format(plan).slice(0, 80).join("\n")).toMatchSnapshot()
    }
    assert.approximately(FaultPlan.random({ seed: 3, within: "100 hours" }).length, 2000, 150)
    // No fault lasts beyond the plan's time.
    for (const { action, atMillis } of FaultPlan.random({ seed: 3, within: "1 minute", perHour: 6000 })) {
      if ("forMillis" in action) assert.isAtMost(atMillis + action.forMillis, 60_000)
    }
  })

  it("no fault at the end of the plan's time", () => {
    const at = (millis: number) =>
      FaultPlan.random({ seed: 1, within: millis, perHour: 3_600_000_000_000 }).map(({ atMillis }) => atMillis)
    assert.deepStrictEqual([at(1), at(2), at(4)], [[], [1], [1, 2, 3]])
  })

  it("numbers, choices and generators of their own", () => {
    const lines: Array<string> = []
    for (const seed of [0, 1, 7, 4_294_967_296, 4_294_967_297, 4_294_967_295]) {
      const chance = Chance.make(seed)
      const fork = chance.fork("a")
      lines.push(
        `${seed}: ${Array.from({ length: 6 }, () => chance.next()).join(" ")}`,
        Array.from({ length: 30 }, () => chance.integer(10)).join(""),
        Array.from({ length: 30 }, () => chance.pick(["x", "y", "z"])).join(""),
        Array.from({ length: 40 }, () => chance.happens(0.25) ? "1" : "0").join(""),
        `${fork.next()} ${chance.fork("a").next()} ${chance.fork("b").next()}`
      )
    }
    expect(lines.join("\n")).toMatchSnapshot()
    assert.isFalse(Chance.make(1).happens(0))
    assert.isTrue(Chance.make(1).happens(1))
  })

  it("a log's fingerprint is that of its lines, kept or not", () => {
    const fill = (log: EventLog.EventLog): EventLog.EventLog => {
      log.add(0, "open")
      log.add(12, "frame", { connection: "a#1", size: 7 })
      log.add(13, "é😀\u0000")
      return log
    }
    const kept = fill(EventLog.make())
    const counted = fill(EventLog.make({ keep: false }))
    assert.deepStrictEqual(kept.lines, ["0 open", "12 frame connection=a#1 size=7", "13 é😀\u0000"])
    assert.deepStrictEqual(counted.lines, [])
    assert.strictEqual(counted.hash(), kept.hash())
    expect([EventLog.make().hash(), kept.hash()]).toMatchSnapshot()
  })
})
