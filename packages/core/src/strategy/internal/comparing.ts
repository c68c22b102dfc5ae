/**
 * What the exchanges say that the accounts have: at the beginning, and compared to
 * what is known of them.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type { ExchangeError } from "../../trading/Exchange.ts"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import { NoneAnswered } from "../../trading/RouteError.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Opening } from "./traderHistory.ts"

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
    positions: positions.flatMap(([exchange, all]) => all.map(({ amount, product }) => ({ exchange, product, amount })))
  }
})
