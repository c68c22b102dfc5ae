/**
 * The parts that a supervised connection is made of, and share.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import type * as KeepAlive from "../../protocol/KeepAlive.ts"
import type * as Breaker from "../../resilience/Breaker.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import type { InvalidLimit, RollingLimit } from "../../resilience/RollingLimit.ts"
import type { DialError } from "../../transport/DialError.ts"
import type { Capabilities, Transport, Wire } from "../../transport/Transport.ts"
import type { BearerToken } from "../BearerToken.ts"
import type { SubscriptionRefused } from "../ConnectError.ts"
import type { Transition } from "../ConnectionState.ts"
import type * as Opening from "../Opening.ts"
import type * as FrameReader from "./frameReader.ts"
import type { Outbox } from "./outbox.ts"
import type * as SequenceGaps from "./sequenceGaps.ts"
import type { StateTracker } from "./stateTracker.ts"
import type { Subscriptions } from "./subscriptions.ts"
import type { Headers } from "./tokenRefresh.ts"

/**
 * The parts that a supervisor works with, and how it dials.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> extends FrameReader.Options<A> {
  readonly url: string
  readonly label: string
  readonly leg: number | undefined
  readonly outbox: Outbox
  readonly subscriptions: Subscriptions<A>
  /** What was refused and is still to be logged. */
  readonly refusals: Array<SubscriptionRefused>
  readonly breaker: Breaker.Breaker
  readonly auth: BearerToken | undefined
  readonly keepAlive: KeepAlive.KeepAlive<A>
  /** What is said on a new epoch before it is up. */
  readonly opening: Opening.Steps | undefined
  readonly correlator: Correlator
  readonly sequence: SequenceGaps.SequenceOf<A> | undefined
  /** Called with each transition, once it is on its way to the consumers. */
  readonly onMoved: (transition: Transition) => void
  /** The limit on dials. */
  readonly dials: RollingLimit
  /** Why nothing is dialled at all: a limit that nothing could keep. */
  readonly invalid: InvalidLimit | undefined
  /** Whether a dial shows something that the venue can refuse. */
  readonly showsToken: boolean
  /** The dial, given the headers that the token adds, and which attempt it is. */
  readonly dial: (
    headers: Headers,
    asked: { readonly attempt: number; readonly delayMillis: number }
  ) => Effect.Effect<Wire, DialError, Scope.Scope>
}

/**
 * What the parts of a connection share.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts<A> {
  readonly options: Options<A>
  readonly policy: ConnectionPolicy
  readonly capabilities: Capabilities
  readonly states: StateTracker<A>
  /** Present if what is dialled is a recording. */
  readonly replay: Transport["Service"]["replay"]
}
