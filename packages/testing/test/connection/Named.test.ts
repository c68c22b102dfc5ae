/**
 * Answers without an id: what each is of, by what it names, in members of its
 * own or in words.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import { type Answer, mentions } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import * as Effect from "effect/Effect"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

/** `trades A` is the channel `trades` of the product A. */
const channelOf = (text: string): Channel.Channel => {
  const [channel = "", product] = text.split(" ")
  return Channel.make(channel, product)
}
const nameOf = ({ channel, product }: Channel.Channel): string => `${channel} ${product ?? ""}`.trim()

const confirmed = (of: { readonly channel?: string; readonly product?: string } = {}): Answer => ({
  _tag: "Confirmed",
  ...of
})
const refused = (
  of: { readonly channel?: string; readonly product?: string; readonly message?: string } = {}
): Answer => ({
  _tag: "Refused",
  ...of,
  names: mentions(of.message ?? "")
})

/**
 * Asks for these, each list in a frame, has the peer answer, and gives where
 * they stand then; and what is asked for besides.
 */
const told = (
  asks: ReadonlyArray<ReadonlyArray<string>>,
  answers: ReadonlyArray<Answer>,
  options: { readonly isShared?: boolean } = {}
) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const connection = yield* Connection.connect<string>(url, {
        decode: (frame) => [String(frame)],
        dialect: {
          subscribe: (channels) => channels.length === 0 ? [] : [channels.map(nameOf).join("+")],
          unsubscribe: () => [],
          answer: (message) => answers[Number(message)],
          answeredAs: (channel) => channel === "level2" ? "level2_50" : channel
        }
      })
      const peer = yield* host.nextPeer
      for (const ask of asks) yield* connection.subscribe(ask.map(channelOf))
      if (options.isShared === true) yield* connection.send("other")
      const before = peer.received.length
      for (const at of answers.keys()) yield* Effect.andThen(peer.send(String(at)), settle)
      const standings = yield* connection[internals].subscriptionStates
      const of = (wanted: string) =>
        standings.flatMap(({ channel, standing }) => standing === wanted ? [nameOf(channel)] : []).join(", ")
      return { confirmed: of("confirmed"), refused: of("refused"), again: peer.received.slice(before).join(", ") }
    }))

const each = [["trades A"], ["trades B"], ["book A"]]

describe("A confirmation", () => {
  const rows: ReadonlyArray<
    readonly [what: string, asks: ReadonlyArray<ReadonlyArray<string>>, answers: ReadonlyArray<Answer>, of: string]
  > = [
    ["of a channel and a product", each, [confirmed({ channel: "trades", product: "A" })], "trades A"],
    ["of a channel", each, [confirmed({ channel: "trades" })], "trades A, trades B"],
    ["of a product", each, [confirmed({ product: "A" })], "trades A, book A"],
    ["of a channel that nobody asked for", each, [confirmed({ channel: "other" })], ""],
    ["of a product that nobody asked for", each, [confirmed({ product: "Z" })], ""],
    ["of a product, for a channel that nobody asked for", each, [confirmed({ channel: "other", product: "A" })], ""],
    ["of nothing by name is of the oldest", each, [confirmed()], "trades A"],
    ["of nothing by name, twice", each, [confirmed(), confirmed()], "trades A, trades B"],
    ["of a channel without a product", [["status"], ["trades A"]], [confirmed({ channel: "status" })], "status"],
    [
      "of a product under another name of the channel",
      [["level2 A"], ["level2 B"]],
      [confirmed({ channel: "level2_50", product: "A" })],
      "level2 A"
    ],
    [
      "of a product under a name that is wanted as such is of no other",
      [["level2_50 A"], ["level2 A"]],
      [confirmed({ channel: "level2_50", product: "A" }), confirmed({ channel: "level2_50", product: "A" })],
      "level2_50 A"
    ],
    [
      "of some of an ask leaves it the oldest",
      [["trades A", "trades B"], ["trades C"]],
      [confirmed({ channel: "trades", product: "A" }), confirmed()],
      "trades A, trades B"
    ],
    [
      "of all of an ask, one by one, ends it",
      [["trades A", "trades B"], ["trades C"], ["trades D"]],
      [
        confirmed({ channel: "trades", product: "A" }),
        confirmed({ channel: "trades", product: "B" }),
        confirmed()
      ],
      "trades A, trades B, trades C"
    ]
  ]
  for (const [what, asks, answers, of] of rows) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* told(asks, answers), { confirmed: of, refused: "", again: "" })
      }))
  }
})

describe("Data that still comes after a giving up", () => {
  it.effect("does not answer it: the next confirmation without a name does", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const [a, b] = [channelOf("trades A"), channelOf("trades B")]
        const ask = (sign: string) => (channels: ReadonlyArray<Channel.Channel>) =>
          channels.map((channel) => ({ text: sign + nameOf(channel), channels: [channel], requestId: undefined }))
        const connection = yield* Connection.connect<string>(url, {
          decode: (frame) => [String(frame)],
          attribute: (frame) => [frame === "data" ? [a] : []],
          dialect: {
            subscribe: ask("+"),
            unsubscribe: ask("-"),
            answer: (message) => message === "ok" ? confirmed() : undefined
          }
        })
        const peer = yield* host.nextPeer
        const says = (text: string) => Effect.andThen(peer.send(text), settle)
        yield* connection.subscribe([a])
        yield* says("data")
        yield* connection.unsubscribe([a])
        yield* connection.subscribe([b])
        assert.deepStrictEqual(peer.received, ["+trades A", "-trades A", "+trades B"])
        for (const [text, standing] of [["data", "asked"], ["ok", "asked"], ["ok", "confirmed"]] as const) {
          yield* says(text)
          assert.deepStrictEqual(yield* connection[internals].subscriptionStates, [{ channel: b, standing }])
        }
      })))
})

describe("A refusal", () => {
  const rows: ReadonlyArray<
    readonly [what: string, asks: ReadonlyArray<ReadonlyArray<string>>, answer: Answer, of: string, again: string]
  > = [
    ["of a channel and a product", each, refused({ channel: "trades", product: "B" }), "trades B", ""],
    ["of a product", each, refused({ product: "B" }), "trades B", ""],
    ["of a product of several channels is of none that is known", each, refused({ product: "A" }), "", ""],
    ["of a channel", each, refused({ channel: "book" }), "book A", ""],
    ["of a channel that nobody asked for", each, refused({ channel: "other" }), "", ""],
    ["of nothing by name is of the oldest", each, refused(), "trades A", ""],
    [
      "of one by words leaves the others of its ask to be asked for again",
      [["trades A", "trades B", "trades C"]],
      refused({ message: "no B" }),
      "trades B",
      "trades A+trades C"
    ],
    [
      "of several by no name leaves each half to be asked for again",
      [["trades A", "trades B", "trades C"]],
      refused(),
      "",
      "trades A+trades B, trades C"
    ],
    ...["B", "B is unknown", "unknown: B", "(B)", "no B, nor C", "neither XB nor BX but B"].map((message) =>
      [`by the words “${message}”`, each, refused({ message }), "trades B", ""] as const
    ),
    ...["BX", "XB", "B1", "1B", "B-X", "X-B", "B/X", "X/B", "B_X", "ÄB", "b", "XB BX"].map((message) =>
      [
        `by the words “${message}”, which do not name it, is of the oldest`,
        each,
        refused({ message }),
        "trades A",
        ""
      ] as const
    )
  ]
  for (const [what, asks, answer, of, again] of rows) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* told(asks, [answer]), { confirmed: "", refused: of, again })
      }))
  }

  it.effect("of what is named is its own, and else nobody's, where somebody else sends, too", () =>
    Effect.gen(function*() {
      const isShared = { isShared: true }
      const none = { confirmed: "", refused: "", again: "" }
      assert.deepStrictEqual(yield* told(each, [refused()], isShared), none)
      assert.deepStrictEqual(yield* told(each, [refused({ message: "no Z" })], isShared), none)
      assert.strictEqual((yield* told(each, [refused({ message: "no B" })], isShared)).refused, "trades B")
      assert.strictEqual((yield* told(each, [refused({ product: "B" })], isShared)).refused, "trades B")
    }))
})
