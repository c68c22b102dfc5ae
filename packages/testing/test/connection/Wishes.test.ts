/**
 * Subscriptions within one epoch: what is written for which wish, and where
 * each stands after what the peer says, or does not say.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type { Answer, Dialect } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import type * as ConnectionLimits from "../../../core/src/resilience/internal/connectionLimits.ts"
import { policyWith, record, settle, url, withVenue } from "../Rig.ts"

const channelOf = (product: string): Channel.Channel => Channel.make("trades", product)
const [a, b, c, d] = [channelOf("A"), channelOf("B"), channelOf("C"), channelOf("D")]

/** `ok 1` confirms the ask number 1, `no 1` refuses it; `+A` and `-A` ask for A and give it up. */
const ask = (sign: string) => (channels: ReadonlyArray<Channel.Channel>, id: number) =>
  channels.length === 0
    ? []
    : [{ text: sign + channels.map(({ product }) => product).join(""), channels, requestId: String(id) }]

const answer = (message: string): Answer | undefined => {
  const [word, requestId] = message.split(" ")
  return word === "ok"
    ? { _tag: "Confirmed", requestId }
    : word === "no"
    ? { _tag: "Refused", requestId, message: "not so" }
    : undefined
}

const dialect: Dialect<string> = { subscribe: ask("+"), unsubscribe: ask("-"), answer }

// One list for each channel, as one who attributes may give.
const lists = new Map([a, b, c, d].map((channel) => [channel.product, [channel]]))

interface Stage {
  readonly connection: Connection.Connection<string>
  readonly peer: () => VirtualNetwork.Peer
  /** What the peer sends, one message after the other; `data A` is data of A. */
  readonly says: (...messages: ReadonlyArray<string>) => Effect.Effect<void>
  readonly standings: Effect.Effect<string>
  /** What was refused, item by item. */
  readonly refusals: () => ReadonlyArray<string>
  readonly drop: Effect.Effect<void>
}

const stage = <E>(
  use: (stage: Stage) => Effect.Effect<void, E>,
  options: { readonly dialect?: Dialect<string>; readonly limits?: ReadonlyArray<ConnectionLimits.Limit> } = {}
) =>
  withVenue(policyWith({ acknowledgementTimeout: Duration.seconds(3) }), ({ host }) =>
    Effect.gen(function*() {
      const connection = yield* Connection.make<string>(url, {
        decode: (frame) => [String(frame)],
        dialect,
        attribute: (_, messages) =>
          messages.map((message) => message.startsWith("data ") ? lists.get(message.slice(5)) ?? [] : []),
        ...options
      })
      const { items } = yield* record(connection)
      yield* connection.connect
      yield* settle
      const peer = () => host.peers()[0]!
      yield* use({
        connection,
        peer,
        says: (...messages) =>
          Effect.forEach(messages, (message) => Effect.andThen(peer().send(message), settle), { discard: true }),
        standings: Effect.map(
          connection[internals].subscriptionStates,
          (all) => all.map(({ channel: { product }, standing }) => `${product} ${standing}`).join(", ")
        ),
        refusals: () =>
          items.flatMap((item) =>
            item._tag === "Refused" ? [item.refused.map(({ channel }) => channel.product).join("")] : []
          ),
        drop: Effect.andThen(host.drop, TestClock.adjust("1 second"))
      })
    }))

const written = ({ peer }: Stage): string => peer().received.join(" ")

describe("A subscription", () => {
  it.effect("is asked for, confirmed and given up, and nothing is told of refusals", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([a, b])
        assert.strictEqual(yield* on.standings, "A asked, B asked")
        yield* on.says("ok 1")
        assert.strictEqual(yield* on.standings, "A confirmed, B confirmed")
        yield* on.connection.unsubscribe([a])
        yield* on.says("ok 2")
        assert.strictEqual(yield* on.standings, "B confirmed")
        assert.strictEqual(written(on), "+AB -A")
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(on.refusals(), [])
      })
    ))

  it.effect("that was given up and is wanted again is confirmed by data, as it was at first", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([b])
        yield* on.says("ok 1")
        yield* on.connection.subscribe([a])
        yield* on.says("data A")
        assert.strictEqual(yield* on.standings, "B confirmed, A confirmed")
        yield* on.connection.unsubscribe([a])
        yield* on.connection.subscribe([a])
        assert.strictEqual(yield* on.standings, "B confirmed, A asked")
        yield* on.says("data A")
        assert.strictEqual(yield* on.standings, "B confirmed, A confirmed")
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(on.refusals(), [])
      })
    ))

  it.effect("is confirmed by data on every epoch", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([a])
        yield* on.says("data A")
        yield* on.drop
        assert.strictEqual(yield* on.standings, "A asked")
        yield* on.says("data A")
        assert.strictEqual(yield* on.standings, "A confirmed")
      })
    ))

  it.effect("that was refused is asked for again on the next epoch", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([a])
        yield* on.says("no 1")
        assert.strictEqual(yield* on.standings, "A refused")
        yield* on.drop
        assert.strictEqual(written(on), "+A")
        assert.strictEqual(yield* on.standings, "A asked")
      })
    ))

  it.effect("has a deadline of its own", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([b])
        yield* on.says("ok 1")
        yield* on.connection.subscribe([a])
        yield* TestClock.adjust("2 seconds")
        yield* on.connection.subscribe([c])
        yield* TestClock.adjust("2999 millis")
        assert.strictEqual(yield* on.standings, "B confirmed, A refused, C asked")
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* on.standings, "B confirmed, A refused, C refused")
        assert.deepStrictEqual(on.refusals(), ["A", "C"])
      })
    ))

  it.effect("is only wanted where there is no way to ask for it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* connection.subscribe([a])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* connection[internals].subscriptionStates, [{ channel: a, standing: "wanted" }])
        assert.deepStrictEqual(host.peers()[0]?.received, [])
        assert.strictEqual((yield* connection.metrics).epoch, 1)
      })))

  it.effect("that is refused after its data is refused, and confirmed again by more of it", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([a])
        yield* on.says("ok 1", "data A")
        yield* on.connection[internals].resubscribe([a])
        assert.strictEqual(written(on), "+A -A +A")
        yield* on.says("no 3")
        assert.strictEqual(yield* on.standings, "A confirmed")
        yield* on.connection.unsubscribe([a])
        yield* on.connection.subscribe([a])
        yield* on.says("no 5")
        assert.strictEqual(yield* on.standings, "A refused")
        yield* on.says("data A")
        assert.strictEqual(yield* on.standings, "A confirmed")
        assert.deepStrictEqual(on.refusals(), ["A"])
      })
    ))

  it.effect("that is not wanted any more when it is refused is nobody's refusal", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([a])
        yield* on.connection.unsubscribe([a])
        yield* on.says("no 1")
        assert.deepStrictEqual(on.refusals(), [])
      })
    ))

  it.effect("has no deadline where the dialect knows no answers", () =>
    stage(
      (on) =>
        Effect.gen(function*() {
          yield* on.connection.subscribe([a])
          yield* TestClock.adjust("1 hour")
          assert.strictEqual(yield* on.standings, "A asked")
          assert.strictEqual((yield* on.connection.metrics).epoch, 1)
        }),
      { dialect: { subscribe: ask("+"), unsubscribe: ask("-") } }
    ))

  it.effect("that cannot be asked for is refused once for as long as it is wanted", () =>
    stage(
      (on) =>
        Effect.gen(function*() {
          yield* on.connection.subscribe([a])
          yield* on.connection.subscribe([a])
          yield* on.drop
          assert.deepStrictEqual(on.refusals(), ["A"])
          yield* on.connection.unsubscribe([a])
          yield* on.connection.subscribe([a])
          assert.strictEqual(yield* on.standings, "A refused")
          yield* settle
          assert.deepStrictEqual(on.refusals(), ["A", "A"])
          assert.strictEqual(written(on), "")
        }),
      { dialect: { ...dialect, objection: () => "no such thing" } }
    ))
})

describe("What is given up of what was refused", () => {
  const rows: ReadonlyArray<
    readonly [what: string, last: (on: Stage) => Effect.Effect<unknown, unknown>, text: string]
  > = [
    ["is nothing where the peer said so", ({ says }) => says("no 2"), "+B +A"],
    ["is all where it said nothing", () => TestClock.adjust("3 seconds"), "+B +A -A"],
    [
      "is nothing where it said nothing first, and said so when it was asked again",
      ({ connection, says }) =>
        Effect.andThen(
          TestClock.adjust("3 seconds"),
          Effect.andThen(connection.subscribe([a]), says("no 3"))
        ),
      "+B +A +A"
    ]
  ]
  for (const [what, last, text] of rows) {
    it.effect(what, () =>
      stage((on) =>
        Effect.gen(function*() {
          yield* on.connection.subscribe([b])
          yield* on.says("ok 1")
          yield* on.connection.subscribe([a])
          yield* last(on)
          assert.strictEqual(yield* on.standings, "B confirmed, A refused")
          yield* on.connection.unsubscribe([a])
          yield* settle
          assert.strictEqual(written(on), text)
        })
      ))
  }

  it.effect("is nothing where it said nothing on the epoch before, and said so on this one", () =>
    stage((on) =>
      Effect.gen(function*() {
        yield* on.connection.subscribe([b])
        yield* on.says("ok 1")
        yield* on.connection.subscribe([a])
        yield* TestClock.adjust("3 seconds")
        yield* on.drop
        assert.strictEqual(written(on), "+BA")
        yield* on.says("no 3")
        assert.strictEqual(written(on), "+BA +B +A")
        yield* on.says("ok 4", "no 5")
        yield* on.connection.unsubscribe([a])
        yield* settle
        assert.strictEqual(written(on), "+BA +B +A")
      })
    ))
})

describe("Wishes that change while the limit holds them up", () => {
  const limits = [{ of: "messages", per: "connection", limit: 2, windowMillis: 60_000 }] as const

  it.effect("are asked for as they are in the end, one for the other too", () =>
    stage(
      (on) =>
        Effect.gen(function*() {
          yield* on.connection.subscribe([a])
          yield* on.connection.subscribe([b])
          yield* Effect.forkScoped(on.connection.subscribe([c]), { startImmediately: true })
          yield* on.connection.unsubscribe([a])
          yield* Effect.forkScoped(on.connection.subscribe([d]), { startImmediately: true })
          assert.strictEqual(written(on), "+A +B")
          yield* TestClock.adjust("5 minutes")
          assert.strictEqual(written(on), "+A +B +C +D -A")
        }).pipe(Effect.scoped),
      { limits, dialect: { subscribe: ask("+"), unsubscribe: ask("-") } }
    ))

  it.effect("leave out of what is asked for once more what nobody wants by then", () =>
    stage(
      (on) =>
        Effect.gen(function*() {
          yield* on.connection.subscribe([a, b, c, d])
          // Asked for again in halves: of A and B at once, of C and D when the limit allows it, and then of each alone.
          yield* on.says("no 1", "no 2")
          yield* on.connection.unsubscribe([b])
          assert.strictEqual(written(on), "+ABCD +AB")
          yield* TestClock.adjust("61 seconds")
          yield* on.says("ok 3", "ok 4")
          yield* TestClock.adjust("61 seconds")
          assert.strictEqual(written(on), "+ABCD +AB +CD +A -B")
          assert.strictEqual(yield* on.standings, "A confirmed, C confirmed, D confirmed")
        }).pipe(Effect.scoped),
      { limits }
    ))
})

describe("Who waits for a refusal", () => {
  it.effect("is told of it, whoever else has ceased to wait", () =>
    stage((on) =>
      Effect.gen(function*() {
        const wait = (channel: Channel.Channel) =>
          Effect.forkChild(Effect.flip(on.connection[internals].awaitRefusal(channel)), { startImmediately: true })
        const [first, second, other] = [yield* wait(a), yield* wait(a), yield* wait(b)]
        yield* on.connection.subscribe([a])
        yield* on.connection.subscribe([b])
        yield* Fiber.interrupt(first)
        yield* on.says("no 1")
        assert.strictEqual((yield* Fiber.join(second)).message, "subscription to trades of A refused: not so")
        assert.isUndefined(other.pollUnsafe())
        yield* on.says("no 2")
        assert.strictEqual((yield* Fiber.join(other)).message, "subscription to trades of B refused: not so")
        assert.strictEqual((yield* Effect.flip(on.connection[internals].awaitRefusal(a)))._tag, "SubscriptionRefused")
      })
    ))
})
