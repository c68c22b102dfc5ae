/** Postgres over a real server. */
import { assert, describe, it } from "@effect/vitest"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Postgres from "@tickline/node/store/Postgres"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { Buffer } from "node:buffer"
import { createServer, type Server } from "node:net"
import process from "node:process"
import { inspect } from "node:util"
import * as PostgresServer from "./PostgresServer.ts"
import * as Script from "./Script.ts"

describe("Postgres: the URL", () => {
  it.live("is not shown where it cannot be read", () =>
    Effect.gen(function*() {
      for (const url of ["postgres://a:hunter2@[", "mysql://a:hunter2@localhost/a", "hunter2"]) {
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(Postgres.layer({ url: Redacted.make(url) }))))
        const shown = Exit.isFailure(exit) ? Cause.pretty(exit.cause) + inspect(exit, { depth: 20 }) : "opened"
        assert.include(shown, "expected a postgres:// or postgresql:// URL")
        assert.notInclude(shown, "hunter2")
      }
    }))
})

/** A server that answers each who connects with one error. */
const refusing = (code: string, says: string) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${says}\0\0`)
      const length = Buffer.alloc(4)
      length.writeInt32BE(4 + fields.length)
      const server = createServer((socket) => {
        socket.on("error", () => {}).once("data", () => socket.end(Buffer.concat([Buffer.from("E"), length, fields])))
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => {
    const address = server.address()
    return `postgres://a:b@127.0.0.1:${typeof address === "object" ? address?.port : ""}/c?sslmode=disable`
  }))

describe("Postgres: a server that refuses", () => {
  for (
    const [code, says, isRetryable] of [
      ["57P03", "the database system is starting up", true],
      ["53300", "sorry, too many clients already", true],
      ["3D000", "database c does not exist", false]
    ] as const
  ) {
    it.live(`${code}, which ${isRetryable ? "passes" : "stays"}`, () =>
      Effect.gen(function*() {
        const client = Postgres.layer({ url: Redacted.make(yield* refusing(code, says)) })
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(SqlStorage.layer, client))))
        assert.strictEqual(error._tag, "StorageError")
        assert.strictEqual(error._tag === "StorageError" && error.isRetryable, isRetryable)
      }))
  }
})

class RealServer extends Context.Service<RealServer, PostgresServer.PostgresServer>()("test/RealServer") {}

/** Ends the session that waits for a lock, once there is one. */
const ended = (sql: SqlClient.SqlClient) =>
  Effect.repeat(sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`, {
    schedule: Schedule.spaced("10 millis"),
    while: (sessions) => sessions.length === 0
  })

describe.skipIf(!PostgresServer.isInstalled)("Postgres (skipped without postgresql)", () => {
  it.layer(Layer.effect(RealServer, PostgresServer.make), { excludeTestServices: true })((it) => {
    it.effect("is named by the configuration; a transaction is one, and has savepoints", () =>
      Effect.gen(function*() {
        const url = yield* (yield* RealServer).database
        const provider = ConfigProvider.fromUnknown({ DATABASE_URL: Redacted.value(url) })
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`CREATE TABLE t (a TEXT)`
          yield* sql.withTransaction(Effect.gen(function*() {
            yield* sql`INSERT INTO t VALUES (${"1"})`
            yield* Effect.exit(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES ('2')`, Effect.fail("no"))))
          }))
          yield* Effect.exit(sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES ('3')`, Effect.fail("no"))))
          assert.deepStrictEqual(yield* sql`SELECT a FROM t`.values, [["1"]])
          assert.deepStrictEqual(yield* sql`SELECT current_setting('application_name')`.values, [["tickline"]])
        }).pipe(
          Effect.provide(Postgres.layerConfig({ url: Config.Redacted("DATABASE_URL") })),
          Effect.provideService(ConfigProvider.ConfigProvider, provider)
        )
      }))

    it.effect("is there again after a restart of the server, without another client", () =>
      Effect.gen(function*() {
        const server = yield* RealServer
        const sql = Context.get(
          yield* Layer.build(Postgres.layer({ url: yield* server.database })),
          SqlClient.SqlClient
        )
        yield* sql`CREATE TABLE t (a TEXT)`
        yield* sql`INSERT INTO t VALUES ('1')`
        yield* server.restart
        const rows = yield* Effect.retry(sql`SELECT a FROM t`.values, {
          while: (error) => error.isRetryable,
          times: 3
        })
        assert.deepStrictEqual(rows, [["1"]])
      }))

    it.effect("what was said of an order is stored, also while the server restarts", () =>
      Effect.gen(function*() {
        const server = yield* RealServer
        const client = Postgres.layer({ url: yield* server.database })
        const built = yield* Layer.build(Layer.provide(SqlStorage.layer, client))
        const storage = Context.get(built, Storage.Storage)
        yield* storage.intend(Script.exchange, Script.requestOf("a"))
        const restarting = yield* Effect.forkChild(server.restart, { startImmediately: true })
        for (const event of Script.eventsOf("a")) yield* storage.append(Script.exchange, "a", event)
        yield* Fiber.join(restarting)
        const stored = yield* storage.append(Script.exchange, "a", Script.eventsOf("a")[0] ?? assert.fail())
        assert.deepStrictEqual(stored, Script.orderAfter("a", 5))
      }))

    it.effect("what was said of an order is stored, also if its session is ended amid a change", () =>
      Effect.gen(function*() {
        const url = yield* (yield* RealServer).database
        const sql = Context.get(yield* Layer.build(Postgres.layer({ url })), SqlClient.SqlClient)
        const built = yield* Layer.build(Layer.provide(SqlStorage.layer, Postgres.layer({ url })))
        const storage = Context.get(built, Storage.Storage)
        yield* storage.intend(Script.exchange, Script.requestOf("a"))
        const [event = assert.fail()] = Script.eventsOf("a")
        const appending = yield* sql.withTransaction(Effect.gen(function*() {
          yield* sql`SELECT 1 FROM tickline_claims FOR UPDATE`
          const appending = yield* Effect.forkDetach(storage.append(Script.exchange, "a", event), {
            startImmediately: true
          })
          yield* ended(sql)
          return appending
        }))
        assert.deepStrictEqual(yield* Fiber.join(appending), Script.orderAfter("a", 1))
      }))

    it.effect(
      "a storage whose server does not answer says so, and is there again when it does",
      () =>
        Effect.gen(function*() {
          const url = yield* (yield* RealServer).database
          const client = yield* TestClock.withLive(Layer.build(Postgres.layer({ url })))
          const built = yield* TestClock.withLive(
            Layer.build(Layer.provide(SqlStorage.layer, Layer.succeedContext(client)))
          )
          const storage = Context.get(built, Storage.Storage)
          const sql = Context.get(client, SqlClient.SqlClient)
          const sessions = yield* sql<
            { readonly pid: number }
          >`SELECT pid FROM pg_stat_activity WHERE usename = 'tickline'`
          const hold = (signal: NodeJS.Signals) =>
            Effect.sync(() => sessions.forEach(({ pid }) => process.kill(pid, signal)))
          const error = yield* Effect.scoped(Effect.gen(function*() {
            yield* Effect.acquireRelease(hold("SIGSTOP"), () => hold("SIGCONT"))
            const claiming = yield* Effect.forkChild(Effect.flip(storage.claim(Script.requestOf("a"))), {
              startImmediately: true
            })
            yield* TestClock.adjust("10 seconds")
            return yield* Fiber.join(claiming)
          }))
          assert.include(error.message, "claim: no answer within 10 seconds")
          assert.isTrue(error._tag === "StorageError" && error.isRetryable)
          // Whether it was stored is not known; giving it again does no harm.
          assert.strictEqual((yield* storage.claim(Script.requestOf("a"))).request.clientId, "a")
        }).pipe(Effect.provide(TestClock.layer())),
      10_000
    )
  })
})
