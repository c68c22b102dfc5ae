/**
 * What a peer sends back, cleared of the secrets that were shown to it: a token
 * that a venue repeats in an error, a close reason or a frame is masked before
 * anybody reads, logs or records it.
 *
 * A mask is as many `*` as the secret had characters, so that a frame still
 * reads. Secrets shorter than {@link minLength}, or than {@link minDigits} where
 * they are digits alone, are not looked for: they would be found by chance, in
 * names and in prices, and no venue issues any.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as RegExp from "effect/RegExp"
import * as Address from "./Address.ts"
import type { Frame } from "./Frame.ts"
import { isKey, isSecretName, stars } from "./internal/recordingMask.ts"
import type { DialRequest } from "./Transport.ts"

/**
 * Characters of the shortest secret that is looked for.
 */
const minLength = 6

/**
 * Characters of the shortest secret of digits alone that is looked for.
 */
const minDigits = 10

/**
 * Masks the secrets in a text, or in a frame of either kind; what holds none is
 * given back as it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mask {
  readonly text: (text: string) => string
  readonly frame: (frame: Frame) => Frame
}

const hexOf = (unit: number, digits: number): string =>
  unit.toString(16).padStart(digits, "0").replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)

/** How one character of a secret may stand in a frame: as it is, escaped as in JSON or in a URL, or in bytes of UTF-8. */
const written = (character: string): string => {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  const bytes = encodeURIComponent(character).replace(/%(..)/g, (_, hex) => String.fromCharCode(Number(`0x${hex}`)))
  const octets = Array.from(bytes, (byte) => `%${hexOf(byte.charCodeAt(0), 2)}`).join("")
  const forms = [
    RegExp.escape(character),
    RegExp.escape(bytes),
    units.map((unit) => `\\\\u${hexOf(unit, 4)}`).join(""),
    octets,
    ...("\"\\/".includes(character) ? [`\\\\${RegExp.escape(character)}`] : [])
  ]
  return `(?:${[...new Set(forms)].join("|")})`
}

const isSought = (secret: string): boolean => secret.length >= (/^[\d.,+-]*$/.test(secret) ? minDigits : minLength)

/** The bytes as a text of as many characters. */
const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let from = 0; from < bytes.length; from += 8_192) {
    const units: string = Reflect.apply(String.fromCharCode, undefined, bytes.subarray(from, from + 8_192))
    text += units
  }
  return text
}

/**
 * The mask over some secrets; `undefined` where none of them is long enough to
 * be looked for, so that nobody pays for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mask = (secrets: Iterable<string>): Mask | undefined => {
  const long = [...new Set(secrets)].map((secret) => secret.toWellFormed()).filter(isSought)
  if (long.length === 0) return undefined
  // A secret may be a part of another. Most texts need no pattern, and it is dear.
  const sought = long.sort((one, other) => other.length - one.length).map((secret) => {
    let pattern: RegExp | undefined
    return {
      secret,
      get pattern() {
        return pattern ??= RegExp.RegExp(Array.from(secret, written).join(""), "g")
      }
    }
  })
  // In a text any form but the plain one, which is found fastest, holds a backslash or a percent sign.
  const isEscaped = (text: string): boolean => text.includes("\\") || text.includes("%")
  const text = (text: string): string => {
    let masked = text
    for (const one of sought) {
      if (masked.includes(one.secret) || isEscaped(masked)) masked = masked.replace(one.pattern, stars)
    }
    return masked
  }
  return {
    text,
    frame: (frame) => {
      if (typeof frame === "string") return text(frame)
      const before = latin1(frame)
      const after = sought.reduce((text, { pattern }) => text.replace(pattern, stars), before)
      return before === after ? frame : Uint8Array.from(frame, (_, index) => after.charCodeAt(index))
    }
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Of `Bearer abc` what comes after the scheme. */
const credentials = (header: string): string => /^[\w-]+ +(\S.*)$/s.exec(header)?.[1] ?? header

const ofUrl = (url: string): ReadonlyArray<string> => {
  const address = Address.parse(url)
  if (address === undefined) return []
  const { rest, userInfo = "" } = address
  // Most URLs hold nothing that could be one.
  if (userInfo === "" && !/[?#]|[\w-]{32}/.test(rest)) return []
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []
  const [path = "", query = ""] = rest.split(/[?#]/)
  const parameters = query.split("&").flatMap((pair) => {
    const [name = "", ...value] = pair.split("=")
    return isSecretName(name) || value.some(isKey) ? [value.join("=")] : []
  })
  // With a password beside it the user is a name, such as may stand in a frame.
  const found = [password === "" ? user : password, ...path.split("/").filter(isKey), ...parameters]
  // What a client makes of user and password is a header.
  return [...found, ...found.map(decoded), Base64.encode(`${decoded(user)}:${decoded(password)}`)]
}

/**
 * The mask over the secrets of a dial: `Redacted` headers and subprotocols, what
 * is a secret of the messages that are sent,
 * headers that are called a token, a key or the like though they are not
 * `Redacted`, and what a URL may hold: user and password, the value of a parameter that is
 * called a token, a key, a signature or the like, and a path segment or value of
 * 32 letters and digits or more (a listen key).
 *
 * @category constructors
 * @since 0.1.0
 */
export const maskOf = (
  { headers, protocols, secrets = [], url }: Pick<DialRequest, "headers" | "protocols" | "secrets" | "url">
): Mask | undefined =>
  mask([
    ...ofUrl(url),
    ...Object.entries(headers).flatMap(([name, value]) =>
      typeof value !== "string" ? [credentials(Redacted.value(value))] : isSecretName(name) ? [credentials(value)] : []
    ),
    ...protocols.flatMap((value) => typeof value === "string" ? [] : [credentials(Redacted.value(value))]),
    ...secrets.map(Redacted.value)
  ])
