/**
 * SQLite for `effect/sql`, over Node's own `node:sqlite`: one file, no server.
 *
 * One connection serves the process, one statement or transaction at a time, in
 * the order in which they were asked for. Other processes may use the same file:
 * readers are never in the way (the journal is a write-ahead log), and a writer
 * waits for another's transaction, without holding up the event loop. A
 * transaction takes the lock for writing as it begins; one within another is a
 * savepoint. What is committed is on the disk, also after a loss of power.
 *
 * Values stay exact. An integer is read as a `number` where that is exact and as
 * a `bigint` beyond; a `number` is written as an integer if it is one, and is
 * refused beyond 2^53. A `BigDecimal` is written as text, with its scale, a
 * boolean as 0 or 1.
 *
 * A module of its own, which the package's entry point leaves out: who keeps
 * nothing loads no database.
 *
 * **Example** (a database in a file)
 *
 * ```ts
 * import * as Sqlite from "@tickline/node/store/Sqlite"
 *
 * const SqlLive = Sqlite.layer({ path: "orders.db" })
 * ```
 *
 * @since 0.1.0
 */
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arr from "effect/Array"
import * as BigDecimal from "effect/BigDecimal"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"

/**
 * A database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The file, which is made with mode 0600 where there is none. `:memory:` is a database that ends with its scope. */
  readonly path: string
  /** How long a statement waits for another process. Default: 5 s. */
  readonly busyTimeout?: Duration.Input | undefined
}

/** So many statements stay prepared; the one that was not used for the longest goes first. */
const mostPrepared = 256

/** So many rows are one element of what a stream pulls. */
const rowsPerPull = 256

const waiting = Schedule.spaced("5 millis")

const failed = (operation: string, cause: unknown): SqlError => {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "errcode") : undefined
  const message = `${operation}: ${cause instanceof Error ? cause.message : String(cause)}`
  // Node's `code` is the same for all of them: SQLite's own number is what tells them apart.
  const said = typeof code === "number" ? Object.assign(new Error(message, { cause }), { errno: code }) : cause
  return new SqlError({ reason: classifySqliteError(said, { message, operation }) })
}

const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({ try: run, catch: (cause) => failed(operation, cause) })

const toSql = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "number":
      if (Number.isSafeInteger(value)) return BigInt(value)
      if (!Number.isFinite(value) || Number.isInteger(value)) {
        throw new RangeError(`${value} is not exact: use a bigint`)
      }
      return value
    case "string":
    case "bigint":
      return value
    case "boolean":
      return value ? 1n : 0n
    case "undefined":
      return null
    default:
      if (value === null || value instanceof Uint8Array) return value
      if (BigDecimal.isBigDecimal(value)) return Decimal.format(value)
      throw new TypeError(`a value of type ${typeof value} cannot be written`)
  }
}

type Row = Record<string, unknown>

type TransformRows = Parameters<Connection["execute"]>[2]

/** A row, or its values, with a `number` for each integer that is exact as one. */
const exact = (row: Record<string, SQLOutputValue>, isSafe: boolean): Row => {
  const made: Row = row
  if (isSafe) return made
  for (const column in row) {
    const value = row[column]
    if (typeof value === "bigint" && BigInt.asIntN(54, value) === value) made[column] = Number(value)
  }
  return made
}

const transformed = (
  rows: Effect.Effect<ReadonlyArray<Row>, SqlError>,
  transformRows: TransformRows
): Effect.Effect<ReadonlyArray<Row>, SqlError> => transformRows === undefined ? rows : Effect.map(rows, transformRows)

class SqliteConnection implements Connection {
  private readonly database: DatabaseSync
  private readonly busyTimeout: Duration.Duration
  private readonly prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, busyTimeout: Duration.Duration) {
    this.database = database
    this.busyTimeout = busyTimeout
  }

  /** Only the first statement of a transaction can find the database busy: it takes the lock. */
  patiently<A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> {
    return Effect.retry(effect, {
      while: (error) => error.reason._tag === "LockTimeoutError" && !this.database.isTransaction,
      schedule: Schedule.upTo(waiting, { duration: this.busyTimeout })
    })
  }

  private statement(sql: string, isKept: boolean): StatementSync {
    const kept = this.prepared.get(sql)
    if (kept !== undefined && isKept) {
      this.prepared.delete(sql)
      this.prepared.set(sql, kept)
      return kept
    }
    const statement = this.database.prepare(sql)
    statement.setReadBigInts(true)
    if (!isKept) return statement
    this.prepared.set(sql, statement)
    if (this.prepared.size > mostPrepared) {
      for (const oldest of this.prepared.keys()) {
        this.prepared.delete(oldest)
        break
      }
    }
    return statement
  }

  private query<A>(
    sql: string,
    params: ReadonlyArray<unknown>,
    isKept: boolean,
    run: (statement: StatementSync, params: ReadonlyArray<SQLInputValue>, isSafe: boolean) => A
  ): Effect.Effect<A, SqlError> {
    return this.patiently(Effect.withFiber((fiber) => {
      const isSafe = Context.get(fiber.context, SqlClient.SafeIntegers)
      return attempt("query", () => run(this.statement(sql, isKept), params.map(toSql), isSafe))
    }))
  }

  private rows(sql: string, params: ReadonlyArray<unknown>, isKept: boolean) {
    return this.query(sql, params, isKept, (statement, values, isSafe) => {
      statement.setReturnArrays(false)
      return statement.all(...values).map((row) => exact(row, isSafe))
    })
  }

  private values(sql: string, params: ReadonlyArray<unknown>, isKept: boolean) {
    return this.query(sql, params, isKept, (statement, values, isSafe) => {
      statement.setReturnArrays(true)
      return statement.all(...values).map((row) => Object.values(exact(row, isSafe)))
    })
  }

  execute(sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) {
    return transformed(this.rows(sql, params, true), transformRows)
  }

  executeUnprepared(sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) {
    return transformed(this.rows(sql, params, false), transformRows)
  }

  executeRaw(sql: string, params: ReadonlyArray<unknown>) {
    return this.query(sql, params, true, (statement, values) => statement.run(...values))
  }

  executeValues(sql: string, params: ReadonlyArray<unknown>) {
    return this.values(sql, params, true)
  }

  executeValuesUnprepared(sql: string, params: ReadonlyArray<unknown>) {
    return this.values(sql, params, false)
  }

  executeStream(sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) {
    // Not one that is kept: it is at a row of its own until the stream ends.
    const opened = this.query(sql, params, false, (statement, values, isSafe) => {
      const rows = statement.iterate(...values)
      return (): ReadonlyArray<Row> => {
        const pulled: Array<Row> = []
        while (pulled.length < rowsPerPull) {
          const next = rows.next()
          if (next.done === true) break
          pulled.push(exact(next.value, isSafe))
        }
        return pulled
      }
    })
    return Stream.fromPull(
      Effect.map(
        opened,
        (next) =>
          Effect.flatMap(
            transformed(attempt("query", next), transformRows),
            (rows) => Arr.isReadonlyArrayNonEmpty(rows) ? Effect.succeed(rows) : Cause.done()
          )
      )
    )
  }
}

const privateFile = (path: string) => {
  // The journal's files beside it take over its mode.
  if (path !== ":memory:") Fs.closeSync(Fs.openSync(path, "a", 0o600))
}

const notOpened = (path: string, cause: unknown): SqlError => {
  const message = `cannot open ${path}: ${cause instanceof Error ? cause.message : String(cause)}`
  return new SqlError({ reason: new ConnectionError({ cause, message, operation: "open" }) })
}

const open = (path: string): Effect.Effect<DatabaseSync, SqlError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        privateFile(path)
        return new DatabaseSync(path)
      },
      catch: (cause) => notOpened(path, cause)
    }),
    (database) => Effect.sync(() => database.close())
  )

/**
 * Opens a database. It is closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { busyTimeout = "5 seconds", path }: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError, Scope.Scope | Reactivity.Reactivity> {
  const database = yield* open(path)
  const connection = new SqliteConnection(database, Duration.fromInputUnsafe(busyTimeout))
  const [journal] = yield* connection.executeValuesUnprepared("PRAGMA journal_mode = WAL", []).pipe(
    Effect.mapError((cause) => cause.isRetryable ? cause : notOpened(path, cause))
  )
  if (path !== ":memory:" && journal?.[0] !== "wal") {
    return yield* notOpened(path, new Error("it cannot have a write-ahead log there, as on a network's disk"))
  }
  yield* connection.executeUnprepared("PRAGMA synchronous = FULL", [], undefined)
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(connection),
    semaphore: yield* Semaphore.make(1),
    isTransaction: () => database.isTransaction
  })
  return yield* SqlClient.make({
    ...acquirers,
    compiler: Statement.makeCompilerSqlite(),
    driver: "tickline-sqlite",
    spanAttributes: [["db.system.name", "sqlite"]],
    prepareTransactionControls: true,
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
  })
})

/**
 * The database of a file, closed with the scope.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

/**
 * As `layer`, from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<SqlClient.SqlClient, SqlError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(options), layer))
