/** What happened at a server, in order, and how often. */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { LogEntry, Metrics } from "./model.ts"

/** The entries, the latest 10,000 of them, and the counters. */
export interface Journal {
  readonly record: (entry: LogEntry) => void
  readonly count: { -readonly [Name in Exclude<keyof Metrics, "open">]: number }
  readonly entries: () => ReadonlyArray<LogEntry>
  /** The latest thousand and those to come; of a reader 16,384 behind the oldest go. */
  readonly log: Stream.Stream<LogEntry>
  readonly end: Effect.Effect<void>
}

export const make: Effect.Effect<Journal> = Effect.gen(function*() {
  const published = yield* PubSub.sliding<LogEntry | undefined>({ capacity: 16_384, replay: 1_000 }) // undefined ends it
  const entries: Array<LogEntry> = []
  return {
    count: {
      dials: 0,
      upgraded: 0,
      rejected: 0,
      dropped: 0,
      closed: 0,
      faults: 0,
      framesSent: 0,
      framesReceived: 0
    },
    record: (entry) => {
      if (entries.length >= 10_000) entries.shift()
      entries.push(entry)
      // It answers no where it is full: then the oldest goes.
      if (!PubSub.publishUnsafe(published, entry)) Effect.runSync(PubSub.publish(published, entry))
    },
    entries: () => [...entries],
    log: Stream.fromPubSub(published).pipe(Stream.takeWhile((entry) => entry !== undefined)),
    end: Effect.asVoid(PubSub.end(published, undefined))
  }
})
