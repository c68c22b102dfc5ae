import { assert, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** The application: a service that is raised when bitcoin can no longer be sold for 42,000. */
class Alarm extends Context.Service<Alarm, {
  readonly raised: Effect.Effect<ReadonlyArray<string>>
}>()("app/Alarm") {}

const limit = BigDecimal.fromBigInt(42_000n)

const alarm = Layer.effect(
  Alarm,
  Effect.gen(function*() {
    const feed = yield* MarketFeed.MarketFeed
    const raised: Array<string> = []
    yield* Stream.runForEach(feed.ticker("BTC/USD"), ({ bid }) =>
      Effect.sync(() => {
        if (bid !== undefined && BigDecimal.isLessThan(bid, limit)) raised.push(Decimal.format(bid))
      })).pipe(Effect.forkScoped)
    return { raised: Effect.sync(() => [...raised]) }
  })
)

/** As `main.ts` puts it together. What it still asks for, the transport and the policy, `main.ts` gives, or a test. */
const application = (url: string) => Layer.provide(alarm, MarketFeed.layer(Kraken.venue, { url }))

it.effect("raises the alarm, and does so after a drop", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const mock = yield* MockVenue.serve(network, "wss://kraken.test", MockKraken.make())
    // A layer that connects takes time to build.
    const services = yield* Probe.within(Layer.build(application(mock.url)))
    const { raised } = Context.get(services, Alarm)
    yield* TestClock.adjust("1 second")

    yield* mock.quote("BTC-USD", "42000.00", "42000.10")
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(yield* raised, [])

    // Lost with the link, on its way; the venue says it again when the application is back.
    yield* mock.quote("BTC-USD", "41999.90", "42000.10")
    yield* mock.host.drop
    yield* TestClock.adjust("5 seconds")
    assert.deepStrictEqual(yield* raised, ["41999.90"])
  })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
