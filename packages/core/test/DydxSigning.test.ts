/** What dYdX's chain is asked to do, against bytes and keys that its own clients' tests publish. */
import { assert, describe, it } from "@effect/vitest"
import * as DydxSigning from "@tickline/core/trading/dydx/DydxSigning"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"

const mnemonic = "mirror actor skill push coach wait confirm orchard lunch mobile athlete gossip awake miracle " +
  "matter bus reopen team ladder lazy list timber render wait"

const wallet = Result.getOrThrow(DydxSigning.wallet(Redacted.make(mnemonic)))
const owner = "dydx14zzueazeh0hj67cghhf9jypslcf9sh2n5k6art"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const reference = Path.join(
  process.env["TICKLINE_REFERENCE"] ?? Path.join(import.meta.dirname, "../../../../shared/reference"),
  "dydx-orders.json"
)
const published: {
  readonly orderId: DydxSigning.OrderId
  readonly place: {
    readonly side: 1 | 2
    readonly quantums: string
    readonly subticks: string
    readonly goodTilBlockTime: number
    readonly timeInForce: 0 | 1 | 2
    readonly reduceOnly: boolean
    readonly hex: string
  }
  readonly cancel: { readonly goodTilBlockTime: number; readonly hex: string }
} | undefined = Fs.existsSync(reference) ? JSON.parse(Fs.readFileSync(reference, "utf8")) : undefined

describe("a wallet", () => {
  it("has the key and the address of its mnemonic", () => {
    assert.strictEqual(hex(wallet.publicKey), "03f0be763f781b5b59ebc37d721beda913148a539425baa720b97d4820f652ed75")
    assert.strictEqual(wallet.address, owner)
    const other = "movie yard still copper exile wear brisk chest ride dizzy novel future menu finish " +
      "radar lunar claim hub middle force turtle mouse frequent embark"
    const second = DydxSigning.wallet(Redacted.make(` ${other.replaceAll(" ", "\n")} `))
    assert.strictEqual(Result.getOrThrow(second).address, "dydx18sukah44zfkjndlhcdmhkjnarl2sevhwf894vh")
  })

  it("is not that of another number of words, and the refusal shows none of them", () => {
    const refused = DydxSigning.wallet(Redacted.make("mirror actor"))
    assert.isTrue(Result.isFailure(refused))
    if (Result.isFailure(refused)) {
      assert.match(refused.failure.message, /it has 2 words: expected a mnemonic of 12, 15/)
      assert.notInclude(refused.failure.message, "mirror")
    }
  })
})

describe("messages", () => {
  const name = "are those that the venue publishes"
  const why = " (skipped: they are neither in TICKLINE_REFERENCE nor in ../shared/reference)"
  it.skipIf(published === undefined)(published === undefined ? name + why : name, () => {
    if (published === undefined) return
    const { cancel, orderId, place } = published
    const { hex: expected, quantums, subticks, ...order } = place
    // The last member is what that client says of itself.
    const message = DydxSigning.placing({
      ...order,
      orderId,
      quantums: BigInt(quantums),
      subticks: BigInt(subticks),
      clientMetadata: 2
    })
    assert.strictEqual(hex(message.value), expected)
    const { goodTilBlockTime } = cancel
    assert.strictEqual(hex(DydxSigning.cancelling({ orderId, goodTilBlockTime }).value), cancel.hex)
  })

  it("have every member that is not zero, in the order of their numbers", () => {
    const { typeUrl, value } = DydxSigning.placing({
      orderId: { owner: "a", subaccountNumber: 1, clientId: 0x0403_0201, orderFlags: 64, clobPairId: 300 },
      side: 2,
      quantums: 1n,
      subticks: (1n << 64n) - 1n,
      goodTilBlock: 128,
      timeInForce: 1,
      reduceOnly: true,
      clientMetadata: 1
    })
    assert.strictEqual(typeUrl, "/dydxprotocol.clob.MsgPlaceOrder")
    assert.strictEqual(
      hex(value),
      "0a2b 0a11 0a05 0a0161 1001 1501020304 1840 20ac02 1002 1801 20ffffffffffffffffff01 288001 3801 4001 4801"
        .replaceAll(" ", "")
    )
  })
})

describe("what is zero", () => {
  it("is not written", () => {
    const orderId = { owner: "a", subaccountNumber: 0, clientId: 0, orderFlags: 0, clobPairId: 0 }
    assert.strictEqual(hex(DydxSigning.cancelling({ orderId, goodTilBlock: 1 }).value), "0a050a030a01611001")
  })
})

describe("a transaction", () => {
  const message = DydxSigning.cancelling({
    orderId: { owner, subaccountNumber: 0, clientId: 7, orderFlags: 0, clobPairId: 0 },
    goodTilBlock: 1_010
  })
  const terms = { chainId: "dydx-testnet-4", accountNumber: 33n, sequence: 2n, timeoutHeight: 1_010 }

  it("is signed by its wallet for its chain, its account and nothing else", () => {
    const signed = DydxSigning.sign(wallet, message, terms)
    assert.deepStrictEqual(DydxSigning.sign(wallet, message, terms), signed)
    const signature = signed.slice(-64)
    // The document: the parts of the transaction, the chain and the account's number.
    const parts = signed.slice(0, -66)
    const document = Buffer.concat([
      parts,
      Buffer.from([0x1a, terms.chainId.length]),
      Buffer.from(terms.chainId),
      Buffer.from([0x20, 33])
    ])
    const key = Crypto.createPublicKey({
      key: Buffer.concat([Buffer.from("3036301006072a8648ce3d020106052b8104000a032200", "hex"), wallet.publicKey]),
      format: "der",
      type: "spki"
    })
    const verify = (document: Buffer) =>
      Crypto.verify("sha256", document, { key, dsaEncoding: "ieee-p1363" }, signature)
    assert.isTrue(verify(document))
    assert.isFalse(verify(Buffer.concat([document, Buffer.from([0])])))
  })
})

describe("the indexer's id of an order", () => {
  it("is that of its subaccount, client id, pair and flags", () => {
    assert.match(
      DydxSigning.indexerId({ owner, subaccountNumber: 0, clientId: 1_964_904_710, orderFlags: 0, clobPairId: 1 }),
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    )
    assert.strictEqual(
      DydxSigning.indexerId({ owner, subaccountNumber: 0, clientId: 1_964_904_710, orderFlags: 0, clobPairId: 1 }),
      "5a1c10aa-66bb-5cf2-a106-32d6470eb43e"
    )
  })
})

describe("a client id", () => {
  it("is itself if it is a number that the chain has, otherwise the first bytes of its hash", () => {
    assert.strictEqual(DydxSigning.clientNumber("0"), 0)
    assert.strictEqual(DydxSigning.clientNumber("4294967295"), 4_294_967_295)
    for (const text of ["4294967296", "007", "mine", "0x0123456789abcdef0123456789abcdef"]) {
      const digest = Crypto.createHash("sha256").update(text).digest()
      assert.strictEqual(DydxSigning.clientNumber(text), digest.readUInt32BE(0))
    }
  })
})
