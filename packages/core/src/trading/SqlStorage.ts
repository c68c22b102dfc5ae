/**
 * The storage and the nonces over a database of `effect/sql`: SQLite or Postgres,
 * by one code. The clients are in `@tickline/node/store`.
 *
 * A module of its own, which the package's entry point leaves out: who keeps
 * nothing loads no SQL.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlNonces from "./internal/sqlNonces.ts"
import * as SqlSchema from "./internal/sqlSchema.ts"
import * as SqlStorage from "./internal/sqlStorage.ts"
import { NonceStore } from "./NonceStore.ts"
import { Storage } from "./Storage.ts"
import type { NewerSchema, StorageError } from "./StorageError.ts"

/**
 * Brings the database's tables up to date, and keeps in it what must be known
 * after a restart. Several processes may share it and start at the same time.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Storage | NonceStore, NewerSchema | StorageError, SqlClient.SqlClient> = Layer
  .effectContext(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* SqlSchema.bring
    return Context.make(Storage, SqlStorage.make(sql)).pipe(
      Context.add(NonceStore, yield* SqlNonces.make(sql))
    )
  }))
