/**
 * Text of a peer in log lines, attributes and messages.
 *
 * @since 0.1.0
 */
import { cut, escape } from "../Printable.ts"

/**
 * A record with its texts escaped: the annotations of a log line, the
 * attributes of a span or of a metric.
 *
 * @category getters
 * @since 0.1.0
 */
export const fields = (of: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(of).map(([key, value]) => [key, typeof value === "string" ? escape(value) : value])
  )

/**
 * Whether a text is shown as it is.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPrintable = (text: string): boolean => escape(text) === text

/** So many characters of an input are shown in a message. */
const quoted = 64

/**
 * Shows a piece of a peer's input in a message: quoted, cut at 64 characters,
 * and escaped where it cannot be shown.
 *
 * @category getters
 * @since 0.1.0
 */
export const quote = (input: string): string => {
  const shown = cut(input, quoted)
  const isWhole = shown === escape(input.slice(0, quoted + 1))
  return `\`${shown.replaceAll("`", "'")}${isWhole ? "" : "…"}\``
}
