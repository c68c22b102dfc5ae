import { assert, it } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const order = {
  instrument_name: "BTC-PERPETUAL",
  label: "mine",
  type: "limit",
  price: BigDecimal.fromStringUnsafe("1000.0"),
  amount: BigDecimal.fromStringUnsafe("10")
} as const

it.effect("finds the order whose answer was lost, and never sends it again", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const exchange = MockDeribitExchange.make()
    yield* MockVenue.serve(network, "wss://deribit.test", exchange.venue)
    const session = yield* DeribitSession.make({
      url: "wss://deribit.test",
      clientId: "AMANDA",
      clientSecret: Redacted.make("AMANDASECRECT")
    })
    yield* Probe.within(session.connect)
    // The order is taken, and the connection is cut before the answer.
    exchange.fault({ _tag: "Cut", method: "private/buy" })
    const lost = yield* Probe.within(Effect.flip(session.call(Methods.trading.buy, order)))
    assert.deepInclude(lost, { _tag: "OutcomeUnknown", reason: "dropped" })

    yield* Probe.until(Effect.map(session.state.current, ({ _tag }) => _tag === "Live"))
    const found = yield* Probe.within(
      session.call(Methods.trading.getOrderStateByLabel, { currency: "BTC", label: "mine" })
    )
    assert.deepStrictEqual(found.map(({ order_state }) => order_state), ["open"])
    assert.strictEqual(exchange.received().filter(({ label }) => label === "mine").length, 1)
  })).pipe(Effect.provide(Probe.layer({ policy: Presets.fast }))))
