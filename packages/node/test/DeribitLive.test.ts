/**
 * Deribit's test network, by who asks for it: `TICKLINE_LIVE=1`, and for what is
 * private the key in `TICKLINE_DERIBIT_CLIENT_ID` and `TICKLINE_DERIBIT_CLIENT_SECRET`.
 * `TICKLINE_LIVE_URL` names another address, such as that of `tickline simulate`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

const {
  TICKLINE_DERIBIT_CLIENT_ID: clientId = "",
  TICKLINE_DERIBIT_CLIENT_SECRET: clientSecret = "",
  TICKLINE_LIVE: live,
  TICKLINE_LIVE_URL: url = "wss://test.deribit.com/ws/api/v2"
} = process.env

const product = "BTC-PERPETUAL"
const instrument = { instrument_name: product }

const layers = Layer.merge(NodeTransport.layer, Reconnection.layerWithBreaker(Presets.preset("standard")))

describe.skipIf(live !== "1")("Deribit's test network (skipped: TICKLINE_LIVE is not 1)", { timeout: 60_000 }, () => {
  it.live("answers what the public methods read", () =>
    Effect.gen(function*() {
      const rpc = yield* JsonRpc.make(yield* Connection.connect(url, { decode: JsonRpc.decode("deribit") }))
      const { connection, market } = Methods
      yield* rpc.call(connection.status, {})
      yield* rpc.call(connection.getTime, {})
      yield* rpc.call(market.getCurrencies, {})
      const listed = yield* rpc.call(market.getInstruments, { currency: "BTC", kind: "future" })
      assert.include(listed.map(({ instrument_name }) => instrument_name), product)
      yield* rpc.call(market.getInstrument, instrument)
      yield* rpc.call(market.ticker, instrument)
      yield* rpc.call(market.getOrderBook, { ...instrument, depth: 5 })
      yield* rpc.call(market.getBookSummaryByInstrument, instrument)
      yield* rpc.call(market.getIndexPrice, { index_name: "btc_usd" })
    }).pipe(Effect.provide(layers)))

  it.live("has a book that is proven", () =>
    Effect.gen(function*() {
      const feed = yield* MarketFeed.make(Deribit.venue, { url })
      const book = yield* feed.book(product).pipe(
        Stream.filter(({ _tag }) => _tag === "Live"),
        Stream.runHead,
        Effect.timeout("30 seconds")
      )
      assert.strictEqual(book._tag, "Some")
    }).pipe(Effect.provide(layers)))

  it.live.skipIf(clientId === "" || clientSecret === "")(
    "takes an order far from the market, and cancels it (skipped without a key)",
    () =>
      Effect.gen(function*() {
        const session = yield* DeribitSession.make({
          url,
          clientId,
          clientSecret: Redacted.make(clientSecret),
          cancelOnDisconnect: true
        })
        yield* session.connect
        const { account, market, trading } = Methods
        yield* session.call(account.getAccountSummary, { currency: "BTC" })
        yield* session.call(account.getPositions, { currency: "BTC" })
        const { tick_size } = yield* session.call(market.getInstrument, instrument)
        const { best_bid_price } = yield* session.call(market.ticker, instrument)
        const far = BigDecimal.multiply(best_bid_price ?? Decimal.zero, BigDecimal.make(8n, 1))
        const price = BigDecimal.multiply(
          BigDecimal.round(BigDecimal.divideUnsafe(far, tick_size), { scale: 0 }),
          tick_size
        )
        const { order } = yield* session.call(trading.buy, {
          ...instrument,
          amount: BigDecimal.make(10n, 0),
          price,
          type: "limit",
          post_only: true,
          label: "tickline-live"
        })
        assert.strictEqual(order.order_state, "open")
        const { order_id } = order
        assert.strictEqual((yield* session.call(trading.getOrderState, { order_id })).order_state, "open")
        assert.strictEqual((yield* session.call(trading.cancel, { order_id })).order_state, "cancelled")
      }).pipe(Effect.provide(layers))
  )
})
