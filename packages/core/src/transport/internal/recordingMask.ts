/**
 * What is a secret by its name or by its looks, and texts as they may be
 * recorded, without any.
 *
 * @since 0.1.0
 */
import * as Address from "../Address.ts"

/**
 * Returns whether a text looks like a listen key. An account's address on a
 * chain is no secret, and is in the data itself.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isKey = (text: string): boolean => /^(?!0x)[\w-]{32,}$/.test(text)

/**
 * Returns whether what has this name is a token, a key or the like.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSecretName = (name: string): boolean =>
  /token|key|secret|sign|auth|pass|jwt|credential|session|cookie/i.test(name)

/**
 * As many stars as the text has characters.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stars = (text: string): string => "*".repeat(text.length)

/**
 * A URL as it may be recorded: without user information and fragment, and with
 * stars for what `Secrets.maskOf` takes for a secret of the path and of the query.
 *
 * @category combinators
 * @since 0.1.0
 */
export const maskUrl = (url: string): string => {
  const address = Address.parse(url)
  if (address === undefined) return Address.origin(url)
  const [, path = "", query] = /^([^?#]*)(?:\?([^#]*))?/.exec(address.rest) ?? []
  const shown = path.split("/").map((segment) => isKey(segment) ? stars(segment) : segment).join("/")
  const parameters = query?.split("&").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    const text = value.join("=")
    return value.length > 0 && (isSecretName(name) || value.some(isKey)) ? `${name}=${stars(text)}` : pair
  })
  return `${Address.origin(url)}${shown}${parameters === undefined ? "" : `?${parameters.join("&")}`}`
}

// A member of JSON whose value is a text.
const textMember = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:\s*")([^"\\]+(?:\\.[^"\\]*)*|(?:\\.[^"\\]*)+)"/g

const maskMembers = (json: string, isSecret: (name: string) => boolean): string =>
  json.replace(
    textMember,
    (found, name: string, between: string, value: string) =>
      isSecret(name) ? `"${name}"${between}${stars(value)}"` : found
  )

/**
 * A frame of ours, or a request's body, as it may be recorded: with stars for
 * the texts under members that are called a token, a key, a signature or the
 * like.
 *
 * @category combinators
 * @since 0.1.0
 */
export const maskSent = (json: string): string => maskMembers(json, isSecretName)

const isIssued = (name: string): boolean => /^(access|refresh|id|session)_?token$|^listen_?key$/i.test(name)

/**
 * A frame or an answer of the peer's as it may be recorded: with stars for the
 * tokens and the listen keys that it issues, which no dial has shown yet.
 *
 * @category combinators
 * @since 0.1.0
 */
export const maskIssued = (json: string): string =>
  json.includes("oken\"") || json.includes("istenKey\"") ? maskMembers(json, isIssued) : json
