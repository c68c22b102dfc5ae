import { assert, describe, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockHyperliquid from "@tickline/testing/MockHyperliquid"
import * as MockVenue from "@tickline/testing/MockVenue"

describe("MockHyperliquid", () => {
  it("follows a thousand channels, of which the prices of all coins are one", () => {
    const atMillis = 1_700_000_000_000
    const [product] = Market.products
    const market = Market.make(product ?? assert.fail("no product"), { seed: 1, atMillis })
    // Any coin is listed here.
    const server = MockHyperliquid.make()
    let session = MockVenue.newSession
    const ask = (method: string, subscription: object, at: number): string => {
      // A minute between them: the limit of messages is another.
      const floor: MockVenue.Floor = { atMillis: atMillis + at * 60_000, market: () => market }
      const answer = server.receive(session, JSON.stringify({ method, subscription }), floor)
      session = answer.session
      return answer.replies[0]?.text ?? ""
    }
    assert.include(ask("subscribe", { type: "allMids" }, 0), "subscriptionResponse")
    for (let n = 1; n < 1000; n++) {
      assert.include(ask("subscribe", { type: "trades", coin: `C${n}` }, n), "subscriptionResponse", String(n))
    }
    assert.strictEqual(
      ask("subscribe", { type: "trades", coin: "ONE" }, 1001),
      "{\"channel\":\"error\",\"data\":\"Cannot subscribe to more than 1000 channels.\"}"
    )
    assert.include(ask("unsubscribe", { type: "trades", coin: "C7" }, 1002), "subscriptionResponse")
    assert.include(ask("subscribe", { type: "trades", coin: "ONE" }, 1003), "subscriptionResponse")
  })
})

describe("MockBinance", () => {
  it("takes ids of up to 36 characters and requests of up to 4,088 bytes", () => {
    const server = MockBinance.make()
    const floor: MockVenue.Floor = { atMillis: 0, market: () => undefined }
    const ask = (request: object): ReadonlyArray<string> =>
      server.receive(MockVenue.newSession, JSON.stringify(request), floor).replies.map(({ text }) => text)
    const listing = (id: unknown) => ask({ method: "LIST_SUBSCRIPTIONS", id })
    for (const id of [null, 0, -7, "", "x".repeat(36)]) {
      assert.deepStrictEqual(listing(id), [JSON.stringify({ result: [], id })])
    }
    for (const id of ["x".repeat(37), 1.5, true, {}]) assert.match(listing(id).join(), /"error"|"code"/)
    const subscribing = (bytes: number) => {
      const empty = JSON.stringify({ method: "SUBSCRIBE", params: ["@trade"], id: 1 }).length
      return ask({ method: "SUBSCRIBE", params: [`${"x".repeat(bytes - empty)}@trade`], id: 1 })
    }
    assert.deepStrictEqual(subscribing(4088), ["{\"result\":null,\"id\":1}"])
    assert.deepStrictEqual(subscribing(4089), [])
  })
})
