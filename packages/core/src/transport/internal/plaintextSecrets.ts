/** No secret travels unencrypted but to this machine, or to a host that is allowed by name. */
import * as Redacted from "effect/Redacted"
import type * as Address from "../Address.ts"
import { BadUrl } from "../DialError.ts"

/** What is checked of a dial and of a request alike. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string | Redacted.Redacted<string>>>
  readonly plaintextHosts: ReadonlyArray<string>
}

/** Whether a host, without brackets, is this machine by its name: `localhost`, `127.…` or `::1`. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){1,3}$/.test(host)

/** Why a secret may not travel there, where it may not. */
export const plaintextReason = (
  { host: written, scheme, userInfo = "" }: Address.Address,
  { headers, plaintextHosts }: Target,
  protocols: ReadonlyArray<string | Redacted.Redacted<string>>
): BadUrl | undefined => {
  const host = written.replace(/^\[|\]$/g, "")
  const isAllowed = plaintextHosts.some((allowed) => [host, written].includes(allowed.toLowerCase()))
  const hasSecret = userInfo !== "" || [...Object.values(headers), ...protocols].some(Redacted.isRedacted)
  const secure = scheme.startsWith("ws") ? "wss" : "https"
  return !hasSecret || scheme === secure || isLoopback(host) || isAllowed
    ? undefined
    : new BadUrl({ detail: `a secret would travel to ${host} unencrypted: use ${secure}, or allow the host by name` })
}
