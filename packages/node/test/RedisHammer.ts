/**
 * One of several processes that share limits, and send as fast as they admit: a line for each admission, with the time at
 * which it was spent on the clock that all processes of a machine share, and its cost.
 */
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as RedisGovernor from "@tickline/node/RedisGovernor"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { connect } from "node:net"

const [url = "", port = "", key = "", windows = "[]"] = process.argv.slice(2)

const socket = connect(Number(port), "127.0.0.1")
// Who listens has ended, and so does this.
socket.on("close", () => process.exit(0)).on("error", () => {})

const hammer = Effect.gen(function*() {
  const { governor } = yield* RedisGovernor.RedisGovernor
  const limit = yield* governor.share(key, JSON.parse(windows))
  const send = (cost: number, spares: boolean) =>
    Effect.gen(function*() {
      while (true) {
        const at = yield* Monotonic.now
        const wait = limit.take(at, cost, spares)
        if (wait === 0) socket.write(`${at} ${cost}\n`)
        else yield* limit.wait(wait, cost, spares)
      }
    })
  yield* Effect.all([send(1, false), send(2, true), send(3, false), send(1, true)], { concurrency: "unbounded" })
})

Effect.runFork(
  Effect.scoped(hammer).pipe(
    Effect.provide(Layer.merge(
      RedisGovernor.layer({ url: Redacted.make(url) }),
      Logger.layer([Logger.consolePretty()])
    ))
  )
)
