/**
 * Chance from a seed: a small generator of pseudo-random numbers (sfc32, Chris
 * Doty-Humphrey's PractRand, public domain) that gives the same numbers for the
 * same seed on every machine. Not for secrets.
 *
 * @since 0.1.0
 */

/**
 * A stream of pseudo-random numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Chance {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** A whole number, uniform in [0, bound). */
  readonly integer: (bound: number) => number
  /** True with the given probability. */
  readonly happens: (probability: number) => boolean
  /** One of the elements. */
  readonly pick: <A>(elements: readonly [A, ...Array<A>]) => A
  /** A generator of its own, whose numbers do not depend on how many this one gave since. */
  readonly fork: (name: string) => Chance
}

const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/**
 * Makes a generator from a seed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (seed: number): Chance => {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed >>> 0
  let d = Math.floor(seed / 0x100000000) + 1
  const word = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t | 0
    return t >>> 0
  }
  for (let i = 0; i < 15; i++) word()
  const next = (): number => word() / 0x100000000
  const integer = (bound: number): number => Math.floor(next() * bound)
  return {
    next,
    integer,
    happens: (probability) => next() < probability,
    pick: (elements) => elements[integer(elements.length)] ?? elements[0],
    fork: (name) => make(hash(`${seed}/${name}`))
  }
}
