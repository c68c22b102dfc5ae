/**
 * Several sessions behind one: a call goes to the one that does best, and to
 * another, within three tries, where nothing of it was written. What was written
 * is never sent again: a call whose outcome is unknown ends with that.
 *
 * Subscriptions are spread over the members, within the number of channels that
 * a connection of the venue may have, and move where a member has failed for
 * good.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type ConnectionClosed, NotSent } from "../connection/ConnectError.ts"
import * as Channel from "../value/Channel.ts"
import * as Monotonic from "../value/Monotonic.ts"
import { MemberHealth } from "./internal/memberHealth.ts"
import type { CallError, JsonRpc } from "./JsonRpc.ts"
import type { Session } from "./Session.ts"

/**
 * What a pool asks of a member; a `Session` and a `Supervision.Supervised` have it.
 *
 * @category models
 * @since 0.1.0
 */
export type Member = Pick<Session, "call" | "notifications" | "state" | "subscribe" | "unsubscribe">

/**
 * How a pool is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The members, asked for at each call and each change of the subscriptions: they may come and go. */
  readonly discover: Effect.Effect<ReadonlyArray<Member>>
  /** To how many members a call is offered at most. Default: 3. */
  readonly tries?: number | undefined
  /** How many channels a member may have. Default: any number. */
  readonly channelsPerMember?: number | undefined
}

/**
 * No member has room for the channels.
 *
 * @category errors
 * @since 0.1.0
 */
export class PoolFull extends Schema.TaggedError<PoolFull>()("PoolFull", {
  members: Schema.Finite,
  channelsPerMember: Schema.Finite
}) {
  override get message(): string {
    return `each of ${this.members} members has its ${this.channelsPerMember} channels`
  }
}

/**
 * How a member does: whether it is live, its health from 10 to 100 and what that
 * is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Health {
  readonly isLive: boolean
  readonly health: number
  readonly pending: number
  readonly p99Millis: number
  readonly errors: number
  readonly channels: number
}

/**
 * A pool.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pool {
  /** Calls a method on the healthiest member that is live, those that are equal in turn. */
  readonly call: JsonRpc["call"]
  /** Subscribes on the members that have the fewest channels. */
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, PoolFull | ConnectionClosed>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
  /** Those of the members that there are when it is begun. */
  readonly notifications: JsonRpc["notifications"]
  /** How the members do, in the order of their discovery. */
  readonly health: Effect.Effect<ReadonlyArray<Health>>
}

// What is known of a member.
interface Standing {
  readonly health: MemberHealth
  readonly channels: Map<string, Channel.Channel>
}

interface Candidate extends Pick<Standing, "health"> {
  readonly member: Member
}

// Nothing of the call reached the wire, and its time is not up: another member may have it.
const isUnsent = (error: CallError): boolean =>
  (error._tag === "NotSent" && error.reason !== "TimedOut") || error._tag === "OutboxFull" ||
  error._tag === "RateLimited"

/**
 * Makes a pool. It ends with its scope, and leaves its members to whoever made
 * them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Pool, never, Scope.Scope> {
  const { channelsPerMember = Infinity, discover, tries = 3 } = options
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const now = (): number => Monotonic.nowMillis(clock)
  const standings = new Map<Member, Standing>()
  // Which of equals is next.
  let turn = 0

  const isLive = (member: Member): Effect.Effect<boolean> =>
    Effect.map(member.state.current, ({ _tag }) => _tag === "Live")

  // Moves what a member had that has failed for good.
  const watch = (member: Member, { channels }: Standing): Effect.Effect<void> =>
    Stream.runForEach(member.state.changes, ({ _tag }) =>
      Effect.suspend(() => {
        if (_tag !== "Failed" || channels.size === 0) return Effect.void
        const lost = [...channels.values()]
        channels.clear()
        return Effect.andThen(member.unsubscribe(lost), Effect.ignore(subscribe(lost, member)))
      }))

  const members: Effect.Effect<ReadonlyArray<readonly [Member, Standing]>> = Effect.gen(function*() {
    const found = yield* discover
    for (const known of standings.keys()) if (!found.includes(known)) standings.delete(known)
    for (const member of found) {
      if (standings.has(member)) continue
      const standing: Standing = { health: new MemberHealth(), channels: new Map() }
      standings.set(member, standing)
      yield* Effect.forkIn(watch(member, standing), scope)
    }
    return [...standings]
  })

  // The healthiest first, equals from the one whose turn it is.
  const candidates = Effect.gen(function*() {
    const all = yield* members
    const live = yield* Effect.filter(all, ([member]) => isLive(member))
    const at = now()
    const from = turn++ % Math.max(1, live.length)
    return [...live.slice(from), ...live.slice(0, from)]
      .map(([member, { health }]) => ({ member, health, value: health.at(at) }))
      .toSorted((a, b) => b.value - a.value)
      .slice(0, tries)
  })

  const callOn = <A>(health: MemberHealth, call: Effect.Effect<A, CallError>): Effect.Effect<A, CallError> =>
    Effect.suspend(() => {
      const begun = now()
      health.pending++
      return call.pipe(
        Effect.tap(() => Effect.sync(() => health.answered(now() - begun))),
        Effect.tapError((error) =>
          Effect.sync(() => {
            // An error of the peer's is an answer.
            if (error._tag === "RpcError") health.answered(now() - begun)
            else if (error._tag !== "InvalidParams") health.failed(now())
          })
        ),
        Effect.ensuring(Effect.sync(() => void health.pending--))
      )
    })

  const callFirst = <Result>(
    [first, ...others]: ReadonlyArray<Candidate>,
    call: (member: Member) => Effect.Effect<Result, CallError>
  ): Effect.Effect<Result, CallError> =>
    first === undefined
      ? Effect.fail(new NotSent({ reason: "NotConnected" }))
      : Effect.catchIf(
        callOn(first.health, call(first.member)),
        (error) => others.length > 0 && isUnsent(error),
        () => callFirst(others, call)
      )

  const call: Pool["call"] = (method, params, how) =>
    Effect.flatMap(candidates, (offered) => callFirst(offered, (member) => member.call(method, params, how)))

  const subscribe = (
    channels: ReadonlyArray<Channel.Channel>,
    except?: Member | undefined
  ): Effect.Effect<void, PoolFull | ConnectionClosed> =>
    Effect.gen(function*() {
      const all = (yield* members).filter(([member]) => member !== except)
      const given = new Map<Member, Array<Channel.Channel>>()
      for (const channel of channels) {
        const key = Channel.key(channel)
        if (all.some(([, standing]) => standing.channels.has(key))) continue
        const [fewest] = all.toSorted(([, a], [, b]) => a.channels.size - b.channels.size)
        if (fewest === undefined || fewest[1].channels.size >= channelsPerMember) {
          return yield* new PoolFull({ members: all.length, channelsPerMember })
        }
        const [member, standing] = fewest
        standing.channels.set(key, channel)
        given.set(member, [...given.get(member) ?? [], channel])
      }
      yield* Effect.forEach(given, ([member, some]) => member.subscribe(some), { discard: true })
    })

  return {
    call,
    subscribe: (channels) => subscribe(channels),
    unsubscribe: (channels) =>
      Effect.flatMap(members, (all) =>
        Effect.forEach(all, ([member, standing]) => {
          const some = channels.filter((channel) => standing.channels.delete(Channel.key(channel)))
          return some.length === 0 ? Effect.void : member.unsubscribe(some)
        }, { discard: true })),
    notifications: (how) =>
      Stream.unwrap(
        Effect.map(members, (all) =>
          Stream.mergeAll(
            all.map(([member]) => member.notifications(how)),
            { concurrency: "unbounded" }
          ))
      ),
    health: Effect.flatMap(
      members,
      (all) =>
        Effect.forEach(all, ([member, { channels, health }]) =>
          Effect.map(isLive(member), (live) => ({
            isLive: live,
            health: health.at(now()),
            pending: health.pending,
            p99Millis: health.p99,
            errors: health.errorsAt(now()),
            channels: channels.size
          })))
    )
  }
})
