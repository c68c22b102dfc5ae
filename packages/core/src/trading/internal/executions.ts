/**
 * The executions of an account, each once, over whatever happens to the link.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { ConnectError } from "../../connection/ConnectError.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Fill } from "../OrderEvent.ts"
import { describe } from "./failure.ts"
import type { Gateway } from "./gateway.ts"

/** How long nothing may be told until the exchange is asked, how soon for what is missing, and for how long. */
const checkMillis = { silent: 8_000, behind: 500, answer: 5_000 }

/**
 * So much before the last one that is known it is asked from: an exchange may
 * show one later than another that came after it.
 */
const overlapMillis = 10_000

const millisOf = ({ timestamp }: Fill): number | undefined =>
  timestamp === undefined ? undefined : Timestamp.epochMillis(timestamp)

/**
 * Each execution from a time on. What is told is passed on as it comes; after a
 * gap, and after silence, the exchange is asked from the last time on at which
 * nothing was missing.
 *
 * @category running
 * @since 0.1.0
 */
export const stream = <A>(
  gateway: Gateway<A>,
  since: Timestamp.Timestamp | undefined
): Stream.Stream<Fill, ConnectError> =>
  Stream.callback<Fill, ConnectError>((queue) =>
    Effect.gen(function*() {
      const notices = yield* gateway.notices(undefined)
      yield* gateway.begin
      const from = since === undefined ? gateway.wallMillis() : Timestamp.epochMillis(since)
      // Until then all is known, and what is known of what came later.
      let completeMillis = from
      let known = new Map<string, number>()

      const take = (fills: ReadonlyArray<Fill>): void => {
        for (const fill of fills) {
          const id = `${fill.product} ${fill.tradeId}`
          if (known.has(id)) continue
          known.set(id, millisOf(fill) ?? completeMillis)
          Queue.offerUnsafe(queue, fill)
        }
      }
      const complete = (): void => {
        completeMillis = Math.max(completeMillis, ...known.values())
        known = new Map([...known].filter(([, at]) => at >= completeMillis - overlapMillis))
      }
      const fetch = Effect.suspend(() =>
        gateway.fillsSince(
          Timestamp.fromEpochMillis(Math.max(from, completeMillis - overlapMillis)),
          gateway.now() + checkMillis.answer
        )
      ).pipe(
        Effect.matchEffect({
          onFailure: (failure) => Effect.as(Effect.logDebug(`fills not asked for yet: ${describe(failure)}`), false),
          onSuccess: (fills) =>
            Effect.sync(() => {
              take(fills)
              complete()
              return true
            })
        })
      )

      let isBehind = since !== undefined
      let askAt = gateway.now() + (isBehind ? 0 : checkMillis.silent)
      while (true) {
        const notice = yield* Effect.timeoutOption(PubSub.take(notices), Math.max(0, askAt - gateway.now()))
        if (Option.isSome(notice) && notice.value._tag === "Over") return yield* Effect.fail(notice.value.error)
        if (Option.isSome(notice) && notice.value._tag === "Changes") {
          const { fills, orders } = notice.value
          take(fills)
          if (isBehind) continue
          complete()
          isBehind = !gateway.tellsFills && orders.length > 0
        } else {
          isBehind = !(yield* fetch)
        }
        askAt = gateway.now() + checkMillis[isBehind ? "behind" : "silent"]
      }
    }).pipe(Effect.onError((cause) => Queue.failCause(queue, cause)))
  )
