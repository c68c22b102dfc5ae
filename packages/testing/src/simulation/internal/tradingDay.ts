/** What a seed stands for on a day of traders: how the markets move, who trades in which way, and what goes wrong when. */
import * as Strategy from "@tickline/core/strategy/Strategy"
import type { TimeInForce } from "@tickline/core/trading/OrderRequest"
import type * as Portfolio from "@tickline/core/trading/Portfolio"
import type { RoutingStrategy } from "@tickline/core/trading/RoutingStrategy"
import * as BigDecimal from "effect/BigDecimal"
import * as Chance from "../../Chance.ts"
import type { CallFault } from "../../exchange/internal/httpExchange.ts"
import type * as FaultPlan from "../../network/FaultPlan.ts"
import type * as HttpFaultPlan from "../../network/HttpFaultPlan.ts"
import type * as VirtualNetwork from "../../network/VirtualNetwork.ts"

/** The venues, in the order in which they are named where nothing else orders them. */
export const venues = ["coinbase", "hyperliquid", "dydx"] as const

export type Venue = (typeof venues)[number]

export type Product = "BTC-USD" | "ETH-USD" | "SOL-USD"

/**
 * Something that goes wrong:
 *
 * - `Socket`, `Http`: at a venue's hosts, as of their fault plans
 * - `Call`: with the next calls of a kind at a venue
 * - `Maintenance`: a venue cannot be reached at all; `Failing`: a share of what it is asked fails; `Silence`: it tells
 *   nothing of orders; `Lose`: dYdX takes transactions that never come into a block
 * - `Kill`: a trader's process ends at once, and another begins later
 * - `Halt`: a trader is halted, and cleared later
 */
export type Trouble =
  | { readonly _tag: "Socket"; readonly venue: Venue; readonly action: FaultPlan.Action }
  | { readonly _tag: "Http"; readonly venue: Venue; readonly action: HttpFaultPlan.Action }
  | { readonly _tag: "Call"; readonly venue: Venue; readonly fault: CallFault }
  | { readonly _tag: "Failing"; readonly venue: Venue; readonly share: number; readonly forMillis: number }
  | { readonly _tag: "Maintenance" | "Silence"; readonly venue: Venue; readonly forMillis: number }
  | { readonly _tag: "Lose"; readonly forMillis: number }
  | { readonly _tag: "Kill" | "Halt"; readonly trader: number; readonly forMillis: number }

/** Something that goes wrong, so many milliseconds after the beginning. */
export interface Incident {
  readonly at: number
  readonly trouble: Trouble
}

/** How a trader trades. */
export interface Character {
  readonly strategy: Strategy.Strategy
  readonly portfolio: Partial<Portfolio.Limits>
  readonly shorts: boolean
  readonly timeInForce: TimeInForce
  readonly patienceMillis: number
  readonly routing: Exclude<RoutingStrategy, { readonly _tag: "Split" }>
}

/** A day. */
export interface Day {
  readonly latency: VirtualNetwork.Latency
  readonly characters: ReadonlyArray<Character>
  readonly incidents: ReadonlyArray<Incident>
}

// At exponentially distributed distances, as events come that know nothing of each other.
const moments = (chance: Chance.Chance, meanMillis: number, from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  let at = from
  while (true) {
    at += Math.max(1, Math.round(-Math.log(1 - chance.next()) * meanMillis))
    if (at >= to) return found
    found.push(at)
  }
}

const lasting = (chance: Chance.Chance, least: number, most: number): number => least + chance.integer(most - least)

const drawSocket = (chance: Chance.Chance): FaultPlan.Action => {
  const kind = chance.pick(
    [
      "Drop",
      "Drop",
      "Close",
      "Silent",
      "Freeze",
      "StopReading",
      "Down",
      "Refuse",
      "Hang",
      "Status",
      "AcceptThenClose",
      "Latency",
      "Garbage",
      "Lose",
      "Duplicate"
    ] as const
  )
  switch (kind) {
    case "Close":
      return { _tag: "Close", code: chance.pick([1000, 1001, 1011, 1012]) }
    case "Freeze":
      return { _tag: "Freeze", forMillis: lasting(chance, 500, 60_000) }
    case "StopReading":
      return { _tag: "StopReading", forMillis: lasting(chance, 500, 40_000) }
    case "Down":
      return { _tag: "Down", forMillis: lasting(chance, 1_000, 120_000) }
    case "Refuse":
      return { _tag: "Refuse", dials: lasting(chance, 1, 6) }
    case "Status":
      return { _tag: "Status", status: chance.pick([429, 503]), retryAfterSeconds: lasting(chance, 1, 15) }
    case "AcceptThenClose":
      return { _tag: "AcceptThenClose", dials: lasting(chance, 1, 3), code: 1001 }
    case "Latency":
      return { _tag: "Latency", latency: { min: 20, max: 1_500 }, forMillis: lasting(chance, 10_000, 120_000) }
    default:
      return { _tag: kind }
  }
}

const drawHttp = (chance: Chance.Chance): HttpFaultPlan.Action => {
  switch (chance.pick(["Refuse", "Hang", "Status", "Status", "Down", "Truncate", "Latency"] as const)) {
    case "Refuse":
      return { _tag: "Refuse", dials: lasting(chance, 1, 4) }
    case "Hang":
      return { _tag: "Hang" }
    case "Status":
      return { _tag: "Status", status: chance.pick([429, 503]), retryAfterSeconds: lasting(chance, 1, 10) }
    case "Down":
      return { _tag: "Down", forMillis: lasting(chance, 1_000, 90_000) }
    case "Truncate":
      return { _tag: "Truncate", answers: lasting(chance, 1, 3) }
    case "Latency":
      return { _tag: "Latency", latency: { min: 20, max: 1_500 }, forMillis: lasting(chance, 10_000, 120_000) }
  }
}

/** What is asked when an order is placed, cancelled or looked for, by the names that the mocks have for it. */
const calls: Readonly<Record<Venue, readonly [string, ...Array<string>]>> = {
  coinbase: ["POST orders", "POST orders", "POST orders/batch_cancel", "GET orders/historical/{id}", "GET accounts"],
  hyperliquid: ["order", "order", "cancelByCloid", "orderStatus", "clearinghouseState"],
  dydx: [
    "POST /cosmos/tx/v1beta1/txs",
    "POST /cosmos/tx/v1beta1/txs",
    "GET /v4/orders",
    "GET /v4/height",
    "GET /v4/fills"
  ]
}

const drawCall = (chance: Chance.Chance, venue: Venue): CallFault => {
  const call = chance.pick(calls[venue])
  const count = lasting(chance, 1, 3)
  // Coinbase's orders have no bound after which they cannot be taken: soon after its answer is due, one that the venue
  // does not know counts as absent. Where they have one, they may be as late as they like.
  const latest = venue === "coinbase" ? 3_000 : 9_000
  // What is not answered is carried out at once, later, or never.
  const takenAfter = chance.pick([0, 0, chance.integer(latest), Infinity])
  switch (chance.pick(["Withhold", "Cut", "Delay", "Late", "Malform", "Answer"] as const)) {
    case "Withhold":
      return { _tag: "Withhold", call, calls: count, takenAfter }
    case "Cut":
      return { _tag: "Cut", call, calls: count, takenAfter }
    case "Delay":
      return { _tag: "Delay", call, calls: count, millis: chance.integer(9_000) }
    case "Late":
      return { _tag: "Late", call, calls: count, millis: chance.integer(latest) }
    case "Malform":
      return { _tag: "Malform", call, calls: count }
    case "Answer":
      return chance.happens(0.5)
        ? { _tag: "Answer", call, calls: count, status: 429, headers: { "retry-after": "2" } }
        : { _tag: "Answer", call, calls: count, status: 503 }
  }
}

const drawVenue = (chance: Chance.Chance): Trouble => {
  const venue = chance.pick(venues)
  switch (
    chance.pick(
      ["Socket", "Socket", "Http", "Call", "Call", "Call", "Failing", "Maintenance", "Silence", "Lose"] as const
    )
  ) {
    case "Socket":
      return { _tag: "Socket", venue, action: drawSocket(chance) }
    case "Http":
      return { _tag: "Http", venue, action: drawHttp(chance) }
    case "Call":
      return { _tag: "Call", venue, fault: drawCall(chance, venue) }
    case "Failing":
      return { _tag: "Failing", venue, share: 0.1 + chance.next() / 2, forMillis: lasting(chance, 10_000, 180_000) }
    case "Maintenance":
      return { _tag: "Maintenance", venue, forMillis: lasting(chance, 10_000, 300_000) }
    case "Silence":
      return { _tag: "Silence", venue, forMillis: lasting(chance, 10_000, 300_000) }
    case "Lose":
      return { _tag: "Lose", forMillis: lasting(chance, 5_000, 60_000) }
  }
}

const strategies: ReadonlyArray<Strategy.Strategy> = [
  Strategy.fast({ short: 3, long: 8 }),
  Strategy.fast({ short: 8, long: 21 }),
  Strategy.momentum({ rsi: { low: 45, high: 55 } }),
  Strategy.conservative(),
  Strategy.combined([
    { strategy: Strategy.fast(), weight: 0.6 },
    { strategy: Strategy.conservative({ stochastic: { low: 30, high: 70 } }), weight: 0.4 }
  ], { threshold: 0.4 })
]

const share = (perMille: number) => BigDecimal.make(BigInt(perMille), 3)

const drawCharacter = (chance: Chance.Chance, strategy: Strategy.Strategy): Character => ({
  strategy,
  portfolio: { stop: share(lasting(chance, 4, 12)), target: share(lasting(chance, 6, 20)) },
  shorts: chance.happens(0.5),
  timeInForce: chance.pick(["ioc", "ioc", "gtc"]),
  patienceMillis: lasting(chance, 5_000, 60_000),
  routing: chance.pick<Character["routing"]>([
    { _tag: "Priority", exchanges: venues },
    { _tag: "Priority", exchanges: venues.toReversed() },
    { _tag: "RoundRobin" },
    { _tag: "LeastLatency" }
  ])
})

const minute = 60_000

/** The day of a seed, which lasts so many milliseconds, with so many traders. */
export const draw = (seed: number, lastsMillis: number, traders: number): Day => {
  const chance = Chance.make(seed).fork("day")
  const end = lastsMillis - 5 * minute
  const rotation = chance.integer(strategies.length)
  const characters = Array.from({ length: traders }, (_, i) => {
    const strategy = strategies[(i + rotation) % strategies.length] ?? Strategy.fast()
    return drawCharacter(chance.fork(`trader${i}`), strategy)
  })
  const incidents: Array<Incident> = moments(chance.fork("venues"), 4 * minute, minute, end)
    .map((at) => ({ at, trouble: drawVenue(chance.fork(`venue ${at}`)) }))
  const ofTraders = chance.fork("traders")
  for (let trader = 0; trader < traders; trader++) {
    for (const at of moments(ofTraders, 240 * minute, 5 * minute, end)) {
      incidents.push({ at, trouble: { _tag: "Kill", trader, forMillis: lasting(ofTraders, 500, 60_000) } })
    }
    for (const at of moments(ofTraders, 720 * minute, 5 * minute, end)) {
      incidents.push({ at, trouble: { _tag: "Halt", trader, forMillis: lasting(ofTraders, 60_000, 1_200_000) } })
    }
  }
  return {
    latency: { min: 5 + chance.integer(20), max: 25 + chance.integer(120) },
    characters,
    incidents: incidents.toSorted((one, other) => one.at - other.at)
  }
}

const shown = (value: unknown): string =>
  typeof value === "number" ? String(Math.round(value * 1_000) / 1_000) : String(value)

/** What goes wrong, in a line. */
export const describe = ({ at, trouble }: Incident): string => {
  const { _tag, ...rest } = trouble
  const words = Object.entries(rest).map(([name, value]) => {
    if (typeof value !== "object") return `${name}=${shown(value)}`
    const { _tag: what, ...terms } = value
    return [what, ...Object.entries(terms).map(([name, value]) => `${name}=${shown(value)}`)].join(" ")
  })
  return [`${at}ms`, _tag, ...words].join(" ")
}

/** The price path of each product: trends of an hour or so that turn, with noise, in ten thousandths of a price at the beginning. */
export const courseOf = (seed: number, product: Product) => {
  const chance = Chance.make(seed).fork(`course of ${product}`)
  let level = 0
  let drift = 0
  let left = 0
  return (): number => {
    if (left-- <= 0) {
      left = lasting(chance, 10, 60)
      // Ten thousandths a step, drawn back to where it began.
      drift = (chance.next() - 0.5) * 24 - level / 200
    }
    level += drift + (chance.next() - 0.5) * 16
    return Math.round(level)
  }
}
