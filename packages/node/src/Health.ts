/**
 * `/healthz`, for the `HttpRouter` of an application: whether every venue is up,
 * and how each is. The runner serves the same page.
 *
 * **Example** (the page of an application's `MarketFeeds`)
 *
 * ```ts
 * const page = Layer.unwrap(Effect.map(MarketFeeds.MarketFeeds, ({ all }) => Health.page(all)))
 * ```
 *
 * @since 0.1.0
 */
import type * as Freshness from "@tickline/core/market/Freshness"
import type * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { RedisGovernor, State } from "./RedisGovernor.ts"

/**
 * Whether a venue is up: connected, and none of its subscriptions refused.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUp = ({ subscriptions: asked, state }: MarketFeed.Health): boolean =>
  state === "Connected" && asked.every(({ standing }) => standing !== "refused")

const millis = (value: number): number => Math.round(value)

const reportOf = (report: Freshness.Report): Schema.Json => ({
  channel: report.channel.channel,
  ...(report.channel.product === undefined ? {} : { product: report.channel.product }),
  isDelivering: report.isDelivering,
  ...(report.ageMillis === undefined ? {} : { ageMillis: millis(report.ageMillis) }),
  p50Millis: millis(report.p50),
  p99Millis: millis(report.p99),
  maxMillis: millis(report.max),
  shareWithinTarget: Math.round(report.shareWithinTarget * 10_000) / 10_000
})

/**
 * A venue's health as JSON, at a time in epoch milliseconds: its state, epoch,
 * when it was last heard, how many subscriptions stand where, and how fresh the
 * data of each is.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (health: MarketFeed.Health, now: number): Schema.Json => {
  const { epoch, freshness, lastHeardAt, subscriptions: asked, state, venue } = health
  const subscriptions: Record<string, number> = { wanted: 0, asked: 0, confirmed: 0, refused: 0 }
  for (const { standing } of asked) subscriptions[standing] = (subscriptions[standing] ?? 0) + 1
  return {
    venue,
    isUp: isUp(health),
    state,
    epoch,
    ...(lastHeardAt === undefined ? {} : {
      lastHeardAt: Timestamp.format(Timestamp.fromEpochMillis(lastHeardAt)),
      silentMillis: Math.max(0, millis(now - lastHeardAt))
    }),
    subscriptions,
    freshness: freshness.map(reportOf)
  }
}

/**
 * What else the page shows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether the Redis answers over which limits are shared: the `state` of a `RedisGovernor`. */
  readonly governor?: RedisGovernor["Service"]["state"] | undefined
  /** How a trader is, that trades on these venues; `undefined` before it does. */
  readonly trader?: Effect.Effect<Schema.Json | undefined> | undefined
}

const governorOf = (state: State): Schema.Json => ({
  state: state._tag,
  ...("since" in state ? { since: Timestamp.format(Timestamp.fromEpochMillis(state.since)) } : {}),
  ...("reason" in state ? { reason: state.reason } : {})
})

/**
 * The page: 200 where every venue is up, 503 otherwise. Whether limits are shared
 * is shown, and makes no venue up or down: while Redis is away a connection lives
 * on.
 *
 * @category layers
 * @since 0.1.0
 */
export const page = (
  feeds: Effect.Effect<ReadonlyArray<MarketFeed.MarketFeed["Service"]>>,
  { governor, trader = Effect.undefined }: Options = {}
): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.add(
    "GET",
    "/healthz",
    Effect.gen(function*() {
      const venues = yield* Effect.forEach(yield* feeds, ({ health }) => health)
      const now = yield* Clock.currentTimeMillis
      const areUp = venues.length > 0 && venues.every(isUp)
      const trading = yield* trader
      const body = JSON.stringify({
        status: areUp ? "up" : "down",
        venues: venues.map((health) => toJson(health, now)),
        ...(governor === undefined ? {} : { governor: governorOf(yield* SubscriptionRef.get(governor)) }),
        ...(trading === undefined ? {} : { trader: trading })
      })
      return HttpServerResponse.text(`${Printable.escape(body)}\n`, {
        status: areUp ? 200 : 503,
        contentType: "application/json"
      })
    })
  )
