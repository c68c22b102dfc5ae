import { assert, describe, it } from "@effect/vitest"
import { BadUrl, Unreachable } from "@tickline/core/transport/DialError"
import { type HttpError, Truncated } from "@tickline/core/transport/HttpError"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const encoder = new TextEncoder()

/** A port whose peer answers with these chunks, and what was sent to it. */
const answering = (...chunks: ReadonlyArray<string>) => {
  const sent: Array<Parameters<HttpPort.Send>[0]> = []
  const port = HttpPort.make((request) => {
    sent.push(request)
    return Effect.succeed({
      status: 503,
      headers: { "retry-after": "7" },
      body: Stream.fromIterable(chunks.map((chunk) => encoder.encode(chunk)))
    })
  })
  return { port, sent }
}

const secret = Redacted.make("s3cret-key")

const refusal = (request: Partial<HttpPort.HttpRequest>): Effect.Effect<string, HttpPort.HttpAnswer> => {
  const { port, sent } = answering("")
  return Effect.flip(port.request({ method: "GET", url: "https://venue.example/", ...request })).pipe(
    Effect.map((error) => {
      assert.lengthOf(sent, 0)
      return error.message
    })
  )
}

describe("HttpPort", () => {
  it.effect("gives the answer whatever its status, and sends what it was given", () =>
    Effect.gen(function*() {
      const { port, sent } = answering("{\"a\":", "1}")
      const answer = yield* port.request({
        method: "POST",
        url: "https://venue.example/api?a=b",
        headers: { "X-Key": secret, Accept: "*/*" },
        body: "hello"
      })
      assert.deepStrictEqual(answer, { status: 503, headers: { "retry-after": "7" }, body: "{\"a\":1}" })
      assert.deepStrictEqual(sent, [{
        method: "POST",
        url: "https://venue.example/api?a=b",
        headers: { "X-Key": "s3cret-key", Accept: "*/*" },
        body: "hello"
      }])
    }))

  it.effect("reads a character whose bytes come in two chunks", () =>
    Effect.gen(function*() {
      const bytes = encoder.encode("€")
      const port = HttpPort.make(() =>
        Effect.succeed({ status: 200, headers: {}, body: Stream.make(bytes.subarray(0, 1), bytes.subarray(1)) })
      )
      assert.strictEqual((yield* port.request({ method: "GET", url: "https://venue.example" })).body, "€")
    }))

  it.effect("masks what an answer repeats of the request's secrets", () =>
    Effect.gen(function*() {
      const port = HttpPort.make(({ headers, url }) =>
        Effect.succeed({
          status: 401,
          headers: { "x-echo": headers["x-key"] ?? "" },
          body: Stream.make(encoder.encode(`bad key ${headers["x-key"]} at ${url}`))
        })
      )
      const url = "https://venue.example/orders?signature=0123abcd"
      const answer = yield* port.request({ method: "GET", url, headers: { "x-key": secret } })
      assert.strictEqual(answer.headers["x-echo"], "**********")
      assert.strictEqual(answer.body, "bad key ********** at https://venue.example/orders?signature=********")
    }))

  it.effect("reads no further than the bound", () =>
    Effect.gen(function*() {
      let read = 0
      const body = Stream.fromIterable([4, 4, 4, 4]).pipe(
        Stream.rechunk(1),
        Stream.map((bytes) => {
          read++
          return new Uint8Array(bytes)
        })
      )
      const port = HttpPort.make(() => Effect.succeed({ status: 200, headers: {}, body }))
      const ask = (mostBytes: number) => port.request({ method: "GET", url: "https://venue.example/a", mostBytes })
      const error = yield* Effect.flip(ask(7))
      assert.strictEqual(error.message, "https://venue.example/a: the answer is longer than 7 bytes")
      assert.strictEqual(read, 2)
      yield* ask(16)
    }))

  it.effect("reads 16 MiB if nothing is said, and not a byte more", () =>
    Effect.gen(function*() {
      const most = 16 * 1024 * 1024
      const portOf = (bytes: number) =>
        HttpPort.make(() =>
          Effect.succeed({ status: 200, headers: {}, body: Stream.make(new Uint8Array(bytes).fill(32)) })
        )
      const request = { method: "GET", url: "https://venue.example" } as const
      assert.strictEqual((yield* portOf(most).request(request)).body.length, most)
      const { reason } = yield* Effect.flip(portOf(most + 1).request(request))
      assert.strictEqual(reason._tag, "AnswerTooLarge")
    }))

  it.effect("gives up at the deadline, 10 s if nothing is said, and closes what it opened", () =>
    Effect.gen(function*() {
      let closed = 0
      const hanging = HttpPort.make(() =>
        Effect.andThen(
          Effect.addFinalizer(() => Effect.sync(() => void closed++)),
          Effect.succeed({ status: 200, headers: {}, body: Stream.never })
        )
      )
      const ask = (request: Partial<HttpPort.HttpRequest>) =>
        Effect.forkChild(Effect.flip(hanging.request({ method: "GET", url: "https://venue.example/b", ...request })), {
          startImmediately: true
        })
      const ended = (fiber: Fiber.Fiber<HttpError, unknown>) => fiber.pollUnsafe() !== undefined
      const usual = yield* ask({})
      const short = yield* ask({ deadline: "2 seconds" })
      yield* TestClock.adjust(1_999)
      assert.isFalse(ended(short))
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(short)).message, "https://venue.example/b: no answer within 2000 ms")
      assert.strictEqual(closed, 1)
      yield* TestClock.adjust(7_999)
      assert.isFalse(ended(usual))
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(usual)).message, "https://venue.example/b: no answer within 10000 ms")
      const given = yield* ask({})
      yield* Fiber.interrupt(given)
      assert.strictEqual(closed, 3)
    }))

  it.effect("tells scheme, host, port and path of the URL, and nothing that is like a secret", () =>
    Effect.gen(function*() {
      const port = HttpPort.make(() => Effect.fail(new Unreachable({ detail: "ECONNRESET" })))
      const ask = (url: string) => Effect.flip(port.request({ method: "GET", url }))
      const error = yield* ask("https://venue.example:8443/api/v3/depth?symbol=A&signature=topsecret")
      assert.strictEqual(error.url, "https://venue.example:8443/api/v3/depth")
      assert.strictEqual(error.message, "https://venue.example:8443/api/v3/depth: unreachable: ECONNRESET")
      const key = "k".repeat(40)
      assert.strictEqual((yield* ask(`https://venue.example/keys/${key}`)).url, "https://venue.example/keys/…")
    }))

  it.effect("says how a body broke off", () =>
    Effect.gen(function*() {
      const body = Stream.concat(
        Stream.make(new Uint8Array(3)),
        Stream.fail(new Truncated({ detail: "reset" }))
      )
      const port = HttpPort.make(() => Effect.succeed({ status: 200, headers: {}, body }))
      const { reason } = yield* Effect.flip(port.request({ method: "GET", url: "https://venue.example" }))
      assert.strictEqual(reason.message, "the connection ended in the middle of the answer: reset")
    }))

  const bad: ReadonlyArray<readonly [request: Partial<HttpPort.HttpRequest>, says: string]> = [
    [{ url: "venue.example" }, "not a URL such as https://host:port/path"],
    [{ url: "wss://venue.example" }, "the scheme is wss, expected http or https"],
    [{ url: "https://me:secret@venue.example" }, "user and password are sent in a header"],
    [{ url: "https://venue.example/#a" }, "it holds a fragment"],
    [{ url: "http://venue.example", headers: { "X-Key": secret } }, "to venue.example unencrypted: use https"],
    [{ headers: { "X-Key": "a\nb" } }, "bad header X-Key: its value cannot be sent: it holds a line break"],
    [{ headers: { "X Key": "a" } }, "bad header: its name holds what HTTP does not allow there"]
  ]
  for (const [request, says] of bad) {
    it.effect(`refuses what cannot be sent: ${says}`, () =>
      Effect.gen(function*() {
        const message = yield* refusal(request)
        assert.include(message, says)
        assert.notInclude(message, "secret@")
      }))
  }

  it.effect("sends a secret over plain http to loopback, and to hosts that are allowed by name", () =>
    Effect.gen(function*() {
      const { port, sent } = answering("")
      const ask = (url: string, plaintextHosts?: ReadonlyArray<string>) =>
        port.request({ method: "GET", url, headers: { "X-Key": secret }, plaintextHosts })
      yield* ask("http://127.0.0.1:1/")
      yield* ask("http://[::1]/")
      yield* ask("http://inner.example/", ["Inner.Example"])
      assert.lengthOf(sent, 3)
      const { reason } = yield* Effect.flip(ask("http://outer.example/", ["inner.example"]))
      assert.isTrue(reason instanceof BadUrl)
    }))
})
