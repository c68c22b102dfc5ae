/**
 * What is known of orders that bear one client id one after the other: an
 * amendment ends one number and begins another, of what was left.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../../value/Decimal.ts"
import type { Order } from "./orders.ts"

/** So many client ids are remembered. */
const mostKept = 10_000

interface Known {
  /** How much of each number is filled. */
  readonly filled: Map<string, Decimal.Decimal>
  placedAt: number
  isWhole: boolean
}

/**
 * The orders of an account by client id, as far as anything was said of them.
 *
 * @category models
 * @since 0.1.0
 */
export class Amendments {
  private readonly known = new Map<string, Known>()

  private of(cloid: string): Known {
    const known = this.known.get(cloid) ?? { filled: new Map(), placedAt: Infinity, isWhole: false }
    this.known.delete(cloid)
    this.known.set(cloid, known)
    for (const oldest of this.known.keys()) {
      if (this.known.size <= mostKept) break
      this.known.delete(oldest)
    }
    return known
  }

  /** Something was said of an order. */
  record({ cloid, filled, oid, placedAt }: Order): void {
    if (cloid === undefined) return
    const known = this.of(cloid)
    const before = known.filled.get(oid)
    if (before === undefined || BigDecimal.isGreaterThan(filled, before)) known.filled.set(oid, filled)
    known.placedAt = Math.min(known.placedAt, placedAt)
  }

  /** All numbers of a client id are known from now on. */
  complete(cloid: string): void {
    this.of(cloid).isWhole = true
  }

  isComplete(cloid: string): boolean {
    return this.known.get(cloid)?.isWhole === true
  }

  /** The numbers that are known of a client id. */
  idsOf(cloid: string): ReadonlyArray<string> {
    return [...this.known.get(cloid)?.filled.keys() ?? []]
  }

  /** When the first order of a client id was placed, in epoch milliseconds. */
  placedAt(cloid: string): number | undefined {
    const at = this.known.get(cloid)?.placedAt
    return at === undefined || at === Infinity ? undefined : at
  }

  /** What was filled of the numbers before that of an order. */
  filledBefore({ cloid, oid }: Order): Decimal.Decimal {
    const known = cloid === undefined ? undefined : this.known.get(cloid)
    let sum = Decimal.zero
    for (const [other, filled] of known?.filled ?? []) {
      if (BigInt(other) < BigInt(oid)) sum = BigDecimal.sum(sum, filled)
    }
    return sum
  }
}
