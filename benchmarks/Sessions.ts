/** A session beside bare `ws` with a map of callbacks: how soon a call is answered, how many are, and what one costs in heap. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Session from "@tickline/core/session/Session"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { WebSocket } from "ws"
import * as Heap from "./Heap.ts"
import * as Rounds from "./Rounds.ts"
import * as Served from "./Served.ts"

const many = 1_000
const calls = 4_000
const together = 100

const { child, url } = await Served.start("./RpcServer.ts")

/** What an order is asked for with, and answered by a peer that says it again. */
const order = { instrument_name: "BTC-PERPETUAL", label: "one", post_only: true }

/** How soon calls are answered, one after the other, or how long one takes of many that are made together: in milliseconds. */
type Measured = "soon" | "busy"

const raw = async (measured: Measured): Promise<number> => {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await new Promise((resolve) => socket.on("open", resolve))
  const waiting = new Map<number, (result: unknown) => void>()
  let ids = 0
  socket.on("message", (data) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown }
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  const call = () =>
    new Promise((resolve) => {
      const id = ++ids
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "private/buy", params: order }))
    })
  const took: Array<number> = []
  const begun = performance.now()
  for (let i = 0; i < calls; i += measured === "soon" ? 1 : together) {
    const before = performance.now()
    if (measured === "soon") await call()
    else await Promise.all(Array.from({ length: together }, call))
    took.push(performance.now() - before)
  }
  socket.terminate()
  return measured === "soon" ? Rounds.median(took) : (performance.now() - begun) / calls
}

const Order = Schema.Struct({ instrument_name: Schema.String, label: Schema.String, post_only: Schema.Boolean })
const auth = JsonRpc.method("public/auth", { params: Schema.Struct({}), result: Schema.Struct({}) })
const buy = JsonRpc.method("private/buy", {
  params: Order,
  result: Order,
  deadline: "1 second",
  timeout: "5 seconds",
  priority: "order"
})

const policy = {
  ...Presets.recommended,
  connectTimeout: Duration.seconds(60),
  retry: { ...Presets.recommended.retry, resetOn: { stableFor: Duration.millis(10) } },
  circuit: "none"
} as const

const session = Effect.tap(
  Session.make(url, { peer: "bench", signIn: ({ call }) => Effect.as(call(auth, {}), {}) }),
  ({ connect }) => connect
)

const layers = Layer.merge(Reconnection.layerWithBreaker(policy), NodeTransport.layer)

const ours = (measured: Measured): Promise<number> =>
  Effect.gen(function*() {
    const { call } = yield* session
    const one = call(buy, order)
    const all = Effect.all(Array.from({ length: together }, () => one), { concurrency: "unbounded", discard: true })
    const took: Array<number> = []
    const begun = performance.now()
    for (let i = 0; i < calls; i += measured === "soon" ? 1 : together) {
      const before = performance.now()
      yield* measured === "soon" ? one : all
      took.push(performance.now() - before)
    }
    return measured === "soon" ? Rounds.median(took) : (performance.now() - begun) / calls
  }).pipe(
    Effect.scoped,
    Effect.provide(layers),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

const ourHeap = (): Promise<number> =>
  Effect.gen(function*() {
    const before = yield* Effect.promise(Heap.used)
    yield* Effect.forEach(Array.from({ length: many }), () => session, { concurrency: "unbounded" })
    return ((yield* Effect.promise(Heap.used)) - before) / many
  }).pipe(
    Effect.scoped,
    Effect.provide(layers),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

const rawHeap = async (): Promise<number> => {
  const before = await Heap.used()
  const sockets = await Promise.all(Array.from({ length: many }, () =>
    new Promise<WebSocket>((resolve) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      socket.on("open", () => resolve(socket))
    })))
  const bytes = ((await Heap.used()) - before) / many
  for (const socket of sockets) socket.terminate()
  return bytes
}

const rounds = { rounds: 7, warmup: 2 }
const soonest = await Rounds.interleave({ raw: () => raw("soon"), ours: () => ours("soon") }, rounds)
const most = await Rounds.interleave({ raw: () => raw("busy"), ours: () => ours("busy") }, rounds)
// Last: the collections throw away what was compiled of code that they find idle.
const heapOf = await Rounds.interleave({ raw: rawHeap, ours: ourHeap }, { rounds: 5, warmup: 1 })

const micros = (values: ReadonlyArray<number>): string => (Rounds.median(values) * 1_000).toFixed(0)
const perSecond = (values: ReadonlyArray<number>): string => (1 / Rounds.median(values)).toFixed(0)
const kilobytes = (values: ReadonlyArray<number>): number => Rounds.median(values) / 1_024

Rounds.report([
  {
    name: "request → answer over loopback, p50 ÷ ws with a map of callbacks",
    value: Rounds.ratio(soonest.ours, soonest.raw),
    unit: "×",
    higher: false,
    must: 1.4,
    goal: 1.1,
    detail: `${micros(soonest.ours)} µs, ws ${micros(soonest.raw)} µs`
  },
  {
    name: "100 requests together, each ÷ ws with a map of callbacks",
    value: Rounds.ratio(most.ours, most.raw),
    unit: "×",
    higher: false,
    detail: `${perSecond(most.ours)} thousand requests/s, ws ${perSecond(most.raw)}`
  },
  {
    name: "heap of an idle signed-in session",
    value: kilobytes(heapOf.ours),
    unit: "KB",
    higher: false,
    must: 40,
    goal: 20,
    detail: `bare ws ${kilobytes(heapOf.raw).toFixed(1)} KB`
  }
])
child.disconnect()
process.exit(0)
