/** A thousand supervised connections: what one costs in heap, and how soon all are live again after a drop. */
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { WebSocket } from "ws"
import * as RollingLimits from "../packages/core/src/resilience/internal/rollingLimit.ts"
import * as Heap from "./Heap.ts"
import * as Rounds from "./Rounds.ts"
import * as Served from "./Served.ts"

const many = 1_000

const { child, url } = await Served.start("./DropServer.ts")

const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
}

/** What a connection costs in heap, or how long it takes until all are live again. */
type Measured = "heapBytes" | "revivalMillis"

/** Bare `ws` in a loop that dials again at once. */
const raw = async (measured: Measured): Promise<number> => {
  const before = measured === "heapBytes" ? await Heap.used() : 0
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
  const revive = async (): Promise<number> => {
    open = 0
    const begun = performance.now()
    child.send("drop")
    await until(() => open === many)
    return performance.now() - begun
  }
  const value = measured === "heapBytes" ? ((await Heap.used()) - before) / many : await revive()
  ends = true
  for (const socket of sockets) socket.terminate()
  await until(() => sockets.size === 0)
  return value
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
const ours = (measured: Measured): Promise<number> =>
  Effect.gen(function*() {
    const before = measured === "heapBytes" ? yield* Effect.promise(Heap.used) : 0
    const connections = yield* Effect.forEach(Array.from({ length: many }), () => Connection.connect(url), {
      concurrency: "unbounded"
    })
    if (measured === "heapBytes") return ((yield* Effect.promise(Heap.used)) - before) / many
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
    return performance.now() - begun
  }).pipe(
    Effect.scoped,
    Effect.provide([Reconnection.layerWithBreaker(policy), NodeTransport.layer]),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

// By themselves: the collections that the heap is measured with throw away what was compiled of code that they find idle.
const heapOf = await Rounds.interleave(
  { raw: () => raw("heapBytes"), ours: () => ours("heapBytes") },
  { rounds: 5, warmup: 1 }
)
// What a dial goes through is compiled piece by piece: until the tenth round each is faster than the one before.
const revivalOf = await Rounds.interleave(
  { raw: () => raw("revivalMillis"), ours: () => ours("revivalMillis") },
  { rounds: 11, warmup: 10 }
)

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

const kilobytes = (values: ReadonlyArray<number>): number => Rounds.median(values) / 1_024
const millis = (values: ReadonlyArray<number>): string => Rounds.median(values).toFixed(0)

Rounds.report([
  {
    name: "heap of an idle supervised connection",
    value: kilobytes(heapOf.ours),
    unit: "KB",
    higher: false,
    must: 20,
    goal: 10,
    detail: `bare ws ${kilobytes(heapOf.raw).toFixed(1)} KB`
  },
  {
    name: "1,000 dropped connections all live again ÷ ws loop",
    value: Rounds.ratio(revivalOf.ours, revivalOf.raw),
    unit: "×",
    higher: false,
    must: 2,
    goal: 1.3,
    detail: `${millis(revivalOf.ours)} ms, ws loop ${millis(revivalOf.raw)} ms`
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
