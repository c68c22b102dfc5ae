/**
 * Changes that no test can notice, because nothing that anyone sees depends on
 * them: the exceptions of `pnpm mutants --random`. Each has its reason. A
 * change is known by its file, the functions around it and its text, so that
 * an entry survives whatever moves its lines.
 */

/** One harmless change, as `mutants --random` prints it. */
export interface Harmless {
  readonly file: string
  /** The declarations and functions around it, from the outside in, joined by points. */
  readonly within: string
  readonly original: string
  readonly replacement: string
  readonly because: string
}

/** The harmless changes, by file. */
export const harmless: ReadonlyArray<Harmless> = []
