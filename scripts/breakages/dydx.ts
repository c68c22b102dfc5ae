/** Breakages of dYdX. */
import type { Breakage } from "./Breakage.ts"

const signing = "packages/core/src/trading/dydx/DydxSigning.ts"
const keys = "packages/core/src/trading/dydx/internal/keys.ts"
const protobuf = "packages/core/src/trading/dydx/internal/protobuf.ts"
const ofSigning = "packages/core/test/DydxSigning.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a member that is zero is written to dYdX",
    file: protobuf,
    original: "return whole === 0n ? nothing :",
    replacement: "return whole < 0n ? nothing :",
    test: [ofSigning, "are those that the venue publishes"]
  },
  {
    name: "four bytes are written to dYdX the wrong way round",
    file: protobuf,
    original: "setUint32(0, value, true)",
    replacement: "setUint32(0, value, false)",
    test: [ofSigning, "have every member that is not zero"]
  },
  {
    name: "a varint has seven bits",
    file: protobuf,
    original: "const more = left > 0x7fn",
    replacement: "const more = left > 0xffn",
    test: [ofSigning, "have every member that is not zero"]
  },
  {
    name: "a transaction of dYdX is signed for any account",
    file: signing,
    original: "Protobuf.bytes(3, chainId), Protobuf.uint(4, accountNumber))",
    replacement: "Protobuf.bytes(3, chainId))",
    test: [ofSigning, "is signed by its wallet"]
  },
  {
    name: "the white space of a mnemonic is part of it",
    file: keys,
    original: ".trim().split(/\\s+/)",
    replacement: ".split(\" \")",
    test: [ofSigning, "has the key and the address"]
  },
  {
    name: "a mnemonic may have any number of words",
    file: keys,
    original: "if (!lengths.has(words.length))",
    replacement: "if (words.length === 0)",
    test: [ofSigning, "is not that of another number of words"]
  },
  {
    name: "an order of dYdX has the indexer's id of another",
    file: signing,
    original: "-${clientId}-${clobPairId}-${orderFlags}",
    replacement: "-${clientId}-${orderFlags}-${clobPairId}",
    test: [ofSigning, "is that of its subaccount"]
  }
]
