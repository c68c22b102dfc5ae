/**
 * What a database says, or does not say, as an error of the storage.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Schema from "effect/Schema"
import type { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"
import { StorageError } from "../StorageError.ts"

/** How long a database has to answer. */
const patience = "10 seconds"

/**
 * The error of an operation that failed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (operation: string) => (cause: SqlError | MigrationError | Schema.SchemaError): StorageError =>
  new StorageError({ operation, isRetryable: cause._tag === "SqlError" && cause.isRetryable, cause })

/**
 * Gives an operation up that has no answer. Nobody waits for it to be rolled back
 * over a connection that says nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const bounded = (operation: string) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StorageError> =>
  Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) =>
    Fiber.join(fiber).pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () =>
          Effect.fail(
            new StorageError({ operation, isRetryable: true, cause: new Error(`no answer within ${patience}`) })
          )
      }),
      Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
    ))

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
