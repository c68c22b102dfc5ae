/**
 * Postgres for `effect/sql`, by `@effect/sql-pg`: for several processes on
 * several machines over one database.
 *
 * A module of its own, which the package's entry point leaves out: who keeps
 * nothing loads no database.
 *
 * **Example** (the database that the environment names)
 *
 * ```ts
 * import * as Postgres from "@tickline/node/store/Postgres"
 *
 * const SqlLive = Postgres.layerConfig({ url: Config.Redacted("DATABASE_URL") })
 * ```
 *
 * @since 0.1.0
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/**
 * A database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` where it is not on this machine. */
  readonly url: Redacted.Redacted<string>
  /** Default: 10. */
  readonly maxConnections?: number | undefined
  /** Default: 5 s. */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * The URL is none of Postgres. It may hold a password, and is not shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPostgresUrl extends Schema.TaggedError<InvalidPostgresUrl>()("InvalidPostgresUrl", {}) {
  override get message(): string {
    return "expected a postgres:// or postgresql:// URL"
  }
}

/**
 * A pool of connections, closed with the scope. One is made when the first
 * statement needs it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError | InvalidPostgresUrl> =>
  Layer.unwrap(Effect.suspend(() => {
    const url = URL.parse(Redacted.value(options.url))
    return url !== null && ["postgres:", "postgresql:"].includes(url.protocol)
      ? Effect.succeed(PgClient.layer({ applicationName: "tickline", keepAlive: "15 seconds", ...options }))
      : Effect.fail(new InvalidPostgresUrl())
  }))

/**
 * As `layer`, from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<SqlClient.SqlClient, SqlError | InvalidPostgresUrl | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(options), layer))
