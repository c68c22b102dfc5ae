/** What venues say of how their products trade, in messages as their documentation has them. */
import { assert, describe, it } from "@effect/vitest"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import { TradingStatuses } from "../src/market/internal/tradingStatuses.ts"

const kept = ({ trading }: Venue): TradingStatuses => new TradingStatuses(trading ?? assert.fail("says nothing"))

const reads = (venue: Venue, message: object, product: string): string | undefined => {
  const statuses = kept(venue)
  statuses.read(JSON.stringify(message), 0)
  return statuses.of(product)
}

const notification = (channel: string, data: object) => ({
  jsonrpc: "2.0",
  method: "subscription",
  params: { channel, data }
})

describe("Kraken", () => {
  const engine = (system: string) => ({
    channel: "status",
    type: "update",
    data: [{ api_version: "v2", connection_id: 1, system, version: "2.0.0" }]
  })
  const pairs = (...all: ReadonlyArray<readonly [string, string]>) => ({
    channel: "instrument",
    type: "snapshot",
    data: { assets: [], pairs: all.map(([symbol, status]) => ({ symbol, status })) }
  })

  for (const status of ["cancel_only", "maintenance", "post_only"]) {
    it(`no orders are matched while the engine is ${status}`, () => {
      assert.strictEqual(reads(Kraken.venue, engine(status), "A/B"), status)
    })
  }
  for (const status of ["online", "limit_only", "reduce_only"]) {
    it(`they are while a pair is ${status}`, () => {
      assert.isUndefined(reads(Kraken.venue, pairs(["A/B", status]), "A/B"))
    })
  }

  it("a pair that is online is not, while the engine is not", () => {
    const statuses = kept(Kraken.venue)
    statuses.read(JSON.stringify(engine("post_only")), 0)
    statuses.read(JSON.stringify(pairs(["A/B", "online"], ["C/B", "work_in_progress"])), 0)
    assert.strictEqual(statuses.of("A/B"), "post_only")
    assert.strictEqual(statuses.of("C/B"), "work_in_progress")
    statuses.read(JSON.stringify(engine("online")), 0)
    assert.isUndefined(statuses.of("A/B"))
    assert.strictEqual(statuses.of("C/B"), "work_in_progress")
  })
})

describe("Coinbase Exchange", () => {
  const auction = { type: "auction", product_id: "A-USD", sequence: 1, auction_state: "collection", can_open: "yes" }
  const product = (members: object) => ({
    type: "status",
    products: [{ id: "A-USD", status: "online", status_message: null, ...members }],
    currencies: []
  })

  it("an auction lasts for 20 s from the last time that the venue says so", () => {
    const statuses = kept(CoinbaseExchange.venue)
    statuses.read(JSON.stringify(auction), 1_000)
    statuses.read(JSON.stringify(auction), 2_000)
    assert.strictEqual(statuses.lapsesAt, 22_000)
    statuses.lapse(21_999)
    assert.strictEqual(statuses.of("A-USD"), "auction")
    assert.isUndefined(statuses.of("B-USD"))
    statuses.lapse(22_000)
    assert.isUndefined(statuses.of("A-USD"))
    assert.strictEqual(statuses.lapsesAt, Infinity)
  })

  const words: ReadonlyArray<readonly [string, object, string | undefined]> = [
    ["online", {}, undefined],
    ["online, limit orders alone", { limit_only: true }, undefined],
    ["in an auction", { auction_mode: true }, "auction"],
    ["where orders are not matched", { post_only: true, cancel_only: false }, "post_only"],
    ["where none are taken", { cancel_only: true }, "cancel_only"],
    ["delisted", { status: "delisted", cancel_only: true }, "delisted"]
  ]
  for (const [what, members, status] of words) {
    it(`of all products, to who asks for \`status\`: one that is ${what}`, () => {
      assert.strictEqual(reads(CoinbaseExchange.venue, product(members), "A-USD"), status)
    })
  }

  it("what is of no product says nothing", () => {
    assert.deepStrictEqual(CoinbaseExchange.venue.trading?.read("{\"type\":\"auction\"}"), [])
    assert.deepStrictEqual(CoinbaseExchange.venue.trading?.read("{\"type\":\"status\",\"products\":[{},1]}"), [])
    assert.deepStrictEqual(CoinbaseExchange.venue.trading?.read("{\"type\":\"open\",\"product_id\":\"A-USD\"}"), [])
    assert.deepStrictEqual(CoinbaseExchange.venue.trading?.read(new Uint8Array()), [])
  })
})

describe("Coinbase Advanced", () => {
  it("the status of products, to who asks for it", () => {
    const message = (status: string) => ({
      channel: "status",
      timestamp: "2026-11-26T09:00:00Z",
      sequence_num: 0,
      events: [{ type: "snapshot", products: [{ product_type: "SPOT", id: "A-USD", status, status_message: "" }] }]
    })
    assert.isUndefined(reads(Coinbase.venue, message("online"), "A-USD"))
    assert.strictEqual(reads(Coinbase.venue, message("offline"), "A-USD"), "offline")
  })
})

describe("Deribit", () => {
  it("the state of an instrument: all but open", () => {
    const message = (state: string) =>
      notification("instrument.state.any.BTC", { timestamp: 1, state, instrument_name: "BTC-PERPETUAL" })
    for (const state of ["locked", "settlement", "delivered", "inactive", "halted", "archivized"]) {
      assert.strictEqual(reads(Deribit.venue, message(state), "BTC-PERPETUAL"), state)
      assert.isUndefined(reads(Deribit.venue, message(state), "ETH-PERPETUAL"))
    }
    for (const state of ["open", "started"]) assert.isUndefined(reads(Deribit.venue, message(state), "BTC-PERPETUAL"))
  })

  it("a price index that is locked is of all its instruments", () => {
    const locked = (price_index: string) => notification("platform_state", { price_index, locked: true })
    assert.strictEqual(reads(Deribit.venue, locked("btc_usd"), "BTC-PERPETUAL"), "locked")
    assert.strictEqual(reads(Deribit.venue, locked("btc_usd"), "BTC-27NOV26-90000-C"), "locked")
    assert.isUndefined(reads(Deribit.venue, locked("btc_usd"), "BTC_USDC-PERPETUAL"))
    assert.strictEqual(reads(Deribit.venue, locked("sol_usdc"), "SOL_USDC-PERPETUAL"), "locked")
    assert.strictEqual(reads(Deribit.venue, locked("sol_usdc"), "SOL_USDC"), "locked")
    const statuses = kept(Deribit.venue)
    statuses.read(JSON.stringify(locked("btc_usd")), 0)
    statuses.read(JSON.stringify(notification("platform_state", { price_index: "btc_usd", locked: false })), 0)
    assert.isUndefined(statuses.of("BTC-PERPETUAL"))
  })

  it("maintenance is of everything", () => {
    const maintenance = notification("platform_state", { maintenance: true })
    assert.strictEqual(reads(Deribit.venue, maintenance, "ETH-PERPETUAL"), "maintenance")
  })
})
