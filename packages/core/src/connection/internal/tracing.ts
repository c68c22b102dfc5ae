/**
 * Spans for whoever collects them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/**
 * The effect within a span, if a tracer of this fiber collects it: one that
 * nobody sees need not be made.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  self: Effect.Effect<A, E, R>,
  name: string,
  options: () => Tracer.SpanOptionsNoTrace
): Effect.Effect<A, E, R> =>
  fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer
    ? self
    : Effect.withSpan(name, options(), { captureStackTrace: false })(self)
