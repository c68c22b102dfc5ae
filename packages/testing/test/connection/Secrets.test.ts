import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Connection from "@tickline/core/connection/Connection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { policyWith, record, settle, url, withVenue } from "../Rig.ts"

/** Runs with every log line kept. */
const listening = <A, E, R>(use: (told: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const told: Array<string> = []
    const listener = Logger.map(Logger.formatJson, (line) => void told.push(line))
    return use(told).pipe(
      Effect.provide(Logger.layer([listener])),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.provideService(Metric.MetricRegistry, new Map())
    )
  })

const shown = (value: unknown): string =>
  `${inspect(value, { depth: 12, showHidden: true })} ${Inspectable.toStringUnknown(value)} ${String(value)}`

describe("what is dialled", () => {
  for (
    const url of [
      " ws://me:pa55word@venue.test/listen-k3y",
      "ws://me:pa55\tword@venue.test/listen-k3y",
      "ws://me:pa55word/x@venue.test/listen-k3y",
      "ws:\\\\me:pa55word@venue.test/listen-k3y",
      "ws:/me:pa55word@venue.test/listen-k3y",
      "ws://me:pa55word%40venue.test/listen-k3y",
      "me:pa55word@venue.test/listen-k3y",
      "WS://me:pa55word@venue.test/listen-k3y?token=t0ken-of-query",
      "ws://me:p@pa55word@venue.test/listen-k3y?token=t0ken-of-query",
      "ws://me:pa55word@nowhere.test/listen-k3y?token=t0ken-of-query"
    ]
  ) {
    it.effect(`shows no secret of ${JSON.stringify(url)}`, () =>
      listening((told) =>
        withVenue(
          policyWith({ retry: { maxRetries: 0, resetOn: "connect" } }),
          ({ host, network }) =>
            Effect.gen(function*() {
              const connection = yield* Connection.make(url)
              const recorded = yield* record(connection)
              const connecting = yield* Effect.forkChild(Effect.exit(connection.connect))
              yield* settle
              yield* host.drop
              yield* TestClock.adjust("1 minute")
              const exit = connecting.pollUnsafe()
              assert.isDefined(exit)
              const seen = [
                ...told,
                ...network.log.lines,
                shown(connection),
                shown(recorded),
                shown(exit),
                connection.label,
                connection.breaker.key,
                shown(yield* connection.metrics),
                BreakerMetrics.toPrometheus([yield* connection.breaker.metrics]),
                yield* Metric.dump
              ].join("\n")
              for (const secret of ["pa55", "word", "listen-k3y", "t0ken-of-query"]) assert.notInclude(seen, secret)
            })
        )
      ))
  }

  it.effect("a token that no header can hold is told as that, and nothing is dialled", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        for (const token of ["s3cret\r", "s3cret\n", "s3\0cret", "s3crèt–", " s3cret", "s3cret\t"]) {
          const connection = yield* Connection.make(url, { auth: yield* BearerToken.make(Redacted.make(token)) })
          const error = yield* Effect.flip(connection.connect)
          assert.strictEqual(error._tag, "AuthError", JSON.stringify(token))
          assert.match(error.message, /the token cannot be the value of a header: it (holds|begins)/)
          assert.notInclude(shown(error), "s3c")
        }
        for (const name of ["X-Key", "bad name"]) {
          const connection = yield* Connection.make(url, { headers: { [name]: Redacted.make("s3cret\n") } })
          const error = yield* Effect.flip(connection.connect)
          assert.strictEqual(error._tag === "DialError" && error.reason._tag, "BadHeader")
          assert.notInclude(shown(error), "s3c")
        }
        assert.strictEqual(host.dials.length, 0)
      })))
})

describe("what a peer sends back", () => {
  const token = "tok/5ecret\"ü"
  const escaped = "\\u0074ok\\/5ecret\\\"\\u00FC"
  const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text))

  const connecting = Effect.fnUntraced(function*(auth: string, to = url) {
    const connection = yield* Connection.make(to, {
      auth: yield* BearerToken.make(Redacted.make(auth)),
      headers: { "X-API-Key": "plain-k3y", Accept: "application/json" }
    })
    const recorded = yield* record(connection)
    const fiber = yield* Effect.forkChild(connection.connect)
    yield* settle
    yield* Fiber.join(fiber)
    return { connection, recorded }
  })

  it.effect("is cleared of the token: in texts as it is and escaped, in bytes, in the reason of a close", () =>
    listening((told) =>
      withVenue(policyWith({}), ({ host }) =>
        Effect.gen(function*() {
          const { connection, recorded } = yield* connecting(token)
          const peer = yield* host.nextPeer
          yield* peer.send(
            `{"error":"no such token: ${escaped}","price":"1.10"}`,
            `Bearer ${token}!`,
            `see /?token=${encodeURIComponent(token)}`,
            bytes(`\u0001${token}\u0002`),
            "nothing of it"
          )
          yield* settle
          const [json, plain, query, binary, last] = recorded.messages
          assert.deepStrictEqual(JSON.parse(String(json)), {
            error: `no such token: ${"*".repeat(escaped.length)}`,
            price: "1.10"
          })
          assert.strictEqual(plain, `Bearer ${"*".repeat(token.length)}!`)
          assert.match(String(query), /^see \/\?token=\*+$/)
          assert.deepStrictEqual(binary, bytes(`\u0001${"*".repeat(13)}\u0002`))
          assert.strictEqual(last, "nothing of it")
          yield* peer.close(4001, `bad token ${token}`)
          yield* settle
          const seen = [...told, shown(recorded), shown(yield* connection.metrics)].join("\n")
          assert.include(seen, `bad token ${"*".repeat(token.length)}`)
          for (const part of [token, escaped, encodeURIComponent(token), "5ecret"]) assert.notInclude(seen, part)
        }))
    ))

  it.effect("is cleared of password, listen key and parameters of the URL, and of headers that are not told to be secret", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const listenKey = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
        const at = `ws://account:pass%2Fw0rd!@venue.test/ws/${listenKey}?streams=btcusdt@trade&token=t0ken-of-query`
        const { recorded } = yield* connecting("bearer-t0ken", at)
        const peer = yield* host.nextPeer
        const said = ["pass/w0rd!", listenKey, "t0ken-of-query", "bearer-t0ken", "plain-k3y"]
        yield* peer.send(...said, "account", "btcusdt@trade", "Bearer")
        yield* settle
        assert.deepStrictEqual(recorded.messages, [
          ...said.map(({ length }) => "*".repeat(length)),
          "account",
          "btcusdt@trade",
          "Bearer"
        ])
      })))

  it.effect("is left alone where a secret is so short that it stands anywhere", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        for (const short of ["trade", "431.5", "43250.105"]) {
          const { recorded } = yield* connecting(short)
          yield* (yield* host.nextPeer).send(`trade 431.50 43250.105`)
          yield* settle
          assert.deepStrictEqual(recorded.messages, ["trade 431.50 43250.105"])
        }
        const { recorded } = yield* connecting("s3cret")
        yield* (yield* host.nextPeer).send("trade s3cret 431.50")
        yield* settle
        assert.deepStrictEqual(recorded.messages, ["trade ****** 431.50"])
      })))

  it.effect("an event of a feed does not hold it either, and the prices beside it are exact", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.prepare(Kraken.venue, {
          url,
          auth: yield* BearerToken.make(Redacted.make("tok_5ecret"))
        })
        const seen: Array<string> = []
        yield* Effect.forkChild(
          Stream.runForEach(feed.events(), (event) => Effect.sync(() => void seen.push(Ndjson.toJson(event))))
        )
        yield* settle
        const fiber = yield* Effect.forkChild(feed.connection.connect)
        yield* settle
        yield* Fiber.join(fiber)
        const peer = yield* host.nextPeer
        yield* peer.send(
          "{\"error\":\"EAuth: tok_5ecret\",\"method\":\"subscribe\",\"success\":false,\"req_id\":9}",
          "{\"channel\":\"tok_5ecret\",\"type\":\"update\",\"data\":[]}",
          "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"side\":\"buy\",\"price\":1.10," +
            "\"qty\":2.0,\"ord_type\":\"limit\",\"trade_id\":1,\"timestamp\":\"2026-01-01T00:00:00.000000Z\"," +
            "\"note\":\"\\u0074ok_5ecret\"}]}",
          "not JSON: tok_5ecret"
        )
        yield* peer.close(4001, "tok_5ecret")
        yield* settle
        const text = seen.join("\n")
        assert.notInclude(text, "5ecret")
        assert.notInclude(`${shown(feed)}${shown(yield* feed.health)}`, "5ecret")
        assert.include(text, "EAuth: **********")
        assert.include(text, "\"price\":\"1.10\"")
        assert.include(text, "FrameRejected")
      })))
})
