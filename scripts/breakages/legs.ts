/** Breakages of several connections of one feed, in the room `market` of core. */
import type { Breakage } from "./Breakage.ts"

const legs = "packages/core/src/market/internal/legs.ts"
const rotation = "packages/core/src/market/internal/rotation.ts"
const ofRotation = "packages/testing/test/Rotation.test.ts"
const ofRedundancy = "packages/testing/test/Redundancy.test.ts"
const ofMerge = "packages/core/test/LegMerge.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "what two connections bring is told twice",
    file: legs,
    original: "if (this.merge === undefined) return batch",
    replacement: "if (this.last > 0) return batch",
    test: [ofRotation, "hyperliquid: by hand"]
  },
  {
    name: "what is remembered goes with the old connection",
    file: legs,
    original: "this.forgetAt = \"later\"",
    replacement: "this.merge = undefined",
    test: [ofRotation, "hyperliquid: by hand"]
  },
  {
    name: "what is told twice does not count",
    file: "packages/core/src/market/internal/arrivalCounts.ts",
    original: "entry.duplicates++",
    replacement: "",
    test: [ofRotation, "72 hours"]
  },
  {
    name: "the end of one connection is that of the feed",
    file: "packages/core/src/market/internal/legInbox.ts",
    original: "this.place.ended() ? Effect.void : this.shared.end(how)",
    replacement: "Effect.andThen(Effect.sync(() => this.place.ended()), this.shared.end(how))",
    test: [ofRotation, "binance: by hand"]
  },
  {
    name: "a transition of one connection is the feed's",
    file: "packages/core/src/market/internal/legInbox.ts",
    original: "{ ...item, leg, isCovered }",
    replacement: "{ ...item, leg }",
    test: [ofRotation, "a connection is named"]
  },
  {
    name: "connections are not told apart",
    file: "packages/core/src/market/internal/lifecycleEvents.ts",
    original: "...(leg === undefined ? {} : { leg })",
    replacement: "",
    test: [ofRotation, "a connection is named"]
  },
  {
    name: "who closes one of several has a gap",
    file: legs,
    original: "if (!wasUp || leg.isUp || transition.to._tag === \"Closing\") return undefined",
    replacement: "if (!wasUp || leg.isUp) return undefined",
    test: [ofRotation, "binance: by hand"]
  },
  {
    name: "a drop that another connection covers is an open gap",
    file: legs,
    original: "const announcement = other === undefined || unfollowed.has(channel)",
    replacement: "const announcement = other === undefined || live.includes(channel)",
    test: [ofRotation, "the old connection drops when the new one is live"]
  },
  {
    name: "a channel that only the dropped connection had is covered",
    file: legs,
    original: "const other = this.all.find((other) => other !== leg && other.live.has(Channel.key(channel)))",
    replacement: "const other = this.all.find((other) => other !== leg)",
    test: [ofRedundancy, "one that is up and delivers nothing"]
  },
  {
    name: "an announced end is not heard",
    file: legs,
    original: "if (endsSoon(message)) this.endsSoon(standing, message)",
    replacement: "if (endsSoon(message)) continue",
    test: [ofRotation, "the venue's announcement"]
  },
  {
    name: "a session's limit is waited for",
    file: rotation,
    original: "return Math.max(sessionMillis - before, sessionMillis / 2)",
    replacement: "return sessionMillis + before",
    test: [ofRotation, "72 hours"]
  },
  {
    name: "a time before the end may be all of a session",
    file: rotation,
    original: "return Math.max(sessionMillis - before, sessionMillis / 2)",
    replacement: "return sessionMillis - before",
    test: [ofRotation, "a policy may say never"]
  },
  {
    name: "never is as usual",
    file: rotation,
    original: "if (when === \"never\") return undefined",
    replacement: "if (when === \"never\") return afterMillis({}, venue)",
    test: [ofRotation, "a policy may say never"]
  },
  {
    name: "the old connection is closed when the new one is up",
    file: rotation,
    original: "if (Result.isSuccess(connected)) yield* awaitLive(by, old)",
    replacement: "",
    test: [ofRotation, "a book whose snapshot is slow"]
  },
  {
    name: "books are not waited for",
    file: legs,
    original: "(leg.isUp && isAnswered && this.areBooksReady(leg, other))",
    replacement: "(leg.isUp && isAnswered)",
    test: [ofRotation, "a book whose snapshot is slow"]
  },
  {
    name: "answers are not waited for",
    file: legs,
    original: "(leg.isUp && isAnswered && this.areBooksReady(leg, other))",
    replacement: "(leg.isUp && this.areBooksReady(leg, other))",
    test: [ofRotation, "a channel that is answered late"]
  },
  {
    name: "a connection that drops in the overlap takes over",
    file: rotation,
    original: "Effect.flatMap((live) => live ? Effect.void : awaitLive(by, old))",
    replacement: "Effect.asVoid",
    test: [ofRotation, "the new connection drops in the overlap"]
  },
  {
    name: "one attempt is all",
    file: rotation,
    original: ": replace(old, reason)",
    replacement: ": Effect.never",
    test: [ofRotation, "a new connection that does not come up"]
  },
  {
    name: "a closed feed's rotation dials",
    file: rotation,
    original: "hasEnded || legs.isClosed",
    replacement: "hasEnded",
    test: [ofRotation, "a feed that is being closed"]
  },
  {
    name: "what announces its end while it comes up is not replaced",
    file: rotation,
    original: "if (next !== undefined) begin(by, next)",
    replacement: "",
    test: [ofRotation, "what announces its end"]
  },
  {
    name: "a typed stream ends with the connection that it began on",
    file: "packages/core/src/market/internal/legsConnection.ts",
    original: "this.#legs.lead === lead ? Effect.fail(error) : this.#awaitRefusal(channel)",
    replacement: "Effect.fail(error)",
    test: [ofRotation, "kraken: by hand"]
  },
  {
    name: "a rotation is not told",
    file: "packages/core/src/market/internal/lifecycleEvents.ts",
    original: "if (item.announcement instanceof RotationAnnouncement) return item.announcement.rotations",
    replacement: "",
    test: [ofRotation, "the venue's announcement"]
  },
  {
    name: "the gauge of a feed is that of its last connection",
    file: "packages/core/src/connection/internal/metricsRecorder.ts",
    original: "if (change !== 0) MetricDefinitions.connected.modifyUnsafe(change, this.context)",
    replacement: "MetricDefinitions.connected.updateUnsafe(Number(this.isUp), this.context)",
    test: [ofRotation, "a connection is named"]
  },
  {
    name: "changes without numbers stay with the old connection",
    file: legs,
    original: "if (takesOver) {",
    replacement: "if (takesOver && this.last < 0) {",
    test: [ofRotation, "coinbase: by hand"]
  },
  {
    name: "nobody asks for a snapshot to go on with",
    file: "packages/core/src/market/internal/feedBooks.ts",
    original: "if (!books.isWatched(channel)) fork(leg.connection[internals].resubscribe([channel]))",
    replacement: "",
    test: [ofRedundancy, "changes without numbers"]
  },
  {
    name: "a hole in changes without numbers is covered",
    file: legs,
    original: "const unfollowed = new Set(wasUp ?",
    replacement: "const unfollowed = new Set(!wasUp ?",
    test: [ofRedundancy, "changes without numbers"]
  },
  {
    name: "a book that breaks is not replaced by another one",
    file: "packages/core/src/market/internal/legBooks.ts",
    original: "if (!one.isWhole && this.replace(one)) return",
    replacement: "",
    test: [ofRedundancy, "a book stays live"]
  },
  {
    name: "a book that takes over goes back",
    file: "packages/core/src/market/internal/legBooks.ts",
    original: "if (passed !== undefined && book.sequence !== undefined && !isAbove(book.sequence, passed)) return",
    replacement: "",
    test: [ofRedundancy, "a book stays live"]
  },
  {
    name: "the next one is dialled anew before the first one is live",
    file: "packages/core/src/market/internal/legsConnection.ts",
    original: "Effect.andThen(leg.connection.reconnect, Effect.timeoutOption(live, mostWait))",
    replacement: "leg.connection.reconnect",
    test: [ofRedundancy, "one after the other"]
  },
  {
    name: "one endpoint that is down holds the feed up",
    file: "packages/core/src/market/internal/legsConnection.ts",
    original: "if (Exit.isSuccess(exit) || ++failed === all.length)",
    replacement: "if (Exit.isFailure(exit) || ++failed === all.length)",
    test: [ofRedundancy, "a feed is connected when"]
  },
  {
    name: "a late event is passed over",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "seen.set(id, { leg, at, isMatched: false })",
    replacement:
      "if (isAbove(id, [...seen.keys()].at(-1) ?? \"\")) seen.set(id, { leg, at, isMatched: false })\n    else return false",
    test: [ofRedundancy, "binance, seed 1"]
  },
  {
    name: "a state that is older is told",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "if (!isNewer) return false",
    replacement: "",
    test: [ofMerge, "a state is told"]
  },
  {
    name: "what a venue replays is told again",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "if (isBefore) return false",
    replacement: "",
    test: [ofMerge, "what a venue replays"]
  },
  {
    name: "what is remembered grows",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "if (seen.size <= leastSeen || at - then < rememberedMillis) break",
    replacement: "break",
    test: [ofMerge, "it is remembered"]
  },
  {
    name: "products that a peer makes up are remembered",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "account === undefined && this.accounts.size < mostAccounts",
    replacement: "account === undefined",
    test: [ofMerge, "a peer that makes up"]
  },
  {
    name: "a book that follows a connection is whole without a snapshot",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "account.isTorn = account.isFolded",
    replacement: "account.isTorn = false",
    test: [ofMerge, "a book that follows"]
  },
  {
    name: "a connection that was replaced is kept until the feed ends",
    file: "packages/core/src/market/internal/feedConnections.ts",
    original: "Context.pick(Transport, Reconnection, CircuitBreaker)",
    replacement: "(context) => context",
    test: [ofRotation, "what the new connection is refused"]
  },
  {
    name: "what takes over and is ahead is told at once",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "if (seen.has(id) || !this.isCovered(leg)) {",
    replacement: "if (mine.since >= 0) {",
    test: [ofRotation, "what the new connection brings late"]
  },
  {
    name: "what was held back and nobody else had is lost",
    file: "packages/core/src/market/internal/legMerge.ts",
    original: "else this.due.push(held)",
    replacement: "",
    test: [ofMerge, "what takes over and is ahead"]
  }
]
