/**
 * Text in a regular expression, and the other way.
 *
 * @since 0.1.0
 */

/**
 * The pattern that matches exactly this text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")

/**
 * The text that a pattern was made of by `escapePattern` alone; `undefined` where
 * it may match another.
 *
 * @category conversions
 * @since 0.1.0
 */
export const literalOf = (pattern: string): string | undefined => {
  const text = pattern.replace(/\\(.)/g, "$1")
  return escapePattern(text) === pattern ? text : undefined
}
