/** Breakages of what is kept: the databases under it, and the storage itself. */
import type { Breakage } from "./Breakage.ts"

const sqlite = "packages/node/src/store/Sqlite.ts"
const ofSqlite = "packages/node/test/store/Sqlite.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an integer beyond 2^53 is read as a number",
    file: sqlite,
    original: "&& BigInt.asIntN(54, value) === value) made",
    replacement: ") made",
    test: [ofSqlite, "an integer is read exactly, whatever its size"]
  },
  {
    name: "a number is written as a double",
    file: sqlite,
    original: "if (Number.isSafeInteger(value)) return BigInt(value)",
    replacement: "if (Number.isSafeInteger(value)) return value",
    test: [ofSqlite, "a number is written as an integer, a decimal as its text"]
  },
  {
    name: "a number that is not exact is written",
    file: sqlite,
    original: "!Number.isFinite(value) || Number.isInteger(value)",
    replacement: "Number.isNaN(value)",
    test: [ofSqlite, "what is not exact is refused"]
  },
  {
    name: "a transaction takes the lock with its first change",
    file: sqlite,
    original: "BEGIN IMMEDIATE",
    replacement: "BEGIN",
    test: [ofSqlite, "that read before they write have the lock from their beginning"]
  },
  {
    name: "another process's transaction is not waited for",
    file: sqlite,
    original: "error.reason._tag === \"LockTimeoutError\" &&",
    replacement: "error === undefined &&",
    test: [ofSqlite, "of another process are waited for, and the event loop goes on"]
  },
  {
    name: "the file can be read by all",
    file: sqlite,
    original: "0o600))",
    replacement: "0o644))",
    test: [ofSqlite, "is of its owner alone, its journal too, and is there when it is opened again"]
  },
  {
    name: "a commit is not on the disk",
    file: sqlite,
    original: "PRAGMA synchronous = FULL",
    replacement: "PRAGMA synchronous = NORMAL",
    test: [ofSqlite, "is of its owner alone, its journal too, and is there when it is opened again"]
  },
  {
    name: "the URL of a database that cannot be read is shown",
    file: "packages/node/src/store/Postgres.ts",
    original: "url !== null && [\"postgres:\", \"postgresql:\"].includes(url.protocol)",
    replacement: "url !== undefined",
    test: ["packages/node/test/store/Postgres.test.ts", "is not shown where it cannot be read"]
  }
]
