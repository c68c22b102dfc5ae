/** Breakages of the room `market` of core. */
import type { Breakage } from "./Breakage.ts"

const stream = "packages/core/src/market/ReconnectingStream.ts"
const ofStream = "packages/core/test/ReconnectingStream.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the five of founding document 004
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
    file: "packages/core/src/market/internal/freshness.ts",
    original: "entry.heardAt = at\n",
    replacement: "entry.heardAt = undefined\n",
    test: ["packages/testing/test/Freshness.test.ts", "takes a quiet market for what it is"]
  },
  // limits and closes
  {
    name: "data is that of every subscription to the product",
    file: "packages/core/src/market/internal/router.ts",
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
    file: "packages/core/src/connection/internal/routes.ts",
    original: "channels.flatMap((channel) => this.byChannel.get(Channel.key(channel)) ?? [])",
    replacement: "channels.flatMap(() => [...this.byChannel.values()])",
    test: ["packages/testing/test/Routing.test.ts", "binance: trades are not told twice"]
  },
  {
    name: "a feed counts no gaps of a drop",
    file: "packages/core/src/market/internal/ledger.ts",
    original: "metrics.gaps(\"disconnect\", gaps.length)",
    replacement: "void 0",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "events of a batch are counted once",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "count += i + 1 - first",
    replacement: "count += 1",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "a gap is told when it is over, and not before",
    file: "packages/core/src/market/internal/ledger.ts",
    original: "? this.begin(this.heardAt ?? at) : []",
    replacement: "? (this.begin(this.heardAt ?? at), []) : []",
    test: ["packages/testing/test/Ledger.test.ts", "every consumer reads the same gaps"]
  },
  {
    name: "a channel that is live ends the gaps of all",
    file: "packages/core/src/market/internal/ledger.ts",
    original: "return this.end(found, at)",
    replacement: "return this.end([...this.wanted.values()], at)",
    test: ["packages/testing/test/Ledger.test.ts", "a gap ends channel by channel"]
  },
  {
    name: "the gap of a channel that is refused stays open",
    file: "packages/core/src/market/internal/ledger.ts",
    original: "return this.end(found, this.options.wallNow())",
    replacement: "return undefined",
    test: ["packages/testing/test/Ledger.test.ts", "a channel that is refused on restore"]
  },
  {
    name: "what is handed on is not counted",
    file: "packages/core/src/market/internal/ledger.ts",
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
    file: "packages/core/src/market/internal/stamp.ts",
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
  }
]
