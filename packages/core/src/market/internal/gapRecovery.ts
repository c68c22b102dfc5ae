/**
 * How what a gap holds comes to be there nevertheless, and who sees to it.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "../../event/Lifecycle.ts"
import type { LedgerEntry as Entry } from "./ledgerEntry.ts"

/**
 * How what a gap holds came to be there nevertheless.
 *
 * @category models
 * @since 0.1.0
 */
export type Recovery = NonNullable<Lifecycle.Gap["recovered"]>

/**
 * A gap that is over when it is found.
 *
 * @category models
 * @since 0.1.0
 */
export type Found =
  & Required<Pick<Lifecycle.Gap, "cause" | "from" | "to">>
  & Pick<Lifecycle.Gap, "missing" | "recovered">

/**
 * Whoever fetches what gaps hold. It is told in the steps in which they begin and
 * end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recoverer {
  /** A drop has begun a gap, or come in one. */
  readonly dropped: (entry: Entry, from: number) => void
  /** What is missing after a drop can be asked for: the channel is confirmed. */
  readonly confirmed: (entry: Entry) => void
  /** Numbers show that some are missing. Returns whether they are fetched: then the gap is ended by it, with `closed`. */
  readonly missed: (entry: Entry, gap: Pick<Found, "from" | "to">) => boolean
  /** Nobody waits for it any more. */
  readonly left: (entry: Entry) => void
}
