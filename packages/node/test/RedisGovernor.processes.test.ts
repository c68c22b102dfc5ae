/** Three processes that share limits over a real Redis, which is killed meanwhile: the limits hold in every window. */
import { assert, describe, it } from "@effect/vitest"
import type { Window } from "@tickline/core/resilience/RollingLimit"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type ChildProcess, spawn } from "node:child_process"
import { createServer, type Socket } from "node:net"
import * as Path from "node:path"
import * as RedisServer from "./RedisServer.ts"

const windows: ReadonlyArray<Window> = [{ limit: 60, windowMillis: 200 }, { limit: 150, windowMillis: 1_000 }]

interface Sent {
  readonly process: number
  /** When it was spent: the monotonic clock is one for all processes of a machine. */
  readonly at: number
  readonly cost: number
  readonly arrivedAt: number
}

/** A server that notes what it is sent, by whom. */
const listener = Effect.acquireRelease(
  Effect.callback<
    {
      readonly port: number
      readonly sent: ReadonlyArray<Sent>
      readonly close: () => void
      readonly waitFor: (is: () => boolean) => Effect.Effect<void>
    }
  >((resume) => {
    const sent: Array<Sent> = []
    const sockets: Array<Socket> = []
    let told = () => {}
    const server = createServer((socket) => {
      const process = sockets.push(socket)
      let rest = ""
      socket.setEncoding("utf8").on("error", () => {}).on("data", (text: string) => {
        const arrivedAt = Number(globalThis.process.hrtime.bigint()) / 1e6
        const lines = `${rest}${text}`.split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) {
          const [at = NaN, cost = NaN] = line.split(" ").map(Number)
          sent.push({ process, at, cost, arrivedAt })
        }
        told()
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed({
        port: typeof address === "object" && address !== null ? address.port : 0,
        sent,
        close: () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        },
        waitFor: (is: () => boolean) =>
          Effect.callback<void>((resume) => {
            told = () => {
              if (is()) resume(Effect.void)
            }
            told()
          })
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The most that was spent in any window of this length, whenever it begins. */
const most = (sent: ReadonlyArray<Sent>, windowMillis: number): number => {
  let [most, sum, begin] = [0, 0, 0]
  for (const { at, cost } of sent) {
    sum += cost
    for (; at - (sent[begin]?.at ?? at) > windowMillis; begin++) sum -= sent[begin]?.cost ?? 0
    most = Math.max(most, sum)
  }
  return most
}

const hammer = Path.join(import.meta.dirname, "RedisHammer.ts")

const spawned = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["--no-warnings", hammer, ...args], { stdio: "ignore" })),
    (child: ChildProcess) => Effect.sync(() => child.kill("SIGKILL"))
  )

describe.skipIf(!RedisServer.isInstalled)("Three processes over one Redis (skipped without redis-server)", () => {
  it.live(
    "never exceed a limit in any window, also while Redis loses its data and is away",
    () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make
        const server = yield* listener
        yield* redis.start
        for (let n = 0; n < 3; n++) {
          yield* spawned(Redacted.value(redis.url), `${server.port}`, "venue.test messages", JSON.stringify(windows))
        }
        const each = (atLeast: number, since: number) =>
          server.waitFor(() =>
            [1, 2, 3].every((process) =>
              server.sent.filter((one) => one.process === process && one.at > since).length >= atLeast
            )
          )
        yield* each(40, 0)
        yield* redis.kill
        const killedAt = yield* Monotonic.now
        yield* Effect.sleep(400)
        const restartedAt = yield* Monotonic.now
        yield* redis.start
        yield* each(40, restartedAt)

        const sent = server.sent.toSorted((one, other) => one.at - other.at)
        for (const { limit, windowMillis } of windows) {
          assert.isAtMost(most(sent, windowMillis), limit, `in ${windowMillis} ms`)
        }
        // What was admitted lapses; then nothing is, until a whole window after the restart.
        assert.deepStrictEqual(sent.filter(({ at }) => at > killedAt + 250 && at < restartedAt + 1_000), [])
        assert.isTrue(sent.every(({ arrivedAt, at }) => at <= arrivedAt))
      }),
    30_000
  )
})
