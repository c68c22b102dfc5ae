/**
 * Text of a peer, made fit to be shown: on a terminal, in a log line, in the
 * label of a metric. What cannot be seen, or moves or reorders what stands
 * around it, is shown as the escape that JSON has for it.
 *
 * @since 0.1.0
 */

const isPlain = /^[ -~]*$/

// Categories rather than code points: control, format (bidirectional and zero-width ones), surrogate, private and
// unassigned ones (C), line and paragraph separators, and all that shows as nothing (variation selectors, fillers,
// tags). A combining mark without a letter would sit on our own text; many in a row reach over the lines around.
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?<![\p{L}\p{N}\p{M}])\p{M}+|\p{M}{4,}/gu

const escaped = (text: string): string => {
  let out = ""
  for (let index = 0; index < text.length; index++) {
    out += `\\u${text.charCodeAt(index).toString(16).padStart(4, "0")}`
  }
  return out
}

/**
 * Escapes what must not be shown as it is: control characters (C0, DEL, C1),
 * bidirectional controls, zero-width and other format characters, line and
 * paragraph separators, lone surrogates, variation selectors and tags, combining
 * marks that have no letter or are more than three in a row. Each becomes
 * `\u` and four hexadecimal digits, a pair of surrogates two of them.
 *
 * In a JSON text on one line it changes the spelling of strings only, never
 * what they mean. Applying it twice is the same as once.
 *
 * @category getters
 * @since 0.1.0
 */
export const escape = (text: string): string => isPlain.test(text) ? text : text.replace(hidden, escaped)

const isPair = /^[\u{10000}-\u{10ffff}]$/u

/** The beginning of a text, never half a surrogate pair. */
const begin = (text: string, length: number): string =>
  text.slice(0, isPair.test(text.slice(length - 1, length + 1)) ? length - 1 : length)

/**
 * The beginning of a text, escaped, at most so many characters long; an escape
 * that does not fit whole is left out.
 *
 * @category getters
 * @since 0.1.0
 */
export const cut = (text: string, length: number): string => {
  const shown = escape(begin(text, length))
  return shown.length <= length ? shown : begin(shown, length).replace(/\\(?:u[0-9a-f]{0,3})?$/, "")
}
