/**
 * How a trader is, and what changes that.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"

/**
 * How a trader is.
 *
 * - `Recovering`: it finds out what was open before it began, and what its accounts
 *   have; signals are refused
 * - `Trading`
 * - `Halted`: nothing is placed until it is cleared, also after a restart
 * - `Ended`: its inputs have ended, or failed
 *
 * @category models
 * @since 0.1.0
 */
export type State =
  | { readonly _tag: "Recovering" }
  | { readonly _tag: "Trading" }
  | { readonly _tag: "Halted"; readonly reason: string }
  | { readonly _tag: "Ended"; readonly reason: string | undefined }

/**
 * How a trader is, and what changes it. `halt` says whether it was not halted before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Phase {
  readonly current: Effect.Effect<State>
  readonly changes: Stream.Stream<State>
  readonly isTrading: Effect.Effect<boolean>
  readonly isHalted: () => boolean
  readonly recovered: Effect.Effect<void>
  readonly ended: (reason: string | undefined) => Effect.Effect<void>
  readonly halt: (reason: string) => Effect.Effect<boolean>
  readonly clear: Effect.Effect<void>
}

/**
 * Makes it: a trader that recovers, and is halted if it was before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  before: string | undefined,
  onMove: (tag: State["_tag"]) => void
): Effect.fn.Return<Phase> {
  let halt = before
  let isRecovered = false
  let ended: Extract<State, { readonly _tag: "Ended" }> | undefined
  const state = (): State =>
    halt !== undefined ? { _tag: "Halted", reason: halt } : ended ?? { _tag: isRecovered ? "Trading" : "Recovering" }
  const ref = yield* SubscriptionRef.make(state())
  const move = <A>(change: () => A): Effect.Effect<A> =>
    Effect.suspend(() => {
      const changed = change()
      const now = state()
      onMove(now._tag)
      return Effect.as(SubscriptionRef.set(ref, now), changed)
    })
  yield* move(() => undefined)
  return {
    current: SubscriptionRef.get(ref),
    changes: SubscriptionRef.changes(ref),
    isTrading: Effect.map(SubscriptionRef.get(ref), ({ _tag }) => _tag === "Trading"),
    isHalted: () => halt !== undefined,
    recovered: move(() => {
      isRecovered = true
    }),
    ended: (reason) =>
      move(() => {
        ended = { _tag: "Ended", reason }
      }),
    halt: (reason) =>
      move(() => {
        const isFirst = halt === undefined
        halt ??= reason
        return isFirst
      }),
    clear: move(() => {
      halt = undefined
    })
  }
})
