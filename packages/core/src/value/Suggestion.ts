/**
 * What a mistyped word may have meant.
 *
 * @since 0.1.0
 */

/** The Damerau-Levenshtein distance (restricted: no piece is edited twice). */
const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** How many letters two words begin with alike: who mistypes a word seldom mistypes its first letter. */
const sharedBeginning = (a: string, b: string): number => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/**
 * Returns the candidate that the word most probably meant: within a third of
 * its length of edits from it, or from how it begins; of two as near the one that
 * begins alike for longer.
 *
 * @category getters
 * @since 0.1.0
 */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  const wanted = word.toLowerCase()
  const most = Math.ceil(wanted.length / 3)
  let best: { readonly candidate: string; readonly edits: number; readonly shared: number } | undefined
  for (const candidate of candidates) {
    const whole = distance(wanted, candidate)
    // A beginning counts for a little less than the whole; two letters begin too much.
    const begins = wanted.length < 3
      ? Infinity
      : 0.5 + Math.min(...[-1, 0, 1].map((more) => distance(wanted, candidate.slice(0, wanted.length + more))))
    const edits = Math.min(whole, begins)
    const shared = sharedBeginning(wanted, candidate)
    const isNearer = best === undefined || edits < best.edits || (edits === best.edits && shared > best.shared)
    if (edits <= most && isNearer) best = { candidate, edits, shared }
  }
  return best?.candidate
}
