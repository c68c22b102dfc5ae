/**
 * What changes a book before the snapshot that it is to begin with is there: kept
 * until then, and whether it follows on that snapshot.
 *
 * @since 0.1.0
 */
import * as Digits from "../../value/internal/digits.ts"

const numberOf = ({ sequence }: { readonly sequence?: string | undefined }): Digits.Integer =>
  Digits.toInteger(sequence) ?? 0

/**
 * The changes that wait for a snapshot, at most so many of them.
 *
 * @category models
 * @since 0.1.0
 */
export class SnapshotBuffer<A extends { readonly sequence?: string | undefined }> {
  private kept: Array<A> = []
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  get isEmpty(): boolean {
    return this.kept.length === 0
  }

  /** Keeps one more; of too many none is of use. */
  keep(change: A): void {
    if (this.kept.length >= this.most) this.kept = []
    // The peer goes on from lower numbers: what jumped ahead of them is not to be waited for.
    const number = numberOf(change)
    const last = this.kept.at(-1)
    if (last !== undefined && numberOf(last) >= number) this.kept = this.kept.filter((one) => numberOf(one) < number)
    this.kept.push(change)
  }

  clear(): void {
    this.kept = []
  }

  /**
   * Those that were kept, to be applied to a snapshot; nothing if it is too old: the first that is newer does not
   * follow it.
   */
  behind(
    snapshot: { readonly sequence?: string | undefined },
    follows: (change: A) => boolean
  ): ReadonlyArray<A> | undefined {
    const first = this.kept.find((one) => numberOf(one) > numberOf(snapshot))
    return first === undefined || follows(first) ? this.kept : undefined
  }
}
