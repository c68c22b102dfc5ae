import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Frame from "@tickline/core/transport/Frame"
import { Transport } from "@tickline/core/transport/Transport"
import * as Chance from "@tickline/testing/Chance"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as InboxItems from "../../core/src/connection/internal/inboxItems.ts"

// To replay one: TICKLINE_SEED=17 npx -y pnpm@12 test inbox
const replayed = process.env["TICKLINE_SEED"]
const seeds = replayed === undefined ? Array.from({ length: 50 }, (_, i) => i + 1) : [Number(replayed)]
const replay = (seed: number): string => `TICKLINE_SEED=${seed} npx -y pnpm@12 test inbox`

const url = "ws://venue.test/prices"
const inboundBytes = 4_096
const overflows = ["block", "drop-oldest", "conflate", "fail"] as const

/** A message as the wire gave it: which, and of which epoch. */
interface Received {
  readonly id: number
  readonly epoch: number
}

/** What one consumer was shown, in order: messages, and how many it is told to have missed. */
type Shown = Received | { readonly missed: number }

interface Consumer {
  readonly overflow: InboxItems.Overflow
  readonly from: number
  readonly shown: Array<Shown>
  ended: Exit.Exit<void, { readonly _tag: string }> | undefined
}

const idOf = (frame: Frame.Frame): number => Number.parseInt(String(frame), 10)

/** A minute of bursts to consumers of every kind, each at a pace of its own, while links break. */
const play = Effect.fnUntraced(function*(seed: number) {
  const chance = Chance.make(seed).fork("inbox")
  const network = yield* VirtualNetwork.make({ seed, latency: { min: 0, max: chance.integer(30) } })
  const host = yield* network.serve(url)
  const received: Array<Received> = []
  let epochs = 0
  let receivedBytes = 0
  const transport: Transport["Service"] = {
    ...network.transport,
    dial: (request) =>
      Effect.map(network.transport.dial(request), (wire) => {
        const epoch = ++epochs
        return {
          ...wire,
          pull: Effect.map(wire.pull, (frames) => {
            for (const frame of frames) {
              received.push({ id: idOf(frame), epoch })
              receivedBytes += Frame.size(frame)
            }
            return frames
          })
        }
      })
  }
  let sent = 0
  let isSending = true
  const burst = (): void => {
    if (!isSending) return
    const count = chance.happens(0.1) ? 200 : chance.integer(8)
    for (let i = 0; i < count; i++) {
      for (const peer of host.peers()) peer.sendUnsafe(`${++sent} ${"x".repeat(chance.integer(60))}`)
    }
    network.schedule(20 + chance.integer(400), burst)
  }
  network.schedule(100, burst)
  yield* FaultPlan.run(
    network,
    host,
    FaultPlan.random({ seed, within: "1 minute", perHour: 600, kinds: ["Drop", "Drop", "Close", "Refuse", "Latency"] })
  )

  const consumers: Array<Consumer> = []
  yield* Probe.scoped(Effect.gen(function*() {
    const connection = yield* Connection.make(url)
    // Nobody is there yet: what comes is kept for the first.
    const first = chance.happens(0.5)
    if (first) yield* Probe.within(connection.connect)
    for (const overflow of overflows) {
      const consumer: Consumer = { overflow, from: received.length, shown: [], ended: undefined }
      consumers.push(consumer)
      // A consumer that blocks is slow for moments only, or nobody would have anything to miss.
      const [laziness, longest] = overflow === "block" ? [0.01, 10_000] as const : [0.2, 3_000] as const
      const bytes = 500 + chance.integer(4_000)
      // A queue, what one pull brings beyond it and what an ending wire still holds; and as much that it has in hand.
      const bound = 2 * (bytes + 2 * (inboundBytes + 100))
      let takenBytes = receivedBytes
      yield* Stream.runForEach(
        connection.inbound({ overflow, bytes }),
        (item) =>
          Effect.suspend(() => {
            if (item._tag === "Missed") consumer.shown.push({ missed: item.messages })
            if (item._tag === "Batch") {
              const held = receivedBytes - takenBytes
              if (overflow === "block" && held > bound) assert.fail(`${held} bytes wait for a consumer, of ${bound}`)
              takenBytes += item.bytes
              for (const message of item.messages) consumer.shown.push({ id: idOf(message), epoch: item.epoch })
            }
            return chance.happens(laziness) ? Effect.sleep(chance.integer(longest)) : Effect.void
          })
      ).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            consumer.ended = exit
          })
        ),
        Effect.ignore,
        (consuming) => Effect.forkScoped(consuming, { startImmediately: true })
      )
    }
    if (!first) yield* Probe.within(connection.connect)
    yield* TestClock.adjust("1 minute")
    isSending = false
    // All that arrived is taken by those who take their time.
    yield* Effect.forkChild(connection.close())
    yield* TestClock.adjust("1 hour")
    for (const consumer of consumers) judge(consumer, received)
    const { messages, missed } = yield* connection.metrics
    assert.strictEqual(messages, received.length)
    const told = consumers.flatMap(({ shown }) => shown).reduce(
      (sum, item) => "missed" in item ? sum + item.missed : sum,
      0
    )
    assert.strictEqual(missed, told, "the connection's own count of what consumers missed")
  })).pipe(
    Effect.provide(Reconnection.layerWithBreaker({
      ...Presets.test,
      inbound: { bytes: inboundBytes, maxMessageBytes: inboundBytes }
    })),
    Effect.provideService(Transport, transport)
  )
  return { consumers, received }
})

// Who conflates sees what it sees in order, and is told how much else there was; the newest is there.
const judgeConflated = ({ from, shown }: Consumer, received: ReadonlyArray<Received>): void => {
  let at = from
  let missed = 0
  for (const item of shown) {
    if ("missed" in item) {
      missed += item.missed
      continue
    }
    at = 1 + received.findIndex(({ epoch, id }, index) => index >= at && id === item.id && epoch === item.epoch)
    if (at === 0) assert.fail(`conflate: message ${item.id} is not in order`)
  }
  assert.strictEqual(at, received.length, "conflate: the newest is shown")
  const got = shown.filter((item) => !("missed" in item)).length
  assert.strictEqual(got + missed, received.length - from)
}

const judge = (consumer: Consumer, received: ReadonlyArray<Received>): void => {
  const { ended, from, overflow, shown } = consumer
  if (overflow === "conflate") return judgeConflated(consumer, received)
  // Nothing lost in silence: the messages and the misses, each where it stands, are what was received.
  let at = from
  for (const item of shown) {
    if ("missed" in item) {
      at += item.missed
      continue
    }
    const expected = received[at]
    if (item.id !== expected?.id || item.epoch !== expected.epoch) {
      assert.deepStrictEqual(item, expected, `${overflow}: message ${at} of ${received.length}`)
    }
    at++
  }
  const isOver = ended !== undefined && Exit.isFailure(ended)
  if (overflow === "block" || overflow === "fail") assert.isFalse(shown.some((item) => "missed" in item))
  if (isOver) {
    assert.strictEqual(overflow, "fail", Cause.pretty(ended.cause))
    assert.include(Cause.pretty(ended.cause), "consumer overflow")
  } else {
    assert.strictEqual(at, received.length, `${overflow}: all that was received is shown or said to be missed`)
  }
  // No batch of an epoch after one of the next.
  let epoch = 0
  for (const item of shown) {
    if ("missed" in item) continue
    if (item.epoch < epoch) assert.fail(`${overflow}: a message of epoch ${item.epoch} after one of ${epoch}`)
    epoch = item.epoch
  }
}

describe("Inbox, through a wire", () => {
  it.effect(
    `${seeds.length} seeds: delivered and missed is received, in order, whatever the overflow policy`,
    () =>
      Effect.gen(function*() {
        const missed = new Map<InboxItems.Overflow, number>()
        let overflowed = 0
        let epochs = 0
        for (const seed of seeds) {
          const exit = yield* Effect.exit(Effect.scoped(Effect.provide(play(seed), TestClock.layer())))
          if (Exit.isFailure(exit)) assert.fail(`${replay(seed)}\n${Cause.pretty(exit.cause)}`)
          epochs += exit.value.received.at(-1)?.epoch ?? 0
          for (const { ended, overflow, shown } of exit.value.consumers) {
            const count = shown.filter((item) => "missed" in item).length
            missed.set(overflow, (missed.get(overflow) ?? 0) + count)
            if (ended !== undefined && Exit.isFailure(ended)) overflowed++
          }
        }
        if (replayed !== undefined) return
        // There was something to miss, and to fail of, and epochs to mix up.
        assert.isAbove(missed.get("drop-oldest") ?? 0, seeds.length)
        assert.isAbove(missed.get("conflate") ?? 0, seeds.length)
        assert.isAbove(overflowed, seeds.length / 4)
        assert.isAbove(epochs, 2 * seeds.length)
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )
})
