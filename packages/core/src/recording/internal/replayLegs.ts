/**
 * Some of a recording's connections, as a transport: whoever dials gets the first
 * that nobody has.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Transport } from "../../transport/Transport.ts"
import type { ReplayLeg } from "./replayLeg.ts"

type Replayed = NonNullable<Transport["Service"]["replay"]>

// Who asks for more connections than there were is never answered.
const unanswered: ReturnType<Replayed["join"]> = {
  dial: () => Effect.never,
  replay: {
    join: () => unanswered,
    another: Effect.never,
    closed: Effect.never,
    redial: () => ({ attempt: undefined, delayMillis: Infinity, waitMillis: Infinity }),
    isAskedAnew: () => false,
    wrote: () => false,
    written: () => undefined
  }
}

const capabilities = { headers: true, ping: true, pause: true, handshakeStatus: true }

/**
 * Makes the transport of connections, in the order of their first lines. `asked`
 * is how many frames asked for channels on each, if what was written was not
 * recorded.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  legs: ReadonlyArray<ReplayLeg>,
  network: object,
  asked?: number | undefined
): Transport["Service"] => {
  let waiting: ReadonlyArray<() => void> = []
  for (const leg of legs) {
    leg.asked = asked ?? leg.asked
    leg.onBegun.push(() => {
      if (leg.isTaken) return
      const resumed = waiting
      waiting = []
      for (const resume of resumed) resume()
    })
  }
  const free = (): ReadonlyArray<ReplayLeg> => legs.filter(({ isTaken }) => !isTaken)
  const join = (): ReturnType<Replayed["join"]> => {
    const found = free().find(({ hasBegun }) => hasBegun) ?? free()[0]
    if (found === undefined) return unanswered
    found.isTaken = true
    return found.joined
  }
  const another = Effect.callback<void>((resume) => {
    if (free().some(({ hasBegun }) => hasBegun)) return resume(Effect.void)
    const resumed = (): void => resume(Effect.void)
    waiting = [...waiting, resumed]
    return Effect.sync(() => {
      waiting = waiting.filter((one) => one !== resumed)
    })
  })
  return { capabilities, network, dial: unanswered.dial, replay: { ...unanswered.replay, join, another } }
}
