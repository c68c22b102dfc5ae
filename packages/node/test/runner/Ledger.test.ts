/** `tickline stream --ledger`, against mock venues over real sockets whose frames go missing, come twice or not whole. */
import { assert, describe, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as LedgerLines from "../../src/runner/LedgerLines.ts"
import { simulate } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

interface Ledger {
  readonly _tag: "Ledger"
  readonly venue: string
  readonly product?: string
  readonly channel?: string
  readonly live: number
  readonly received: number
  readonly delivered: number
  readonly duplicates: number
  readonly dropped: number
  readonly rejected: number
  readonly gaps: ReadonlyArray<{
    readonly cause: string
    readonly from: string
    readonly to?: string
    readonly recovered?: string
    readonly missing?: number
  }>
  readonly balanced: boolean
}

/** A venue with faults, what streams from it, and how that is run. */
const setUp = Effect.fnUntraced(function*(
  venue: string,
  product: string,
  faults: ReadonlyArray<string>,
  ...flags: ReadonlyArray<string>
) {
  const { url, world: simulated } = yield* simulate(
    venue,
    ["--rate", "200", ...faults.flatMap((fault) => ["--fault", fault])]
  )
  return { simulated, world: TestHost.make(), args: ["stream", venue, product, "--url", url, "--ledger", ...flags] }
})

const printed = (world: TestHost.TestHost) => {
  const lines = world.objects()
  const first = lines.findIndex(({ _tag }) => _tag === "Ledger")
  assert.isAtLeast(first, 0, "no ledger")
  const ledger = lines.slice(first) as unknown as ReadonlyArray<Ledger>
  // It comes after all events.
  assert.deepStrictEqual(new Set(ledger.map(({ _tag }) => _tag)), new Set(["Ledger"]))
  for (const { balanced, delivered, dropped, duplicates, received } of ledger) {
    assert.isTrue(balanced)
    assert.strictEqual(received, delivered + duplicates + dropped)
  }
  return { events: lines.slice(0, first), ledger }
}

const stream = Effect.fnUntraced(function*(...given: Parameters<typeof setUp>) {
  const { args, world } = yield* setUp(...given)
  assert.strictEqual(yield* TestHost.run(world, ...args), 0)
  return printed(world)
})

/** Streams until something was seen. */
const streamUntil = Effect.fnUntraced(function*(
  seen: (worlds: { readonly simulated: TestHost.TestHost; readonly world: TestHost.TestHost }) => Effect.Effect<void>,
  ...given: Parameters<typeof setUp>
) {
  const { args, simulated, world } = yield* setUp(...given)
  yield* TestHost.runUntil(world, seen({ simulated, world }), ...args)
  return printed(world)
})

describe("lines of a ledger", () => {
  const entry = {
    channel: "matches",
    product: "BTC-USD",
    liveMillis: 1_000,
    live: [],
    received: 10,
    delivered: 8,
    duplicates: 1,
    dropped: 1,
    rejected: 1,
    gaps: [],
    isBalanced: true
  }

  it("have what stdout did not take among what was dropped, with its gaps", () => {
    const gap = new Lifecycle.Gap({ venue: "a", cause: "overflow", from: "1", to: "2", missing: 3 })
    const shed = [
      { venue: "a", product: "BTC-USD", channel: "matches", events: 3, gaps: [gap] },
      { venue: "b", product: "BTC-USD", channel: "matches", events: 4, gaps: [] }
    ]
    const [line, ...others] = LedgerLines.make({
      venue: "a",
      ledger: { entries: [entry], shed: [], rejected: 1 },
      shed
    })
    assert.deepStrictEqual(others, [])
    assert.deepInclude(line, { received: 10, delivered: 5, duplicates: 1, dropped: 4, rejected: 1, balanced: true })
    assert.deepStrictEqual(line?.gaps, [{ cause: "overflow", from: "1", to: "2", missing: 3 }])
  })

  it("say so where the counts do not add up", () => {
    const linesOf = (change: Partial<typeof entry>) =>
      LedgerLines.make({ venue: "a", ledger: { entries: [{ ...entry, ...change }], shed: [], rejected: 1 } })
    assert.deepStrictEqual(linesOf({}).map(({ balanced }) => balanced), [true])
    for (const change of [{ received: 11 }, { duplicates: 0 }, { isBalanced: false }, { delivered: 7 }]) {
      assert.deepStrictEqual(linesOf(change).map(({ balanced }) => balanced), [false])
    }
  })

  it("leave out what a channel of all products has of those that were not asked for", () => {
    const ledger = { entries: [entry, { ...entry, product: "ETH-USD" }], shed: [], rejected: 3 }
    const lines = LedgerLines.make({ venue: "a", ledger, isAsked: (product) => product === "BTC-USD" })
    // And those frames have a line of their own that name none.
    assert.deepStrictEqual(lines.map(({ product, rejected }) => [product, rejected]), [["BTC-USD", 1], [undefined, 1]])
  })
})

describe.concurrent("stream --ledger", { timeout: 20_000 }, () => {
  it.live("is one line for each product and channel, with the members of the interface and no others", () =>
    Effect.gen(function*() {
      const { events, ledger } = yield* stream(
        "coinbase-exchange",
        "BTC-USD",
        ["garbage@200ms"],
        "--channel",
        "trade",
        "--channel",
        "ticker",
        "--count",
        "200"
      )
      assert.deepStrictEqual(ledger.map((line) => Object.keys(line)), [
        ...["matches", "ticker"].map(() => [
          "_tag",
          "venue",
          "product",
          "channel",
          "live",
          "received",
          "delivered",
          "duplicates",
          "dropped",
          "rejected",
          "gaps",
          "balanced"
        ]),
        ["_tag", "venue", "live", "received", "delivered", "duplicates", "dropped", "rejected", "gaps", "balanced"]
      ])
      assert.deepStrictEqual(ledger.map(({ channel, product, venue }) => [venue, product, channel]), [
        ["coinbase-exchange", "BTC-USD", "matches"],
        ["coinbase-exchange", "BTC-USD", "ticker"],
        ["coinbase-exchange", undefined, undefined]
      ])
      assert.deepStrictEqual(ledger.map(({ rejected }) => rejected), [0, 0, 1])
      for (const [index, tag] of ["Trade", "Ticker"].entries()) {
        assert.isAtLeast(ledger[index]?.received ?? 0, events.filter(({ _tag }) => _tag === tag).length)
        assert.isAbove(ledger[index]?.live ?? 0, 200)
      }
    }))

  for (
    const [venue, product, channel, missing] of [
      ["binance", "BTCUSDT", "trade", 1],
      ["deribit", "BTC-PERPETUAL", "trade", 1],
      ["coinbase", "BTC-USD", "trade", 1],
      ["dydx", "BTC-USD", "trade", 1],
      ["coinbase", "BTC-USD", "book", 1],
      ["binance", "BTCUSDT", "book", undefined],
      ["deribit", "BTC-PERPETUAL", "book", undefined]
    ] as const
  ) {
    it.live(`${venue} ${channel}: a frame that goes missing is a gap, though nobody keeps a book`, () =>
      Effect.gen(function*() {
        // A trade is fetched; of a book it is told what is missing.
        const ended = channel === "trade" ? /"Gap".*"recovered":"backfill"/ : /"Gap".*"to":/
        const flags = ["--channel", channel, "--lifecycle"]
        const { ledger } = yield* streamUntil(
          ({ world }) => world.printed(ended),
          venue,
          product,
          ["lose@400ms"],
          ...flags
        )
        const [line, ...others] = ledger
        assert.deepStrictEqual(others, [])
        const [gap, ...more] = line?.gaps ?? []
        assert.deepStrictEqual(more, [])
        const left = channel === "trade" ? [0, "backfill"] : [missing, undefined]
        assert.deepStrictEqual([gap?.cause, gap?.missing, gap?.recovered], ["sequence", ...left])
        assert.isAbove(Number(gap?.to), Number(gap?.from))
      }))

    it.live(`${venue} ${channel}: a frame that comes twice is a duplicate, and is printed once`, () =>
      Effect.gen(function*() {
        const { events, ledger } = yield* streamUntil(
          Effect.fnUntraced(function*({ simulated, world }) {
            yield* simulated.printed(/"fault":"duplicate"/)
            const before = world.objects().length
            const isOver = Effect.sync(() => world.objects().length > before + 50)
            yield* Effect.repeat(isOver, { schedule: Schedule.spaced("20 millis"), until: (is) => is })
          }),
          venue,
          product,
          ["duplicate@400ms"],
          "--channel",
          channel
        )
        assert.deepStrictEqual(ledger.map(({ duplicates, gaps }) => [duplicates, gaps]), [[1, []]])
        const ids = events.map(({ sequence, tradeId }) => String(tradeId ?? sequence))
        assert.strictEqual(new Set(ids).size, ids.length)
      }))
  }

  it.live("kraken book: a checksum shows what is missing, though nobody keeps a book", () =>
    Effect.gen(function*() {
      const flags = ["--channel", "book", "--duration", "3s", "--lifecycle"]
      const { events, ledger } = yield* stream("kraken", "BTC/USD", ["lose@300ms/300ms"], ...flags)
      const gaps = ledger[0]?.gaps ?? []
      assert.isNotEmpty(gaps)
      for (const { cause, recovered, to } of gaps) {
        assert.deepStrictEqual([cause, recovered], ["checksum", to === undefined ? undefined : "snapshot"])
      }
      // Who takes the frames is given the snapshot too.
      const tags = events.map(({ _tag }) => _tag)
      assert.isTrue(tags.slice(tags.indexOf("Gap")).includes("BookSnapshot"))
    }))

  for (
    const [venue, product, cause] of [
      ["coinbase", "BTC-USD", "sequence"],
      ["deribit", "BTC-PERPETUAL", "sequence"],
      ["kraken", "BTC/USD", "checksum"]
    ] as const
  ) {
    it.live(`${venue}: with --book, the gap of a break ends with a snapshot, and that of a drop too`, () =>
      Effect.gen(function*() {
        const fault = cause === "checksum" ? "lose@300ms/100ms" : "lose@500ms"
        const { ledger } = yield* stream(
          venue,
          product,
          [fault, "drop@1500ms"],
          "--book",
          "3",
          "--duration",
          "4s",
          "--preset",
          "test"
        )
        const gaps = ledger[0]?.gaps ?? []
        const causes = new Set(gaps.map(({ cause }) => cause))
        assert.isTrue(causes.has(cause), [...causes].join())
        // A book that is broken when the link drops goes on with the gap that it is in.
        if (cause === "sequence") assert.isTrue(causes.has("disconnect"), [...causes].join())
        for (const gap of gaps) if (gap.to !== undefined) assert.strictEqual(gap.recovered, "snapshot")
        if (venue === "coinbase") assert.strictEqual(gaps.find((gap) => gap.cause === "sequence")?.missing, 1)
      }))
  }

  for (const [venue, product] of [["binance", "BTCUSDT"], ["deribit", "BTC-PERPETUAL"]] as const) {
    it.live(`${venue}: a trade that was lost is fetched, and printed as history, in its place`, () =>
      Effect.gen(function*() {
        const fetched = /"history":true/
        const { events } = yield* streamUntil(
          ({ world }) => world.printed(fetched),
          venue,
          product,
          ["lose@400ms"],
          "--lifecycle"
        )
        const trades = events.filter(({ _tag }) => _tag === "Trade")
        const ids = trades.map(({ tradeId }) => Number(tradeId))
        assert.deepStrictEqual(ids, ids.map((_, index) => (ids[0] ?? 0) + index))
        const history = trades.filter(({ history }) => history === true)
        assert.lengthOf(history, 1)
        for (const { name, receivedAt } of history) assert.isTrue(name !== undefined && receivedAt !== undefined)
      }))
  }

  it.live("a drop is a gap, as long as it lasted, with how many trades it holds", () =>
    Effect.gen(function*() {
      const { ledger } = yield* stream("binance", "BTCUSDT", ["drop@500ms"], "--duration", "1500ms", "--preset", "test")
      const [gap, ...others] = ledger[0]?.gaps ?? []
      assert.deepStrictEqual(others, [])
      assert.deepInclude(gap, { cause: "disconnect" })
      const lasted = Date.parse(gap?.to ?? "") - Date.parse(gap?.from ?? "")
      assert.isAbove(lasted, 0)
      assert.isAtLeast(gap?.missing ?? -1, 0)
      const { live = 0 } = ledger[0] ?? {}
      assert.isBelow(live, 1_500)
      assert.isAbove(live, 500)
    }))

  it.live("is said at a signal too, and of several venues", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("kraken", ["--rate", "50"])
      const { url: other } = yield* simulate("coinbase-exchange", ["--rate", "50"])
      const world = TestHost.make()
      const args = ["stream", "kraken:BTC/USD", "coinbase-exchange:BTC-USD", "--ledger"]
      const urls = ["--url", `kraken=${url}`, "--url", `coinbase-exchange=${other}`]
      yield* Effect.forkChild(Effect.delay(world.send("SIGINT"), "800 millis"))
      assert.strictEqual(yield* TestHost.run(world, ...args, ...urls), 0)
      assert.deepStrictEqual(world.objects().slice(-2).map(({ _tag, venue }) => [_tag, venue]), [
        ["Ledger", "kraken"],
        ["Ledger", "coinbase-exchange"]
      ])
    }))

  it.live("is a line for people with --format pretty", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("kraken", ["--rate", "50"])
      const world = TestHost.make()
      const flags = ["--ledger", "--count", "5", "--format", "pretty"]
      assert.strictEqual(yield* TestHost.run(world, "stream", "kraken", "BTC/USD", "--url", url, ...flags), 0)
      assert.match(
        world.stdout().trimEnd().split("\n").at(-1) ?? "",
        /^Ledger +BTC\/USD +trade live .* received = .* delivered/
      )
    }))
})
