/** Whether what a venue sent is what a consumer saw. `Simulation` exports it. */
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Frame from "@tickline/core/transport/Frame"
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
 * connection and the first of the next. One that a fault put behind another may
 * come late; one that a fault changed is what it was changed to. `violations` are
 * in words.
 */
export const reconcile = (
  simulation: Pick<Simulation, "sent" | "faults" | "venue">,
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  channels: ReadonlyArray<Channel.Channel>
): { readonly accounts: ReadonlyArray<SimulationReport>; readonly violations: ReadonlyArray<string> } => {
  const violations: Array<string> = []
  const altered = new Map<string, Map<FaultPlan.Alteration["kind"], number>>()
  const claimed: Array<{ readonly first: number; readonly last: number }> = []
  const changed = new Map<string, { readonly id: string | undefined; readonly identity: string | undefined }>()
  for (const { became, connection, frame, kind } of simulation.faults.alterations) {
    const key = `${connection} ${String(frame)}`
    // Where nothing shows that it was changed, it is lost, and what it was changed to was never sent.
    const event = became === undefined || simulation.venue.continuity === "none"
      ? undefined
      : dataOf(simulation.venue, became)
    if (event?._tag === "BookDelta" && event.firstSequence !== undefined) {
      claimed.push({ first: Number(event.firstSequence), last: Number(event.sequence) })
    }
    if (event !== undefined) changed.set(key, { id: idOf(event), identity: identityOf(simulation.venue, event) })
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
    let isOpen = false
    const known = new Set<string>()
    const late = new Set<Sent>()
    // How many events of the message that was delivered last are still to come.
    let rest = 0

    const asCame = (message: Sent) =>
      changed.get(`${message.connection} ${message.text}`) ??
        { id: message.id, identity: identityIn(simulation.venue, message) }
    const isIt = (message: Sent | undefined, id: string | undefined, kind: string): boolean =>
      message !== undefined && message.connection === epoch && (message.events[0]?._tag ?? kind) === kind &&
      (message.id === id || asCame(message).id === id)
    const restOf = ({ events }: Sent): number => events.filter((event) => event.product === product).length - 1
    const deliver = (message: Sent): void => {
      counts.delivered++
      rest = restOf(message)
      const { identity } = asCame(message)
      if (identity !== undefined) known.add(identity)
    }
    // What a fault gave a change's numbers to is taken for one that is there already.
    const isClaimed = (message: Sent, identity: string): boolean =>
      known.has(identity) ||
      claimed.some(({ first, last }) =>
        message.events.some((event) =>
          event._tag === "BookDelta" && first <= Number(event.firstSequence) && Number(event.sequence) <= last
        )
      )

    // The messages up to `end` did not arrive. Those of `connection`, which is still up, cannot be in a gap.
    const miss = (end: number, connection: number): void => {
      for (; cursor < end; cursor++) {
        const message = sent[cursor]!
        const identity = identityIn(simulation.venue, message)
        if (struck(message, "Lose")) counts.lostByFault++
        else if (struck(message, "Reorder")) late.add(message)
        else if (identity !== undefined && isClaimed(message, identity)) counts.repeated++
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
        if (event.channel !== channel || event.product !== product) continue
        isGap = true
        // That of a book goes on, whatever comes.
        isOpen = event.to === undefined && event.cause !== "disconnect"
        continue
      }
      if (!isOf(simulation.venue, event, channel, product)) continue
      if (rest > 0) {
        rest--
        continue
      }
      const id = idOf(event)
      let at = cursor
      while (at < sent.length && !isIt(sent[at], id, event._tag)) at++
      if (at < sent.length) {
        miss(at, epoch)
        isGap = isOpen
        cursor = at + 1
        deliver(sent[at]!)
        continue
      }
      let back = cursor - 1
      while (back >= 0 && !isIt(sent[back], id, event._tag)) back--
      const before = sent[back]
      if (
        event._tag === "Trade" && event.history === true && event.tradeId !== undefined && !known.has(event.tradeId)
      ) {
        known.add(event.tradeId)
        counts.fetched++
        continue
      }
      if (before !== undefined && late.delete(before)) deliver(before)
      else if (before !== undefined && struck(before, "Duplicate")) {
        counts.duplicates++
        rest = restOf(before)
      } else blame(`${id} arrived in epoch ${epoch}, where it was ${before === undefined ? "never sent" : "sent once"}`)
    }
    miss(sent.length, Infinity)
    // What was to come behind another, and did not before its connection ended.
    for (const message of late) {
      const identity = identityIn(simulation.venue, message)
      if (identity !== undefined && known.has(identity)) counts.repeated++
      else if (message.connection < epoch) counts.lostInGaps++
      else {
        counts.unaccounted++
        blame(`${message.id} of connection ${message.connection}, sent at ${message.at}, has not come late`)
      }
    }
    // What came twice and is known by its number or id was passed over.
    for (const message of sent) {
      const identity = identityIn(simulation.venue, message)
      if (identity !== undefined && known.has(identity) && struck(message, "Duplicate")) counts.duplicates++
    }
    return { channel, product, ...counts }
  })
  return { accounts, violations }
}

const dataOf = (venue: Venue, frame: Frame.Frame): MarketEvent.MarketData | undefined => {
  const decoded = venue.decode(frame)
  return "_tag" in decoded ? undefined : decoded.find(MarketEvent.isMarketData)
}

/** By what a message is known on any connection: a trade by its id, another by its number, if that is its own. */
const identityOf = (venue: Venue, event: MarketEvent.MarketData): string | undefined => {
  switch (event._tag) {
    case "Trade":
      return event.tradeId
    case "Ticker":
      return venue.frames === undefined ? event.sequence : undefined
    case "BookDelta":
      return venue.continuity === "delta" ? event.sequence : undefined
    default:
      return undefined
  }
}

const identityIn = (venue: Venue, { text }: Sent): string | undefined => {
  const event = dataOf(venue, text)
  return event === undefined ? undefined : identityOf(venue, event)
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
