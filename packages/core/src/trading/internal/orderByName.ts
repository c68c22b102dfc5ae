/**
 * The one order that a name means.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { AmbiguousClientId, type OrderName } from "../Exchange.ts"
import { NotSent } from "../OrderEvent.ts"
import { describe, namesOf } from "./failure.ts"
import type { Command, Gateway } from "./gateway.ts"

/**
 * The one order of a name. Without one there is an outcome, which is said.
 *
 * @category running
 * @since 0.1.0
 */
export const findOne = <A>(
  gateway: Gateway<A>,
  name: OrderName,
  { say, until }: Command
): Effect.Effect<A | undefined, AmbiguousClientId> => {
  const none = (reason: string): Effect.Effect<undefined> =>
    Effect.as(say(new NotSent({ ...namesOf(gateway.exchange, name), reason })), undefined)
  return gateway.find(name, until).pipe(
    Effect.matchEffect({
      onFailure: (failure) => none(describe(failure)),
      onSuccess: ([order, ...others]): Effect.Effect<A | undefined, AmbiguousClientId> => {
        if (order === undefined) return none("the exchange knows no such order")
        return others.length === 0 ? Effect.succeed(order) : Effect.fail(
          new AmbiguousClientId({
            clientId: name.clientId ?? "",
            orderIds: [order, ...others].map((order) => gateway.update(order).orderId ?? "")
          })
        )
      }
    })
  )
}
