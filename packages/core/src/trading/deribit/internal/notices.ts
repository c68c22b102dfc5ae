/**
 * What a session is told of an account's orders, and when that may have had a
 * gap.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import type { DeribitSession } from "../../../session/deribit/DeribitSession.ts"
import * as Schemas from "../../../session/deribit/Schemas.ts"
import * as Channel from "../../../value/Channel.ts"
import type { Notice } from "../../internal/gateway.ts"
import * as Orders from "./orders.ts"

type Told = Notice<Schemas.Order>

const read = SchemaParser.decodeUnknownResult(Schema.Struct({
  orders: ExactSchema.optional(Schema.Array(Schemas.Order)),
  trades: ExactSchema.optional(Schema.Array(Schemas.UserTrade))
}))

const gap: Told = { _tag: "Gap" }

const channelOf = (product = "any.any"): string => `user.changes.${product}.raw`

const isOfChanges = (channel: unknown): boolean => typeof channel === "string" && channel.startsWith("user.changes.")

/**
 * The notices of one session. `of` subscribes to the changes of a product's
 * orders, or of all, on each epoch, and gives what is told from now on, of all products.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notices {
  readonly of: (product: string | undefined) => Effect.Effect<PubSub.Subscription<Told>, never, Scope.Scope>
}

/**
 * Makes the notices of a session, which are read once for whoever wants them.
 *
 * @see https://docs.deribit.com/subscriptions/user/userchangesinstrument_nameinterval (read 2026-11-26)
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(
  function*(session: DeribitSession): Effect.fn.Return<Notices, never, Scope.Scope> {
    const notices = yield* PubSub.unbounded<Told>()
    const publish = (notice: Told) => Effect.asVoid(PubSub.publish(notices, notice))
    let wasLive = false

    yield* Effect.forkScoped(
      Effect.ignore(
        // What is shed is asked for.
        Stream.runForEach(session.notifications({ name: "orders", overflow: "drop-oldest" }), ({ params = null }) => {
          if (!ExactJson.isObject(params) || !isOfChanges(params["channel"])) return Effect.void
          const told = read(params["data"])
          if (Result.isFailure(told)) return publish(gap)
          const { orders, trades } = told.success
          return publish({ _tag: "Changes", orders: orders ?? [], fills: Orders.toFills(trades ?? []) })
        })
      ),
      { startImmediately: true }
    )
    yield* Effect.forkScoped(
      Stream.runForEach(session.state.changes, (state) => {
        if (state._tag === "Live") wasLive = true
        if (state._tag === "Failed") return publish({ _tag: "Over", error: state.error })
        return state._tag === "SigningIn" && wasLive ? publish(gap) : Effect.void
      }),
      { startImmediately: true }
    )
    return {
      of: (product) =>
        Effect.tap(
          PubSub.subscribe(notices),
          () => Effect.ignore(session.subscribe([Channel.make(channelOf(product))]))
        )
    }
  }
)
