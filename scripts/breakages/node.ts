/** Breakages of `packages/node`. */
import type { Breakage } from "./Breakage.ts"

const ofRunnerSecrets = "packages/node/test/runner/Secrets.test.ts"
const ofTransport = "packages/node/test/NodeTransport.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the rules of the house
  {
    name: "any pong will do",
    file: "packages/node/src/NodeTransport.ts",
    original: "this.pongs.find((one) => one.payload === payload)",
    replacement: "this.pongs[0]",
    test: [ofTransport, "a ping completes on the pong with its own payload only"]
  },
  // secrets
  {
    name: "every ping is answered, however many pongs wait",
    file: "packages/node/src/NodeTransport.ts",
    original: "if (this.isAnswering) this.unanswered = new Uint8Array(data)\n    else this.answer(data)",
    replacement: "this.answer(data)",
    test: [ofTransport, "a flood of pings"]
  },
  // whose the data is
  {
    name: "a price that is cut is not marked",
    file: "packages/node/src/runner/internal/columns.ts",
    original: "`${after.slice(0, digits.fraction - 1)}…`",
    replacement: "after.slice(0, digits.fraction)",
    test: ["packages/node/test/runner/Board.test.ts", "market, trade: no line is too long, no venue is lost"]
  },
  {
    name: "a venue for which there is no line is not told",
    file: "packages/node/src/runner/BoardLayout.ts",
    original: "  if (given.isCrowded) {",
    replacement: "  if (given.isCrowded && given.shown.length === 0) {",
    test: ["packages/node/test/runner/Board.test.ts", "says how many venues there is no line for"]
  },
  {
    name: "the table remembers every product whole",
    file: "packages/node/src/runner/Board.ts",
    original: "if (of.rows.size >= 2 * mostRows) {",
    replacement: "if (of.rows.size < 0) {",
    test: ["packages/node/test/runner/Board.test.ts", "draws 200,000 within milliseconds"]
  },
  {
    name: "completions know no venue",
    file: "packages/node/src/runner/Completion.ts",
    original: "  venue: venues,\n",
    replacement: "",
    test: ["packages/node/test/runner/Completion.test.ts", "bash completes commands, venues"]
  },
  {
    name: "a terminal of another size is drawn over as if it had the old one",
    file: "packages/node/src/runner/Screen.ts",
    original: "isResized ? home + clearBelow : drawn > 0",
    replacement: "drawn > 0",
    test: ["packages/node/test/runner/Screen.test.ts", "is drawn anew on a terminal of another size"]
  },
  {
    name: "NDJSON on a terminal holds what a peer sent, raw",
    file: "packages/node/src/runner/Output.ts",
    original: "isTerminal ? Printable.escape(json) : json",
    replacement: "isTerminal ? json : json",
    test: ["packages/node/test/runner/Printable.test.ts", "ndjson on a terminal is the same JSON"]
  },
  // What leaves the process
  {
    name: "what was dropped on the way to stdout is told to nobody",
    file: "packages/node/src/runner/OutputQueue.ts",
    original: "for (const [key, span] of chunk.spans) lose(loss, key, span)",
    replacement: "",
    test: ["packages/node/test/runner/OutputQueue.test.ts", "keeps the life of the connections, with the gaps"]
  },
  {
    name: "a full disk is a reader that has gone",
    file: "packages/node/src/runner/Host.ts",
    original: "goneCodes.has(error.code)",
    replacement: "error.code !== undefined",
    test: ["packages/node/test/runner/Process.test.ts", "stdout on a full disk"]
  },
  {
    name: "the last of a recording may be lost",
    file: "packages/node/src/runner/Streaming.ts",
    original: "yield* Effect.mapError(recorder.finish, unwritten)",
    replacement: "",
    test: ["packages/node/test/runner/Process.test.ts", "the last of a recording that does not fit"]
  },
  {
    name: "a failed dial is a drop",
    file: "packages/node/src/runner/Tally.ts",
    original: "} else if (up.delete(venue) && state !== \"Closing\") {",
    replacement: "} else if (state === \"Reconnecting\") {",
    test: ["packages/node/test/runner/Streaming.test.ts", "counts a drop only of a link that was up"]
  },
  {
    name: "one refusal ends the run",
    file: "packages/node/src/runner/Refusals.ts",
    original: "refused.size === asked.length",
    replacement: "refused.size > 0",
    test: ["packages/node/test/runner/Streaming.test.ts", "the rest goes on, wherever it stands"]
  },
  // secrets of a configuration, and who may read the pages
  {
    name: "the value of an unknown key is quoted",
    file: "packages/node/src/runner/ServiceConfig.ts",
    original: "`${path}${key}`,\n      undefined,",
    replacement: "`${path}${key}`,\n      table[key],",
    test: [ofRunnerSecrets, "shows no secret, and ends with 2"]
  },
  {
    name: "frames are recorded with the secrets in them",
    file: "packages/core/src/recording/internal/wireRecorder.ts",
    original: "mask: Secrets.maskOf(request),",
    replacement: "mask: undefined,",
    test: [ofRunnerSecrets, "finds it masked on stdout"]
  },
  {
    name: "a foreign host is answered",
    file: "packages/node/src/runner/Guard.ts",
    original: "!isAnswered(headers[\"host\"], place)",
    replacement: "!isAnswered(undefined, place)",
    test: [ofRunnerSecrets, "answer to loopback names"]
  }
]
