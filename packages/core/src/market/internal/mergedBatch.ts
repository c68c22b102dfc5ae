/**
 * A batch without what is there already, or behind what was held back.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type { Batch } from "../../connection/Observer.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Held } from "./legMerge.ts"

/**
 * The batch without some of its messages, by their places; nothing if none is
 * left. Its frames are as they were.
 *
 * @category combinators
 * @since 0.1.0
 */
export const without = (
  batch: Batch<MarketEvent>,
  passed: ReadonlySet<number>
): Batch<MarketEvent> | undefined => {
  const isLeft = (_: unknown, index: number): boolean => !passed.has(index)
  const messages = batch.messages.filter(isLeft)
  if (!Arr.isReadonlyArrayNonEmpty(messages)) return undefined
  const starts = batch.starts.map((start) => {
    let left = start
    for (const index of passed) if (index < start) left--
    return left
  })
  return { ...batch, messages, channels: batch.channels?.filter(isLeft), starts }
}

/**
 * What is left of a batch, behind what was held back: that is of its first frame.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (
  due: Arr.NonEmptyReadonlyArray<Held>,
  batch: Batch<MarketEvent>,
  left: Batch<MarketEvent> | undefined
): Batch<MarketEvent> => {
  const starts = left?.starts ?? batch.starts.map(() => 0)
  return {
    ...batch,
    messages: Arr.appendAll(Arr.map(due, ({ event }): MarketEvent => event), left?.messages ?? []),
    channels: [...due.map(({ of }) => of), ...left?.channels ?? []],
    starts: starts.map((start, frame) => frame === 0 ? 0 : start + due.length)
  }
}
