/** The venues' suites once more, with the Schema compiler that the runner enables. */
import "effect/schema/SchemaJITCompiler/enable"
import "./CoinbaseExchange.test.ts"
import "./Generic.test.ts"
import "./PriceMessage.test.ts"
import "./MarketEvent.test.ts"
import "./Conformance.test.ts"
