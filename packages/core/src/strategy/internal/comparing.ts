/**
 * What the exchanges say that the accounts have: at the beginning, and compared to
 * what is known of them.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ExchangeError } from "../../trading/Exchange.ts"
import type * as Instrument from "../../trading/Instrument.ts"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import * as Reconciliation from "../../trading/Reconciliation.ts"
import { NoneAnswered } from "../../trading/RouteError.ts"
import type { Storage } from "../../trading/Storage.ts"
import type { StorageError } from "../../trading/StorageError.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Desk } from "./desk.ts"
import type { Opening } from "./traderHistory.ts"

/** How often it is asked again what an account has that is not as it should be, and how long after. */
const times = 3
const firstPause = 1_000

const whole = <A>(
  { byExchange, failures }: {
    readonly byExchange: ReadonlyMap<string, ReadonlyArray<A>>
    readonly failures: ReadonlyArray<ExchangeError>
  }
) => failures.length > 0 ? new NoneAnswered({ failures }) : Effect.succeed([...byExchange])

/**
 * What a trader begins with: all exchanges have to say it. `capital` is by default
 * all that `isQuote`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const opening = Effect.fnUntraced(function*(
  router: OrderRouter["Service"],
  isQuote: (asset: string) => boolean,
  capital: Decimal.Decimal | undefined
): Effect.fn.Return<Opening, NoneAnswered> {
  const balances = yield* Effect.flatMap(router.balances, whole)
  const positions = yield* Effect.flatMap(router.positions, whole)
  const held = balances.flatMap(([exchange, all]) => all.map(({ asset, total }) => ({ exchange, asset, total })))
  return {
    capital: capital ??
      BigDecimal.sumAll(held.flatMap(({ asset, total }) => isQuote(asset) ? [total] : [Decimal.zero])),
    balances: held,
    positions: positions.flatMap(([exchange, all]) =>
      all.map(({ amount, averagePrice, product }) => ({
        exchange,
        product,
        amount,
        ...(averagePrice === undefined ? {} : { averagePrice })
      }))
    )
  }
})

/**
 * Compares what is known of the accounts with what the exchanges say, and again a
 * little later if they differ: what is under way may not have been told yet.
 *
 * @category combinators
 * @since 0.1.0
 */
export const compare = Effect.fnUntraced(function*(
  { desk, router, storage }: {
    readonly desk: Desk
    readonly router: OrderRouter["Service"]
    readonly storage: Storage["Service"]
  },
  opening: Opening
): Effect.fn.Return<Reconciliation.Report, StorageError | ExchangeError | NoneAnswered> {
  for (let time = 0;; time++) {
    const { byExchange: balances } = yield* router.balances
    const { byExchange: positions } = yield* router.positions
    const { byExchange: open } = yield* router.open
    const stored = yield* Stream.runCollect(storage.orders({ only: "open" }))
    const accounts = yield* expected(desk, router, opening)
    const report = Reconciliation.compare({
      accounts,
      orders: stored.map(({ value }) => value),
      there: { balances, positions, orders: open },
      quote: desk.options.quote,
      marks: desk.marks()
    })
    const isWell = report.status === "Ok" || report.status === "Precision"
    if (isWell || time === times) return report
    yield* Effect.sleep(firstPause * 2 ** time)
  }
})

/** What the accounts must have: what they had at the beginning, and what all fills have made of it. */
const expected = Effect.fnUntraced(function*(
  desk: Desk,
  router: OrderRouter["Service"],
  { balances, positions }: Opening
): Effect.fn.Return<ReadonlyMap<string, Reconciliation.Account>, ExchangeError> {
  const fills = desk.fills()
  const instruments = new Map<string, Instrument.Instrument>()
  const instrumentOf = (exchange: string, product: string) => instruments.get(`${exchange} ${product}`)
  for (const { exchange, product } of [...positions, ...fills]) {
    if (instrumentOf(exchange, product) !== undefined) continue
    const instrument = yield* router.instrument(exchange, router.nameOf(exchange, product))
    instruments.set(`${exchange} ${product}`, instrument)
  }
  const exchangeOf = ({ exchange }: { readonly exchange: string }): string => exchange
  const before = Reconciliation.opening(
    Map.groupBy(balances, exchangeOf),
    Map.groupBy(positions, exchangeOf),
    instrumentOf
  )
  return yield* Effect.orDie(Effect.fromResult(Reconciliation.expected(before, fills, instrumentOf)))
})
