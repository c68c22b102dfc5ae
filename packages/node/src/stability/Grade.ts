/**
 * What a stability run is worth.
 *
 * @since 0.1.0
 */

/**
 * A grade, the best first.
 *
 * @category models
 * @since 0.1.0
 */
export type Grade = "EXCELLENT" | "GOOD" | "FAIR" | "POOR"

/**
 * What a grade is of: heartbeats that were answered as a share of those that were
 * due, how often a connection came back, and how much went wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly heartbeatSuccess: number
  readonly reconnects: number
  readonly errors: number
}

/**
 * What each grade but the last asks for: more than this share of heartbeats, and
 * fewer errors and reconnects than these.
 *
 * @category constants
 * @since 0.1.0
 */
export const bounds: ReadonlyArray<Counts & { readonly grade: Grade }> = [
  { grade: "EXCELLENT", heartbeatSuccess: 0.95, reconnects: 1, errors: 1 },
  { grade: "GOOD", heartbeatSuccess: 0.9, reconnects: 3, errors: 5 },
  { grade: "FAIR", heartbeatSuccess: 0.8, reconnects: 10, errors: 10 }
]

/**
 * The grade of a run, however long it was.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = ({ errors, heartbeatSuccess, reconnects }: Counts): Grade =>
  bounds.find((bound) =>
    heartbeatSuccess > bound.heartbeatSuccess && reconnects < bound.reconnects && errors < bound.errors
  )?.grade ?? "POOR"

/**
 * Whether a run passes. One of more than an hour: more than 95 % of its
 * heartbeats, and in an hour less than one reconnect and two errors; a shorter
 * one: more than 90 %, fewer than two reconnects and five errors.
 *
 * @category predicates
 * @since 0.1.0
 */
export const passes = ({ errors, heartbeatSuccess, reconnects }: Counts, hours: number): boolean =>
  hours > 1
    ? heartbeatSuccess > 0.95 && reconnects < hours && errors < 2 * hours
    : heartbeatSuccess > 0.9 && reconnects < 2 && errors < 5
