/** Breakages of actors. */
import type { Breakage } from "./Breakage.ts"

const actor = "packages/core/src/actor"
const cell = `${actor}/internal/cell.ts`
const inbound = `${actor}/internal/inbound.ts`
const mailbox = `${actor}/internal/mailbox.ts`
const deadlines = `${actor}/internal/deadlines.ts`
const restarts = `${actor}/internal/restarts.ts`
const spawning = `${actor}/internal/spawning.ts`
const ring = `${actor}/internal/ring.ts`
const letters = `${actor}/DeadLetters.ts`
const entities = `${actor}/Entities.ts`
const tests = "packages/testing/test"
const named = `${tests}/named/Actors.test.ts`
const ofMailboxes = `${tests}/actor/Mailboxes.test.ts`
const ofSupervision = `${tests}/actor/Supervision.test.ts`
const ofShutdown = `${tests}/actor/Shutdown.test.ts`
const ofInterleavings = `${tests}/interleavings/Actors.test.ts`
const ofEntities = "packages/core/test/actor/Entities.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an actor's handler has a copy of the message",
    file: cell,
    original: "return handler(this.value, message, this.seen)",
    replacement: "return handler(this.value, Object.assign(Object.create(message), message), this.seen)",
    test: [named, "Message delivery to actor"]
  },
  {
    name: "an actor's mailbox is left at its newest end",
    file: mailbox,
    original: "this.isFlat ? this.lanes[normal].ring.shift()",
    replacement: "this.isFlat ? this.lanes[normal].ring.pop()",
    test: [named, "Message ordering with queue"]
  },
  {
    name: "an actor handles a message twice",
    file: inbound,
    original: "else return this.inHand = entry",
    replacement: `else {
        if (entry !== undefined && this.told % 97 === 1 && this.dead === 0) mailbox.put(entry, 1)
        return this.inHand = entry
      }`,
    test: [named, "Concurrent message handling"]
  },
  {
    name: "a full mailbox of an actor takes one more",
    file: mailbox,
    original: "return this.size >= this.capacity",
    replacement: "return this.size > this.capacity",
    test: [named, "Backpressure handling"]
  },
  {
    name: "a question to an actor waits for ever",
    file: deadlines,
    original: "if (timed.until < this.due) this.arm(timed.until)",
    replacement: "",
    test: [named, "Message timeouts"]
  },
  {
    name: "a crash of an actor is the end",
    file: restarts,
    original: `(isAnswer(cause) ? "resume" : "restart")`,
    replacement: `(isAnswer(cause) ? "resume" : "stop")`,
    test: [named, "Actor restart recovery"]
  },
  {
    name: "an actor's own error is a crash to whoever asked",
    file: restarts,
    original: `cause.reasons.every(({ _tag }) => _tag === "Fail")`,
    replacement: `cause.reasons.every(({ _tag }) => _tag === "Interrupt")`,
    test: [named, "Error message propagation"]
  },
  {
    name: "an actor is not told of the end of a child",
    file: cell,
    original: "this.onEnded?.(ended, this.isEscalated)",
    replacement: "",
    test: [named, "Actor crash handling"]
  },
  {
    name: "an actor's own messages go nowhere",
    file: cell,
    original: "self: this.address,",
    replacement: `self: { ...this.address, tell: () => Effect.succeed("Queued" as const) },`,
    test: [named, "Cross-actor message passing"]
  },
  {
    name: "an actor's low priority is high",
    file: mailbox,
    original: "{ high: 0, normal: 1, low: 2 }",
    replacement: "{ high: 2, normal: 1, low: 0 }",
    test: [named, "Message priority ordering"]
  },
  {
    name: "two actors have one first state",
    file: cell,
    original: "return snapshots === undefined\n      ? initial\n",
    replacement:
      "return snapshots === undefined\n      ? Effect.map(initial, (value) => Reflect.get(this.parts.behaviour, \"kept\") as State ?? (Object.assign(this.parts.behaviour, { kept: value }), value))\n",
    test: [named, "Actor state isolation"]
  },
  {
    name: "what an actor had acquired is not released",
    file: cell,
    original: "const living = Effect.scopedWith((scope) =>",
    replacement: "const living = Effect.flatMap(Scope.make(), (scope) =>",
    test: [named, "Actor cleanup on shutdown"]
  },
  {
    name: "an actor's handler holds up all others",
    file: cell,
    original: "if (depth >= deepest) return",
    replacement:
      "if (depth > 0 || this.parts.kind.live.size > 150) return void this.fork(Effect.sleep(1)).addObserver(() => this.goOn(Effect.void));\n    if (depth >= deepest) return",
    test: [named, "Concurrent actor operations"]
  },
  {
    name: "the oldest in an actor's mailbox is kept",
    file: mailbox,
    original: `loser === "oldest" ? ring.shift() : ring.pop()`,
    replacement: "ring.pop()",
    test: [named, "Mailbox overflow handling"]
  },
  {
    name: "what an actor's mailbox has no room for is no dead letter",
    file: inbound,
    original: `this.lose(loser ?? entry, "Overflow")`,
    replacement: "",
    test: [named, "Deadletter queue fallback"]
  },
  {
    name: "what was told to an actor and failed is forgotten",
    file: cell,
    original: `else inbound.letter(messageOf(entry), "Failed", cause)`,
    replacement: "",
    test: [named, "Deadletter queue fallback"]
  },
  {
    name: "a message to an actor has no deadline",
    file: inbound,
    original: "entry.until <= now()",
    replacement: "entry.until < 0",
    test: [ofMailboxes, "a question expires while it waits for room"]
  },
  {
    name: "an actor's low priority starves",
    file: mailbox,
    original: "passed >= patience",
    replacement: "passed >= Infinity",
    test: [ofMailboxes, "what lets 32 more urgent ones pass is next"]
  },
  {
    name: "an actor's less urgent messages do not count who passes",
    file: mailbox,
    original: "chosen.passed = 0",
    replacement: "for (const lane of lanes) lane.passed = 0",
    test: [ofMailboxes, "none is passed over for ever"]
  },
  {
    name: "an urgent message does not displace another in an actor's mailbox",
    file: mailbox,
    original: `if (other === rank && loser === "newest") return undefined`,
    replacement: `if (loser === "newest") return undefined`,
    test: [ofMailboxes, "of a full mailbox the least urgent goes"]
  },
  {
    name: "senders to an actor are let in as they came",
    file: inbound,
    original: "this.senders.findLastIndex(({ rank }) => rank <= sender.rank) + 1",
    replacement: "this.senders.length",
    test: [ofMailboxes, "senders that wait for room are let in by their urgency"]
  },
  {
    name: "a sender to an actor that gave up is let in",
    file: inbound,
    original: "if (at >= 0) this.senders.splice(at, 1)",
    replacement: "",
    test: [ofMailboxes, "a sender that gives up while it waits for room"]
  },
  {
    name: "a question to an actor that nobody waits for keeps its place",
    file: inbound,
    original: "this.parts.mailbox.withdraw(envelope)\n    this.withdrawn++\n    this.admit()",
    replacement: "this.withdrawn++",
    test: [ofMailboxes, "a question that nobody waits for any more makes room"]
  },
  {
    name: "an actor waits for itself",
    file: inbound,
    original: "&& fiber !== this.owner",
    replacement: "",
    test: [ofMailboxes, "an actor does not wait for itself"]
  },
  {
    name: "a message without a handler crashes its actor",
    file: cell,
    original: "exit === notUnderstood ? this.refuse(entry) : this.failed(entry, exit.cause)",
    replacement: "this.failed(entry, exit.cause)",
    test: [ofMailboxes, "what has no handler is undeliverable"]
  },
  {
    name: "whoever asked an actor and is displaced waits on",
    file: inbound,
    original: "if (!(entry instanceof Envelope) || entry.settle === undefined) return\n",
    replacement: "return\n",
    test: [ofMailboxes, "whoever asked and is displaced"]
  },
  {
    name: "deadlines of questions to an actor are in the order of the questions",
    file: deadlines,
    original: "last === undefined || last.until <= timed.until",
    replacement: "last === undefined || last.until >= 0",
    test: [ofMailboxes, "many questions with deadlines in any order"]
  },
  {
    name: "actors that tell one another fill the stack",
    file: cell,
    original: "const deepest = 16\n",
    replacement: "const deepest = 16_000\n",
    test: [ofMailboxes, "a message that goes through thousands of actors"]
  },
  {
    name: "an actor's restarts wait the same time each",
    file: restarts,
    original: "const advance = this.advance ??= yield*",
    replacement: "const advance = yield*",
    test: [ofSupervision, "restarts wait 100 ms, doubled"]
  },
  {
    name: "an actor's restarts never wait less again",
    file: restarts,
    original: "if (recent.length === 0) this.advance = undefined",
    replacement: "",
    test: [ofSupervision, "after a time of the intensity without a restart"]
  },
  {
    name: "an actor's restarts count for a millisecond longer",
    file: restarts,
    original: "now - time < this.windowMillis",
    replacement: "now - time <= this.windowMillis",
    test: [ofSupervision, "a restart leaves the window to the millisecond"]
  },
  {
    name: "an actor may be restarted once more",
    file: restarts,
    original: "if (recent.length >= this.most) return undefined",
    replacement: "if (recent.length > this.most) return undefined",
    test: [ofSupervision, "restarts wait 100 ms, doubled"]
  },
  {
    name: "a crash of an actor leaves its new state",
    file: cell,
    original: "inbound.release()\n    if (this.isForced) {",
    replacement: "inbound.release()\n    this.value = undefined as State\n    if (this.isForced) {",
    test: [ofSupervision, "resume goes on with the state as it was"]
  },
  {
    name: "a handler of an actor that throws ends the actor's fiber",
    file: cell,
    original: "return Exit.die(defect)",
    replacement: "throw defect",
    test: [ofSupervision, "what is interrupted from within, and what throws"]
  },
  {
    name: "a decision about an actor that throws is thrown on",
    file: cell,
    original: `return { cause: Cause.die(defect), next: "stop" }`,
    replacement: "return undefined",
    test: [ofSupervision, "a decision that throws ends the actor"]
  },
  {
    name: "a broken backoff leaves an actor without an end",
    file: cell,
    original: `Effect.catchCause((cause) => Effect.sync(() => this.finish({ cause, next: "stop" }))),`,
    replacement: "",
    test: [ofSupervision, "a backoff that is broken ends the actor"]
  },
  {
    name: "an actor that failed to start is started again",
    file: cell,
    original: "this.outcome = this.isForced || isFirst\n",
    replacement: "this.outcome = this.isForced\n",
    test: [ofSupervision, "a first start that fails"]
  },
  {
    name: "an actor is restarted from its first state",
    file: cell,
    original: "onSome: Effect.succeed })",
    replacement: "onSome: () => initial })",
    test: [ofSupervision, "what is persisted is what a restart goes on from"]
  },
  {
    name: "an actor answers before its state is kept",
    file: cell,
    original: "if (Exit.isFailure(kept)) return this.failed(entry, Cause.die(Cause.squash(kept.cause)))",
    replacement: "",
    test: [ofSupervision, "what is persisted is what a restart goes on from"]
  },
  {
    name: "an actor's failure does not reach its parent",
    file: cell,
    original: `this.isEscalated = next === "escalate"`,
    replacement: "this.isEscalated = false",
    test: [ofSupervision, "ends the child, and the parent fails with its cause"]
  },
  {
    name: "too many restarts of an actor do not reach its parent",
    file: cell,
    original: `outcome = { cause, next: "escalate" }`,
    replacement: `outcome = { cause, next: "stop" }`,
    test: [ofSupervision, "is what too many restarts come to"]
  },
  {
    name: "an actor is told of an end twice",
    file: cell,
    original: "if (this.watched.has(other)) return",
    replacement: "",
    test: [ofSupervision, "whoever watches is told of the end, once"]
  },
  {
    name: "a handler of an end that fails is passed over",
    file: cell,
    original: "else this.outcome = this.isForced ? stopped : this.outcomeOf(exit.cause)",
    replacement: "",
    test: [ofSupervision, "a handler of an end that fails has crashed"]
  },
  {
    name: "an actor that drains takes more",
    file: inbound,
    original: "this.isClosed = true",
    replacement: "this.isClosed = false",
    test: [ofShutdown, "drain handles what waits, and takes nothing more"]
  },
  {
    name: "an actor that is to drop drains",
    file: cell,
    original: `if (mode === "drop") this.inbound.discard()`,
    replacement: "",
    test: [ofShutdown, "drop waits for what is in hand alone"]
  },
  {
    name: "an actor that is not done in time is waited for",
    file: cell,
    original: "this.fiber?.interruptUnsafe()",
    replacement: "",
    test: [ofShutdown, "what is not done in time is interrupted"]
  },
  {
    name: "a second stop of an actor changes nothing",
    file: cell,
    original: `if (this.stopping !== "drop") this.stopping = mode`,
    replacement: "if (this.stopping !== undefined) return Effect.asVoid(this.ended)\n      this.stopping = mode",
    test: [ofShutdown, "a drain becomes a drop by a second stop"]
  },
  {
    name: "an actor's scope does not end it",
    file: spawning,
    original: "yield* Scope.addFinalizer(scope, cell.stop(modeOf(shutdown), stopWithin))",
    replacement: "",
    test: [ofShutdown, "the end of its scope drains it within 5 s"]
  },
  {
    name: "an actor that waits to be restarted stops after the wait",
    file: cell,
    original: "this.hurry?.()",
    replacement: "",
    test: [ofShutdown, "one that waits to be restarted stops at once"]
  },
  {
    name: "an actor that stops itself waits for itself",
    file: cell,
    original: "return fiber === this.fiber ? Effect.void : Effect.asVoid(this.ended)",
    replacement: "return Effect.asVoid(this.ended)",
    test: [ofShutdown, "one that stops itself does not wait for itself"]
  },
  {
    name: "an actor whose spawn is interrupted lives on",
    file: spawning,
    original: "yield* Effect.onInterrupt(restore(started), () => Scope.close(scope, Exit.void))",
    replacement: "yield* restore(started)",
    test: [ofShutdown, "a spawn that is interrupted"]
  },
  {
    name: "an actor's states begin with the next",
    file: `${actor}/Actor.ts`,
    original: "cell.changes.stream(() => [cell.current])",
    replacement: "cell.changes.stream(() => [])",
    test: [ofShutdown, "its states are seen from the current one to the last"]
  },
  {
    name: "an actor's numbers go with it",
    file: `${actor}/internal/actorMetrics.ts`,
    original: "this.handled += counted.handled",
    replacement: "",
    test: [ofShutdown, "its numbers are in the metrics"]
  },
  {
    name: "an actor that has ended stays in its scope",
    file: cell,
    original: "Effect.andThen(release),",
    replacement: "",
    test: [ofShutdown, "ten thousand that have ended leave nothing"]
  },
  {
    name: "an actor that has ended leaves its timer",
    file: deadlines,
    original: "this.timer?.interruptUnsafe()\n    this.timer = undefined\n    this.due = Infinity\n  }",
    replacement: "}",
    test: [ofShutdown, "ten thousand that have ended leave nothing"]
  },
  {
    name: "an actor does not look again before it rests",
    file: cell,
    original:
      "if (this.inbound.waiting > 0 || this.signals.length > 0 || this.stopping !== undefined) resume(Effect.void)",
    replacement: "if (this.stopping !== undefined) resume(Effect.void)",
    test: [ofInterleavings, "An actor that is about to rest"]
  },
  {
    name: "a sender to an actor waits for room that there is",
    file: inbound,
    original: "if (!this.hasToWait(fiber)) return resume(this.send(entry, rank))",
    replacement: "",
    test: [ofInterleavings, "An actor that is about to rest"]
  },
  {
    name: "a queue of an actor that has grown is out of order",
    file: ring,
    original: "grown[i] = items[(head + i) & (items.length - 1)]",
    replacement: "grown[i] = items[i]",
    test: [named, "Backpressure handling"]
  },
  {
    name: "the latest dead letters are the first",
    file: letters,
    original: "if (kept.size >= capacity) kept.shift()",
    replacement: "if (kept.size >= capacity) kept.pop()",
    test: [named, "Deadletter queue fallback"]
  },
  {
    name: "an entity does not know its deadline",
    file: entities,
    original: "deadline: deadline === undefined ? undefined : Number(deadline)",
    replacement: "deadline: undefined",
    test: [ofEntities, "an entity of the same behaviour answers the same"]
  },
  {
    name: "an entity does not know how urgent a message is",
    file: entities,
    original: "priority: isPriority(priority) ? priority : undefined,",
    replacement: "priority: undefined,",
    test: [ofEntities, "an entity of the same behaviour answers the same"]
  },
  {
    name: "an entity that has stopped stays so",
    file: entities,
    original: `if (cell.current._tag === "Stopped") cell = yield* spawn`,
    replacement: "",
    test: [ofEntities, "an entity that has stopped for good starts afresh"]
  },
  {
    name: "an entity has messages without a Schema",
    file: entities,
    original: "return without.length > 0\n",
    replacement: "return without.length > 99\n",
    test: [ofEntities, "what cannot be an entity is refused"]
  },
  {
    name: "an entity forgets without having been told that it may",
    file: entities,
    original: "behaviour.snapshots === undefined && !isVolatile",
    replacement: "behaviour.snapshots === undefined && isVolatile",
    test: [ofEntities, "what cannot be an entity is refused"]
  },
  {
    name: "what a cluster does not take fails as its own error",
    file: entities,
    original: "isOfCluster(error) ?",
    replacement: "isOfCluster(undefined) ?",
    test: [ofEntities, "what the cluster does not take says so"]
  }
]
