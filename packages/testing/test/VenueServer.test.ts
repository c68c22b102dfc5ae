/** A venue's side of the conversation, step by step, without any network. */
import { assert, describe, it } from "@effect/vitest"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockDeribit from "@tickline/testing/MockDeribit"
import * as MockKraken from "@tickline/testing/MockKraken"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as VenueServer from "@tickline/testing/VenueServer"

/** A line that keeps what is said on it. */
const makeLine = () => {
  const said: Array<string> = []
  const events: Array<string> = []
  let isOpen = true
  const line: VenueServer.Line = {
    path: "/",
    isOpen: () => isOpen,
    send: ({ text }, isAnswer) => {
      said.push(text)
      events.push(isAnswer ? "answer" : "news")
    },
    close: (code, reason) => void events.push(`close ${code} ${reason}`),
    onTest: () => void events.push("test"),
    onTestAnswered: () => void events.push("answered")
  }
  return {
    line,
    said,
    events,
    end: () => {
      isOpen = false
    }
  }
}

const serve = (venue: MockVenue.MockVenue, options: Partial<VenueServer.Options> = {}) =>
  VenueServer.make({
    venue,
    wallMillis: () => 1_795_219_200_000,
    products: [{ symbol: "BTC/USD", price: "43250.10", size: "0.05" }],
    ...options
  })

const subscribe = (channel: string): string =>
  JSON.stringify({ method: "subscribe", params: { channel, symbol: ["BTC/USD"] } })

describe("VenueServer", () => {
  it("answers, greets a subscription with data, and tells what comes", () => {
    const server = serve(MockKraken.make())
    const { events, line } = makeLine()
    const conversation = server.open(line)
    conversation.receive(subscribe("ticker"))
    conversation.receive(subscribe("book"))
    assert.deepStrictEqual(events, ["answer", "answer", "answer", "answer"])
    assert.deepStrictEqual(server.followed(), ["BTC/USD"])
    assert.strictEqual(server.trade("BTC/USD"), 2)
    assert.deepStrictEqual(events.slice(4), ["news", "news"])
  })

  it("greets no subscription with data where the data comes from elsewhere", () => {
    const server = serve(MockKraken.make(), { answersData: false })
    const { events, line } = makeLine()
    server.open(line).receive(subscribe("ticker"))
    assert.deepStrictEqual(events, ["answer"])
  })

  it("says of a market how many frames a trade made, and of one that it does not list none", () => {
    const server = serve(MockKraken.make())
    assert.strictEqual(server.trade("BTC/USD"), 1)
    assert.strictEqual(server.trade("NO/SUCH"), 0)
    assert.throws(() => server.quote("NO/SUCH", "1", "2"), RangeError, "kraken lists no NO/SUCH")
  })

  it("closes as the venue closes", () => {
    const { events, line } = makeLine()
    const conversation = serve(MockBinance.make()).open(line)
    for (let id = 1; id <= 6; id++) conversation.receive(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id }))
    assert.deepStrictEqual(events, [...Array.from({ length: 5 }, () => "answer"), "close 1008 Too many requests"])
  })

  it("tells of the venue's tests and of their answers, or of none where it has none to make", () => {
    const talk = (options?: Partial<VenueServer.Options>): ReadonlyArray<string> => {
      const { events, line } = makeLine()
      const conversation = serve(MockDeribit.make(), options).open(line)
      conversation.receive(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "public/set_heartbeat", params: { interval: 10 } })
      )
      assert.isTrue(conversation.hasBeats())
      conversation.beat()
      conversation.receive(JSON.stringify({ jsonrpc: "2.0", id: 2, method: "public/test", params: {} }))
      return events
    }
    assert.deepStrictEqual(talk(), ["answer", "news", "test", "news", "answered", "answer"])
    assert.deepStrictEqual(talk({ tests: undefined }), ["answer", "news", "news", "answer"])
  })

  it("forgets a line that is no longer open", () => {
    const server = serve(MockKraken.make())
    const { end, line, said } = makeLine()
    server.open(line).receive(subscribe("ticker"))
    const before = said.length
    end()
    assert.deepStrictEqual(server.followed(), [])
    server.trade("BTC/USD")
    server.price("BTC/USD", "1")
    assert.strictEqual(said.length, before)
  })

  it("keeps what is withheld from everyone, and says of an acknowledgement with data what it may", () => {
    const server = serve(MockKraken.make())
    const { line, said } = makeLine()
    const conversation = server.open(line)
    server.withhold("acknowledgement", true)
    conversation.receive(subscribe("ticker"))
    assert.deepStrictEqual(said.map((text) => text.includes("\"snapshot\"")), [true])
    server.withhold("data", true)
    server.trade("BTC/USD")
    conversation.beat()
    assert.strictEqual(said.length, 2)
    assert.isTrue(server.isWithheld("data"))
    assert.isFalse(server.isWithheld("heartbeat"))
  })
})
