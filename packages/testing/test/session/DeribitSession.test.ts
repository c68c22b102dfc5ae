/** A session at Deribit, against a peer that answers as the venue does. */
import { assert, describe, it } from "@effect/vitest"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Signer from "@tickline/core/session/Signer"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, withVenue } from "../Rig.ts"

const url = "ws://venue.test/feed"
const clientId = "AMANDA"
const clientSecret = Redacted.make("AMANDASECRECT")

const policy = policyWith({
  backoff: backoffOf(1_000, 2, 8_000),
  connectTimeout: Duration.seconds(10),
  heartbeat: { interval: Duration.seconds(30), timeout: Duration.seconds(10), onMiss: "close" }
})

interface Call {
  readonly connection: number
  readonly method: string
  readonly params: Record<string, unknown>
  readonly at: number
}

/** The venue's clock is 2.5 s ahead of ours. */
const ahead = 2_500

const order = {
  order_id: "O-1",
  instrument_name: "BTC-PERPETUAL",
  direction: "buy",
  price: 43_250.5,
  amount: 10,
  filled_amount: 0,
  average_price: 0,
  order_state: "open",
  order_type: "limit",
  time_in_force: "good_til_cancelled",
  label: "",
  creation_timestamp: 1,
  last_update_timestamp: 1,
  post_only: false,
  reduce_only: false,
  api: true,
  replaced: false,
  max_show: 10,
  web: false
}

const serve = (
  host: VirtualNetwork.Host,
  refuse: (call: Call) => number | undefined = () => undefined,
  differently: Record<string, () => unknown> = {}
) =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const calls: Array<Call> = []
    const peers: Array<VirtualNetwork.Peer> = []
    let tokens = 0
    // Channels that it does not know are left out.
    const subscribed = ({ params: { channels } }: Call) =>
      Array.isArray(channels) ? channels.filter((name) => !String(name).includes("nothing")) : []
    const results: Record<string, (call: Call) => unknown> = {
      "public/get_time": () => now() + ahead,
      "public/auth": () => ({
        access_token: `access ${++tokens}`,
        refresh_token: `refresh ${tokens}`,
        expires_in: 900,
        scope: "session:x",
        token_type: "bearer"
      }),
      "private/get_account_summary": () => ({
        currency: "BTC",
        balance: 1.5,
        equity: 1.5,
        available_funds: 1.5,
        limits: {
          non_matching_engine: { burst: 20, rate: 10 },
          matching_engine: { trading: { total: { burst: 4, rate: 2 } }, cancel_all: { burst: 2, rate: 1 } }
        }
      }),
      "private/buy": () => ({ order, trades: [] }),
      "private/subscribe": subscribed,
      "public/subscribe": subscribed,
      ...differently
    }
    yield* host.onOpen((peer) => {
      const connection = peers.push(peer)
      peer.onMessage((frame) => {
        const { id, method, params } = JSON.parse(String(frame))
        const call: Call = { connection, method, params, at: now() }
        calls.push(call)
        const code = refuse(call)
        peer.sendUnsafe(JSON.stringify(
          code === undefined
            ? { jsonrpc: "2.0", id, result: results[method]?.(call) ?? "ok" }
            : { jsonrpc: "2.0", id, error: { code, message: "no" } }
        ))
      })
    })
    return { calls, peers }
  })

const make = (options: Partial<DeribitSession.Options> = {}) =>
  DeribitSession.make({ url, clientId, clientSecret, ...options })

const methodsOf = (calls: ReadonlyArray<Call>, connection: number) =>
  calls.filter((call) => call.connection === connection).map(({ method }) => method)

// Lets a conversation of several round trips take place now.
const talk = Effect.repeat(settle, { times: 30 })

const buy = { instrument_name: "BTC-PERPETUAL", amount: Decimal.parse("10") ?? Decimal.zero }

describe("A session at Deribit", () => {
  it.effect("signs with the venue's time, learns its limits once, subscribes in private and in public", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { calls, peers } = yield* serve(host)
        const session = yield* make({ cancelOnDisconnect: true })
        yield* session.subscribe([
          Channel.make("user.orders.any.any.raw"),
          Channel.make("ticker.100ms", "BTC-PERPETUAL")
        ])
        yield* session.connect
        yield* settle
        assert.deepStrictEqual(methodsOf(calls, 1), [
          "public/get_time",
          "public/get_time",
          "public/get_time",
          "public/auth",
          "private/get_account_summary",
          "private/enable_cancel_on_disconnect",
          "private/subscribe",
          "public/subscribe",
          "public/set_heartbeat"
        ])
        const { params } = calls[3]!
        const clock = yield* Clock.Clock
        assert.strictEqual(params["timestamp"], clock.currentTimeMillisUnsafe() + ahead)
        const signer = Result.getOrThrow(Signer.hmacSha256(clientSecret))
        assert.strictEqual(
          params["signature"],
          Signer.signText(signer, `${params["timestamp"]}\n${params["nonce"]}\n`, "hex")
        )
        assert.isFalse(peers[0]!.received.some((frame) => String(frame).includes("AMANDASECRECT")))

        yield* host.drop
        yield* TestClock.adjust("1 second")
        yield* talk
        assert.notInclude(methodsOf(calls, 2), "private/get_account_summary")
        assert.include(methodsOf(calls, 2), "private/enable_cancel_on_disconnect")
        assert.notStrictEqual(
          calls.filter(({ method }) => method === "public/auth")[1]!.params["nonce"],
          params["nonce"]
        )
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 2 })
      })))

  it.effect("learns that a channel which the venue leaves out of its answer is refused", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const session = yield* make()
        const refusals: Array<string> = []
        yield* session.connection.inbound().pipe(
          Stream.runForEach((item) =>
            Effect.sync(() => {
              if (item._tag !== "Refused") return
              refusals.push(...item.refused.map(({ channel, reason }) => `${channel.channel}: ${reason}`))
            })
          ),
          Effect.forkScoped({ startImmediately: true })
        )
        yield* session.subscribe([Channel.make("user.orders.any.any.raw"), Channel.make("user.nothing.raw")])
        yield* session.connect
        yield* settle
        assert.deepStrictEqual(refusals, ["user.nothing.raw: not among what the venue confirmed"])
      })))

  it.effect("answers test requests, and renews its tokens, each once", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { calls, peers } = yield* serve(host)
        const session = yield* make({ by: "secret" })
        yield* session.connect
        assert.deepInclude(calls[0], { method: "public/auth" })
        assert.deepInclude(calls[0]!.params, { grant_type: "client_credentials", client_secret: "AMANDASECRECT" })
        yield* peers[0]!.send(`{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}`)
        yield* settle
        assert.strictEqual(methodsOf(calls, 1).at(-1), "public/test")
        for (let n = 0; n < 100; n++) {
          yield* peers[0]!.send(`{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}`)
          yield* TestClock.adjust("20 seconds")
        }
        const renewals = calls.filter(({ params }) => params["grant_type"] === "refresh_token")
        assert.deepStrictEqual(renewals.map(({ params }) => params["refresh_token"]), ["refresh 1", "refresh 2"])
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("stops where its key is refused, and tries again in maintenance", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let code = 11_051
        yield* serve(host, ({ method }) => method === "public/auth" ? code : undefined)
        const session = yield* make()
        const failed = yield* Effect.forkChild(Effect.flip(session.connect))
        yield* talk
        yield* TestClock.adjust("1 second")
        yield* talk
        assert.isAtLeast(host.dials.length, 2)
        assert.isUndefined(failed.pollUnsafe())
        code = 13_004
        yield* TestClock.adjust("2 seconds")
        yield* talk
        assert.deepInclude(yield* Fiber.join(failed), { _tag: "AuthError", detail: "no" })
      })))

  it.effect("stops at any refusal of its key that is not for a time", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host, ({ method }) => method === "public/auth" ? 13_021 : undefined)
        const session = yield* make()
        const failed = yield* Effect.forkChild(Effect.flip(session.connect))
        yield* talk
        assert.deepInclude(yield* Fiber.join(failed), { _tag: "AuthError", detail: "no" })
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("has its own time where the venue does not tell it", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host, ({ method }) => method === "public/get_time" ? -32_601 : undefined)
        const session = yield* make()
        yield* session.connect
        const clock = yield* Clock.Clock
        assert.strictEqual(session.clock.venueMillis(), clock.currentTimeMillisUnsafe())
      })))

  it.effect("does without the account's limits where its key may not see them, or where nobody asks", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { calls } = yield* serve(
          host,
          ({ method }) => method === "private/get_account_summary" ? 13_021 : undefined
        )
        const session = yield* make()
        yield* session.connect
        assert.strictEqual((yield* session.credits).matching, 20)
        assert.include(methodsOf(calls, 1), "private/get_account_summary")
        const brief = yield* make({ learnsLimits: false })
        yield* brief.connect
        assert.notInclude(methodsOf(calls, 2), "private/get_account_summary")
      })))

  it.effect("reads the account's limits whatever else is said of it, and does without those that it cannot read", () =>
    Effect.forEach(
      [
        [{ limits: { non_matching_engine: { burst: 20, rate: 10 } } }, 20],
        [{ limits: "none" }, 100],
        [[], 100]
      ] as const,
      ([summary, burst]) =>
        withVenue(policy, ({ host }) =>
          Effect.gen(function*() {
            yield* serve(host, undefined, {
              "private/get_account_summary": () => summary,
              "public/auth": () => ({ access_token: "a", refresh_token: "r", expires_in: 900 })
            })
            const session = yield* make()
            yield* Effect.forkScoped(session.connect)
            yield* talk
            assert.strictEqual((yield* session.state.current)._tag, "Live")
            yield* TestClock.adjust("1 minute")
            assert.strictEqual((yield* session.credits).requests, burst)
          }))
    ))

  it.effect("never spends more than the account has, whatever is asked for at once", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { calls } = yield* serve(host)
        const session = yield* make()
        yield* session.connect
        yield* talk
        calls.length = 0
        // Four at once and two a second, of which a tenth and what is under way stay.
        const bought = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 20 }),
            () => session.call(Methods.trading.buy, buy, { deadline: "15 seconds", timeout: "15 seconds" }),
            { concurrency: "unbounded" }
          )
        )
        yield* settle
        assert.isAtMost(calls.length, 4)
        assert.isAtLeast(calls.length, 3)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(bought)
        const times = calls.filter(({ method }) => method === "private/buy").map(({ at }) => at)
        assert.strictEqual(times.length, 20)
        for (const [i, from] of times.entries()) {
          for (const [j, to] of times.slice(i).entries()) {
            assert.isAtMost(j + 1, 4 + (to - from) / 1_000 * 2, `${j + 1} calls in ${to - from} ms`)
          }
        }
        assert.isAtMost((yield* session.credits).matching, 4)
      })))

  it.effect("lets nothing more out of a pool that the venue says is empty", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { calls } = yield* serve(host, ({ method }) => method === "private/buy" ? 10_028 : undefined)
        const session = yield* make()
        yield* session.connect
        const error = yield* Effect.flip(session.call(Methods.trading.buy, buy))
        assert.deepInclude(error, { _tag: "RpcError", code: "10028" })
        calls.length = 0
        yield* Effect.forkChild(Effect.flip(session.call(Methods.trading.buy, buy)))
        yield* settle
        assert.deepStrictEqual(calls, [])
        yield* TestClock.adjust("1 second")
        assert.strictEqual(calls.length, 1)
      })))
})
