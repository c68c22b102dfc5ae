/**
 * A process that stores orders, several at a time, until it is killed: a line for each thing that it was told is stored,
 * written before anything else is done.
 */
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import process from "node:process"
import { clientOf } from "./Databases.ts"
import * as Script from "./Script.ts"

const [address = "", name = ""] = process.argv.slice(2)

const say = (...words: ReadonlyArray<string | number>) => Effect.sync(() => Fs.writeSync(1, `${words.join(" ")}\n`))

const writing = Effect.gen(function*() {
  const storage = yield* Storage.Storage
  const order = Effect.fnUntraced(function*(clientId: string) {
    const request = Script.requestOf(clientId)
    yield* storage.claim(request)
    yield* say("claimed", clientId)
    yield* storage.intend(Script.exchange, request)
    yield* say("intended", clientId)
    let count = 0
    for (const event of Script.eventsOf(clientId)) {
      yield* storage.append(Script.exchange, clientId, event)
      yield* say("appended", clientId, ++count)
    }
  })
  const writer = Effect.fnUntraced(function*(lane: number) {
    for (let number = 1; true; number++) yield* order(`${name}-${lane}-${number}`)
  })
  yield* Effect.all([1, 2, 3, 4].map(writer), { concurrency: "unbounded" })
})

Effect.runFork(Effect.provide(writing, Layer.provide(SqlStorage.layer, clientOf(address))))
