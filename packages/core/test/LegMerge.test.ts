/** Which events of several connections are told: each once, by what it is known by. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketData from "@tickline/core/event/MarketData"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { constVoid } from "effect/Function"
import { LegMerge } from "../src/market/internal/legMerge.ts"

const venue = "v"
const product = "P"

const trade = (tradeId: string | undefined, seconds?: number, history?: boolean) =>
  MarketData.trade({
    venue,
    product,
    price: Decimal.zero,
    size: Decimal.zero,
    tradeId,
    timestamp: seconds === undefined ? undefined : Timestamp.fromEpochMillis(seconds * 1_000),
    history
  })

const ticker = (seconds: number | undefined, sequence?: string) =>
  MarketData.ticker({
    venue,
    product,
    timestamp: seconds === undefined ? undefined : Timestamp.fromEpochMillis(seconds * 1_000),
    sequence
  })

const snapshot = (sequence?: string) => MarketData.bookSnapshot({ venue, product, bids: [], asks: [], sequence })
const delta = (sequence?: string) => MarketData.bookDelta({ venue, product, bids: [], asks: [], sequence })

type Event = Parameters<LegMerge["passes"]>[2]

const numbered = new Set(["Ticker", "BookSnapshot", "BookDelta"] as const)

/** Whether each of these passes, one millisecond after the other. */
const told = (merge: LegMerge, arrivals: ReadonlyArray<readonly [leg: number, event: Event]>, from = 0) =>
  arrivals.map(([leg, event], i) => merge.passes(leg, "c", event, from + i))

describe("LegMerge", () => {
  it("a trade is told by whoever brings it first, also late behind newer ones", () => {
    const merge = new LegMerge(undefined, false, constVoid)
    assert.deepStrictEqual(
      told(merge, [[1, trade("1")], [2, trade("1")], [1, trade("3")], [2, trade("2")], [2, trade("3")], [
        1,
        trade("2")
      ]]),
      [true, false, true, true, false, false]
    )
    assert.deepInclude(merge.report(1), { first: 2, later: 1, alone: 0, meanLeadMillis: 1.5, mostLeadMillis: 2 })
    assert.deepInclude(merge.report(2), { first: 1, later: 2, alone: 0, meanLeadMillis: 2, mostLeadMillis: 2 })
    assert.deepInclude(merge.report(3), { first: 0, later: 0, alone: 0, meanLeadMillis: 0 })
  })

  it("a third one that brings it is later, and takes nobody's place", () => {
    const merge = new LegMerge(undefined, false, constVoid)
    told(merge, [[1, trade("1")], [2, trade("1")], [3, trade("1")], [3, trade("2")]])
    assert.deepInclude(merge.report(1), { first: 1, later: 0, alone: 0, mostLeadMillis: 1 })
    assert.deepInclude(merge.report(3), { first: 0, later: 1, alone: 1 })
  })

  it("channels, products and kinds are kept apart", () => {
    const merge = new LegMerge(numbered, false, constVoid)
    assert.isTrue(merge.passes(1, "trade", trade("1"), 0))
    assert.isTrue(merge.passes(2, "aggTrade", trade("1"), 0))
    assert.isTrue(merge.passes(2, "trade", ticker(undefined, "1"), 0))
    assert.isFalse(merge.passes(2, "trade", trade("1"), 0))
  })

  it("it is remembered for 30 s, and of each product at least the last thousand", () => {
    const merge = new LegMerge(undefined, false, constVoid)
    const ids = Array.from({ length: 1_024 }, (_, i) => String(i))
    for (const id of ids) merge.passes(1, "c", trade(id), 0)
    assert.isFalse(merge.passes(2, "c", trade("0"), 3_600_000))
    // One more, in the same moment as the others: all are remembered.
    merge.passes(1, "c", trade("1024"), 29_999)
    assert.isFalse(merge.passes(2, "c", trade("0"), 29_999))
    merge.passes(1, "c", trade("1025"), 30_000)
    assert.isTrue(merge.passes(2, "c", trade("0"), 30_000))
    assert.isFalse(merge.passes(2, "c", trade("1023"), 30_000))
  })

  it("what a venue replays is told if it is new, and passed over if it is from before", () => {
    // From the beginning on: the second one's replay begins earlier than the first one's.
    const merge = new LegMerge(undefined, false, constVoid)
    assert.deepStrictEqual(
      told(merge, [
        [1, trade("8", 8, true)],
        [1, trade("7", 7, true)],
        [2, trade("8", 8, true)],
        [2, trade("7", 7, true)],
        [2, trade("6", 6, true)],
        [1, trade("10", 10)],
        // Missed by the first, and in what the second is told anew.
        [2, trade("9", 9, true)],
        [2, trade("10", 10, true)]
      ]),
      [true, true, false, false, false, true, true, false]
    )
    // Where one was there before anything was remembered, what the one that takes over is told again is from before.
    const late = new LegMerge(undefined, true, constVoid)
    late.connected(2, [1])
    assert.deepStrictEqual(
      told(late, [[2, trade("1", 1, true)], [1, trade("3", 3)], [2, trade("2", 2, true)], [2, trade("3", 3)], [
        2,
        trade("4", 4, true)
      ]]),
      [false, true, false, false, true]
    )
  })

  it("what takes over and is ahead is held back until the others meet it, and nothing of it is lost", () => {
    const make = () => {
      const merge = new LegMerge(numbered, true, constVoid)
      merge.connected(2, [1])
      return merge
    }
    const ids = (merge: LegMerge) => merge.takeDue().map(({ event }) => event._tag === "Trade" ? event.tradeId : "none")
    const merge = make()
    assert.deepStrictEqual(
      told(merge, [[1, trade("5")], [2, trade("7")], [2, trade("8")], [2, trade("9")], [1, trade("6")]]),
      [true, false, false, false, true]
    )
    assert.deepStrictEqual(ids(merge), [])
    // The other one has lost 7, and meets it at 8: what is held is due, and then whoever is first.
    assert.deepStrictEqual(told(merge, [[1, trade("8")]]), [true])
    assert.deepStrictEqual(ids(merge), ["7"])
    assert.deepStrictEqual(told(merge, [[2, trade("10")]]), [true])
    assert.deepStrictEqual(ids(merge), ["9"])
    assert.deepStrictEqual(told(merge, [[1, trade("9")], [1, trade("10")]]), [false, false])
    // Of one that is behind nothing is held.
    const behind = make()
    assert.deepStrictEqual(
      told(behind, [[1, delta("5")], [1, delta("6")], [2, delta("6")], [2, delta("7")], [1, delta("7")]]),
      [true, true, false, true, false]
    )
    // It does not wait for others that are gone, nor for long.
    const alone = make()
    assert.deepStrictEqual(told(alone, [[2, trade("7")]]), [false])
    alone.left(1)
    assert.deepStrictEqual(ids(alone), ["7"])
    assert.deepStrictEqual(told(alone, [[2, trade("8")]]), [true])
    const slow = make()
    assert.deepStrictEqual(told(slow, [[2, trade("7")]]), [false])
    assert.deepStrictEqual(told(slow, [[2, trade("8")]], 2_000), [false])
    assert.deepStrictEqual(ids(slow), ["7", "8"])
    assert.deepStrictEqual(told(slow, [[2, trade("9")]], 2_001), [true])
    // What it held is due when it goes itself.
    const gone = make()
    told(gone, [[2, trade("7")]])
    gone.left(2)
    assert.deepStrictEqual(ids(gone), ["7"])
    // Or when it has taken over.
    const risen = make()
    told(risen, [[2, trade("7")]])
    risen.risen(2)
    assert.deepStrictEqual(ids(risen), ["7"])
  })

  it("a state is told if it is newer, by number or else by time, whoever brings it", () => {
    const merge = new LegMerge(numbered, false, constVoid)
    assert.deepStrictEqual(
      told(merge, [
        [1, ticker(undefined, "9")],
        [2, ticker(undefined, "9")],
        [2, ticker(undefined, "10")],
        [1, ticker(undefined, "10")],
        [1, ticker(undefined, "8")]
      ]),
      [true, false, true, false, false]
    )
    assert.deepInclude(merge.report(1), { first: 1, later: 1 })
    const timed = new LegMerge(undefined, false, constVoid)
    assert.deepStrictEqual(
      told(timed, [
        [1, ticker(1, "5")],
        [2, ticker(1, "77")],
        // Of one connection two may be of the same moment.
        [1, ticker(1, "6")],
        [2, ticker(2, "78")],
        [1, ticker(1, "7")]
      ]),
      [true, false, true, true, false]
    )
  })

  it("a book whose frames are numbered by the venue: each change once, and a snapshot that is newer", () => {
    const merge = new LegMerge(numbered, false, constVoid)
    assert.deepStrictEqual(
      told(merge, [
        [1, snapshot("99")],
        [1, delta("100")],
        [2, snapshot("99")],
        [2, snapshot("100")],
        [2, delta("101")],
        [1, delta("101")],
        [2, snapshot("102")],
        // Lost by the second one.
        [1, delta("98")]
      ]),
      [true, true, false, false, true, false, true, true]
    )
  })

  it("what nothing is known of follows one connection until it drops", () => {
    const merge = new LegMerge(undefined, false, constVoid)
    assert.deepStrictEqual(
      told(merge, [[1, snapshot()], [2, snapshot()], [1, delta()], [2, delta()], [1, trade(undefined)], [
        2,
        trade(undefined)
      ]]),
      [true, false, true, false, true, false]
    )
    merge.left(1)
    assert.deepStrictEqual(told(merge, [[2, delta()], [1, snapshot()], [1, delta()]]), [true, true, true])
    assert.deepStrictEqual(told(merge, [[1, ticker(undefined)], [2, ticker(undefined)]]), [true, false])
  })

  it("a book that follows a connection which drops has a hole, until anybody's snapshot", () => {
    const whole: Array<string> = []
    const merge = new LegMerge(undefined, false, (channel, product) => void whole.push(`${channel} ${product}`))
    told(merge, [[1, snapshot()], [1, delta()], [2, snapshot()], [2, delta()]])
    const channel = { channel: "c", product }
    assert.isTrue(merge.isFollowed(1, channel))
    assert.isTrue(merge.isFollowed(1, { channel: "c" }))
    assert.isFalse(merge.isFollowed(2, channel))
    assert.isFalse(merge.isFollowed(1, { channel: "d" }))
    merge.left(1)
    assert.deepStrictEqual(told(merge, [[2, delta()], [1, delta()]]), [true, false])
    assert.deepStrictEqual(whole, [])
    assert.deepStrictEqual(told(merge, [[1, snapshot()], [2, delta()], [1, delta()]]), [true, false, true])
    assert.deepStrictEqual(whole, ["c P"])
    // Whole books follow each other, and none needs the one before.
    const states = new LegMerge(undefined, false, constVoid)
    told(states, [[1, snapshot()]])
    assert.isFalse(states.isFollowed(1, channel))
  })

  it("a book follows the connection that takes over from its snapshot on, everything else when the old one leaves", () => {
    const merge = new LegMerge(undefined, true, constVoid)
    merge.connected(2, [1])
    assert.deepStrictEqual(
      told(merge, [[1, delta()], [2, delta()], [2, snapshot()], [2, delta()], [1, delta()], [1, snapshot()]]),
      [true, false, true, true, false, false]
    )
    assert.deepStrictEqual(told(merge, [[1, ticker(undefined)], [2, ticker(undefined)]]), [true, false])
    merge.forget(1)
    assert.deepStrictEqual(told(merge, [[2, ticker(undefined)]]), [true])
    merge.risen(2)
    assert.deepStrictEqual(told(merge, [[3, snapshot()], [2, snapshot()]]), [false, true])
  })

  it("a peer that makes up products does not make it grow: those beyond are told as they come", () => {
    const merge = new LegMerge(undefined, false, constVoid)
    for (let i = 0; i < 10_000; i++) merge.passes(1, `c${i}`, trade("1"), 0)
    assert.isTrue(merge.passes(1, "more", trade("1"), 0))
    assert.isTrue(merge.passes(2, "more", trade("1"), 0))
    assert.isFalse(merge.passes(2, "c9999", trade("1"), 0))
  })
})
