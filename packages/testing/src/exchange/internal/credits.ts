/** Credits that are spent by requests and come back with time. */

/** A pool of credits: how many it holds, how many come back each second, and what a request takes. */
export interface Pool {
  readonly capacity: number
  readonly perSecond: number
  readonly cost: number
}

/** A request that took credits, or found too few. Times are epoch milliseconds. */
export interface Spent<Name extends string> {
  readonly at: number
  /** Whose credits: an account, or the address of those that have not signed in. */
  readonly owner: string
  readonly pool: Name
  readonly cost: number
  /** What is left; unchanged where it was too little. */
  readonly left: number
  readonly isRefused: boolean
}

/** The credits of everybody. */
export class Credits<Name extends string> {
  readonly history: Array<Spent<Name>> = []
  private readonly left = new Map<string, { readonly at: number; readonly left: number }>()
  private readonly poolsOf: (owner: string) => Readonly<Record<Name, Pool>>

  constructor(poolsOf: (owner: string) => Readonly<Record<Name, Pool>>) {
    this.poolsOf = poolsOf
  }

  /** Takes a request's credits; `false` if they are too few. */
  take(owner: string, pool: Name, at: number): boolean {
    const { capacity, cost, perSecond } = this.poolsOf(owner)[pool]
    const key = `${pool} ${owner}`
    const before = this.left.get(key) ?? { at, left: capacity }
    const there = Math.min(capacity, before.left + (at - before.at) * perSecond / 1_000)
    const isRefused = there < cost
    const left = isRefused ? there : there - cost
    this.left.set(key, { at, left })
    this.history.push({ at, owner, pool, cost, left, isRefused })
    return !isRefused
  }
}
