/** What becomes of market data on its way to one client, and the account of it. */
import type * as Fault from "../../network/Fault.ts"
import type { MockVenue, Outgoing } from "../../venue/MockVenue.ts"
import type { Line } from "./line.ts"
import type { ServerCounts } from "./model.ts"

/** The faults that strike the next frame of market data. */
export type FrameFault = Extract<Fault.Action["_tag"], "Fragment" | "Duplicate" | "Reorder" | "Lose" | "Corrupt">

type Counters = { -readonly [K in keyof ServerCounts]: ServerCounts[K] }

/** Counts by channel and product. */
export class Accounts {
  private readonly all = new Map<string, Counters>()

  enter({ channel, product }: { readonly channel: string; readonly product: string }, what: CountName): void {
    const key = `${channel}\n${product}`
    let counters = this.all.get(key)
    if (counters === undefined) {
      counters = { channel, product, sent: 0, duplicated: 0, lost: 0, reordered: 0, corrupted: 0 }
      this.all.set(key, counters)
    }
    counters[what]++
  }

  list(): ReadonlyArray<ServerCounts> {
    return Array.from(this.all.values(), (counters) => ({ ...counters }))
  }
}

type CountName = Exclude<keyof ServerCounts, "channel" | "product">

/** The data frames of one line. Faults wait for the next one, first come first. */
export class DataFaults {
  private readonly waiting: Array<FrameFault> = []
  private held: Outgoing | undefined
  private readonly line: Line
  private readonly corrupt: MockVenue["corrupt"]
  private readonly accounts: ReadonlyArray<Accounts>

  constructor(line: Line, corrupt: MockVenue["corrupt"], accounts: ReadonlyArray<Accounts>) {
    this.line = line
    this.corrupt = corrupt
    this.accounts = accounts
  }

  /** Strikes the next frame that has not been struck. */
  add(fault: FrameFault): void {
    this.waiting.push(fault)
  }

  /** Sends a frame as the faults leave it; cut in half where data is malformed. */
  send({ data, text }: Outgoing, isMalformed: boolean): void {
    const { line } = this
    if (data === undefined) return line.send(text)
    const enter = (what: CountName) => this.accounts.forEach((accounts) => accounts.enter(data, what))
    enter("sent")
    if (line.isSilent) return enter("lost")
    if (isMalformed) {
      enter("lost")
      return line.send(text.slice(0, text.length / 2))
    }
    const corrupted = this.waiting[0] === "Corrupt" ? this.corrupt(text) : undefined
    const strike = this.waiting[0] === "Corrupt" && corrupted === undefined ? undefined : this.waiting.shift()
    const { held } = this
    this.held = undefined
    switch (strike) {
      case "Lose":
        enter("lost")
        break
      case "Duplicate":
        enter("sent")
        enter("duplicated")
        line.send(text)
        line.send(text)
        break
      case "Reorder":
        enter("reordered")
        this.held = { data, text }
        break
      case "Corrupt":
        enter("corrupted")
        line.send(corrupted ?? text)
        break
      default:
        line.send(text, strike === "Fragment")
    }
    if (held !== undefined) line.send(held.text)
  }
}
