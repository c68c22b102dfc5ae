/** What mock exchanges have in common that are asked over HTTP: on the virtual network and over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import type * as HttpPort from "@tickline/core/transport/HttpPort"
import * as Listing from "@tickline/testing/Listing"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { type CallFault, HttpExchange } from "../../src/exchange/internal/httpExchange.ts"

const url = "https://exchange.test"

/** An exchange that counts: `POST /count` adds one, and says how many that makes; what is told goes to all sockets. */
const counting = (seed?: number) => {
  let http: HttpExchange | undefined
  let count = 0
  const told: Array<number> = []
  const venue: MockVenue.MockVenue = {
    ...MockGeneric.make(),
    listing: ({ path }) => path === "/listed" ? { listed: true } : undefined,
    gateway: ({ after, wallMillis }) => {
      http = new HttpExchange({
        after,
        wallMillis,
        seed,
        routes: [
          {
            call: "count",
            method: "POST",
            path: "/count",
            answer: ({ body, headers }) =>
              new Listing.Answer(200, { count: ++count, body, token: headers["x-token"] ?? "" })
          },
          {
            call: ({ query }) => `of ${query.get("kind") ?? ""}`,
            method: "GET",
            path: "/things/{id}/parts/{part}",
            answer: (question, parts) => new Listing.Answer(200, { parts, all: Listing.valuesIn(question, "kind") })
          }
        ],
        told: () => void told.push(count)
      })
      return {
        open: () => ({ receive: (frame) => frame, ended: () => undefined }),
        move: () => undefined,
        ask: (question, reply) => http?.ask(question, reply) ?? false
      }
    }
  }
  return { venue, http: () => http ?? assert.fail("not served"), state: () => ({ count, told }) }
}

const outcome = (network: VirtualNetwork.VirtualNetwork, request: Partial<HttpPort.HttpRequest> = {}) =>
  network.http.request({ method: "POST", url: `${url}/count`, deadline: "2 seconds", ...request }).pipe(
    Effect.match({
      onFailure: ({ reason }) => reason._tag,
      onSuccess: ({ body, headers, status }) => `${status} ${headers["retry-after"] ?? ""}${body}`
    })
  )

const served = (seed?: number) =>
  Effect.gen(function*() {
    const exchange = counting(seed)
    const network = yield* VirtualNetwork.make({ seed: 1, latency: 5 })
    yield* MockVenue.serve(network, "wss://exchange.test", exchange.venue)
    return { ...exchange, network }
  })

/** What a call comes to under a fault, when it is answered, and when it was carried out and told. */
const struck = (fault: CallFault) =>
  Effect.gen(function*() {
    const { http, network, state } = yield* served()
    http().fault(fault)
    const begun = yield* Clock.currentTimeMillis
    const asked = yield* Effect.forkChild(Effect.zip(outcome(network), Clock.currentTimeMillis))
    yield* TestClock.adjust(6)
    const soon = state().told.length
    yield* TestClock.adjust("1 minute")
    const [what, at] = yield* Fiber.join(asked)
    return { what, at: at - begun, soon, ...state() }
  })

describe("a mock exchange over HTTP", () => {
  it.effect("answers its routes, and leaves the others to the venue's listing", () =>
    Effect.gen(function*() {
      const { http, network, state } = yield* served()
      const ask = (request: Partial<HttpPort.HttpRequest>) => Probe.within(outcome(network, request))
      assert.deepStrictEqual([
        yield* ask({ body: "a", headers: { "X-Token": "t" } }),
        yield* ask({ method: "GET", url: `${url}/things/a%20b/parts/2?kind=x&kind=y` }),
        yield* ask({ method: "GET", url: `${url}/listed` }),
        yield* ask({ method: "GET", url: `${url}/count` })
      ], [
        "200 {\"count\":1,\"body\":\"a\",\"token\":\"t\"}",
        "200 {\"parts\":[\"a b\",\"2\"],\"all\":[\"x\",\"y\"]}",
        "200 {\"listed\":true}",
        "404 {\"message\":\"NotFound\"}"
      ])
      assert.deepStrictEqual(http().received.map(({ at, call }) => [at, call]), [[5, "count"], [15, "of y"]])
      assert.deepStrictEqual(state(), { count: 1, told: [1, 1] })
    }))

  it.effect("goes wrong as it is told to", () =>
    Effect.gen(function*() {
      const whole = "200 {\"count\":1,\"body\":\"\",\"token\":\"\"}"
      const cases: ReadonlyArray<readonly [CallFault, string, number, number, number]> = [
        [{ _tag: "Withhold" }, "DeadlineExceeded", 2_000, 1, 1],
        [{ _tag: "Withhold", takenAfter: 3_000 }, "DeadlineExceeded", 2_000, 0, 1],
        [{ _tag: "Withhold", takenAfter: Infinity }, "DeadlineExceeded", 2_000, 0, 0],
        [{ _tag: "Cut" }, "Unreachable", 10, 1, 1],
        [{ _tag: "Delay", millis: 500 }, whole, 510, 1, 1],
        [{ _tag: "Late", millis: 500 }, whole, 510, 0, 1],
        [{ _tag: "Malform" }, whole.slice(0, 20), 10, 1, 1],
        [{ _tag: "Answer", status: 429, headers: { "Retry-After": "7" } }, "429 7", 10, 0, 0]
      ]
      for (const [fault, what, at, soon, count] of cases) {
        assert.deepInclude(yield* struck(fault), { what, at, soon, count }, JSON.stringify(fault))
      }
    }))

  it.effect("strikes the calls of a name, so many of them, in the order in which that was said", () =>
    Effect.gen(function*() {
      const { http, network } = yield* served()
      http().fault({ _tag: "Answer", status: 500, call: "of x" })
      http().fault({ _tag: "Answer", status: 429, call: "count", calls: 2 })
      http().fault({ _tag: "Answer", status: 503 })
      const statuses: Array<string> = []
      for (let i = 0; i < 4; i++) statuses.push((yield* Probe.within(outcome(network))).slice(0, 3))
      assert.deepStrictEqual(statuses, ["429", "429", "503", "200"])
    }))

  it.effect("fails a share of all calls, of which half are carried out, by its seed", () =>
    Effect.gen(function*() {
      const run = Effect.gen(function*() {
        const { http, network, state } = yield* served(7)
        http().fail(0.4)
        const statuses: Array<string> = []
        for (let i = 0; i < 50; i++) statuses.push((yield* Probe.within(outcome(network))).slice(0, 3))
        http().fail(0)
        assert.strictEqual((yield* Probe.within(outcome(network))).slice(0, 3), "200")
        return { statuses, count: state().count }
      })
      const [one, other] = [yield* run, yield* run]
      assert.deepStrictEqual(one, other)
      const failed = one.statuses.filter((status) => status === "503").length
      assert.isTrue(failed > 10 && failed < 30, `${failed} failed`)
      assert.isTrue(one.count > 51 - failed && one.count < 51, `${one.count} carried out`)
    }))

  it.live("over a real socket: what is asked, what never comes, what is cut", () =>
    Effect.gen(function*() {
      const { http, state, venue } = counting()
      const server = yield* MockServer.make({ venue, rate: 0 })
      const ask = (fault?: CallFault, patience = 10_000) =>
        Effect.promise(async () => {
          if (fault !== undefined) http().fault(fault)
          const signal = AbortSignal.timeout(patience)
          const init = { method: "POST", body: "b", headers: { "X-Token": "t" }, signal }
          return fetch(`${server.httpUrl}/count`, init).then(
            async (answer) => `${answer.status} ${await answer.text()}`,
            (error: unknown) => error instanceof DOMException ? error.name : "cut"
          )
        })
      assert.strictEqual(yield* ask(), "200 {\"count\":1,\"body\":\"b\",\"token\":\"t\"}")
      assert.strictEqual(yield* ask({ _tag: "Withhold" }, 1_000), "TimeoutError")
      assert.strictEqual(yield* ask({ _tag: "Cut" }), "cut")
      assert.strictEqual(yield* ask({ _tag: "Delay", millis: 20 }), "200 {\"count\":4,\"body\":\"b\",\"token\":\"t\"}")
      assert.strictEqual(state().count, 4)
    }))
})
