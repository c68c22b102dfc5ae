/** Whether a feed's ledger says what a venue sent, and what of it was lost. `Simulation.run` reports it. */
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Ledger from "@tickline/core/market/Ledger"
import type * as Channel from "@tickline/core/value/Channel"
import { isOf } from "./accounts.ts"
import type { Sent, Simulation } from "./simulatedVenue.ts"

type Seen = ReadonlyArray<MarketEvent.AnyEvent>

const missing = ({ gaps }: Ledger.Entry): number => gaps.reduce((sum, gap) => sum + (gap.missing ?? 0), 0)

const isLost = ({ faults }: Pick<Simulation, "faults">, { connection, text }: Sent): boolean =>
  faults.alterations.some((one) => one.kind === "Lose" && one.connection === connection && one.frame === text)

// Where trades count one by one, those that came and those that are missing are all between the first and the last.
const trades = (simulation: Pick<Simulation, "venue">, entry: Ledger.Entry, seen: Seen): ReadonlyArray<string> => {
  const member = simulation.venue.tradeNumber?.(entry.channel)
  const numbers = seen.flatMap((event) => member === undefined || event._tag !== "Trade" ? [] : Number(event[member]))
  if (numbers.length === 0) return []
  const span = Math.max(...numbers) - Math.min(...numbers) + 1
  const entered = new Set(numbers).size + missing(entry)
  return span === entered ? [] : [`${span} trades were there, and the ledger knows of ${entered}`]
}

// Where frames count one by one, each that was lost lies in a gap, if another one of its connection has come since.
const frames = (
  simulation: Pick<Simulation, "faults" | "sent" | "venue">,
  entry: Ledger.Entry
): ReadonlyArray<string> => {
  if (simulation.venue.frames === undefined) return []
  const { channel, gaps, product } = entry
  return simulation.sent.flatMap((message, i) => {
    if (message.channel !== channel || message.product !== product || !isLost(simulation, message)) return []
    const isFollowed = simulation.sent.slice(i + 1).some((later) =>
      later.connection === message.connection && later.at > message.at + 10_000 && !isLost(simulation, later)
    )
    const isIn = gaps.some(({ cause, from, to }) =>
      cause === "disconnect" || (Number(from) < Number(message.id) && Number(message.id) < Number(to))
    )
    return !isFollowed || isIn ? [] : [`${message.id} of connection ${message.connection} is lost, and in no gap`]
  })
}

/**
 * Holds the ledger against what was sent and what came of it: every count adds
 * up, what was received and was not there already is what consumers saw, and what
 * was lost is in the ledger, as many as a venue's numbers can show.
 */
export const inspect = (
  simulation: Pick<Simulation, "faults" | "sent" | "venue">,
  ledger: Ledger.Ledger,
  seen: Seen,
  channels: ReadonlyArray<Channel.Channel>
): ReadonlyArray<string> => {
  const losses = simulation.faults.alterations.filter(({ kind }) => kind === "Lose").length
  return channels.flatMap(({ channel, product = "" }) => {
    const entry = ledger.entries.find((entry) => entry.channel === channel && entry.product === product)
    if (entry === undefined) return [`${channel} ${product}: it is not in the ledger`]
    const { duplicates, gaps, isBalanced, received } = entry
    const own = seen.filter((event) => isOf(simulation.venue, event, channel, product))
    const found = [...trades(simulation, entry, own), ...frames(simulation, entry)]
    if (!isBalanced) found.push("its counts do not add up")
    if (received - duplicates !== own.length) {
      found.push(`${received} received and ${duplicates} there already, and ${own.length} were seen`)
    }
    const sequences = gaps.filter(({ cause }) => cause === "sequence").length
    if (sequences > losses) found.push(`${sequences} gaps of its numbers, for ${losses} messages that were lost`)
    return found.map((words) => `ledger of ${channel} ${product}: ${words}`)
  })
}
