/**
 * Processes that store orders and are killed outright: `TICKLINE_KILLS=50` (`pnpm kills`) for more of them than the suite
 * has.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Order from "@tickline/core/trading/Order"
import type { Fill } from "@tickline/core/trading/OrderEvent"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Databases from "./Databases.ts"
import * as Script from "./Script.ts"

const kills = Number(process.env["TICKLINE_KILLS"] ?? 2)

const writer = fileURLToPath(new URL("./StorageWriter.ts", import.meta.url))

/** Runs it until so many milliseconds after its first line, and kills it; gives its lines. */
const killed = (args: ReadonlyArray<string>, millis: number) =>
  Effect.promise(() =>
    new Promise<ReadonlyArray<string>>((resolve, reject) => {
      const child = spawn(process.execPath, [writer, ...args], { stdio: ["ignore", "pipe", "inherit"] })
      let said = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (said === "") setTimeout(() => child.kill("SIGKILL"), millis)
        said += text
      })
      child.on("close", (_, signal) => {
        if (signal === "SIGKILL") resolve(said.split("\n").filter((line) => line !== ""))
        else reject(new Error(`it ended by itself: ${said}`))
      })
    })
  )

/** How far each order is known to have come: -1 claimed, 0 intended, and then its events. */
const acknowledged = (lines: ReadonlyArray<string>) => {
  const found = new Map<string, number>()
  for (const line of lines) {
    const [what = "", clientId = "", count = "0"] = line.split(" ")
    found.set(clientId, what === "claimed" ? -1 : Number(count))
  }
  return found
}

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`A storage whose process is killed: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      it.effect("has all that was acknowledged, and nothing by halves", () =>
        Effect.gen(function*() {
          const database = yield* Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)
          const known = new Map<string, number>()
          let unacknowledged = 0
          for (let seed = 1; seed <= kills; seed++) {
            const lines = yield* killed([database.address, `p${seed}`], Chance.make(seed).integer(250))
            for (const [clientId, count] of acknowledged(lines)) known.set(clientId, count)
            unacknowledged += yield* Effect.scoped(Effect.gen(function*() {
              const client = yield* Layer.build(database.client)
              const sql = Context.get(client, SqlClient.SqlClient)
              const storage = Context.get(
                yield* Layer.build(Layer.provide(SqlStorage.layer, Layer.succeedContext(client))),
                Storage.Storage
              )
              return yield* held(storage, sql, known)
            }))
          }
          assert.isAbove(known.size, kills)
          // Of each of the four that were written at a time one step may be there that was not acknowledged.
          assert.isAtMost(unacknowledged, 4 * kills)
        }), 20_000 * kills)
    })
  })
}

/** Holds what is stored against what was acknowledged; gives how many steps are there that were not. */
const held = Effect.fnUntraced(function*(
  storage: Storage.Storage["Service"],
  sql: SqlClient.SqlClient,
  known: Map<string, number>
) {
  const orders = new Map<string, Order.Order>()
  yield* Stream.runForEach(
    storage.orders(),
    ({ value }) => Effect.sync(() => orders.set(value.request.clientId, value))
  )
  const events = new Map<string, number>()
  yield* Stream.runForEach(
    storage.events(),
    ({ value }) => Effect.sync(() => events.set(value.clientId ?? "", (events.get(value.clientId ?? "") ?? 0) + 1))
  )
  const fills: Array<Fill> = []
  yield* Stream.runForEach(storage.fills(), ({ value }) => Effect.sync(() => fills.push(value)))
  const claims = yield* sql<{ readonly client_id: string }>`SELECT client_id FROM tickline_claims`
  const rows = yield* sql<{ readonly client_id: string; readonly status: string; readonly filled: string }>`
    SELECT client_id, status, filled FROM tickline_orders`

  let unacknowledged = 0
  for (const clientId of new Set([...known.keys(), ...claims.map(({ client_id }) => client_id)])) {
    const order = orders.get(clientId)
    const isClaimed = claims.some(({ client_id }) => client_id === clientId)
    const count = order !== undefined ? events.get(clientId) ?? 0 : isClaimed ? -1 : -2
    const least = known.get(clientId) ?? -2
    assert.isAtLeast(count, least, `${clientId} was acknowledged`)
    assert.isAtMost(count, least + 1, `${clientId} was asked for`)
    if (count > least) unacknowledged++
    // What is known now must stay.
    known.set(clientId, count)
    if (order !== undefined) assert.deepStrictEqual(order, Script.orderAfter(clientId, count))
  }
  for (const row of rows) {
    const order = orders.get(row.client_id)
    assert.strictEqual(row.status, order?.status)
    assert.strictEqual(row.filled, order && Decimal.format(order.filled))
  }
  assert.deepStrictEqual(
    fills.map(({ tradeId }) => tradeId).toSorted(),
    [...orders.values()].flatMap(({ fills }) => fills.map(({ tradeId }) => tradeId)).toSorted()
  )
  const positions = yield* storage.positions
  assert.deepStrictEqual(
    positions.map(({ amount }) => Decimal.format(amount)),
    fills.length === 0 ? [] : [`${fills.length}.00`]
  )
  return unacknowledged
})
