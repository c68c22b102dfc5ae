/**
 * Two actors: a desk takes orders and passes what it fills on to a book keeper. An
 * order makes the desk crash; it is restarted and serves what waited. What nobody
 * handled is a dead letter.
 *
 * Run: npx -y pnpm@12 exec node examples/actors.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Actor from "@tickline/core/actor/Actor"
import * as ActorMessage from "@tickline/core/actor/ActorMessage"
import type { ActorRef } from "@tickline/core/actor/ActorRef"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import { Console, Effect, Fiber, Logger, Schema, Stream } from "effect"

class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { most: Schema.Finite }) {
  override get message(): string {
    return `at most ${this.most}`
  }
}

class Filled extends ActorMessage.Class<Filled>()("Filled", { amount: Schema.Finite }) {}
class Total extends ActorMessage.Class<Total>()("Total", {}, { reply: Schema.Finite }) {}
class Buy extends ActorMessage.Class<Buy>()("Buy", { amount: Schema.Finite }, {
  reply: Schema.String,
  error: TooLarge
}) {}

/** Adds up what was filled. */
const keeper = Behaviour.make("Keeper", {
  messages: [Filled, Total],
  initial: Effect.succeed(0),
  handle: {
    Filled: (total, { amount }) => Effect.succeed(total + amount),
    Total: (total) => Effect.succeed(Behaviour.reply(total, total))
  }
})

/** Fills orders of up to ten, one after the other, and numbers them. */
const desk = (books: ActorRef<Filled>) =>
  Behaviour.make("Desk", {
    messages: [Buy],
    initial: Effect.succeed(1),
    handle: {
      Buy: (number, { amount }) =>
        Effect.gen(function*() {
          if (amount > 10) return yield* new TooLarge({ most: 10 })
          if (amount <= 0) return yield* Effect.die(new Error(`an order of ${amount}`))
          yield* books.tell(new Filled({ amount }))
          return Behaviour.reply(`order ${number}: ${amount} filled`, number + 1)
        })
    }
  })

const program = Effect.gen(function*() {
  const books = yield* Actor.spawn(keeper)
  const orders = yield* Actor.spawn(desk(books), { mailbox: { capacity: 2, overflow: "fail" } })
  yield* orders.state.changes.pipe(
    Stream.runForEach((state) => Console.log(`the desk is ${state._tag}`)),
    Effect.forkScoped({ startImmediately: true })
  )

  yield* Console.log(yield* orders.ask(new Buy({ amount: 3 })))
  yield* Console.log(`refused: ${(yield* Effect.flip(orders.ask(new Buy({ amount: 30 })))).message}`)
  yield* Console.log(`no answer: ${(yield* Effect.flip(orders.ask(new Buy({ amount: -1 })))).message}`)

  // The desk waits 100 ms before it starts afresh. Two orders wait for it, and there is no room for a third.
  const waiting = yield* Effect.forkChild(orders.ask(new Buy({ amount: 4 })), { startImmediately: true })
  yield* orders.tell(new Buy({ amount: 5 }))
  yield* Console.log(`not taken: ${(yield* Effect.flip(orders.tell(new Buy({ amount: 6 })))).message}`)
  yield* Console.log(yield* Fiber.join(waiting))

  yield* Effect.sleep(10)
  yield* Console.log(`filled in all: ${yield* books.ask(new Total())}`)
  yield* orders.stop()
  yield* orders.tell(new Buy({ amount: 7 }))
  const { latest } = yield* DeadLetters.DeadLetters
  for (const { message, reason, to } of yield* latest) {
    yield* Console.log(`dead letter to ${to}: ${message} (${reason})`)
  }
}).pipe(Effect.scoped, Effect.provide([DeadLetters.layer(), Logger.layer([])]))

NodeRuntime.runMain(program)
