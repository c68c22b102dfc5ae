/** Breakages of the room `transport` of core. */
import type { Breakage } from "./Breakage.ts"

const ofHousekeeping = "packages/testing/test/connection/Housekeeping.test.ts"
const ofSecrets = "packages/testing/test/connection/Secrets.test.ts"

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
  }
]
