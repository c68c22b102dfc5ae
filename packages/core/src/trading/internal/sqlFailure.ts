/**
 * What a database says, or does not say, as an error of the storage.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { StorageError } from "../StorageError.ts"

/** How long a database has to answer. */
const patience = "10 seconds"

/** Postgres is going down or coming up, or has no connection left: its client calls that unknown. */
const isAway = /^(57P0[123]|53300)$/

const isRetryable = ({ isRetryable, reason: { cause } }: SqlError): boolean =>
  isRetryable || (Predicate.hasProperty(cause, "code") && isAway.test(String(cause.code)))

/**
 * The error of an operation that failed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (operation: string) => (cause: SqlError | MigrationError | Schema.SchemaError): StorageError =>
  new StorageError({ operation, isRetryable: cause._tag === "SqlError" && isRetryable(cause), cause })

/**
 * An operation that ends whatever becomes of its connection. One that has no
 * answer is given up, and nobody waits for it to be rolled back. A rollback over a
 * connection that is gone is a defect to `effect/sql`; here it is a failure.
 *
 * @category combinators
 * @since 0.1.0
 */
export const bounded =
  (operation: string) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StorageError> => {
    return effect.pipe(
      Effect.catchDefect((defect) => isSqlError(defect) ? Effect.fail(make(operation)(defect)) : Effect.die(defect)),
      Effect.forkDetach({ startImmediately: true }),
      Effect.flatMap((fiber) =>
        Fiber.join(fiber).pipe(
          Effect.timeoutOrElse({
            duration: patience,
            orElse: () =>
              Effect.fail(
                new StorageError({ operation, isRetryable: true, cause: new Error(`no answer within ${patience}`) })
              )
          }),
          Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
        )
      )
    )
  }

/**
 * An operation whose failures are those of the storage.
 *
 * @category combinators
 * @since 0.1.0
 */
export const of =
  (operation: string) =>
  <A>(effect: Effect.Effect<A, SqlError | MigrationError | Schema.SchemaError>): Effect.Effect<A, StorageError> =>
    bounded(operation)(Effect.mapError(effect, make(operation)))
