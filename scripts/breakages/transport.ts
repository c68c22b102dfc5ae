/** Breakages of the room `transport` of core. */
import type { Breakage } from "./Breakage.ts"

const ofHousekeeping = "packages/testing/test/connection/Housekeeping.test.ts"
const ofSecrets = "packages/testing/test/connection/Secrets.test.ts"

const http = "packages/core/src/transport/HttpPort.ts"
const ofHttp = "packages/core/test/HttpPort.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the rules of the house
  {
    name: "path and query of a URL are shown",
    file: "packages/core/src/transport/Address.ts",
    original: "`${standard.success.protocol}//${standard.success.host}`",
    replacement: "`${standard.success.protocol}//${standard.success.host}${address.rest}`",
    test: [ofHousekeeping, "no log line, error"]
  },
  // the terminal
  {
    name: "a close reason goes into the log as it came",
    file: "packages/core/src/transport/Transport.ts",
    original: "Printable.escape(this.reason)",
    replacement: "this.reason",
    test: ["packages/core/test/Printable.test.ts", "no error's message shows it raw"]
  },
  // bounds
  {
    name: "messages without bytes fill a wire",
    file: "packages/core/src/transport/Frame.ts",
    original: "(messages > few && bytes + share * (messages - few) >= bound)",
    replacement: "messages < 0",
    test: ["packages/core/test/BrowserTransport.test.ts", "where it has no bytes"]
  },
  // secrets
  {
    name: "a URL that cannot be read is shown as it is",
    file: "packages/core/src/transport/Address.ts",
    original: "return \"(unreadable URL)\"",
    replacement: "return url",
    test: [ofSecrets, "shows no secret of"]
  },
  // limits and closes
  {
    name: "a spelling of an address is another address",
    file: "packages/core/src/transport/Address.ts",
    original: "Result.isFailure(standard) ? written :",
    replacement: "true ? written :",
    test: ["packages/testing/test/connection/Limits.test.ts", "however it is written"]
  },
  // HTTP
  {
    name: "an answer is read to its end, however long",
    file: http,
    original: "bytes > mostBytes ?",
    replacement: "bytes < 0 ?",
    test: [ofHttp, "reads no further than the bound"]
  },
  {
    name: "an answer has no deadline",
    file: http,
    original: "duration: deadline,",
    replacement: "duration: Infinity,",
    test: [ofHttp, "gives up at the deadline"]
  },
  {
    name: "what an answer repeats of a secret is shown",
    file: http,
    original: "body: text(body)",
    replacement: "body",
    test: [ofHttp, "masks what an answer repeats"]
  },
  {
    name: "an error over HTTP tells the query",
    file: http,
    original: "Address.place(request.url)",
    replacement: "request.url",
    test: [ofHttp, "tells scheme, host, port and path"]
  },
  {
    name: "a secret goes over plain http",
    file: "packages/core/src/transport/internal/plaintextSecrets.ts",
    original: "scheme.startsWith(\"ws\") ? \"wss\" : \"https\"",
    replacement: "scheme.startsWith(\"ws\") ? \"wss\" : scheme",
    test: [ofHttp, "to venue.example unencrypted"]
  },
  {
    name: "a span over HTTP tells the query, and goes to the peer",
    file: "packages/node/src/NodeHttp.ts",
    original: "HttpClient.TracerDisabledWhen, () => true",
    replacement: "HttpClient.TracerDisabledWhen, () => false",
    test: ["packages/node/test/NodeHttp.test.ts", "sends method, path with query"]
  }
]
