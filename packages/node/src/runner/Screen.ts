/**
 * A block of lines at the end of a terminal that is drawn again in place. What
 * was drawn last stays there when it ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { OutputClosed, Sink } from "./Host.ts"
import { fit } from "./Style.ts"

/**
 * A block of lines that is drawn again in place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screen {
  /**
   * Draws the lines in place of those before; each is cut to the terminal's
   * width. Where the terminal's size has changed the screen is drawn anew.
   */
  readonly draw: (lines: ReadonlyArray<string>) => Effect.Effect<void, OutputClosed>
}

/**
 * Whether an output can be drawn on: a terminal that moves its cursor. On one
 * that calls itself `dumb` lines are printed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPossible = (sink: Sink, env: Readonly<Record<string, string | undefined>>): boolean =>
  sink.isTerminal && env["TERM"] !== "dumb"

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"
const home = "\u001b[H"
const clearLine = "\u001b[K"
const clearBelow = "\u001b[J"

/**
 * Starts a block at the cursor, which is hidden until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (sink: Sink): Effect.Effect<Screen, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let drawn = 0
      let last = sink.size()
      sink.writeUnsafe(hideCursor)
      return {
        draw: (lines) =>
          Effect.suspend(() => {
            const size = sink.size()
            const { columns, rows } = size
            // A terminal of another size has wrapped or moved what it shows: nobody knows where the block begins.
            const isResized = columns !== last.columns || rows !== last.rows
            last = size
            // The last row is left to the cursor: a block as high as the terminal would scroll it.
            const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => fit(line, columns))
            let text = isResized ? home + clearBelow : drawn > 0 ? `\u001b[${drawn}A\r` : "\r"
            // Erased before it is written: after a line of the full width the cursor still stands on its last cell.
            for (const line of shown) text += `${clearLine}${line}\n`
            drawn = shown.length
            return sink.write(text + clearBelow)
          })
      }
    }),
    () => Effect.sync(() => sink.writeUnsafe(showCursor))
  )
