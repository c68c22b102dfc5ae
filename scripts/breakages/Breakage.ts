/**
 * A small breakage of the source that a test must notice: `original`, which is in `file` exactly once, becomes
 * `replacement`, and `test` must fail. The lists beside this file are the data of `pnpm mutants`, by the room of the
 * source: at least one for each named test, and one for each rule that would hurt if it were lost.
 */
export interface Breakage {
  readonly name: string
  readonly file: string
  readonly original: string
  readonly replacement: string
  /** A test file, and the beginning of the test's name without its `describe`s. */
  readonly test: readonly [file: string, name: string]
}
