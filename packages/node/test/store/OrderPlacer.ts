/**
 * A process with a router over two exchanges, which goes on with the orders that are stored and places others until it is
 * killed; or, to `settle`, cancels what is left and ends when all are over.
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as DeribitExchange from "@tickline/core/trading/deribit/DeribitExchange"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import process from "node:process"
import { clientOf } from "./Databases.ts"

const [address = "", first = "", second = "", mode = "", seed = ""] = process.argv.slice(2)

const oneOf = <const A>(...values: readonly [A, ...Array<A>]) =>
  Effect.map(Random.nextIntBetween(0, values.length), (index) => values[index] ?? values[0])

const randomRequest = Effect.gen(function*() {
  const type = yield* oneOf("limit", "limit", "limit", "market")
  const ticks = yield* Random.nextIntBetween(-40, 40)
  return new OrderRequest.OrderRequest({
    product: "BTC-PERPETUAL",
    side: yield* oneOf("buy", "sell"),
    type,
    amount: BigDecimal.make(BigInt(10 * (yield* Random.nextIntBetween(1, 20))), 0),
    // Around the market: some trade at once, some rest, and some of those that must rest are refused.
    ...(type === "market" ? {} : { price: BigDecimal.make(432_500n + BigInt(ticks * 5), 1) }),
    timeInForce: type === "market" ? "ioc" : yield* oneOf("gtc", "ioc", "fok", "post-only"),
    reduceOnly: false,
    clientId: yield* OrderRequest.clientId
  })
})

const exchangeAt = (url: string) =>
  DeribitExchange.make({ url, clientId: "AMANDA", clientSecret: Redacted.make("AMANDASECRECT"), by: "secret" })

const trading = Effect.gen(function*() {
  const storage = yield* Storage.Storage
  const unsettled = Stream.runCollect(storage.orders({ only: "unsettled" }))
  const before = yield* unsettled
  const router = yield* OrderRouter.make({
    routes: [{ name: "one", exchange: yield* exchangeAt(first) }, { name: "two", exchange: yield* exchangeAt(second) }],
    strategy: RoutingStrategy.roundRobin(),
    deadline: "1 second"
  })

  if (mode === "settle") {
    const cancelled = Effect.andThen(Stream.runDrain(router.cancelAll), unsettled)
    return yield* Effect.repeat(cancelled, {
      schedule: Schedule.spaced("200 millis"),
      while: (left) => left.length > 0
    })
  }

  yield* Effect.repeat(router.exchanges, {
    schedule: Schedule.spaced("10 millis"),
    while: (states) => !states.some(({ isAvailable }) => isAvailable)
  })

  const place = Effect.fnUntraced(function*(request: OrderRequest.OrderRequest) {
    const strategy = yield* oneOf(undefined, RoutingStrategy.priority("two", "one"))
    yield* Effect.forkChild(Effect.ignore(router.place(request, { strategy })))
  })

  const lane = Effect.gen(function*() {
    // Whoever does not know what became of an order gives it again.
    const [again] = before.splice(0, yield* oneOf(0, 0, 0, 1))
    const request = again !== undefined && again.of === again.value.request.clientId
      ? again.value.request
      : yield* randomRequest
    yield* place(request)
    yield* Effect.sleep(yield* Random.nextIntBetween(1, 60))
    if (yield* Random.nextBoolean) {
      yield* Effect.forkChild(Effect.ignore(Stream.runDrain(router.cancel(request.clientId))))
    }
  })
  return yield* Effect.all([1, 2, 3].map(() => Effect.forever(lane)), { concurrency: "unbounded" })
}).pipe(Effect.scoped, Random.withSeed(seed))

Effect.runPromise(Effect.provide(trading, [
  Layer.provide(SqlStorage.layer, clientOf(address)),
  NodeTransport.layer,
  Reconnection.layerWithBreaker({ ...Presets.fast, circuit: "none" })
])).catch((cause: unknown) => {
  console.error(cause)
  process.exit(70)
})
