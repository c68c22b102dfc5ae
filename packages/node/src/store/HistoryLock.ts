/**
 * The lock by which one process at a time trades with a storage. It is held by the
 * database, so that it goes with the process that holds it, however that ends.
 *
 * A module of its own, which the package's entry point leaves out: who keeps
 * nothing loads no database.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Fs from "node:fs"
import { DatabaseSync } from "node:sqlite"

/**
 * Another process holds the lock.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {}) {
  override get message(): string {
    return "another process holds the lock"
  }
}

/**
 * The file of the lock cannot be opened.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockNotOpened extends Schema.TaggedError<LockNotOpened>()("LockNotOpened", { detail: Schema.String }) {
  override get message(): string {
    return `cannot lock: ${this.detail}`
  }
}

/** SQLite's number for a database that another connection has locked. */
const busy = 5

const take = (path: string): DatabaseSync => {
  Fs.closeSync(Fs.openSync(path, "a", 0o600))
  const database = new DatabaseSync(path)
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/**
 * Takes the lock of a file of SQLite, which is a file of its own beside it, and
 * holds it until the scope ends. Whoever only reads the database is not in its way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofFile = (path: string): Effect.Effect<void, LockHeld | LockNotOpened, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => take(`${path}-lock`),
      catch: (cause) =>
        cause instanceof Error && Reflect.get(cause, "errcode") === busy
          ? new LockHeld()
          : new LockNotOpened({ detail: cause instanceof Error ? cause.message : String(cause) })
    }),
    (database) => Effect.sync(() => database.close())
  )

/** Any number, the same for all: "tickline" on a telephone. */
const key = 84_255_463

/**
 * Takes the lock of a database of Postgres, on a connection of its own, and holds
 * it until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofDatabase = Effect.fnUntraced(function*(
  client: SqlClient.SqlClient
): Effect.fn.Return<void, LockHeld | SqlError, Scope.Scope> {
  const connection = yield* client.reserve
  const [row] = yield* connection.executeValues(`SELECT pg_try_advisory_lock(${key})`, [])
  if (row?.[0] !== true) return yield* new LockHeld()
  yield* Effect.addFinalizer(() => Effect.ignore(connection.executeValues(`SELECT pg_advisory_unlock(${key})`, [])))
})
