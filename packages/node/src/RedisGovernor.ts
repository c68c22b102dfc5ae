/**
 * A governor over Redis: the limits of an address, kept by several processes
 * together, at most so much in every rolling window of all of them.
 *
 * Whether Redis admits is one question, judged by all windows of an address in
 * one step and by Redis' own clock: one round trip for each message or dial that
 * is limited, none for others. An admission can be spent for 250 ms from its
 * question on, and counts from the end of that time: the windows hold whatever
 * the delays, and a limit of n in t is one of n in t and 250 ms where every
 * admission is spent at once.
 *
 * While Redis does not answer, nothing that is limited is sent; or each process
 * keeps the limits by itself, as without Redis (`fails: "open"`). A Redis that
 * was restarted may not know what was spent before, persisted or not: until a
 * window has passed its limit counts as spent. So it is at the first start of
 * all, too.
 *
 * A module of its own, which the package's entry point leaves out: who shares
 * nothing loads no client.
 *
 * **Example** (processes that dial from one address)
 *
 * ```ts
 * import * as RedisGovernor from "@tickline/node/RedisGovernor"
 *
 * const GovernorLive = RedisGovernor.layerConfig({ url: Config.Redacted("REDIS_URL") })
 * ```
 *
 * @since 0.1.0
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Governor from "@tickline/core/resilience/Governor"
import type { RollingLimit } from "@tickline/core/resilience/RollingLimit"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import { RedisLimit } from "./internal/redisLimit.ts"
import * as RedisLink from "./internal/redisLink.ts"

/**
 * Whether Redis answers, and since when, in epoch milliseconds. While it is
 * `Connecting`, for the first time, nothing that is limited is sent. `reason` is
 * why it does not answer, escaped.
 *
 * @category models
 * @since 0.1.0
 */
export type State = RedisLink.State

/**
 * How limits are shared.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * What is done while Redis is away: nothing that is limited is sent (`closed`, the default), or each process keeps the
   * limits by itself (`open`).
   */
  readonly fails?: "closed" | "open" | undefined
  /** With what the names of the keys in Redis begin, in braces. Who share a prefix share limits. Default: `tickline`. */
  readonly prefix?: string | undefined
}

/**
 * The URL is none of Redis. It may hold a password, and is not shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRedisUrl extends Schema.TaggedError<InvalidRedisUrl>()("InvalidRedisUrl", {}) {
  override get message(): string {
    return "expected a redis:// or rediss:// URL"
  }
}

/**
 * The governor, and whether its Redis answers.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisGovernor extends Context.Service<RedisGovernor, {
  readonly governor: Governor.Governor
  readonly state: SubscriptionRef.SubscriptionRef<State>
}>()("@tickline/node/RedisGovernor") {}

const makeWith = Effect.fnUntraced(function*(
  connect: RedisLink.Options["connect"],
  { fails = "closed", prefix = "tickline" }: Options
): Effect.fn.Return<RedisGovernor["Service"], never, Scope.Scope> {
  const link = yield* RedisLink.make({ connect, fails, prefix })
  const context = yield* Effect.context()
  // By what this process keeps of a key, and so for as long.
  const limits = new WeakMap<RollingLimit, RedisLimit>()
  const local = Governor.Governor.defaultValue()

  const share: Governor.Governor["share"] = Effect.fnUntraced(function*(key, windows, network) {
    const own = yield* local.share(key, windows, network)
    // A network within this process has no addresses of other processes.
    if (network !== undefined) return own
    const limit = limits.get(own) ?? new RedisLimit(key, link, own, context)
    limits.set(own, limit)
    yield* Effect.acquireRelease(
      Effect.sync(() => limit.declare(windows)),
      () => Effect.sync(() => limit.withdraw(windows))
    )
    return limit
  })
  return { governor: { share }, state: link.state }
})

const contextOf = (made: RedisGovernor["Service"]): Context.Context<RedisGovernor> =>
  Context.add(Context.make(RedisGovernor, made), Governor.Governor, made.governor)

/**
 * Makes a governor over a Redis that is there, whatever its client. Its commands
 * should fail, not wait, while it is not connected.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Effect.Effect<RedisGovernor["Service"], never, Redis.Redis | Scope.Scope> =>
  Effect.flatMap(Redis.Redis, (redis) => makeWith(Effect.succeed({ redis, lost: Effect.never }), options))

// A connection of the `redis` package that does not come back by itself: the link makes another.
const connection = (url: Redacted.Redacted<string>): RedisLink.Options["connect"] =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const context = yield* NodeRedis.layer({
      url: Redacted.value(url),
      disableOfflineQueue: true,
      socket: { connectTimeout: 2_000, reconnectStrategy: false }
    }).pipe(
      Layer.buildWithScope(scope),
      // What it would tell of each attempt is told once, by the link.
      Effect.provideService(References.MinimumLogLevel, "None")
    )
    const { client } = Context.get(context, NodeRedis.NodeRedis)
    // Closing waits for answers, which may not come.
    yield* Scope.addFinalizer(scope, Effect.sync(() => client.isOpen && client.destroy()))
    const lost = Effect.callback<unknown>((resume) => {
      client.once("error", (cause) => resume(Effect.succeed(cause)))
      client.once("end", () => resume(Effect.succeed("it has closed the connection")))
    })
    return { redis: Context.get(context, Redis.Redis), lost }
  })

/**
 * The governor over a Redis of its own, for all in the program who dial or send:
 * it provides `Governor.Governor`, too. It is there at once, whether Redis is or
 * not.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options & { readonly url: Redacted.Redacted<string> }
): Layer.Layer<RedisGovernor, InvalidRedisUrl> =>
  Layer.effectContext(Effect.suspend(() => {
    const url = URL.parse(Redacted.value(options.url))
    return url !== null && ["redis:", "rediss:"].includes(url.protocol)
      ? Effect.map(makeWith(connection(options.url), options), contextOf)
      : Effect.fail(new InvalidRedisUrl())
  }))

/**
 * As `layer`, from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options & { readonly url: Redacted.Redacted<string> }>
): Layer.Layer<RedisGovernor, InvalidRedisUrl | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(options), layer))
