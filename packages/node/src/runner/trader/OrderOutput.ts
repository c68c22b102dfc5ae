/**
 * What a trader says of its orders on stdout, as `tickline order` does: each event
 * once, in the order in which it became known, however slowly stdout is read.
 *
 * @since 0.1.0
 */
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { OutputClosed, Sink } from "../Host.ts"
import * as OrderLines from "../OrderLines.ts"
import { type Format, jsonLine } from "../Output.ts"
import { paint as makePaint } from "../Style.ts"

/**
 * The output.
 *
 * - `say`: at once; never waits
 * - `seen`: how many events there were, by their tag
 * - `failed`: fails where stdout cannot be written
 * - `end`: completes when all that was said has been written
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderOutput {
  readonly say: (event: OrderEvent.OrderEvent) => void
  readonly seen: ReadonlyMap<OrderEvent.OrderEvent["_tag"], number>
  readonly failed: Effect.Effect<never, OutputClosed>
  readonly end: Effect.Effect<void>
}

/**
 * Makes the output. With `isSilent` it only counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { format, isSilent, stdout }: { readonly stdout: Sink; readonly format: Format; readonly isSilent: () => boolean }
): Effect.fn.Return<OrderOutput, never, Scope.Scope> {
  const queue = yield* Queue.unbounded<string, Cause.Done>()
  const paint = makePaint(stdout.hasColor)
  const seen = new Map<OrderEvent.OrderEvent["_tag"], number>()
  const lineOf = (event: OrderEvent.OrderEvent): string =>
    format === "ndjson" ? jsonLine(OrderEvent.toJson(event), stdout) : `${OrderLines.line(paint, event)}\n`
  const writer = yield* Stream.fromQueue(queue).pipe(
    Stream.runForEachArray((lines) => stdout.write(lines.join(""))),
    Effect.forkScoped({ startImmediately: true })
  )
  return {
    say: (event) => {
      seen.set(event._tag, (seen.get(event._tag) ?? 0) + 1)
      if (!isSilent()) Queue.offerUnsafe(queue, lineOf(event))
    },
    seen,
    failed: Effect.andThen(Fiber.join(writer), Effect.never),
    end: Effect.andThen(Queue.end(queue), Effect.asVoid(Fiber.await(writer)))
  }
})
