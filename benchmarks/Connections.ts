/** A thousand supervised connections: what one costs in heap, and how soon all are live again after a drop. */
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { WebSocket } from "ws"
import * as RollingLimits from "../packages/core/src/resilience/internal/rollingLimit.ts"
import * as Rounds from "./Rounds.ts"

const many = 1_000

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
const heap = async (): Promise<number> => {
  for (let i = 0; i < 4; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return process.memoryUsage().heapUsed
}

const child = fork(fileURLToPath(new URL("./DropServer.ts", import.meta.url)), { stdio: "inherit" })
const url = await new Promise<string>((resolve, reject) => {
  child.once("message", (message: { url: string }) => resolve(message.url))
  child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)))
})

const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
}

interface Held {
  readonly heapBytes: number
  readonly revivalMillis: number
}

/** Bare `ws` in a loop that dials again at once. */
const raw = async (): Promise<Held> => {
  const before = await heap()
  const sockets = new Set<WebSocket>()
  let open = 0
  let ends = false
  const dial = (): void => {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    sockets.add(socket)
    socket.on("open", () => open++)
    socket.on("error", () => {})
    socket.on("close", () => {
      sockets.delete(socket)
      if (!ends) dial()
    })
  }
  for (let i = 0; i < many; i++) dial()
  await until(() => open === many)
  const heapBytes = ((await heap()) - before) / many
  open = 0
  const begun = performance.now()
  child.send("drop")
  await until(() => open === many)
  const revivalMillis = performance.now() - begun
  ends = true
  for (const socket of sockets) socket.terminate()
  await until(() => sockets.size === 0)
  return { heapBytes, revivalMillis }
}

const policy: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.recommended,
  connectTimeout: Duration.seconds(60),
  // What a connection costs that is idle for a day, and not what it costs until it has shown that it is stable.
  retry: { ...Presets.recommended.retry, resetOn: { stableFor: Duration.millis(10) } },
  backoff: { base: Duration.millis(1), factor: 1, cap: Duration.millis(1), jitter: "none" },
  circuit: "none"
}

/** Supervised connections with heartbeats, state, outbox and metrics. */
const ours = (): Promise<Held> =>
  Effect.gen(function*() {
    const before = yield* Effect.promise(heap)
    const connections = yield* Effect.forEach(Array.from({ length: many }), () => Connection.connect(url), {
      concurrency: "unbounded"
    })
    const heapBytes = ((yield* Effect.promise(heap)) - before) / many
    const begun = performance.now()
    child.send("drop")
    // One after the other, so that asking costs nothing next to what is asked about: who is live again stays so.
    for (const connection of connections) {
      const isLiveAgain = Effect.map(
        connection.state.current,
        (state) => state._tag === "Connected" && state.epoch === 2
      )
      while (!(yield* isLiveAgain)) yield* Effect.sleep(2)
    }
    return { heapBytes, revivalMillis: performance.now() - begun }
  }).pipe(
    Effect.scoped,
    Effect.provide([Reconnection.layerWithBreaker(policy), NodeTransport.layer]),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

const held: { readonly raw: Array<Held>; readonly ours: Array<Held> } = { raw: [], ours: [] }
for (let round = -1; round < 5; round++) {
  const [bare, supervised] = [await raw(), await ours()]
  if (round < 0) continue
  held.raw.push(bare)
  held.ours.push(supervised)
}

// The limiter: what one admission costs, in a window that is full of others.
const admissions = 200_000
const limiter = (): number => {
  const log = RollingLimits.make([{ limit: 1_000, windowMillis: 1_000 }, {
    limit: 10_000,
    windowMillis: 60_000
  }])
  const begun = performance.now()
  for (let i = 0; i < admissions; i++) log.take(i)
  return (performance.now() - begun) / admissions * 1_000
}
const limited = await Rounds.interleave({ limiter }, { rounds: 7, warmup: 2 })

const kilobytes = (values: ReadonlyArray<Held>): number =>
  Rounds.median(values.map(({ heapBytes }) => heapBytes / 1_024))

Rounds.report([
  {
    name: "heap of an idle supervised connection",
    value: kilobytes(held.ours),
    unit: "KB",
    higher: false,
    must: 20,
    goal: 10,
    detail: `bare ws ${kilobytes(held.raw).toFixed(1)} KB`
  },
  {
    name: "1,000 dropped connections all live again ÷ ws loop",
    value: Rounds.median(held.ours.map(({ revivalMillis }, i) => revivalMillis / (held.raw[i]?.revivalMillis ?? 0))),
    unit: "×",
    higher: false,
    must: 2,
    goal: 1.3,
    detail: `${Rounds.median(held.ours.map(({ revivalMillis }) => revivalMillis)).toFixed(0)} ms, ws loop ${
      Rounds.median(held.raw.map(({ revivalMillis }) => revivalMillis)).toFixed(0)
    } ms`
  },
  {
    name: "limiter, one admission by two rolling windows",
    value: Rounds.median(limited.limiter),
    unit: "µs",
    higher: false
  }
])
child.disconnect()
process.exit(0)
