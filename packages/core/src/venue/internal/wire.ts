/**
 * What the venues' decoders that are not yet declared share.
 *
 * @since 0.1.0
 */
import * as Rows from "../../codec/internal/rows.ts"

export { plain } from "../../codec/ExactJson.ts"
export { bounded } from "../../codec/internal/bounded.ts"
export { reader } from "../../codec/internal/reader.ts"
export * from "../../codec/internal/rows.ts"
export * from "../../codec/internal/schemas.ts"

/** Rows of two strings. */
export const Levels = Rows.rows((rows) => Rows.pairs(rows, false))
