/** Breakages of order entry at Hyperliquid. */
import type { Breakage } from "./Breakage.ts"

const msgpack = "packages/core/src/trading/hyperliquid/internal/msgpack.ts"
const signing = "packages/core/src/trading/hyperliquid/HyperliquidSigning.ts"
const ofSigning = "packages/core/test/HyperliquidSigning.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // what is signed
  {
    name: "a number of Hyperliquid's is written in more bytes than it needs",
    file: msgpack,
    original: "value >= 0n ? value < 1n << BigInt(8 * bytes)",
    replacement: "value >= 0n ? bytes === 8",
    test: [ofSigning, "writes each size as the format has it"]
  },
  {
    name: "an action of Hyperliquid's is hashed without its bound in time",
    file: signing,
    original: "[Uint8Array.of(0), Eip712.bigEndian(expiresAfter, 8)]",
    replacement: "[]",
    test: [ofSigning, "a vault and a bound"]
  },
  {
    name: "an action of Hyperliquid's is hashed without its vault",
    file: signing,
    original: "[Uint8Array.of(1), Eip712.bytesOf(vault)]",
    replacement: "[Uint8Array.of(0)]",
    test: [ofSigning, "for a vault"]
  },
  {
    name: "what is signed for Hyperliquid's test network holds on the main one",
    file: signing,
    original: "options.network === \"testnet\" ? \"b\" : \"a\"",
    replacement: "\"a\"",
    test: [ofSigning, "a bound, on the test network"]
  },
  {
    name: "members that are undefined are hashed at Hyperliquid",
    file: msgpack,
    original: "member !== undefined)",
    replacement: "member !== null)",
    test: [ofSigning, "scheduleCancel at no time"]
  }
]
