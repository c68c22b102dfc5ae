/**
 * A matching engine as its documentation tells it, in the plainest of codes:
 * whole numbers, one list of orders that is sorted whenever something is looked
 * for, and a copy of everything to go back to. It says what happens in lines.
 */
export type Asked =
  | {
    readonly kind: "place"
    readonly account: string
    readonly side: "buy" | "sell"
    readonly amount: number
    /** Absent of a market order. */
    readonly price: number | undefined
    readonly timeInForce: "gtc" | "ioc" | "fok" | "post-only"
    readonly moves: boolean
    readonly reduceOnly: boolean
    readonly selfTrade: "allow" | "cancel-maker" | "cancel-taker" | "cancel-both"
    readonly validUntil: number | undefined
  }
  | {
    readonly kind: "amend"
    readonly account: string
    readonly id: number
    readonly price: number | undefined
    readonly amount: number | undefined
  }
  | { readonly kind: "cancel"; readonly account: string; readonly id: number }
  | { readonly kind: "cancelAll"; readonly account: string | undefined; readonly side: "buy" | "sell" | undefined }

type Placed = Extract<Asked, { kind: "place" }>

interface Entry extends Omit<Placed, "price" | "amount"> {
  readonly id: number
  price: number | undefined
  amount: number
  filled: number
  /** Its place in time. */
  arrival: number
}

interface State {
  placed: number
  arrivals: number
  trades: number
  resting: Array<Entry>
  positions: Record<string, number>
}

export class Reference {
  state: State = { placed: 0, arrivals: 0, trades: 0, resting: [], positions: {} }
  lines: Array<string> = []

  apply(asked: Asked, at: number): ReadonlyArray<string> {
    this.lines = []
    const expired = this.state.resting
      .filter(({ validUntil }) => validUntil !== undefined && validUntil <= at)
      .sort((one, other) => (one.validUntil ?? 0) - (other.validUntil ?? 0) || one.id - other.id)
    for (const entry of expired) this.remove(entry, "expired")
    const refusal = this.carryOut(asked, at)
    if (refusal !== undefined) this.lines.push(`rejected ${refusal}`)
    return this.lines
  }

  private carryOut(asked: Asked, at: number): string | undefined {
    if (asked.kind === "place") return this.place(asked, at)
    if (asked.kind === "cancelAll") {
      for (const entry of this.state.resting.toSorted((one, other) => one.id - other.id)) {
        if (asked.account !== undefined && entry.account !== asked.account) continue
        if (asked.side !== undefined && entry.side !== asked.side) continue
        this.remove(entry, "cancelled requested")
      }
      return undefined
    }
    const entry = this.state.resting.find(({ account, id }) => id === asked.id && account === asked.account)
    if (entry === undefined) return "UnknownOrder"
    if (asked.kind === "cancel") {
      this.remove(entry, "cancelled requested")
      return undefined
    }
    const amount = asked.amount ?? entry.amount
    if (amount <= entry.filled) return "BelowFilled"
    const price = this.priceFor(entry, asked.price ?? entry.price)
    if (price === "WouldTrade") return price
    if (price === entry.price && amount <= entry.amount) {
      entry.amount = amount
      this.say("amended in place", entry)
      return undefined
    }
    this.state.resting = this.state.resting.filter((other) => other !== entry)
    entry.price = price
    entry.amount = amount
    this.say("amended", entry)
    this.match(entry)
    return undefined
  }

  private place(asked: Placed, at: number): string | undefined {
    if (asked.validUntil !== undefined && asked.validUntil <= at) return "TooLate"
    if (asked.reduceOnly && this.reducible(asked.account, asked.side) === 0) return "NotReducing"
    const entry: Entry = { ...asked, id: this.state.placed + 1, filled: 0, arrival: 0 }
    const price = this.priceFor(entry, asked.price)
    if (price === "WouldTrade") return price
    entry.price = price
    const before = structuredClone(this.state)
    const lines = [...this.lines]
    this.state.placed++
    this.say("accepted", entry)
    this.match(entry)
    if (asked.timeInForce === "fok" && entry.filled < entry.amount) {
      this.state = before
      this.lines = lines
      return `NotFillable ${entry.filled}`
    }
    return undefined
  }

  private priceFor(entry: Entry, wanted: number | undefined): number | undefined | "WouldTrade" {
    const other = this.facing(entry)[0]?.price
    if (entry.timeInForce !== "post-only" || wanted === undefined || other === undefined) return wanted
    const isCrossed = entry.side === "buy" ? wanted >= other : wanted <= other
    if (!isCrossed) return wanted
    const beside = entry.side === "buy" ? other - 1 : other + 1
    return entry.moves && beside > 0 ? beside : "WouldTrade"
  }

  /** What rests on the other side: the best price first, and of one price what came first. */
  private facing(entry: Entry): ReadonlyArray<Entry> {
    const sign = entry.side === "buy" ? 1 : -1
    return this.state.resting.filter(({ side }) => side !== entry.side)
      .sort((one, other) => sign * ((one.price ?? 0) - (other.price ?? 0)) || one.arrival - other.arrival)
  }

  private match(taker: Entry): void {
    const accounts: Array<string> = []
    let left = taker.amount - taker.filled
    if (taker.reduceOnly) left = Math.min(left, this.reducible(taker.account, taker.side))
    const mayRest = (): boolean => {
      for (;;) {
        const maker = this.facing(taker).find(({ price = 0 }) =>
          taker.price === undefined || (taker.side === "buy" ? price <= taker.price : price >= taker.price)
        )
        if (left === 0 || maker === undefined) break
        if (maker.account === taker.account && taker.selfTrade !== "allow") {
          if (taker.selfTrade !== "cancel-taker") this.remove(maker, "cancelled self-trade")
          if (taker.selfTrade === "cancel-maker") continue
          this.say("cancelled self-trade", taker)
          return false
        }
        const there = maker.amount - maker.filled
        const may = maker.reduceOnly ? Math.min(there, this.reducible(maker.account, maker.side)) : there
        const amount = Math.min(left, may)
        const wantsMore = left > may
        if (amount > 0) {
          this.trade(maker, taker, amount)
          left -= amount
          accounts.push(maker.account, taker.account)
        }
        if (maker.filled === maker.amount) this.state.resting = this.state.resting.filter((other) => other !== maker)
        else if (wantsMore) this.remove(maker, "cancelled reduce-only")
      }
      if (taker.filled === taker.amount) return false
      const reason = left === 0
        ? "reduce-only"
        : taker.price === undefined || taker.timeInForce === "ioc"
        ? "immediate"
        : undefined
      // A fok is taken back as a whole.
      if (reason !== undefined) this.say(`cancelled ${reason}`, taker)
      return reason === undefined
    }
    if (mayRest()) this.state.resting.push({ ...taker, arrival: ++this.state.arrivals })
    for (const account of accounts) {
      for (const entry of this.state.resting.filter((other) => other.account === account && other.reduceOnly)) {
        if (this.reducible(account, entry.side) === 0) this.remove(entry, "cancelled reduce-only")
      }
    }
  }

  private trade(maker: Entry, taker: Entry, amount: number): void {
    this.state.trades++
    maker.filled += amount
    taker.filled += amount
    this.move(maker, amount)
    this.move(taker, amount)
    const sides = [maker, taker].map(({ account, filled, id }) => `${id} of ${account} (${filled})`)
    this.lines.push(`trade ${this.state.trades} ${amount}@${maker.price} ${sides.join(" with ")}`)
  }

  private move({ account, side }: Entry, amount: number): void {
    this.state.positions[account] = this.position(account) + (side === "buy" ? amount : -amount)
  }

  position(account: string): number {
    return this.state.positions[account] ?? 0
  }

  private reducible(account: string, side: "buy" | "sell"): number {
    return Math.max(0, side === "buy" ? -this.position(account) : this.position(account))
  }

  private remove(entry: Entry, how: string): void {
    this.state.resting = this.state.resting.filter((other) => other !== entry)
    this.say(how, entry)
  }

  private say(what: string, { account, amount, filled, id, price, side }: Entry): void {
    this.lines.push(`${what} ${id} of ${account}: ${side} ${filled}/${amount}@${price ?? "market"}`)
  }
}
