/** A source that a test scripts, and what is read of a stream over it. */
import * as ReconnectingStream from "@tickline/core/market/ReconnectingStream"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

export interface Refused {
  readonly _tag: "Refused"
  readonly message: string
}
export const refused: Refused = { _tag: "Refused", message: "nobody there" }

export type Event = { readonly _tag: "Price"; readonly price: string }
export const price = (price: string): Event => ({ _tag: "Price", price })
export const drop: ReconnectingStream.Disconnected = { _tag: "Disconnected", reason: "network" }

export type Said = Event | ReconnectingStream.Disconnected | "end" | Refused | { readonly wait: number }

/**
 * A source that plays a script: what its connects and subscribes answer, one
 * after the other (success where the script is over), and what it says on each
 * connection in turn (silence where that is over). It counts, with the time.
 */
export const scripted = (script: {
  readonly connects?: ReadonlyArray<"ok" | Refused | "hang">
  readonly subscribes?: ReadonlyArray<"ok" | Refused>
  readonly says?: ReadonlyArray<ReadonlyArray<Said>>
}) => {
  const connects: Array<number> = []
  const subscribes: Array<readonly [at: number, ids: ReadonlyArray<string>]> = []
  let up = 0
  let said: Array<Said> = []
  const at = <A, E>(f: (now: number) => Effect.Effect<A, E>) => Effect.flatMap(Clock.currentTimeMillis, f)
  const source: ReconnectingStream.MarketDataStream<Event | ReconnectingStream.Disconnected, Refused> = {
    exchangeName: "scripted",
    connect: at((now) => {
      const answer = script.connects?.[connects.length] ?? "ok"
      connects.push(now)
      if (answer === "hang") return Effect.never
      if (answer !== "ok") return Effect.fail(answer)
      said = [...script.says?.[up] ?? []]
      up++
      return Effect.void
    }),
    subscribe: (ids) =>
      at((now) => {
        const answer = script.subscribes?.[subscribes.length] ?? "ok"
        subscribes.push([now, ids])
        return answer === "ok" ? Effect.void : Effect.fail(answer)
      }),
    nextEvent: Effect.suspend((): Effect.Effect<
      Option.Option<Event | ReconnectingStream.Disconnected>,
      Refused
    > => {
      const next = said[0]
      if (next === undefined) return Effect.never
      if (typeof next === "object" && "wait" in next) {
        return Effect.andThen(
          Effect.sleep(next.wait),
          Effect.suspend(() => {
            said.shift()
            return source.nextEvent
          })
        )
      }
      said.shift()
      if (next === "end") return Effect.succeedNone
      return next._tag === "Refused" ? Effect.fail(next) : Effect.succeedSome(next)
    })
  }
  return { source, connects, subscribes }
}

export const test = Presets.test
export const circuit = test.circuit as Exclude<typeof test.circuit, "none">
export const unbroken: ConnectionPolicy.ConnectionPolicy = { ...test, circuit: "none" }

/** Reads in the background; gives what was read so far, and the error that ended it. */
export const reading = <E>(stream: ReconnectingStream.MarketDataStream<Event, E>) =>
  Effect.gen(function*() {
    const events: Array<string> = []
    const fiber = yield* ReconnectingStream.events(stream).pipe(
      Stream.runForEach(({ price }) => Effect.sync(() => events.push(price))),
      Effect.forkChild({ startImmediately: true })
    )
    yield* TestClock.adjust(0)
    return { events, fiber }
  })
