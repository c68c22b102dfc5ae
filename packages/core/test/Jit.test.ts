/** The suites of values and venues once more, with the Schema compiler that the runner enables. */
// oxlint-disable import/no-unassigned-import -- a suite registers itself; the compiler comes first
import "effect/schema/SchemaJITCompiler/enable"
import "./Binance.test.ts"
import "./Coinbase.test.ts"
import "./CoinbaseExchange.test.ts"
import "./Conformance.test.ts"
import "./Deribit.test.ts"
import "./Dydx.test.ts"
import "./Generic.test.ts"
import "./Hyperliquid.test.ts"
import "./Kraken.test.ts"
import "./MarketEvent.test.ts"
import "./PriceMessage.test.ts"
