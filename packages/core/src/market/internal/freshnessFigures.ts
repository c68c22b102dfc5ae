/**
 * How long the subscriptions of a feed were silent between what they delivered,
 * in milliseconds.
 *
 * Where there are a thousand of them none is in a cache, and each object that a
 * message touches has to be fetched: the figures of all are in one array, a line
 * of a cache each, and what is seldom read is in another.
 *
 * @since 0.1.0
 */

/** So many of the last silences are remembered: a power of two, since a remainder of doubles is costly. */
const remembered = 256

/** Where each figure is. */
const [lastAt, count, longest, max, total, within] = [0, 1, 2, 3, 4, 5]

// Those of one subscription: the 64 bytes of a line.
const width = 8

/**
 * The silences of one subscription: the longest, the sum of all, the sum of what
 * of them was within the target, and the last of them, the shortest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Silences {
  readonly max: number
  readonly total: number
  readonly within: number
  readonly sorted: Float64Array
}

/**
 * The figures of the subscriptions of one feed, each by its place.
 *
 * @category models
 * @since 0.1.0
 */
export class FreshnessFigures {
  private figures = new Float64Array(0)
  // The silences of all that were counted first, then those that were second: what is written at about the same time lies
  // together.
  private silences = new Float64Array(0)
  // For how many there is room.
  private room = 0
  private readonly free: Array<number> = []
  private used = 0
  private readonly expected: () => number

  /** `expected` says how many there are likely to be: room for them is made with the first. */
  constructor(expected: () => number = () => 1) {
    this.expected = expected
  }

  /** A place with no figures. */
  take(): number {
    const place = this.free.pop() ?? this.used++
    if (this.used > this.room) this.grow()
    this.figures.fill(0, place * width, (place + 1) * width)
    return place
  }

  /** What had the place does not ask for it again. */
  leave(place: number): void {
    this.free.push(place)
  }

  /** When it last delivered. */
  lastAt(place: number): number {
    return this.at(place, lastAt)
  }

  /** The longest that it was silent, as far as it says how patient one has to be. */
  longest(place: number): number {
    return this.at(place, longest)
  }

  /** The silences that were counted. */
  silencesOf(place: number): Silences {
    const sorted = new Float64Array(Math.min(remembered, this.at(place, count)))
    for (let turn = 0; turn < sorted.length; turn++) sorted[turn] = this.silences[turn * this.room + place] ?? 0
    return {
      max: this.at(place, max),
      total: this.at(place, total),
      within: this.at(place, within),
      sorted: sorted.sort()
    }
  }

  /** It has delivered: the silence since the last time is counted. */
  delivered(place: number, at: number, targetMillis: number): void {
    const { figures } = this
    const own = place * width
    const silence = at - (figures[own + lastAt] ?? 0)
    const before = figures[own + count] ?? 0
    figures[own + lastAt] = at
    figures[own + count] = before + 1
    this.silences[(before & (remembered - 1)) * this.room + place] = silence
    figures[own + total] = (figures[own + total] ?? 0) + silence
    figures[own + within] = (figures[own + within] ?? 0) + Math.min(silence, targetMillis)
    if (silence > (figures[own + max] ?? 0)) figures[own + max] = silence
    if (silence > (figures[own + longest] ?? 0)) figures[own + longest] = silence
  }

  /** It has delivered, and its silence is not counted. `waited`, if there is one, says how patient one has to be. */
  resumed(place: number, at: number, waited: number | undefined): void {
    this.figures[place * width + lastAt] = at
    if (waited !== undefined && waited > this.longest(place)) this.figures[place * width + longest] = waited
  }

  private at(place: number, figure: number): number {
    return this.figures[place * width + figure] ?? 0
  }

  private grow(): void {
    const { figures, room, silences } = this
    this.room = Math.max(this.expected(), room * 2)
    this.figures = new Float64Array(this.room * width)
    this.figures.set(figures)
    this.silences = new Float64Array(this.room * remembered)
    for (let turn = 0; turn < remembered; turn++) {
      this.silences.set(silences.subarray(turn * room, (turn + 1) * room), turn * this.room)
    }
  }
}
