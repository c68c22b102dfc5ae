/**
 * Instances of a Schema class from members that are known to be valid.
 *
 * @since 0.1.0
 */

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

/**
 * The members of a class's instances but the tag; those that may be absent may
 * be `undefined` as well.
 *
 * @category models
 * @since 0.1.0
 */
export type Members<A> = {
  readonly [K in keyof A as K extends "_tag" ? never : K]: object extends Pick<A, K> ? A[K] | undefined : A[K]
}

/**
 * A constructor that fills an instance of a class without the class's own
 * validation: instances share the class's prototype, and the engine gives them
 * one shape. The cast is sound because `fill` has the very members of `A`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uncheckedConstructor = <A extends object, Args extends ReadonlyArray<unknown>>(
  prototype: A,
  fill: (this: Mutable<A>, ...args: Args) => void
): new(...args: Args) => A => {
  fill.prototype = prototype
  return fill as unknown as new(...args: Args) => A
}
