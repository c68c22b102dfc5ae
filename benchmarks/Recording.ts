/** 20,000 frames a second, one by one, recorded and not: what a recording costs in CPU. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Recorder from "@tickline/core/recording/Recorder"
import { Transport } from "@tickline/core/transport/Transport"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as RecordingFile from "@tickline/node/RecordingFile"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Clients from "./Clients.ts"
import * as Rounds from "./Rounds.ts"
import { cpu } from "./Spent.ts"

const perSecond = 20_000
const count = 30_000

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
const file = Path.join(folder, "a.jsonl.zst")

let dropped = 0

const recorded: Layer.Layer<Transport> = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const recorder = yield* Recorder.make({
      sink: yield* Effect.orDie(RecordingFile.open(file)),
      headers: [{ venue: "coinbase-exchange", products: ["BTC-USD"], channels: ["matches"] }]
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => void (dropped += recorder.counts().dropped)))
    return recorder.transport(yield* Transport)
  })
).pipe(Layer.provide(NodeTransport.layer))

const server = await Clients.serve()
const url = `${server.url}/?count=${count}&rate=${perSecond}`

let sink = 0
const run = (transport: Layer.Layer<Transport>) =>
  cpu(() => Clients.tickline(url, count, 1, (trades) => void (sink += trades), transport))

// The CPU of a round differs from that of the next by a twentieth: it takes more of them to see what is added.
const spent = await Rounds.interleave({
  bare: () => run(NodeTransport.layer),
  recorded: () => run(recorded)
}, { rounds: 15, warmup: 4 })

Fs.rmSync(folder, { recursive: true })
server.stop()
if (sink === 0) throw new Error("nothing was read")
if (dropped > 0) throw new Error(`${dropped} lines were left out of the recording`)

Rounds.report([
  {
    name: "recording (zstd) at 20,000 frames/s, CPU ÷ without",
    value: Rounds.ratio(spent.recorded, spent.bare),
    unit: "×",
    higher: false,
    must: 1.15,
    goal: 1.05,
    detail: `${(Rounds.median(spent.recorded) / count).toFixed(1)} µs a frame, without ${
      (Rounds.median(spent.bare) / count).toFixed(1)
    }`
  }
])
process.exit(0)
