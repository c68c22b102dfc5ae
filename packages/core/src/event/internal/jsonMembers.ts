/**
 * Members of a line of NDJSON. Each begins with its comma; one that is absent is
 * an empty text.
 *
 * @since 0.1.0
 */
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"

/**
 * A member that is text.
 *
 * @category encoding
 * @since 0.1.0
 */
export const text = (key: string, value: string | undefined): string =>
  value === undefined ? "" : `,"${key}":${JSON.stringify(value)}`

/**
 * A member that is a decimal, in plain notation.
 *
 * @category encoding
 * @since 0.1.0
 */
export const decimal = (key: string, value: Decimal.Decimal | undefined): string =>
  value === undefined ? "" : `,"${key}":"${Decimal.format(value)}"`

/**
 * A member that is an instant, as ISO-8601.
 *
 * @category encoding
 * @since 0.1.0
 */
export const instant = (key: string, value: Timestamp.Timestamp | undefined): string =>
  value === undefined ? "" : `,"${key}":"${Timestamp.format(value)}"`

/**
 * A member that is a JSON number.
 *
 * @category encoding
 * @since 0.1.0
 */
export const number = (key: string, value: number | undefined): string =>
  value === undefined ? "" : `,"${key}":${value}`
