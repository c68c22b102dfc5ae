/** The mock of dYdX as a node of the chain: what it takes, and what it refuses. */
import { assert, describe, it } from "@effect/vitest"
import * as DydxSigning from "@tickline/core/trading/dydx/DydxSigning"
import * as MockDydxExchange from "@tickline/testing/MockDydxExchange"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { textOf } from "../../src/venue/Listing.ts"
import * as VenueServer from "../../src/venue/VenueServer.ts"

const at = 1_795_219_200_000
const height = at / 1_000
const wallet = Result.getOrThrow(DydxSigning.wallet(Redacted.make(MockDydxExchange.mnemonic)))
const anothers = "movie yard still copper exile wear brisk chest ride dizzy novel future menu finish " +
  "radar lunar claim hub middle force turtle mouse frequent embark"
const other = Result.getOrThrow(DydxSigning.wallet(Redacted.make(anothers)))

const orderId = { owner: wallet.address, subaccountNumber: 0, clientId: 7, orderFlags: 64, clobPairId: 0 }
const order: DydxSigning.Order = {
  orderId,
  side: 1,
  quantums: 1_000_000n * 100n,
  subticks: 100_000n * 4_000_000n,
  goodTilBlockTime: height + 3_600
}
const shortTerm = (more: { readonly goodTilBlock: number }) => ({
  orderId: { ...orderId, orderFlags: 0 },
  side: 1 as const,
  quantums: order.quantums,
  subticks: order.subticks,
  timeInForce: 1 as const,
  ...more
})

const terms = { chainId: "dydx-mainnet-1", accountNumber: 1n, sequence: 0n }

const setUp = () => {
  const exchange = MockDydxExchange.make()
  const server = VenueServer.make({
    venue: exchange.venue,
    products: [{ symbol: "BTC-USD", price: "43250.10", size: "0.0500" }],
    seed: 1,
    wallMillis: () => at
  })
  const broadcast = (transaction: Uint8Array, members: object = {}) => {
    const body = JSON.stringify({
      tx_bytes: Buffer.from(transaction).toString("base64"),
      mode: "BROADCAST_MODE_SYNC",
      ...members
    })
    let said = ""
    const path = "/cosmos/tx/v1beta1/txs"
    server.ask({ method: "POST", target: path, path, query: new Map(), headers: {}, body }, {
      answer: (answer) => {
        const text = textOf(answer)
        const response: { readonly tx_response?: { readonly code: number; readonly raw_log: string } } = JSON.parse(
          text
        )
        said = response.tx_response === undefined
          ? `${answer.status}`
          : `${response.tx_response.code} ${response.tx_response.raw_log}`.trim()
      },
      drop: () => {}
    })
    return said
  }
  return { exchange, broadcast }
}

describe("a transaction", () => {
  it("is of the order's owner, and signed for the chain and the account's number", () => {
    const { broadcast } = setUp()
    const message = DydxSigning.placing(order)
    for (
      const [signer, changed] of [
        [wallet, { chainId: "dydx-testnet-4" }],
        [wallet, { accountNumber: 2n }],
        [other, {}]
      ] as const
    ) {
      assert.match(broadcast(DydxSigning.sign(signer, message, { ...terms, ...changed })), /^4 signature verification/)
    }
    const strange = DydxSigning.placing({ ...order, orderId: { ...orderId, owner: other.address } })
    assert.match(broadcast(DydxSigning.sign(other, strange, terms)), /^9 account .* does not exist/)
    const signed = DydxSigning.sign(wallet, message, terms)
    const altered = Uint8Array.from(signed)
    altered[signed.length - 1] = (signed[signed.length - 1] ?? 0) ^ 1
    assert.match(broadcast(altered), /^4 /)
    assert.strictEqual(broadcast(signed), "0")
    // Its sequence is used up.
    assert.match(broadcast(signed), /^32 account sequence mismatch, expected 1, got 0/)
  })

  it("is in time, and can be read", () => {
    const { broadcast } = setUp()
    const message = DydxSigning.placing(order)
    assert.match(broadcast(DydxSigning.sign(wallet, message, { ...terms, timeoutHeight: height - 1 })), /^30 /)
    assert.strictEqual(broadcast(Uint8Array.of(10, 200, 1)), "400")
    assert.strictEqual(broadcast(DydxSigning.sign(wallet, message, terms), { mode: "BROADCAST_MODE_BLOCK" }), "400")
  })
})

describe("an order", () => {
  const refuses = (changed: object, log: RegExp) => {
    const { broadcast } = setUp()
    const message = DydxSigning.placing({ ...order, ...changed } as DydxSigning.Order)
    assert.match(broadcast(DydxSigning.sign(wallet, message, terms)), log)
  }

  it("is of whole steps and ticks, in a market that there is", () => {
    refuses({ quantums: 1_500_000n }, /StepBaseQuantums/)
    refuses({ subticks: 150_000n }, /SubticksPerTick/)
    refuses({ orderId: { ...orderId, clobPairId: 9 } }, /Invalid clob pair id 9/)
  })

  it("that rests is neither ioc nor reduce-only, and one that does not is of the next twenty blocks", () => {
    refuses({ timeInForce: 1 }, /cannot require immediate execution/)
    refuses({ reduceOnly: true }, /only supported for IOC/)
    refuses({ goodTilBlockTime: height - 1 }, /in the past/)
    const { broadcast } = setUp()
    const place = (goodTilBlock: number) =>
      broadcast(DydxSigning.sign(wallet, DydxSigning.placing(shortTerm({ goodTilBlock })), terms))
    assert.match(place(height + 21), /exceeds the current blockHeight plus 20/)
    assert.match(place(height - 1), /in the past/)
    assert.strictEqual(place(height + 20), "0")
  })
})
