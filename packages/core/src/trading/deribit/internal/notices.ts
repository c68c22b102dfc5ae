/**
 * What a session is told of an account's orders, and when that may have had a
 * gap.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import type { ConnectError } from "../../../connection/ConnectError.ts"
import type { DeribitSession } from "../../../session/deribit/DeribitSession.ts"
import * as Schemas from "../../../session/deribit/Schemas.ts"
import * as Channel from "../../../value/Channel.ts"

/**
 * - `Changes`: orders as they stand, and executions
 * - `Gap`: something may not have been told: another epoch begins, or a notice
 *   cannot be read
 * - `Over`: nothing more will be told
 *
 * @category models
 * @since 0.1.0
 */
export type Notice =
  | {
    readonly _tag: "Changes"
    readonly orders: ReadonlyArray<Schemas.Order>
    readonly trades: ReadonlyArray<Schemas.UserTrade>
  }
  | { readonly _tag: "Gap" }
  | { readonly _tag: "Over"; readonly error: ConnectError }

const read = SchemaParser.decodeUnknownResult(Schema.Struct({
  channel: Schema.String,
  data: Schema.Struct({
    orders: ExactSchema.optional(Schema.Array(Schemas.Order)),
    trades: ExactSchema.optional(Schema.Array(Schemas.UserTrade))
  })
}))

const gap: Notice = { _tag: "Gap" }

/**
 * Subscribes to the changes of a product's orders, on each epoch, and gives what
 * is told of them from now on.
 *
 * @see https://docs.deribit.com/subscriptions/user/userchangesinstrument_nameinterval (read 2026-11-26)
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  session: DeribitSession,
  product: string
): Effect.fn.Return<Queue.Dequeue<Notice>, never, Scope.Scope> {
  const name = `user.changes.${product}.raw`
  const notices = yield* Queue.unbounded<Notice>()
  const offer = (notice: Notice) => Effect.sync(() => void Queue.offerUnsafe(notices, notice))
  let wasLive = false

  yield* Effect.forkScoped(
    Effect.ignore(
      // What is shed is asked for.
      Stream.runForEach(session.notifications({ name, overflow: "drop-oldest" }), ({ params = null }) => {
        if (!ExactJson.isObject(params) || params["channel"] !== name) return Effect.void
        const told = read(params)
        if (Result.isFailure(told)) return offer(gap)
        const { orders, trades } = told.success.data
        return offer({ _tag: "Changes", orders: orders ?? [], trades: trades ?? [] })
      })
    ),
    { startImmediately: true }
  )
  yield* Effect.forkScoped(
    Stream.runForEach(session.state.changes, (state) => {
      if (state._tag === "Live") wasLive = true
      if (state._tag === "Failed") return offer({ _tag: "Over", error: state.error })
      return state._tag === "SigningIn" && wasLive ? offer(gap) : Effect.void
    }),
    { startImmediately: true }
  )
  yield* Effect.ignore(session.subscribe([Channel.make(name)]))
  return notices
})
