/** Breakages of the room `session` of core. */
import type { Breakage } from "./Breakage.ts"

const signer = "packages/core/src/session/Signer.ts"
const keys = "packages/core/src/session/internal/privateKeys.ts"
const samples = "packages/core/src/session/internal/clockSamples.ts"
const clock = "packages/core/src/session/ClockOffset.ts"
const rpc = "packages/core/src/session/JsonRpc.ts"
const deribit = "packages/core/src/session/deribit"
const ofCredits = "packages/core/test/DeribitCredits.test.ts"
const ofMethods = "packages/testing/test/session/DeribitMethods.test.ts"
const ofRpc = "packages/testing/test/session/JsonRpc.test.ts"
const session = "packages/core/src/session/Session.ts"
const signInRenewal = "packages/core/src/session/internal/signInRenewal.ts"
const ofSession = "packages/testing/test/session/Session.test.ts"
const pool = "packages/core/src/session/Pool.ts"
const health = "packages/core/src/session/internal/memberHealth.ts"
const ofPool = "packages/testing/test/session/Pool.test.ts"
const ofDeribit = "packages/testing/test/session/DeribitSession.test.ts"
const ofSigner = "packages/core/test/Signer.test.ts"
const ofClock = "packages/core/test/ClockOffset.test.ts"

const ofMetrics = "packages/testing/test/session/SessionMetrics.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "ES256 takes the lower s only",
    file: signer,
    original: "{ lowS: false }",
    replacement: "{ lowS: true }",
    test: [ofSigner, "RFC 6979"]
  },
  {
    name: "a chain is given the higher s too",
    file: signer,
    original: "prehash: false, lowS: true",
    replacement: "prehash: false, lowS: false",
    test: [ofSigner, "the lower s"]
  },
  {
    name: "a digest is hashed once more",
    file: signer,
    original: "prehash: false, lowS: true",
    replacement: "prehash: true, lowS: true",
    test: [ofSigner, "signs a known digest"]
  },
  {
    name: "a digest of another length is cut",
    file: signer,
    original: "if (digest.length !== 32)",
    replacement: "if (digest.length === 0)",
    test: [ofSigner, "the lower s"]
  },
  {
    name: "a public key beside a private one is not looked at",
    file: signer,
    original: "publicKey === undefined || Hex.encode(own) === Hex.encode(publicKey)",
    replacement: "own.length > 0",
    test: [ofSigner, "a public half of another"]
  },
  {
    name: "an error repeats the key",
    file: signer,
    original: "Result.mapError(refusal(\"secp256k1\", \"a private key of 32 bytes in hexadecimal\"))",
    replacement: "Result.mapError(refusal(\"secp256k1\", `a private key, and not ${Redacted.value(key)}`))",
    test: [ofSigner, "31 bytes"]
  },
  {
    name: "a signer can be looked into",
    file: signer,
    original: "algorithm: \"EdDSA\",\n    sign:",
    replacement: "algorithm: \"EdDSA\",\n    ...{ secret },\n    sign:",
    test: [ofSigner, "nothing of a signer shows its key"]
  },
  {
    name: "a short scalar is not padded",
    file: keys,
    original: "padded.set(scalar, 32 - scalar.length)",
    replacement: "padded.set(scalar)",
    test: [ofSigner, "leading zeros"]
  },
  {
    name: "line ends of an environment are not known",
    file: keys,
    original: ".replaceAll(/\\\\r|\\\\n/g, \"\\n\")",
    replacement: "",
    test: [ofSigner, "RFC 6979"]
  },
  {
    name: "the first of several keys is taken",
    file: keys,
    original: "if (blocks.length > 1)",
    replacement: "if (blocks.length > 2)",
    test: [ofSigner, "two keys"]
  },
  {
    name: "what follows a key is passed over",
    file: keys,
    original: "only?.tag === tag && rest.length === 0",
    replacement: "only?.tag === tag && rest.length >= 0",
    test: [ofSigner, "a long body"]
  },
  {
    name: "the newest round trip is believed, not the least",
    file: samples,
    original: " && roundTrip(known) < trip",
    replacement: " && roundTrip(known) > trip",
    test: [ofClock, "least round trip"]
  },
  {
    name: "a round trip is believed for ever",
    file: samples,
    original: "known.receivedAt > sample.receivedAt - windowMillis",
    replacement: "windowMillis > 0",
    test: [ofClock, "forgets the best one"]
  },
  {
    name: "samples pile up",
    file: samples,
    original: "better.slice(0, mostKept - 1)",
    replacement: "better",
    test: [ofClock, "keeps few samples"]
  },
  {
    name: "a step of the wall clock changes the venue's time",
    file: clock,
    original: "Monotonic.nowMillis(clock) + known.offsetMillis",
    replacement: "clock.currentTimeMillisUnsafe() + known.offsetMillis",
    test: [ofClock, "through a step of the wall clock"]
  },
  {
    name: "a number of a message is rounded",
    file: "packages/core/src/codec/internal/jsonWriter.ts",
    original: "return json.text",
    replacement: "return String(Number(json.text))",
    test: [ofRpc, "calls by names and by positions"]
  },
  {
    name: "a result is rounded",
    file: "packages/core/src/codec/ExactSchema.ts",
    original: "DecimalValue.parse(String(json))",
    replacement: "DecimalValue.parse(String(Number(String(json))))",
    test: [ofRpc, "calls by names and by positions"]
  },
  {
    name: "the peer's error is a result",
    file: rpc,
    original: "if (answer._tag === \"Error\") {",
    replacement: "if (answer._tag === \"Notification\") {",
    test: [ofRpc, "gives the peer's error"]
  },
  {
    name: "wrong parameters are sent",
    file: rpc,
    original: "encode: SchemaParser.encodeUnknownResult(params)",
    replacement: "encode: (given) => Result.succeed(given as never)",
    test: [ofRpc, "sends nothing of a call whose parameters are wrong"]
  },
  {
    name: "signed parameters are made when the call waits",
    file: rpc,
    original: "isMaker(params)",
    replacement: "false",
    test: [ofRpc, "makes parameters in the turn"]
  },
  {
    name: "a result beside an error is taken",
    file: rpc,
    original: "result === undefined || result === null\n      ? readError",
    replacement: "true\n      ? readError",
    test: [ofRpc, "refuses what is no message"]
  },
  {
    name: "a call goes out under a grant that has ended",
    file: session,
    original: "rpc.call(method, params, { isSignedIn: () => renewal.isSignedIn, ...how })",
    replacement: "rpc.call(method, params, how)",
    test: [ofSession, "sends nothing while its grant has ended"]
  },
  {
    name: "a session whose renewal failed counts as signed in",
    file: signInRenewal,
    original: "        this.forget()\n",
    replacement: "",
    test: ["packages/core/test/SignInRenewal.test.ts", "is signed in no more where a renewal fails"]
  },
  {
    name: "the grant of an epoch that has ended is renewed",
    file: signInRenewal,
    original: "this.renewing?.interruptUnsafe()",
    replacement: "",
    test: [ofSession, "renews the grant of the epoch that is up"]
  },
  {
    name: "a grant is renewed once",
    file: signInRenewal,
    original: "this.renewed(epoch, calls, reopen)\n          )",
    replacement: "Effect.void\n          )",
    test: [ofSession, "renews its grant before that ends"]
  },
  {
    name: "a session lives on without a grant",
    file: session,
    original: "Effect.ignore(connection.reconnect)",
    replacement: "Effect.void",
    test: [ofSession, "is opened anew where its grant cannot be renewed"]
  },
  {
    name: "whoever is refused asks again",
    file: session,
    original: "error._tag === \"AuthError\" || error._tag",
    replacement: "error._tag",
    test: [ofSession, "stops where it is refused"]
  },
  {
    name: "a session is live before it is reconciled",
    file: session,
    original: "reconcile?.(through(via)) ?? Effect.void",
    replacement: "Effect.void",
    test: [ofSession, "signs in, restores, reconciles"]
  },
  {
    name: "what waits costs no health",
    file: pool,
    original: "health.pending++",
    replacement: "health.pending += 0",
    test: [ofPool, "prefers those with the least waiting"]
  },
  {
    name: "an error counts for ever",
    file: health,
    original: "this.errors.filter((error) => at - error < decayMillis).length",
    replacement: "this.errors.length",
    test: [ofPool, "prefers those with the least waiting"]
  },
  {
    name: "slow answers cost no health",
    file: health,
    original: "Math.min(this.p99 / 25, 30)",
    replacement: "0",
    test: [ofPool, "prefers those with the least waiting"]
  },
  {
    name: "equals are not asked in turn",
    file: pool,
    original: "turn++ % Math.max(1, live.length)",
    replacement: "0",
    test: [ofPool, "gives calls to its members in turn"]
  },
  {
    name: "a call of unknown outcome goes to another",
    file: pool,
    original: "(error) => others.length > 0 && isUnsent(error)",
    replacement: "() => others.length > 0",
    test: [ofPool, "sends nothing twice"]
  },
  {
    name: "a dead member is preferred",
    file: pool,
    original: "Effect.filter(all, ([member]) => isLive(member))",
    replacement: "Effect.filter(all, ([member]) => Effect.map(isLive(member), (live) => !live))",
    test: [ofPool, "passes over members that are not live"]
  },
  {
    name: "a member has more channels than it may",
    file: pool,
    original: "fewest[1].channels.size >= channelsPerMember",
    replacement: "false",
    test: [ofPool, "spreads subscriptions within"]
  },
  {
    name: "the subscriptions of who has failed are lost",
    file: pool,
    original: "Effect.ignore(subscribe(lost, member))",
    replacement: "Effect.void",
    test: [ofPool, "spreads subscriptions within"]
  },
  {
    name: "an order without a price cannot be read",
    file: `${deribit}/Schemas.ts`,
    original: "price: Schema.Union([Decimal, Schema.Literal(\"market_price\")])",
    replacement: "price: Decimal",
    test: [ofMethods, "a market order that waits"]
  },
  {
    name: "cancelled orders are counted only",
    file: `${deribit}/Schemas.ts`,
    original: "export const Cancelled = Schema.Union([\n  Integer,",
    replacement: "export const Cancelled = Schema.Union([\n  Integer, Integer]), unused = Schema.Union([",
    test: [ofMethods, "counts what was cancelled"]
  },
  {
    name: "a flag that is written as a text is false",
    file: `${deribit}/internal/lenient.ts`,
    original: "value === true || value === \"true\"",
    replacement: "value === true",
    test: [ofMethods, "eighteen decimals"]
  },
  {
    name: "a token is shown",
    file: `${deribit}/internal/lenient.ts`,
    original: "Schema.RedactedFromValue(Schema.String)",
    replacement: "Schema.String as never",
    test: [ofMethods, "shows no secret"]
  },
  {
    name: "a book is asked for with any depth",
    file: `${deribit}/internal/marketMethods.ts`,
    original: "[1, 5, 10, 20, 50, 100, 1_000, 10_000].includes(depth)",
    replacement: "depth > 0",
    test: [ofMethods, "sends nothing that the venue would refuse"]
  },
  {
    name: "heartbeats are asked for faster than the venue sends them",
    file: `${deribit}/internal/connectionMethods.ts`,
    original: "isGreaterThanOrEqualTo(10)",
    replacement: "isGreaterThanOrEqualTo(1)",
    test: [ofMethods, "sends nothing that the venue would refuse"]
  },
  {
    name: "orders draw from the pool of queries",
    file: `${deribit}/Method.ts`,
    original: "kind === \"order\" || kind === \"cancel\" ? \"matching\" : \"requests\"",
    replacement: "\"requests\"",
    test: [ofMethods, "ranks its calls"]
  },
  {
    name: "a cancel waits as long as a query",
    file: `${deribit}/Method.ts`,
    original: "priority: \"cancel\", timeout: \"5 seconds\"",
    replacement: "priority: \"cancel\", timeout: \"10 seconds\"",
    test: [ofMethods, "gives a cancel up"]
  },
  {
    name: "nothing of a pool is kept for cancels",
    file: `${deribit}/Credits.ts`,
    original: "Math.floor(burst / 10)",
    replacement: "0",
    test: [ofCredits, "keeps a tenth"]
  },
  {
    name: "calls that are on their way fill a pool up",
    file: `${deribit}/Credits.ts`,
    original: "1 + reserve + rate * transitMillis / 1_000",
    replacement: "1 + reserve",
    test: [ofCredits, "never finds a pool empty"]
  },
  {
    name: "a pool fills up beyond its size",
    file: `${deribit}/Credits.ts`,
    original: "Math.min(burst, self.left[pool] + seconds * rate)",
    replacement: "self.left[pool] + seconds * rate",
    test: [ofCredits, "fills up at the pool's rate"]
  },
  {
    name: "the account's own limits are passed over",
    file: `${deribit}/Credits.ts`,
    original: "least(member(engine, \"trading\")) ?? whole ??",
    replacement: "whole ??",
    test: [ofCredits, "the account's own figures"]
  },
  {
    name: "a signature is not of its nonce",
    file: `${deribit}/Authentication.ts`,
    original: "\\n${nonce}\\n${data}`",
    replacement: "\\n\\n${data}`",
    test: ["packages/core/test/DeribitAuthentication.test.ts", "the venue's own example"]
  },
  {
    name: "a call that is let through takes nothing until it is written",
    file: `${deribit}/internal/sharedCredits.ts`,
    original: "before, sessions: this.sessions }",
    replacement: "before: 0 * before - 99 }",
    test: [ofDeribit, "never spends more than the account has"]
  },
  {
    name: "the account's own limits are not learned",
    file: `${deribit}/internal/sharedCredits.ts`,
    original: "this.credits = Credits.learn(this.credits, this.now(), limits)",
    replacement: "void limits",
    test: [ofDeribit, "never spends more than the account has"]
  },
  {
    name: "an empty pool is drawn from",
    file: "packages/core/src/session/deribit/DeribitSession.ts",
    original: "gate.exhausted(method.pool)",
    replacement: "void method.pool",
    test: [ofDeribit, "lets nothing more out of a pool"]
  },
  {
    name: "a sign-in is signed with our own time",
    file: "packages/core/src/session/deribit/DeribitSession.ts",
    original: "Math.round(offset.venueMillis())",
    replacement: "clock.currentTimeMillisUnsafe()",
    test: [ofDeribit, "signs with the venue's time"]
  },
  {
    name: "a refused key is tried again",
    file: "packages/core/src/session/deribit/DeribitSession.ts",
    original: "ErrorCodes.temporary.has(error.code) ? error",
    replacement: "error.code !== \"\" ? error",
    test: [ofDeribit, "stops where its key is refused"]
  },
  {
    name: "what is said on opening counts as a subscription",
    file: "packages/core/src/connection/internal/opening.ts",
    original: "outbox.admit(\"call\",",
    replacement: "outbox.admit(\"ask\",",
    test: [ofDeribit, "signs with the venue's time"]
  },
  {
    name: "the account's channels are asked for in public",
    file: "packages/core/src/session/deribit/internal/dialect.ts",
    original: "isPrivate(ChannelNames.nameOf(channel)) ? \"private\" : \"public\"",
    replacement: "isPrivate(ChannelNames.nameOf(channel)) ? \"public\" : \"public\"",
    test: [ofDeribit, "signs with the venue's time"]
  },
  {
    name: "a channel that the venue leaves out is confirmed",
    file: "packages/core/src/session/deribit/internal/dialect.ts",
    original: "requestId, lists: true, names }",
    replacement: "requestId }",
    test: [ofDeribit, "leaves out of its answer"]
  },
  {
    name: "a refused sign-in counts as one that failed",
    file: session,
    original: "isRefusal(cause) ? \"refused\" : \"failed\"",
    replacement: "\"failed\"",
    test: [ofMetrics, "tell a refused sign-in"]
  },
  {
    name: "a session that is down counts as live",
    file: session,
    original: "metrics.live(to._tag === \"Connected\")",
    replacement: "if (to._tag === \"Connected\") metrics.live(true)",
    test: [ofMetrics, "say how it came up"]
  },
  {
    name: "a renewal that failed counts as one that succeeded",
    file: signInRenewal,
    original: "metrics.renewed(Result.isSuccess(granted) ? \"renewed\" : \"failed\")",
    replacement: "metrics.renewed(\"renewed\")",
    test: [ofMetrics, "tell a refused sign-in"]
  },
  {
    name: "an error of the peer is not counted",
    file: rpc,
    original: "if (answer._tag === \"Error\") MetricDefinitions",
    replacement: "if (answer._tag === \"Notification\") MetricDefinitions",
    test: [ofMetrics, "say how it came up"]
  },
  {
    name: "a wait for credits counts once for each time it looks",
    file: `${deribit}/internal/creditGate.ts`,
    original: "if (!isWaiting) this.metrics.waited(pool)",
    replacement: "if (isWaiting) this.metrics.waited(pool)",
    test: [ofMetrics, "say what is left"]
  }
]
