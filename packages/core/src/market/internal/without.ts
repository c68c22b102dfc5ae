/**
 * A batch without what is there already.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type { Batch } from "../../connection/Observer.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"

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
