/**
 * Parts of a WebSocket URL that are safe to compare and to show.
 *
 * @since 0.1.0
 */

/**
 * The URL without its query, fragment and user information, which may hold
 * secrets.
 *
 * @category getters
 * @since 0.1.0
 */
export const shown = (url: string): string =>
  url.replace(/[?#].*$/s, "").replace(/^([a-z][a-z0-9+.-]*:)?(\/*)[^/]*@/i, "$1$2")

/**
 * Scheme and host of a URL in lower case, such as `wss://venue.example:443`:
 * what breakers are shared by. A text that is no WebSocket URL is its own.
 *
 * @category getters
 * @since 0.1.0
 */
export const origin = (url: string): string => {
  const plain = shown(url)
  return /^wss?:\/\/[^/]*/i.exec(plain)?.[0].toLowerCase() ?? plain
}
