/** The account of a simulation, over what was sent and seen by hand. */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Simulation from "@tickline/testing/Simulation"
import * as Effect from "effect/Effect"

const venue = CoinbaseExchange.venue
const channel = "matches"
const product = "BTC-USD"

const text = (sequence: number): string =>
  `{"type":"match","trade_id":${sequence},"maker_order_id":"a","taker_order_id":"b","side":"buy","size":"1.0",` +
  `"price":"2.0","product_id":"${product}","sequence":${sequence},"time":"2024-01-02T03:04:05.000006Z"}`

const sent = (connection: number, ...sequences: ReadonlyArray<number>): ReadonlyArray<Simulation.Sent> =>
  sequences.map((sequence) => ({
    connection,
    at: sequence,
    channel,
    product,
    id: String(sequence),
    text: text(sequence),
    events: []
  }))

const traded = (sequence: number): MarketEvent.AnyEvent => {
  const events = venue.decode(text(sequence))
  const [event] = Rejection.isFrameRejected(events) ? [] : events
  return event ?? assert.fail("no trade")
}

const up = (epoch: number): MarketEvent.AnyEvent =>
  new Lifecycle.ConnectionEvent({ venue: venue.name, state: "Connected", epoch })

const gap = (of: string = product): MarketEvent.AnyEvent =>
  new Lifecycle.Gap({ venue: venue.name, product: of, channel, cause: "disconnect" })

const altered = (
  kind: FaultPlan.Alteration["kind"],
  connection: number,
  sequence: number
): FaultPlan.Alteration => ({ at: 0, connection, kind, frame: text(sequence) })

const account = (
  all: ReadonlyArray<Simulation.Sent>,
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  ...alterations: ReadonlyArray<FaultPlan.Alteration>
) => {
  const faults: FaultPlan.Running = { strikes: [], alterations, strike: () => Effect.void }
  const { accounts, violations } = Simulation.reconcile({ sent: all, faults, venue }, seen, [{ channel, product }])
  const [first] = accounts
  if (first === undefined) return assert.fail("no account")
  return {
    line: `${first.sent} sent, ${first.delivered} delivered, ${first.duplicates} twice, ${first.lostInGaps} in gaps, ` +
      `${first.lostByFault} by fault, ${first.unaccounted} in silence`,
    balanced: Simulation.isBalanced(first),
    violations
  }
}

describe("reconcile", () => {
  it("finds everything that was delivered", () => {
    assert.deepStrictEqual(account(sent(1, 1, 2, 3), [up(1), traded(1), traded(2), traded(3)]), {
      line: "3 sent, 3 delivered, 0 twice, 0 in gaps, 0 by fault, 0 in silence",
      balanced: true,
      violations: []
    })
    assert.strictEqual(account([], [up(1)]).balanced, true)
  })

  it("counts what an outage lost, where a gap tells of it", () => {
    const all = [...sent(1, 1, 2, 3), ...sent(2, 4, 5)]
    assert.deepStrictEqual(account(all, [up(1), traded(1), gap(), up(2), traded(4), traded(5)]), {
      line: "5 sent, 3 delivered, 0 twice, 2 in gaps, 0 by fault, 0 in silence",
      balanced: true,
      violations: []
    })
    for (
      const seen of [[up(1), traded(1), up(2), traded(4), traded(5)], [
        up(1),
        traded(1),
        gap("ETH-USD"),
        up(2),
        traded(4),
        traded(5)
      ]]
    ) {
      const lost = account(all, seen)
      assert.strictEqual(lost.line, "5 sent, 3 delivered, 0 twice, 0 in gaps, 0 by fault, 2 in silence")
      assert.isFalse(lost.balanced)
      assert.deepStrictEqual(lost.violations, [
        "matches BTC-USD: 2 of connection 1, sent at 2, is lost in silence",
        "matches BTC-USD: 3 of connection 1, sent at 3, is lost in silence"
      ])
    }
  })

  it("takes no gap for what is missing on a connection that is still up", () => {
    const { line, violations } = account(sent(1, 1, 2, 3), [up(1), traded(1), gap(), traded(3)])
    assert.strictEqual(line, "3 sent, 2 delivered, 0 twice, 0 in gaps, 0 by fault, 1 in silence")
    assert.strictEqual(violations.length, 1)
    // A gap ends with what comes after it.
    const after = account(
      [...sent(1, 1, 2), ...sent(2, 3, 4), ...sent(3, 5)],
      [up(1), traded(1), gap(), up(2), traded(3), up(3), traded(5)]
    )
    assert.strictEqual(after.line, "5 sent, 3 delivered, 0 twice, 1 in gaps, 0 by fault, 1 in silence")
  })

  it("what was never delivered up to the end is lost, in a gap where there is one", () => {
    assert.strictEqual(
      account(sent(1, 1, 2), [up(1), traded(1)]).line,
      "2 sent, 1 delivered, 0 twice, 0 in gaps, 0 by fault, 1 in silence"
    )
    assert.strictEqual(
      account(sent(1, 1, 2), [up(1), traded(1), gap()]).line,
      "2 sent, 1 delivered, 0 twice, 1 in gaps, 0 by fault, 0 in silence"
    )
  })

  it("knows what a fault took away or doubled, once for each time that it struck", () => {
    assert.deepStrictEqual(
      account(
        sent(1, 1, 2, 3),
        [up(1), traded(1), traded(1), traded(3)],
        altered("Duplicate", 1, 1),
        altered("Lose", 1, 2)
      ),
      { line: "3 sent, 2 delivered, 1 twice, 0 in gaps, 1 by fault, 0 in silence", balanced: true, violations: [] }
    )
    const thrice = account(
      sent(1, 1),
      [up(1), traded(1), traded(1), traded(1)],
      altered("Duplicate", 1, 1)
    )
    assert.deepStrictEqual(thrice.violations, ["matches BTC-USD: 1 arrived in epoch 1, where it was sent once"])
    const both = account(
      sent(1, 1),
      [up(1), traded(1), traded(1), traded(1)],
      altered("Duplicate", 1, 1),
      altered("Duplicate", 1, 1)
    )
    assert.deepStrictEqual(both.violations, [])
    const elsewhere = account(sent(1, 1, 2), [up(1), traded(1)], altered("Lose", 2, 2), altered("Corrupt", 1, 2))
    assert.strictEqual(elsewhere.violations.length, 1)
  })

  it("blames what was never sent, or was sent on another connection", () => {
    assert.deepStrictEqual(account(sent(1, 1), [up(1), traded(9), traded(1)]).violations, [
      "matches BTC-USD: 9 arrived in epoch 1, where it was never sent"
    ])
    assert.deepStrictEqual(account(sent(1, 1), [up(1), gap(), up(2), traded(1)]).violations, [
      "matches BTC-USD: 1 arrived in epoch 2, where it was never sent"
    ])
  })
})

describe("what a message is known by", () => {
  it("is its number, or its time, or nothing", () => {
    const idOf = (frame: string): string | undefined => {
      const events = venue.decode(frame)
      const [event] = Rejection.isFrameRejected(events) ? [] : events
      return event === undefined ? assert.fail("no event") : Simulation.idOf(event)
    }
    const change = `{"type":"l2update","product_id":"${product}","changes":[]`
    assert.strictEqual(idOf(text(7)), "7")
    assert.strictEqual(idOf(`${change},"time":"2024-01-02T03:04:05.5Z"}`), "2024-01-02T03:04:05.5Z")
    assert.isUndefined(idOf("{\"type\":\"heartbeat\",\"sequence\":3}"))
    assert.isUndefined(
      Simulation.idOf(MarketData.bookDelta({ venue: "x", product: "A", bids: [], asks: [] }))
    )
  })
})

describe("a simulation", () => {
  it.live("balances its account, whatever strikes, and repeats itself", () =>
    Effect.gen(function*() {
      const options: Simulation.RunOptions = {
        seed: 11,
        lasts: "5 minutes",
        settles: "2 minutes",
        latency: 10,
        faults: [
          { action: { _tag: "Drop" }, atMillis: 30_000, everyMillis: undefined },
          { action: { _tag: "Duplicate" }, atMillis: 60_500, everyMillis: undefined },
          { action: { _tag: "Lose" }, atMillis: 90_500, everyMillis: undefined },
          { action: { _tag: "Refuse", dials: 2 }, atMillis: 120_000, everyMillis: undefined },
          { action: { _tag: "Close", code: 1001 }, atMillis: 120_000, everyMillis: undefined }
        ]
      }
      const seen: Array<number> = []
      const report = yield* Simulation.run({ ...options, onEvent: (_, at) => void seen.push(at) })
      assert.deepStrictEqual(report.violations, [])
      assert.isTrue(report.accounts.every(Simulation.isBalanced))
      assert.deepStrictEqual(report.accounts.map(({ channel, product }) => `${channel} ${product}`), [
        "matches BTC-USD",
        "ticker BTC-USD",
        "matches ETH-USD",
        "ticker ETH-USD"
      ])
      for (const { sent } of report.accounts) assert.approximately(sent, 150, 10)
      const total = (of: keyof (typeof report.accounts)[number]) =>
        report.accounts.reduce((sum, account) => sum + Number(account[of]), 0)
      assert.deepStrictEqual([total("duplicates"), total("lostByFault"), total("unaccounted")], [1, 1, 0])
      assert.deepStrictEqual(report.dials.map(({ outcome }) => outcome), [
        "Accept",
        "Accept",
        "Refuse",
        "Refuse",
        "Accept"
      ])
      assert.deepStrictEqual([report.connects, report.drops, report.gaps, report.rejected], [3, 2, 8, 0])
      assert.deepStrictEqual(report.strikes.map(({ at }) => at - (report.strikes[0]?.at ?? 0)), [
        0,
        30_500,
        60_500,
        90_000,
        90_000
      ])
      assert.strictEqual(report.metrics?.state, "Connected")
      assert.strictEqual(seen.length, report.events.length)
      assert.strictEqual((yield* Simulation.run(options)).hash, report.hash)
      assert.notStrictEqual((yield* Simulation.run({ ...options, seed: 12 })).hash, report.hash)
      assert.strictEqual(report.log.hash(), report.hash)
      assert.isAbove(report.log.lines.length, report.events.length)
    }))

  it.live("corrupts as the venue's data is corrupted, which is told as lost", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        seed: 3,
        lasts: "1 minute",
        faults: [{ action: { _tag: "Corrupt" }, atMillis: 20_500, everyMillis: undefined }]
      })
      assert.strictEqual(report.strikes.length, 1)
      assert.deepStrictEqual(report.violations.length, 2)
      assert.match(report.violations.join(), /is lost in silence.*where it was never sent|never sent.*lost in silence/)
      assert.strictEqual(report.rejected, 0)
    }))
})
