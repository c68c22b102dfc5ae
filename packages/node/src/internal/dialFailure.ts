/** Why a dial failed, as what `ws` and Node say is read. */
import * as Address from "@tickline/core/transport/Address"
import {
  type DialReason,
  HandshakeRejected,
  NotResolved,
  Refused,
  TlsFailed,
  Unreachable
} from "@tickline/core/transport/DialError"
import * as RetryAfter from "@tickline/core/transport/RetryAfter"
import type { IncomingMessage } from "node:http"

/** The system's or the library's code of an error, `""` where it has none. */
export const codeOf = (error: Error): string => "code" in error && typeof error.code === "string" ? error.code : ""

/** Where the failed attempt went, as Node says it: an address and port, or a host. */
const placeOf = (error: Error): string => {
  if ("hostname" in error && typeof error.hostname === "string") return ` ${error.hostname}`
  if (!("address" in error) || typeof error.address !== "string") return ""
  return "port" in error ? ` ${error.address}:${error.port}` : ` ${error.address}`
}

/** Why a dial failed, from what Node or `ws` says of it. */
export const reasonOf = (error: Error, secure: boolean): DialReason => {
  // A host with several addresses fails with all their errors; a refusal says most.
  if (error instanceof AggregateError) {
    const errors = error.errors.filter((each) => each instanceof Error)
    const first = errors.find((each) => codeOf(each) === "ECONNREFUSED") ?? errors[0]
    if (first !== undefined) return reasonOf(first, secure)
  }
  const code = codeOf(error)
  const detail = `${code}${placeOf(error)}`
  // A reset is an answer as well: somebody is there and does not want the connection.
  if (code === "ECONNREFUSED" || code === "ECONNRESET") return new Refused({ detail })
  if (code === "ENOTFOUND" || code === "ENODATA" || code.startsWith("EAI_")) return new NotResolved({ detail })
  if (code.startsWith("HPE_")) return new HandshakeRejected({ status: 0, detail: "the answer is not HTTP" })
  // `ws` has no codes for an answer of 101 that is no handshake; its texts are constants.
  if (code === "") return new HandshakeRejected({ status: 101, detail: error.message })
  return secure && !networkCodes.has(code) ? new TlsFailed({ detail }) : new Unreachable({ detail })
}

/**
 * What the network itself can answer. Any other code with which a dial over
 * TLS can fail comes from OpenSSL or Node's certificate checks, and there are
 * dozens.
 */
const networkCodes: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EADDRINUSE",
  "EACCES",
  "EPERM",
  "EINVAL",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "ECANCELED",
  "ERR_SOCKET_CONNECTION_TIMEOUT"
])

/** An answer that is no upgrade. `now` is the wall clock, in epoch milliseconds. */
export const rejection = (response: IncomingMessage, url: string, now: number): HandshakeRejected => {
  const retryAfterMillis = RetryAfter.millisOf(response.headers, now)
  const { location } = response.headers
  return new HandshakeRejected({
    status: response.statusCode ?? 0,
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    ...(location === undefined ? {} : { location: Address.movedTo(location, url) })
  })
}
