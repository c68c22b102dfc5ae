/** The pace at which a server's market, or a recording, flows. */
import * as Effect from "effect/Effect"

/**
 * Flows for ever at so many frames a second, which may change. `step` gives how many frames it made on the busiest
 * connection; 0 where nobody listens, or nothing more is to be sent for now.
 */
export const flow = (
  { now, rate, step }: {
    readonly now: () => number
    readonly rate: () => number
    readonly step: () => number
  }
): Effect.Effect<never> =>
  Effect.gen(function*() {
    let credit = 0
    let last = now()
    while (true) {
      yield* Effect.sleep(rate() > 0 ? Math.min(Math.max(1_000 / rate(), 10), 1_000) : 50)
      const at = now()
      // What a stalled event loop missed is not made up for beyond a second.
      credit = Math.min(credit + (at - last) * rate() / 1_000, Math.max(rate(), 1))
      last = at
      while (credit >= 1) {
        const frames = step()
        credit = frames === 0 ? 0 : credit - frames
      }
    }
  })
