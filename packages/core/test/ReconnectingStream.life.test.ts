/**
 * The life of a stream that comes back, under each preset: when it dials, what
 * it logs and how it ends, to the millisecond. What changes on purpose is
 * written anew by `vitest run -u`.
 */
import { describe, expect, it } from "@effect/vitest"
import * as ReconnectingStream from "@tickline/core/market/ReconnectingStream"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

interface Down {
  readonly _tag: "Refused" | "Unauthorized" | "Slow"
  readonly message: string
}

const down = (_tag: Down["_tag"]): Down => ({ _tag, message: `${_tag.toLowerCase()}, it said` })

type Said = string | number | Down | ReconnectingStream.Disconnected | "end"

/** What each dial meets, and what each connection says: a text is an event, a number a wait in milliseconds. */
interface Script {
  readonly dials: ReadonlyArray<"ok" | "hang" | Down>
  readonly says: ReadonlyArray<ReadonlyArray<Said>>
}

const dropped: ReconnectingStream.Disconnected = { _tag: "Disconnected", reason: "network" }

const scripts: Readonly<Record<string, Script>> = {
  "drops, short and long": {
    dials: [],
    says: [
      ["a", 100, dropped],
      [50, dropped],
      ["b", 20_000, "c", dropped],
      [90_000, "d", "end"],
      ["e", 3000, down("Slow")],
      ["f"]
    ]
  },
  "refusals before and after": {
    dials: [down("Refused"), down("Slow"), "ok", down("Refused"), down("Refused"), down("Slow"), "hang", "ok"],
    says: [["a", 1000, dropped], ["b"]]
  },
  "accepted and dropped, again and again": {
    dials: [],
    says: Array.from({ length: 14 }, () => [10, dropped])
  },
  "nobody there for good": {
    dials: ["ok", ...Array.from({ length: 40 }, () => down("Refused"))],
    says: [["a", dropped]]
  },
  "a token that is refused": { dials: ["ok", down("Unauthorized")], says: [["a", 500, dropped], ["b"]] },
  "an error that says stop": { dials: [], says: [["a", 500, down("Unauthorized")], ["b"]] }
}

const life = Effect.fnUntraced(function*(policy: ConnectionPolicy.ConnectionPolicy, script: Script) {
  const lines: Array<string> = []
  const note = (what: string) =>
    Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (at) => {
      lines.push(`${at} ${what}`)
    })
  let dials = 0
  let ups = 0
  let said: Array<Said> = []
  const source: ReconnectingStream.MarketDataStream<string | ReconnectingStream.Disconnected, Down> = {
    exchangeName: "scripted",
    connect: Effect.gen(function*() {
      const answer = script.dials[dials++] ?? "ok"
      yield* note(`dial: ${typeof answer === "string" ? answer : answer._tag}`)
      if (answer === "hang") return yield* Effect.never
      if (answer !== "ok") return yield* Effect.fail(answer)
      said = [...script.says[ups++] ?? []]
    }),
    subscribe: (ids) => note(`subscribe ${ids.join()}`),
    nextEvent: Effect.gen(function*() {
      while (true) {
        const next = said.shift()
        if (next === undefined) return yield* Effect.never
        if (typeof next === "number") {
          yield* Effect.sleep(next)
          continue
        }
        if (next === "end") return Option.none()
        if (typeof next === "object" && next._tag !== "Disconnected") return yield* Effect.fail(next)
        return Option.some(next)
      }
    })
  }
  const logger = Logger.make(({ date, logLevel, message }) => {
    lines.push(`${date.getTime()} ${logLevel} ${JSON.stringify(message)}`)
  })
  yield* Effect.gen(function*() {
    const stream = yield* ReconnectingStream.make(source, policy, {
      classify: (error) => error._tag === "Unauthorized" ? "stop" : "retry",
      kind: (error) => error._tag === "Slow" ? "TimedOut" : error._tag
    })
    yield* stream.subscribe(["BTC", "ETH"])
    // Who is told of an end asks once more, and then begins anew.
    const read = ReconnectingStream.events(stream).pipe(
      Stream.runForEach((event) => note(`event ${event}`)),
      Effect.catch((error) => note(`ended: ${error.message}`))
    )
    yield* Effect.forkScoped(
      Effect.gen(function*() {
        yield* Effect.catch(stream.connect, (error) => note(`not connected: ${error.message}`))
        yield* read
        yield* Effect.sleep("1 minute")
        yield* read
        yield* Effect.sleep("1 minute")
        yield* Effect.catch(stream.connect, (error) => note(`not connected: ${error.message}`))
        yield* read
      }),
      { startImmediately: true }
    )
    for (let minute = 0; minute < 15; minute++) yield* TestClock.adjust("1 minute")
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])), Random.withSeed("life"))
  return lines.join("\n")
})

describe("the life of a stream", () => {
  const policies: ReadonlyArray<readonly [name: string, policy: ConnectionPolicy.ConnectionPolicy]> = [
    ...Presets.presetNames.map((name) => [name, Presets.preset(name)] as const),
    ["first message", { ...Presets.standard, retry: { maxRetries: 3, resetOn: "first-message" } }],
    ["stable life", {
      ...Presets.fast,
      retry: { maxRetries: "unlimited", resetOn: { stableFor: Duration.seconds(15) } }
    }]
  ]
  for (const [name, policy] of policies) {
    for (const [what, script] of Object.entries(scripts)) {
      it.effect(`under ${name}: ${what}`, () =>
        Effect.map(life(policy, script), (lines) => expect(lines).toMatchSnapshot()))
    }
  }
})
