import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Chance from "@tickline/testing/Chance"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as Outboxes from "../../core/src/connection/internal/outbox.ts"

// To replay one: TICKLINE_SEED=17 npx -y pnpm@12 test outbox
const replayed = process.env["TICKLINE_SEED"]
const seeds = replayed === undefined ? Array.from({ length: 60 }, (_, i) => i + 1) : [Number(replayed)]
const replay = (seed: number): string => `TICKLINE_SEED=${seed} npx -y pnpm@12 test outbox`

const url = "ws://venue.test/orders"

/** What became of one send, as its caller saw it. */
type Outcome =
  | { readonly _tag: "Sent"; readonly epoch: number }
  | { readonly _tag: "Kept" | "NotSent" | "OutboxFull" | "Interrupted" }

interface Message {
  readonly id: number
  readonly delivery: "now" | "keep"
  /** The connection's epoch when `send` was called, 0 where it was not up. */
  readonly epoch: number
  outcome: Outcome | undefined
}

const policyOf = (chance: Chance.Chance): ConnectionPolicy.ConnectionPolicy => ({
  ...Presets.test,
  heartbeat: { interval: Duration.seconds(2), timeout: Duration.seconds(1), onMiss: "close" },
  buffer: { messages: 5 + chance.integer(30), bytes: 100_000 + chance.integer(3_000_000) }
})

/** Thirty seconds of sends of both kinds, some given up by their caller, while everything goes wrong. */
const play = Effect.fnUntraced(function*(seed: number) {
  const chance = Chance.make(seed).fork("outbox")
  const network = yield* VirtualNetwork.make({ seed, latency: { min: 0, max: chance.integer(40) } })
  const host = yield* network.serve(url)
  const arrived: Array<{ readonly connection: number; readonly id: number }> = []
  yield* host.onOpen((peer) =>
    peer.onMessage((frame) => void arrived.push({ connection: peer.id, id: Number.parseInt(String(frame), 10) }))
  )
  yield* FaultPlan.run(
    network,
    host,
    FaultPlan.random({
      seed,
      within: "30 seconds",
      perHour: 3_600,
      kinds: ["Drop", "Drop", "Close", "Refuse", "Freeze", "StopReading", "StopReading", "Latency", "Silent"]
    }).map((fault) => ({
      ...fault,
      // Of the length of an epoch here, not of a venue's.
      action: "forMillis" in fault.action
        ? { ...fault.action, forMillis: Math.min(fault.action.forMillis, 200 + chance.integer(2_500)) }
        : fault.action
    }))
  )
  // What the outbox hands to a wire, as against what the server gets.
  const written: Array<{ readonly connection: number; readonly id: number }> = []
  let dials = 0
  const transport: Transport["Service"] = {
    ...network.transport,
    dial: (request) =>
      Effect.map(network.transport.dial(request), (wire) => {
        const connection = ++dials
        return {
          ...wire,
          write: (frame) => {
            const isTaken = wire.write(frame)
            if (isTaken) written.push({ connection, id: Number.parseInt(String(frame), 10) })
            return isTaken
          }
        }
      })
  }
  const messages: Array<Message> = []
  const policy = policyOf(chance)
  yield* Probe.scoped(Effect.gen(function*() {
    const connection = yield* Probe.within(Connection.connect(url))
    const scope = yield* Effect.scope
    const send = Effect.fnUntraced(function*(delivery: Message["delivery"]) {
      const current = yield* connection.state.current
      const id = messages.length + 1
      const message: Message = {
        id,
        delivery,
        epoch: current._tag === "Connected" ? current.epoch : 0,
        outcome: undefined
      }
      messages.push(message)
      // Large ones fill the socket's buffer, so that those behind them wait.
      const text = `${id} ${"x".repeat(chance.happens(0.1) ? chance.integer(600_000) : chance.integer(40))}`
      return yield* connection.send(text, { delivery }).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            assert.isUndefined(message.outcome)
            message.outcome = Exit.isSuccess(exit)
              ? exit.value
              : { _tag: Cause.hasInterruptsOnly(exit.cause) ? "Interrupted" : refusalOf(exit.cause) }
          })
        ),
        Effect.ignore,
        Effect.forkIn(scope, { startImmediately: true })
      )
    })
    // One who is told that the connection is up and sends at once, before the backlog is written.
    yield* Effect.forkScoped(
      Stream.runForEach(
        connection.state.transitions,
        ({ to }) => to._tag === "Connected" ? Effect.andThen(send("now"), send("keep")) : Effect.void
      ),
      { startImmediately: true }
    )
    for (let turn = 1; turn <= 250; turn++) {
      const fiber = yield* send(chance.happens(0.5) ? "now" : "keep")
      if (chance.happens(0.15)) {
        const patience = chance.integer(400)
        yield* Effect.forkScoped(Effect.andThen(Effect.sleep(patience), Fiber.interrupt(fiber)))
      }
      if (chance.happens(0.6)) yield* TestClock.adjust(chance.integer(250))
    }
    // The faults end; all that is kept is written on the epoch that is up then.
    yield* TestClock.adjust("2 minutes")
    yield* Probe.state(connection, "Connected")
    yield* TestClock.adjust("5 seconds")
    const { outbox: account } = yield* connection.metrics
    judge(messages, written, account)
    // The server got some of it, in order; the last connection, which still is up, got all that was written on it.
    for (let connection = 1; connection <= dials; connection++) {
      const got = arrived.filter((each) => each.connection === connection)
      const given = written.filter((each) => each.connection === connection)
      assert.deepStrictEqual(got, connection === dials ? given : given.slice(0, got.length))
    }
  })).pipe(
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.provideService(Transport, transport)
  )
  return { messages, arrived }
})

const refusalOf = (cause: Cause.Cause<{ readonly _tag: string }>): "NotSent" | "OutboxFull" => {
  const tag = cause.reasons.find(Cause.isFailReason)?.error._tag
  if (tag !== "NotSent" && tag !== "OutboxFull") throw new Error(Cause.pretty(cause))
  return tag
}

const judge = (
  messages: ReadonlyArray<Message>,
  written: ReadonlyArray<{ readonly connection: number; readonly id: number }>,
  account: Outboxes.OutboxCounts
): void => {
  const of = (tag: Outcome["_tag"], delivery?: Message["delivery"]): ReadonlyArray<Message> =>
    messages.filter(({ delivery: mode, outcome }) =>
      outcome?._tag === tag && (delivery === undefined || mode === delivery)
    )

  // Every send ends in exactly one outcome (that there is no second is asserted where it is noted).
  assert.deepStrictEqual(messages.filter(({ outcome }) => outcome === undefined).map(({ id }) => id), [])

  // Each `keep` that was accepted and each `now` that was sent is written, once; nothing else ever is.
  const ids = written.map(({ id }) => id)
  const accepted = [...of("Sent"), ...of("Kept")].map(({ id }) => id)
  assert.deepStrictEqual(ids.toSorted((a, b) => a - b), accepted.toSorted((a, b) => a - b))

  // In the order in which they were sent, on each epoch and across them.
  assert.deepStrictEqual(ids, ids.toSorted((a, b) => a - b), "out of order")

  // A `now` message is written on the epoch that was up when it was sent, or never.
  const byId = new Map(messages.map((message) => [message.id, message]))
  for (const { connection, id } of written) {
    const message = byId.get(id)
    if (message?.outcome?._tag === "Sent") assert.strictEqual(message.outcome.epoch, connection)
    if (message?.delivery === "now") assert.strictEqual(connection, message.epoch, `message ${id}`)
  }

  // The account balances, and is the callers' own.
  const [sent, kept] = [of("Sent"), of("Kept")]
  assert.strictEqual(account.waiting, 0)
  assert.strictEqual(account.waitingBytes, 0)
  assert.strictEqual(account.sent, sent.length + kept.length)
  assert.strictEqual(account.unsent, of("NotSent").length)
  assert.strictEqual(account.refused, of("OutboxFull").length)
  assert.strictEqual(account.withdrawn, of("Interrupted").length)
  assert.strictEqual(messages.length, account.sent + account.unsent + account.refused + account.withdrawn)
}

describe("Outbox, through a wire", () => {
  it.effect(
    `${seeds.length} seeds: keep once and in order, now on its epoch or never, one outcome each`,
    () =>
      Effect.gen(function*() {
        const seen = { Sent: 0, Kept: 0, NotSent: 0, OutboxFull: 0, Interrupted: 0, arrived: 0 }
        for (const seed of seeds) {
          const exit = yield* Effect.exit(Effect.scoped(Effect.provide(play(seed), TestClock.layer())))
          if (Exit.isFailure(exit)) assert.fail(`${replay(seed)}\n${Cause.pretty(exit.cause)}`)
          for (const { outcome } of exit.value.messages) if (outcome !== undefined) seen[outcome._tag]++
          seen.arrived += exit.value.arrived.length
        }
        // Each outcome was had often.
        if (replayed === undefined) {
          for (const [name, times] of Object.entries(seen)) assert.isAbove(times, seeds.length / 4, name)
        }
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )

  it.effect("a server that cuts the connection from within a backlog: the rest goes to the next, once", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const host = yield* network.serve(url)
      const arrived: Array<[connection: number, message: string]> = []
      yield* host.onOpen((peer) =>
        peer.onMessage((frame) => {
          arrived.push([peer.id, String(frame)])
          if (peer.id === 2 && frame === "keep 2") Effect.runSync(peer.drop)
        })
      )
      const connection = yield* Probe.within(Connection.connect(url))
      yield* host.drop
      for (const id of [1, 2, 3, 4]) yield* connection.send(`keep ${id}`, { delivery: "keep" })
      yield* Probe.until(Effect.sync(() => host.dials.length === 3))
      yield* Probe.state(connection, "Connected")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived, [[2, "keep 1"], [2, "keep 2"], [3, "keep 3"], [3, "keep 4"]])
      const { outbox } = yield* connection.metrics
      assert.deepInclude(outbox, { waiting: 0, waitingBytes: 0, sent: 4, unsent: 0 })
    })).pipe(Effect.provide(Probe.layer())))
})
