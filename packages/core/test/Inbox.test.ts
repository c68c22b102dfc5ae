/**
 * The queues of a connection's consumers, to the byte: what a consumer that
 * does not take is left with, and what it is told of the rest.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import { ConnectionState, type Transition } from "@tickline/core/connection/ConnectionState"
import type * as Inbox from "@tickline/core/connection/Inbox"
import * as Channel from "@tickline/core/value/Channel"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Interest } from "../src/connection/internal/consumerQueue.ts"
import * as Inboxes from "../src/connection/internal/inbox.ts"
import type * as InboxItems from "../src/connection/internal/inboxItems.ts"

const mebibyte = 1024 * 1024
const share = 256

/** A batch of these messages which weighs so much. */
const weighing = (weight: number, ...messages: Arr.NonEmptyReadonlyArray<string>): Inbox.Batch<string> => ({
  _tag: "Batch",
  epoch: 1,
  at: 0,
  messages,
  bytes: weight - messages.length * share
})

const rejected = (weight: number, name = "r"): InboxItems.Rejected => ({
  _tag: "Rejected",
  epoch: 1,
  at: 0,
  bytes: weight - share,
  rejection: new Rejection.FrameRejected({ venue: "test", reason: "MalformedJson", message: name })
})

const transition: Transition = {
  _tag: "Transition",
  from: ConnectionState.Disconnected(),
  to: ConnectionState.Connecting({ attempt: 1 }),
  at: 0,
  heldMillis: 0,
  reason: "connect"
}

const overdue: InboxItems.Overdue = { _tag: "Overdue", channel: Channel.make("c"), step: "told", silentForMillis: 0 }

const shown = (item: Inbox.Item<string>): string => {
  switch (item._tag) {
    case "Batch":
      return item.messages.join()
    case "Rejected":
      return item.rejection.message
    case "Missed":
      return `missed ${item.messages} and ${item.rejections}`
    default:
      return item._tag
  }
}

/** A consumer that takes nothing but when it is told to. */
const consumer = Effect.fnUntraced(function*(
  inbox: Inboxes.Inbox<string>,
  interest: Interest,
  options?: Inbox.ConsumerOptions
) {
  const pull = yield* Stream.toPull(inbox.consume(interest, options, (items) => items))
  const first = yield* Effect.forkChild(pull, { startImmediately: true })
  inbox.offer(
    interest === "rejections" ? rejected(share) : interest === "transitions" ? transition : weighing(share, "a")
  )
  inbox.wake()
  yield* Fiber.join(first)
  return { pull, take: Effect.map(pull, (items) => items.map(shown)) }
})

/** What a consumer takes after these were offered. */
const after = (
  options: Inbox.ConsumerOptions,
  items: ReadonlyArray<Inbox.Item<string>>,
  keyOf?: InboxItems.KeyOf<string>
) =>
  Effect.scoped(Effect.gen(function*() {
    const inbox = Inboxes.make({ keyOf })
    const { pull } = yield* consumer(inbox, "everything", options)
    for (const item of items) inbox.offer(item)
    return yield* pull
  }))

const shownAfter = (...args: Parameters<typeof after>) => Effect.map(after(...args), (items) => items.map(shown))

describe("A bound", () => {
  for (
    const [what, bytes, bound] of [
      ["that is not given", undefined, 4 * mebibyte],
      ["that is no number", NaN, 4 * mebibyte],
      ["of a thousand bytes", 1_000, 1_000],
      ["of nothing", 0, 1]
    ] as const
  ) {
    it.effect(`${what} is met at ${bound} bytes`, () =>
      Effect.gen(function*() {
        for (const item of [(weight: number) => weighing(weight, "a"), rejected]) {
          if (bound > share) {
            const items = yield* shownAfter({ bytes }, [item(bound - 1), weighing(share, "x")])
            assert.strictEqual(items.length, 2)
          }
          const full = Math.max(bound, share)
          yield* Effect.scoped(Effect.gen(function*() {
            const inbox = Inboxes.make<string>()
            const { pull } = yield* consumer(inbox, "everything", { bytes })
            inbox.offer(item(full))
            inbox.offer(transition)
            inbox.offer(weighing(share, "x"))
            // It takes what there is first.
            assert.strictEqual((yield* pull).length, 2)
            const error = yield* Effect.flip(pull)
            assert.deepInclude(error, { _tag: "ConsumerOverflow", bytes: full })
          }))
        }
      }))
  }

  it.effect("of what is kept for the first to come is four mebibytes", () =>
    Effect.gen(function*() {
      for (const [weight, missed, first] of [[-1, 0, "a"], [0, 1, "missed 1 and 0"]] as const) {
        const inbox = Inboxes.make<string>()
        inbox.keep()
        inbox.offer(weighing(4 * mebibyte + weight, "a"))
        inbox.offer(weighing(share, "b"))
        const pull = yield* Stream.toPull(inbox.consume("everything", undefined, (items) => items))
        assert.deepStrictEqual((yield* pull).map(shown), [first, "b"])
        assert.strictEqual(inbox.missed(), missed)
      }
    }).pipe(Effect.scoped))

  it.effect("of one that blocks is met so many times as it is allowed to be", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make<string>()
      const { take } = yield* consumer(inbox, "everything", { overflow: "block", bytes: 1_000 })
      inbox.offer(weighing(999, "a"))
      assert.isFalse(inbox.isBlocked())
      inbox.offer(weighing(1_000, "b"))
      assert.isTrue(inbox.isBlocked())
      yield* inbox.allow(2)
      assert.isFalse(inbox.isBlocked())
      inbox.offer(weighing(1_000, "c"))
      assert.isTrue(inbox.isBlocked())
      yield* inbox.allow(Infinity)
      assert.isFalse(inbox.isBlocked())
      yield* inbox.allow(1)
      const room = yield* Effect.forkChild(inbox.room, { startImmediately: true })
      assert.isUndefined(room.pollUnsafe())
      assert.deepStrictEqual(yield* take, ["a", "b", "c"])
      yield* Fiber.join(room)
    }).pipe(Effect.scoped))

  it.effect("blocks nobody once its consumer has ended", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make<string>()
      const { pull, take } = yield* consumer(inbox, "everything", { overflow: "block", bytes: 1 })
      inbox.offer(weighing(1_000, "a"))
      assert.isTrue(inbox.isBlocked())
      yield* inbox.end(Exit.fail(Cause.Done()))
      assert.isFalse(inbox.isBlocked())
      inbox.offer(weighing(1_000, "b"))
      assert.deepStrictEqual(yield* take, ["a"])
      assert.strictEqual((yield* Effect.flip(pull))._tag, "Done")
    }).pipe(Effect.scoped))
})

describe("Dropping the oldest", () => {
  const several = (many: number, weight: number) =>
    Arr.makeBy(many, (i) => weighing(weight, `${i}`)) as ReadonlyArray<Inbox.Item<string>>
  const missedOf = (bytes: number, items: ReadonlyArray<Inbox.Item<string>>) =>
    Effect.map(
      after({ overflow: "drop-oldest", bytes }, items),
      (told) => told.reduce((sum, item) => item._tag === "Missed" ? sum + item.messages : sum, 0)
    )

  it.effect("makes room for one beyond the bound where that is small, and for a kibibyte of each 64", () =>
    Effect.gen(function*() {
      // Up to the bound they wait; of what is more, as many go as it takes to be below the goal.
      assert.strictEqual(yield* missedOf(1_024, several(2, 512)), 0)
      assert.strictEqual(yield* missedOf(1_024, several(3, 512)), 1)
      assert.strictEqual(yield* missedOf(65_535, several(129, 512)), 1)
      assert.strictEqual(yield* missedOf(65_536, several(128, 512)), 0)
      // 65,536 are too much; 64,512 are not less than the goal, 64,000 are.
      assert.strictEqual(yield* missedOf(65_536, several(129, 512)), 3)
      assert.strictEqual(yield* missedOf(131_071, several(257, 512)), 3)
      // 66,047 are too much; three less are 64,511, one less than the goal.
      const odd = [...several(127, 512), weighing(511, "odd"), ...several(2, 512)]
      assert.strictEqual(yield* missedOf(65_536, odd), 3)
    }))

  it.effect("leaves of a batch what it has room for, its share of the bytes, and to each message its channels", () =>
    Effect.gen(function*() {
      const channels = ["a", "b", "c"].map((name) => [Channel.make(name)])
      const batch: Inbox.Batch<string> = { ...weighing(3 * share + 10, "a", "b", "c"), channels }
      const [missed, left] = yield* after({ overflow: "drop-oldest", bytes: 3 * share }, [batch, weighing(share, "d")])
      assert.deepStrictEqual(missed && shown(missed), "missed 1 and 0")
      assert.deepStrictEqual(left, { ...batch, messages: ["b", "c"], channels: channels.slice(1), bytes: 7 })
    }))

  it.effect("tells messages and rejections apart, and stands where the first of them stood", () =>
    Effect.gen(function*() {
      const items = [weighing(500, "a"), rejected(500), transition, weighing(500, "b"), rejected(500, "kept")]
      assert.deepStrictEqual(
        yield* shownAfter({ overflow: "drop-oldest", bytes: 1_000 }, items),
        ["missed 1 and 1", "Transition", "b", "kept"]
      )
    }))

  it.effect("counts all under one key where none is given", () =>
    Effect.gen(function*() {
      const items = ["a", "b", "c"].map((text) => weighing(600, text))
      const [missed] = yield* after({ overflow: "drop-oldest", bytes: 1_000 }, items)
      assert.deepStrictEqual(missed?._tag === "Missed" && [...missed.keys], [["", 1]])
    }))

  it.effect("counts up to 1,024 keys by their names, and those beyond as without one", () =>
    Effect.gen(function*() {
      const keys = [...Arr.makeBy(1_027, (i) => `k${i}`), "k5", "k1026", "none"]
      const items = [...keys.map((key) => weighing(share, key)), weighing(9_999, "big"), weighing(share, "last")]
      const [missed] = yield* after(
        { overflow: "drop-oldest", bytes: 1_000 },
        items,
        (text) => text === "none" ? undefined : text
      )
      assert(missed?._tag === "Missed")
      assert.strictEqual(missed.messages, 1_031)
      assert.strictEqual(missed.keys.size, 1_025)
      // Three keys came too late, one of them twice, then one without, and the big one.
      assert.strictEqual(missed.keys.get(undefined), 3 + 1 + 1 + 1)
      assert.strictEqual(missed.keys.get("k5"), 2)
      assert.strictEqual(missed.keys.get("k6"), 1)
    }))
})

describe("Conflating", () => {
  const conflating = { overflow: "conflate", bytes: 1_000 } as const
  const keyOf = (text: string): string => text.slice(0, 1)

  it.effect("leaves all as it is where the bound was not met, before the first pull and after it", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make({ keyOf })
      const pull = yield* Stream.toPull(inbox.consume("everything", conflating, (items) => items))
      const first = yield* Effect.forkChild(pull, { startImmediately: true })
      inbox.offer(weighing(999, "a1", "a2"))
      inbox.wake()
      assert.deepStrictEqual((yield* Fiber.join(first)).map(shown), ["a1,a2"])
      for (const time of [1, 2]) {
        inbox.offer(weighing(600, "a3", "a4"))
        inbox.offer(weighing(400, "a5"))
        if (time === 2) inbox.offer(weighing(400, "b1", "a6"))
        assert.strictEqual(inbox.missed(), time === 1 ? 0 : 3)
        const told = time === 1 ? ["a3,a4", "a5"] : ["missed 3 and 0", "b1,a6"]
        assert.deepStrictEqual((yield* pull).map(shown), told)
      }
      inbox.offer(weighing(600, "a7", "a8"))
      assert.deepStrictEqual((yield* pull).map(shown), ["a7,a8"])
    }).pipe(Effect.scoped))

  it.effect("keeps the newest rejection, and counts the others", () =>
    Effect.gen(function*() {
      const items = [rejected(600, "1"), weighing(600, "a1"), rejected(600, "2"), rejected(600, "3")]
      assert.deepStrictEqual(yield* shownAfter(conflating, items, keyOf), ["missed 0 and 2", "a1", "3"])
    }))
})

describe("Consumers of a part", () => {
  it.effect("are not filled by what is none of theirs", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make<string>()
      const batches = yield* consumer(inbox, "batches", { bytes: 1_000 })
      const rejections = yield* consumer(inbox, "rejections", { bytes: 1_000 })
      const transitions = yield* consumer(inbox, "transitions", { bytes: 1_000 })
      inbox.offer(transition)
      for (const item of [rejected(5_000), weighing(share, "a"), weighing(share, "b")]) inbox.offer(item)
      for (let i = 0; i < 2_000; i++) inbox.offer(overdue)
      inbox.offer(transition)
      assert.deepStrictEqual(yield* batches.take, ["a", "b"])
      assert.deepStrictEqual(yield* rejections.take, ["r"])
      const moved = yield* transitions.pull
      assert.deepStrictEqual(moved, [transition, transition])
    }).pipe(Effect.scoped))

  for (
    const [there, kept] of [
      ["everything", { everything: [], rejections: [] }],
      ["batches", { everything: [], rejections: ["r"] }],
      ["rejections", { everything: ["Transition", "a", "r"], rejections: [] }],
      ["transitions", { everything: ["Transition", "a", "r"], rejections: [] }]
    ] as const
  ) {
    it.effect(`what is kept for the first to come beside one of ${there} is what nobody is there for`, () =>
      Effect.gen(function*() {
        const inbox = Inboxes.make<string>()
        yield* consumer(inbox, there)
        inbox.keep()
        for (const item of [transition, weighing(share, "a"), rejected(share)]) inbox.offer(item)
        for (const interest of ["everything", "rejections"] as const) {
          const pull = yield* Stream.toPull(inbox.consume(interest, undefined, (items) => items))
          const found = yield* Effect.forkChild(pull, { startImmediately: true })
          inbox.offer(interest === "everything" ? weighing(share, "end") : rejected(share, "end"))
          inbox.wake()
          const items = (yield* Fiber.join(found)).map(shown).filter((text) => text !== "end")
          assert.deepStrictEqual(items, [...kept[interest]])
        }
      }).pipe(Effect.scoped))
  }

  it.effect("are handed nothing where nothing of what came is for them", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make<string>()
      const pull = yield* Stream.toPull(
        inbox.consume("everything", undefined, (items) => items.filter(({ _tag }) => _tag === "Batch"))
      )
      const found = yield* Effect.forkChild(pull, { startImmediately: true })
      inbox.offer(transition)
      inbox.wake()
      yield* Effect.yieldNow
      assert.isUndefined(found.pollUnsafe())
      inbox.offer(weighing(share, "a"))
      inbox.wake()
      assert.deepStrictEqual((yield* Fiber.join(found)).map(shown), ["a"])
    }).pipe(Effect.scoped))

  it.effect("that come after the end are told what was kept before it and since", () =>
    Effect.gen(function*() {
      const inbox = Inboxes.make<string>()
      yield* consumer(inbox, "batches")
      inbox.keep()
      const alone = Inboxes.make<string>()
      alone.keep()
      for (const [of, interest] of [[inbox, "rejections"], [alone, "everything"]] as const) {
        of.offer(rejected(share, "before"))
        yield* of.end(Exit.fail(Cause.Done()))
        of.offer(rejected(share, "since"))
        const pull = yield* Stream.toPull(of.consume(interest, undefined, (items) => items))
        assert.deepStrictEqual((yield* pull).map(shown), ["before", "since"])
      }
    }).pipe(Effect.scoped))

  it.effect("count what they missed also after they are gone, and tell of it as it happens", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const inbox = Inboxes.make<string>({ onMissed: (messages) => void told.push(messages) })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* consumer(inbox, "everything", { overflow: "drop-oldest", bytes: 500 })
        for (const text of ["a", "b", "c", "d"]) inbox.offer(weighing(share, text))
        inbox.offer(rejected(share))
        for (const text of ["e", "f"]) inbox.offer(weighing(share, text))
      }))
      // Two are left, of the five messages and the rejection before them.
      assert.strictEqual(inbox.missed(), 5)
      yield* Effect.scoped(consumer(inbox, "everything"))
      assert.strictEqual(inbox.missed(), 5)
      assert.strictEqual(told.reduce((sum, each) => sum + each, 0), 5)
    }))
})

describe("What tells of states, and nobody takes,", () => {
  it.effect("is told as one: moves of a breaker from the first state to the last", () =>
    Effect.gen(function*() {
      const move = (n: number): InboxItems.BreakerMoved => ({
        _tag: "BreakerMoved",
        transition: { from: n % 2 === 0 ? "Closed" : "Open", to: n % 2 === 0 ? "Open" : "Closed", at: n, reason: "" }
      })
      const items = yield* after({}, Arr.makeBy(1_025, move))
      assert.strictEqual(items.length, 514)
      assert.deepStrictEqual(items[0], { ...move(511), transition: { ...move(511).transition, from: "Closed" } })
      assert.deepStrictEqual(items[1], move(512))
    }))

  it.effect("is told as one: transitions from the first state to the last, with how many they were", () =>
    Effect.gen(function*() {
      const move = (n: number): Transition => ({
        ...transition,
        from: ConnectionState.Connecting({ attempt: n }),
        to: ConnectionState.Connecting({ attempt: n + 1 }),
        at: n
      })
      for (const [many, told, merged] of [[1_025, 514, 512], [1_540, 516, 1_025]] as const) {
        const items = yield* after({}, Arr.makeBy(many, move))
        assert.strictEqual(items.length, told)
        assert.deepStrictEqual(items[0], { ...move(merged - 1), from: move(0).from, merged })
        assert.deepStrictEqual(items[1], move(merged))
      }
    }))

  it.effect("is told apart where the kinds differ", () =>
    Effect.gen(function*() {
      const gap: InboxItems.SequenceGap = { _tag: "SequenceGap", epoch: 1, from: 1n, to: 3n, missing: 1n }
      const moved: InboxItems.BreakerMoved = {
        _tag: "BreakerMoved",
        transition: { from: "Closed", to: "Open", at: 0, reason: "" }
      }
      const refused: InboxItems.Refused<string> = { _tag: "Refused", refused: [], by: "x" }
      const kinds = [transition, gap, moved, refused, overdue]
      const items = yield* after({}, [...kinds, ...Arr.makeBy(1_020, () => overdue)])
      assert.deepStrictEqual(items.slice(0, 6), [...kinds.slice(0, 4), overdue, overdue])
      assert.strictEqual(items.length, 4 + 1 + 513)
    }))

  it.effect("is kept for the first to come as it would be for one who is there", () =>
    Effect.gen(function*() {
      for (const [many, told] of [[1_024, 1_024], [1_025, 514]] as const) {
        const inbox = Inboxes.make<string>()
        inbox.keep()
        for (let i = 0; i < many; i++) inbox.offer(overdue)
        const pull = yield* Stream.toPull(inbox.consume("everything", undefined, (items) => items))
        assert.lengthOf(yield* pull, told)
      }
    }).pipe(Effect.scoped))
})
