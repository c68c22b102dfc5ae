/**
 * Everything that a connection is told of how to behave over time, as one
 * value: how it dials, waits, gives up, trips, buffers, keeps alive and closes.
 *
 * Take one of the `Presets`, change what is to differ by `with`, or read one
 * from a file or the environment by `PolicyConfig`.
 *
 * **Example** (the preset `fast`, but waiting for its breaker)
 *
 * ```ts
 * const policy = ConnectionPolicy.with(Presets.fast, { circuit: { whenOpen: "wait", openDuration: "5 seconds" } })
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { AdaptivePolicy, CircuitPolicy, HeartbeatPolicy } from "./internal/policySchema.ts"
import { brokenOrder, Fields } from "./internal/policySchema.ts"
import * as PresetDefaults from "./internal/presetDefaults.ts"

/**
 * How a connection behaves over time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectionPolicy = Fields.check(Schema.makeFilter((policy) => {
  const order = brokenOrder(policy)
  return order === undefined
    ? undefined
    : { path: order.most, issue: `Expected at least ${Duration.toMillis(order.times(policy)[0])} ms` }
}))

/**
 * How a connection behaves over time. `circuit` can be given to
 * `CircuitBreaker.layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionPolicy extends Fields {}

// Members that may be left out, and times in any form that Effect reads.
type Change<A> = { readonly [Key in keyof A]?: Changed<A[Key]> | undefined }
type Changed<A> = A extends Duration.Duration ? Duration.Input : A

/**
 * What is to differ from a policy, part by part: what is left out stays as it
 * is, and a time may be written in any form that Effect reads. A part that the
 * policy has not comes on with the figures of `patient` (the breaker), those of
 * `recommended` (adaptation) or those that all presets share (the heartbeat);
 * `"none"` turns it off.
 *
 * @category models
 * @since 0.1.0
 */
export interface PolicyChange
  extends Change<Omit<ConnectionPolicy, "backoff" | "retry" | "circuit" | "buffer" | "inbound" | "heartbeat">>
{
  readonly backoff?:
    | Change<Omit<ConnectionPolicy["backoff"], "adaptive">> & {
      readonly adaptive?: "none" | Change<typeof AdaptivePolicy.Type> | undefined
    }
    | undefined
  readonly retry?: {
    readonly maxRetries?: ConnectionPolicy["retry"]["maxRetries"] | undefined
    readonly resetOn?: "connect" | "first-message" | { readonly stableFor: Duration.Input } | undefined
  } | undefined
  readonly circuit?:
    | "none"
    | (Change<Omit<typeof CircuitPolicy.Type, "window">> & { readonly window?: "none" | Duration.Input | undefined })
    | undefined
  readonly buffer?: Change<ConnectionPolicy["buffer"]> | undefined
  readonly inbound?: Change<ConnectionPolicy["inbound"]> | undefined
  readonly heartbeat?: "none" | Change<typeof HeartbeatPolicy.Type> | undefined
}

type Backoff = ConnectionPolicy["backoff"]
type Circuit = Exclude<ConnectionPolicy["circuit"], "none">

const timeOf = (input: Duration.Input | undefined, otherwise: Duration.Duration): Duration.Duration =>
  input === undefined ? otherwise : Duration.fromInputUnsafe(input)

const adaptiveOf = (
  { adaptive }: Backoff,
  change: NonNullable<PolicyChange["backoff"]>["adaptive"]
): Backoff["adaptive"] => {
  if (change === undefined) return adaptive
  if (change === "none") return undefined
  const { rapidFactor, rapidWindow, recoverFactor } = adaptive ?? PresetDefaults.adaptive
  return {
    rapidFactor: change.rapidFactor ?? rapidFactor,
    rapidWindow: timeOf(change.rapidWindow, rapidWindow),
    recoverFactor: change.recoverFactor ?? recoverFactor
  }
}

const backoffOf = (backoff: Backoff, change: PolicyChange["backoff"] = {}): Backoff => {
  const adaptive = adaptiveOf(backoff, change.adaptive)
  return {
    base: timeOf(change.base, backoff.base),
    factor: change.factor ?? backoff.factor,
    cap: timeOf(change.cap, backoff.cap),
    jitter: change.jitter ?? backoff.jitter,
    ...(adaptive === undefined ? {} : { adaptive })
  }
}

const retryOf = (
  { maxRetries, resetOn }: ConnectionPolicy["retry"],
  change: PolicyChange["retry"] = {}
): ConnectionPolicy["retry"] => ({
  maxRetries: change.maxRetries ?? maxRetries,
  resetOn: typeof change.resetOn === "object"
    ? { stableFor: Duration.fromInputUnsafe(change.resetOn.stableFor) }
    : change.resetOn ?? resetOn
})

const circuitOf = (
  circuit: ConnectionPolicy["circuit"],
  change: PolicyChange["circuit"]
): ConnectionPolicy["circuit"] => {
  if (change === undefined || change === "none") return change ?? circuit
  const start: Circuit = circuit === "none" ? PresetDefaults.circuit : circuit
  return {
    failureThreshold: change.failureThreshold ?? start.failureThreshold,
    window: change.window === undefined
      ? start.window
      : change.window === "none"
      ? undefined
      : Duration.fromInputUnsafe(change.window),
    openDuration: timeOf(change.openDuration, start.openDuration),
    openFactor: change.openFactor ?? start.openFactor,
    openCap: timeOf(change.openCap, start.openCap),
    halfOpen: change.halfOpen ?? start.halfOpen,
    countDisconnect: change.countDisconnect ?? start.countDisconnect,
    whenOpen: change.whenOpen ?? start.whenOpen
  }
}

const heartbeatOf = (
  heartbeat: ConnectionPolicy["heartbeat"],
  change: PolicyChange["heartbeat"]
): ConnectionPolicy["heartbeat"] => {
  if (change === undefined || change === "none") return change ?? heartbeat
  const start = heartbeat === "none" ? PresetDefaults.heartbeat : heartbeat
  return {
    interval: timeOf(change.interval, start.interval),
    timeout: timeOf(change.timeout, start.timeout),
    onMiss: change.onMiss ?? start.onMiss
  }
}

/**
 * The policy with the change, whose bounds are not looked at: for changes one
 * after the other, of which only the last result must be a policy. See `with`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge = (policy: ConnectionPolicy, change: PolicyChange): ConnectionPolicy => ({
  connectTimeout: timeOf(change.connectTimeout, policy.connectTimeout),
  acknowledgementTimeout: timeOf(change.acknowledgementTimeout, policy.acknowledgementTimeout),
  retryInitialConnect: change.retryInitialConnect ?? policy.retryInitialConnect,
  backoff: backoffOf(policy.backoff, change.backoff),
  retry: retryOf(policy.retry, change.retry),
  circuit: circuitOf(policy.circuit, change.circuit),
  buffer: {
    messages: change.buffer?.messages ?? policy.buffer.messages,
    bytes: change.buffer?.bytes ?? policy.buffer.bytes
  },
  inbound: {
    bytes: change.inbound?.bytes ?? policy.inbound.bytes,
    maxMessageBytes: change.inbound?.maxMessageBytes ?? policy.inbound.maxMessageBytes
  },
  heartbeat: heartbeatOf(policy.heartbeat, change.heartbeat),
  closeTimeout: timeOf(change.closeTimeout, policy.closeTimeout),
  forcedTimeout: timeOf(change.forcedTimeout, policy.forcedTimeout)
})

const decode = Schema.decodeSync(ConnectionPolicy)

const changed = (policy: ConnectionPolicy, change: PolicyChange): ConnectionPolicy => decode(merge(policy, change))

/**
 * The policy with what is to differ, part by part. What is out of its bounds,
 * such as a cap below the base, throws, as the constructors of schemas do.
 *
 * @category combinators
 * @since 0.1.0
 */
export { changed as with }
