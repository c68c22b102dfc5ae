/**
 * What a page of HTML may hold of what others said.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&#39;"
}

/**
 * A text that a peer or a venue may have said, as text and nothing else.
 *
 * @category encoding
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  Printable.escape(text).replace(/[&<>"']/g, (character) => entities[character] ?? "")
