/** A router with the live books of five venues: how long it takes to decide where an order goes. */
import type { OrderBook } from "@tickline/core/market/OrderBook"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Rounds from "./Rounds.ts"

const decisions = 20_000
const depth = 20

const cents = (units: number): Decimal.Decimal => BigDecimal.make(BigInt(units), 2)

const bookOf = (venue: string, best: number): OrderBook => {
  const side = (step: number) =>
    Array.from({ length: depth }, (_, i) => [cents(best + step * (i + 1)), BigDecimal.make(5n, 1)] as const)
  return {
    _tag: "Live",
    venue,
    product: "BTC-USD",
    channel: "book",
    sequence: undefined,
    timestamp: undefined,
    checksum: undefined,
    provenLevels: undefined,
    bids: side(-10),
    asks: side(10),
    bidLevels: depth,
    askLevels: depth
  }
}

// A decision asks an exchange for its health and for what it lacks, and for nothing else.
const exchangeOf = (name: string): Exchange["Service"] => {
  const never = () => Effect.never
  return {
    name,
    connect: Effect.void,
    place: () => Stream.never,
    amend: () => Stream.never,
    cancel: () => Stream.never,
    cancelAll: () => Stream.never,
    status: () => Stream.never,
    open: () => Stream.never,
    resume: () => Stream.never,
    fills: () => Stream.never,
    lacks: () => undefined,
    instrument: never,
    balances: never,
    positions: never,
    health: { current: Effect.succeed({ _tag: "Live" }), changes: Stream.never }
  }
}

// It reaches into the third level of each book.
const request = new OrderRequest({
  product: "BTC-USD",
  side: "buy",
  type: "market",
  amount: BigDecimal.make(12n, 1),
  timeInForce: "ioc",
  reduceOnly: false,
  clientId: "one"
})

const fees = { maker: BigDecimal.make(4n, 4), taker: BigDecimal.make(6n, 4) }

const deciding = (strategy: RoutingStrategy.RoutingStrategy): Promise<number> =>
  Effect.gen(function*() {
    const router = yield* OrderRouter.make({
      strategy,
      routes: ["one", "two", "three", "four", "five"].map((name, i) => {
        const book = Effect.succeed(bookOf(name, 4_325_000 + i * 7))
        return { exchange: exchangeOf(name), fees, book: () => book }
      })
    })
    const begun = performance.now()
    for (let i = 0; i < decisions; i++) yield* router.rank(request)
    return (performance.now() - begun) / decisions * 1_000
  }).pipe(Effect.scoped, Effect.provide(MemoryStorage.layer), Effect.runPromise)

const results = await Rounds.interleave({
  price: () => deciding(RoutingStrategy.bestPrice),
  priority: () => deciding(RoutingStrategy.priority("one", "two", "three", "four", "five"))
}, { rounds: 7, warmup: 2 })

Rounds.report([
  {
    name: "router: one decision over five venues' books",
    value: Rounds.median(results.price),
    unit: "µs",
    higher: false,
    must: 20,
    goal: 5,
    detail: `without looking at the books ${Rounds.median(results.priority).toFixed(1)} µs`
  }
])
