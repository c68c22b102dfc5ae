import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Authentication from "@tickline/core/session/deribit/Authentication"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { product, url, withExchange } from "./Trader.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

describe("The mock of Deribit that trades, by our own methods", () => {
  it.effect("answers what they read", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const rpc = yield* JsonRpc.make(yield* Connection.connect(url, { decode: JsonRpc.decode("deribit") }))
        const { account, connection, market, trading } = Methods
        const key = { clientId: "AMANDA", clientSecret: Redacted.make("AMANDASECRECT") }
        yield* rpc.call(connection.auth, Authentication.credentials(key))
        yield* rpc.call(connection.enableCancelOnDisconnect, {})
        const bought = yield* rpc.call(trading.buy, { instrument_name: product, amount: decimal("10"), type: "market" })
        const order_id = bought.order.order_id
        assert.strictEqual(bought.order.order_state, "filled")
        yield* rpc.call(trading.sell, {
          instrument_name: product,
          amount: decimal("10"),
          price: decimal("50000.0"),
          label: "one"
        })
        assert.strictEqual((yield* rpc.call(trading.getOrderState, { order_id })).order_id, order_id)
        assert.strictEqual((yield* rpc.call(account.getUserTradesByOrder, { order_id })).length, bought.trades.length)
        yield* rpc.call(trading.getOpenOrders, {})
        yield* rpc.call(trading.getOrderHistoryByCurrency, { currency: "BTC", include_unfilled: true })
        yield* rpc.call(account.getPositions, { currency: "BTC" })
        yield* rpc.call(account.getPosition, { instrument_name: product })
        yield* rpc.call(account.getAccountSummary, { currency: "BTC" })
        yield* rpc.call(market.getOrderBook, { instrument_name: product })
        yield* rpc.call(market.ticker, { instrument_name: product })
        yield* rpc.call(market.getInstruments, { currency: "BTC" })
        yield* rpc.call(market.getInstrument, { instrument_name: product })
        yield* rpc.call(market.getCurrencies, {})
        yield* rpc.call(connection.getTime, {})
        yield* rpc.call(connection.status, {})
        const cancelled = yield* rpc.call(trading.cancelAll, { detailed: true })
        assert.strictEqual(typeof cancelled === "number" ? cancelled : cancelled[0]?.result?.[0]?.label, "one")
      })
    ))
})
