/** Order entry at the mock of Deribit, on a virtual network: commands, and what was said of each. */
import { assert } from "@effect/vitest"
import * as DeribitExchange from "@tickline/core/trading/deribit/DeribitExchange"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as Decimal from "@tickline/core/value/Decimal"
import type * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { at, number, order, product, signedIn, url, withExchange } from "../exchange/Trader.ts"
import { settle } from "../Rig.ts"

export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

/** An order far from the market, if nothing else is said. */
export const request = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest =>
  new OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount: decimal("10"),
    price: decimal("40000.0"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: "mine",
    ...terms
  })

export const market = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest => {
  const { price: _, ...rest } = { ...request(), ...terms }
  return new OrderRequest({ ...rest, type: "market" })
}

export const make = (options: Partial<DeribitExchange.Options> = {}) =>
  DeribitExchange.make({
    url,
    clientId: "AMANDA",
    clientSecret: Redacted.make("AMANDASECRECT"),
    learnsLimits: false,
    ...options
  })

/** Lets conversations of several round trips take place now. */
export const talk = Effect.repeat(settle, { times: 30 })

/** A command that was given. */
export interface Given {
  readonly events: ReadonlyArray<OrderEvent.OrderEvent>
  /** How it ended, once it has. */
  readonly ended: () => string | undefined
  /** What was said, one line an event, without the ids of orders. */
  readonly lines: () => ReadonlyArray<string>
}

const brief = (event: OrderEvent.OrderEvent): string => {
  const { _tag, ...members }: Record<string, unknown> = JSON.parse(OrderEvent.toJson(event))
  const shown = ["clientId", "status", "filled", "remaining", "reason", "code", "price", "amount", "count"]
    .flatMap((name) => members[name] === undefined ? [] : [`${name}=${String(members[name])}`])
  return [_tag, ...shown].join(" ")
}

/** Gives a command, and goes on. */
export const give = <E extends { readonly _tag: string }>(commands: Stream.Stream<OrderEvent.OrderEvent, E>) =>
  Effect.gen(function*() {
    const events: Array<OrderEvent.OrderEvent> = []
    let ended: string | undefined
    const run = Stream.runForEach(commands, (event) => Effect.sync(() => void events.push(event))).pipe(
      Effect.matchEffect({
        onFailure: ({ _tag }) => Effect.sync(() => void (ended = _tag)),
        onSuccess: () => Effect.sync(() => void (ended = "done"))
      })
    )
    yield* Effect.forkScoped(run, { startImmediately: true })
    yield* talk
    const given: Given = { events, ended: () => ended, lines: () => events.map(brief) }
    return given
  })

/** Somebody else who trades on the same exchange. */
export const other = Effect.gen(function*() {
  const trader = yield* signedIn("BERTA")
  const book = yield* trader.call("public/get_order_book", { instrument_name: product })
  /** Where there is nobody: between the best bid and the best ask. */
  const between = String(at(book, "best_bid_price")).replace(/\d$/, (digit) => String(Number(digit) + 1))
  const sell = (amount: string, price = between) =>
    Effect.andThen(
      trader.call("private/sell", order({ amount: number(amount), price: number(price), label: "theirs" })),
      talk
    )
  return { between, sell }
})

/** Waits so long, and lets happen what comes of it. */
export const pass = (time: Parameters<typeof TestClock.adjust>[0]) => Effect.andThen(TestClock.adjust(time), talk)

/** Runs a test with an exchange and our side of it. */
export const withDesk = <A, E, R>(
  use: (desk: {
    readonly exchange: MockDeribitExchange.MockDeribitExchange
    readonly served: MockVenue.Served
    readonly orders: Exchange["Service"]
    readonly methods: (method: string) => number
  }) => Effect.Effect<A, E, R>,
  options: Partial<DeribitExchange.Options> = {}
) =>
  withExchange((exchange, served) =>
    Effect.gen(function*() {
      const orders = yield* make(options)
      const methods = (method: string) => exchange.received().filter((received) => received.method === method).length
      return yield* use({ exchange, served, orders, methods })
    })
  )
