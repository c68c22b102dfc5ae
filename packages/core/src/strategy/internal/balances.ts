/**
 * What the exchanges say that is available, asked for when it is needed and not
 * too often.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import * as Decimal from "../../value/Decimal.ts"

/** For how long what was said counts. */
const lastsMillis = 10_000

/**
 * - `availableAt`: by asset; `undefined` if it is not known
 * - `forget`: asks anew the next time
 *
 * @category models
 * @since 0.1.0
 */
export interface Balances {
  readonly availableAt: (exchange: string) => Effect.Effect<ReadonlyMap<string, Decimal.Decimal> | undefined>
  readonly forget: () => void
}

/**
 * Makes it. `nameOf` says which assets count as the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  router: OrderRouter["Service"],
  nameOf: (asset: string) => string,
  now: () => number
): Balances => {
  let known: { readonly at: number; readonly of: ReadonlyMap<string, ReadonlyMap<string, Decimal.Decimal>> } | undefined
  const ask = Effect.map(router.balances, ({ byExchange }) => {
    const of = new Map<string, ReadonlyMap<string, Decimal.Decimal>>()
    for (const [exchange, balances] of byExchange) {
      const available = new Map<string, Decimal.Decimal>()
      for (const balance of balances) {
        const name = nameOf(balance.asset)
        available.set(name, BigDecimal.sum(available.get(name) ?? Decimal.zero, balance.available))
      }
      of.set(exchange, available)
    }
    known = { at: now(), of }
    return of
  })
  return {
    availableAt: (exchange) =>
      Effect.suspend(() => known !== undefined && now() - known.at < lastsMillis ? Effect.succeed(known.of) : ask).pipe(
        Effect.map((of) => of.get(exchange)),
        Effect.catch(() => Effect.undefined)
      ),
    forget: () => {
      known = undefined
    }
  }
}
