/**
 * Answers to requests that are not under way (any more): each is counted, and
 * told to whoever reads them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import * as SlidingPubSub from "../../value/internal/slidingPubSub.ts"
import type { Connection } from "../Connection.ts"
import type { RequestMetrics } from "./requestMetrics.ts"

// How many a reader may be behind.
const mostUnread = 64

/**
 * The late answers of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class LateAnswers<A> {
  private readonly transitions: Connection<A>["state"]["transitions"]
  private readonly correlator: Correlator
  private readonly metrics: RequestMetrics
  private readonly scope: Scope.Scope
  // Made for the first who reads it.
  private told: PubSub.PubSub<A> | undefined
  private isClosed = false

  constructor(
    { state }: Connection<A>,
    correlator: Correlator,
    metrics: RequestMetrics,
    scope: Scope.Scope
  ) {
    this.transitions = state.transitions
    this.correlator = correlator
    this.metrics = metrics
    this.scope = scope
  }

  /** An answer came with an id that no request waits for. That to a subscription or a heartbeat is not late. */
  receive(id: string, answer: A): void {
    const kind = this.correlator.kindOf(id)
    if (kind !== undefined && kind !== "request") return
    this.metrics.unmatched()
    if (this.told !== undefined) SlidingPubSub.publishUnsafe(this.told, answer)
  }

  /** Those that come from now on; a reader more than 64 behind loses the oldest. */
  get stream(): Stream.Stream<A> {
    return Stream.unwrap(
      Effect.suspend(() =>
        this.isClosed ? Effect.succeed(Stream.empty) : Effect.map(this.open, (told) => Stream.fromPubSub(told))
      )
    )
  }

  /** From now on nobody is told of any: the streams end with the scope, and new ones at once. */
  close(): void {
    this.isClosed = true
  }

  private get open(): Effect.Effect<PubSub.PubSub<A>> {
    return Effect.gen({ self: this }, function*() {
      if (this.told !== undefined) return this.told
      const told = this.told = yield* PubSub.sliding<A>(mostUnread)
      // The transitions go on through closes, and end with the connection's scope.
      yield* Stream.runDrain(this.transitions).pipe(
        Effect.ensuring(PubSub.shutdown(told)),
        Effect.forkIn(this.scope, { startImmediately: true })
      )
      return told
    })
  }
}
