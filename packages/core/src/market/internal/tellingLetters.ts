/**
 * Which letters tell texts apart: a product is known by a few of them, where the
 * hash of its whole text takes several times as long.
 *
 * @since 0.1.0
 */

// Where letters are looked for, from either end: what all have in common is of no use, and where it stands differs: a
// currency at the end, a strike before a `C` or a `P`.
const farthest = 12
const mostLetters = 8

// Odd, so that no letter is lost, and larger than the ten digits.
const factor = 37

const next = (mix: number, text: string, place: number): number =>
  (Math.imul(mix, factor) + text.charCodeAt(place < 0 ? text.length + place : place)) | 0

/**
 * Letters by their places in a text, from its beginning or, below zero, from its
 * end.
 *
 * @category models
 * @since 0.1.0
 */
export class TellingLetters {
  private readonly places: ReadonlyArray<number>
  // A text that is shorter does not have them all.
  private readonly shortest: number

  constructor(places: ReadonlyArray<number>, shortest: number) {
    this.places = places
    this.shortest = shortest
  }

  /** A number by which most of the texts are told apart. */
  mix(text: string): number {
    let mix = text.length
    if (mix < this.shortest) return mix
    for (const place of this.places) mix = next(mix, text, place)
    return mix
  }
}

/**
 * Looks for the letters that tell most of the texts apart, by their numbers
 * below a power of two: one after the other, and no more than it takes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const choose = (texts: ReadonlyArray<string>, below: number): TellingLetters => {
  // A few that are shorter than the others do not take letters from these.
  const lengths = texts.map((text) => text.length).toSorted((a, b) => a - b)
  const shortest = Math.min(farthest, lengths[Math.floor(lengths.length / 10)] ?? farthest)
  const candidates = Array.from({ length: shortest }, (_, place) => [place, -1 - place]).flat()
  // In which turn a number was last seen.
  const seen = new Uint32Array(below)
  let turn = 0
  const countTold = (mixes: Int32Array): number => {
    turn++
    let told = 0
    for (const mix of mixes) {
      const place = mix & (below - 1)
      if (seen[place] === turn) continue
      seen[place] = turn
      told++
    }
    return told
  }

  const places: Array<number> = []
  let mixes = Int32Array.from(texts, (text) => text.length)
  let told = countTold(mixes)
  while (told < texts.length && places.length < mostLetters) {
    const tried = candidates.map((place) => {
      const mixed = mixes.map((mix, index) => next(mix, texts[index] ?? "", place))
      return { place, mixed, told: countTold(mixed) }
    })
    const best = tried.reduce((best, one) => one.told > best.told ? one : best, { place: 0, mixed: mixes, told })
    if (best.told === told) break
    places.push(best.place)
    mixes = best.mixed
    told = best.told
  }
  return new TellingLetters(places, shortest)
}
