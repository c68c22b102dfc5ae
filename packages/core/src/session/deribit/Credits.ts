/**
 * Deribit's limits on calls, and what is left of them.
 *
 * Each sub-account has pools that fill up again at a steady rate. A call that
 * comes when its pool is empty is answered with `too_many_requests` (10028), and
 * the venue ends the session, which cancels the orders of who has asked for
 * that. So what is sent has to stay within the pools, and a tenth of each is
 * kept for what must not wait: answers to heartbeats, and cancels.
 *
 * What is known at first is what the venue publishes, for an account of its
 * lowest tier; the account's own figures are in `private/get_account_summary`.
 * Times are monotonic, in milliseconds.
 *
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-21)
 * @since 0.1.0
 */
import * as ExactJson from "../../codec/ExactJson.ts"
import type { SendOptions } from "../../connection/Outbox.ts"
import { transitMillis } from "../../resilience/internal/connectionLimits.ts"
import type { AccountSummary } from "./Schemas.ts"

/**
 * What calls draw from:
 *
 * - `requests`: all that the matching engine has no part in
 * - `subscribe`: subscriptions to channels
 * - `instruments`: `public/get_instruments`
 * - `matching`: what places, changes or cancels
 * - `cancel-all`: `private/cancel_all`
 * - `quotes`: `private/mass_quote`
 *
 * @category models
 * @since 0.1.0
 */
export type Pool = "requests" | "subscribe" | "instruments" | "matching" | "cancel-all" | "quotes"

/**
 * The credits that a call takes. The pools of the matching engine count requests
 * and no credits.
 *
 * @category constants
 * @since 0.1.0
 */
export const costs: { readonly [K in Pool]: number } = {
  requests: 500,
  subscribe: 3_000,
  instruments: 10_000,
  matching: 0,
  "cancel-all": 0,
  quotes: 0
}

/**
 * How many calls each pool has at once (`burst`) and in a second (`rate`).
 *
 * @category models
 * @since 0.1.0
 */
export type Limits = { readonly [K in Pool]: { readonly burst: number; readonly rate: number } }

/**
 * What the venue publishes, for an account of its lowest tier.
 *
 * @category constants
 * @since 0.1.0
 */
export const published: Limits = {
  requests: { burst: 100, rate: 20 },
  subscribe: { burst: 10, rate: 10 / 3 },
  instruments: { burst: 50, rate: 1 },
  matching: { burst: 20, rate: 5 },
  "cancel-all": { burst: 20, rate: 5 },
  quotes: { burst: 2, rate: 2 }
}

type Limit = Limits[Pool]

const member = (json: ExactJson.Json | undefined, name: string): ExactJson.Json | undefined =>
  json !== undefined && ExactJson.isObject(json) ? json[name] : undefined

const figure = (json: ExactJson.Json | undefined): number | undefined => {
  const value = json instanceof ExactJson.JsonNumber ? Number(json.text) : Number.NaN
  return value > 0 && Number.isFinite(value) ? value : undefined
}

/** The least of the limits in a part of the account's, which may be by kinds of instruments and by currencies. */
const least = (json: ExactJson.Json | undefined): Limit | undefined => {
  if (json === undefined || !ExactJson.isObject(json)) return undefined
  const [burst, rate] = [figure(json["burst"]), figure(json["rate"])]
  if (burst !== undefined && rate !== undefined) return { burst, rate }
  return ExactJson.entries(json).flatMap(([, part]) => least(part) ?? []).reduce<Limit | undefined>(
    (one, other) =>
      one === undefined ? other : { burst: Math.min(one.burst, other.burst), rate: Math.min(one.rate, other.rate) },
    undefined
  )
}

/**
 * The account's own limits, where it says them; otherwise the published ones.
 * Where they are by currency or by kind of instrument, the least of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const limitsOf = ({ limits }: Pick<AccountSummary, "limits">): Limits => {
  const engine = limits?.matching_engine ?? undefined
  // Older answers have one limit for all of the matching engine.
  const whole = figure(member(engine, "rate")) === undefined ? undefined : least(engine)
  return {
    ...published,
    requests: least(limits?.non_matching_engine ?? undefined) ?? published.requests,
    matching: least(member(engine, "trading")) ?? whole ?? published.matching,
    "cancel-all": least(member(engine, "cancel_all")) ?? whole ?? published["cancel-all"],
    quotes: least(member(engine, "guaranteed_quotes")) ?? least(member(engine, "guaranteed_mass_quotes")) ??
      published.quotes
  }
}

/**
 * What is left of each pool, in calls, as of a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credits {
  readonly limits: Limits
  readonly at: number
  readonly left: { readonly [K in Pool]: number }
}

const each = <A>(of: (pool: Pool) => A): { readonly [K in Pool]: A } => ({
  requests: of("requests"),
  subscribe: of("subscribe"),
  instruments: of("instruments"),
  matching: of("matching"),
  "cancel-all": of("cancel-all"),
  quotes: of("quotes")
})

/**
 * Full pools. Where another session of the account has drawn from them, there is
 * less: `learn` and `exhausted` say so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (at: number, limits: Limits = published): Credits => ({
  limits,
  at,
  left: each((pool) => limits[pool].burst)
})

const later = (self: Credits, at: number): Credits => {
  const seconds = Math.max(0, at - self.at) / 1_000
  return {
    ...self,
    at: Math.max(at, self.at),
    left: each((pool) => {
      const { burst, rate } = self.limits[pool]
      return Math.min(burst, self.left[pool] + seconds * rate)
    })
  }
}

/**
 * How much has to be there for a call. The venue counts what arrives, and a pool
 * that is full does not fill up while a call is on its way.
 */
const needed = ({ burst, rate }: Limit, priority: SendOptions["priority"], tests: number): number => {
  const reserve = priority === "heartbeat" ? 0 : priority === "cancel" ? tests : Math.max(Math.floor(burst / 10), tests)
  return Math.min(burst, 1 + reserve + rate * transitMillis / 1_000)
}

/**
 * What is left of each pool at a time.
 *
 * @category getters
 * @since 0.1.0
 */
export const leftAt = (self: Credits, at: number): Credits["left"] => later(self, at).left

/**
 * After how many milliseconds a call can be sent; 0 if at once. `before` are
 * those that go out before it and are not written yet. Of `sessions` that draw
 * from the same pool (1 by default) each may have to answer a test at once,
 * whatever is left.
 *
 * @category getters
 * @since 0.1.0
 */
export const waitFor = (
  self: Credits,
  at: number,
  { before = 0, pool, priority, sessions = 1 }: Pick<SendOptions, "priority"> & {
    readonly pool: Pool
    readonly before?: number | undefined
    readonly sessions?: number | undefined
  }
): number => {
  const limit = self.limits[pool]
  const missing = before + needed(limit, priority, pool === "requests" ? sessions : 0) - later(self, at).left[pool]
  return missing <= 0 ? 0 : Math.ceil(missing * 1_000 / limit.rate)
}

/**
 * What is left after a call was sent, or several.
 *
 * @category combinators
 * @since 0.1.0
 */
export const spend = (self: Credits, at: number, pool: Pool, calls = 1): Credits => {
  const now = later(self, at)
  return { ...now, left: { ...now.left, [pool]: Math.max(0, now.left[pool] - calls) } }
}

/**
 * What is left where other limits hold from now on, which are the account's own
 * or those of another tier: no more than there was, until it has filled up.
 *
 * @category combinators
 * @since 0.1.0
 */
export const learn = (self: Credits, at: number, limits: Limits): Credits => {
  const now = later(self, at)
  return { ...now, limits, left: each((pool) => Math.min(limits[pool].burst, now.left[pool])) }
}

/**
 * What is left after the venue has said that a pool is empty (10028), whatever
 * was thought.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exhausted = (self: Credits, at: number, pool: Pool): Credits => {
  const now = later(self, at)
  return { ...now, left: { ...now.left, [pool]: 0 } }
}
