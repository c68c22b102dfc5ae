/**
 * What something takes of the processor, as a machine of the usual speed has it: one that is shared can be three times
 * as slow for minutes, its threads' own time included.
 */
import process from "node:process"

const threadMillis = (work: () => void): number => {
  const begun = process.threadCpuUsage()
  work()
  const { system, user } = process.threadCpuUsage(begun)
  return (system + user) / 1_000
}

const text = `[${Array.from({ length: 60_000 }, (_, n) => `["${n}.5","2.25"]`).join(",")}]`

/** What `JSON.parse` takes for that text, of 1.1 million characters, where the bounds of tests were set. */
const usualMillis = 12

/** How many times as long as usual ordinary work takes just now, 1 at least. */
const slowness = (): number =>
  Math.max(1, Math.min(...[1, 2, 3].map(() => threadMillis(() => JSON.parse(text)))) / usualMillis)

/**
 * The least milliseconds that one of several runs takes, at the usual speed. It is enough once one takes no more than
 * so many.
 */
export const leastMillis = (work: () => void, { enough = 0, runs }: { runs: number; enough?: number }): number => {
  let least = Infinity
  for (let run = 0; run < runs && least > enough; run++) {
    const took = threadMillis(work)
    least = Math.min(least, took <= enough ? took : took / slowness())
  }
  return least
}
