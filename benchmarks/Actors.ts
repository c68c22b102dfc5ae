/** An actor, told and handling, beside a queue of Effect: what a message costs, where nobody waits for room and where many do. */
import * as Actor from "@tickline/core/actor/Actor"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Request from "effect/Request"
import * as Rounds from "./Rounds.ts"

const messages = 500_000
const questions = 50_000
// Of a mailbox and of a queue: with the first nobody waits for room, the second is an actor's default.
const roomy = messages
const narrow = 100

class Add extends Request.TaggedClass("Add")<{ readonly amount: number }, void> {}
class Sum extends Request.TaggedClass("Sum")<{}, number> {}

const adder = Behaviour.make("Adder", {
  messages: [Add, Sum],
  initial: Effect.succeed(0),
  handle: {
    Add: (sum, { amount }) => Effect.succeed(sum + amount),
    Sum: (sum) => Effect.succeed(Behaviour.reply(sum, sum))
  }
})

const add = new Add({ amount: 1 })
const sum = new Sum()

/** Nanoseconds each. */
const each = (begun: number, count: number): number => (performance.now() - begun) / count * 1e6

const check = (handled: number) => {
  if (handled !== messages) throw new Error(`${handled} of ${messages} were handled`)
}

const telling = (capacity: number): Promise<number> =>
  Effect.gen(function*() {
    const actor = yield* Actor.spawn(adder, { mailbox: { capacity } })
    const begun = performance.now()
    for (let i = 0; i < messages; i++) yield* actor.tell(add)
    check(yield* actor.ask(sum))
    return each(begun, messages)
  }).pipe(Effect.scoped, Effect.provide(DeadLetters.layer()), Effect.runPromise)

const asking = (): Promise<number> =>
  Effect.gen(function*() {
    const actor = yield* Actor.spawn(adder)
    const begun = performance.now()
    for (let i = 0; i < questions; i++) yield* actor.ask(sum)
    return each(begun, questions)
  }).pipe(Effect.scoped, Effect.provide(DeadLetters.layer()), Effect.runPromise)

const queueing = (capacity: number): Promise<number> =>
  Effect.gen(function*() {
    const queue = yield* Queue.bounded<Add>(capacity)
    let sum = 0
    const taker = yield* Effect.forkChild(Effect.gen(function*() {
      while (sum < messages) sum += (yield* Queue.take(queue)).amount
    }))
    const begun = performance.now()
    for (let i = 0; i < messages; i++) yield* Queue.offer(queue, add)
    yield* Fiber.join(taker)
    check(sum)
    return each(begun, messages)
  }).pipe(Effect.runPromise)

const results = await Rounds.interleave({
  telling: () => telling(roomy),
  queueing: () => queueing(roomy),
  tellingNarrow: () => telling(narrow),
  queueingNarrow: () => queueing(narrow),
  asking
}, { rounds: 7, warmup: 2 })

const told = Rounds.median(results.telling)
const queued = Rounds.median(results.queueing)
const narrowly = Rounds.ratio(results.tellingNarrow, results.queueingNarrow)
const asked = Rounds.median(results.asking) / 1_000

Rounds.report([
  {
    name: "an actor's `tell` and handling ÷ Effect `Queue` offer and take",
    value: Rounds.ratio(results.telling, results.queueing),
    unit: "×",
    higher: false,
    must: 2,
    goal: 1,
    detail: `${told.toFixed(0)} ns, the queue ${queued.toFixed(0)} ns; both bounded to ${narrow}, ${
      narrowly.toFixed(2)
    } ×; a question and its answer ${asked.toFixed(2)} µs`
  }
])
