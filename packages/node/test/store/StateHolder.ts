/** A process that takes the lock of a state directory's database for writing, says so, and keeps it. */
import * as Sqlite from "@tickline/node/store/Sqlite"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import process from "node:process"

const [path = ""] = process.argv.slice(2)

const holding = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(Effect.gen(function*() {
    yield* sql`UPDATE tickline_nonces SET leased_until = 0`
    process.stdout.write("held\n")
    yield* Effect.sleep("1 minute")
  }))
})

Effect.runFork(Effect.provide(holding, Sqlite.layer({ path })))
