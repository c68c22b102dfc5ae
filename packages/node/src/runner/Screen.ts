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
  /** Draws the lines in place of those before; each is cut to the terminal's width. */
  readonly draw: (lines: ReadonlyArray<string>) => Effect.Effect<void, OutputClosed>
}

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"
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
      let drawn: ReadonlyArray<string> = []
      sink.writeUnsafe(hideCursor)
      return {
        draw: (lines) =>
          Effect.suspend(() => {
            const { columns, rows } = sink.size()
            // The last row is left to the cursor: a block as high as the terminal would scroll it.
            const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => fit(line, columns))
            let text = drawn.length > 0 ? `\u001b[${drawn.length}A\r` : "\r"
            for (const line of shown) text += `${line}${clearLine}\n`
            drawn = shown
            return sink.write(text + clearBelow)
          })
      }
    }),
    () => Effect.sync(() => sink.writeUnsafe(showCursor))
  )
