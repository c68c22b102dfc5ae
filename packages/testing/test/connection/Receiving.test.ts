/** What one pull of a wire comes to: batches, rejections and gaps, in order, and what is counted of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Connection from "@tickline/core/connection/Connection"
import * as Channel from "@tickline/core/value/Channel"
import * as Effect from "effect/Effect"
import { policyWith, record, settle, url, withVenue } from "../Rig.ts"

/** A frame holds numbers, divided by commas, or none of them, or is `bad`. */
const decode = (frame: string | Uint8Array) =>
  frame === "bad"
    ? new Rejection.FrameRejected({ venue: "test", reason: "MalformedJson", message: "bad" })
    : String(frame).split(",").filter((text) => text !== "none")

const channelOf = (message: string): ReadonlyArray<Channel.Channel> => [Channel.make(`c${message}`)]

// As a feed's router does: that of a frame with one message is the same array each time.
const attribute = () => {
  const single: Array<ReadonlyArray<Channel.Channel>> = []
  return (_: string | Uint8Array, messages: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<Channel.Channel>> => {
    const [first] = messages
    if (messages.length !== 1 || first === undefined) return messages.map(channelOf)
    single[0] = channelOf(first)
    return single
  }
}

/** What a consumer is told of these pulls, each of some frames. */
const received = (...pulls: ReadonlyArray<ReadonlyArray<string>>) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const observed: Array<string> = []
      const connection = yield* Connection.make<string>(url, {
        decode,
        sequence: (message) => /^\d+$/.test(message) ? BigInt(message) : undefined,
        attribute: attribute(),
        observers: [{
          name: "observed",
          attach: () => ({
            batch: ({ channels, messages }) => {
              observed.push(`${messages.join()} ${channels?.flat().map(({ channel }) => channel).join()}`)
            },
            ended: () => {}
          })
        }]
      })
      const { items } = yield* record(connection)
      yield* connection.connect
      const peer = yield* host.nextPeer
      for (const frames of pulls) yield* Effect.andThen(peer.send(...frames), settle)
      const { bytes, frames, messages, rejections, sequence } = yield* connection.metrics
      const told = items.flatMap((item) => {
        switch (item._tag) {
          case "Batch":
            assert.deepStrictEqual(item.channels, item.messages.map(channelOf))
            return [`${item.messages.join()} of ${item.bytes}`]
          case "Rejected":
            return [`rejected of ${item.bytes}`]
          case "SequenceGap":
            return [`gap from ${item.from} to ${item.to}: ${item.missing}`]
          default:
            return []
        }
      })
      return { told, observed, metrics: { bytes, frames, messages, rejections, sequence } }
    }))

describe("A pull", () => {
  it.effect("of several frames is one batch, and two around one that cannot be read", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* received(["1", "2,3"], ["4", "x", "bad", "5,6", "7"], ["bad"], ["8"]), {
        told: ["1,2,3 of 4", "4 of 1", "x of 1", "rejected of 3", "5,6,7 of 4", "rejected of 3", "8 of 1"],
        observed: ["1,2,3 c1,c2,c3", "4 c4", "x cx", "5,6,7 c5,c6,c7", "8 c8"],
        metrics: {
          bytes: 17,
          frames: 9,
          messages: 9,
          rejections: { MalformedJson: 2 },
          sequence: { gaps: 0, missing: 0n, violations: 0 }
        }
      })
    }))

  it.effect("without messages is none, and counts what came", () =>
    Effect.gen(function*() {
      const { metrics, observed, told } = yield* received(["none"], ["none", "none"])
      assert.deepStrictEqual({ observed, told }, { observed: [], told: [] })
      assert.deepInclude(metrics, { bytes: 12, frames: 3, messages: 0 })
    }))

  it.effect("tells a gap before the batch that has it; a number that goes back is counted and passed over", () =>
    Effect.gen(function*() {
      const { metrics, told } = yield* received(["1", "x", "4"], ["2"], ["5"], ["9,9,10"])
      assert.deepStrictEqual(told, [
        "gap from 1 to 4: 2",
        "1,x,4 of 3",
        "2 of 1",
        "5 of 1",
        "gap from 5 to 9: 3",
        "9,9,10 of 6"
      ])
      assert.deepStrictEqual(metrics.sequence, { gaps: 2, missing: 5n, violations: 1 })
    }))
})
