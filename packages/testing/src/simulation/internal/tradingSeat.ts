/**
 * A trader of a day: what of it outlives its process (its storage and its accounts), and the process, which may end at
 * any moment and begin again.
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import type { Price } from "@tickline/core/strategy/Price"
import type { Signal } from "@tickline/core/strategy/Signal"
import * as Signals from "@tickline/core/strategy/Signals"
import * as Trader from "@tickline/core/strategy/Trader"
import type { TraderEvent } from "@tickline/core/strategy/TraderEvent"
import type { NonceStore } from "@tickline/core/trading/NonceStore"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import { Storage } from "@tickline/core/trading/Storage"
import type { HttpPort } from "@tickline/core/transport/HttpPort"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Day from "./tradingDay.ts"
import type { Site } from "./tradingVenues.ts"

/** What a trader is made of. */
export interface Settings {
  readonly index: number
  readonly character: Day.Character
  /** How long its candles are. */
  readonly candleMillis: number
  readonly policy: ConnectionPolicy.ConnectionPolicy
  readonly venues: ReadonlyArray<Day.Venue>
  readonly sites: Readonly<{ [Name in Day.Venue]: Site }>
  readonly storage: Storage["Service"]
  readonly now: () => number
  readonly note: (event: string, detail: Record<string, string | number>) => void
}

/** A process that is there. */
export interface Process {
  readonly scope: Scope.Closeable
  readonly trader: Trader.Trader["Service"]
  readonly router: OrderRouter.OrderRouter["Service"]
}

type Needs = Transport | HttpPort | NonceStore

/** A trader. */
export interface Seat {
  readonly name: string
  readonly index: number
  readonly storage: Storage["Service"]
  readonly venues: Settings["venues"]
  readonly sites: Settings["sites"]
  readonly process: () => Process | undefined
  /** What it said, by tag, of refusals by code, of closed lots by why. */
  readonly counts: ReadonlyMap<string, number>
  readonly violations: ReadonlyArray<string>
  /** When it was halted, and until when. */
  readonly halts: ReadonlyArray<{ readonly from: number; readonly to: number }>
  readonly begin: Effect.Effect<void, never, Needs>
  /** Ends the process at once, without a word. */
  readonly kill: Effect.Effect<void>
  readonly halt: Effect.Effect<void>
  readonly clear: Effect.Effect<void>
}

const products = ["ETH-USD", "SOL-USD", "BTC-USD"] as const

const text = (value: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(value))

const said = (event: TraderEvent): Record<string, string | number> => {
  switch (event._tag) {
    case "Refused":
      return { product: event.signal.product, side: event.signal.side, code: event.code }
    case "Entering":
    case "Exiting": {
      const { amount, clientId, product, side } = event.request
      return { product, side, amount: text(amount), clientId }
    }
    case "Opened": {
      const { amount, entryPrice, exchange, id } = event.lot
      return { id, exchange, amount: text(amount), price: text(entryPrice) }
    }
    case "NotClosed":
      return { id: event.lot.id, left: text(event.lot.amount), detail: event.detail }
    case "Closed":
      return { id: event.trade.id, why: event.why ?? "", realized: text(event.trade.realized) }
    case "Recovered":
      return { lots: event.lots, orders: event.orders }
    case "Halted":
      return { reason: event.reason }
    default:
      return {}
  }
}

const wordOf = (event: TraderEvent): string => {
  switch (event._tag) {
    case "Refused":
      return event.code
    case "Closed":
      return `Closed by ${event.why ?? "nothing"}`
    default:
      return event._tag
  }
}

/** Makes a trader, whose process has not begun. */
export const make = (
  { candleMillis, character, index, note, now, policy, sites, storage, venues }: Settings
): Seat => {
  const name = `trader${index + 1}`
  const counts = new Map<string, number>()
  const violations: Array<string> = []
  const halts: Array<{ readonly from: number; to: number }> = []
  let process: Process | undefined

  const count = (word: string): void => void counts.set(word, (counts.get(word) ?? 0) + 1)

  const hear = ({ trader }: Process) => (event: TraderEvent): Effect.Effect<void> =>
    Effect.map(trader.portfolio, (portfolio) => {
      count(wordOf(event))
      note(event._tag, { trader: name, ...said(event) })
      // What a price does to what is at stake is no error.
      const broken = Portfolio.violations(portfolio).filter(({ _tag }) => _tag !== "Exposure")
      for (const violation of broken) {
        violations.push(`${name} at ${now()}, after ${event._tag}: ${violation._tag} does not hold`)
      }
      if (event._tag === "Unbookable") violations.push(`${name} at ${now()}: ${event.error.message}`)
      if (event._tag === "Ended") violations.push(`${name} at ${now()}: the feeds ended: ${event.reason ?? ""}`)
      if ((event._tag === "Entering" || event._tag === "Exiting") && halts.some(({ to }) => to === Infinity)) {
        violations.push(`${name} at ${now()}: ${event._tag} while it is halted`)
      }
    })

  const begin = Effect.gen(function*() {
    const scope = yield* Scope.make()
    const started = yield* Effect.gen(function*() {
      const inputs = yield* Effect.forEach(venues, (venue, i) => {
        const product = products[(i + index) % products.length] ?? "BTC-USD"
        return Effect.map(sites[venue].feed, (feed) =>
          Signals.withPrices(feed, {
            products: [product],
            strategy: character.strategy,
            interval: Duration.millis(candleMillis)
          }))
      })
      const routes = yield* Effect.forEach(venues, (venue) => {
        const { symbols } = sites[venue]
        const bySymbol = new Map<string, string>(Object.entries(symbols).map(([product, symbol]) => [symbol, product]))
        const byName = new Map<string, string>(Object.entries(symbols))
        return Effect.map(sites[venue].exchange(index), (exchange) => ({
          exchange,
          symbols: {
            symbolOf: (product: string) => byName.get(product),
            nameOf: (symbol: string) => bySymbol.get(symbol)
          }
        }))
      })
      const router = yield* OrderRouter.make({ routes, strategy: character.routing })
      const merged: Stream.Stream<Signal | Price, unknown> = Stream.mergeAll(inputs, { concurrency: "unbounded" })
      const trader = yield* Trader.make({
        inputs: merged,
        quote: "USD",
        alike: ["USDC"],
        limits: {
          products: [...products],
          confidence: 0.4,
          perHour: 4,
          perDay: 60,
          signalAge: "2 minutes",
          timeInForce: character.timeInForce
        },
        portfolio: character.portfolio,
        shorts: character.shorts,
        reconcileEvery: "1 hour",
        patience: Duration.millis(character.patienceMillis),
        routing: character.routing
      }).pipe(Effect.provideService(OrderRouter.OrderRouter, router))
      const started: Process = { scope, trader, router }
      yield* Effect.forkScoped(Stream.runForEach(trader.events, hear(started)), { startImmediately: true })
      return started
    }).pipe(
      Effect.provide(Reconnection.layerWithBreaker(policy)),
      Effect.provideService(Storage, storage),
      Effect.orDie,
      Scope.provide(scope)
    )
    process = started
    count("begun")
    note("begun", { trader: name })
  })

  const kill = Effect.gen(function*() {
    const before = process
    if (before === undefined) return
    process = undefined
    note("killed", { trader: name })
    yield* Scope.close(before.scope, Exit.void)
  })

  // Also of the process that there is by then.
  const ofProcess = (run: (trader: Trader.Trader["Service"]) => Effect.Effect<unknown, unknown>): Effect.Effect<void> =>
    Effect.suspend(() => process === undefined ? Effect.void : Effect.ignore(run(process.trader)))

  return {
    name,
    index,
    storage,
    venues,
    sites,
    process: () => process,
    counts,
    violations,
    halts,
    begin,
    kill,
    halt: ofProcess((trader) =>
      Effect.suspend(() => {
        halts.push({ from: now(), to: Infinity })
        return trader.halt("by chance")
      })
    ),
    clear: ofProcess((trader) =>
      Effect.suspend(() => {
        for (const halt of halts) halt.to = Math.min(halt.to, now())
        return trader.clear
      })
    )
  }
}
