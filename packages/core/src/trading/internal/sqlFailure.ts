/**
 * What a database says, as an error of the storage.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"
import { StorageError } from "../StorageError.ts"

/**
 * The error of an operation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (operation: string) => (cause: SqlError | MigrationError | Schema.SchemaError): StorageError =>
  new StorageError({ operation, isRetryable: cause._tag === "SqlError" && cause.isRetryable, cause })
