/**
 * The only ways from one state of a connection to another.
 *
 * @since 0.1.0
 */
import type { ConnectionState } from "../ConnectionState.ts"

type Tag = ConnectionState["_tag"]

const successors: Readonly<Record<Tag, ReadonlyArray<Tag>>> = {
  Disconnected: ["Connecting"],
  Connecting: ["Connected", "Reconnecting", "CircuitOpen", "Failed", "Disconnected", "Closing"],
  Connected: ["Reconnecting", "CircuitOpen", "Connecting", "Failed", "Closing"],
  Reconnecting: ["Connecting", "CircuitOpen", "Failed", "Closing"],
  CircuitOpen: ["Connecting", "CircuitOpen", "Failed", "Closing"],
  Closing: ["Disconnected"],
  Failed: ["Connecting", "Closing"]
}

/**
 * Returns whether `to` may follow `from`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const allows = (from: ConnectionState, to: ConnectionState): boolean => successors[from._tag].includes(to._tag)

/**
 * Returns whether a connection in this state has an open wire.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isConnected = (self: ConnectionState): boolean => self._tag === "Connected"
