/** What a session counts: how it came up and how its requests ended, from zero on, and nothing per frame. */
import { assert, describe, it } from "@effect/vitest"
import { AuthError } from "@tickline/core/connection/ConnectError"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Session from "@tickline/core/session/Session"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"
import * as Peer from "./Peer.ts"

const plain = (name: string) => JsonRpc.method(name, { params: Schema.Struct({}), result: Schema.String })

const [auth, refresh, orders, buy] = [plain("auth"), plain("refresh"), plain("orders"), plain("buy")]

const policy = policyWith({
  backoff: backoffOf(1_000, 1, 1_000),
  connectTimeout: Duration.seconds(2),
  heartbeat: { interval: Duration.seconds(30), timeout: Duration.seconds(10), onMiss: "close" }
})

/** The series of Prometheus' text that are not at zero, of these names, by what they are called without their prefix. */
const counted = Effect.map(PrometheusMetrics.format(), (text) =>
  Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const [, name = "", labels = "", value = ""] = /^tickline_(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
      const rest = labels.split(",").filter((label) => !label.startsWith("connection=")).join(",")
      return /^(session|sign_ins|renewals|reconciliations|requests?|rpc_errors|unmatched|subscriptions|credit)/.test(
          name
        ) &&
          !name.includes("_bucket") && Number(value) !== 0
        ? [[rest === "" ? name : `${name}{${rest.replaceAll("\"", "")}}`, Number(value)]]
        : []
    })
  ))

const isolated = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.provideService(test, Metric.MetricRegistry, new Map())

describe("The metrics of a session", () => {
  it.effect("say how it came up, how long it is live, and how each request ended", () =>
    isolated(withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const answers: Record<string, "error" | "silence"> = { orders: "error" }
        yield* host.onOpen((peer) => {
          peer.onMessage((frame) => {
            const call = Peer.callOf(frame)
            const how = answers[call.method]
            if (how === "silence") return
            peer.sendUnsafe(
              how === "error" || call.channel === "none"
                ? Peer.error(call, 11_051, "no")
                : Peer.result(call, call.method)
            )
          })
        })
        const session = yield* Session.make(url, {
          label: "venue",
          peer: "test",
          dialect: Peer.dialect,
          signIn: ({ call }) =>
            Effect.as(call(auth, {}), {
              expiresIn: "10 seconds",
              renew: (calls) => Effect.as(calls.call(refresh, {}), { expiresIn: "10 seconds" })
            }),
          reconcile: ({ call }) => Effect.asVoid(call(orders, {}))
        })
        // All are there before anything has happened.
        const text = yield* PrometheusMetrics.format()
        for (const outcome of ["signed-in", "refused", "failed"]) {
          assert.include(text, `tickline_sign_ins_total{connection="venue",outcome="${outcome}"} 0`)
        }
        for (const reason of ["NotConnected", "EpochEnded", "Closed", "TimedOut", "SignedOut"]) {
          assert.include(text, `tickline_requests_not_sent_total{connection="venue",reason="${reason}"} 0`)
        }
        for (const reason of ["dropped", "timeout"]) {
          assert.include(text, `tickline_requests_unknown_total{connection="venue",reason="${reason}"} 0`)
        }
        assert.deepStrictEqual(yield* counted, {})

        yield* session.subscribe([Channel.make("orders"), Channel.make("none")])
        yield* Effect.flip(session.call(buy, {}))
        const connecting = yield* Effect.forkChild(session.connect)
        yield* settle
        yield* settle
        assert.deepStrictEqual(yield* counted, {
          "sign_ins_total{outcome=signed-in}": 1,
          "reconciliations_total{outcome=failed}": 1,
          "subscriptions_confirmed_total": 1,
          "subscriptions_refused_total": 1,
          "requests_total{outcome=Answered}": 2,
          "requests_total{outcome=NotSent}": 1,
          "requests_not_sent_total{reason=NotConnected}": 1,
          "request_duration_ms_count": 2,
          "rpc_errors_total": 1
        })

        delete answers["orders"]
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(connecting)
        assert.deepInclude(yield* counted, {
          sessions_live: 1,
          "sign_ins_total{outcome=signed-in}": 2,
          "reconciliations_total{outcome=reconciled}": 1
        })

        // One is answered too late, one falls with the connection, one is given up.
        answers["buy"] = "silence"
        const late = yield* Effect.forkChild(Effect.flip(session.call(buy, {}, { timeout: "1 second" })))
        yield* settle
        assert.deepInclude(yield* counted, { requests_pending: 1 })
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(late)
        const [peer] = host.peers()
        yield* peer!.send(`{"jsonrpc":"2.0","id":999,"result":"late"}`)
        const given = yield* Effect.forkChild(session.call(buy, {}))
        yield* settle
        yield* Fiber.interrupt(given)
        yield* TestClock.adjust("7 seconds")
        const dropped = yield* Effect.forkChild(Effect.flip(session.call(buy, {})))
        yield* settle
        yield* host.drop
        yield* Fiber.join(dropped)
        yield* settle
        const all = yield* counted
        assert.notProperty(all, "sessions_live")
        assert.notProperty(all, "requests_pending")
        assert.deepInclude(all, {
          "renewals_total{outcome=renewed}": 1,
          "requests_total{outcome=OutcomeUnknown}": 2,
          "requests_unknown_total{reason=timeout}": 1,
          "requests_unknown_total{reason=dropped}": 1,
          "requests_total{outcome=Interrupted}": 1,
          unmatched_answers_total: 1
        })
      }))))

  it.effect("tell a refused sign-in, and a renewal that failed, from each other", () =>
    isolated(withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let isRefused = false
        const session = yield* Session.make(url, {
          label: "venue",
          peer: "test",
          signIn: () =>
            isRefused ? Effect.fail(new AuthError({ detail: "no" })) : Effect.succeed({
              expiresIn: "10 seconds",
              renew: () => Effect.fail(new AuthError({ detail: "no more" }))
            })
        })
        yield* session.connect
        assert.strictEqual(host.dials.length, 1)
        isRefused = true
        yield* TestClock.adjust("8 seconds")
        yield* settle
        assert.deepStrictEqual(yield* counted, {
          "sign_ins_total{outcome=signed-in}": 1,
          "renewals_total{outcome=failed}": 1,
          "sign_ins_total{outcome=refused}": 1,
          "reconciliations_total{outcome=reconciled}": 1
        })
      }))))

  it.effect("say what is left of Deribit's credits, how often a call waited for them, and that a pool was empty", () =>
    isolated(withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let isEmpty = false
        yield* host.onOpen((peer) => {
          peer.onMessage((frame) => {
            const { id, method } = JSON.parse(String(frame))
            const results: Record<string, unknown> = {
              "public/auth": {
                access_token: "a",
                refresh_token: "b",
                expires_in: 900,
                scope: "",
                token_type: "bearer"
              },
              "private/get_account_summary": { currency: "BTC", balance: 1, equity: 1, available_funds: 1 },
              "private/cancel": isEmpty ? undefined : null
            }
            const error = { code: 10_028, message: "too_many_requests" }
            const result = results[method]
            peer.sendUnsafe(JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) }))
          })
        })
        const session = yield* DeribitSession.make({
          url,
          label: "venue",
          by: "secret",
          clientId: "a",
          clientSecret: Redacted.make("b")
        })
        assert.deepInclude(yield* counted, { "credits_left{pool=matching}": 20, "credits_left{pool=requests}": 100 })
        yield* session.connect
        yield* settle
        isEmpty = true
        const trade = { instrument_name: "BTC-PERPETUAL", amount: Decimal.parse("10") ?? assert.fail() }
        assert.deepInclude(yield* Effect.flip(session.call(Methods.trading.buy, trade)), { code: "10028" })
        const after = yield* counted
        assert.notProperty(after, "credits_left{pool=matching}")
        assert.deepInclude(after, { "credits_exhausted_total{pool=matching}": 1 })
        yield* Effect.forkChild(Effect.flip(session.call(Methods.trading.buy, trade)))
        yield* settle
        assert.deepInclude(yield* counted, { "credit_waits_total{pool=matching}": 1 })
        // Read when it is asked for: it fills up meanwhile.
        yield* TestClock.adjust("100 millis")
        assert.deepInclude(yield* counted, { "credits_left{pool=matching}": 0.5 })
      }))))
})
