/**
 * The tables of the storage, step by step as they came to be. A step that is
 * published is never changed: another follows it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { NewerSchema, StorageError } from "../StorageError.ts"
import * as SqlFailure from "./sqlFailure.ts"

/** Decimals and instants are text: no database has a type that keeps their last zeros. */
const first = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const id = sql.literal(sql.onDialectOrElse({
    pg: () => "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    orElse: () => "id INTEGER PRIMARY KEY AUTOINCREMENT"
  }))
  yield* sql`CREATE TABLE tickline_claims (
    client_id TEXT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    meaning TEXT NOT NULL,
    request TEXT NOT NULL
  )`
  // What an order is, are its events; the columns after its request are for queries, and follow from them.
  yield* sql`CREATE TABLE tickline_orders (
    ${id},
    at TEXT NOT NULL,
    exchange TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES tickline_claims (client_id),
    asked_client_id TEXT NOT NULL REFERENCES tickline_claims (client_id),
    due TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    product TEXT NOT NULL,
    side TEXT NOT NULL,
    request TEXT NOT NULL,
    order_id TEXT,
    status TEXT NOT NULL,
    price TEXT,
    amount TEXT NOT NULL,
    filled TEXT NOT NULL,
    average_price TEXT,
    is_over INTEGER NOT NULL,
    is_settled INTEGER NOT NULL,
    UNIQUE (exchange, client_id, attempt)
  )`
  yield* sql`CREATE INDEX tickline_orders_client_id ON tickline_orders (client_id)`
  yield* sql`CREATE INDEX tickline_orders_asked ON tickline_orders (asked_client_id)`
  yield* sql`CREATE INDEX tickline_orders_order_id ON tickline_orders (exchange, order_id)`
  yield* sql`CREATE INDEX tickline_orders_open ON tickline_orders (id) WHERE is_over = 0`
  yield* sql`CREATE INDEX tickline_orders_unsettled ON tickline_orders (id) WHERE is_settled = 0`
  yield* sql`CREATE TABLE tickline_events (
    ${id},
    at TEXT NOT NULL,
    order_ref BIGINT NOT NULL REFERENCES tickline_orders (id),
    event TEXT NOT NULL
  )`
  yield* sql`CREATE INDEX tickline_events_order ON tickline_events (order_ref, id)`
  yield* sql`CREATE TABLE tickline_fills (
    ${id},
    at TEXT NOT NULL,
    order_ref BIGINT NOT NULL REFERENCES tickline_orders (id),
    exchange TEXT NOT NULL,
    product TEXT NOT NULL,
    side TEXT NOT NULL,
    trade_id TEXT NOT NULL,
    price TEXT NOT NULL,
    amount TEXT NOT NULL,
    fee TEXT,
    fee_asset TEXT,
    fill TEXT NOT NULL,
    UNIQUE (exchange, product, trade_id, side)
  )`
  yield* sql`CREATE INDEX tickline_fills_order ON tickline_fills (order_ref, id)`
  yield* sql`CREATE TABLE tickline_positions (
    exchange TEXT NOT NULL,
    product TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (exchange, product)
  )`
  yield* sql`CREATE TABLE tickline_decisions (
    ${id},
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    exchange TEXT,
    client_id TEXT,
    reason TEXT NOT NULL,
    detail TEXT
  )`
  yield* sql`CREATE INDEX tickline_decisions_client_id ON tickline_decisions (client_id, id)`
  yield* sql`CREATE TABLE tickline_nonces (
    signer TEXT NOT NULL PRIMARY KEY,
    leased_until BIGINT NOT NULL
  )`
})

const steps = { "1_orders": first }

const known = Object.keys(steps).length

const table = "tickline_migrations"

const migrate = Migrator.make({})({ loader: Migrator.fromRecord(steps), table })

/**
 * Brings the tables up to date, in one transaction, whoever else does so at the
 * same time. A database that a later version has changed is left alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bring: Effect.Effect<void, NewerSchema | StorageError, SqlClient.SqlClient> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const isKnown = sql.onDialectOrElse({ pg: () => true, sqlite: () => true, orElse: () => false })
  if (!isKnown) {
    const cause = new Error("only SQLite and Postgres are supported")
    return yield* new StorageError({ operation: "migrate", isRetryable: false, cause })
  }
  const failed = SqlFailure.of("migrate")
  yield* failed(Effect.provideService(migrate, SqlClient.SqlClient, sql))
  const [{ latest } = { latest: 0 }] = yield* failed(
    sql<{ readonly latest: number }>`SELECT max(migration_id) AS latest FROM ${sql(table)}`
  )
  if (latest > known) return yield* new NewerSchema({ found: latest, known })
})
