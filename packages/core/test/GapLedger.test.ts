/** The ledger of a feed, as those enter in it who restore what was missed. */
import { assert, describe, it } from "@effect/vitest"
import { ConnectionState } from "@tickline/core/connection/ConnectionState"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as Channel from "@tickline/core/value/Channel"
import { constVoid } from "effect/Function"
import type { Announcement } from "../src/connection/internal/announcement.ts"
import { GapAnnouncement } from "../src/market/internal/gapAnnouncement.ts"
import { GapLedger } from "../src/market/internal/gapLedger.ts"

const metrics = {
  follow: constVoid,
  unfollow: constVoid,
  arrived: constVoid,
  latency: constVoid,
  gaps: constVoid,
  stale: constVoid
}

const channel = Channel.make("matches", "BTC-USD")

const rig = () => {
  const clock = { now: 0 }
  const ledger = new GapLedger({ venue: "a", metrics, now: () => clock.now, wallNow: () => clock.now })
  const moved = (_tag: "Connected" | "Reconnecting") =>
    ledger.moved({
      at: clock.now,
      _tag: "Transition",
      heldMillis: 0,
      reason: "",
      from: _tag === "Connected"
        ? ConnectionState.Connecting({ attempt: 1 })
        : ConnectionState.Connected({ epoch: 1 }),
      to: _tag === "Connected"
        ? ConnectionState.Connected({ epoch: 1 })
        : ConnectionState.Reconnecting({ attempt: 1, delayMillis: 0, until: 0, failure: undefined, pattern: undefined })
    })
  ledger.follow([channel])
  moved("Connected")
  clock.now = 1_000
  return { clock, ledger, moved, gaps: () => ledger.read().entries[0]?.gaps ?? [] }
}

const told = (announcement: Announcement | undefined) =>
  announcement instanceof GapAnnouncement ? announcement.gaps : []

const oneOf = (announcement: Announcement | undefined): Lifecycle.Gap => {
  const [gap, ...others] = told(announcement)
  assert.deepStrictEqual(others, [])
  return gap ?? assert.fail("no gap was told")
}

describe("GapLedger", () => {
  it("a gap that is held ends when it is let go, with how it was recovered", () => {
    const { clock, gaps, ledger, moved } = rig()
    const begun = oneOf(moved("Reconnecting"))
    const release = ledger.hold(channel)
    moved("Connected")
    assert.deepStrictEqual(told(ledger.confirmed([channel], 2_000)), [])
    assert.strictEqual(gaps()[0]?.to, undefined)
    clock.now = 3_000
    const ended = oneOf(release("backfill"))
    assert.strictEqual(ended.from, begun.from)
    assert.deepInclude(ended, { to: "1970-01-01T00:00:03.000Z", recovered: "backfill" })
    assert.deepStrictEqual(gaps(), [ended])
    // It is let go once.
    assert.deepStrictEqual(told(release()), [])
  })

  it("a gap whose fetch has failed ends when the channel was confirmed, and before that not at all", () => {
    const { clock, gaps, ledger, moved } = rig()
    moved("Reconnecting")
    const early = ledger.hold(channel)
    assert.deepStrictEqual(told(early()), [])
    const release = ledger.hold(channel)
    const other = ledger.hold(channel)
    moved("Connected")
    ledger.confirmed([channel], 2_000)
    clock.now = 4_000
    assert.deepStrictEqual(told(other()), [])
    const ended = oneOf(release())
    assert.deepInclude(ended, { to: "1970-01-01T00:00:02.000Z" })
    assert.notProperty(ended, "recovered")
    assert.deepStrictEqual(gaps(), [ended])
  })

  it("what comes after a gap has ended is entered in it, and not told again", () => {
    const { gaps, ledger, moved } = rig()
    const begun = oneOf(moved("Reconnecting"))
    moved("Connected")
    ledger.confirmed([channel], 2_000)
    assert.deepStrictEqual(told(ledger.recovered(channel, begun, "backfill")), [])
    assert.deepInclude(gaps()[0], { recovered: "backfill", to: "1970-01-01T00:00:02.000Z" })
  })

  it("a gap that is found when it is over is told once, whole", () => {
    const { gaps, ledger } = rig()
    const found = told(
      ledger.found(channel, { cause: "sequence", from: "5", to: "9", missing: 3, recovered: "redundant" })
    )
    assert.deepStrictEqual(gaps(), found)
    assert.deepInclude(found[0], { product: "BTC-USD", from: "5", to: "9", missing: 3, recovered: "redundant" })
  })
})
