/**
 * The parts of a policy and their bounds.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

// The bounds. A description is what a configuration that does not keep one is told to have expected.
const Positive = Schema.Duration.check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.isPositive(duration), {
    expected: "a duration greater than zero"
  })
)

const atLeast = (least: number) =>
  Schema.Finite.check(Schema.isGreaterThanOrEqualTo(least)).annotate({ description: `a number of at least ${least}` })

const whole = (least: number) =>
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(least)).annotate({
    description: `a whole number of at least ${least}`
  })

const Factor = atLeast(1)

const Count = whole(1)

const Share = Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).annotate({
  description: "a number greater than 0 and at most 1"
})

/**
 * How a backoff adapts to what fails and how.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AdaptivePolicy = Schema.Struct({
  rapidFactor: atLeast(1.8),
  rapidWindow: Positive,
  recoverFactor: Share
})

/**
 * The backoff: delay n is `min(base × factor^(n - 1), cap)` before jitter.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BackoffPolicy = Schema.Struct({
  base: Positive,
  factor: Factor,
  cap: Positive,
  jitter: Schema.Literals(["none", "full", "equal"]),
  adaptive: Schema.optionalKey(AdaptivePolicy)
})

/**
 * How often to try again, and what ends an outage.
 *
 * - `maxRetries`: attempts after the first failure of an outage; 0 is none. A
 *   rejection by an open breaker uses up no retry
 * - `resetOn`: what counts as success: the connect (subscriptions restored),
 *   the first message, or so long a life
 *
 * @category schemas
 * @since 0.1.0
 */
export const RetryPolicy = Schema.Struct({
  maxRetries: Schema.Union([whole(0), Schema.Literal("unlimited")]),
  resetOn: Schema.Union([Schema.Literals(["connect", "first-message"]), Schema.Struct({ stableFor: Positive })])
})

/**
 * The breaker (see `Circuit.Policy`), whether the drop of a connection
 * that had proven itself counts as a failure, and whether an attempt that meets
 * an open breaker fails or waits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CircuitPolicy = Schema.Struct({
  failureThreshold: Count,
  window: Schema.UndefinedOr(Positive),
  openDuration: Positive,
  openFactor: Factor,
  openCap: Positive,
  halfOpen: Schema.Union([Schema.Literal("skip"), Schema.Struct({ successThreshold: Count })]),
  countDisconnect: Schema.Boolean,
  whenOpen: Schema.Literals(["fail", "wait"])
})

/**
 * Pings: one every `interval` while open; a pong later than `timeout` closes
 * the connection as half open, or is only reported.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HeartbeatPolicy = Schema.Struct({
  interval: Positive,
  timeout: Positive,
  onMiss: Schema.Literals(["close", "report"])
})

/**
 * A policy, its order of times not looked at.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fields = Schema.Struct({
  /** For one dial, handshake included. */
  connectTimeout: Positive,
  /** By when the peer is to answer a subscription; data of the channel is an answer, too. */
  acknowledgementTimeout: Positive,
  /** Whether the very first dial is retried like any other. */
  retryInitialConnect: Schema.Boolean,
  backoff: BackoffPolicy,
  retry: RetryPolicy,
  circuit: Schema.Union([Schema.Literal("none"), CircuitPolicy]),
  /** Messages waiting to be written. */
  buffer: Schema.Struct({ messages: Count, bytes: Count }),
  /** Bytes received and not yet read before the socket pauses; a larger message than `maxMessageBytes` closes 1009. */
  inbound: Schema.Struct({ bytes: Count, maxMessageBytes: Count }),
  heartbeat: Schema.Union([Schema.Literal("none"), HeartbeatPolicy]),
  /** For the closing handshake of a graceful close. */
  closeTimeout: Positive,
  /** The most a forced close may take. Over a WebSocket it waits for nothing, so it takes no time. */
  forcedTimeout: Positive
})

/**
 * A policy, its order of times not looked at.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = typeof Fields.Type

/**
 * Two times of a policy of which the first may not be longer than the second.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly least: readonly [part: string, member: string]
  readonly most: readonly [part: string, member: string]
  readonly times: (policy: Fields) => readonly [least: Duration.Duration, most: Duration.Duration]
}

const orders: ReadonlyArray<Order> = [
  {
    least: ["backoff", "base"],
    most: ["backoff", "cap"],
    times: ({ backoff }) => [backoff.base, backoff.cap]
  },
  {
    least: ["circuit", "openDuration"],
    most: ["circuit", "openCap"],
    times: ({ circuit }) =>
      circuit === "none" ? [Duration.zero, Duration.zero] : [circuit.openDuration, circuit.openCap]
  }
]

/**
 * The first of the orders that a policy does not keep: no delay, and no open time,
 * is longer than the longest.
 *
 * @category getters
 * @since 0.1.0
 */
export const brokenOrder = (policy: Fields): Order | undefined =>
  orders.find(({ times }) => {
    const [least, most] = times(policy)
    return Duration.isGreaterThan(least, most)
  })
