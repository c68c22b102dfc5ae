/** SQLite by itself: what is exact, who waits for whom, what a file is like. */
import { assert, describe, it } from "@effect/vitest"
import * as Sqlite from "@tickline/node/store/Sqlite"
import * as BigDecimal from "effect/BigDecimal"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { temporaryFolder } from "./Databases.ts"

/** A client of its own, as of another process. */
const client = (options: Sqlite.Options) =>
  Effect.map(Layer.build(Sqlite.layer(options)), (built) => Context.get(built, SqlClient.SqlClient))

const memory = client({ path: ":memory:" })

const path = Effect.map(temporaryFolder, (folder) => Path.join(folder, "a.db"))

const plain = (rows: ReadonlyArray<object>) => rows.map((row) => ({ ...row }))

describe("Sqlite: values", () => {
  it.live("an integer is read exactly, whatever its size", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a INTEGER, b TEXT)`
      yield* sql`INSERT INTO t VALUES (${7}, ${"1.50"}), (${2n ** 53n}, NULL), (${
        2n ** 53n + 1n
      }, ''), (${-(2n ** 63n)}, 'x')`
      assert.deepStrictEqual(plain(yield* sql`SELECT a FROM t ORDER BY rowid`), [
        { a: 7 },
        { a: 2n ** 53n },
        { a: 2n ** 53n + 1n },
        { a: -(2n ** 63n) }
      ])
      assert.deepStrictEqual(
        plain(yield* Effect.provideService(sql`SELECT a FROM t WHERE a = 7`, SqlClient.SafeIntegers, true)),
        [{ a: 7n }]
      )
    }))

  it.live("a number is written as an integer, a decimal as its text", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a TEXT)`
      yield* sql`INSERT INTO t VALUES (${1}), (${BigDecimal.make(1500n, 3)}), (${true}), (${0.5})`
      assert.deepStrictEqual(plain(yield* sql`SELECT a FROM t`), [{ a: "1" }, { a: "1.500" }, { a: "1" }, { a: "0.5" }])
    }))

  it.live("what is not exact is refused", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a)`
      for (const value of [2 ** 53, Number.NaN, Infinity, 2n ** 64n, Symbol("s"), { a: 1 }]) {
        const error = yield* Effect.flip(sql`INSERT INTO t VALUES (${value})`)
        assert.strictEqual(error.reason._tag, "UnknownError", String(value))
      }
      assert.deepStrictEqual(yield* sql`SELECT a FROM t`, [])
    }))

  it.live("columns of one name are all in the values", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      assert.deepStrictEqual(yield* sql`SELECT 1 AS a, 2 AS a`.values, [[1, 2]])
      assert.deepStrictEqual(plain(yield* sql`SELECT 1 AS a, 2 AS a`), [{ a: 2 }])
    }))

  it.live("rows are streamed, with no end at a pull", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      const rows = yield* Stream.runCollect(
        sql<
          { readonly n: number }
        >`WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 600) SELECT n FROM c`.stream
      )
      assert.deepStrictEqual(rows.map(({ n }) => n), Array.from({ length: 600 }, (_, index) => index + 1))
    }))
})

describe("Sqlite: errors", () => {
  it.live("have the type of what went wrong", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a TEXT UNIQUE, b INTEGER PRIMARY KEY, c INTEGER REFERENCES t(b), CHECK (a <> 'x'))`
      yield* sql`INSERT INTO t VALUES ('a', 1, NULL)`
      const reason = (effect: Effect.Effect<unknown, { readonly reason: { readonly _tag: string } }>) =>
        Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)
      assert.strictEqual(yield* reason(sql`INSERT INTO t VALUES ('a', 2, NULL)`), "UniqueViolation")
      assert.strictEqual(yield* reason(sql`INSERT INTO t VALUES ('x', 2, NULL)`), "ConstraintError")
      // Foreign keys are on.
      assert.strictEqual(yield* reason(sql`INSERT INTO t VALUES ('b', 2, 9)`), "ConstraintError")
      assert.strictEqual(yield* reason(sql`SELEC 1`), "UnknownError")
      const none = yield* path
      const notOpened = yield* Effect.flip(Effect.scoped(client({ path: `${none}/at/all.db` })))
      assert.strictEqual(notOpened.reason._tag, "ConnectionError")
      assert.include(notOpened.message, `cannot open ${none}/at/all.db: `)
      Fs.writeFileSync(none, "this is no database, and longer than a header of one would have to be".repeat(3))
      const noDatabase = yield* Effect.flip(Effect.scoped(client({ path: none })))
      assert.include(noDatabase.message, "file is not a database")
    }))
})

describe("Sqlite: transactions", () => {
  it.live("roll back as a whole, and to a savepoint", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a INTEGER)`
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO t VALUES (1)`
        yield* Effect.exit(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES (2)`, Effect.fail("no"))))
        yield* sql.withTransaction(sql`INSERT INTO t VALUES (3)`)
      }))
      yield* Effect.exit(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES (4)`, Effect.die("no"))))
      assert.deepStrictEqual(yield* sql`SELECT a FROM t ORDER BY a`.values, [[1], [3]])
    }))

  it.live("of one client follow each other, and nothing comes between", () =>
    Effect.gen(function*() {
      const sql = yield* memory
      yield* sql`CREATE TABLE t (a INTEGER)`
      yield* sql`INSERT INTO t VALUES (0)`
      const add = sql.withTransaction(Effect.gen(function*() {
        const [[a] = []] = yield* sql`SELECT a FROM t`.values
        yield* Effect.yieldNow
        yield* sql`UPDATE t SET a = ${Number(a) + 1}`
      }))
      yield* Effect.all(Array.from({ length: 50 }, () => add), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* sql`SELECT a FROM t`.values, [[50]])
    }))

  it.live("of another process are waited for, and the event loop goes on", () =>
    Effect.gen(function*() {
      const file = yield* path
      const [one, other] = [yield* client({ path: file }), yield* client({ path: file })]
      yield* one`CREATE TABLE t (a INTEGER)`
      const begun = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(one.withTransaction(
        Effect.andThen(
          one`INSERT INTO t VALUES (1)`,
          Effect.andThen(Deferred.succeed(begun, undefined), Effect.sleep("200 millis"))
        )
      ))
      yield* Deferred.await(begun)
      // A reader is not held up, and sees nothing of it.
      assert.deepStrictEqual(yield* other`SELECT a FROM t`.values, [])
      assert.isUndefined(holding.pollUnsafe())
      yield* other.withTransaction(other`INSERT INTO t VALUES (2)`)
      yield* Fiber.join(holding)
      assert.deepStrictEqual(yield* other`SELECT a FROM t`.values, [[1], [2]])
    }))

  it.live("that read before they write have the lock from their beginning", () =>
    Effect.gen(function*() {
      const file = yield* path
      const clients = [yield* client({ path: file }), yield* client({ path: file })]
      const [one] = clients
      if (one === undefined) return assert.fail()
      yield* one`CREATE TABLE t (a INTEGER)`
      yield* one`INSERT INTO t VALUES (0)`
      const adding = clients.flatMap((sql) =>
        Array.from({ length: 10 }, () =>
          sql.withTransaction(Effect.gen(function*() {
            const [[a] = []] = yield* sql`SELECT a FROM t`.values
            yield* Effect.yieldNow
            yield* sql`UPDATE t SET a = ${Number(a) + 1}`
          })))
      )
      yield* Effect.all(adding, { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* one`SELECT a FROM t`.values, [[20]])
    }))

  it.live("of another process that takes too long are an error that can be tried again", () =>
    Effect.gen(function*() {
      const file = yield* path
      const [one, other] = [yield* client({ path: file }), yield* client({ path: file, busyTimeout: "50 millis" })]
      yield* one`CREATE TABLE t (a INTEGER)`
      const error = yield* one.withTransaction(
        Effect.andThen(one`INSERT INTO t VALUES (1)`, Effect.flip(other`INSERT INTO t VALUES (2)`))
      )
      assert.strictEqual(error.reason._tag, "LockTimeoutError")
      assert.isTrue(error.isRetryable)
      yield* other`INSERT INTO t VALUES (3)`
      assert.deepStrictEqual(yield* one`SELECT a FROM t`.values, [[1], [3]])
    }))
})

describe("Sqlite: the file", () => {
  it.live("is of its owner alone, its journal too, and is there when it is opened again", () =>
    Effect.gen(function*() {
      const file = yield* path
      const scope = yield* Scope.make()
      const sql = yield* Scope.provide(client({ path: file }), scope)
      yield* sql`CREATE TABLE t (a TEXT)`
      yield* sql`INSERT INTO t VALUES ('kept')`
      for (const name of [file, `${file}-wal`, `${file}-shm`]) {
        assert.strictEqual(Fs.statSync(name).mode & 0o777, 0o600, name)
      }
      assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`.values, [["wal"]])
      assert.deepStrictEqual(yield* sql`PRAGMA synchronous`.values, [[2]])
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(Fs.existsSync(`${file}-wal`))
      assert.deepStrictEqual(yield* (yield* client({ path: file }))`SELECT a FROM t`.values, [["kept"]])
    }))

  it.live("is named by the configuration", () =>
    Effect.gen(function*() {
      const file = yield* path
      const provider = ConfigProvider.fromUnknown({ history: file })
      yield* Effect.gen(function*() {
        yield* (yield* SqlClient.SqlClient)`SELECT 1`
      }).pipe(
        Effect.provide(Sqlite.layerConfig({ path: Config.String("history") })),
        Effect.provideService(ConfigProvider.ConfigProvider, provider)
      )
      assert.isTrue(Fs.existsSync(file))
    }))
})
