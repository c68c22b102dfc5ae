/** HTTP on the virtual network, to the millisecond: what is asked, what a host answers, and what goes wrong between. */
import { assert, describe, it } from "@effect/vitest"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as HttpFaultPlan from "@tickline/testing/HttpFaultPlan"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"

const url = "https://venue.test"

/** A network with a host that answers with what it was asked, and the time at which it was. */
const echoing = (options: VirtualNetwork.Options = {}) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1, ...options })
    const host = yield* network.serveHttp(`${url}/`, (request) =>
      Effect.map(Clock.currentTimeMillis, (at) => ({
        status: 200,
        headers: { "X-Key": request.headers["x-key"] ?? "" },
        body: `${request.method} ${request.url} ${request.body ?? ""} at ${at}`
      })))
    return { network, host }
  })

/** What became of a request, and when. */
const outcome = (network: VirtualNetwork.VirtualNetwork, request: Partial<HttpPort.HttpRequest> = {}) =>
  network.http.request({ method: "GET", url: `${url}/depth?symbol=A`, ...request }).pipe(
    Effect.match({
      onFailure: ({ reason }) => reason._tag,
      onSuccess: ({ body, headers, status }) => `${status} ${headers["retry-after"] ?? ""} ${body}`
    }),
    Effect.zip(Clock.currentTimeMillis)
  )

describe("HTTP on the virtual network", () => {
  it.effect("arrives after one latency and is answered after two, whatever its status", () =>
    Effect.gen(function*() {
      const { host, network } = yield* echoing({ latency: 20 })
      const answer = yield* Probe.within(network.http.request({
        method: "POST",
        url: `${url}/orders?a=b`,
        headers: { "X-KEY": Redacted.make("s3cret-key") },
        body: "{}"
      }))
      assert.deepStrictEqual(answer, {
        status: 200,
        headers: { "x-key": "**********" },
        body: "POST https://venue.test/orders?a=b {} at 20"
      })
      assert.strictEqual(yield* Clock.currentTimeMillis, 40)
      assert.deepStrictEqual(host.requests, [{ at: 0, method: "POST", path: "/orders?a=b", outcome: "Accept" }])
      yield* host.setLatency(5)
      assert.deepStrictEqual(yield* Probe.within(outcome(network)), [
        "200  GET https://venue.test/depth?symbol=A  at 45",
        50
      ])
      yield* host.setLatency(0)
      assert.strictEqual((yield* outcome(network))[1], 50)
    }))

  it.effect("keeps the order of what is sent over a socket and over HTTP together", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ latency: 10 })
      const order: Array<string> = []
      yield* network.serveHttp(url, () =>
        Effect.sync(() => (order.push("asked"), { status: 200, headers: {}, body: "" })))
      network.schedule(10, () =>
        void order.push("before"))
      const asking = yield* Effect.forkChild(outcome(network), { startImmediately: true })
      network.schedule(10, () => void order.push("after"))
      yield* TestClock.adjust(20)
      yield* Fiber.join(asking)
      assert.strictEqual(order[0], "before")
      assert.include(order, "asked")
    }))

  it.effect("meets what is scripted, in order, and then answers again", () =>
    Effect.gen(function*() {
      const { host, network } = yield* echoing({ latency: 1 })
      yield* host.script(
        { _tag: "Refuse" },
        { _tag: "Unreachable" },
        { _tag: "Reject", status: 429, retryAfterMillis: 2_000 },
        { _tag: "Reject", status: 500 },
        { _tag: "Truncate" },
        { _tag: "Hang" }
      )
      const met: Array<string> = []
      for (let request = 0; request < 6; request++) met.push((yield* Probe.within(outcome(network)))[0])
      assert.deepStrictEqual(met, ["Refused", "Unreachable", "429 2 ", "500  ", "Truncated", "DeadlineExceeded"])
      assert.strictEqual(yield* Clock.currentTimeMillis, 10_010)
      yield* host.otherwise({ _tag: "Refuse" })
      assert.strictEqual((yield* Probe.within(outcome(network)))[0], "Refused")
      yield* host.otherwise({ _tag: "Accept" })
      assert.match((yield* Probe.within(outcome(network)))[0], /^200/)
      assert.lengthOf(host.requests, 8)
      assert.include(network.log.lines.join("\n"), "outcome=Truncate")
    }))

  it.effect("knows the hosts that serve, and no other", () =>
    Effect.gen(function*() {
      const { network } = yield* echoing()
      assert.strictEqual((yield* outcome(network, { url: "https://other.test/" }))[0], "NotResolved")
      assert.strictEqual((yield* outcome(network, { url: "http://venue.test/" }))[0], "NotResolved")
      assert.match((yield* outcome(network, { url: "https://venue.test:443/" }))[0], /^200/)
      // Nothing travels in the clear here.
      yield* network.serveHttp("http://plain.test", () => Effect.succeed({ status: 204, headers: {}, body: "" }))
      const secret = { "x-key": Redacted.make("s3cret-key") }
      assert.match((yield* outcome(network, { url: "http://plain.test", headers: secret }))[0], /^204/)
    }))

  it.effect("asks nothing of the host if it is interrupted on the way", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ latency: 10 })
      let asked = 0
      yield* network.serveHttp(url, () => Effect.sync(() => (asked++, { status: 200, headers: {}, body: "" })))
      const asking = yield* Effect.forkChild(outcome(network), { startImmediately: true })
      yield* TestClock.adjust(5)
      yield* Fiber.interrupt(asking)
      yield* TestClock.adjust(20)
      assert.strictEqual(asked, 0)
    }))

  it.effect("goes wrong by a plan", () =>
    Effect.gen(function*() {
      const { host, network } = yield* echoing()
      yield* HttpFaultPlan.run(network, host, [
        FaultPlan.at("1 second", { _tag: "Refuse", dials: 2 }),
        FaultPlan.at("2 seconds", { _tag: "Status", status: 418, retryAfterSeconds: 7 }),
        FaultPlan.at("3 seconds", { _tag: "Truncate", answers: 1 }, "10 seconds"),
        FaultPlan.at("4 seconds", { _tag: "Down", forMillis: 1_500 }),
        FaultPlan.at("7 seconds", { _tag: "Latency", latency: 100, forMillis: 500 }),
        FaultPlan.at("8 seconds", { _tag: "Hang" })
      ])
      const met: Array<string> = []
      for (let second = 0; second < 9; second++) {
        if (second === 7) {
          const asking = yield* Effect.forkChild(outcome(network), { startImmediately: true })
          yield* TestClock.adjust(1_000)
          met.push(String((yield* Fiber.join(asking))[1]))
        } else {
          met.push((yield* outcome(network, { deadline: 0 }))[0].slice(0, 9))
          yield* TestClock.adjust(1_000)
        }
      }
      assert.deepStrictEqual(met, [
        "200  GET ",
        "Refused",
        "Refused",
        "418 7 ",
        "Truncated",
        "Refused",
        "200  GET ",
        "7200",
        "DeadlineE"
      ])
      assert.include(network.log.lines.join("\n"), "truncate=1")
    }))

  it.effect("is in the layers that suites use", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      yield* network.serveHttp(url, () => Effect.succeed({ status: 200, headers: {}, body: "here" }))
      const port = yield* HttpPort.HttpPort
      assert.strictEqual((yield* port.request({ method: "GET", url })).body, "here")
      assert.strictEqual(port.network, network.transport.network)
    }).pipe(Effect.provide(Probe.layer())))
})
