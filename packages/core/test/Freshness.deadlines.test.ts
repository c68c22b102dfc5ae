import { assert, describe, it } from "@effect/vitest"
import * as Freshness from "@tickline/core/market/Freshness"
import * as Channel from "@tickline/core/value/Channel"
import { FreshnessFigures } from "../src/market/internal/freshnessFigures.ts"
import * as FreshnessTracker from "../src/market/internal/freshnessTracker.ts"
import { RoutedChannels } from "../src/market/internal/routedChannels.ts"

const book = Channel.make("book", "BTC-USD")
const trades = Channel.make("trades", "BTC-USD")
const policy: Freshness.Policy = { deadline: () => 1_000, target: 100 }

const stepsAt = (freshness: FreshnessTracker.FreshnessTracker, at: number): ReadonlyArray<string> =>
  freshness.check(at, false).map(({ channel, silentForMillis, step }) =>
    `${channel.channel} ${step} ${silentForMillis}`
  )

describe("Freshness: deadlines", () => {
  it("takes each step at its deadline and not a millisecond before, and no fifth", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 500)
    for (const [index, step] of FreshnessTracker.steps.entries()) {
      const due = 1_500 + index * 1_000
      assert.strictEqual(freshness.nextDeadline(), due)
      assert.deepStrictEqual(stepsAt(freshness, due - 1), [])
      assert.deepStrictEqual(stepsAt(freshness, due), [`book ${step} ${due - 500}`])
      assert.deepStrictEqual(stepsAt(freshness, due), [])
    }
    assert.isUndefined(freshness.nextDeadline())
    assert.deepStrictEqual(freshness.check(1_000_000, false), [])
  })

  it("names the nearest of several deadlines, whichever was asked for first", () => {
    const freshness = FreshnessTracker.make({ ...policy, deadline: ({ channel }) => channel === "book" ? 1_000 : 300 })
    freshness.connected(0)
    freshness.subscribed(book, 0)
    freshness.subscribed(trades, 100)
    assert.strictEqual(freshness.nextDeadline(), 400)
    freshness.received(trades, 200)
    assert.strictEqual(freshness.nextDeadline(), 1_000)
    freshness.received(book, 200)
    assert.isUndefined(freshness.nextDeadline())
  })

  it("waits for nothing while no epoch is up, whoever does not read meanwhile, and for all anew in the next", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.subscribed(trades, 0)
    assert.isUndefined(freshness.nextDeadline())
    freshness.connected(100)
    freshness.received(trades, 200)
    freshness.subscribed(book, 200)
    freshness.disconnected()
    freshness.check(300, true)
    assert.isUndefined(freshness.nextDeadline())
    assert.deepStrictEqual(stepsAt(freshness, 5_000), [])
    freshness.connected(6_000)
    assert.strictEqual(freshness.nextDeadline(), 7_000)
    assert.deepStrictEqual(stepsAt(freshness, 7_000), ["trades probe 1000", "book probe 1000"])
    freshness.disconnected()
    freshness.subscribed(Channel.make("ticker"), 8_000)
    assert.isUndefined(freshness.nextDeadline())
  })

  it("moves deadlines along while nobody reads, and counts the silence from the beginning", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    assert.deepStrictEqual(freshness.check(1_500, true), [])
    assert.strictEqual(freshness.nextDeadline(), 2_500)
    assert.deepStrictEqual(stepsAt(freshness, 2_500), ["book probe 2500"])
  })

  it("begins anew with the first step after data, and only after data", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    assert.deepStrictEqual(stepsAt(freshness, 1_000), ["book probe 1000"])
    freshness.disconnected()
    freshness.connected(2_000)
    assert.deepStrictEqual(stepsAt(freshness, 3_000), ["book resubscribe 1000"])
    freshness.received(book, 3_500)
    assert.deepStrictEqual(stepsAt(freshness, 9_000), [])
    freshness.disconnected()
    freshness.connected(10_000)
    assert.deepStrictEqual(stepsAt(freshness, 11_000), ["book probe 1000"])
  })

  it("a second subscription of the same channel changes nothing, one after it was given up begins anew", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    freshness.subscribed(Channel.make("book", "BTC-USD"), 700)
    assert.strictEqual(freshness.nextDeadline(), 1_000)
    freshness.received(book, 800)
    freshness.unsubscribed(book)
    assert.deepStrictEqual([freshness.nextDeadline(), freshness.report(900)], [undefined, []])
    freshness.received(book, 900)
    freshness.subscribed(book, 950)
    assert.strictEqual(freshness.nextDeadline(), 1_950)
    assert.isFalse(freshness.report(950)[0]?.isDelivering)
    freshness.received(book, 960)
    assert.isUndefined(freshness.nextDeadline())
  })

  it("a quiet channel is given twice its longest silence, that before its first data and before a probe's answer too", () => {
    const quiet = () => FreshnessTracker.make(policy, (channel) => channel === "trades")
    const between = quiet()
    between.connected(50_000)
    between.subscribed(trades, 50_000)
    for (const at of [50_000, 53_000, 53_500]) between.received(trades, at)
    between.disconnected()
    between.connected(60_000)
    assert.strictEqual(between.nextDeadline(), 66_000)

    // What comes while no epoch is up ends no silence.
    const early = quiet()
    early.subscribed(trades, 50_000)
    early.received(trades, 58_000)
    early.connected(60_000)
    assert.strictEqual(early.nextDeadline(), 61_000)

    const probed = quiet()
    probed.connected(50_000)
    probed.subscribed(trades, 50_000)
    assert.deepStrictEqual(stepsAt(probed, 51_000), ["trades probe 1000"])
    probed.received(trades, 51_700)
    probed.disconnected()
    probed.connected(60_000)
    assert.strictEqual(probed.nextDeadline(), 63_400)

    // What came after the renewal came because of it.
    const renewed = quiet()
    renewed.connected(50_000)
    renewed.subscribed(trades, 50_000)
    assert.deepStrictEqual(stepsAt(renewed, 51_000), ["trades probe 1000"])
    assert.deepStrictEqual(stepsAt(renewed, 52_000), ["trades resubscribe 2000"])
    renewed.received(trades, 52_100)
    renewed.disconnected()
    renewed.connected(60_000)
    assert.strictEqual(renewed.nextDeadline(), 61_000)
  })

  it("reconnects for a quiet channel that has never delivered, and not for one that has", () => {
    for (
      const [delivers, steps] of [[false, FreshnessTracker.steps], [true, ["probe", "resubscribe", "report"]]] as const
    ) {
      const freshness = FreshnessTracker.make(policy, () => true)
      freshness.connected(0)
      freshness.subscribed(trades, 0)
      if (delivers) freshness.received(trades, 0)
      freshness.disconnected()
      freshness.connected(0)
      const taken = [1_000, 2_000, 3_000, 4_000, 5_000].flatMap((at) => freshness.check(at, false))
      assert.deepStrictEqual(taken.map(({ step }) => step), [...steps])
    }
  })

  it("the age goes on through epochs, and begins with the subscription", () => {
    const freshness = FreshnessTracker.make(policy)
    assert.strictEqual(freshness.age(book, 50), 0)
    freshness.subscribed(book, 100)
    assert.strictEqual(freshness.age(book, 400), 300)
    freshness.connected(400)
    freshness.received(book, 500)
    freshness.disconnected()
    freshness.connected(900)
    assert.strictEqual(freshness.age(book, 1_000), 500)
  })

  it("reports what never came as stale, what just came as fresh, and remembers the last 256 ages", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    assert.deepInclude(freshness.report(500)[0], {
      isDelivering: false,
      ageMillis: undefined,
      p50: 0,
      p99: 0,
      max: 0,
      shareWithinTarget: 0
    })
    freshness.received(book, 500)
    assert.deepInclude(freshness.report(500)[0], { isDelivering: true, ageMillis: 0, shareWithinTarget: 1 })
    assert.deepInclude(freshness.report(900)[0], { ageMillis: 400, max: 400, shareWithinTarget: 0.25 })
    let at = 500
    for (let i = 0; i < 2 + 255; i++) freshness.received(book, at += i < 2 ? 50 : 10)
    // Of two ages of 50 ms the older is forgotten; the greatest of all is not.
    assert.deepInclude(freshness.report(at)[0], { p50: 10, p99: 10, max: 50 })
    for (let i = 0; i < 3; i++) freshness.received(book, at += 70)
    assert.deepInclude(freshness.report(at)[0], { p50: 10, p99: 70, max: 70 })
  })

  it("keeps the ages of each of many apart, and none of one that was given up", () => {
    const freshness = FreshnessTracker.make(policy)
    const channels = Array.from({ length: 9 }, (_, i) => Channel.make("book", `P${i}-USD`))
    freshness.connected(0)
    for (const [i, channel] of channels.entries()) {
      freshness.subscribed(channel, 0)
      for (const silences of [0, 1, 2, 3]) freshness.received(channel, silences * (i + 1) * 10)
    }
    const longest = () => freshness.report(0).map(({ max, p50 }) => `${p50} ${max}`)
    const all = channels.map((_, i) => `${(i + 1) * 10} ${(i + 1) * 10}`)
    assert.deepStrictEqual(longest(), all)

    const [first, last] = [channels[0], channels[8]]
    if (first === undefined || last === undefined) throw new Error("there are nine")
    freshness.unsubscribed(last)
    freshness.subscribed(Channel.make("book", "NEW-USD"), 0)
    freshness.received(first, 1_000)
    for (const at of [2_000, 2_004]) freshness.received(Channel.make("book", "NEW-USD"), at)
    freshness.received(last, 9_000)
    assert.deepStrictEqual(longest(), ["10 970", ...all.slice(1, 8), "4 4"])
  })

  it("what a list remembers of its channel holds until the channel is given up, or the epoch ends", () => {
    const freshness = FreshnessTracker.make(policy)
    const list = (channel: Channel.Channel) => Object.assign(new RoutedChannels(), [channel])
    const [ofBook, ofTrades] = [list(book), list(trades)]
    const maxOf = (at: number) => freshness.report(at).map(({ channel, max }) => `${channel.channel} ${max}`)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    for (const at of [10, 20, 40]) freshness.receivedAll(ofBook, at)
    assert.deepStrictEqual(maxOf(40), ["book 20"])

    freshness.disconnected()
    freshness.connected(1_000)
    freshness.receivedAll(ofBook, 2_000)
    assert.deepStrictEqual(maxOf(2_000), ["book 20"])
    assert.isUndefined(freshness.nextDeadline())

    freshness.unsubscribed(book)
    freshness.subscribed(trades, 2_000)
    freshness.receivedAll(ofTrades, 2_010)
    freshness.receivedAll(ofBook, 2_500)
    freshness.receivedAll(ofTrades, 2_520)
    assert.deepStrictEqual(maxOf(2_520), ["trades 510"])
  })

  it("a channel is what it names, whichever object names it, before it is subscribed and after", () => {
    const freshness = FreshnessTracker.make(policy)
    const same = Channel.make("book", "BTC-USD")
    const hasCome = (at: number) => {
      freshness.received(same, at)
      return freshness.report(at).map(({ isDelivering }) => isDelivering)
    }
    freshness.connected(0)
    assert.deepStrictEqual(hasCome(0), [])
    freshness.subscribed(book, 0)
    assert.deepStrictEqual(hasCome(10), [true])
    freshness.unsubscribed(book)
    freshness.subscribed(book, 20)
    assert.deepStrictEqual(hasCome(30), [true])
  })

  it("a place among the ages is taken again, and what never delivered has none", () => {
    const figures = new FreshnessFigures()
    const places = [figures.take(), figures.take(), figures.take()]
    assert.deepStrictEqual(places, [0, 1, 2])
    figures.leave(1)
    assert.deepStrictEqual([figures.take(), figures.take()], [1, 3])

    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    freshness.unsubscribed(book)
    for (const [channel, silence] of [[trades, 10], [Channel.make("ticker", "BTC-USD"), 20]] as const) {
      freshness.subscribed(channel, 0)
      for (const times of [0, 1, 2]) freshness.received(channel, times * silence)
    }
    assert.deepStrictEqual(freshness.report(0).map(({ max, p50 }) => [p50, max]), [[10, 10], [20, 20]])
  })

  it("takes no channel for quiet where nobody says so: no silence lengthens its deadline or saves its connection", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(trades, 0)
    freshness.received(trades, 0)
    freshness.received(trades, 60_000)
    freshness.disconnected()
    freshness.connected(60_000)
    const taken = [61_000, 62_000, 63_000, 64_000].flatMap((at) => freshness.check(at, false))
    assert.deepStrictEqual(taken.map(({ step }) => step), [...FreshnessTracker.steps])
  })

  it("a quiet channel that was never silent has its deadline, be it one millisecond", () => {
    const freshness = FreshnessTracker.make({ ...policy, deadline: () => 1 }, () => true)
    freshness.connected(0)
    freshness.subscribed(trades, 0)
    assert.strictEqual(freshness.nextDeadline(), 1)
  })

  it("ranks the last 256 ages, the first of them included, and none before", () => {
    const p50 = (...ages: ReadonlyArray<readonly [count: number, age: number]>) => {
      const freshness = FreshnessTracker.make(policy)
      freshness.connected(0)
      freshness.subscribed(book, 0)
      let at = 0
      freshness.received(book, at)
      for (const [count, age] of ages) for (let i = 0; i < count; i++) freshness.received(book, at += age)
      return freshness.report(at)[0]?.p50
    }
    assert.strictEqual(p50([1, 70]), 70)
    assert.strictEqual(p50([128, 100], [128, 1]), 100)
    assert.strictEqual(p50([129, 1], [128, 100]), 100)
  })

  it("recommends 30 s, 120 s for what may be quiet, and 5 s for what counts as fresh", () => {
    assert.deepStrictEqual(
      [false, true].map((isQuiet) => Freshness.recommended.deadline(trades, isQuiet)),
      [30_000, 120_000]
    )
    assert.strictEqual(Freshness.recommended.target, 5_000)
  })

  it("reports of what does not deliver in this epoch what it was in those before", () => {
    const freshness = FreshnessTracker.make(policy)
    freshness.connected(0)
    freshness.subscribed(book, 0)
    freshness.received(book, 0)
    freshness.received(book, 400)
    freshness.disconnected()
    assert.deepInclude(freshness.report(5_000)[0], {
      isDelivering: false,
      ageMillis: undefined,
      max: 400,
      shareWithinTarget: 0.25
    })
  })
})
