/** How a wire ends: what an error of `ws` means, and what fits into a close frame. */
import { WireClosed } from "@tickline/core/transport/Transport"
import { codeOf } from "./dialFailure.ts"

/** RFC 6455 §5.5: a control frame carries 125 bytes, two of which are the close code. */
const closeReasonBytes = 123

/** The close codes that `ws` sends for what it does not accept; 1002 for the rest. */
const protocolCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007
}

const refusalOf = (code: number, maxMessageBytes: number): string | undefined => {
  switch (code) {
    case 1008:
      return "message in too many parts"
    case 1009:
      return `message over ${maxMessageBytes} bytes`
  }
  return undefined
}

/** The end of a wire whose socket had an error. */
export const endOf = (error: Error, maxMessageBytes: number): WireClosed => {
  const name = codeOf(error)
  if (!name.startsWith("WS_ERR_")) return WireClosed.of({ by: "network", code: 1006, reason: name })
  const code = protocolCodes[name] ?? 1002
  return WireClosed.of({ by: "local", code, reason: refusalOf(code, maxMessageBytes) ?? error.message })
}

/** The longest beginning of a reason that a close frame has room for. */
export const closeReason = (text: string): string => {
  if (Buffer.byteLength(text) <= closeReasonBytes) return text
  let end = Math.min(text.length, closeReasonBytes)
  while (Buffer.byteLength(text.slice(0, end)) > closeReasonBytes) end--
  return text.slice(0, end).toWellFormed()
}
