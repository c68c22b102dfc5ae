/** Breakages of the room `market` of core. */
import type { Breakage } from "./Breakage.ts"

const stream = "packages/core/src/market/ReconnectingStream.ts"
const ofStream = "packages/core/test/ReconnectingStream.test.ts"

const snapshots = "packages/core/src/market/internal/restRequests.ts"
const ofSnapshots = "packages/testing/test/BookSnapshots.test.ts"

const backfill = "packages/core/src/market/internal/backfill.ts"
const ofBackfill = "packages/testing/test/Backfill.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the five of a source of one's own
  {
    name: "a subscription is not sent",
    file: stream,
    original: "if (state._tag === \"Up\" && ids.length > 0) yield* source.subscribe(ids)",
    replacement: "",
    test: [ofStream, "a successful connection"]
  },
  {
    name: "the end of the source is the end",
    file: stream,
    original: "Option.getOrElse(next.value, () => endOfStream)",
    replacement: "Option.getOrThrow(next.value)",
    test: [ofStream, "reconnect after disconnect"]
  },
  {
    name: "the waits are those of the breaker alone",
    file: stream,
    original: "dueAt, retry: retry.attempt",
    replacement: "dueAt: 0, retry: retry.attempt",
    test: [ofStream, "exponential backoff"]
  },
  {
    name: "a failed reconnect does not count",
    file: stream,
    original: "yield* recorded(permit.fail(kind))",
    replacement: "yield* permit.release",
    test: [ofStream, "circuit breaker trips"]
  },
  {
    name: "a success does not reset the backoff",
    file: stream,
    original: "Effect.andThen(report, backoff.reset)",
    replacement: "report",
    test: [ofStream, "reset backoff"]
  },
  // alive: keep-alive, limits, confirmations, freshness, requests
  {
    name: "a quiet market is a dead feed",
    file: "packages/core/src/market/internal/freshnessTracker.ts",
    original: "entry.isHeard = true\n",
    replacement: "entry.isHeard = false\n",
    test: ["packages/testing/test/Freshness.test.ts", "takes a quiet market for what it is"]
  },
  {
    name: "what was heard before an outage is heard after it",
    file: "packages/core/src/market/internal/freshnessTracker.ts",
    original: "    connectedAt = at\n    heard = {}\n",
    replacement: "    connectedAt = at\n",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "what a list remembers"]
  },
  {
    name: "a list is of the figures of a subscription that was given up",
    file: "packages/core/src/market/internal/freshnessTracker.ts",
    original: "      entry.end()\n      heard = {}\n",
    replacement: "      entry.end()\n",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "what a list remembers"]
  },
  {
    name: "a channel that is subscribed anew is the one that was given up",
    file: "packages/core/src/market/internal/freshnessTracker.ts",
    original: "      byChannel.clear()\n",
    replacement: "",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "a channel is what it names"]
  },
  {
    name: "a channel of which something came before it was subscribed stays unknown",
    file: "packages/core/src/market/internal/freshnessTracker.ts",
    original: "      without.clear()\n",
    replacement: "",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "a channel is what it names"]
  },
  {
    name: "ages are taken over from a subscription that was given up",
    file: "packages/core/src/market/internal/freshnessFigures.ts",
    original: "this.figures.fill(0, place * width, (place + 1) * width)",
    replacement: "",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "keeps the ages of each of many apart"]
  },
  {
    name: "the ages of many are forgotten when one more comes",
    file: "packages/core/src/market/internal/freshnessFigures.ts",
    original: "this.figures.set(figures)",
    replacement: "",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "keeps the ages of each of many apart"]
  },
  // limits and closes
  {
    name: "data is that of every subscription to the product",
    file: "packages/core/src/market/internal/channelRouter.ts",
    original: "const routes = topic === undefined ? undefined : names.get(topic.name)",
    replacement: "const routes = topic === undefined ? undefined : [...names.values()][0]",
    test: ["packages/testing/test/Routing.test.ts", "binance: depth20 beside trade"]
  },
  {
    name: "a product is asked for as it was written",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "channels.map((channel) => normalised(venue, channel))",
    replacement: "channels",
    test: ["packages/testing/test/Routing.test.ts", "binance: btcusdt, of every stream"]
  },
  {
    name: "a typed stream has the events of another subscription",
    file: "packages/core/src/connection/internal/consumerRoutes.ts",
    original: "if (route !== undefined) routes.push(route)",
    replacement: "routes.push(...this.byChannel.values())",
    test: ["packages/testing/test/Routing.test.ts", "binance: trades are not told twice"]
  },
  // order books
  {
    name: "a book that is broken keeps its levels",
    file: "packages/core/src/market/internal/book.ts",
    original: "  private reset(): void {\n    this.levels.clear()",
    replacement: "  private reset(): void {",
    test: ["packages/core/test/Books.test.ts", "breaks every book at a number that is missing"]
  },
  {
    name: "a frame that is missing breaks no book",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original: "    if (step === \"gap\") {",
    replacement: "    if (step === \"gap\") return \"next\"\n    if (step === \"gap\") {",
    test: ["packages/testing/test/Books.test.ts", "a frame that is lost breaks the books"]
  },
  {
    name: "numbers that come late are missing at once",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original: "const due = this.due()",
    replacement: "const due = 0 * this.due()",
    test: ["packages/core/test/Books.test.ts", "a jump is no break"]
  },
  {
    name: "a checksum that differs is believed",
    file: "packages/core/src/market/internal/book.ts",
    original: "checksum !== undefined && this.checksum() !== checksum",
    replacement: "checksum !== undefined && this.checksum() === \"\"",
    test: ["packages/testing/test/Books.test.ts", "a frame that is lost breaks the books"]
  },
  {
    name: "a book that crosses is believed",
    file: "packages/core/src/market/internal/book.ts",
    original: "this.break(\"crossed\", \"the best bid is above the best ask\")",
    replacement: "void 0",
    test: ["packages/core/test/Books.test.ts", "is broken if its sides cross"]
  },
  {
    name: "a change is applied twice",
    file: "packages/core/src/market/internal/book.ts",
    original: "if (step === \"older\") return false",
    replacement: "",
    test: ["packages/core/test/Books.test.ts", "passes over what is older"]
  },
  {
    name: "of what crosses the newer goes",
    file: "packages/core/src/market/internal/uncross.ts",
    original: "if (bidAt < askAt) bid = next(bidSide)",
    replacement: "if (bidAt > askAt) bid = next(bidSide)",
    test: ["packages/core/test/Books.test.ts", "the side that was set earlier goes"]
  },
  {
    name: "a snapshot that the changes do not follow is taken",
    file: "packages/core/src/market/internal/snapshotBuffer.ts",
    original: "first === undefined || follows(first)",
    replacement: "first === undefined || follows(first) || true",
    test: ["packages/core/test/Books.test.ts", "needs another snapshot"]
  },
  {
    name: "a book that is broken is not asked for anew",
    file: "packages/core/src/market/internal/bookResync.ts",
    original: "return Effect.andThen(options.resubscribe(channels), resync(wanted, options, next))",
    replacement: "return resync(wanted, options, next)",
    test: ["packages/testing/test/FeedBooks.test.ts", "deribit: a frame that is lost"]
  },
  {
    name: "a first snapshot that is lost is waited for",
    file: "packages/core/src/market/internal/bookKeeper.ts",
    original: "      this.ensureWhole(this.all(), firstWaitMillis)\n",
    replacement: "",
    test: ["packages/testing/test/FeedBooks.test.ts", "a first snapshot that is lost"]
  },
  {
    name: "a book that nobody watches is kept",
    file: "packages/core/src/market/internal/bookKeeper.ts",
    original: "this.books.forget(name, product)",
    replacement: "void 0",
    test: ["packages/testing/test/FeedBooks.test.ts", "who watches again"]
  },
  {
    name: "a frame is looked at for crossing before it is over",
    file: "packages/core/src/market/internal/books.ts",
    original: "for (const { book } of changes) book.endFrame()",
    replacement: "",
    test: ["packages/core/test/Books.test.ts", "is looked at for crossing when it is over"]
  },
  {
    name: "a book that is broken is no gap",
    file: "packages/core/src/market/internal/feedBooks.ts",
    original: ": ledger.broken(channel, cause)",
    replacement: ": undefined",
    test: ["packages/testing/test/FeedBooks.test.ts", "kraken: a frame that is lost"]
  },
  {
    name: "a feed counts no gaps of a drop",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "metrics.gaps(cause, gaps.length)",
    replacement: "void 0",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "events of a batch are counted once",
    file: "packages/core/src/market/internal/arrivals.ts",
    original: "count += i + 1 - first",
    replacement: "count += 1",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "a gap is told when it is over, and not before",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "this.begin(this.wanted.values(), this.heardAt ?? at)",
    replacement: "(this.begin(this.wanted.values(), this.heardAt ?? at), [])",
    test: ["packages/testing/test/Ledger.test.ts", "every consumer reads the same gaps"]
  },
  {
    name: "a channel that is live ends the gaps of all",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "this.end(found.filter((entry) => this.endsAsConfirmed(entry)), at)",
    replacement: "this.end([...this.wanted.values()], at)",
    test: ["packages/testing/test/Ledger.test.ts", "a gap ends channel by channel"]
  },
  {
    name: "the gap of a channel that is refused stays open",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "return this.end(found, this.options.wallNow())",
    replacement: "return undefined",
    test: ["packages/testing/test/Ledger.test.ts", "a channel that is refused on restore"]
  },
  {
    name: "what is handed on is not counted",
    file: "packages/core/src/market/internal/arrivalCounts.ts",
    original: "entry.handedOn += entry.arriving",
    replacement: "entry.handedOn += 0",
    test: ["packages/testing/test/Ledger.test.ts", "counts what came"]
  },
  {
    name: "what a typed stream shed is in no ledger",
    file: "packages/core/src/connection/internal/inbox.ts",
    original: "if (item._tag === \"Missed\") onMissed(item)",
    replacement: "if (item._tag === \"Missed\") void onMissed",
    test: ["packages/testing/test/Ledger.test.ts", "what a consumer's own queue shed"]
  },
  {
    name: "a quote of a venue that is not connected is live",
    file: "packages/core/src/market/Quotes.ts",
    original: "now - at < staleMillis && isUp(venue)",
    replacement: "now - at < staleMillis && venue !== \"\" && isUp !== undefined",
    test: ["packages/testing/test/Quotes.test.ts", "what a venue quoted that is not connected"]
  },
  {
    name: "a perpetual is asked for by the name of the coins",
    file: "packages/core/src/market/MarketFeeds.ts",
    original: "return isOther ? Stream.empty : read(feed)",
    replacement: "return isOther ? read(feed) : read(feed)",
    test: ["packages/testing/test/Quotes.test.ts", "typed streams of all venues"]
  },
  {
    name: "an event is received when the feed was made",
    file: "packages/core/src/market/internal/feedDecoder.ts",
    original: "if (at !== markedAt) {",
    replacement: "if (markedAt === undefined) {",
    test: ["packages/testing/test/Quotes.test.ts", "typed streams of all venues"]
  },
  {
    name: "a lazy layer waits for its venue",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "(feed) => Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })",
    replacement: "(feed) => Effect.ignore(feed.connection.connect)",
    test: ["packages/testing/test/Quotes.test.ts", "a feed resolves names"]
  },
  // missed trades
  {
    name: "live trades do not wait for those that are fetched",
    file: backfill,
    original: "isAwaited: Duration.toMillis(this.parts.maxWait) > 0",
    replacement: "isAwaited: false",
    test: [ofBackfill, "live trades wait for it"]
  },
  {
    name: "live trades wait for as long as a fetch takes",
    file: backfill,
    original: "yield* Effect.forkChild(Effect.delay(passed, maxWait))",
    replacement: "yield* Effect.forkChild(Effect.delay(passed, deadline))",
    test: [ofBackfill, "no longer than two seconds"]
  },
  {
    name: "a fetch begins in the step that finds its gap",
    file: backfill,
    original: "Effect.andThen(Effect.yieldNow, this.run(filling, fetch))",
    replacement: "this.run(filling, fetch)",
    test: [ofBackfill, "has lost is fetched, at 0 ms"]
  },
  {
    name: "a trade that is there is fetched once more",
    file: backfill,
    original: "if (trade.tradeId !== undefined && entry.hasCome(trade.tradeId)) return false",
    replacement: "",
    test: [ofBackfill, "what the venue replays by itself"]
  },
  {
    name: "what the venue no longer has is taken for recovered",
    file: backfill,
    original: "isReached: isReached || fetch.isWhole",
    replacement: "isReached: true",
    test: [ofBackfill, "what the venue no longer has"]
  },
  {
    name: "a drop during a fetch forgets what that was for",
    file: backfill,
    original: "filling.waiting.unshift(...fetch.missed)",
    replacement: "",
    test: [ofBackfill, "a second drop"]
  },
  {
    name: "a fetch follows any number of answers",
    file: backfill,
    original: "if (page > maxPages)",
    replacement: "if (page > 1_000_000)",
    test: [ofBackfill, "no more answers"]
  },
  {
    name: "a fetch has no deadline",
    file: backfill,
    original: "Effect.timeoutOption(deadline)",
    replacement: "Effect.timeoutOption(\"1 day\")",
    test: [ofBackfill, "given up in the end"]
  },
  {
    name: "what was held back at the end of an epoch waits on",
    file: backfill,
    original: "if (fetch !== undefined) this.pass(filling, fetch)",
    replacement: "void [filling, fetch]",
    test: [ofBackfill, "before its end"]
  },
  // snapshots over REST
  {
    name: "a snapshot is asked for whatever it weighs",
    file: snapshots,
    original: "weights.take(now, weight)",
    replacement: "weights.take(now, 0)",
    test: [ofSnapshots, "24 of 5,000 levels"]
  },
  {
    name: "Retry-After of a snapshot is not obeyed",
    file: snapshots,
    original: "asked ?? usual",
    replacement: "usual",
    test: [ofSnapshots, "obeys Retry-After to the second"]
  },
  {
    name: "Retry-After holds only the snapshot that was told",
    file: snapshots,
    original: "addresses.set(weights, address)",
    replacement: "",
    test: [ofSnapshots, "whichever feed of the address"]
  },
  {
    name: "a snapshot that cannot be had is asked for again",
    file: snapshots,
    original: "isUsedUp || !isPassing(reason)",
    replacement: "isUsedUp",
    test: [ofSnapshots, "has no such product"]
  },
  {
    name: "a wrong number of a frame makes those that follow old",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original: "isDisordered && number - 1 === this.lateBefore",
    replacement: "false",
    test: ["packages/testing/test/Books.test.ts", "a number that is wrong breaks it"]
  },
  {
    name: "a snapshot that is there at once is the last that is asked for",
    file: "packages/core/src/market/internal/bookKeeper.ts",
    original: "one.isFetching = false\n          for (const watching",
    replacement: "for (const watching",
    test: ["packages/testing/test/FeedBooks.test.ts", "is not the last that is asked for"]
  },
  {
    name: "a number that is missing is no gap",
    file: "packages/core/src/market/internal/continuityObserver.ts",
    original: "const announcement = ledger.missed(entry, numbers.before ?? 0, first, missing)",
    replacement: "const announcement = missing === -1 ? ledger.missed(entry, 0, first, missing) : undefined",
    test: ["packages/node/test/runner/Ledger.test.ts", "binance trade: a frame that goes missing"]
  },
  {
    name: "frames that are missing are no gap",
    file: "packages/core/src/market/internal/continuityObserver.ts",
    original: "if (step !== \"break\" || numbers.missing === 0) return step",
    replacement: "if (step !== \"break\" || numbers.missing >= 0) return step",
    test: ["packages/node/test/runner/Ledger.test.ts", "coinbase trade: a frame that goes missing"]
  },
  {
    name: "what is there already is handed on",
    file: "packages/core/src/market/internal/continuityObserver.ts",
    original: "if (entry === undefined || !this.isSeen(entry, message)) continue",
    replacement: "if (entry === undefined || this.isSeen(entry, message) || product !== \"\") continue",
    test: ["packages/node/test/runner/Ledger.test.ts", "binance trade: a frame that comes twice"]
  },
  {
    name: "what comes in a frame that is there already is handed on",
    file: "packages/core/src/market/internal/continuityObserver.ts",
    original: "if (step === \"late\") this.late(of, message)",
    replacement: "if (step === \"late\" || step === \"seen\") this.late(of, message)",
    test: ["packages/node/test/runner/Ledger.test.ts", "coinbase book: a frame that comes twice"]
  },
  {
    name: "the gap of a drop does not say how much it holds",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "this.amend(entry, unmeasured, (gap) => ({ ...gap, missing }))",
    replacement: "void 0",
    test: ["packages/node/test/runner/Ledger.test.ts", "a drop is a gap, as long as it lasted"]
  },
  {
    name: "a drop's gap of a book that is kept ends with its confirmation",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "return open?.cause === \"disconnect\" && holds === 0 && !isKept",
    replacement: "return open?.cause === \"disconnect\" && holds === 0 && (isKept || !isKept)",
    test: ["packages/node/test/runner/Ledger.test.ts", "coinbase: with --book"]
  },
  {
    name: "a gap that is held ends with its confirmation",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "return open?.cause === \"disconnect\" && holds === 0 && !isKept",
    replacement: "return open?.cause === \"disconnect\" && holds >= 0 && !isKept",
    test: ["packages/core/test/GapLedger.test.ts", "a gap that is held ends"]
  },
  {
    name: "a book that nobody watches is not kept where its state alone shows what is missing",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "        books.follow(wanted)\n",
    replacement: "",
    test: ["packages/node/test/runner/Ledger.test.ts", "kraken book: a checksum"]
  },
  {
    name: "a frame that cannot be read has no number",
    file: "packages/core/src/market/internal/books.ts",
    original: "const broken = this.follow(frame, []) === \"break\"",
    replacement: "const broken = topic.name === \"\" && this.follow(frame, []) === \"break\"",
    test: ["packages/core/test/Books.test.ts", "a frame of something else that cannot be read"]
  },
  {
    name: "numbers of each channel are taken for late ones",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original:
      "if (step === \"late\" && !this.ranges.isMissing(number - 1) && !this.ranges.isMissing(number + 1)) return step",
    replacement: "if (step === \"late\") return step",
    test: ["packages/core/test/Books.test.ts", "numbers of each channel are known as such"]
  },
  {
    name: "a number that fills a hole has come already",
    file: "packages/core/src/market/internal/numberRanges.ts",
    original: "      if (hole.first < first) left.push({ first: hole.first, last: first - 1 })",
    replacement: "      if (hole.first <= first) left.push({ first: hole.first, last: first - 1 })",
    test: ["packages/core/test/NumberRanges.test.ts", "says of each what the numbers themselves say"]
  },
  {
    name: "a consumer that is slow is given a book as it was",
    file: "packages/core/src/market/internal/feedBooks.ts",
    original:
      "        Stream.interruptWhen(Stream.runDrain(ended)),\n        Stream.map(() => books.read(wanted, viewOf(options)))",
    replacement:
      "        Stream.map(() => books.read(wanted, viewOf(options))),\n        Stream.interruptWhen(Stream.runDrain(ended))",
    test: ["packages/testing/test/FeedBooks.test.ts", "a consumer that is slow is given each book as it is then"]
  },
  {
    name: "books are checked whatever the user asks for",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "isUnchecked: options.checksBooks === false",
    replacement: "isUnchecked: false",
    test: ["packages/testing/test/FeedBooks.test.ts", "kraken: a user may ask for books that are not checked"]
  },
  {
    name: "a raw book is told without what crosses",
    file: "packages/core/src/market/internal/book.ts",
    original: "setBy === undefined || isRaw === true",
    replacement: "setBy === undefined",
    test: ["packages/core/test/Books.test.ts", "crosses by design"]
  }
]
