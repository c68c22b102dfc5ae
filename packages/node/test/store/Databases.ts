/** The databases that everything of the storage is tested on. */
import * as Postgres from "@tickline/node/store/Postgres"
import * as Sqlite from "@tickline/node/store/Sqlite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as PostgresServer from "./PostgresServer.ts"

/** An empty database: each layer of it is a client of its own, as of another process. */
export interface Database {
  /** How another process finds it: a path or a URL. */
  readonly address: string
  readonly client: Layer.Layer<SqlClient.SqlClient>
}

export class Databases extends Context.Service<Databases, {
  readonly fresh: Effect.Effect<Database, never, Scope.Scope>
}>()("test/Databases") {}

/** The client of an address. */
export const clientOf = (address: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.orDie(
    address.startsWith("postgres:")
      ? Postgres.layer({ url: Redacted.make(address) })
      : Sqlite.layer({ path: address })
  )

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-store-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

const sqlite = Layer.succeed(Databases, {
  fresh: Effect.map(temporaryFolder, (folder) => {
    const address = Path.join(folder, "store.db")
    return { address, client: clientOf(address) }
  })
})

const postgres = Layer.effect(
  Databases,
  Effect.map(PostgresServer.make, (server) => ({
    fresh: Effect.map(server.database, (url) => {
      const address = Redacted.value(url)
      return { address, client: clientOf(address) }
    })
  }))
)

export const all = [
  { name: "SQLite", layer: sqlite, isInstalled: true },
  { name: "Postgres", layer: postgres, isInstalled: PostgresServer.isInstalled }
]
