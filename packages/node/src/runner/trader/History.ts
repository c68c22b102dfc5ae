/**
 * `[history]`: the storage of a trader, in a file of SQLite or in Postgres, and the
 * lock by which one process at a time trades with it. The lock is the database's
 * own, which goes with the process, however it ends.
 *
 * @since 0.1.0
 */
import type { NonceStore } from "@tickline/core/trading/NonceStore"
import type { Storage } from "@tickline/core/trading/Storage"
import * as Printable from "@tickline/core/value/Printable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Tables from "../internal/tables.ts"
import { RunFailed, UsageError } from "../RunnerError.ts"

/**
 * Where the history is.
 *
 * @category models
 * @since 0.1.0
 */
export type History =
  | { readonly _tag: "Sqlite"; readonly path: string }
  | { readonly _tag: "Postgres"; readonly url: Redacted.Redacted<string>; readonly variable: string }

/**
 * Another process trades with this history.
 *
 * @category errors
 * @since 0.1.0
 */
export class HistoryInUse extends Schema.TaggedError<HistoryInUse>()("HistoryInUse", { history: Schema.String }) {
  override get message(): string {
    return Printable.escape(
      `${this.history} is in use: another process trades with it, and each has a history of its own`
    )
  }
}

/**
 * What the history is called. A URL is not shown.
 *
 * @category getters
 * @since 0.1.0
 */
export const nameOf = (self: History): string => self._tag === "Sqlite" ? self.path : `the database of ${self.variable}`

/**
 * Reads `[history]`, if it is there.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  root: Tables.Table,
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<History | undefined, UsageError> {
  if (!Object.hasOwn(root, "history")) return undefined
  const table = yield* Tables.tableOf(root, "history", "history", ["path", "database_env"])
  const expected = "a file, such as \"trader.sqlite\", or database_env for Postgres"
  if (!Object.hasOwn(table, "database_env")) {
    const path = yield* Tables.value(table, "path", "history", expected, Tables.isText, "")
    return path === "" ? yield* Tables.refuse("history.path", undefined, expected) : { _tag: "Sqlite", path }
  }
  if (Object.hasOwn(table, "path")) {
    return yield* Tables.refuse("history.path", undefined, "nothing beside database_env")
  }
  // Whoever mistakes this key writes the URL there, with its password: what stands there is not shown.
  const variable = table["database_env"]
  const url = Tables.isVariable(variable) && Object.hasOwn(env, variable) ? env[variable] ?? "" : ""
  if (!Tables.isVariable(variable) || url === "") {
    return yield* Tables.refuse("history.database_env", undefined, "the name of a variable that is set, not the URL")
  }
  if (!["postgres:", "postgresql:"].includes(URL.parse(url)?.protocol ?? "")) {
    return yield* Tables.refuse("history.database_env", undefined, "a variable with a postgres:// URL")
  }
  return { _tag: "Postgres", url: Redacted.make(url), variable }
})

const detailOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

type Failure = HistoryInUse | UsageError | RunFailed

const failed = (history: History) => (cause: unknown): Failure => {
  const name = nameOf(history)
  if (Predicate.isTagged(cause, "LockHeld")) return new HistoryInUse({ history: name })
  return Predicate.isTagged(cause, "LockNotOpened")
    ? new UsageError({ key: "history.path", value: name, expected: `a file that can be written (${detailOf(cause)})` })
    : new RunFailed({ detail: `${name}: ${detailOf(cause)}` })
}

const openSqlite = Effect.fnUntraced(function*(history: Extract<History, { readonly _tag: "Sqlite" }>) {
  const [HistoryLock, Sqlite] = yield* Effect.promise(() =>
    Promise.all([import("../../store/HistoryLock.ts"), import("../../store/Sqlite.ts")])
  )
  yield* HistoryLock.ofFile(history.path)
  return yield* Layer.build(Sqlite.layer({ path: history.path }))
})

const openPostgres = Effect.fnUntraced(function*(history: Extract<History, { readonly _tag: "Postgres" }>) {
  const [HistoryLock, Postgres] = yield* Effect.promise(() =>
    Promise.all([import("../../store/HistoryLock.ts"), import("../../store/Postgres.ts")])
  )
  const context = yield* Layer.build(Postgres.layer({ url: history.url }))
  yield* HistoryLock.ofDatabase(Context.get(context, SqlClient.SqlClient))
  return context
})

/**
 * Opens the history, for this process alone, until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function*(
  history: History
): Effect.fn.Return<Context.Context<Storage | NonceStore>, Failure, Scope.Scope> {
  const client = yield* (history._tag === "Sqlite"
    ? Effect.mapError(openSqlite(history), failed(history))
    : Effect.mapError(openPostgres(history), failed(history)))
  const SqlStorage = yield* Effect.promise(() => import("@tickline/core/trading/SqlStorage"))
  return yield* Effect.mapError(
    Layer.build(Layer.provide(SqlStorage.layer, Layer.succeedContext(client))),
    failed(history)
  )
})
