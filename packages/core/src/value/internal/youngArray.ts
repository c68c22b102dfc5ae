/**
 * Arrays that are made for every message, and forgotten soon.
 *
 * An engine counts how many arrays of one `[…]` live on. Where a snapshot's did,
 * it makes all later ones of that place where old things lie; there each of them
 * keeps what it holds until everything is collected, and a book takes twice as
 * long. Rest parameters and instances of classes are not counted.
 *
 * @since 0.1.0
 */

/**
 * The array of these.
 *
 * @category constructors
 * @since 0.1.0
 */
export const youngArray = <A extends ReadonlyArray<unknown>>(...items: A): A => items
