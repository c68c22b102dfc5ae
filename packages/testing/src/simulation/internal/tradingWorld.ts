/** What a seed stands for at the simulated exchange: its figures, when its traders are busy, and what goes wrong when. */
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Duration from "effect/Duration"
import * as Chance from "../../Chance.ts"
import type * as MockDeribitExchange from "../../exchange/MockDeribitExchange.ts"
import * as FaultPlan from "../../network/FaultPlan.ts"
import type * as VirtualNetwork from "../../network/VirtualNetwork.ts"
import type { Period } from "./trader.ts"

/** Something that happens to the exchange itself, so many milliseconds after the beginning. */
export interface Incident {
  readonly at: number
  readonly what:
    | { readonly _tag: "Fault"; readonly fault: MockDeribitExchange.Fault }
    | { readonly _tag: "Maintenance" | "Settlement"; readonly isOn: boolean }
}

/** A world. Times are milliseconds after the beginning. */
export interface World {
  readonly latency: VirtualNetwork.Latency
  readonly policy: ConnectionPolicy.ConnectionPolicy
  readonly pools: Partial<Readonly<Record<MockDeribitExchange.PoolName, MockDeribitExchange.Pool>>>
  readonly tokenMillis: number
  readonly periods: ReadonlyArray<ReadonlyArray<Period>>
  readonly faults: ReadonlyArray<FaultPlan.FaultPlan>
  readonly incidents: ReadonlyArray<Incident>
}

// `fast`, for an application that never gives up.
const { circuit } = Presets.fast
const fastForever: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.fast,
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: circuit === "none" ? circuit : { ...circuit, whenOpen: "wait" }
}

const policies = [Presets.recommended, fastForever, Presets.marketFeed] as const

/** The longest that a message is on its way, if nothing holds it up: two of them leave time to answer a test. */
export const mostLatency = 400

const { max } = Math

// At exponentially distributed distances, as events come that know nothing of each other.
const moments = (chance: Chance.Chance, meanMillis: number, within: Period): ReadonlyArray<number> => {
  const found: Array<number> = []
  let at = within.from
  while (true) {
    at += max(1, Math.round(-Math.log(1 - chance.next()) * meanMillis))
    if (at >= within.to) return found
    found.push(at)
  }
}

const busyMillis = (chance: Chance.Chance): number => 60_000 + chance.integer(180_000)

const draw = (chance: Chance.Chance): FaultPlan.Action => {
  const lasting = (least: number, most: number): number => least + chance.integer(most - least)
  const kind = chance.pick(
    [
      "Drop",
      "Drop",
      "Drop",
      "Close",
      "Silent",
      "Freeze",
      "Freeze",
      "StopReading",
      "Down",
      "Refuse",
      "Hang",
      "Status",
      "AcceptThenClose",
      "Latency",
      "Garbage"
    ] as const
  )
  switch (kind) {
    case "Close":
      return { _tag: "Close", code: chance.pick([1000, 1001, 1011, 1012]) }
    case "Freeze":
      return { _tag: "Freeze", forMillis: lasting(500, 40_000) }
    case "StopReading":
      return { _tag: "StopReading", forMillis: lasting(500, 30_000) }
    case "Down":
      return { _tag: "Down", forMillis: lasting(1_000, 120_000) }
    case "Refuse":
      return { _tag: "Refuse", dials: lasting(1, 4) }
    case "Status":
      return { _tag: "Status", status: chance.pick([429, 503]), retryAfterSeconds: lasting(1, 15) }
    case "AcceptThenClose":
      return { _tag: "AcceptThenClose", dials: lasting(1, 3), code: 1001 }
    case "Latency":
      return { _tag: "Latency", latency: { min: 20, max: mostLatency }, forMillis: lasting(10_000, 120_000) }
    default:
      return { _tag: kind }
  }
}

const methods = [
  "private/buy",
  "private/buy",
  "private/sell",
  "private/sell",
  "private/edit",
  "private/cancel",
  "private/get_open_orders",
  "private/get_order_state",
  "private/get_positions",
  "public/auth",
  "public/get_time"
] as const

// What is not answered is carried out at once, later, or never.
const taken = (chance: Chance.Chance): number => chance.pick([0, 0, chance.integer(4_000), Infinity])

const drawFault = (chance: Chance.Chance): MockDeribitExchange.Fault => {
  const method = chance.pick(methods)
  switch (chance.pick(["Withhold", "Cut", "Cut", "Delay"])) {
    case "Withhold":
      return { _tag: "Withhold", method, calls: 1 + chance.integer(2), takenAfter: taken(chance) }
    case "Cut":
      return { _tag: "Cut", method, takenAfter: taken(chance) }
    default:
      return { _tag: "Delay", method, millis: chance.integer(8_000), calls: 1 + chance.integer(3) }
  }
}

// When each trades: a few minutes now and then.
const drawPeriods = (chance: Chance.Chance, all: Period, traders: number): World["periods"] =>
  Array.from(
    { length: traders },
    () =>
      moments(chance, 3_600_000, { ...all, to: all.to - 300_000 }).map((from) => ({
        from,
        to: from + busyMillis(chance)
      }))
  )

/** The world of a seed. `trading` is when each trades, if that is not to be drawn. */
export const make = (
  seed: number,
  lasts: Duration.Duration,
  traders: number,
  trading?: World["periods"] | undefined
): World => {
  const chance = Chance.make(seed).fork("world")
  const all: Period = { from: 30_000, to: max(60_000, Duration.toMillis(lasts)) }
  const latency = chance.happens(0.2) ? 0 : { min: chance.integer(40), max: 40 + chance.integer(160) }
  // Few calls at once, and few a second.
  const burst = 8 + chance.integer(12)
  const rate = 2 + chance.integer(4)
  const engine = { capacity: 4 + chance.integer(8), perSecond: 1 + chance.integer(4), cost: 1 }
  const periods = trading ?? drawPeriods(chance, all, traders)
  const busy = periods.flat()
  const faults = periods.map((own) =>
    [
      ...own.flatMap((period) => moments(chance, 90_000, period)),
      ...moments(chance, 7_200_000, { ...all, to: all.to - 300_000 })
    ].map((at) => FaultPlan.at(at, draw(chance)))
  )
  const lasting = (tag: "Maintenance" | "Settlement", at: number, millis: number): ReadonlyArray<Incident> => [
    { at, what: { _tag: tag, isOn: true } },
    { at: at + millis, what: { _tag: tag, isOn: false } }
  ]
  const incidents = [
    ...busy.flatMap((period) =>
      moments(chance, 60_000, period).map((at): Incident => ({ at, what: { _tag: "Fault", fault: drawFault(chance) } }))
    ),
    ...busy.flatMap(({ from }) =>
      chance.happens(0.06) ? lasting("Settlement", from + 10_000, 2_000 + chance.integer(20_000)) : []
    ),
    ...busy.flatMap(({ from }) =>
      chance.happens(0.03) ? lasting("Maintenance", from + 20_000, 10_000 + chance.integer(200_000)) : []
    )
  ]
  return {
    latency,
    policy: chance.pick(policies),
    pools: {
      non_matching: { capacity: burst * 500, perSecond: rate * 500, cost: 500 },
      matching: engine,
      cancel_all: engine
    },
    tokenMillis: chance.pick([30_000, 180_000, 300_000, 600_000, 900_000]),
    periods,
    faults,
    incidents: incidents.toSorted((one, other) => one.at - other.at)
  }
}
