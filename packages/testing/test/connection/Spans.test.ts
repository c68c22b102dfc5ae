/** What a tracer sees of a connection: what is done once in a while, with how it went, and nothing per frame. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as Channel from "@tickline/core/value/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

/** A tracer, and what it has seen: the spans that ended, as lines. */
const seen = () => {
  const lines: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (at, exit) => {
        end(at, exit)
        const attributes = [...span.attributes].map(([name, value]) => `${name}=${String(value)}`).join(" ")
        const took = Duration.toMillis(Duration.nanos(at - options.startTime))
        lines.push(`${options.name} ${attributes} ${exit._tag} in ${took}`)
      }
      return span
    }
  })
  return { lines, tracer }
}

describe("A tracer", () => {
  it.effect("sees each dial, restore, request and close with how it went, and no frame", () => {
    const { lines, tracer } = seen()
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* host.script({ _tag: "Refuse" })
        const connection = yield* Connection.make(url, {
          label: "venue",
          dialect: { subscribe: (channels) => channels.map(() => "ask"), unsubscribe: () => [] }
        })
        yield* connection.subscribe([Channel.make("trades", "A"), Channel.make("trades", "B")])
        yield* Effect.forkScoped(connection.connect, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        const peer = yield* host.nextPeer
        const requests = yield* Requests.make(connection, (frame) => /^ok (\w+)/.exec(String(frame))?.[1])
        yield* Effect.forkScoped(requests.request("1", "first"), { startImmediately: true })
        yield* Effect.forkScoped(Effect.ignore(requests.request("2", "second", { timeout: "50 millis" })), {
          startImmediately: true
        })
        yield* peer.send(...Array.from({ length: 100 }, (_, i) => `frame ${i}`))
        yield* TestClock.adjust("20 millis")
        yield* peer.send("ok 1")
        yield* TestClock.adjust("40 millis")
        yield* connection.close()
        yield* settle
        assert.deepStrictEqual(lines, [
          "Connection.dial connection=venue attempt=1 origin=ws://venue.test Failure in 0",
          "Connection.dial connection=venue attempt=1 origin=ws://venue.test Success in 0",
          "Connection.restore connection=venue epoch=1 subscriptions=2 Success in 0",
          "Connection.request connection=venue id=1 Success in 20",
          "Connection.request connection=venue id=2 Failure in 50",
          "Connection.close connection=venue mode=graceful epoch=1 Success in 0"
        ])
      }).pipe(Effect.withTracer(tracer)))
  })
})
