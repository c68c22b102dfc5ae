/**
 * What the demo plays: the policy, the products, and what goes wrong when.
 *
 * @since 0.1.0
 */
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import type * as Fault from "@tickline/testing/Fault"
import * as Market from "@tickline/testing/Market"
import * as Duration from "effect/Duration"

/**
 * The demo's own policy, quick enough to see everything: 250 ms × 2, a breaker
 * that opens at 3 failures for 2 s and closes at 1 success, a ping a second.
 *
 * @category constants
 * @since 0.1.0
 */
export const policy: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.recommended,
  connectTimeout: Duration.seconds(1),
  backoff: { base: Duration.millis(250), factor: 2, cap: Duration.seconds(4), jitter: "none" },
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: {
    failureThreshold: 3,
    window: undefined,
    openDuration: Duration.seconds(2),
    openFactor: 1,
    openCap: Duration.seconds(2),
    halfOpen: { successThreshold: 1 },
    countDisconnect: true,
    whenOpen: "wait"
  },
  heartbeat: { interval: Duration.seconds(1), timeout: Duration.millis(900), onMiss: "close" },
  closeTimeout: Duration.millis(500)
}

/**
 * The policy in words.
 *
 * @category constants
 * @since 0.1.0
 */
export const policyText = "policy: 250 ms × 2; breaker: 3 failures, open 2 s, 1 success; ping every 1 s"

const product = (symbol: string): Market.Product =>
  Market.products.find((each) => each.symbol === symbol) ?? Market.products[0]

/**
 * The venues and what is traded there.
 *
 * @category constants
 * @since 0.1.0
 */
export const venues: ReadonlyArray<{ readonly name: string; readonly products: ReadonlyArray<Market.Product> }> = [
  { name: "coinbase-exchange", products: [product("BTC-USD"), product("ETH-USD")] },
  { name: "generic", products: [product("SHIB-USD"), product("WETH-DAI")] }
]

/**
 * Something that goes wrong at a venue: on the client's connection, on its next
 * dials, or in what it is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trouble {
  readonly atMillis: number
  readonly venue: string
  readonly text: string
  readonly actions: ReadonlyArray<Fault.Action>
  /** Whether the next message is sent twice. */
  readonly repeats: boolean
}

interface Planned extends Omit<Trouble, "atMillis"> {
  /** When, as a share of the whole. */
  readonly share: number
  /** How long it takes to heal, at most, in milliseconds. */
  readonly heals: number
}

const planned: ReadonlyArray<Planned> = [
  {
    share: 0.15,
    heals: 0,
    venue: "coinbase-exchange",
    text: "a trade is sent twice",
    actions: [],
    repeats: true
  },
  {
    share: 0.2,
    heals: 4_000,
    venue: "coinbase-exchange",
    text: "TCP reset, next 2 dials refused",
    actions: [{ _tag: "Refuse", dials: 2 }, { _tag: "Drop" }],
    repeats: false
  },
  {
    share: 0.5,
    heals: 2_500,
    venue: "generic",
    text: "close 1012, then 503, Retry-After 1",
    actions: [{ _tag: "Status", status: 503, retryAfterSeconds: 1 }, { _tag: "Close", code: 1012 }],
    repeats: false
  },
  {
    share: 0.62,
    heals: 0,
    venue: "coinbase-exchange",
    text: "a frame that is no message",
    actions: [{ _tag: "Garbage" }],
    repeats: false
  },
  {
    share: 0.66,
    heals: 3_000,
    venue: "coinbase-exchange",
    text: "half-open: link up, nothing sent",
    actions: [{ _tag: "Silent" }],
    repeats: false
  },
  {
    share: 0.85,
    heals: 0,
    venue: "generic",
    text: "a price is sent twice",
    actions: [],
    repeats: true
  }
]

/**
 * The troubles of a run of so many milliseconds, in order: those that can heal
 * before it ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const troubles = (durationMillis: number): ReadonlyArray<Trouble> =>
  planned.flatMap(({ heals, share, ...trouble }) => {
    const atMillis = Math.round(share * durationMillis)
    return atMillis + heals <= durationMillis ? [{ ...trouble, atMillis }] : []
  })
