/** A client of the mock of Deribit: whatever it calls, on a connection of its own. */
import { assert } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Connection from "@tickline/core/connection/Connection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, withVenue } from "../Rig.ts"

export const url = "wss://deribit.test/ws/api/v2"

/** JSON whose numbers are their texts. */
export type Plain = null | boolean | string | ReadonlyArray<Plain> | { readonly [name: string]: Plain }

const plain = (json: ExactJson.Json): Plain => {
  if (json instanceof ExactJson.JsonNumber) return json.text
  if (Array.isArray(json)) return json.map(plain)
  return ExactJson.isObject(json)
    ? Object.fromEntries(Object.entries(json).map(([name, member]) => [name, plain(member)]))
    : typeof json === "object"
    ? null
    : json
}

const isJson = (_: unknown): _ is ExactJson.Json => true
const Json = Schema.declare(isJson)
const isObject = (value: unknown): value is ExactJson.JsonObject => isJson(value) && ExactJson.isObject(value)
const JsonObject = Schema.declare(isObject)

/** A parameter that is a number, in its own digits. */
export const number = (text: string | number) => new ExactJson.JsonNumber(String(text))

/** A member of what was answered, by its path. */
export const at = (value: Plain | undefined, ...path: ReadonlyArray<string | number>): Plain | undefined =>
  path.reduce<Plain | undefined>(
    (inner, name) => typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined,
    value
  )

/** The list that was answered. */
export const listOf = (value: Plain | undefined): ReadonlyArray<Plain> =>
  Array.isArray(value) ? value : assert.fail("not a list")

const method = (name: string) => JsonRpc.method(name, { params: JsonObject, result: Json })

/** A connection, its calls, and what it was told without asking. */
export const connect = Effect.gen(function*() {
  const connection = yield* Connection.make(url, { decode: JsonRpc.decode("deribit") })
  yield* connection.connect
  const rpc = yield* JsonRpc.make(connection)
  const told: Array<{ readonly method: string; readonly params: Plain }> = []
  yield* Effect.forkScoped(
    Effect.ignore(
      Stream.runForEach(
        rpc.notifications(),
        ({ method, params = null }) => Effect.sync(() => void told.push({ method, params: plain(params) }))
      )
    ),
    { startImmediately: true }
  )
  const call = (name: string, params: ExactJson.JsonObject = {}): Effect.Effect<Plain, JsonRpc.CallError> =>
    Effect.map(rpc.call(method(name), params), plain)
  return {
    connection,
    call,
    /** The error's number of a call that is refused. */
    refused: (name: string, params: ExactJson.JsonObject = {}) =>
      Effect.map(Effect.flip(call(name, params)), (error) => error._tag === "RpcError" ? error.code : error._tag),
    told,
    /** The data that came on a channel. */
    on: (channel: string) => told.flatMap(({ params }) => at(params, "channel") === channel ? [at(params, "data")] : [])
  }
})

export type Trader = Effect.Success<typeof connect>

/** Who has signed in with an account's key. */
export const signedIn = Effect.fnUntraced(function*(clientId = "AMANDA", secret = `${clientId}SECRECT`) {
  const trader = yield* connect
  yield* trader.call("public/auth", { grant_type: "client_credentials", client_id: clientId, client_secret: secret })
  return trader
})

export const accounts = ["AMANDA", "BERTA"].map((clientId) => ({
  clientId,
  clientSecret: `${clientId}SECRECT`,
  balances: { BTC: "10.00000000" }
}))

export const product = "BTC-PERPETUAL"

/** An order far from the market, if nothing else is said. */
export const order = (terms: ExactJson.JsonObject = {}): ExactJson.JsonObject => ({
  instrument_name: product,
  amount: number("10"),
  price: number("40000.0"),
  label: "one",
  ...terms
})

/** Runs a test against an exchange on a virtual network. */
export const withExchange = <A, E, R>(
  use: (
    exchange: MockDeribitExchange.MockDeribitExchange,
    served: MockVenue.Served,
    network: VirtualNetwork.VirtualNetwork
  ) => Effect.Effect<A, E, R>,
  options: MockDeribitExchange.Options = {},
  policy: Partial<ConnectionPolicy.ConnectionPolicy> = {}
) =>
  withVenue(policyWith(policy), ({ network }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_800_000_000_000)
      const exchange = MockDeribitExchange.make({ accounts, ...options })
      const served = yield* MockVenue.serve(network, url, exchange.venue, {
        products: [{ symbol: product, price: "43250.0", size: "1000" }]
      })
      yield* settle
      return yield* use(exchange, served, network)
    }))
