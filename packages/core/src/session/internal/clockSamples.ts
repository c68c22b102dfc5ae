/**
 * What pairs of a request and its answer show of another clock. It is pure:
 * whoever asks keeps the samples.
 *
 * @since 0.1.0
 */

/**
 * A request and its answer: when the one was sent and the other came, on one
 * clock of ours, and the venue's time in it, all in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sample {
  readonly sentAt: number
  readonly receivedAt: number
  readonly venueAt: number
}

const roundTrip = ({ receivedAt, sentAt }: Sample): number => receivedAt - sentAt

/** More samples than these, each slower than the one before, are not kept beside each other. */
const mostKept = 64

/**
 * The samples that may yet be the best of a window, the best first: each is newer
 * and slower than the one before it. What was received `windowMillis` before the
 * new one or earlier is left out, and so is a sample that is no pair: not finite,
 * or answered before it was sent.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (
  samples: ReadonlyArray<Sample>,
  sample: Sample,
  windowMillis: number
): ReadonlyArray<Sample> => {
  const trip = roundTrip(sample)
  if (!Number.isFinite(sample.venueAt) || !(trip >= 0 && Number.isFinite(trip))) return samples
  const better = samples.filter((known) =>
    known.receivedAt > sample.receivedAt - windowMillis && roundTrip(known) < trip
  )
  return [...better.slice(0, mostKept - 1), sample]
}

/**
 * What samples say, the best first; `undefined` of none.
 *
 * @category getters
 * @since 0.1.0
 */
export const estimate = ([best]: ReadonlyArray<Sample>) => {
  if (best === undefined) return undefined
  const uncertaintyMillis = roundTrip(best) / 2
  return { offsetMillis: best.venueAt - (best.sentAt + uncertaintyMillis), uncertaintyMillis }
}
