/**
 * What a connection has for the rooms that are built on it, and an owner has no
 * use for.
 *
 * @since 0.1.0
 */
import type { NamedObserver } from "../Observer.ts"

/**
 * The key under which a connection has its internals.
 *
 * @category symbols
 * @since 0.1.0
 */
export const internals: unique symbol = Symbol.for("@tickline/core/connection/internals")

/**
 * What a connection has besides what its owner calls.
 *
 * @category models
 * @since 0.1.0
 */
export interface Internals<A> {
  /** Attaches an observer before those that were declared, at once if an epoch is up. Returns what detaches it. */
  readonly attach: (observer: NamedObserver<A>) => () => void
}
