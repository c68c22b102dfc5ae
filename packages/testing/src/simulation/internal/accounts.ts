/** Whether what a venue sent is what a consumer saw. `Simulation` exports it. */
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Channel from "@tickline/core/value/Channel"
import type { Venue } from "@tickline/core/venue/Venue"
import type * as FaultPlan from "../../network/FaultPlan.ts"
import { idOf, type Sent, type Simulation } from "./simulatedVenue.ts"

/**
 * What became of the messages of one product on one channel: `sent` =
 * `delivered` + `repeated` + `lostInGaps` + `lostByFault` + `unaccounted`.
 * `repeated` said again what was delivered on an earlier connection or was
 * fetched, and were passed over; `duplicates` came besides, and so did `fetched`,
 * trades that were missed; `unaccounted` is what was lost in silence.
 */
export interface SimulationReport {
  readonly channel: string
  readonly product: string
  readonly sent: number
  readonly delivered: number
  readonly repeated: number
  readonly duplicates: number
  readonly lostInGaps: number
  readonly lostByFault: number
  readonly unaccounted: number
  readonly fetched: number
}

/**
 * Whether all that was sent is accounted for.
 */
export const isBalanced = (account: SimulationReport): boolean =>
  account.unaccounted === 0 &&
  account.sent === account.delivered + account.repeated + account.lostInGaps + account.lostByFault

type Counts = { -readonly [Name in Exclude<keyof SimulationReport, "channel" | "product">]: number }

/**
 * Compares what a venue sent with what a consumer of `MarketFeed.events` saw.
 * A message that did not arrive is accounted for when a `Gap` of its product
 * and channel stands where it is missing, between the last event of its own
 * connection and the first of the next. `violations` are in words.
 */
export const reconcile = (
  simulation: Pick<Simulation, "sent" | "faults" | "venue">,
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  channels: ReadonlyArray<Channel.Channel>
): { readonly accounts: ReadonlyArray<SimulationReport>; readonly violations: ReadonlyArray<string> } => {
  const violations: Array<string> = []
  const altered = new Map<string, Map<FaultPlan.Alteration["kind"], number>>()
  for (const { connection, frame, kind } of simulation.faults.alterations) {
    const key = `${connection} ${String(frame)}`
    const kinds = altered.get(key) ?? new Map<FaultPlan.Alteration["kind"], number>()
    altered.set(key, kinds.set(kind, (kinds.get(kind) ?? 0) + 1))
  }
  // Whether a fault of that kind struck the message, once for each time that one did.
  const struck = (message: Sent, kind: FaultPlan.Alteration["kind"]): boolean => {
    const kinds = altered.get(`${message.connection} ${message.text}`)
    const times = kinds?.get(kind) ?? 0
    if (times === 0) return false
    kinds?.set(kind, times - 1)
    return true
  }

  const accounts = channels.map(({ channel, product = "" }): SimulationReport => {
    const sent = simulation.sent.filter((message) => message.channel === channel && message.product === product)
    const counts: Counts = {
      sent: sent.length,
      delivered: 0,
      repeated: 0,
      duplicates: 0,
      lostInGaps: 0,
      lostByFault: 0,
      unaccounted: 0,
      fetched: 0
    }
    const blame = (what: string) => void violations.push(`${channel} ${product}: ${what}`)
    let cursor = 0
    let epoch = 0
    let isGap = false
    const known = new Set<string>()

    const isIt = (message: Sent | undefined, id: string | undefined): boolean =>
      message !== undefined && message.connection === epoch && message.id === id

    // The messages up to `end` did not arrive. Those of `connection`, which is still up, cannot be in a gap.
    const miss = (end: number, connection: number): void => {
      for (; cursor < end; cursor++) {
        const message = sent[cursor]!
        const identity = identityOf(simulation.venue, message)
        if (struck(message, "Lose")) counts.lostByFault++
        else if (identity !== undefined && known.has(identity)) counts.repeated++
        else if (isGap && message.connection < connection) counts.lostInGaps++
        else {
          counts.unaccounted++
          blame(`${message.id} of connection ${message.connection}, sent at ${message.at}, is lost in silence`)
        }
      }
    }

    for (const event of seen) {
      if (event._tag === "Connection") {
        epoch = event.epoch ?? epoch
        continue
      }
      if (event._tag === "Gap") {
        if (event.channel === channel && event.product === product) isGap = true
        continue
      }
      if (!isOf(simulation.venue, event, channel, product)) continue
      const id = idOf(event)
      let at = cursor
      while (at < sent.length && !isIt(sent[at], id)) at++
      if (at < sent.length) {
        miss(at, epoch)
        isGap = false
        cursor = at + 1
        counts.delivered++
        const identity = identityOf(simulation.venue, sent[at]!)
        if (identity !== undefined) known.add(identity)
        continue
      }
      let back = cursor - 1
      while (back >= 0 && !isIt(sent[back], id)) back--
      const before = sent[back]
      if (
        event._tag === "Trade" && event.history === true && event.tradeId !== undefined && !known.has(event.tradeId)
      ) {
        known.add(event.tradeId)
        counts.fetched++
        continue
      }
      if (before !== undefined && struck(before, "Duplicate")) counts.duplicates++
      else blame(`${id} arrived in epoch ${epoch}, where it was ${before === undefined ? "never sent" : "sent once"}`)
    }
    miss(sent.length, Infinity)
    // What came twice and is known by its number or id was passed over.
    for (const message of sent) {
      const identity = identityOf(simulation.venue, message)
      if (identity !== undefined && known.has(identity) && struck(message, "Duplicate")) counts.duplicates++
    }
    return { channel, product, ...counts }
  })
  return { accounts, violations }
}

/** By what a message is known on any connection: a trade by its id, a ticker by its number, if that is its own. */
const identityOf = (venue: Venue, { text }: Sent): string | undefined => {
  const decoded = venue.decode(text)
  const event = "_tag" in decoded ? undefined : decoded.find(MarketEvent.isMarketData)
  if (event?._tag === "Trade") return event.tradeId
  return event?._tag === "Ticker" && venue.frames === undefined ? event.sequence : undefined
}

const kindOf = (event: MarketEvent.AnyEvent): ReadonlyArray<"trade" | "ticker" | "book"> => {
  switch (event._tag) {
    case "Trade":
      return ["trade"]
    case "Ticker":
    case "PriceUpdate":
      return ["ticker"]
    case "BookSnapshot":
    case "BookDelta":
      return ["book"]
    default:
      return []
  }
}

/** Whether an event is of a product on a channel. */
export const isOf = (
  venue: Venue,
  event: MarketEvent.AnyEvent,
  channel: string,
  product: string
): event is MarketEvent.MarketEvent & { readonly product: string } =>
  "product" in event && event.product === product && kindOf(event).some((kind) => venue.channels[kind] === channel)
