/** What a failure is called, and what is done about it. */
import { assert, describe, it } from "@effect/vitest"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as DialError from "@tickline/core/transport/DialError"
import { WireClosed } from "@tickline/core/transport/Transport"
import * as Schema from "effect/Schema"
import type * as Recovery from "../src/resilience/internal/recovery.ts"

const dial = (reason: DialError.DialReason) => new DialError.DialError({ url: "wss://venue.example", reason })
const rejected = (status: number) => dial(new DialError.HandshakeRejected({ status }))
const dropped = (by: WireClosed["by"], code: number) =>
  new ConnectError.Dropped({ epoch: 1, closed: new WireClosed({ by, code, reason: "" }) })

const rows: ReadonlyArray<
  readonly [what: string, failure: ConnectError.Failure, kind: ConnectError.FailureKind, Recovery.Answer]
> = [
  ["a 401", rejected(401), "HandshakeRejected", "reauthenticate"],
  ["a 403", rejected(403), "HandshakeRejected", "reauthenticate"],
  ["a 400", rejected(400), "HandshakeRejected", "retry"],
  ["a 402", rejected(402), "HandshakeRejected", "retry"],
  ["a 404", rejected(404), "HandshakeRejected", "retry"],
  ["a dial that took too long", dial(new DialError.TimedOut({ afterMillis: 1 })), "TimedOut", "retry"],
  ["a URL that is none", dial(new DialError.BadUrl({ detail: "x" })), "BadUrl", "stop"],
  ["a token that is refused", new ConnectError.AuthError({ detail: "x" }), "AuthError", "stop"],
  ["a message of too many bytes", dropped("local", 1009), "TooLarge", "retry"],
  ["a message of too many parts", dropped("local", 1008), "TooLarge", "retry"],
  ["an end of our own for another reason", dropped("local", 1007), "Dropped", "retry"],
  ["a peer that finds our messages too large", dropped("peer", 1009), "Dropped", "retry"],
  ["a network that ends", dropped("network", 1006), "Dropped", "retry"],
  ["a pong that is missed", new ConnectError.HeartbeatMissed({ epoch: 1, afterMillis: 1 }), "HeartbeatMissed", "retry"],
  [
    "subscriptions that are not restored",
    new ConnectError.RestoreFailed({ epoch: 1, detail: "x" }),
    "RestoreFailed",
    "retry"
  ]
]

describe("ConnectError", () => {
  it("is each reason to be down, and keeps what it says as JSON", () => {
    const codec = Schema.toCodecJson(ConnectError.ConnectError)
    const errors = [
      ...rows.map(([, failure]) => failure),
      new ConnectError.ObserverFailed({ epoch: 1, observer: "o", detail: "x" }),
      new ConnectError.ConnectionAborted({ retries: 3, last: new ConnectError.SourceFailed({ detail: "x" }) }),
      new ConnectError.ConnectionAborted({ retries: 3, last: dropped("peer", 1000) }),
      new ConnectError.ConnectionClosed()
    ]
    for (const error of errors) {
      assert.isTrue(Schema.is(ConnectError.ConnectError)(error), error.message)
      const read = Schema.decodeSync(codec)(Schema.encodeSync(codec)(error))
      assert.deepStrictEqual([read._tag, read.message], [error._tag, error.message])
    }
    for (const other of [new ConnectError.NotSent({ reason: "Closed" }), new Error("x")]) {
      assert.isFalse(Schema.is(ConnectError.ConnectError)(other))
    }
  })

  for (const [what, failure, kind, recovery] of rows) {
    it(`${what} is ${kind}: ${recovery}`, () => {
      assert.strictEqual(ConnectError.kind(failure), kind)
      assert.strictEqual(ConnectError.classify(failure), recovery)
    })
  }
})
