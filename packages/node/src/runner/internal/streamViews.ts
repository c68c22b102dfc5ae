/** Where the events of `stream` go: lines on stdout, or a table or a ladder that is drawn in place on a terminal. */
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type { MarketFeeds } from "@tickline/core/market/MarketFeeds"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Board from "../Board.ts"
import type { OutputClosed, Sink } from "../Host.ts"
import * as Ladder from "../Ladder.ts"
import * as OutputQueue from "../OutputQueue.ts"
import type { RunFailed } from "../RunnerError.ts"
import * as Screen from "../Screen.ts"
import { type Paint, paint as makePaint } from "../Style.ts"
import type * as Tally from "../Tally.ts"
import type { Target } from "../Targets.ts"
import type { Clocks } from "./venueHealth.ts"
import type { Size } from "./view.ts"

/** How often a table is drawn, and a book looked at for it. */
const frameMillis = 100

export interface View {
  readonly print: (events: ReadonlyArray<MarketEvent.AnyEvent>) => Effect.Effect<void, OutputClosed | RunFailed>
  readonly observe: (events: ReadonlyArray<MarketEvent.AnyEvent>) => void
  /** Follows the books, if it is of books. */
  readonly follow: Effect.Effect<void, never, Scope.Scope>
  /** The run is over: what comes now is of its closing. */
  readonly over: () => void
  /** Completes when all that was printed has been written, or drawn. */
  readonly end: Effect.Effect<void, OutputClosed>
  /** Market events that were to be printed and were dropped. */
  readonly dropped: () => number
  readonly shed: OutputQueue.OutputQueue["shed"]
  readonly report: () => void
}

/** Each event as a line. */
export const lines = Effect.fnUntraced(function*(
  options: Parameters<typeof OutputQueue.make>[0]
): Effect.fn.Return<View, never, Scope.Scope> {
  const queue = yield* OutputQueue.make(options)
  return {
    print: queue.offer,
    observe: () => {},
    follow: Effect.void,
    over: () => {},
    end: queue.end,
    dropped: queue.dropped,
    shed: queue.shed,
    report: queue.report
  }
})

interface Drawn {
  readonly observe: (event: MarketEvent.AnyEvent) => void
  readonly lines: (paint: Paint, size: Size) => ReadonlyArray<string>
}

const clocks = Effect.map(Clock.Clock, (clock): Clocks => ({
  now: () => clock.currentTimeMillisUnsafe(),
  monotonic: () => Monotonic.nowMillis(clock)
}))

// Draws it again and again, whatever comes in between.
const drawn = Effect.fnUntraced(function*(
  it: Drawn,
  stdout: Sink,
  tally: Tally.Tally
): Effect.fn.Return<View, never, Scope.Scope> {
  const paint = makePaint(stdout.hasColor)
  const screen = yield* Screen.make(stdout)
  const draw = Effect.suspend(() => screen.draw(it.lines(paint, stdout.size())))
  yield* Effect.forkScoped(Effect.ignore(Effect.forever(Effect.andThen(draw, Effect.sleep(frameMillis)))))
  return {
    print: (events) => Effect.sync(() => events.forEach(({ _tag }) => tally.printed(_tag, 1))),
    observe: (events) => events.forEach(it.observe),
    follow: Effect.void,
    over: () => {},
    end: draw,
    dropped: () => 0,
    shed: () => [],
    report: () => {}
  }
})

/** What connections are doing and what the prices are. */
export const table = Effect.fnUntraced(function*(
  title: string,
  stdout: Sink,
  tally: Tally.Tally
): Effect.fn.Return<View, never, Scope.Scope> {
  return yield* drawn(Board.make({ title, detail: "market", ...(yield* clocks) }), stdout, tally)
})

const methods: Readonly<Record<Venue["continuity"], string | undefined>> = {
  frame: "sequence",
  delta: "sequence",
  state: "checksum",
  none: undefined
}

/** So many levels are read of each side where nothing is said: more than a terminal has lines for. */
const mostDepth = 100

/** The order books of those of the targets that have some. */
export const ladder = Effect.fnUntraced(function*(
  { depth, targets, title }: {
    readonly title: string
    readonly targets: ReadonlyArray<Target>
    /** The most levels that are shown of each side. */
    readonly depth: number | undefined
  },
  feeds: MarketFeeds["Service"],
  stdout: Sink,
  tally: Tally.Tally
): Effect.fn.Return<View, never, Scope.Scope> {
  const channels = new Map(targets.map(({ bookChannel, venue }) => [venue.name, bookChannel]))
  const books = targets.flatMap(({ bookChannel, products, venue }) =>
    [...new Set(products.map((product) => Symbols.resolve(feeds.symbols, venue, product)))]
      .map((product): Ladder.Followed => ({
        venue: venue.name,
        product,
        method: bookChannel === undefined ? methods[venue.continuity] : methods.delta
      }))
  )
  const ladder = Ladder.make({ title, books, depth, ...(yield* clocks) })
  const follow = Effect.fnUntraced(
    function*({ product, venue }: Ladder.Followed, place: number) {
      const feed = feeds.get(venue)
      if (feed === undefined) return
      // That a book is whole no more is shown at once; what is in it, as often as it is drawn, whatever comes in between.
      yield* feed.observeBook(product, (book) => OrderBook.isWhole(book) ? undefined : ladder.update(place, book), {
        depth: 0,
        channel: channels.get(venue)
      })
      yield* Stream.runForEach(
        feed.book(product, { depth: Math.min(depth ?? mostDepth, mostDepth), channel: channels.get(venue) }),
        (book) => Effect.andThen(Effect.sync(() => ladder.update(place, book)), Effect.sleep(frameMillis))
      )
    },
    (effect, _, place) => Effect.catch(effect, ({ message }) => Effect.sync(() => ladder.refuse(place, message))),
    Effect.scoped
  )
  return {
    ...yield* drawn(ladder, stdout, tally),
    follow: Effect.forEach(books, (book, place) => Effect.forkScoped(follow(book, place)), { discard: true }),
    over: ladder.end
  }
})
