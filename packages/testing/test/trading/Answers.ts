/** A Deribit that answers as it is told, on a virtual network. */
import * as DeribitExchange from "@tickline/core/trading/deribit/DeribitExchange"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { policyWith, url, withVenue } from "../Rig.ts"
import { pass } from "./Desk.ts"

export interface Call {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** What a method is answered with: its result, the number of an error, or nothing. */
type Answer = { readonly result: unknown } | number | undefined

export const instrument = {
  instrument_name: "BTC-PERPETUAL",
  kind: "future",
  is_active: true,
  base_currency: "BTC",
  quote_currency: "USD",
  settlement_currency: "BTC",
  instrument_type: "reversed",
  tick_size: 0.5,
  min_trade_amount: 10,
  contract_size: 10,
  creation_timestamp: 1
}

export const order = {
  order_id: "BTC-1",
  order_state: "open",
  order_type: "limit",
  time_in_force: "good_til_cancelled",
  instrument_name: "BTC-PERPETUAL",
  direction: "buy",
  price: 40_000,
  amount: 10,
  filled_amount: 0,
  average_price: 0,
  label: "mine",
  creation_timestamp: 1,
  last_update_timestamp: 1,
  post_only: false,
  api: true
}

/** Runs a test against a venue that signs everybody in, and answers the rest as it is told. */
export const withAnswers = <A, E, R>(
  answers: Readonly<Record<string, (call: Call, count: number) => Answer>>,
  use: (
    desk: {
      readonly orders: Exchange["Service"]
      readonly calls: ReadonlyArray<Call>
      readonly drop: Effect.Effect<void>
      /** Tells of the account's orders whatever it is. */
      readonly tell: (data: unknown) => Effect.Effect<void>
    }
  ) => Effect.Effect<A, E, R>,
  options: Partial<DeribitExchange.Options> = {}
) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const calls: Array<Call> = []
      const usual: typeof answers = {
        "public/get_time": () => ({ result: clock.currentTimeMillisUnsafe() }),
        "public/auth": () => ({ result: { access_token: "a", refresh_token: "r", expires_in: 900, scope: "" } }),
        "public/get_instrument": () => ({ result: instrument }),
        "private/subscribe": ({ params }) => ({ result: params["channels"] }),
        "public/set_heartbeat": () => ({ result: "ok" }),
        "private/buy": () => ({ result: { order, trades: [] } }),
        "private/get_order_state_by_label": () => ({ result: [] }),
        ...answers
      }
      let tell = (_: string) => {}
      yield* host.onOpen((peer) => {
        tell = (text) => void peer.sendUnsafe(text)
        peer.onMessage((frame) => {
          const { id, method, params } = JSON.parse(String(frame))
          const call: Call = { method, params }
          calls.push(call)
          const count = calls.filter((other) => other.method === method).length
          const answer = (usual[method] ?? (() => -32_601))(call, count)
          if (answer === undefined) return
          const body = typeof answer === "number" ? { error: { code: answer, message: "no" } } : answer
          peer.sendUnsafe(JSON.stringify({ jsonrpc: "2.0", id, ...body }))
        })
      })
      const orders = yield* DeribitExchange.make({
        url,
        clientId: "AMANDA",
        clientSecret: Redacted.make("AMANDASECRECT"),
        learnsLimits: false,
        ...options
      })
      const channel = "user.changes.BTC-PERPETUAL.raw"
      const notice = (data: unknown) => ({ jsonrpc: "2.0", method: "subscription", params: { channel, data } })
      return yield* use({
        orders,
        calls,
        drop: host.drop,
        tell: (data) => Effect.andThen(Effect.sync(() => tell(JSON.stringify(notice(data)))), pass(0))
      })
    }))

export const named = (calls: ReadonlyArray<Call>, method: string) => calls.filter((call) => call.method === method)

/** What was amended to, without until when. */
export const editOf = (calls: ReadonlyArray<Call>) =>
  Object.fromEntries(
    named(calls, "private/edit").flatMap(({ params }) => Object.entries(params)).filter(([name]) =>
      name !== "valid_until"
    )
  )
