/** Whether a feed's ledger says what a venue sent, and what of it was lost. `Simulation.run` reports it. */
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Ledger from "@tickline/core/market/Ledger"
import type * as Channel from "@tickline/core/value/Channel"
import { type Fate, fatesOf } from "./fates.ts"
import { isOf } from "./reconciliation.ts"
import type { Simulation } from "./simulatedVenue.ts"
import { goesOnAt, isHarmed, methodOf, type Shown, shownAt, type Sight } from "./venueMethods.ts"

/** What a consumer of all events saw, and when, in epoch milliseconds. */
export interface Seen {
  readonly events: ReadonlyArray<MarketEvent.AnyEvent>
  readonly at: ReadonlyArray<number>
}

type Observed = Pick<Simulation, "arrived" | "faults" | "sent" | "venue">

// --- gaps as they were told ------------------------------------------------------

/** A gap, from when to when it was open; it was found at one moment if it was over then. */
interface Told {
  readonly gap: Lifecycle.Gap
  readonly connection: number
  readonly from: number
  to: number
}

const isSame = (a: Lifecycle.Gap, b: Lifecycle.Gap): boolean => a.cause === b.cause && a.from === b.from

const toldOf = ({ at, events }: Seen, { channel, product }: Channel.Channel): ReadonlyArray<Told> => {
  const told: Array<Told> = []
  let connection = 0
  for (const [i, event] of events.entries()) {
    if (event._tag === "Connection") connection = event.epoch ?? connection
    if (event._tag !== "Gap" || event.channel !== channel || event.product !== product) continue
    const now = at[i] ?? 0
    const open = told.find(({ gap, to }) => to === Infinity && isSame(gap, event))
    if (open !== undefined) open.to = now
    else told.push({ gap: event, connection, from: now, to: event.to === undefined ? Infinity : now })
  }
  return told
}

// --- rules -------------------------------------------------------------------

/** What is known of one product of one channel. */
interface Subject extends Sight {
  readonly simulation: Observed
  readonly entry: Ledger.Entry
  /** That of the channel, if it is of all products. */
  readonly gaps: ReadonlyArray<Lifecycle.Gap>
  readonly told: ReadonlyArray<Told>
  readonly seen: Seen
  readonly drops: ReadonlyMap<number, number>
}

const words = ({ message }: Fate): string => `${message.id} of connection ${message.connection}, sent at ${message.at},`

/** When the client saw each connection end that has ended, besides the last one, by its number. */
const dropsOf = ({ at, events }: Seen): ReadonlyMap<number, number> => {
  const drops = new Map<number, number>()
  let up: number | undefined
  for (const [i, event] of events.entries()) {
    if (event._tag !== "Connection") continue
    if (event.state === "Connected") up = event.epoch
    else if (up !== undefined && event.state !== "Closing") {
      drops.set(up, at[i] ?? 0)
      up = undefined
    }
  }
  return drops
}

// Each drop is in a gap, and each gap of that cause began with one.
const disconnects = (subject: Subject): ReadonlyArray<string> => {
  const { told } = subject
  const drops = [...subject.drops.values()]
  return [
    ...drops.flatMap((at) =>
      told.some(({ from, to }) => from <= at && at <= to) ? [] : [`no gap holds the drop at ${at}`]
    ),
    ...told.flatMap(({ from, gap: { cause } }) =>
      cause !== "disconnect" || drops.includes(from) ? [] : [`a gap began at ${from}, where nothing dropped`]
    )
  ]
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text)

// Whether a gap says that a message is missing, which a frame has shown.
const holds = (subject: Subject, { gap, ...told }: Told, fate: Fate, shown: Shown): boolean => {
  const { fates, method } = subject
  const { connection, at } = fate.message
  const isBetween = (number: number): boolean =>
    isNumber(gap.from) && Number(gap.from) < number && number < Number(gap.to)
  const number = method?.numberOf(fate.message) ?? 0
  if (told.connection === connection && isBetween(number)) return true
  if (told.from <= shown.to && at <= told.to) {
    return fate.alteration?.kind === "Corrupt" || !isNumber(gap.from)
  }
  // What was lost before anything else came is in the gap of the drop before, which the first that came has measured.
  const isFirst = !fates.some(({ arrivals: [place = Infinity], message }) =>
    message.connection === connection && place < shown.place
  )
  return method?.of === "messages" && gap.cause === "disconnect" && isFirst && told.to <= at
}

// All that came is counted, and all that did not is in a gap, if something can show it: what was sent is what came and
// what the gaps hold, besides what nothing shows.
const losses = (subject: Subject): ReadonlyArray<string> => {
  const { drops, entry, fates, told } = subject
  const found: Array<string> = []
  const sum = { sent: 0, came: 0, inGaps: 0, unshown: 0 }
  for (const fate of fates) {
    const { alteration, arrivals, copies, message } = fate
    const each = message.events.filter(({ product }) => product === entry.product).length
    const isLost = alteration?.kind === "Lose"
    sum.sent += each * (isLost ? 1 : copies)
    sum.came += each * arrivals.length
    if (arrivals.length < copies) {
      const end = drops.get(message.connection)
      if (end !== undefined && told.some(({ from, to }) => from <= end && end <= to)) {
        sum.inGaps += each * (copies - arrivals.length)
      } else found.push(`${words(fate)} did not come, and no drop's gap holds it`)
    }
    const shown = shownAt(subject, fate)
    if (shown !== undefined && told.some((one) => holds(subject, one, fate, shown))) {
      if (isLost) sum.inGaps += each
    } else if (shown === undefined || shown.isDoubtful) {
      if (isLost) sum.unshown += each
    } else found.push(`${alteration?.kind ?? ""}: ${words(fate)} is in no gap, though that shows at ${shown.from}`)
  }
  const received = entry.received + entry.rejected
  if (received !== sum.came) found.push(`${sum.came} came, and the ledger has received ${received}`)
  if (sum.sent !== received + sum.inGaps + sum.unshown) {
    found.push(
      `${sum.sent} were sent, ${received} received, ${sum.inGaps} lost in gaps, ${sum.unshown} where nothing shows it`
    )
  }
  return found
}

// Each gap that something shows has a fault that explains it, and was told when that showed.
const explained = (subject: Subject): ReadonlyArray<string> => {
  const { all, fates, method, told } = subject
  const found = told.filter(({ gap: { cause } }) => cause !== "disconnect" && cause !== "overflow")
  if (found.length === 0) return []
  const harmed = (method?.of === "frames" ? all : fates).filter(isHarmed)
  const shown = harmed.flatMap((fate) => shownAt(subject, fate) ?? [])
  const again = new Set(harmed.map((fate) => goesOnAt(subject, fate)))
  // A state that was as it would be in its best levels may not be further down, and show that later; so does a delta
  // that came before the snapshot which a fault put behind it.
  const isLater = ({ connection, from }: Told): boolean =>
    harmed.some(({ message }) =>
      message.connection === connection && message.at <= from &&
      (method?.of === "state" || message.events.some(({ _tag }) => _tag === "BookSnapshot"))
    )
  return found.flatMap((one) => {
    const { connection, from, gap: { cause } } = one
    return again.has(from) || isLater(one) ||
        shown.some((one) => one.connection === connection && one.from <= from && from <= one.to)
      ? []
      : [`a gap of cause ${cause} at ${from} on connection ${connection}, where nothing was lost`]
  })
}

const numbersOf = ({ entry, seen, simulation: { venue } }: Subject): ReadonlySet<number> => {
  const member = venue.tradeNumber?.(entry.channel)
  return new Set(
    seen.events.flatMap((event) =>
      member !== undefined && event._tag === "Trade" && event.product === entry.product ? Number(event[member]) : []
    )
  )
}

// Where trades count one by one, those that came and those that are missing are all between the first and the last.
const span = (subject: Subject): ReadonlyArray<string> => {
  const numbers = numbersOf(subject)
  if (numbers.size === 0) return []
  const all = Math.max(...numbers) - Math.min(...numbers) + 1
  const entered = numbers.size + subject.entry.gaps.reduce((sum, { missing = 0 }) => sum + missing, 0)
  return all === entered ? [] : [`${all} trades were there, and the ledger knows of ${entered}`]
}

// And each gap of their numbers says how many of them it holds.
const measured = (subject: Subject): ReadonlyArray<string> => {
  const numbers = numbersOf(subject)
  if (numbers.size === 0) return []
  return subject.entry.gaps.flatMap(({ cause, from, missing, to }) => {
    if (cause !== "sequence") return []
    let lost = 0
    for (let number = Number(from) + 1; number < Number(to); number++) if (!numbers.has(number)) lost++
    return lost === missing ? [] : [`${lost} trades are missing between ${from} and ${to}, and it says ${missing}`]
  })
}

// The ledger has the gaps that were told, and no others.
const same = ({ gaps, told }: Subject): ReadonlyArray<string> => {
  const write = (all: ReadonlyArray<Lifecycle.Gap>) =>
    all.map(({ cause, from }) => `${cause} ${from}`).toSorted().join()
  return write(gaps) === write(told.map(({ gap }) => gap)) ? [] : ["its gaps are not those that were told"]
}

const counts = ({ entry, seen, simulation: { venue } }: Subject): ReadonlyArray<string> => {
  const { channel, duplicates, isBalanced, product = "", received } = entry
  const own = seen.events.filter((event) => isOf(venue, event, channel, product)).length
  return [
    ...(isBalanced ? [] : ["its counts do not add up"]),
    ...(received - duplicates === own
      ? []
      : [`${received} received and ${duplicates} there already, and ${own} were seen`])
  ]
}

/**
 * Holds the ledger against what was sent and what came of it: every count adds
 * up; all that came to the client is counted; what did not is in a gap, of a drop
 * or as far as the venue's method can show it, from the first frame on that shows
 * it; and each gap has a fault that explains it.
 */
export const inspect = (
  simulation: Observed,
  ledger: Ledger.Ledger,
  seen: Seen,
  channels: ReadonlyArray<Channel.Channel>,
  isFetching: boolean
): ReadonlyArray<string> => {
  // What is fetched did not come to the socket, and fills gaps.
  const rules = isFetching ? [counts, span] : [counts, span, disconnects, losses, explained, measured, same]
  const all = fatesOf(simulation)
  const drops = dropsOf(seen)
  return channels.flatMap((wanted) => {
    const whole = ledger.entries.find(({ channel, product }) =>
      channel === wanted.channel && product === wanted.product
    )
    if (whole === undefined) return [`ledger: ${wanted.channel} ${wanted.product ?? ""} is not in it`]
    const told = toldOf(seen, wanted)
    const entries = wanted.product === undefined
      ? ledger.entries.filter(({ channel, product }) => channel === wanted.channel && product !== undefined)
      : [whole]
    return entries.flatMap((entry) => {
      const subject: Subject = {
        simulation,
        entry,
        gaps: whole.gaps,
        told,
        fates: all.filter(({ message: { channel, events } }) =>
          channel === entry.channel && events.some(({ product }) => product === entry.product)
        ),
        all,
        seen,
        drops,
        method: methodOf(simulation.venue, entry.channel)
      }
      return rules.flatMap((rule) => rule(subject)).map((found) =>
        `ledger of ${entry.channel} ${entry.product ?? ""}: ${found}`
      )
    })
  })
}
