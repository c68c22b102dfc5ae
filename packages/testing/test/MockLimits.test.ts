import { assert, describe, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
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
