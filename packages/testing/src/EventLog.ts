/**
 * What happened, as text lines that are the same for the same seed, and their
 * fingerprint.
 *
 * @since 0.1.0
 */

/**
 * A log of events. Each line is `at event key=value …`, `at` in epoch
 * milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventLog {
  readonly add: (at: number, event: string, detail?: Readonly<Record<string, string | number>> | undefined) => void
  readonly lines: ReadonlyArray<string>
  /** A 64-bit fingerprint (two FNV-1a hashes) of all lines, as 16 hexadecimal digits. */
  readonly hash: () => string
}

/**
 * Makes an empty log. With `keep: false` lines are only counted in the
 * fingerprint.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: { readonly keep?: boolean | undefined } | undefined): EventLog => {
  const keep = options?.keep ?? true
  const lines: Array<string> = []
  let low = 0x811c9dc5
  let high = 0xcbf29ce4
  return {
    add: (at, event, detail) => {
      let line = `${at} ${event}`
      if (detail !== undefined) { for (const key of Object.keys(detail)) line += ` ${key}=${detail[key]}` }
      if (keep) lines.push(line)
      for (let i = 0; i <= line.length; i++) {
        const code = i === line.length ? 10 : line.charCodeAt(i)
        low = Math.imul(low ^ code, 0x01000193)
        high = Math.imul(high ^ code, 0x01000197)
      }
    },
    lines,
    hash: () => (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0")
  }
}
