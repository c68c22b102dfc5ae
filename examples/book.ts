/**
 * An order book that is proven: the mock venue loses a frame, the book says that
 * it is broken, is asked for anew, and is whole again.
 *
 * Run: npx -y pnpm@12 exec node examples/book.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Decimal, Deribit, MarketFeed, OrderBook, Reconnection } from "@tickline/core"
import { NodeTransport } from "@tickline/node"
import { Fault, Market, MockDeribit } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { BigDecimal, Console, Effect, Logger, Queue, Stream } from "effect"

const tenth = BigDecimal.make(1n, 1)

const shown = (book: OrderBook.OrderBook): string => {
  if (!OrderBook.isWhole(book)) return `${book._tag}: ${book.reason}`
  const spread = OrderBook.spread(book)
  const { cost } = OrderBook.priceFor(book, "buy", tenth)
  return `${book._tag}: spread ${spread === undefined ? "–" : Decimal.format(spread)}, a buyer of 0.1 pays ${
    Decimal.format(cost)
  }`
}

const program = Effect.gen(function*() {
  const venue = MockDeribit.make()
  const lost = yield* Effect.fromResult(Fault.parse("lose@700ms"))
  const { url } = yield* MockServer.make({
    venue,
    seed: 7,
    rate: 20,
    faults: [lost],
    products: Market.listedBy(venue)
  })
  const feed = yield* MarketFeed.make(Deribit.venue, { url })

  let isBroken = false
  // Each change, in the callback that read it: until the book is whole again after a break.
  const isOver = (book: OrderBook.OrderBook): boolean => {
    isBroken ||= book._tag === "Gapped"
    return isBroken && OrderBook.isWhole(book)
  }
  const changes = yield* Queue.unbounded<OrderBook.OrderBook>()
  yield* feed.observeBook("BTC-USD-PERP", (book) => void Queue.offerUnsafe(changes, book), { depth: 5 })
  yield* Stream.fromQueue(changes).pipe(
    Stream.takeUntil(isOver),
    Stream.runForEach((book) => Console.log(shown(book)))
  )
  const { entries } = yield* feed.ledger
  for (const { channel, gaps } of entries) {
    for (const { cause, from, recovered, to } of gaps) {
      yield* Console.log(`${channel}: ${cause} gap from ${from} to ${to}, recovered by ${recovered}`)
    }
  }
})

NodeRuntime.runMain(
  Effect.scoped(program).pipe(
    Effect.provide([NodeTransport.layer, Reconnection.layerWithBreaker(), Logger.layer([])])
  )
)
