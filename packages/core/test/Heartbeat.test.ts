/**
 * When a peer is found dead, and when it is we who did not hear: to the
 * millisecond, on a clock that wakes as late as it is told to.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as KeepAlive from "@tickline/core/protocol/KeepAlive"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport, type Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Heartbeat from "../src/connection/internal/heartbeat.ts"
import * as Correlator from "../src/protocol/internal/correlator.ts"

/** What is so at a time: what the heartbeat asks about, how late sleeps end that begin then, when a ping is answered. */
interface State {
  receivedAt: number
  resumedAt: number
  isStalled: boolean
  lateMillis: number
  pongAfterMillis: number
  admitMillis: number
  goesOn: boolean
}

/** What changes at a time, and the messages that come then. */
interface Change extends Partial<State> {
  readonly hears?: NonEmptyReadonlyArray<string>
}

const wireOf = (ping: Wire["ping"]): Wire => ({
  pull: Effect.never,
  ready: Effect.void,
  write: () => true,
  ping,
  close: () => Effect.succeed({ clean: true }),
  terminate: Effect.void,
  bufferedBytes: () => 0,
  paused: () => false
})

/** Runs a heartbeat for so many milliseconds; each change comes at its time. What happened, each with when. */
const beats = Effect.fnUntraced(function*(
  keepAlive: KeepAlive.KeepAlive<string>,
  forMillis: number,
  begin: Partial<State> = {},
  changes: Readonly<Record<number, Change>> = {}
) {
  const base = yield* Clock.Clock
  const state: State = {
    receivedAt: 0,
    resumedAt: 0,
    isStalled: false,
    lateMillis: 0,
    pongAfterMillis: Infinity,
    admitMillis: 0,
    goesOn: true,
    ...begin
  }
  const lines: Array<string> = []
  const note = (what: string): void => void lines.push(`${Monotonic.nowMillis(base)} ${what}`)
  const heartbeat = Heartbeat.make<string>({
    wire: wireOf(Effect.suspend(() => {
      note("ping")
      return base.sleep(Duration.millis(state.pongAfterMillis))
    })),
    keepAlive,
    correlator: Correlator.make(),
    intervalMillis: 1_000,
    timeoutMillis: 400,
    send: (frame, kind) => note(`${kind}: ${frame}`),
    admit: Effect.suspend(() => base.sleep(Duration.millis(state.admitMillis))),
    isStalled: () => state.isStalled,
    resumedAt: () => state.resumedAt,
    lastReceivedAt: () => state.receivedAt,
    onRoundTrip: (millis) => Effect.sync(() => note(`answered in ${millis}`)),
    onStall: (stall) => Effect.sync(() => note(`stall: ${stall}`)),
    onMiss: Effect.sync(() => {
      note("miss")
      return state.goesOn
    })
  })
  const late: Clock.Clock = {
    currentTimeMillisUnsafe: () => base.currentTimeMillisUnsafe(),
    currentTimeMillis: base.currentTimeMillis,
    currentTimeNanosUnsafe: () => base.currentTimeNanosUnsafe(),
    currentTimeNanos: base.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => base.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: base.monotonicTimeNanos,
    sleep: (duration) => Effect.suspend(() => base.sleep(Duration.sum(duration, Duration.millis(state.lateMillis))))
  }
  const run: Effect.Effect<void, WireClosed> = Effect.suspend(() =>
    (heartbeat.restMillis === 0 ? Effect.void : Effect.sleep(heartbeat.restMillis)).pipe(
      Effect.andThen(() => heartbeat.beat()),
      Effect.flatMap((goesOn) => goesOn ? run : Effect.void)
    )
  )
  yield* Effect.forkChild(
    Effect.andThen(run, Effect.sync(() => note("end"))).pipe(Effect.provideService(Clock.Clock, late)),
    { startImmediately: true }
  )
  for (let at = 0; at < forMillis; at++) {
    const { hears, ...change } = changes[at] ?? {}
    Object.assign(state, change)
    if (hears !== undefined) {
      heartbeat.observer?.batch({
        _tag: "Batch",
        epoch: 1,
        at,
        monotonicMillis: at,
        bytes: 0,
        messages: hears,
        frames: hears,
        starts: []
      })
    }
    yield* TestClock.adjust(1)
  }
  return lines
})

const server: KeepAlive.KeepAlive<string> = { _tag: "Server", withinMillis: 1_000 }
const protocol: KeepAlive.KeepAlive<string> = { _tag: "Protocol" }
const application: KeepAlive.KeepAlive<string> = {
  _tag: "Application",
  everyMillis: 600,
  ping: (id) => `ping ${id}`,
  isPong: (message) => message === "pong"
}
const requested: KeepAlive.KeepAlive<string> = {
  _tag: "Requested",
  withinMillis: 1_000,
  enable: (id) => `enable ${id}`,
  answer: (message, id) => message === "test" ? `alive ${id}` : undefined
}

type Row = readonly [
  what: string,
  forMillis: number,
  begin: Partial<State>,
  changes: Readonly<Record<number, Change>>,
  lines: ReadonlyArray<string>
]

const table = (keepAlive: KeepAlive.KeepAlive<string>, rows: ReadonlyArray<Row>): void => {
  for (const [what, forMillis, begin, changes, lines] of rows) {
    it.effect(
      what,
      () => Effect.map(beats(keepAlive, forMillis, begin, changes), (seen) => assert.deepStrictEqual(seen, lines))
    )
  }
}

describe("A peer that is to be heard by itself", () => {
  table(server, [
    ["is missed once its time and the timeout are over", 1_400, { goesOn: false }, {}, ["1400 miss", "1400 end"]],
    ["is not missed before", 1_399, {}, {}, []],
    ["is missed again each time that it is due", 3_500, {}, {}, ["1400 miss", "2400 miss", "3400 miss"]],
    ["is waited for anew after each of its messages", 3_100, {}, {
      900: { receivedAt: 900 },
      1_600: { receivedAt: 1_600 }
    }, [
      "3000 miss"
    ]],
    ["that speaks after a miss is waited for anew", 3_000, {}, { 1_500: { receivedAt: 1_500 } }, [
      "1400 miss",
      "2900 miss"
    ]],
    ["is not to blame where a consumer holds up the socket, which is one stall", 7_000, { isStalled: true }, {
      3_000: { isStalled: false, resumedAt: 3_000 }
    }, ["1400 stall: consumer", "4400 miss", "5400 miss", "6400 miss"]],
    ["has its whole time again where reading went on meanwhile", 1_900, {}, { 500: { resumedAt: 500 } }, ["1900 miss"]],
    ["has no more of it where reading went on before", 1_500, { receivedAt: 10, resumedAt: 10 }, {}, ["1410 miss"]],
    ["is missed where we woke half of its time late", 2_100, { lateMillis: 700 }, { 1: { lateMillis: 0 } }, [
      "2100 miss"
    ]],
    ["is waited for anew where we woke later than that", 3_501, { lateMillis: 701 }, { 1: { lateMillis: 0 } }, [
      "2101 stall: loop",
      "3501 miss"
    ]]
  ])
})

describe("A peer that answers pings", () => {
  table(protocol, [
    ["has its round trips told", 3_100, { pongAfterMillis: 30 }, { 1_500: { pongAfterMillis: 399 } }, [
      "1000 ping",
      "1030 answered in 30",
      "2030 ping",
      "2429 answered in 399"
    ]],
    ["is missed once the timeout is over", 3_900, {}, {}, [
      "1000 ping",
      "1400 miss",
      "2400 ping",
      "2800 miss",
      "3800 ping"
    ]],
    ["is given up where that is to be", 3_900, { goesOn: false }, {}, ["1000 ping", "1400 miss", "1400 end"]],
    ["is not missed where something else came after the ping", 1_500, {}, { 1_100: { receivedAt: 1_001 } }, [
      "1000 ping"
    ]],
    ["is missed where the last came with the ping", 1_500, {}, { 1_100: { receivedAt: 1_000 } }, [
      "1000 ping",
      "1400 miss"
    ]],
    ["is pinged once the limit admits it", 2_800, { admitMillis: 50 }, {}, [
      "1050 ping",
      "1450 miss",
      "2500 ping"
    ]],
    ["is not missed where we woke late", 2_100, {}, { 900: { lateMillis: 201 }, 1_205: { lateMillis: 0 } }, [
      "1000 ping",
      "1601 stall: loop",
      "2001 miss"
    ]],
    ["is missed where we woke half the timeout late", 2_100, {}, { 900: { lateMillis: 200 } }, [
      "1000 ping",
      "1600 miss"
    ]]
  ])
})

describe("A peer that answers pings of its own", () => {
  table(application, [
    ["has its round trips told, and nothing else answers", 1_300, {}, {
      100: { hears: ["pong"] },
      630: { hears: ["x"] },
      640: { hears: ["y", "pong"] }
    }, [
      "600 ping: ping 1",
      "640 answered in 40",
      "1240 ping: ping 2"
    ]],
    ["is missed once the timeout is over, and a late pong answers nothing", 2_700, {}, {
      1_100: { hears: ["pong"] },
      2_650: { hears: ["pong"] }
    }, [
      "600 ping: ping 1",
      "1000 miss",
      "1600 ping: ping 2",
      "2000 miss",
      "2600 ping: ping 3",
      "2650 answered in 50"
    ]]
  ])
})

describe("A peer that tests us", () => {
  table(requested, [
    ["is asked to, is answered with the next id, and is missed where it does not", 2_000, {}, {
      10: { hears: ["test", "x", "test"] },
      20: { hears: ["x"] },
      500: { receivedAt: 500 },
      600: { hears: ["test"] }
    }, ["0 enable: enable 1", "10 answer: alive 2", "10 answer: alive 3", "600 answer: alive 4", "1900 miss"]]
  ])
})

const heartbeatOf = (keepAlive: KeepAlive.KeepAlive<string>) =>
  Heartbeat.make<string>({
    wire: wireOf(Effect.never),
    keepAlive,
    correlator: Correlator.make(),
    intervalMillis: 1,
    timeoutMillis: 1,
    send: () => {},
    admit: Effect.void,
    isStalled: () => false,
    resumedAt: () => 0,
    lastReceivedAt: () => 0,
    onRoundTrip: () => Effect.void,
    onStall: () => Effect.void,
    onMiss: Effect.succeed(true)
  })

describe("A peer that offers nothing", () => {
  it("is looked at by nobody", () => {
    assert.isUndefined(heartbeatOf({ _tag: "None" }).observer)
    assert.isUndefined(heartbeatOf(server).observer)
    assert.isUndefined(heartbeatOf(protocol).observer)
  })
  table({ _tag: "None" }, [["is never missed", 5_000, {}, {}, ["0 end"]]])
})

describe("A heartbeat that was started", () => {
  it.effect("rests before each beat, and beats no more once it is cancelled, at rest or amid a beat", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const clock = yield* Clock.Clock
      const start = (restMillis: number, beat: Effect.Effect<boolean>) => {
        const at: Array<number> = []
        const beats = Heartbeat.start(
          {
            observer: undefined,
            restMillis,
            beat: () => Effect.andThen(Effect.sync(() => at.push(clock.currentTimeMillisUnsafe())), beat)
          },
          context,
          (effect) => Effect.runForkWith(context)(effect)
        )
        return { at, beats }
      }
      const brief = start(100, Effect.succeed(true))
      const long = start(100, Effect.as(Effect.sleep(50), true))
      const atOnce = start(0, Effect.succeed(false))
      assert.deepStrictEqual(atOnce.at, [0])
      yield* TestClock.adjust(420)
      brief.beats.cancel()
      long.beats.cancel()
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(brief.at, [100, 200, 300, 400])
      assert.deepStrictEqual(long.at, [100, 250, 400])
      assert.deepStrictEqual(atOnce.at, [0])
    }))

  it.effect("of a connection that is closed nothing is left to wait", () =>
    Effect.gen(function*() {
      const base = yield* Clock.Clock
      let waiting = 0
      const counting: Clock.Clock = Object.assign(Object.create(base), {
        sleep: (duration: Duration.Duration) =>
          Effect.suspend(() => {
            waiting++
            return Effect.ensuring(base.sleep(duration), Effect.sync(() => waiting--))
          })
      })
      const ended = yield* Deferred.make<never, WireClosed>()
      const end = Deferred.fail(ended, WireClosed.of({ by: "local", code: 1000, reason: "" }))
      const wire = {
        ...wireOf(Effect.void),
        pull: Deferred.await(ended),
        close: () => Effect.as(end, { clean: true }),
        terminate: Effect.asVoid(end)
      }
      const whileUp = yield* Connection.connect("ws://127.0.0.1:1").pipe(
        Effect.andThen(TestClock.adjust(1)),
        Effect.map(() => waiting),
        Effect.scoped,
        Effect.provide([
          Reconnection.layerWithBreaker(Presets.recommended),
          Layer.succeed(Transport, {
            capabilities: { headers: true, ping: true, pause: true, handshakeStatus: true },
            dial: () => Effect.succeed(wire)
          })
        ]),
        Effect.provideService(Clock.Clock, counting)
      )
      assert.isAbove(whileUp, 0)
      assert.strictEqual(waiting, 0)
    }))
})
