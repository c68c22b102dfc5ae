/** The states of a connection, and the only ways from one to another. */
import { assert, describe, it } from "@effect/vitest"
import { ConnectionClosed } from "@tickline/core/connection/ConnectError"
import { ConnectionState } from "@tickline/core/connection/ConnectionState"
import { allows, isConnected } from "../src/connection/internal/stateTransitions.ts"

const wait = { attempt: 1, delayMillis: 1, until: 1, failure: undefined }
const states: Readonly<Record<ConnectionState["_tag"], ConnectionState>> = {
  Disconnected: ConnectionState.Disconnected(),
  Connecting: ConnectionState.Connecting({ attempt: 1 }),
  Connected: ConnectionState.Connected({ epoch: 1 }),
  Reconnecting: ConnectionState.Reconnecting({ ...wait, pattern: undefined }),
  CircuitOpen: ConnectionState.CircuitOpen(wait),
  Closing: ConnectionState.Closing({ mode: "graceful" }),
  Failed: ConnectionState.Failed({ error: new ConnectionClosed() })
}

const after: Readonly<Record<ConnectionState["_tag"], string>> = {
  Disconnected: "Connecting",
  Connecting: "Disconnected Connected Reconnecting CircuitOpen Closing Failed",
  Connected: "Connecting Reconnecting CircuitOpen Closing Failed",
  Reconnecting: "Connecting CircuitOpen Closing Failed",
  CircuitOpen: "Connecting CircuitOpen Closing Failed",
  Closing: "Disconnected",
  Failed: "Connecting Closing"
}

describe("ConnectionState", () => {
  for (const [tag, state] of Object.entries(states)) {
    it(`${tag} is followed by ${after[state._tag]}, and by nothing else`, () => {
      const followed = Object.values(states).filter((to) => allows(state, to)).map(({ _tag }) => _tag)
      assert.strictEqual(followed.join(" "), after[state._tag])
    })
  }

  it("has an open wire where it is connected only", () => {
    assert.deepStrictEqual(Object.values(states).filter(isConnected).map(({ _tag }) => _tag), ["Connected"])
  })
})
