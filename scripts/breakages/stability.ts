/** Breakages of `tickline stability`. */
import type { Breakage } from "./Breakage.ts"

const folder = "packages/node/src/stability"
const test = "packages/node/test/stability/Stability.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "nine tenths of the heartbeats are good enough",
    file: `${folder}/Grade.ts`,
    original: "heartbeatSuccess > bound.heartbeatSuccess",
    replacement: "heartbeatSuccess >= bound.heartbeatSuccess",
    test: [test, "is the best whose bounds hold"]
  },
  {
    name: "a run of a day passes as one of an hour",
    file: `${folder}/Grade.ts`,
    original: "hours > 1\n",
    replacement: "hours > 24\n",
    test: [test, "goes with whether the run passes"]
  },
  {
    name: "the first time that a connection is up is a reconnect",
    file: `${folder}/Record.ts`,
    original: "if (link.isUp && link.hasBeenUp) {",
    replacement: "if (link.isUp) {",
    test: [test, "answers every heartbeat of an hour"]
  },
  {
    name: "a heartbeat that is not answered was not due",
    file: `${folder}/Record.ts`,
    original: "this.answered / this.due * 1e6",
    replacement: "this.answered / Math.max(1, this.answered) * 1e6",
    test: [test, "counts what came back"]
  },
  {
    name: "a stability run says nothing of what went wrong",
    file: `${folder}/Record.ts`,
    original: "this.tell({ _tag: \"Error\", at, of, message })",
    replacement: "",
    test: [test, "counts what came back"]
  },
  {
    name: "a signal ends no virtual day",
    file: `${folder}/Stability.ts`,
    original: "if (isStopped() || over.pollUnsafe() !== undefined) return",
    replacement: "if (over.pollUnsafe() !== undefined) return",
    test: [test, "under the virtual clock as well"]
  },
  {
    name: "a signal ends a run without its report",
    file: `${folder}/Stability.ts`,
    original: "const stop = Deferred.await(stopped)",
    replacement: "const stop = Effect.andThen(Deferred.await(stopped), Effect.interrupt)",
    test: [test, "gives the report so far"]
  },
  {
    name: "what a peer said is markup",
    file: "packages/node/src/internal/markup.ts",
    original: ".replace(/[&<>\"']/g, (character) => entities[character] ?? \"\")",
    replacement: ".replace(/[&\"']/g, (character) => entities[character] ?? \"\")",
    test: [test, "shows what a peer said as text"]
  },
  {
    name: "what a peer said may hold control characters",
    file: "packages/node/src/internal/markup.ts",
    original: "Printable.escape(text).replace",
    replacement: "text.replace",
    test: [test, "shows what a peer said as text"]
  },
  {
    name: "a file that cannot be written is noticed after a day",
    file: `${folder}/Stability.ts`,
    original: "try: () => FileSystem.writeFile(html, \"\"),",
    replacement: "try: () => Promise.resolve(html),",
    test: [test, "with a file that cannot be written"]
  },
  {
    name: "a stability run drops what its reader leaves unread",
    file: `${folder}/Stability.ts`,
    original: "return void unwritten.push(jsonLine(toJson(line), stdout))",
    replacement: "return stdout.writeUnsafe(jsonLine(toJson(line), stdout))",
    test: [test, "drops nothing of a reader"]
  },
  {
    name: "a stability run waits for its reader after a signal",
    file: `${folder}/Stability.ts`,
    original: "Effect.raceFirst(stdout.write(text), ",
    replacement: "Effect.andThen(stdout.write(text), ",
    test: [test, "drops nothing of a reader"]
  }
]
