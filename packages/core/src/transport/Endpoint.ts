/**
 * Every check of a dial request, in one place: what each transport asks before
 * it dials.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Address from "./Address.ts"
import { BadHeader, BadUrl, DialError, type DialReason, Unsupported } from "./DialError.ts"
import { plaintextReason } from "./internal/plaintextSecrets.ts"
import { headersReason, isToken, reveal } from "./internal/requestChecks.ts"
import type { Capabilities, DialRequest } from "./Transport.ts"

/**
 * A request that may be dialled, its secrets laid open: for the socket's
 * constructor, and for nothing else.
 *
 * @category models
 * @since 0.1.0
 */
export interface Endpoint {
  readonly url: string
  readonly isSecure: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly protocols: ReadonlyArray<string>
}

/**
 * Whether a host, without brackets, is this machine by its name: `localhost`,
 * `127.…` or `::1`.
 *
 * @category predicates
 * @since 0.1.0
 */
export { isLoopback } from "./internal/plaintextSecrets.ts"

/**
 * What is wrong with a text as the value of a header (RFC 9110 §5.5), such as
 * `"it holds a line break"`; `undefined` where nothing is. The text itself is
 * not said.
 *
 * @category getters
 * @since 0.1.0
 */
export { headerFault } from "./internal/requestChecks.ts"

const protocolReason = (protocols: ReadonlyArray<string>): DialReason | undefined => {
  const fault = !protocols.every(isToken)
    ? "a subprotocol holds what HTTP does not allow there"
    : new Set(protocols).size < protocols.length
    ? "a subprotocol stands there twice"
    : undefined
  return fault === undefined ? undefined : new BadHeader({ name: "Sec-WebSocket-Protocol", detail: fault })
}

/**
 * What is wrong with a text as the URL of a WebSocket, such as `"the scheme is
 * http, expected ws or wss"`; `undefined` where nothing is.
 *
 * @category getters
 * @since 0.1.0
 */
export const urlFault = (url: string): string | undefined => {
  const address = Address.parse(url)
  return address === undefined
    ? "not a URL such as wss://host:port/path"
    : address.scheme !== "ws" && address.scheme !== "wss"
    ? `the scheme is ${address.scheme}, expected ws or wss`
    : address.rest.includes("#")
    ? "it holds a fragment"
    : undefined
}

const urlReason = (url: string): BadUrl | undefined => {
  const detail = urlFault(url)
  return detail === undefined ? undefined : new BadUrl({ detail })
}

/**
 * Checks a request: that the URL is one, that the transport can send what is
 * asked for, that headers and subprotocols are what HTTP allows, and that no
 * secret would travel in the clear to a host that is neither loopback nor
 * allowed by name. What is refused is told without its value.
 *
 * @category decoding
 * @since 0.1.0
 */
export const check = (request: DialRequest, capabilities: Capabilities): Result.Result<Endpoint, DialError> => {
  const address = Address.parse(request.url)
  const names = Object.keys(request.headers)
  const headers = Object.entries(request.headers).map(([name, value]) => [name, reveal(value)] as const)
  const protocols = request.protocols.map(reveal)
  const reason = urlReason(request.url) ??
    (capabilities.headers || names.length === 0 ? undefined : new Unsupported({
      detail: `a browser sends no headers (${names.join(", ")}): authenticate by a subprotocol or a first message`
    })) ??
    headersReason(headers) ??
    protocolReason(protocols) ??
    (address && plaintextReason(address, request, [...request.protocols, ...request.secrets ?? []]))
  if (reason !== undefined) return Result.fail(new DialError({ url: Address.origin(request.url), reason }))
  return Result.succeed({
    url: request.url,
    isSecure: address?.scheme === "wss",
    headers: Object.fromEntries(headers),
    protocols
  })
}
