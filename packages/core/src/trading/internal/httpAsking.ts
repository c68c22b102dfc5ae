/**
 * What asking an exchange over HTTP has in common, whatever it is asked for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../codec/ExactJson.ts"
import type { HttpReason } from "../../transport/HttpError.ts"
import * as SlidingPubSub from "../../value/internal/slidingPubSub.ts"
import type { Exchange, Health } from "../Exchange.ts"

/**
 * What reads an answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Reader<A> = Schema.Codec<A, unknown>

/**
 * Reads a body of JSON, or says what is wrong with it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = <A>(schema: Reader<A>, body: string): Result.Result<A, string> => {
  const json = ExactJson.parse(body)
  return json instanceof ExactJson.Malformed
    ? Result.fail(json.message)
    : Result.mapError(SchemaParser.decodeUnknownResult(schema)(json), (issue) => String(issue))
}

/**
 * After these nobody has seen anything of a request.
 *
 * @category constants
 * @since 0.1.0
 */
export const hasSeenNothing: ReadonlySet<HttpReason["_tag"]> = new Set([
  "BadHeader",
  "BadUrl",
  "NotResolved",
  "Refused",
  "TlsFailed"
])

/**
 * How soon it is asked again, in milliseconds: after no connection, and after an
 * answer that asks for patience without saying how much.
 *
 * @category constants
 * @since 0.1.0
 */
export const pauseMillis = { unreachable: 100, busy: 500 }

/** How many moves a reader may be behind. */
const mostMoves = 1_024

/**
 * How an exchange can be reached, by what became of what it was asked last.
 *
 * @category models
 * @since 0.1.0
 */
export class Reach {
  private readonly moves: PubSub.PubSub<Health>
  private state: Health = { _tag: "Idle" }

  private constructor(moves: PubSub.PubSub<Health>) {
    this.moves = moves
  }

  static readonly make: Effect.Effect<Reach> = Effect.map(
    PubSub.sliding<Health>(mostMoves),
    (moves) => new Reach(moves)
  )

  move(state: Health): void {
    const isSame = state._tag === this.state._tag
    this.state = state
    if (!isSame) SlidingPubSub.publishUnsafe(this.moves, state)
  }

  get health(): Exchange["Service"]["health"] {
    return {
      current: Effect.sync(() => this.state),
      changes: Stream.unwrap(
        Effect.map(
          PubSub.subscribe(this.moves),
          (subscription) => Stream.concat(Stream.make(this.state), Stream.fromSubscription(subscription))
        )
      )
    }
  }
}
