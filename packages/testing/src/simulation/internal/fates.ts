/** What became of each message that a simulated venue sent, as its own end and the client's socket saw it. */
import type * as FaultPlan from "../../network/FaultPlan.ts"
import type { Sent, Simulation } from "./simulatedVenue.ts"

/**
 * What became of a message: how a fault changed it, how many of it were on their
 * way, and which of the frames that came to the client it was, by their places
 * in `arrived`.
 */
export interface Fate {
  readonly message: Sent
  readonly alteration: FaultPlan.Alteration | undefined
  readonly copies: number
  readonly arrivals: ReadonlyArray<number>
}

// By connection and text, in order.
class Places<A> {
  private readonly places = new Map<number, Map<unknown, Array<A>>>()

  add(connection: number, text: unknown, one: A): void {
    const ofConnection = this.places.get(connection) ?? new Map<unknown, Array<A>>()
    const all = ofConnection.get(text) ?? []
    all.push(one)
    this.places.set(connection, ofConnection.set(text, all))
  }

  of(connection: number, text: unknown): Array<A> {
    return this.places.get(connection)?.get(text) ?? []
  }
}

const copiesOf = (alteration: FaultPlan.Alteration | undefined): number => {
  if (alteration?.kind === "Lose") return 0
  return alteration?.kind === "Duplicate" ? 2 : 1
}

/** What became of each message, in the order in which they were sent. A connection keeps their order. */
export const fatesOf = (
  { arrived, faults, sent }: Pick<Simulation, "arrived" | "faults" | "sent">
): ReadonlyArray<Fate> => {
  const arrivals = new Places<number>()
  for (const [place, { connection, frame }] of arrived.entries()) arrivals.add(connection, frame, place)
  const alterations = new Places<FaultPlan.Alteration>()
  for (const alteration of faults.alterations) alterations.add(alteration.connection, alteration.frame, alteration)
  return sent.map((message): Fate => {
    const altered = alterations.of(message.connection, message.text)
    const alteration = altered[0]?.at === message.at ? altered.shift() : undefined
    const copies = copiesOf(alteration)
    const text = alteration?.became ?? message.text
    return { message, alteration, copies, arrivals: arrivals.of(message.connection, text).splice(0, copies) }
  })
}
