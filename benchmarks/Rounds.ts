/**
 * Rounds: contenders measured in turn, again and again, so that a machine whose
 * speed drifts is the same for all of them. What counts is the median of the
 * ratios within a round.
 */

/** A row of the table: what was measured, its ratio or figure, and the bounds it is held to. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: "×" | "µs" | "ms" | "s" | "KB"
  /** Whether a larger value is better. */
  readonly higher: boolean
  /** The bound that `--check` holds, or none where a row is there to be compared with. */
  readonly must?: number | undefined
  readonly goal?: number | undefined
  readonly detail?: string | undefined
}

/** The middle of the values; the mean of the two middle ones of an even number. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2
}

/** Runs every contender once a round, the order turned by one each round; the first `warmup` rounds do not count. */
export const interleave = async <Name extends string>(
  contenders: Readonly<Record<Name, () => number | Promise<number>>>,
  options: { readonly rounds: number; readonly warmup: number }
): Promise<Readonly<Record<Name, ReadonlyArray<number>>>> => {
  const names = Object.keys(contenders) as Array<Name>
  const results = Object.fromEntries(names.map((name) => [name, [] as Array<number>])) as Record<Name, Array<number>>
  for (let round = -options.warmup; round < options.rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + Math.abs(round)) % names.length]!
      const value = await contenders[name]()
      if (round >= 0) results[name].push(value)
    }
  }
  return results
}

/** The median of the ratios of two contenders, round by round. */
export const ratio = (over: ReadonlyArray<number>, under: ReadonlyArray<number>): number =>
  median(over.map((value, i) => value / (under[i] ?? Number.NaN)))

/** Prints the rows of one benchmark for the command that runs them all. */
export const report = (rows: ReadonlyArray<Row>): void => {
  process.stdout.write(`${JSON.stringify(rows)}\n`)
}
