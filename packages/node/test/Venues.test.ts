import { assert, describe, it } from "@effect/vitest"
import * as Enforcement from "@tickline/testing/Enforcement"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { internals } from "../../core/src/connection/internal/connectionInternals.ts"
import {
  attentive,
  channelsOf,
  confirmed,
  hurried,
  isOf,
  limitOf,
  numbered,
  onStage,
  priced,
  quick,
  rate,
  recorded,
  type Row,
  rows,
  tradesOf,
  unnumbered,
  until
} from "./VenueStage.ts"

describe.concurrent.each(rows)("Venue $venue.name against its mock", (row) => {
  it.live("subscribes, is confirmed, delivers to the digit, is dropped and restores", () =>
    onStage(row, { feed: { channels: channelsOf(row) } }, (stage) =>
      Effect.gen(function*() {
        const { events, failures, sent, server, ticks } = stage
        yield* confirmed(stage)
        yield* until(() => priced(events).length > 40)
        assert.deepStrictEqual(sent(1), row.asks)
        yield* server.drop(1)
        yield* until(() => server.metrics().upgraded === 2)
        yield* confirmed(stage)
        const before = priced(events).length
        yield* until(() => priced(events).length > before + 40)
        assert.deepStrictEqual(sent(2), row.asksAgain ?? row.asks)
        assert.deepStrictEqual(failures, ["Dropped"])
        for (const event of priced(events)) {
          assert.isTrue([...ticks].some((tick) => isOf(tick, event)), JSON.stringify(event))
        }
        assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "FrameRejected" || _tag === "VenueError"), [])
        // The gap of each channel ends in the new epoch, before the first data of its product.
        const told = events.map((event) =>
          event._tag === "Connection" ? `${event.state} ${event.epoch ?? ""}` : event._tag
        )
        const [first, second] = [told.indexOf("Connected 1"), told.indexOf("Connected 2")]
        assert.isTrue(first >= 0 && second > first)
        const restored = events.slice(second + 1)
        const ended = restored.filter((event) => event._tag === "Gap")
        assert.deepStrictEqual(
          ended.map(({ channel, product, to }) => [channel, product, to !== undefined]).sort(),
          channelsOf(row).map(({ channel, product }) => [channel, product, true]).sort()
        )
        for (const { product } of ended) {
          const earlier = restored.slice(0, restored.findIndex((one) => one._tag === "Gap" && one.product === product))
          assert.deepStrictEqual(priced(earlier).filter((one) => "product" in one && one.product === product), [])
        }
      })))

  it.live("a refusal is one of the subscription, in the venue's words", () =>
    onStage(row, { feed: { channels: channelsOf(row) } }, (stage) =>
      Effect.gen(function*() {
        const { failures, feed } = stage
        yield* confirmed(stage)
        yield* feed.connection.subscribe([row.refused])
        const refused = yield* Effect.flip(feed.connection[internals].awaitRefusal(row.refused))
        assert(refused._tag === "SubscriptionRefused")
        assert.deepInclude(refused.channel, row.refused)
        assert.match(refused.reason, row.words)
        const standings = (yield* feed.health).subscriptions
        assert.deepStrictEqual(standings.map(({ standing }) => standing).sort(), [
          ...standings.slice(1).map(() => "confirmed"),
          "refused"
        ])
        assert.deepStrictEqual(failures, [])
      })))

  it.live("a burst is sent within the limit in every rolling window, and nobody is closed for it", () => {
    const limit = limitOf(row.venue)
    const { enforcement = Enforcement.none } = recorded(row.venue.name).venue
    const limited: Row = {
      ...row,
      venue: { ...row.venue, limits: [{ of: "messages", per: "connection", ...limit, source: "this test" }] }
    }
    return onStage(limited, {
      server: { enforcement: { ...enforcement, limits: [{ of: "messages", per: "connection", ...limit }] } },
      feed: { channels: channelsOf(row) }
    }, ({ failures, feed, server }) =>
      Effect.gen(function*() {
        const burst = limit.limit * 3
        const text = (id: number) => row.venue.subscribe([tradesOf(row)], id)[0]?.text ?? ""
        yield* Effect.forEach(Array.from({ length: burst }, (_, index) => 1_000 + index), (id) =>
          feed.connection.send(text(id)), { concurrency: "unbounded" })
        yield* until(() =>
          server.arrivals().filter(({ kind }) =>
            kind === "message"
          ).length > burst
        )
        const times = server.arrivals().flatMap(({ at, kind }) => kind === "message" ? [at] : [])
        assert.isAtMost(Enforcement.mostWithin(times, limit.windowMillis), limit.limit)
        assert.deepStrictEqual(server.entries().filter(({ _tag }) => _tag === "Enforced"), [])
        assert.deepStrictEqual([server.metrics().upgraded, failures], [1, []])
      }))
  })

  it.live("a withheld heartbeat is no fault while data flows; without either the feed goes on on another link", () => {
    const hasty: Row = { ...row, venue: hurried(row.venue) }
    return onStage(hasty, {
      server: { heartbeatMillis: 30 },
      feed: { channels: channelsOf(row) },
      policy: attentive
    }, (stage) =>
      Effect.gen(function*() {
        const { events, failures, server } = stage
        yield* confirmed(stage)
        yield* Effect.sleep(400)
        assert.deepStrictEqual(failures, [])
        yield* server.withhold("heartbeat", true)
        yield* Effect.sleep(400)
        assert.deepStrictEqual([failures, server.metrics().upgraded], [[], 1])
        yield* server.setRate(0)
        yield* until(() => failures.length > 0)
        yield* server.withhold("heartbeat", false)
        yield* server.setRate(rate)
        assert.deepStrictEqual(failures, ["HeartbeatMissed"])
        yield* until(() => server.metrics().upgraded > 1)
        yield* confirmed(stage)
        const [missed, heard] = [failures.length, priced(events).length]
        yield* until(() => priced(events).length > heard + 40)
        yield* Effect.sleep(400)
        assert.lengthOf(failures, missed)
      }))
  })

  it.live("withheld data is a stale subscription: asked for again, then redialled, and told", () =>
    onStage(row, {
      feed: { channels: [tradesOf(row)], freshness: { deadline: () => 150, target: 100 } },
      // What is asked for again waits for the venue's limit, too.
      policy: { ...quick, connectTimeout: Duration.seconds(3) }
    }, (stage) =>
      Effect.gen(function*() {
        const { events, failures, feed, sent, server } = stage
        yield* server.withhold("data", true)
        yield* feed.connection.reconnect
        yield* confirmed(stage)
        yield* until(() => server.metrics().upgraded === 3)
        yield* server.withhold("data", false)
        assert.include(sent(2).map(unnumbered).join("\n"), row.renewal.map(unnumbered).join("\n"))
        yield* until(() => priced(events).length > 10)
        assert.isAtLeast(events.filter(({ _tag }) => _tag === "Stale").length, 3)
        assert.deepStrictEqual(failures, [])
      })))

  it.live("a withheld acknowledgement is no matter where data flows, which confirms", () =>
    onStage(row, { feed: { channels: [tradesOf(row)] } }, (stage) =>
      Effect.gen(function*() {
        const { events, failures, feed, server } = stage
        yield* confirmed(stage)
        yield* server.withhold("acknowledgement", true)
        yield* feed.connection.reconnect
        const heard = priced(events).length
        yield* until(() => priced(events).length > heard + 40)
        yield* confirmed(stage)
        yield* Effect.sleep(500)
        assert.deepStrictEqual([failures, server.metrics().open], [[], 1])
      })))

  it.live("where neither an answer nor data comes, the restore has failed if answers have ids", () =>
    onStage(row, { feed: { channels: [tradesOf(row)] } }, (stage) =>
      Effect.gen(function*() {
        const { failures, feed, server } = stage
        yield* confirmed(stage)
        yield* server.withhold("acknowledgement", true)
        yield* server.withhold("data", true)
        yield* feed.connection.reconnect
        if (numbered.has(row.venue.name)) {
          yield* until(() => failures.length > 0)
          assert.deepStrictEqual([...new Set(failures)], ["RestoreFailed"])
        } else {
          yield* Effect.sleep(500)
          assert.deepStrictEqual(failures, [])
        }
        yield* server.withhold("acknowledgement", false)
        yield* server.withhold("data", false)
        yield* confirmed(stage)
      })))
})
