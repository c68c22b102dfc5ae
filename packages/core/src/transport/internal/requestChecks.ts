/** The checks of what is sent before a socket is open: those of a dial that HTTP has as well, and those of a request. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Address from "../Address.ts"
import { BadHeader, BadUrl } from "../DialError.ts"
import { plaintextReason, type Target } from "./plaintextSecrets.ts"

/** What is wrong with a text as the value of a header: see `Endpoint.headerFault`. */
export const headerFault = (value: string): string | undefined =>
  /[\r\n]/.test(value)
    ? "it holds a line break"
    : /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)
    ? "it holds a control character or one beyond Latin-1"
    : /^[\t ]|[\t ]$/.test(value)
    ? "it begins or ends with white space"
    : undefined

/** A token of HTTP (RFC 9110 §5.6.2): the name of a header, or a subprotocol. */
export const isToken = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text)

/** The text of a value, secret or not. */
export const reveal = (value: string | Redacted.Redacted<string>): string =>
  typeof value === "string" ? value : Redacted.value(value)

const headerReason = (name: string, value: string): BadHeader | undefined => {
  if (!isToken(name)) return new BadHeader({ name: "", detail: "its name holds what HTTP does not allow there" })
  const fault = headerFault(value)
  return fault === undefined ? undefined : new BadHeader({ name, detail: `its value cannot be sent: ${fault}` })
}

/** Why one of the headers cannot be sent, if one cannot. */
export const headersReason = (headers: ReadonlyArray<readonly [name: string, value: string]>): BadHeader | undefined =>
  headers.map(([name, value]) => headerReason(name, value)).find((reason) => reason !== undefined)

const httpUrlReason = (address: Address.Address | undefined): BadUrl | undefined => {
  const detail = address === undefined
    ? "not a URL such as https://host:port/path"
    : address.scheme !== "http" && address.scheme !== "https"
    ? `the scheme is ${address.scheme}, expected http or https`
    : address.userInfo !== undefined
    ? "user and password are sent in a header, not in the URL"
    : address.rest.includes("#")
    ? "it holds a fragment"
    : undefined
  return detail === undefined ? undefined : new BadUrl({ detail })
}

/** Checks a request over HTTP as `Endpoint.check` does a dial, and gives its headers, the secrets laid open. */
export const checkHttp = (
  target: Target
): Result.Result<Readonly<Record<string, string>>, BadUrl | BadHeader> => {
  const address = Address.parse(target.url)
  const headers = Object.entries(target.headers).map(([name, value]) => [name, reveal(value)] as const)
  const reason = httpUrlReason(address) ?? headersReason(headers) ?? (address && plaintextReason(address, target, []))
  return reason === undefined ? Result.succeed(Object.fromEntries(headers)) : Result.fail(reason)
}
