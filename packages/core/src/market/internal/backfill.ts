/**
 * Fetches the trades that gaps hold: for each product and channel one fetch at a
 * time, whatever the number of connections.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { NarrowingObserver } from "../../connection/internal/observers.ts"
import type { Batch } from "../../connection/Observer.ts"
import { Reconnection } from "../../connection/Reconnection.ts"
import * as ReceivedStamp from "../../event/internal/receivedStamp.ts"
import type { Trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { HttpPort } from "../../transport/HttpPort.ts"
import * as Channel from "../../value/Channel.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type * as Venue from "../../venue/Venue.ts"
import type { Policy } from "../Backfill.ts"
import * as FetchedTrades from "./fetchedTrades.ts"
import type { GapLedger } from "./gapLedger.ts"
import type { Found, Recoverer } from "./gapRecovery.ts"
import type { LedgerEntry } from "./ledgerEntry.ts"
import type { Legs } from "./legs.ts"
import { without } from "./mergedBatch.ts"
import type { Products } from "./products.ts"
import * as RestRequests from "./restRequests.ts"

/**
 * What the trades of a feed are fetched with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue.Venue
  /** The base of the venue's REST interface. */
  readonly rest: string | undefined
  readonly policy: Policy
  readonly products: Products
  readonly ledger: GapLedger
  readonly legs: () => Legs
}

/** A gap, and what ends it. */
interface Missed extends Omit<FetchedTrades.Bounds, "before"> {
  readonly isDrop: boolean
  readonly end: ReturnType<GapLedger["hold"]>
}

/** One fetch, for the gaps that there were when it began. */
interface Fetch extends FetchedTrades.Bounds {
  readonly missed: ReadonlyArray<Missed>
  before: Trade | undefined
  /** Whether live trades wait for it, and those that do. */
  isAwaited: boolean
  held: Array<Trade>
  heldBytes: number
  /** What has been fetched, and how many bytes held it. */
  found: Array<Trade>
  foundBytes: number
  isWhole: boolean
  fiber: Fiber.Fiber<void> | undefined
}

/** What is fetched of a product and channel, and the gaps that are next. */
interface Filling {
  readonly entry: LedgerEntry
  readonly product: string
  channels: ReadonlyArray<Channel.Channel>
  fetch: Fetch | undefined
  waiting: Array<Missed>
}

// So many live trades of a product wait at most.
const mostHeld = 10_000

/**
 * Makes what fetches the trades of a feed, and the observer that holds live ones
 * back for it; none if it cannot be done.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<ReadonlyArray<NarrowingObserver<MarketEvent>>, never, Scope.Scope | Reconnection> {
  const { ledger, policy: { deadline, maxPages, maxWait }, rest, venue } = options
  const port = Option.getOrUndefined(yield* Effect.serviceOption(HttpPort))
  const trades = venue.rest?.trades
  if (trades === undefined || port === undefined || rest === undefined) return []
  const { policy } = yield* Reconnection
  // It is the deadline that ends a fetch.
  const retry = { ...policy.retry, maxRetries: "unlimited" } as const
  const backfill = new Backfill({
    ...options,
    trades,
    clock: yield* Clock.Clock,
    ask: (yield* RestRequests.make({ venue, rest, port, policy: { ...policy, retry } })).ask,
    isAnswered: ({ body, path }) =>
      port.isReplay !== true || port.isRecorded?.(body === undefined ? "GET" : "POST", `${rest}${path}`) === true,
    fork: yield* FiberSet.makeRuntime<never>(),
    maxWait: Duration.fromInputUnsafe(maxWait ?? "2 seconds"),
    deadline: Duration.fromInputUnsafe(deadline ?? "1 minute"),
    maxPages: maxPages ?? 20
  })
  ledger.recoverer = backfill
  return [backfill.observer]
})

interface Parts extends Options {
  readonly trades: Venue.Trades
  readonly clock: Clock.Clock
  readonly ask: RestRequests.RestRequests["ask"]
  /** Whether a request will be answered: of a recording it is known. */
  readonly isAnswered: (request: Venue.RestRequest) => boolean
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly maxWait: Duration.Duration
  readonly deadline: Duration.Duration
  readonly maxPages: number
}

class Backfill implements Recoverer {
  private readonly parts: Parts
  private readonly fillings = new Map<LedgerEntry, Filling>()
  private epoch = 0

  constructor(parts: Parts) {
    this.parts = parts
  }

  readonly observer: NarrowingObserver<MarketEvent> = {
    name: "backfill",
    attach: (epoch) => {
      this.epoch = epoch
      return {
        batch: () => {},
        // What was received in an epoch is handed on in it.
        ended: () => {
          if (this.parts.legs().all.length > 1) return
          for (const { fetch, ...filling } of this.fillings.values()) if (fetch !== undefined) this.pass(filling, fetch)
        }
      }
    },
    narrow: (batch) => this.fillings.size === 0 ? batch : this.narrow(batch)
  }

  dropped(entry: LedgerEntry, from: number): void {
    const filling = this.of(entry)
    if (filling === undefined) return
    const { fetch } = filling
    if (fetch !== undefined) {
      this.stop(filling, fetch)
      this.handOn(filling, fetch)
      filling.waiting.unshift(...fetch.missed)
    }
    if (filling.waiting.some(({ isDrop }) => isDrop)) return
    const end = this.parts.ledger.hold(Channel.make(entry.channel, entry.product))
    filling.waiting.push({ after: entry.lastTrade, sinceMillis: from, isDrop: true, end })
  }

  confirmed(entry: LedgerEntry): void {
    const filling = this.fillings.get(entry)
    if (filling !== undefined) this.begin(filling)
  }

  missed(entry: LedgerEntry, gap: Pick<Found, "from" | "to">): boolean {
    const filling = this.of(entry)
    if (filling === undefined) return false
    const { clock, ledger } = this.parts
    const isOpen = entry.open !== undefined
    filling.waiting.push({
      after: entry.lastTrade,
      sinceMillis: clock.currentTimeMillisUnsafe(),
      isDrop: false,
      end: (recovered) => isOpen ? undefined : ledger.closed(entry, gap, recovered)
    })
    if (!isOpen || entry.confirmedAt !== undefined) this.begin(filling)
    return true
  }

  left(entry: LedgerEntry): void {
    const filling = this.fillings.get(entry)
    if (filling === undefined) return
    this.fillings.delete(entry)
    const { fetch, waiting } = filling
    if (fetch !== undefined) {
      this.stop(filling, fetch)
      this.handOn(filling, fetch)
    }
    for (const { end } of [...fetch?.missed ?? [], ...waiting]) this.parts.legs().announce(end())
  }

  private of(entry: LedgerEntry): Filling | undefined {
    const known = this.fillings.get(entry)
    if (known !== undefined) return known
    const { channel, product } = entry
    const { isAnswered, trades } = this.parts
    if (product === undefined || !trades.offers(channel)) return undefined
    const first = trades.request({ channel, product, after: undefined, sinceMillis: 0, before: undefined })
    if (!isAnswered(first)) return undefined
    const made = {
      entry,
      product,
      channels: [Channel.make(channel, product)],
      fetch: undefined,
      waiting: []
    }
    this.fillings.set(entry, made)
    return made
  }

  private narrow(batch: Batch<MarketEvent>): Batch<MarketEvent> | undefined {
    const { channels = [], messages } = batch
    let held: Set<number> | undefined
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]
      const of = channels[i]
      if (message?._tag !== "Trade" || of === undefined) continue
      const entry = this.parts.ledger.entryOf(of, message.product)
      const filling = entry && this.fillings.get(entry)
      const fetch = filling?.fetch
      if (entry === undefined || filling === undefined || fetch === undefined) continue
      filling.channels = of
      // The newest that has come: of the others nothing is known but that they are late.
      if (message.history !== true && entry.lastTrade === message) fetch.before ??= message
      if (!fetch.isAwaited) continue
      entry.postpone()
      fetch.held.push(message)
      fetch.heldBytes += batch.bytes / messages.length
      held = (held ?? new Set()).add(i)
      if (fetch.held.length >= mostHeld) this.pass(filling, fetch)
    }
    this.epoch = batch.epoch
    return held === undefined ? batch : without(batch, held)
  }

  private begin(filling: Filling): void {
    const [first] = filling.waiting
    if (filling.fetch !== undefined || first === undefined) return
    const fetch: Fetch = {
      missed: filling.waiting.splice(0),
      after: first.after,
      sinceMillis: first.sinceMillis,
      before: undefined,
      isAwaited: Duration.toMillis(this.parts.maxWait) > 0,
      held: [],
      heldBytes: 0,
      found: [],
      foundBytes: 0,
      isWhole: false,
      fiber: undefined
    }
    filling.fetch = fetch
    // Not within the step that begins it, which is still telling of the gap.
    fetch.fiber = this.parts.fork(Effect.andThen(Effect.yieldNow, this.run(filling, fetch)))
  }

  private stop(filling: Filling, { fiber }: Fetch): void {
    filling.fetch = undefined
    if (fiber !== undefined) this.parts.fork(Fiber.interrupt(fiber))
  }

  private run(filling: Filling, fetch: Fetch): Effect.Effect<void> {
    const { deadline, legs, maxWait, venue } = this.parts
    const passed = Effect.sync(() => {
      this.pass(filling, fetch)
      legs().inbox.wake()
    })
    return Effect.gen({ self: this }, function*() {
      yield* Effect.forkChild(Effect.delay(passed, maxWait))
      const reason = yield* this.pages(filling, fetch).pipe(
        Effect.timeoutOption(deadline),
        Effect.map(Option.getOrElse(() => "the deadline has passed")),
        Effect.catch(({ reason }) => Effect.succeed(reason.message))
      )
      if (reason !== undefined) {
        const { entry: { channel }, product } = filling
        yield* Effect.annotateLogs(
          Effect.logWarning("trades not fetched"),
          { connection: venue.name, channel, product, reason }
        )
      }
      this.ended(filling, fetch, reason === undefined)
    })
  }

  // One answer after the other. Gives why there are not all, if that is known.
  private pages(filling: Filling, fetch: Fetch): Effect.Effect<string | undefined, RestRequests.Failure> {
    const { ask, maxPages, trades } = this.parts
    const asked = (): Venue.TradesAsked => ({
      channel: filling.entry.channel,
      product: filling.product,
      after: fetch.after,
      sinceMillis: fetch.sinceMillis,
      before: fetch.before
    })
    return Effect.gen(function*() {
      let request: Venue.RestRequest | undefined = trades.request(asked())
      for (let page = 1; request !== undefined; page++) {
        if (page > maxPages) return `there are more than ${maxPages} answers`
        const one: Venue.RestRequest = request
        const answer: Venue.TradesPage = yield* ask(one, (body) => {
          fetch.foundBytes += body.length
          return trades.read(body, asked(), one)
        })
        const [first] = answer.trades
        // Some venues go back from the newest.
        const isBefore = first !== undefined && fetch.found[0] !== undefined &&
          FetchedTrades.isLater(fetch.found[0], first)
        fetch.found = isBefore ? [...answer.trades, ...fetch.found] : [...fetch.found, ...answer.trades]
        fetch.isWhole = answer.isWhole === true
        request = answer.next
      }
      return undefined
    })
  }

  // The live ones wait no longer.
  private pass(filling: Pick<Filling, "entry" | "channels">, fetch: Fetch): void {
    const { held, heldBytes } = fetch
    fetch.isAwaited = false
    fetch.held = []
    fetch.heldBytes = 0
    this.deliver(filling, held, heldBytes)
  }

  private ended(filling: Filling, fetch: Fetch, isDone: boolean): void {
    // It was stopped.
    if (filling.fetch !== fetch) return
    filling.fetch = undefined
    const { entry } = filling
    const { legs } = this.parts
    const held = fetch.held
    fetch.held = []
    const numbered = this.numbered(entry)
    const compare = FetchedTrades.compare(this.ordered(entry))
    const { fetched, isReached } = this.admit(entry, fetch)
    const first = FetchedTrades.numberOf(fetch.after, numbered)
    const last = FetchedTrades.numberOf(fetch.before, numbered)
    const isMeasured = first !== undefined
    const missing = isMeasured ? entry.numbers.countMissing(first + 1, (last ?? Infinity) - 1) : 0
    const isComplete = isMeasured && last !== undefined
      ? missing === 0
      : isDone && (isMeasured ? missing === 0 : isReached)
    if (isDone && isMeasured) {
      if (missing === 0) this.parts.ledger.measured(entry, 0)
      entry.unmeasured = undefined
    }
    // What the venue itself replays, or has come late, stands with what was fetched.
    const isPast = (trade: Trade): boolean =>
      trade.history === true || (fetch.before !== undefined && compare(trade, fetch.before) < 0)
    this.deliver(
      filling,
      [...fetched, ...held.filter(isPast)].toSorted(compare),
      fetch.foundBytes
    )
    for (const { end, isDrop } of fetch.missed) {
      const isRecovered = isComplete && (isDrop || !isMeasured || fetched.length > 0)
      legs().announce(end(isRecovered ? "backfill" : undefined))
    }
    this.deliver(filling, held.filter((trade) => !isPast(trade)), fetch.heldBytes)
    if (filling.waiting.length > 0) this.begin(filling)
    else this.fillings.delete(entry)
    legs().inbox.wake()
  }

  // A fetch that has ended before it was done: what there is of it, and then those that have waited.
  private handOn(filling: Filling, fetch: Fetch): void {
    const { fetched } = this.admit(filling.entry, fetch)
    this.deliver(filling, fetched, fetch.foundBytes)
    this.pass(filling, fetch)
  }

  // What of it was not there yet: it is from now on.
  private admit(
    entry: LedgerEntry,
    fetch: Fetch
  ): { readonly fetched: ReadonlyArray<Trade>; readonly isReached: boolean } {
    const { inside, isReached } = FetchedTrades.within(fetch.found, fetch, this.ordered(entry))
    const fetched = inside.filter((trade) => this.isNew(entry, trade))
    entry.repeat(inside.length - fetched.length)
    return { fetched, isReached: isReached || fetch.isWhole }
  }

  // What trades stand in order by.
  private ordered(entry: LedgerEntry): FetchedTrades.Numbered {
    const numbered = this.numbered(entry)
    return numbered === "none" ? this.parts.trades.rising ?? "none" : numbered
  }

  private numbered(entry: LedgerEntry): FetchedTrades.Numbered {
    return entry.tradeNumber ??= this.parts.venue.tradeNumber?.(entry.channel) ?? "none"
  }

  private isNew(entry: LedgerEntry, trade: Trade): boolean {
    const { ledger } = this.parts
    const number = FetchedTrades.numberOf(trade, this.numbered(entry))
    if (number === undefined) {
      if (trade.tradeId !== undefined && entry.hasCome(trade.tradeId)) return false
      if (FetchedTrades.isLater(trade, entry.lastTrade)) entry.lastTrade = trade
      return true
    }
    switch (entry.numbers.add(number)) {
      case "seen":
        return false
      case "late":
        ledger.late(entry, number, "backfill")
        return true
      case "gap":
        ledger.lacking(entry, entry.numbers.before ?? 0, number)
        break
      case "next":
    }
    entry.lastTrade = trade
    return true
  }

  private deliver(
    { channels, entry }: Pick<Filling, "entry" | "channels">,
    trades: ReadonlyArray<Trade>,
    bytes: number
  ): void {
    const [first, ...others] = trades
    if (first === undefined) return
    const { clock, legs, products } = this.parts
    const at = clock.currentTimeMillisUnsafe()
    const mark = { receivedAt: Timestamp.fromEpochMillis(at), name: products.of(first.product).name }
    for (const trade of trades) if (trade.receivedAt === undefined) ReceivedStamp.stamp(trade, mark)
    const batch: Batch<MarketEvent> = {
      _tag: "Batch",
      epoch: this.epoch,
      at,
      monotonicMillis: Monotonic.nowMillis(clock),
      messages: [first, ...others],
      channels: trades.map(() => channels),
      bytes: Math.ceil(bytes),
      frames: ["".padEnd(Math.ceil(bytes))],
      starts: [0]
    }
    entry.deliver(trades.length)
    legs().inbox.offer(batch)
    legs().inbox.route(batch)
  }
}
