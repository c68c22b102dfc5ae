/**
 * Replays a recording: a transport and an HTTP port that give what was recorded,
 * when it was, to the code that runs live. The same recording gives the same
 * events, to the byte, every time: an incident in production becomes a test by
 * copying one file.
 *
 * A program runs under a clock and a scheduler of the replay's own. Time stands
 * still but for the lines of the recording, and between two of them every fiber
 * has done what it can. A replay is passive: what is written goes nowhere, a dial
 * is answered where the recording has it, and no deadline, breaker, heartbeat or
 * limit ends anything, whatever the policy says.
 *
 * **Example** (the trades of an incident)
 *
 * ```ts
 * const replay = yield* Replay.make(lines)
 * const trades = yield* replay.run(Effect.gen(function*() {
 *   const feed = yield* MarketFeed.make(Kraken.venue)
 *   return yield* Stream.runCollect(Stream.interruptWhen(feed.trades("BTC/USD"), replay.ended))
 * }))
 * ```
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Frame } from "../transport/Frame.ts"
import { HttpPort } from "../transport/HttpPort.ts"
import { Transport } from "../transport/Transport.ts"
import * as Monotonic from "../value/Monotonic.ts"
import * as Timestamp from "../value/Timestamp.ts"
import { LineReader } from "./internal/lineReader.ts"
import { isOfConnection, millisOf, RecordingIndex } from "./internal/recordingIndex.ts"
import { ReplayClock } from "./internal/replayClock.ts"
import { ReplayHttp } from "./internal/replayHttp.ts"
import { ReplayLeg } from "./internal/replayLeg.ts"
import * as ReplayLegs from "./internal/replayLegs.ts"
import { ReplayScheduler } from "./internal/replayScheduler.ts"
import type * as Tape from "./Tape.ts"

/**
 * One connection of a recording: what names it there (none if its lines do not
 * say), and which of several it is. `begun` completes when the replay comes to its
 * first line.
 *
 * @category models
 * @since 0.1.0
 */
export interface Leg {
  readonly connection: number | string | undefined
  readonly leg: number | string | undefined
  readonly begun: Effect.Effect<void>
}

interface Position {
  readonly line: number
  readonly entry: Tape.Entry | undefined
}

/**
 * How a recording is replayed.
 *
 * - `speed`: how many times as fast as it was recorded (default: as fast as it
 *   can be). What is given is the same at any
 * - `turns`: when the program has a turn: after each `"line"`, so that `position`
 *   is that of what it is told; after all of one `"moment"`, together as they came
 *   (the default); or after many `"frames"`, which is the fastest, for one that
 *   looks at no clock
 * - `onIndexed`: is shown each line before the replay begins
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly speed?: number | "max" | undefined
  readonly turns?: "line" | "moment" | "frames" | undefined
  readonly onIndexed?: ((entry: Tape.Entry) => void) | undefined
}

interface RunOptions<E, R> {
  readonly onLine?: (() => Effect.Effect<void, E, R> | undefined) | undefined
}

/**
 * A recording that can be replayed, once.
 *
 * - `headers`: what it says of itself: one for each venue
 * - `legs`: its connections, in the order of their first lines. Each that the
 *   program dials gets the first that nobody has; a feed has all of them
 * - `transport`: that of some of them. `asked` is how many frames asked for
 *   channels on each, if what was written was not recorded
 * - `rejected`: its lines that say something wrong; what of them can be replayed
 *   is
 * - `position`: the line that the replay has come to: its number, from 1 on, and
 *   what it says
 * - `ended`: completes at the end of the recording
 * - `run`: runs a program over the recording, and gives what that gives. If it is
 *   not done when the recording has ended and nothing more can happen, it is
 *   interrupted; once it is done the replay ends. `onLine` is called when all
 *   that a line has brought is done, and may give what is to be waited for
 *   before the next
 *
 * @category models
 * @since 0.1.0
 */
export interface Replay<E> {
  readonly headers: ReadonlyArray<Extract<Tape.Entry, { readonly _tag: "Header" }>>
  readonly legs: ReadonlyArray<Leg>
  readonly transport: (legs: ReadonlyArray<Leg>, asked?: number | undefined) => Transport["Service"]
  readonly rejected: ReadonlyArray<Tape.EntryRejected>
  readonly position: () => Position
  readonly ended: Effect.Effect<void>
  readonly run: <A, E1, R1, E2 = never, R2 = never>(
    program: Effect.Effect<A, E1, R1>,
    options?: RunOptions<E2, R2> | undefined
  ) => Effect.Effect<A, E | E1 | E2, Exclude<Exclude<R1, Scope.Scope>, Transport | HttpPort> | R2>
}

/** As many rejected lines are told one by one. */
const mostRejected = 100

// So many frames of one moment are one batch at most.
const mostFrames = 1_024

// So many frames, or characters of them, come before a program has its turn that wants none between: what it is told
// lives for so short a time that it costs little memory.
const mostUntold = 256
const mostCharacters = 262_144

// A recording whose lines weigh less than this is kept, and read once.
const mostKept = 96 * 1024 * 1024

// About what a line takes in memory, in bytes.
const weightOf = (entry: Tape.Entry): number =>
  128 + (entry._tag === "Frame" ? entry.frame : entry._tag === "Response" ? entry.body : "").length

type Received = Extract<Tape.Entry, { readonly _tag: "Frame" | "Binary" }>

const isReceived = (entry: Tape.Entry): entry is Received =>
  (entry._tag === "Frame" || entry._tag === "Binary") && entry.direction === "in"

// Nearly always the very same one, or another.
const isSame = (one: Timestamp.Timestamp | undefined, other: Timestamp.Timestamp | undefined): boolean =>
  one !== undefined && other !== undefined && (one === other || Timestamp.TimestampOrder(one, other) === 0)

interface Line {
  readonly line: number
  readonly entry: Tape.Entry
}

class Player {
  readonly scheduler = new ReplayScheduler()
  readonly clock = new ReplayClock(() => this.scheduler.rest())
  readonly http: ReplayHttp
  readonly ended = Deferred.makeUnsafe<void>()
  readonly legs: ReadonlyMap<number | string | undefined, ReplayLeg>
  position: Position = { line: 0, entry: undefined }
  // The line that was read, and what it and those before it have to say.
  private lines = 0
  private next: Line | undefined
  private nextMillis = 0
  private millis = 0
  private held: Array<Frame> = []
  private heldFrom: Tape.Entry | undefined
  // What was handed over since the program had its turn.
  private untold = 0
  private untoldCharacters = 0

  constructor(index: RecordingIndex) {
    this.http = new ReplayHttp(index.answers)
    this.legs = new Map(
      Array.from(index.connections, ([key, connection]) => [
        key,
        new ReplayLeg({
          index: connection,
          position: () => ({ line: this.position.line, millis: this.millis }),
          rest: () => this.scheduler.rest()
        })
      ])
    )
  }

  /** Reads the next line, and gives its time; `undefined` if it says nothing. */
  read(entry: Tape.Entry | undefined): number | undefined {
    const line = ++this.lines
    this.next = entry === undefined ? undefined : { line, entry }
    if (entry === undefined) return undefined
    return this.nextMillis = millisOf(entry, this.nextMillis)
  }

  /** Whether the line that was read is of one moment with the frames that are held back. */
  isOfBatch(): boolean {
    const { held, heldFrom, next } = this
    if (held.length === 0 || next === undefined) return held.length === 0
    const { entry } = next
    return isReceived(entry) && entry.connection === heldFrom?.connection && isSame(entry.at, heldFrom?.at) &&
      held.length < mostFrames
  }

  /** Does what the line that was read says, or holds it back with others of its moment. */
  step(turns: NonNullable<Options["turns"]>): void {
    const { next } = this
    if (next === undefined) return
    const { entry } = next
    this.position = next
    this.millis = this.nextMillis
    if (isReceived(entry)) {
      const frame = entry._tag === "Frame" ? entry.frame : entry.bytes
      this.held.push(frame)
      this.heldFrom = entry
      this.untold++
      this.untoldCharacters += frame.length
      if (turns === "line" || (turns === "moment" && entry.at === undefined)) this.hand(turns)
      return
    }
    // Nothing has happened: a header that says no time is not of 1970, from which on all that waits would be woken.
    if (entry._tag === "Header") return
    this.clock.set(this.millis)
    if (entry._tag === "Response") {
      this.http.answer(entry.method, entry.url, { status: entry.status, headers: {}, body: entry.body })
    }
    if (isOfConnection(entry)) this.legs.get(entry.connection)?.line(entry)
    this.scheduler.rest()
  }

  /** Hands over what is held back, before the line that was read. */
  hand(turns: NonNullable<Options["turns"]>): void {
    const frames = this.held
    if (!Arr.isReadonlyArrayNonEmpty(frames)) return
    this.held = []
    this.clock.set(this.millis)
    const isMore = turns === "frames" && this.isMore()
    this.legs.get(this.heldFrom?.connection)?.receive(frames, isMore)
    if (!isMore) this.untold = this.untoldCharacters = 0
    this.scheduler.rest()
  }

  // Whether the line that was read is a frame that may come before the program has its turn.
  private isMore(): boolean {
    const entry = this.next?.entry
    return entry !== undefined && isReceived(entry) && entry.connection === this.heldFrom?.connection &&
      this.untold < mostUntold && this.untoldCharacters < mostCharacters && !this.clock.wakes(this.nextMillis)
  }

  /** What is to be waited for before the next line. */
  get waitsFor(): Effect.Effect<void> | undefined {
    return this.legs.get(this.heldFrom?.connection)?.waitsFor
  }

  end(): void {
    Deferred.doneUnsafe(this.ended, Effect.void)
    this.scheduler.rest()
  }
}

const begun = (leg: ReplayLeg | undefined): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (leg === undefined || leg.hasBegun) return resume(Effect.void)
    leg.onBegun.push(() => resume(Effect.void))
  })

const readAgain = <E>(lines: Stream.Stream<Frame, E>): Stream.Stream<Tape.Entry | undefined, E> =>
  Stream.suspend(() => {
    const reader = new LineReader()
    let line = 0
    return Stream.map(lines, (text) => {
      const read = reader.read(text, ++line)
      return read?._tag === "EntryRejected" ? read.entry : read
    })
  })

/**
 * Makes a replay of a recording, whose lines are read twice: once to know its
 * connections, and once to replay it. One that takes less than 96 MiB is kept
 * between.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<E>(
  lines: Stream.Stream<Frame, E>,
  { onIndexed, speed = "max", turns = "moment" }: Options = {}
): Effect.fn.Return<Replay<E>, E> {
  const index = new RecordingIndex()
  let kept: Array<Tape.Entry | undefined> | undefined = []
  let keptBytes = 0
  const rejected: Array<Tape.EntryRejected> = []
  const reader = new LineReader()
  let count = 0
  yield* Stream.runForEachArray(lines, (texts) =>
    Effect.sync(() => {
      for (const text of texts) {
        const read = reader.read(text, ++count)
        const isRejected = read?._tag === "EntryRejected"
        if (isRejected && rejected.length < mostRejected) rejected.push(read)
        const entry = isRejected ? read.entry : read
        if (entry !== undefined) keptBytes += weightOf(entry)
        if (keptBytes > mostKept) kept = undefined
        kept?.push(entry)
        if (entry === undefined) continue
        index.add(entry, count)
        onIndexed?.(entry)
      }
    }))
  const player = new Player(index)
  const entries: Stream.Stream<Tape.Entry | undefined, E> = kept === undefined
    ? readAgain(lines)
    : Stream.fromIterable(kept, { chunkSize: mostFrames })

  const play = <E2, R2>(fiber: Fiber.Fiber<unknown, unknown>, onLine: RunOptions<E2, R2>["onLine"]) => {
    // What is to be waited for when all is done that was read; mostly nothing.
    const due = (): Effect.Effect<void, E2, R2> | undefined => {
      const { waitsFor } = player
      const between = onLine?.()
      return waitsFor === undefined || between === undefined ? waitsFor ?? between : Effect.andThen(waitsFor, between)
    }
    return Effect.gen(function*() {
      const begun = yield* Monotonic.now
      let first: number | undefined
      yield* Stream.runForEachArray(entries, (some) =>
        Effect.gen(function*() {
          for (const entry of some) {
            if (fiber.pollUnsafe() !== undefined) return
            const millis = player.read(entry)
            if (!player.isOfBatch()) {
              player.hand(turns)
              const before = due()
              if (before !== undefined) yield* before
            }
            if (millis !== undefined && speed !== "max") {
              first ??= millis
              const wait = begun + (millis - first) / speed - (yield* Monotonic.now)
              if (wait > 0) yield* Effect.sleep(wait)
            }
            player.step(turns)
            const after = turns === "line" ? due() : undefined
            if (after !== undefined) yield* after
          }
          // Who else runs in the process has a turn, too.
          yield* Effect.yieldNow
        }))
      player.hand("moment")
      yield* due() ?? Effect.void
    })
  }

  return {
    headers: index.headers,
    legs: Array.from(index.connections.values(), ({ connection, leg }) => ({
      connection,
      leg,
      begun: begun(player.legs.get(connection))
    })),
    transport: (some, asked) =>
      ReplayLegs.make(some.flatMap(({ connection }) => player.legs.get(connection) ?? []), player.http, asked),
    rejected,
    position: () => player.position,
    ended: Deferred.await(player.ended),
    run: (program, { onLine } = {}) =>
      Effect.gen(function*() {
        const random = yield* Random.withSeed(Random.Random, "replay")
        const context = Context.make(Transport, ReplayLegs.make([...player.legs.values()], player.http)).pipe(
          Context.add(HttpPort, player.http.port),
          Context.add(Clock.Clock, player.clock),
          Context.add(Random.Random, random),
          Context.add(Scheduler.Scheduler, player.scheduler)
        )
        const fiber = yield* Effect.scoped(program).pipe(
          Effect.provideContext(context),
          Effect.forkChild({ startImmediately: true })
        )
        player.scheduler.rest()
        yield* Effect.raceFirst(play(fiber, onLine), Effect.asVoid(Fiber.await(fiber)))
        player.end()
        const between = onLine?.()
        if (between !== undefined) yield* between
        if (fiber.pollUnsafe() === undefined) yield* Fiber.interrupt(fiber)
        return yield* Fiber.join(fiber)
      })
  }
})
