import { assert, it } from "@effect/vitest"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as RetryAfter from "@tickline/core/transport/RetryAfter"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"

it.effect("asks again after as long as it is told to wait", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const rest = yield* network.serveHttp(
      "https://venue.test",
      ({ url }) => Effect.succeed({ status: 200, headers: {}, body: url })
    )
    yield* rest.script({ _tag: "Reject", status: 429, retryAfterMillis: 2_000 })

    const { request } = yield* HttpPort.HttpPort
    const refused = yield* request({ method: "GET", url: "https://venue.test/time" })
    assert.strictEqual(RetryAfter.millisOf(refused.headers, 0), 2_000)
    assert.strictEqual((yield* request({ method: "GET", url: "https://venue.test/time" })).status, 200)
    assert.deepStrictEqual(rest.requests.map(({ outcome, path }) => [path, outcome]), [
      ["/time", "Reject"],
      ["/time", "Accept"]
    ])
  })).pipe(Effect.provide(Probe.layer())))
