/**
 * Each answer of the mock of Deribit against the venue's own description, which
 * lies beside the project (`TICKLINE_REFERENCE`, or `../shared/reference`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as Methods from "@tickline/core/session/deribit/Methods"
import { Ajv } from "ajv"
import * as Effect from "effect/Effect"
import { at, description, merged, type Part, read } from "../../../core/test/DeribitDescription.ts"
import { product, url, withExchange } from "./Trader.ts"

const instrument = { instrument_name: product }
const resting = { ...instrument, amount: 10, price: 40000, label: "resting" }

/** What is called of each method, in this order, after what makes the account trade. Undefined is no answer. */
const calls: { readonly [method: string]: ReadonlyArray<Part> } = {
  "public/auth": [
    { grant_type: "client_credentials", client_id: "AMANDA", client_secret: "AMANDASECRECT" },
    {
      grant_type: "client_credentials",
      client_id: "AMANDA",
      client_secret: "AMANDASECRECT",
      scope: "session:x",
      state: "s"
    }
  ],
  "public/hello": [{ client_name: "a", client_version: "1" }],
  "public/test": [{}],
  "public/status": [{}],
  "public/get_time": [{}],
  "public/set_heartbeat": [{ interval: 30 }],
  "public/disable_heartbeat": [{}],
  "private/enable_cancel_on_disconnect": [{}, { scope: "account" }],
  "private/get_cancel_on_disconnect": [{}, { scope: "account" }],
  "public/subscribe": [{ channels: [`ticker.${product}.100ms`, "no.such.channel"] }],
  "private/subscribe": [{ channels: [`user.orders.${product}.raw`] }],
  "public/unsubscribe": [{ channels: [`ticker.${product}.100ms`] }],
  "private/unsubscribe": [{ channels: [`user.orders.${product}.raw`] }],
  "public/unsubscribe_all": [{}],
  "private/unsubscribe_all": [{}],
  "public/get_currencies": [{}],
  "public/get_instruments": [{ currency: "BTC" }, { currency: "BTC", kind: "future" }, { currency: "any" }],
  "public/get_instrument": [instrument],
  "public/get_order_book": [instrument, { ...instrument, depth: 1 }],
  "public/ticker": [instrument],
  "public/get_book_summary_by_currency": [{ currency: "BTC" }, { currency: "BTC", kind: "future" }],
  "public/get_book_summary_by_instrument": [instrument],
  "public/get_index_price": [{ index_name: "btc_usd" }],
  "private/buy": [
    { ...instrument, amount: 10, type: "market", label: "taken" },
    { ...resting, post_only: true, reject_post_only: true },
    { ...resting, label: "resting two", time_in_force: "good_til_day" },
    { ...resting, label: "gone", time_in_force: "immediate_or_cancel" }
  ],
  "private/sell": [{ ...instrument, amount: 10, price: 50000, reduce_only: true, label: "out" }],
  "private/edit_by_label": [{ ...instrument, label: "out", amount: 10, price: 50001 }],
  "private/edit": [],
  "private/get_open_orders": [{}, { kind: "future" }],
  "private/get_open_orders_by_currency": [{ currency: "BTC" }],
  "private/get_open_orders_by_instrument": [instrument],
  "private/get_order_history_by_currency": [{ currency: "BTC" }, { currency: "BTC", include_unfilled: true }],
  "private/get_order_state": [],
  "private/get_order_state_by_label": [{ currency: "BTC", label: "gone" }, { currency: "BTC", label: "taken" }],
  "private/get_user_trades_by_order": [],
  "private/get_user_trades_by_instrument": [instrument, { ...instrument, count: 1, sorting: "asc" }],
  "private/get_user_trades_by_currency": [{ currency: "BTC" }],
  "private/get_account_summary": [{ currency: "BTC" }, { currency: "BTC", extended: true }],
  "private/get_positions": [{ currency: "BTC" }, {}],
  "private/get_position": [instrument],
  "private/set_mmp_config": [
    { index_name: "btc_usd", interval: 5, frozen_time: 0, quantity_limit: 3, max_quote_quantity: 5 },
    {
      index_name: "btc_usd",
      interval: 5,
      frozen_time: 1,
      quantity_limit: 3,
      delta_limit: 2,
      max_quote_quantity: 5,
      mmp_group: "makers"
    }
  ],
  "private/get_mmp_config": [{}, { index_name: "btc_usd" }, { index_name: "btc_usd", mmp_group: "makers" }],
  "private/reset_mmp": [{ index_name: "btc_usd", mmp_group: "makers" }],
  "private/mass_quote": [
    {
      quote_id: "1",
      mmp_group: "makers",
      quotes: [{
        ...instrument,
        quote_set_id: "a",
        bid: { price: 40100, amount: 10 },
        ask: { price: 50100, amount: 10, post_only: true }
      }]
    },
    {
      quote_id: "2",
      mmp_group: "makers",
      detailed: true,
      wait_for_response: true,
      quotes: [
        { ...instrument, quote_set_id: "a", bid: { price: 40200, amount: 10 } },
        { instrument_name: "NO-SUCH", quote_set_id: "b", ask: { price: 1, amount: 10 } }
      ]
    },
    { quote_id: "3", mmp_group: "makers", wait_for_response: false, quotes: [] }
  ],
  "private/cancel_quotes": [
    { cancel_type: "quote_set_id", quote_set_id: "a" },
    { cancel_type: "instrument", ...instrument, detailed: true },
    { cancel_type: "all" }
  ],
  "private/cancel": [],
  "private/cancel_by_label": [{ label: "resting two" }],
  "private/cancel_all_by_instrument": [{ ...instrument, detailed: true }],
  "private/cancel_all": [{}, { detailed: true }],
  "private/close_position": [{ ...instrument, type: "market" }],
  "private/disable_cancel_on_disconnect": [{}]
}

/** Calls that are of an order: it is the one that rests. */
const ofOrder: { readonly [method: string]: (id: unknown, other: unknown) => ReadonlyArray<Part> } = {
  "private/edit": (order_id) => [{ order_id, amount: 20, price: 40001 }],
  "private/get_order_state": (order_id, other) => [{ order_id }, { order_id: other }],
  "private/get_user_trades_by_order": (order_id, other) => [{ order_id }, { order_id: other }],
  "private/cancel": (order_id) => [{ order_id }]
}

/** Methods that answer nothing, or in another way. */
const elsewhere: { readonly [method: string]: string } = {
  "private/logout": "ends the connection, and answers nothing"
}

/** Where an answer is otherwise than described, and right. */
const exceptions: ReadonlyArray<readonly [at: RegExp, reason: string]> = [
  [/get_currencies\.result\.fee_precision is not described/, "the venue has it, and ccxt reads it"],
  [/get_instruments?\.result\.rfq is not described/, "the venue has it"],
  [/get_order_book\.result\.change_id is not described/, "the example of the method has it"],
  [/trades\.self_trade is not described/, "the examples of trades have it"],
  [/cancel_all(_by_instrument)?\.result must be integer/, "with `detailed` it is a list, as the parameter says"],
  [/cancel_quotes\.result must be integer/, "with `detailed` it is a list, as the parameter says"]
]

/** The members that an object has and that are not described; of lists, those of all items. */
const undescribed = (document: Part, schema: Part, value: unknown, path: string): ReadonlyArray<string> => {
  const { additionalProperties, items, oneOf, properties } = merged(document, schema)
  if (Array.isArray(oneOf)) {
    const all = oneOf.map((one) => undescribed(document, at(one), value, path))
    return all.toSorted((one, other) => one.length - other.length)[0] ?? []
  }
  if (Array.isArray(value)) {
    return items === undefined ? [] : value.flatMap((item) => undescribed(document, at(items), item, path))
  }
  if (typeof value !== "object" || value === null || properties === undefined) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const described = at(properties, name)
    if (Object.keys(described).length > 0) return undescribed(document, described, member, `${path}.${name}`)
    return additionalProperties === undefined || additionalProperties === false
      ? [`${path}.${name} is not described`]
      : []
  })
}

describe("The mock of Deribit and the venue's description", () => {
  if (description === undefined) {
    it.skip("every answer (skipped: the description is neither in TICKLINE_REFERENCE nor in ../shared/reference)", () => {})
    return
  }
  const document = read()
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true })
  ajv.addSchema(document, "deribit")
  const pointerOf = (method: string): string => {
    const { $ref } = at(document, "paths", `/${method}`, "get", "responses", "200")
    return `${String($ref).slice(2)}/content/application~1json/schema`.replace(/^/, "deribit#/")
  }

  const used = new Set<RegExp>()
  const isExcused = (fault: string): boolean => {
    const found = exceptions.find(([at]) => at.test(fault))
    if (found !== undefined) used.add(found[0])
    return found !== undefined
  }
  const faultsOf = (method: string, answer: Part): ReadonlyArray<string> => {
    if (answer["error"] !== undefined) return [`${method} is refused: ${JSON.stringify(answer["error"])}`]
    const validate = ajv.compile({ $ref: pointerOf(method) })
    validate(answer)
    const schema = at(document, ...pointerOf(method).split("/").slice(1).map((name) => name.replace("~1", "/")))
    const result = at(merged(document, schema), "properties", "result")
    return [
      ...(validate.errors ?? []).map(({ instancePath, message, params }) =>
        `${method}${instancePath.replaceAll(/\/\d+/g, "[]").replaceAll("/", ".")} ${message} ${JSON.stringify(params)}`
      ),
      ...undescribed(document, result, answer["result"], `${method}.result`)
    ].filter((fault) => !isExcused(fault))
  }

  it("every method that we declare is called", () => {
    const called = new Set([...Object.keys(calls), ...Object.keys(elsewhere)])
    assert.deepStrictEqual([...Methods.all.keys()].filter((name) => !called.has(name)), [])
  })

  it.effect("every answer is as it is described, and has nothing else", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        const requests = yield* Requests.make(connection, (frame) => {
          const { id } = JSON.parse(String(frame))
          return id === undefined ? undefined : String(id)
        })
        const call = Effect.fnUntraced(function*(method: string, params: Part) {
          const id = yield* requests.nextId
          const text = JSON.stringify({ jsonrpc: "2.0", id: Number(id), method, params })
          const answer: Part = JSON.parse(String(yield* requests.request(id, text)))
          return answer
        })
        const faults = new Set<string>()
        let resting: unknown
        let taken: unknown
        for (const [method, all] of Object.entries(calls)) {
          for (const params of all.length === 0 ? ofOrder[method]?.(resting, taken) ?? [] : all) {
            const answer = yield* call(method, params)
            for (const fault of faultsOf(method, answer)) faults.add(fault)
            const { order_id } = at(answer, "result", "order")
            if (method === "private/buy" && params["label"] === "resting") resting = order_id
            if (method === "private/buy" && params["label"] === "taken") taken = order_id
          }
        }
        assert.deepStrictEqual([...faults], [])
        assert.deepStrictEqual(exceptions.filter(([at]) => !used.has(at)), [])
      })
    ))

  it("an answer that is otherwise would be found", () => {
    const faults = faultsOf("public/get_time", { jsonrpc: "2.0", result: "now", usIn: 1 })
    assert.match(faults.join(), /public\/get_time\.result must be integer/)
    assert.deepStrictEqual(
      faultsOf("public/test", { jsonrpc: "2.0", result: { version: "1", build: 2 } }),
      ["public/test.result.build is not described"]
    )
  })
})
