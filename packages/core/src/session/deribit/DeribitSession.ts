/**
 * A session at Deribit: signed in, restored and reconciled on each epoch, within
 * the account's credits.
 *
 * It signs in by a signature, which shows no secret on the wire, with the
 * venue's time; renews its tokens; asks for the account's own limits right after
 * its first sign-in, and keeps the count over reconnects. A call waits for its
 * credits: the venue ends the session of who has none, and cancels its orders
 * where that was asked for. A tenth is kept for answers to heartbeats and for
 * cancels.
 *
 * @see https://docs.deribit.com/articles/authentication (read 2026-08-22)
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { AuthError, type RestoreFailed } from "../../connection/ConnectError.ts"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import * as Address from "../../transport/Address.ts"
import { Transport } from "../../transport/Transport.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import { venue } from "../../venue/deribit/Venue.ts"
import * as ClockOffset from "../ClockOffset.ts"
import type { CallError, CallOptions } from "../JsonRpc.ts"
import * as Session from "../Session.ts"
import * as Signer from "../Signer.ts"
import type { Calls, Grant, SignIn } from "../SignIn.ts"
import * as Authentication from "./Authentication.ts"
import * as Credits from "./Credits.ts"
import * as Counted from "./internal/countedMessages.ts"
import { CreditGate } from "./internal/creditGate.ts"
import { CreditMetrics } from "./internal/creditMetrics.ts"
import * as ErrorCodes from "./internal/errorCodes.ts"
import { CreditLedger } from "./internal/sharedCredits.ts"
import * as Method from "./Method.ts"
import * as Methods from "./Methods.ts"
import { AccountSummary, type Authenticated } from "./Schemas.ts"

/**
 * Who signs in, and what the session does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<Session.Options, "dialect" | "keepAlive" | "peer" | "reconcile" | "signIn"> {
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
  /** Where; default: the venue's own endpoint. */
  readonly url?: string | undefined
  /** How it signs in. Default: by a signature, which shows no secret and needs the venue's time. */
  readonly by?: "signature" | "secret" | undefined
  /** Whether the orders of this connection are cancelled when it drops. Default: they rest. */
  readonly cancelOnDisconnect?: boolean | undefined
  /** Whether it asks for the account's own limits. Default: it does; a session of one command may do without. */
  readonly learnsLimits?: boolean | undefined
  /** The currency whose account says the limits. Default: BTC. */
  readonly currency?: string | undefined
  /** Learns how things stand, such as open orders, before the session is live. Default: nothing. */
  readonly reconcile?: ((calls: DeribitCalls) => Effect.Effect<void, CallError | RestoreFailed>) | undefined
}

/**
 * Calls of Deribit's methods, within the credits.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeribitCalls {
  readonly call: <Params, Result>(
    method: Method.Method<Params, Result>,
    params: Params | (() => Params),
    options?: CallOptions | undefined
  ) => Effect.Effect<Result, CallError>
}

/**
 * A session at Deribit.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeribitSession extends Omit<Session.Session, "call">, DeribitCalls {
  /** The venue's clock, as far as its answers show it. */
  readonly clock: ClockOffset.ClockOffset
  /** What is left of each pool, in calls. */
  readonly credits: Effect.Effect<Credits.Credits["left"]>
}

/** Nothing else is read of the account's summary, so that nothing else can be missing. */
const limitsOfAccount = Method.make("private/get_account_summary", {
  kind: "query",
  params: Methods.account.getAccountSummary.params,
  result: Schema.Struct({ limits: AccountSummary.fields.limits })
})

/** How often the time is asked for at a sign-in: the least round trip of a few says most. */
const timeRequests = 3

/**
 * Makes a session, which is not connected yet. It ends with its scope. A secret
 * that cannot be a key is a `SigningKeyError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<
  DeribitSession,
  Signer.SigningKeyError,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> {
  const {
    by = "signature",
    cancelOnDisconnect = false,
    clientId,
    clientSecret,
    currency = "BTC",
    learnsLimits = true,
    reconcile,
    url = venue.endpoint ?? "",
    ...ofConnection
  } = options
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const signer = yield* Effect.fromResult(Signer.hmacSha256(clientSecret))
  const label = options.label ?? venue.name
  const offset = yield* ClockOffset.make(label)
  const metrics = new CreditMetrics(label, yield* Effect.context())
  const now = (): number => Monotonic.nowMillis(clock)
  const { network } = yield* Transport
  const ledger = yield* CreditLedger
  const gate = new CreditGate(
    now,
    metrics,
    yield* ledger.share(Address.origin(url), network),
    // The same account, by whichever address.
    yield* ledger.share(`${venue.name} ${clientId}`, network)
  )
  yield* metrics.show(() => gate.left)
  let knowsLimits = !learnsLimits

  // What waits for credits waits within its own deadline, and within its epoch.
  const within = (calls: Calls): DeribitCalls => ({
    call: (method, params, how = {}) =>
      Effect.suspend(() => {
        const begun = now()
        const timeout = Duration.toMillis(how.timeout ?? method.timeout ?? "30 seconds")
        const deadline = Math.min(timeout, Duration.toMillis(how.deadline ?? method.deadline ?? timeout))
        const asking = { pool: method.pool, priority: how.priority ?? method.priority, until: begun + deadline }
        return Effect.flatMap(gate.pass(asking), (passed) => {
          const waited = now() - begun
          return calls.call(method, params, {
            ...how,
            timeout: Math.max(0, timeout - waited),
            deadline: Math.max(0, deadline - waited),
            onWrite: (id) => {
              passed.written(id)
              how.onWrite?.(id)
            }
          }).pipe(
            Effect.tapError((error) =>
              Effect.sync(() => {
                if (error._tag === "RpcError" && error.code === ErrorCodes.tooManyRequests) gate.exhausted(method.pool)
              })
            ),
            Effect.ensuring(Effect.sync(passed.done))
          )
        })
      })
  })

  const refused = <A>(effect: Effect.Effect<A, CallError>): Effect.Effect<A, AuthError | CallError> =>
    Effect.catchTag(
      effect,
      "RpcError",
      (error): Effect.Effect<never, AuthError | CallError> =>
        Effect.fail(ErrorCodes.temporary.has(error.code) ? error : new AuthError({ detail: error.reason }))
    )

  const grantOf = ({ expires_in, refresh_token }: Authenticated): Grant => ({
    expiresIn: expires_in * 1_000,
    renew: (calls) =>
      Effect.map(
        refused(within(calls).call(Methods.connection.auth, Authentication.refresh(refresh_token))),
        grantOf
      )
  })

  // What a venue does not say it can do without: a key may be for trading alone, and its clock be ours.
  const ifSaid = <A>(effect: Effect.Effect<A, CallError>): Effect.Effect<A | void, CallError> =>
    Effect.catch(
      effect,
      (error) =>
        error._tag === "UnreadableResult" || error._tag === "RpcError" && !ErrorCodes.temporary.has(error.code)
          ? Effect.logWarning(error.message)
          : Effect.fail(error)
    )

  const learnLimits = (call: DeribitCalls["call"]) =>
    ifSaid(Effect.map(call(limitsOfAccount, { currency, extended: true }), (summary) => {
      gate.learn(Credits.limitsOf(summary))
      knowsLimits = true
    }))

  const nonce = (): string => random.nextIntUnsafe().toString(36)

  const signIn: SignIn = (calls) =>
    Effect.gen(function*() {
      const { call } = within(calls)
      if (by === "signature") {
        const time = Effect.map(call(Methods.connection.getTime, {}), Timestamp.epochMillis)
        for (let n = 0; n < timeRequests; n++) yield* ifSaid(offset.measure(time))
      }
      const authenticated = yield* refused(call(
        Methods.connection.auth,
        by === "secret"
          ? Authentication.credentials({ clientId, clientSecret })
          : () =>
            Authentication.signature(signer, {
              clientId,
              nonce: nonce(),
              timestamp: Timestamp.fromEpochMillis(Math.round(offset.venueMillis()))
            })
      ))
      gate.signedIn()
      if (!knowsLimits) yield* learnLimits(call)
      if (cancelOnDisconnect) yield* call(Methods.connection.enableCancelOnDisconnect, { scope: "connection" })
      return grantOf(authenticated)
    })

  const session = yield* Session.make(url, {
    ...ofConnection,
    label,
    peer: venue.name,
    dialect: Counted.dialect(gate),
    keepAlive: Counted.keepAlive(gate),
    observers: [...ofConnection.observers ?? [], Counted.observer(gate)],
    // What calls may cost is the account's matter: its credits.
    limits: ofConnection.limits ?? venue.limits.filter(({ of }) => of !== "messages"),
    signIn,
    reconcile: reconcile === undefined ? undefined : (calls) => reconcile(within(calls))
  })
  return {
    ...session,
    call: within(session).call,
    clock: offset,
    credits: Effect.sync(() => gate.left)
  }
})
