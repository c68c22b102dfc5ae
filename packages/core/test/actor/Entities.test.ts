/** The same behaviour as an actor of this process and as an entity of a cluster. */
import { assert, describe, it } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import type { MailboxFull } from "@tickline/core/actor/ActorError"
import * as ActorMessage from "@tickline/core/actor/ActorMessage"
import type { ActorRef } from "@tickline/core/actor/ActorRef"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import * as Entities from "@tickline/core/actor/Entities"
import type * as Mailbox from "@tickline/core/actor/Mailbox"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as TestRunner from "effect/cluster/TestRunner"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Request from "effect/Request"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

class Overdrawn extends Schema.TaggedError<Overdrawn>()("Overdrawn", { missing: Schema.Finite }) {
  override get message(): string {
    return `${this.missing} is missing`
  }
}

class Deposit extends ActorMessage.Class<Deposit>()("Deposit", { amount: Schema.Finite }) {}
class Withdraw extends ActorMessage.Class<Withdraw>()("Withdraw", { amount: Schema.Finite }, {
  reply: Schema.Finite,
  error: Overdrawn
}) {}
class Balance extends ActorMessage.Class<Balance>()("Balance", {}, { reply: Schema.Finite }) {}
class Crash extends ActorMessage.Class<Crash>()("Crash", {}) {}
class Work extends ActorMessage.Class<Work>()("Work", { millis: Schema.Finite }) {}

const accounts = (kept = new Map<string, number>()) =>
  Behaviour.make("Account", {
    messages: [Deposit, Withdraw, Balance, Crash, Work],
    initial: Effect.succeed(0),
    handle: {
      Deposit: (balance, { amount }) => Effect.succeed(balance + amount),
      Withdraw: (balance, { amount }) =>
        amount > balance
          ? new Overdrawn({ missing: amount - balance })
          : Effect.succeed(Behaviour.reply(balance - amount, balance - amount)),
      Balance: (balance) => Effect.succeed(Behaviour.reply(balance, balance)),
      Crash: () => Effect.die(new Error("broken")),
      Work: (balance, { millis }) => Effect.as(Effect.sleep(millis), balance)
    },
    snapshots: {
      restore: (path) => Effect.sync(() => Option.fromUndefinedOr(kept.get(path))),
      persist: (path, balance) => Effect.sync(() => void kept.set(path, balance))
    }
  })

type Account = ActorRef<Deposit | Withdraw | Balance | Crash | Work, Entities.EntityUnavailable | MailboxFull>
type Find = (id: string) => Effect.Effect<Account, never, Scope.Scope>

/** Runs what is asked of accounts where each is an actor of this process. */
const locally = <A, E, R>(body: (find: Find) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const behaviour = accounts()
    const letters = yield* DeadLetters.DeadLetters
    return yield* body((id) =>
      Effect.provideService(
        Actor.spawn(behaviour, { name: id, shutdown: { within: 0 } }),
        DeadLetters.DeadLetters,
        letters
      )
    )
  }).pipe(Effect.provide(DeadLetters.layer()))

/** The same where each is an entity of a cluster. */
const inCluster = <A, E, R>(
  body: (find: Find) => Effect.Effect<A, E, R>,
  { kept, runner = TestRunner.layer, ...options }: Entities.Options & {
    readonly kept?: Map<string, number>
    readonly runner?: Layer.Layer<Sharding.Sharding>
  } = {}
) =>
  Effect.gen(function*() {
    const behaviour = accounts(kept)
    const cluster = Layer.provideMerge(Entities.layer(behaviour, options), Layer.merge(runner, DeadLetters.layer()))
    return yield* Effect.gen(function*() {
      // The runner has all shards by then.
      yield* TestClock.adjust("10 seconds")
      const client = yield* Entities.client(behaviour)
      const exit = yield* Effect.exit(body((id) => Effect.succeed(client(id))))
      // The cluster waits for what is in hand.
      yield* TestClock.adjust("5 minutes")
      return yield* exit
    }).pipe(Effect.provide(cluster))
  })

const outcome = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<unknown> =>
  Effect.match(effect, { onFailure: (error) => String(error), onSuccess: (value) => value })

const waited = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    return yield* Fiber.join(fiber)
  })

/** What is done, and what comes of it. */
const script = (find: Find) =>
  Effect.gen(function*() {
    const alice = yield* find("alice")
    const bob = yield* find("bob")
    const said: Array<unknown> = [alice.path]
    const say = (effect: Effect.Effect<unknown, unknown>) =>
      Effect.map(waited(outcome(effect)), (value) => void said.push(value))
    yield* say(alice.tell(new Deposit({ amount: 10 })))
    yield* say(bob.tell(new Deposit({ amount: 1 })))
    yield* say(alice.ask(new Withdraw({ amount: 3 })))
    yield* say(alice.ask(new Withdraw({ amount: 30 })))
    yield* say(alice.tell(new Withdraw({ amount: 40 })))
    yield* say(alice.ask(new Crash()))
    yield* say(alice.ask(new Balance()))
    yield* say(bob.ask(new Balance()))
    yield* alice.tell(new Work({ millis: 1_000 }))
    yield* alice.tell(new Deposit({ amount: 5 }), { deadline: "500 millis" })
    yield* alice.tell(new Deposit({ amount: 100 }), { priority: "low" })
    yield* say(Effect.all([
      outcome(alice.ask(new Balance(), { deadline: "250 millis" })),
      outcome(alice.ask(new Balance()))
    ], { concurrency: "unbounded" }))
    yield* say(alice.ask(new Balance()))
    yield* alice.tell(new Work({ millis: 60_000 }))
    yield* say(alice.ask(new Balance()))
    const { latest } = yield* DeadLetters.DeadLetters
    for (const { message, reason, to } of yield* latest) said.push(`${reason}: ${message._tag} to ${to}`)
    return said
  })

const expected = [
  "Account/alice",
  "Queued",
  "Queued",
  7,
  "Overdrawn: 23 is missing",
  "Queued",
  "ActorCrashed: Account/alice crashed: broken",
  7,
  1,
  ["AskTimedOut: Account/alice did not answer within 250 ms", 7],
  107,
  "AskTimedOut: Account/alice did not answer within 5000 ms",
  "Failed: Withdraw to Account/alice",
  "Crashed: Crash to Account/alice",
  "Expired: Balance to Account/alice",
  "Expired: Deposit to Account/alice",
  "Expired: Balance to Account/alice"
]

const quiet = Effect.provideService(References.MinimumLogLevel, "None")

describe("Entities", () => {
  it.effect("an actor of this process answers", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* locally(script), expected)
    }).pipe(quiet))

  it.effect("an entity of the same behaviour answers the same", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inCluster(script), expected)
    }).pipe(quiet))

  it.effect("an entity that was idle goes on from its last state", () =>
    Effect.gen(function*() {
      const kept = new Map<string, number>()
      yield* inCluster((find) =>
        Effect.gen(function*() {
          const alice = yield* find("alice")
          yield* alice.tell(new Deposit({ amount: 10 }))
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual([...kept], [["Account/alice", 10]])
          kept.set("Account/alice", 11)
          assert.strictEqual(yield* alice.ask(new Balance()), 11)
        }), { kept, maxIdleTime: "1 minute" })
    }))

  it.effect("a full mailbox does to a sender elsewhere what its policy says", () =>
    Effect.gen(function*() {
      const told = (overflow: Mailbox.Overflow) =>
        inCluster((find) =>
          Effect.gen(function*() {
            const alice = yield* find("alice")
            yield* alice.tell(new Work({ millis: 1_000 }))
            yield* TestClock.adjust(0)
            yield* alice.tell(new Deposit({ amount: 1 }))
            const third = yield* Effect.forkChild(outcome(alice.tell(new Deposit({ amount: 10 }))))
            yield* TestClock.adjust(0)
            const atOnce = third.pollUnsafe() !== undefined
            yield* TestClock.adjust("2 seconds")
            return [atOnce, yield* Fiber.join(third), yield* alice.ask(new Balance())]
          }), { mailbox: { capacity: 1, overflow } })
      assert.deepStrictEqual(yield* told("suspend"), [false, "Queued", 11])
      assert.deepStrictEqual(yield* told("drop-oldest"), [true, "Displaced", 10])
      assert.deepStrictEqual(yield* told("drop-newest"), [true, "Dropped", 1])
      assert.deepStrictEqual(yield* told("fail"), [
        true,
        "MailboxFull: the mailbox of Account/alice is full (1)",
        1
      ])
    }))

  it.effect("what the cluster does not take says so", () =>
    Effect.gen(function*() {
      const runner = Sharding.layer.pipe(
        Layer.provide(Runners.layerNoop),
        Layer.provide([MessageStorage.layerMemory, RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
        Layer.provide(ShardingConfig.layer({ entityMailboxCapacity: 2 }))
      )
      const said = yield* inCluster((find) =>
        Effect.gen(function*() {
          const alice = yield* find("alice")
          const balances = yield* Effect.forkChild(
            Effect.all(Array.from({ length: 4 }, () => outcome(alice.ask(new Work({ millis: 1_000 })))), {
              concurrency: "unbounded"
            })
          )
          yield* TestClock.adjust("10 seconds")
          return yield* Fiber.join(balances)
        }), { runner })
      const refused = "EntityUnavailable: the cluster did not reach Account/alice: MailboxFull"
      assert.deepStrictEqual(said, [undefined, undefined, refused, refused])
    }))

  it.effect("an entity that has stopped for good starts afresh with the next message", () =>
    inCluster((find) =>
      Effect.gen(function*() {
        const alice = yield* find("alice")
        yield* alice.tell(new Deposit({ amount: 10 }))
        yield* alice.tell(new Work({ millis: 10 }))
        yield* alice.tell(new Crash())
        const waiting = yield* Effect.forkChild(outcome(alice.ask(new Balance())), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(waiting), "ActorStopped: Account/alice has stopped")
        assert.strictEqual(yield* alice.ask(new Balance()), 10)
      }), { supervision: { decide: () => "stop" } }).pipe(quiet))

  it.effect("what cannot be an entity is refused when the layer is built", () =>
    Effect.gen(function*() {
      class Local extends Request.TaggedClass("Local")<{ readonly reply: (n: number) => void }, void> {}
      class Again extends ActorMessage.Class<Again>()("Deposit", { more: Schema.String }) {}
      const refused = (layer: Layer.Layer<never, Entities.NotAnEntity, Sharding.Sharding | DeadLetters.DeadLetters>) =>
        Effect.map(
          Effect.flip(Effect.scoped(Layer.build(Layer.provide(layer, [TestRunner.layer, DeadLetters.layer()])))),
          ({ message, reason }) => [reason, message]
        )
      const handle = { Local: () => Effect.void, Deposit: () => Effect.void }
      const local = Behaviour.make("Desk", { messages: [Deposit, Local], initial: Effect.void, handle })
      assert.deepStrictEqual(yield* refused(Entities.layer(local, { isVolatile: true })), [
        "NoSchema",
        "Desk cannot be an entity: without a Schema of ActorMessage.Class, Local cannot be sent to another process"
      ])
      const twice = Behaviour.make("Desk", { messages: [Deposit, Again], initial: Effect.void, handle })
      assert.deepStrictEqual(yield* refused(Entities.layer(twice, { isVolatile: true })), [
        "DuplicateTag",
        "Desk cannot be an entity: Deposit is the tag of two messages"
      ])
      const forgetful = Behaviour.make("Desk", { messages: [Deposit], initial: Effect.void, handle })
      assert.deepStrictEqual(yield* refused(Entities.layer(forgetful)), [
        "Volatile",
        "Desk cannot be an entity: it has no snapshots, so its state would be lost when it is idle or moves; " +
        "say `isVolatile` if it may be"
      ])
      yield* Layer.build(
        Layer.provide(Entities.layer(forgetful, { isVolatile: true }), [TestRunner.layer, DeadLetters.layer()])
      )
    }))
})
