/** Breakages of Coinbase Advanced Trade: its tokens, its order entry, and its mock. */
import type { Breakage } from "./Breakage.ts"

const jwt = "packages/core/src/session/CoinbaseJwt.ts"
const signer = "packages/core/src/session/Signer.ts"
const ofJwt = "packages/core/test/CoinbaseJwt.test.ts"
const http = "packages/testing/src/exchange/internal/httpExchange.ts"
const ofHttp = "packages/testing/test/exchange/HttpExchange.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a token of Coinbase signs the query as well",
    file: jwt,
    original: "path.replace(/\\?.*$/, \"\")",
    replacement: "path",
    test: [ofJwt, "is signed by a key of P-256, SEC 1"]
  },
  {
    name: "a token of Coinbase lives for three minutes",
    file: jwt,
    original: "const lifeSeconds = 120",
    replacement: "const lifeSeconds = 180",
    test: [ofJwt, "is signed by a key of Ed25519, its seed in base64"]
  },
  {
    name: "a token of Coinbase is the same each time",
    file: jwt,
    original: "const word = (): string => Math.floor(random.nextDoubleUnsafe() * 0x1_0000_0000)",
    replacement: "const word = (): string => Math.floor(0.5 * 0x1_0000_0000)",
    test: [ofJwt, "is another each time, by Effect's chance, and has the time at which it is signed"]
  },
  {
    name: "a PEM is taken for a key of Ed25519 alone",
    file: signer,
    original: "PrivateKeys.isPem(Redacted.value(key)) ? es256(key) : Result.fail(error)",
    replacement: "Result.fail(error)",
    test: [ofJwt, "is signed by a key of P-256, PKCS #8"]
  },
  {
    name: "any signature is taken",
    file: signer,
    original: "return Result.getOrElse(verified, () => false)",
    replacement: "return Result.isSuccess(verified)",
    test: [ofJwt, "takes what is signed by a key of P-256, SEC 1, and nothing else"]
  },
  {
    name: "a call that is withheld is carried out at once or never",
    file: http,
    original: "else if (takenAfter < Infinity) after(takenAfter, take)",
    replacement: "",
    test: [ofHttp, "goes wrong as it is told to"]
  },
  {
    name: "an answer that is late is told of late as well",
    file: http,
    original: "const answer = run()\n        told()",
    replacement: "const answer = run()",
    test: [ofHttp, "goes wrong as it is told to"]
  },
  {
    name: "a fault strikes calls of every name",
    file: http,
    original: "fault.call === undefined || fault.call === call",
    replacement: "true",
    test: [ofHttp, "strikes the calls of a name, so many of them, in the order in which that was said"]
  },
  {
    name: "a call that fails is never carried out",
    file: http,
    original: "if (this.chance.happens(0.5)) run()",
    replacement: "this.chance.happens(0.5)",
    test: [ofHttp, "fails a share of all calls, of which half are carried out, by its seed"]
  }
]
