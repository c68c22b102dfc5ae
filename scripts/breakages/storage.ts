/** Breakages of what is kept: the databases under it, and the storage itself. */
import type { Breakage } from "./Breakage.ts"

const sqlite = "packages/node/src/store/Sqlite.ts"
const ofSqlite = "packages/node/test/store/Sqlite.test.ts"

const core = "packages/core/src/trading"
const ofStorage = "packages/node/test/store/Storage.test.ts"
const ofSql = "packages/node/test/store/SqlStorage.test.ts"

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
  },
  {
    name: "a client id means what it was claimed for last",
    file: `${core}/internal/sqlStorage.ts`,
    original: "if (row.meaning !== meaning) return",
    replacement: "if (row.meaning === \"\") return",
    test: [ofStorage, "a client id has one meaning, however it is written"]
  },
  {
    name: "amounts mean what they are written like",
    file: `${core}/internal/storedOrder.ts`,
    original: "Decimal.format(BigDecimal.normalize(decimal))",
    replacement: "Decimal.format(decimal)",
    test: [ofStorage, "a client id has one meaning, however it is written"]
  },
  {
    name: "an order that may have been sent is intended again",
    file: `${core}/internal/sqlStorage.ts`,
    original: "if (before !== undefined && !StoredOrder.didNotHappen(before.order)) {",
    replacement: "if (before !== undefined && before.order.outcome === undefined) {",
    test: [ofStorage, "an order is intended once, and again only if it did not happen"]
  },
  {
    name: "an order that was never sent is not intended again",
    file: `${core}/internal/storedOrder.ts`,
    original: "order.status === \"absent\" || order.status === \"rejected\"",
    replacement: "order.status === \"rejected\"",
    test: [ofStorage, "an order is intended once, and again only if it did not happen"]
  },
  {
    name: "what is said of one order at once is not in a row",
    file: `${core}/internal/sqlStorage.ts`,
    original: "\" FOR UPDATE\"",
    replacement: "\"\"",
    test: [ofStorage, "of many who claim or intend the same at once one is the first"]
  },
  {
    name: "what changes nothing is stored",
    file: `${core}/internal/storedOrder.ts`,
    original: "changesNothing(order, next) ? order : next",
    replacement: "next",
    test: [ofStorage, "what changes nothing is not stored, and what was said twice was said once"]
  },
  {
    name: "what was said twice contradicts",
    file: `${core}/internal/storedOrder.ts`,
    original: "if (wasStored) return order\n",
    replacement: "",
    test: [ofStorage, "what changes nothing is not stored, and what was said twice was said once"]
  },
  {
    name: "a trade may be of two orders",
    file: `${core}/internal/sqlStorage.ts`,
    original: "if (made.length === 0) return false\n",
    replacement: "",
    test: [ofStorage, "what contradicts is refused, and kept as a decision"]
  },
  {
    name: "what was refused leaves no record",
    file: `${core}/internal/sqlStorage.ts`,
    original: "if (Result.isFailure(applied)) {",
    replacement: "if (applied === undefined) {",
    test: [ofStorage, "what contradicts is refused, and kept as a decision"]
  },
  {
    name: "a fill of another product is one of the order",
    file: `${core}/internal/storedOrder.ts`,
    original: "event.product !== request.product || ",
    replacement: "",
    test: [ofStorage, "what contradicts is refused, and kept as a decision"]
  },
  {
    name: "an order of which nothing was heard is not open",
    file: `${core}/internal/sqlStorage.ts`,
    original: "[only === \"open\" ? sql`o.is_over = 0`",
    replacement: "[only === \"open\" ? sql`o.status <> 'pending' AND o.is_over = 0`",
    test: [ofStorage, "open orders are all that are not known to be over, unsettled ones miss fills too"]
  },
  {
    name: "a reader stops after the first page",
    file: `${core}/internal/sqlStorage.ts`,
    original: "last === undefined || rows.length < page",
    replacement: "last !== undefined",
    test: [ofStorage, "is read by pages, from where a reader was"]
  },
  {
    name: "a sale adds to the position",
    file: `${core}/internal/storedOrder.ts`,
    original: "side === \"buy\" ? amount : BigDecimal.negate(amount)",
    replacement: "amount",
    test: [ofStorage, "what contradicts is refused, and kept as a decision"]
  },
  {
    name: "the exchange's words are compared with what was asked",
    file: `${core}/internal/sqlStorage.ts`,
    original: "yield* claimed(asked, at)",
    replacement: "yield* claimed(request, at)",
    test: [ofStorage, "an order may be in an exchange's words, and means what was asked"]
  },
  {
    name: "a later version's database is written to",
    file: `${core}/internal/sqlSchema.ts`,
    original: "if (latest > known) return",
    replacement: "if (latest < known) return",
    test: [ofSql, "a database of a later version is refused, and left alone"]
  },
  {
    name: "a lease begins now, whatever was leased",
    file: `${core}/internal/sqlNonces.ts`,
    original: "CASE WHEN tickline_nonces.leased_until > ${now} THEN tickline_nonces.leased_until ELSE ${now} END",
    replacement: "CASE WHEN tickline_nonces.leased_until > ${now} THEN ${now} ELSE ${now} END",
    test: [ofSql, "a nonce is never given again"]
  },
  {
    name: "nonces go on beyond the lease",
    file: `${core}/internal/sqlNonces.ts`,
    original: "return nonce < until ? nonce : undefined",
    replacement: "return nonce < Infinity * until ? nonce : undefined",
    test: [ofSql, "a nonce is never given again"]
  },
  {
    name: "what is left of a lease is lost",
    file: `${core}/internal/sqlNonces.ts`,
    original: "SET leased_until = ${last + 1} WHERE",
    replacement: "SET leased_until = ${until} WHERE",
    test: [ofSql, "what is left of a lease goes back, so that nonces stay near the clock"]
  },
  {
    name: "state is kept in a folder that is not absolute",
    file: "packages/node/src/store/StateDirectory.ts",
    original: "Option.filter(home, Path.isAbsolute)",
    replacement: "home",
    test: ["packages/node/test/store/StateDirectory.test.ts", "is where the environment says"]
  },
  {
    name: "the folder of state can be read by all",
    file: "packages/node/src/store/StateDirectory.ts",
    original: "mode: 0o700",
    replacement: "mode: 0o755",
    test: ["packages/node/test/store/StateDirectory.test.ts", "is made for its owner alone, and found again"]
  },
  {
    name: "a change is not one transaction",
    file: `${core}/internal/sqlStorage.ts`,
    original: "sql.withTransaction(effect),",
    replacement: "effect,",
    test: ["packages/node/test/store/Kills.test.ts", "has all that was acknowledged, and nothing by halves"]
  },
  {
    name: "an order is sent before it is stored",
    file: `${core}/internal/router.ts`,
    original: "const intent = yield* this.storage.intend(name, request, { asked: of, due })",
    replacement: `const intent = { isNew: true, order: Order.make(name, request) }
    yield* Effect.forkIn(Effect.ignore(Effect.delay(this.storage.intend(name, request, { asked: of, due }), 50)), this.scope)`,
    test: ["packages/node/test/store/OrderKills.test.ts", "are all known and reconciled"]
  },
  {
    name: "an order of which nothing was heard is not gone on with",
    file: `${core}/internal/router.ts`,
    original: "Effect.forEach(found, ({ due, of, value: order }) => {",
    replacement:
      "Effect.forEach(found.filter(({ value }) => value.outcome !== undefined), ({ due, of, value: order }) => {",
    test: ["packages/node/test/store/OrderKills.test.ts", "are all known and reconciled"]
  },
  {
    name: "two accounts of one exchange have their trades together",
    file: `${core}/internal/sqlStorage.ts`,
    original: "const { exchange } = entry.order",
    replacement: "const { exchange } = event",
    test: [ofStorage, "two accounts of one exchange are two, whatever their trades are called"]
  },
  {
    name: "a database that says nothing is waited for",
    file: `${core}/internal/sqlFailure.ts`,
    original: "const patience = \"10 seconds\"",
    replacement: "const patience = \"10 hours\"",
    test: [
      "packages/node/test/store/Postgres.test.ts",
      "a storage whose server does not answer says so, and is there again when it does"
    ]
  },
  {
    name: "a rollback over a dead connection is waited for",
    file: `${core}/internal/sqlFailure.ts`,
    original: "Effect.sync(() => fiber.interruptUnsafe())",
    replacement: "Fiber.interrupt(fiber)",
    test: [
      "packages/node/test/store/Postgres.test.ts",
      "a storage whose server does not answer says so, and is there again when it does"
    ]
  },
  {
    name: "what was said while the database is away is lost",
    file: `${core}/internal/sqlStorage.ts`,
    original: "while: (error) => error._tag === \"StorageError\" && error.isRetryable,",
    replacement: "while: () => false,",
    test: [
      "packages/node/test/store/Postgres.test.ts",
      "what was said of an order is stored, also while the server restarts"
    ]
  },
  {
    name: "a session that was ended amid a change is a defect",
    file: `${core}/internal/sqlFailure.ts`,
    original: "isSqlError(defect) ? Effect.fail(make(operation)(defect)) : ",
    replacement: "",
    test: [
      "packages/node/test/store/Postgres.test.ts",
      "what was said of an order is stored, also if its session is ended amid a change"
    ]
  },
  {
    name: "a Postgres that goes down is no matter of time",
    file: `${core}/internal/sqlFailure.ts`,
    original: "|| (Predicate.hasProperty(cause, \"code\") && isAway.test(String(cause.code)))",
    replacement: "&& isAway !== undefined && Predicate.isNotUndefined(cause)",
    test: [
      "packages/node/test/store/Postgres.test.ts",
      "57P03, which passes"
    ]
  }
]
