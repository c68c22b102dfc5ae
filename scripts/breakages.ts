/**
 * Small breakages of the source, each of which a test must notice: the data of
 * `pnpm mutants`. At least one for each named test, and one for each rule that
 * would hurt if it were lost.
 */

/** One breakage: `original`, which is in `file` exactly once, becomes `replacement`, and `test` must fail. */
export interface Breakage {
  readonly name: string
  readonly file: string
  readonly original: string
  readonly replacement: string
  /** A test file, and the beginning of the test's name without its `describe`s. */
  readonly test: readonly [file: string, name: string]
}

const connection = "packages/core/src/connection"
const resilience = "packages/core/src/resilience"
const supervisor = `${connection}/internal/supervisor.ts`
const metrics = `${connection}/ConnectionMetrics.ts`
const outbox = `${connection}/Outbox.ts`
const inbox = `${connection}/Inbox.ts`
const breaker = `${resilience}/CircuitBreaker.ts`
const backoff = `${resilience}/Backoff.ts`
const recovery = `${resilience}/Recovery.ts`
const policy = `${resilience}/ConnectionPolicy.ts`
const message = "packages/core/src/venue/generic/PriceMessage.ts"
const generic = "packages/core/src/venue/generic/Venue.ts"
const stream = "packages/core/src/market/ReconnectingStream.ts"

const named = "packages/testing/test/named"
const ofConnection = `${named}/Connection.test.ts`
const ofReconnection = `${named}/Reconnection.test.ts`
const ofParsing = `${named}/Parsing.test.ts`
const ofBreaker = `${named}/CircuitBreaker.test.ts`
const ofPresets = `${named}/Presets.test.ts`
const ofEpochs = "packages/testing/test/connection/Epochs.test.ts"
const ofConsumers = "packages/testing/test/connection/Consumers.test.ts"
const ofHousekeeping = "packages/testing/test/connection/Housekeeping.test.ts"
const ofRunnerSecrets = "packages/node/test/runner/Secrets.test.ts"
const ofSecrets = "packages/testing/test/connection/Secrets.test.ts"
const ofKeepAlive = "packages/testing/test/connection/KeepAlive.test.ts"
const ofStream = "packages/core/test/ReconnectingStream.test.ts"
const ofMetrics = "packages/testing/test/connection/Metrics.test.ts"
const ofSteps = "packages/testing/test/SteppedClock.test.ts"
const ofTransport = "packages/node/test/NodeTransport.test.ts"
const overNetwork = "packages/testing/test/ConnectionBehaviour.test.ts"
const overSockets = "packages/node/test/ConnectionBehaviour.test.ts"

/** The breakages, by the test that must notice them. */
export const breakages: ReadonlyArray<Breakage> = [
  // ---- the named tests: Connection ----------------------------------------------------------------------------------
  {
    name: "the time of the connect is not kept",
    file: metrics,
    original: "connectedAt ??= at",
    replacement: "connectedAt ??= 0",
    test: [ofConnection, "basic websocket connection"]
  },
  {
    name: "every connection has the same id",
    file: supervisor,
    original: "`conn_${(yield* Random.nextIntBetween(0, 0xffffffff)).toString(16).padStart(8, \"0\")}`",
    replacement: "\"conn_00000000\"",
    test: [ofConnection, "multiple concurrent connections"]
  },
  {
    name: "only the first reader of a connection is served",
    file: inbox,
    original: "offer(consumer, this.keyOf, item)\n",
    replacement: "offer(consumer, this.keyOf, item)\n      break\n",
    test: [ofConnection, "concurrent message reading"]
  },
  {
    name: "the token goes without its scheme",
    file: supervisor,
    original: "Redacted.make(`Bearer ${Redacted.value(token)}`",
    replacement: "Redacted.make(`${Redacted.value(token)}`",
    test: [ofConnection, "websocket auth validation"]
  },
  {
    name: "a refused token is refreshed without end",
    file: supervisor,
    original: "isRefreshed = true",
    replacement: "isRefreshed = false",
    test: [ofConnection, "websocket auth validation: a refresh that does not help"]
  },
  {
    name: "the connect timeout is not the policy's",
    file: supervisor,
    original: "const { connectTimeout } = this.policy\n",
    replacement: "const connectTimeout = \"10 seconds\"\n",
    test: [ofConnection, "connection timeout handling"]
  },
  {
    name: "the time in a state is counted from the first",
    file: supervisor,
    original: "        this.stateSince = now\n",
    replacement: "",
    test: [ofConnection, "connection state transitions"]
  },
  {
    name: "a live connection can be connected again",
    file: supervisor,
    original: "if (current._tag !== \"Disconnected\" && current._tag !== \"Failed\") {",
    replacement: "if (current._tag === \"Connecting\") {",
    test: [ofConnection, "double connection prevention"]
  },
  {
    name: "a connecting connection can be connected again",
    file: supervisor,
    original: "if (current._tag !== \"Disconnected\" && current._tag !== \"Failed\") {",
    replacement: "if (current._tag === \"Connected\") {",
    test: [ofConnection, "double connection prevention: two first connects"]
  },
  {
    name: "a graceful close sends another code",
    file: supervisor,
    original: "on.close(1000, \"\")",
    replacement: "on.close(1001, \"\")",
    test: [ofConnection, "graceful disconnect"]
  },
  {
    name: "a graceful close waits for longer than it may",
    file: supervisor,
    original: "duration: this.policy.closeTimeout",
    replacement: "duration: this.policy.connectTimeout",
    test: [ofConnection, "graceful disconnect: a peer that never answers"]
  },

  // ---- the named tests: Reconnection --------------------------------------------------------------------------------
  {
    name: "the backoff grows by another factor",
    file: backoff,
    original: "Schedule.exponential(options.base, options.factor)",
    replacement: "Schedule.exponential(options.base, 1.9)",
    test: [ofReconnection, "exponential backoff on disconnect"]
  },
  {
    name: "the cap of the backoff is not applied",
    file: backoff,
    original: "jittered(options.jitter, Duration.min(duration, options.cap))",
    replacement: "jittered(options.jitter, duration)",
    test: [ofReconnection, "max retries enforcement"]
  },
  {
    name: "one retry too many",
    file: recovery,
    original: "retries >= maxRetries",
    replacement: "retries > maxRetries",
    test: [ofReconnection, "max retries enforcement: 3 retries"]
  },
  {
    name: "the backoff is not reset by a success",
    file: supervisor,
    original: "Effect.andThen(this.backoff.reset, report)",
    replacement: "report",
    test: [ofReconnection, "backoff reset on success"]
  },
  {
    name: "the count of retries is not reset by a success",
    file: supervisor,
    original: "      session.retries = 0\n      const report",
    replacement: "      const report",
    test: [ofReconnection, "backoff reset on success"]
  },
  {
    name: "a reconnect during a reconnect is an error",
    file: supervisor,
    original: "recorder.conflicted()\n          return Deferred.await(this.cycle)",
    replacement: "return this.connect",
    test: [ofReconnection, "concurrent reconnection attempts"]
  },
  {
    name: "each reconnect of a live link forgets the one before",
    file: supervisor,
    original:
      "if (Deferred.isDoneUnsafe(this.cycle)) this.cycle = Deferred.makeUnsafe()\n          else recorder.conflicted()",
    replacement: "this.cycle = Deferred.makeUnsafe()",
    test: [overSockets, "any number of reconnects at once"]
  },
  {
    name: "a subscription is not restored",
    file: `${connection}/Subscriptions.ts`,
    original: "    this.asked = none\n",
    replacement: "",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "a message to be kept goes with its epoch",
    file: outbox,
    original: "retain((entry) => entry.delivery === \"keep\", \"EpochEnded\")",
    replacement: "retain(() => false, \"EpochEnded\")",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "a kept message is sent twice",
    file: outbox,
    original: "this.entries.shift()\n      this.remove(entry)\n      this.sent++",
    replacement: "if (this.sentAfterWaiting % 2 === 1) { this.entries.shift(); this.remove(entry) }\n      this.sent++",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "the outbox has no bound",
    file: outbox,
    original: "const isFull = this.entries.length >= bounds.messages || this.bytes + Frame.size(frame) > bounds.bytes",
    replacement: "const isFull = this.bytes + Frame.size(frame) > bounds.bytes",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "a reconnect is told as a new session",
    file: metrics,
    original: "connectedAt ??= at",
    replacement: "connectedAt = at",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "a network that is down ends the connection",
    file: `${connection}/ConnectError.ts`,
    original: "Unreachable: \"retry\"",
    replacement: "Unreachable: \"stop\"",
    test: [ofReconnection, "reconnection failure modes"]
  },
  {
    name: "Retry-After is ignored",
    file: recovery,
    original: "Math.max(backoffMillis, restMillis)",
    replacement: "backoffMillis",
    test: [ofReconnection, "reconnection failure modes: Retry-After"]
  },
  {
    name: "Retry-After is added to the backoff",
    file: recovery,
    original: "Math.max(backoffMillis, restMillis)",
    replacement: "(backoffMillis + restMillis + 1)",
    test: [ofReconnection, "reconnection failure modes: Retry-After"]
  },
  {
    name: "rapid failures are backed off like slow ones",
    file: backoff,
    original: "(rapid ? rapidFactor : options.factor)",
    replacement: "options.factor",
    test: [ofReconnection, "adaptive backoff strategy"]
  },
  {
    name: "a dead path is dialled as often as a busy one",
    file: backoff,
    original: "Math.max(grown, persistentShare * cap)",
    replacement: "grown",
    test: [ofReconnection, "adaptive backoff strategy"]
  },
  {
    name: "a forced close is told as a clean one",
    file: supervisor,
    original: "clean: answered && closing.mode === \"graceful\"",
    replacement: "clean: true",
    test: [ofReconnection, "forced disconnect"]
  },
  {
    name: "a close waits for the dial that is under way",
    file: supervisor,
    original: "yield* Fiber.interrupt(supervision)",
    replacement: "yield* Fiber.await(supervision)",
    test: [ofReconnection, "forced disconnect: in the middle of a dial"]
  },

  // ---- the named tests: Parsing -------------------------------------------------------------------------------------
  {
    name: "the other name of the product is not known",
    file: message,
    original: "product: [\"product_id\", \"symbol\"]",
    replacement: "product: [\"product_id\"]",
    test: [ofParsing, "valid price message parsing"]
  },
  {
    name: "what is no JSON is passed over in silence",
    file: generic,
    original: "return Rejection.malformed(name, frame, json)",
    replacement: "return []",
    test: [ofParsing, "malformed json handling"]
  },
  {
    name: "an array counts as an object",
    file: generic,
    original: "if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)",
    replacement: "if (!ExactJson.isObject(json)) return []",
    test: [ofParsing, "malformed json handling"]
  },
  {
    name: "an empty product is a product",
    file: message,
    original: ": json === \"\"\n    ?",
    replacement: ": json === \" \"\n    ?",
    test: [ofParsing, "missing required fields"]
  },
  {
    name: "a price of zero, or under it, is a price",
    file: message,
    original: "if (!Decimal.isPositive(price)) {",
    replacement: "if (Decimal.isPositive(price) === undefined) {",
    test: [ofParsing, "price type validation"]
  },
  {
    name: "a float on the way",
    file: "packages/core/src/value/Decimal.ts",
    original: "if (digits <= exactDoubleDigits) return",
    replacement: "if (digits <= 40) return",
    test: [ofParsing, "decimal precision preservation"]
  },
  {
    name: "a binary message is passed over in silence",
    file: generic,
    original: "return Rejection.binary(name, frame)",
    replacement: "return []",
    test: [ofParsing, "invalid message handling"]
  },
  {
    name: "the bound of a message is that of the buffer",
    file: `${connection}/Connection.ts`,
    original: "maxMessageBytes: policy.inbound.maxMessageBytes",
    replacement: "maxMessageBytes: policy.inbound.bytes",
    test: [ofParsing, "frame buffering"]
  },
  {
    name: "a message of 15 MiB is let in",
    file: policy,
    original: "maxMessageBytes: 10 * 1024 * 1024",
    replacement: "maxMessageBytes: 16 * 1024 * 1024",
    test: [ofParsing, "large message handling"]
  },

  // ---- the named tests: Circuit breaker -----------------------------------------------------------------------------
  {
    name: "the breaker opens one failure late",
    file: breaker,
    original: "failures >= policy.failureThreshold",
    replacement: "failures > policy.failureThreshold",
    test: [ofBreaker, "circuit opens after threshold"]
  },
  {
    name: "a success does not end the count of failures",
    file: breaker,
    original: "return stay(state.failures === 0 || policy.window !== undefined ? state : closed)",
    replacement: "return stay(state)",
    test: [ofBreaker, "circuit opens after threshold: a success between"]
  },
  {
    name: "the breaker rests a millisecond longer",
    file: breaker,
    original: "if (now < state.until) return stay(state, false)",
    replacement: "if (now <= state.until) return stay(state, false)",
    test: [ofBreaker, "circuit half open after timeout"]
  },
  {
    name: "a probe too many",
    file: breaker,
    original: "return state.probing ? stay(state, false) : stay({ ...state, probing: true })",
    replacement: "return stay({ ...state, probing: true })",
    test: [ofBreaker, "circuit half open after timeout: exactly one probe"]
  },
  {
    name: "an interrupted probe keeps its place",
    file: breaker,
    original: "return stay({ ...state, probing: false })",
    replacement: "return stay(state)",
    test: [ofBreaker, "circuit half open after timeout: exactly one probe"]
  },
  {
    name: "one success is enough",
    file: breaker,
    original: "successes >= policy.halfOpen.successThreshold",
    replacement: "successes >= 1",
    test: [ofBreaker, "circuit closes on success"]
  },
  {
    name: "the rest does not grow",
    file: breaker,
    original: "policy.openFactor ** (openings - 1)",
    replacement: "policy.openFactor ** 0",
    test: [ofBreaker, "exponential backoff during open"]
  },
  {
    name: "the rest grows without a cap",
    file: breaker,
    original: "    Duration.toMillis(policy.openCap)\n  )",
    replacement: "    Infinity\n  )",
    test: [ofBreaker, "exponential backoff during open"]
  },
  {
    name: "rejections are not counted",
    file: breaker,
    original: "this.counts.rejected++",
    replacement: "this.counts.rejected += 0",
    test: [ofBreaker, "circuit metrics collection"]
  },
  {
    name: "what is read before a bad frame is lost with it",
    file: `${connection}/internal/decoder.ts`,
    original: "        deliver(messages, channels, at, now, bytes)\n        messages = []",
    replacement: "        messages = []",
    test: [ofBreaker, "mixed valid invalid messages"]
  },
  {
    name: "a gap counts one too many",
    file: `${connection}/internal/sequence.ts`,
    original: "missing: next - last - 1n",
    replacement: "missing: next - last",
    test: [ofBreaker, "message ordering preservation"]
  },
  {
    name: "failures are not told apart",
    file: `${connection}/ConnectError.ts`,
    original: "      return failure.reason._tag\n",
    replacement: "      return \"Refused\"\n",
    test: [ofBreaker, "connection failure handling"]
  },

  // ---- the five of founding document 004 ----------------------------------------------------------------------------
  {
    name: "a subscription is not sent",
    file: stream,
    original: "if (state._tag === \"Up\" && ids.length > 0) yield* source.subscribe(ids)",
    replacement: "",
    test: [ofStream, "a successful connection"]
  },
  {
    name: "the end of the source is the end",
    file: stream,
    original: "Option.getOrElse(next.value, () => endOfStream)",
    replacement: "Option.getOrThrow(next.value)",
    test: [ofStream, "reconnect after disconnect"]
  },
  {
    name: "the waits are those of the breaker alone",
    file: stream,
    original: "dueAt, retry: retry.attempt",
    replacement: "dueAt: 0, retry: retry.attempt",
    test: [ofStream, "exponential backoff"]
  },
  {
    name: "a failed reconnect does not count",
    file: stream,
    original: "yield* recorded(permit.fail(kind))",
    replacement: "yield* permit.release",
    test: [ofStream, "circuit breaker trips"]
  },
  {
    name: "a success does not reset the backoff",
    file: stream,
    original: "Effect.andThen(report, backoff.reset)",
    replacement: "report",
    test: [ofStream, "reset backoff"]
  },

  // ---- presets ------------------------------------------------------------------------------------------------------
  {
    name: "the breaker's rest and the backoff add up",
    file: supervisor,
    original: "seen._tag === \"Open\" ? Math.max(session.dueAt, seen.until) : session.dueAt",
    replacement: "seen._tag === \"Open\" && seen.until > at ? session.dueAt + seen.until - at : session.dueAt",
    test: [ofPresets, "patient: the first dial after ten failures"]
  },
  {
    name: "after its rest the breaker goes on where it was",
    file: supervisor,
    original: "        session.retries = 0\n        yield* this.backoff.reset\n      }",
    replacement: "      }",
    test: [ofPresets, "test: 10, 20 ms"]
  },
  {
    name: "a first connect is retried though the policy says no",
    file: recovery,
    original: "answer === \"retry\" && (hasConnected || policy.retryInitialConnect)",
    replacement: "answer === \"retry\"",
    test: [ofPresets, "patient: a first connect that fails"]
  },
  {
    name: "an open breaker uses up retries",
    file: recovery,
    original: "openUntil === undefined || waitsForBreaker(policy)",
    replacement: "openUntil === undefined || now >= 0",
    test: [ofPresets, "fast, first connect fails"]
  },
  {
    name: "every drop counts",
    file: supervisor,
    original: "circuit !== \"none\" && circuit.countDisconnect ?",
    replacement: "circuit !== \"none\" ?",
    test: [ofPresets, "fast: 100, 200, 400, 800, 800 ms"]
  },
  {
    name: "standard waits for longer",
    file: policy,
    original: "cap: Duration.seconds(8)",
    replacement: "cap: Duration.seconds(16)",
    test: [ofPresets, "standard:"]
  },
  {
    name: "supervised tries four times",
    file: policy,
    original: "maxRetries: 3",
    replacement: "maxRetries: 4",
    test: [ofPresets, "supervised:"]
  },
  {
    name: "market-feed counts failures for ever",
    file: breaker,
    original: "state.failedAt.filter((then) => at - then < window)",
    replacement: "state.failedAt",
    test: [ofPresets, "market-feed: failures more than 60 s apart"]
  },
  {
    name: "a healthy link stays a probe",
    file: supervisor,
    original: "turn.isProven ? breaker.recordStable : Effect.void",
    replacement: "Effect.void",
    test: [ofPresets, "market-feed: a link that has lived"]
  },
  {
    name: "a bare connect counts as success",
    file: policy,
    original: "resetOn: { stableFor: Duration.seconds(30) }",
    replacement: "resetOn: \"connect\"",
    test: [ofPresets, "a server that accepts and drops"]
  },
  {
    name: "jitter goes over the cap",
    file: backoff,
    original: "Random.nextIntBetween(least, most)",
    replacement: "Random.nextIntBetween(least, most * 2)",
    test: [ofPresets, "full jitter under"]
  },
  {
    name: "jitter is not full",
    file: backoff,
    original: "jitter === \"full\" ? 0 :",
    replacement: "jitter === \"full\" ? most - 1 :",
    test: [ofPresets, "full jitter under"]
  },

  // ---- the rules of the house ---------------------------------------------------------------------------------------
  {
    name: "a message for now outlives its epoch",
    file: outbox,
    original: "retain((entry) => entry.delivery === \"keep\", \"EpochEnded\")",
    replacement: "retain(() => true, \"EpochEnded\")",
    test: [ofEpochs, "nothing is written on an epoch"]
  },
  {
    name: "a withdrawn message is sent all the same",
    file: outbox,
    original: "    this.entries.splice(at, 1)\n",
    replacement: "",
    test: [ofEpochs, "nothing is written on an epoch"]
  },
  {
    name: "a restore that fails is told as healthy",
    file: supervisor,
    original: "yield* this.restore(on, number)",
    replacement: "yield* Effect.ignore(this.restore(on, number))",
    test: [ofEpochs, "a restore that fails"]
  },
  {
    name: "what is not wanted any more is restored",
    file: `${connection}/Subscriptions.ts`,
    original: "this.wants.delete(Channel.key(channel))",
    replacement: "this.wants.has(Channel.key(channel))",
    test: [ofEpochs, "what is wanted is what was asked for"]
  },
  {
    name: "who is told that it is up cannot send yet",
    file: supervisor,
    original: "    outbox.begin(on, number)\n",
    replacement: "",
    test: [ofEpochs, "a send on a connection that was never up"]
  },
  {
    name: "a slow consumer loses in silence",
    file: inbox,
    original: "    consumer.missed += gone\n",
    replacement: "",
    test: [ofConsumers, "drop-oldest"]
  },
  {
    name: "a consumer that blocks is passed over",
    file: inbox,
    original:
      "if (consumer.overflow === \"block\" && consumer.ended === undefined && isOver(consumer, this.allowance)) return true",
    replacement: "",
    test: [ofConsumers, "block:"]
  },
  {
    name: "rejections fill the memory",
    file: inbox,
    original: "item.bytes + (item._tag === \"Batch\" ? share * item.messages.length : share)",
    replacement: "item._tag === \"Batch\" ? item.bytes + share * item.messages.length : 0",
    test: [ofConsumers, "what nobody reads is bounded"]
  },
  {
    name: "a stall of ours is told as a dead peer",
    file: `${connection}/internal/heartbeat.ts`,
    original: "if (options.isStalled()) {",
    replacement: "if (options.timeoutMillis < 0) {",
    test: [ofConsumers, "a consumer that stands still"]
  },
  {
    name: "a missed pong closes though it is only to be reported",
    file: supervisor,
    original: "return onMiss === \"report\"",
    replacement: "return onMiss === \"close\"",
    test: [ofConsumers, "with report"]
  },
  {
    name: "path and query of a URL are shown",
    file: "packages/core/src/transport/Address.ts",
    original: "`${standard.success.protocol}//${standard.success.host}`",
    replacement: "`${standard.success.protocol}//${standard.success.host}${address.rest}`",
    test: [ofHousekeeping, "no log line, error"]
  },
  {
    name: "the token is no secret",
    file: supervisor,
    original: "Redacted.make(`Bearer ${Redacted.value(token)}`, { label: \"Authorization\" })",
    replacement: "`Bearer ${Redacted.value(token)}` as never",
    test: [ofHousekeeping, "no log line, error"]
  },
  {
    name: "a scope that ends leaves the streams open",
    file: `${connection}/Connection.ts`,
    original: "Effect.andThen(inbox.shutdown, Effect.sync(() => subscriptions.shutdown()))",
    replacement: "Effect.void",
    test: [ofHousekeeping, "a closed scope frees the socket"]
  },
  {
    name: "any pong will do",
    file: "packages/node/src/NodeTransport.ts",
    original: "this.pongs.find((one) => one.payload === payload)",
    replacement: "this.pongs[0]",
    test: [ofTransport, "a ping completes on the pong with its own payload only"]
  },

  // ---- the suite that runs over both transports, over each ----------------------------------------------------------
  ...[overNetwork, overSockets].flatMap((file): ReadonlyArray<Breakage> => [
    {
      name: "the headers are lost on the way",
      file: `${connection}/Connection.ts`,
      original: "headers: { ...options.headers, ...headers }",
      replacement: "headers: { ...headers }",
      test: [file, "shows the same query, headers and token"]
    },
    {
      name: "what came before a drop is not delivered",
      file: supervisor,
      original: "        read(frames, this.wallNow(), this.lastReceivedAt)\n",
      replacement: "        if (number > 1) read(frames, this.wallNow(), this.lastReceivedAt)\n",
      test: [file, "a drop is one reconnect"]
    },
    {
      name: "a dead link is believed",
      file: supervisor,
      original: "Effect.as(this.endWire(on, failed(failure)), false)",
      replacement: "Effect.succeed(false)",
      test: [file, "a link that is connected and dead"]
    }
  ]),
  // ---- alive: keep-alive, limits, confirmations, freshness, requests ------------------------------------------------
  {
    name: "a window ends a millisecond early",
    file: `${resilience}/RateLimit.ts`,
    original: "at - (times[window.begin] ?? 0) > window.windowMillis",
    replacement: "at - (times[window.begin] ?? 0) >= window.windowMillis",
    test: ["packages/core/test/RateLimit.test.ts", "admits at the very time it names"]
  },
  {
    name: "the queue of a limit knows no priority",
    file: `${resilience}/RateLimit.ts`,
    original: "const waiter: Waiter = { cost, priority, settle }",
    replacement: "const waiter: Waiter = { cost, priority: \"order\", settle }",
    test: ["packages/core/test/RateLimit.test.ts", "queues in the order of priority"]
  },
  {
    name: "an answer to a test waits behind the outbox",
    file: outbox,
    original: "rank: 0, cost, kind, settle: undefined",
    replacement: "rank: 9, cost, kind, settle: undefined",
    test: [ofKeepAlive, "answers a test at once"]
  },
  {
    name: "what came in before a ping answers it",
    file: `${connection}/internal/heartbeat.ts`,
    original: "options.lastReceivedAt() <= begun && !",
    replacement: "options.lastReceivedAt() <= 0 && !",
    test: [ofKeepAlive, "data from before a ping does not answer it"]
  },
  {
    name: "data does not stand for a pong",
    file: `${connection}/internal/heartbeat.ts`,
    original: "options.lastReceivedAt() <= begun && !",
    replacement: "!",
    test: [ofKeepAlive, "Protocol: a link whose answers and beats fail to come"]
  },
  {
    name: "dials are not counted",
    file: supervisor,
    original: "place.use(this.now())",
    replacement: "place.release()",
    test: [ofKeepAlive, "counts dials"]
  },
  {
    name: "a refusal is of the oldest ask, whatever it names",
    file: `${connection}/Subscriptions.ts`,
    original: "? candidates[0] ?? (this.isAlone",
    replacement: "? (this.isAlone",
    test: ["packages/testing/test/MarketFeed.test.ts", "fails the stream of a product that the venue refuses"]
  },
  {
    name: "a quiet market is a dead feed",
    file: "packages/core/src/market/Freshness.ts",
    original: "entry.heardAt = at\n",
    replacement: "entry.heardAt = undefined\n",
    test: ["packages/testing/test/Freshness.test.ts", "takes a quiet market for what it is"]
  },
  {
    name: "a second request takes the place of the first",
    file: `${connection}/Requests.ts`,
    original: "if (waiting.has(id)) return Effect.fail(new DuplicateRequest({ id }))",
    replacement: "",
    test: ["packages/testing/test/Requests.test.ts", "refuses a live id the second time"]
  },
  {
    name: "pending requests outlive their connection",
    file: `${connection}/Requests.ts`,
    original: "else if (item._tag === \"Transition\" && item.from._tag === \"Connected\") drop()",
    replacement: "",
    test: ["packages/testing/test/Requests.test.ts", "says that the outcome is unknown"]
  },

  // ---- what venues send where there is nothing to send --------------------------------------------------------------
  {
    name: "a trade that was not made on the market is one",
    file: "packages/core/src/venue/binance/Venue.ts",
    original: "if (offMarket.has(Layout.text(members, 6))) return undefined",
    replacement: "",
    test: ["packages/core/test/Binance.test.ts", "reads a trade of the futures that is none of the market's, NA, bare"]
  },
  {
    name: "an empty price refuses the frame",
    file: "packages/core/src/venue/Wire.ts",
    original: "optional(Schema.Union([Decimal.FromText, Schema.Literal(\"\")]))",
    replacement: "optional(Schema.Union([Decimal.FromText]))",
    test: ["packages/core/test/Coinbase.test.ts", "reads a ticker with an empty price, before the first trade"]
  },
  {
    name: "a greeting in plain text is a fault",
    file: "packages/core/src/venue/hyperliquid/Venue.ts",
    original: "frame === greeting ? greeted : Rejection",
    replacement: "Rejection",
    test: ["packages/core/test/Hyperliquid.test.ts", "passes over the plain text that greets"]
  },
  {
    name: "the last of two members does not count",
    file: `${connection}/internal/sequence.ts`,
    original: "if (isName(text, key, colon, name)) found = text.slice(value, at)",
    replacement: "if (isName(text, key, colon, name)) found ??= text.slice(value, at)",
    test: ["packages/core/test/Sequence.test.ts", "reads the last of two"]
  },
  // ---- the terminal -------------------------------------------------------------------------------------------------
  {
    name: "what shows as nothing is left as it is",
    file: "packages/core/src/value/Printable.ts",
    original: "\\p{Zp}\\p{Default_Ignorable_Code_Point}]",
    replacement: "\\p{Zp}]",
    test: ["packages/core/test/Printable.test.ts", "escapes fillers"]
  },
  {
    name: "a close reason goes into the log as it came",
    file: "packages/core/src/transport/Transport.ts",
    original: "Printable.escape(this.reason)",
    replacement: "this.reason",
    test: ["packages/core/test/Printable.test.ts", "no error's message shows it raw"]
  },
  // ---- bounds ----------------------------------------------------------------------------------------------------
  {
    name: "a message without bytes weighs nothing",
    file: inbox,
    original: "item.bytes + (item._tag === \"Batch\" ? share * item.messages.length : share)",
    replacement: "item.bytes + (item._tag === \"Batch\" ? 0 : share)",
    test: [ofConsumers, "a message costs its bytes and a share"]
  },
  {
    name: "a consumer that conflates is given what is superseded",
    file: inbox,
    original: "return key === undefined || newest.get(key) === at",
    replacement: "return key === undefined || at >= 0",
    test: [ofConsumers, "conflate: the newest of each key stays"]
  },
  {
    name: "a flood of tests fills the outbox with answers",
    file: outbox,
    original: " || this.entries.some((entry) => entry.kind === kind)",
    replacement: "",
    test: ["packages/testing/test/connection/KeepAlive.test.ts", "a flood of tests does not fill"]
  },
  {
    name: "a frame of a million names is read",
    file: "packages/core/src/codec/ExactJson.ts",
    original: "return this.names.size <= maxNames",
    replacement: "return true",
    test: ["packages/core/test/ExactJson.test.ts", "different names"]
  },
  {
    name: "messages without bytes fill a wire",
    file: "packages/core/src/transport/Frame.ts",
    original: "(messages > few && bytes + share * (messages - few) >= bound)",
    replacement: "messages < 0",
    test: ["packages/core/test/BrowserTransport.test.ts", "where it has no bytes"]
  },
  {
    name: "a frame of exponents fills the memory",
    file: "packages/core/src/venue/Wire.ts",
    original: "if (zeros > most) {",
    replacement: "if (zeros < 0) {",
    test: ["packages/core/test/Fuzz.test.ts", "in plain notation"]
  },
  {
    name: "transitions that nobody reads wait for ever",
    file: inbox,
    original: "if (consumer.lifecycle > consumer.mostLifecycle) mergeOlder(consumer)",
    replacement: "",
    test: [ofConsumers, "who reads no transitions stops nothing"]
  },
  // ---- secrets ------------------------------------------------------------------------------------------------------
  {
    name: "a URL that cannot be read is shown as it is",
    file: "packages/core/src/transport/Address.ts",
    original: "return \"(unreadable URL)\"",
    replacement: "return url",
    test: [ofSecrets, "shows no secret of"]
  },
  {
    name: "a venue's echo of the token is passed on",
    file: `${connection}/Connection.ts`,
    original: "return Secrets.clear(request, transport.dial(request))",
    replacement: "return transport.dial(request)",
    test: [ofSecrets, "is cleared of the token"]
  },
  {
    name: "a token with a line break is tried as a header",
    file: supervisor,
    original: "const fault = Endpoint.headerFault(Redacted.value(token))",
    replacement: "const fault = undefined",
    test: [ofSecrets, "a token that no header can hold"]
  },
  {
    name: "every ping is answered, however many pongs wait",
    file: "packages/node/src/NodeTransport.ts",
    original: "if (this.isAnswering) this.unanswered = new Uint8Array(data)\n    else this.answer(data)",
    replacement: "this.answer(data)",
    test: [ofTransport, "a flood of pings"]
  },
  // ---- time ---------------------------------------------------------------------------------------------------------
  {
    name: "a connection waits by the wall clock",
    file: supervisor,
    original: "return Monotonic.nowMillis(this.clock)",
    replacement: "return this.clock.currentTimeMillisUnsafe()",
    test: [ofSteps, "changes no backoff"]
  },
  {
    name: "limits are kept by the wall clock",
    file: `${connection}/Connection.ts`,
    original: "const now = (): number => Monotonic.nowMillis(clock)",
    replacement: "const now = (): number => clock.currentTimeMillisUnsafe()",
    test: [ofSteps, "changes no limit"]
  },
  {
    name: "the moment of the last message is not the wall clock's",
    file: metrics,
    original: "Math.round(at + this.heardAt - now)",
    replacement: "this.heardAt",
    test: [ofSteps, "changes no duration that is told"]
  },
  // ---- whose the data is ------------------------------------------------------------------------------------------
  {
    name: "what was refused together with a bad symbol stays unasked",
    file: `${connection}/Subscriptions.ts`,
    original: "        this.askAgain(others)\n",
    replacement: "",
    test: ["packages/testing/test/Refusals.test.ts", "first: the good ones flow"]
  },
  {
    name: "what is not answered in time is never told",
    file: `${connection}/Subscriptions.ts`,
    original: "this.refuse(channels, undefined, `no answer within ${millis} ms`, undefined)",
    replacement: "",
    test: ["packages/testing/test/Refusals.test.ts", "in the form of no answer"]
  },
  {
    name: "a list of everything refuses nothing",
    file: `${connection}/Subscriptions.ts`,
    original: "    this.refuseUnlisted(listed, by)\n",
    replacement: "",
    test: ["packages/testing/test/Refusals.test.ts", "in the form of a list that lacks it"]
  },
  {
    name: "a price that is cut is not marked",
    file: "packages/node/src/runner/BoardLayout.ts",
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
  // ---- metrics ------------------------------------------------------------------------------------------------------
  {
    name: "a metric is not there before it counts",
    file: metrics,
    original: "for (const metric of metrics) metric.valueUnsafe(labelled)",
    replacement: "",
    test: [ofMetrics, "are there at zero before anything has happened"]
  },
  {
    name: "what consumers miss is not counted",
    file: inbox,
    original: "if (consumer.missed > before) this.onMissed?.(consumer.missed - before)",
    replacement: "",
    test: [ofMetrics, "count what slow consumers did not get"]
  },
  {
    name: "a breaker's metrics are not Effect's",
    file: breaker,
    original: "this.registered.set(machine.key, registerUnsafe(machine.breaker, context))",
    replacement: "",
    test: [ofMetrics, "have those of the breaker among them"]
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
    original: "if (recorder !== undefined) yield* recorder.finish",
    replacement: "",
    test: ["packages/node/test/runner/Process.test.ts", "a recording on a full disk"]
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
  // ---- secrets of a configuration, and who may read the pages ---------------------------------------------------------
  {
    name: "the value of an unknown key is quoted",
    file: "packages/node/src/runner/ServiceConfig.ts",
    original: "`${path}${key}`,\n      undefined,",
    replacement: "`${path}${key}`,\n      table[key],",
    test: [ofRunnerSecrets, "shows no secret, and ends with 2"]
  },
  {
    name: "frames are recorded with the secrets in them",
    file: "packages/node/src/runner/Recording.ts",
    original: "mask === undefined ? frame : mask.frame(frame)",
    replacement: "frame",
    test: [ofRunnerSecrets, "finds it masked on stdout"]
  },
  {
    name: "a foreign host is answered",
    file: "packages/node/src/runner/Guard.ts",
    original: "!isAnswered(headers[\"host\"], place)",
    replacement: "!isAnswered(undefined, place)",
    test: [ofRunnerSecrets, "answer to loopback names"]
  },
  {
    name: "the variables of the environment are not asked for",
    file: policy,
    original: "const value = Option.orElse(variable, () => ofKeys[index] ?? Option.none())",
    replacement: "const value = ofKeys[index] ?? Option.none()",
    test: ["packages/core/test/ConnectionPolicy.test.ts", "is read by itself"]
  },
  // ---- limits and closes -------------------------------------------------------------------------------------------
  {
    name: "limits per address are each connection's own",
    file: `${resilience}/RateLimit.ts`,
    original: "defaultValue: makePerNetwork",
    replacement: "defaultValue: () => unshared",
    test: ["packages/testing/test/connection/Limits.test.ts", "are shared by all who dial it"]
  },
  {
    name: "a dial's place is free while its token is fetched",
    file: `${resilience}/RateLimit.ts`,
    original: "this.reserved += cost",
    replacement: "this.reserved += 0",
    test: ["packages/testing/test/connection/Limits.test.ts", "hold while tokens are fetched"]
  },
  {
    name: "a dial that is not made keeps its place",
    file: supervisor,
    original: "Effect.addFinalizer(() => Effect.sync(() => place.release()))",
    replacement: "Effect.void",
    test: ["packages/testing/test/connection/Limits.test.ts", "give back the place of a dial"]
  },
  {
    name: "the first to come says which windows an address has",
    file: `${resilience}/RateLimit.ts`,
    original: "            ledger.declare(windows)",
    replacement: "            if (ledger.left(0).length === 0) ledger.declare(windows)",
    test: ["packages/testing/test/connection/Limits.test.ts", "are the strictest of those"]
  },
  {
    name: "a message that cannot have its cost switches the limit off",
    file: outbox,
    original: "if (pace !== undefined && !isCost(cost)) {",
    replacement: "if (pace !== undefined && cost === 0.5) {",
    test: ["packages/testing/test/connection/Limits.test.ts", "refuse what cannot be a cost"]
  },
  {
    name: "what is urgent waits for as long as what was first",
    file: outbox,
    original: "if (place === 0) this.sleeper?.wake()",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "let a free cancel pass"]
  },
  {
    name: "a spelling of an address is another address",
    file: "packages/core/src/transport/Address.ts",
    original: "Result.isFailure(standard) ? written :",
    replacement: "true ? written :",
    test: ["packages/testing/test/connection/Limits.test.ts", "however it is written"]
  },
  {
    name: "a registry forgets a breaker that is open",
    file: breaker,
    original: "if (!machine.isWorthKeeping(now)) this.drop(machine)",
    replacement: "this.drop(machine)",
    test: ["packages/core/test/CircuitBreaker.kept.test.ts", "forgets keys that have nothing to say"]
  },
  {
    name: "a forced close waits a graceful one out",
    file: supervisor,
    original: "if (mode === \"forced\") yield* this.force(closing)",
    replacement: "",
    test: ["packages/testing/test/connection/Closing.test.ts", "by force cuts a graceful one short"]
  },
  {
    name: "a connection whose scope has closed keeps what is sent",
    file: outbox,
    original: "if (this.isShutDown || (wire === undefined",
    replacement: "if ((wire === undefined",
    test: ["packages/testing/test/connection/Closing.test.ts", "a connection refuses by a typed error"]
  },
  {
    name: "a 403 without a token ends a feed for good",
    file: supervisor,
    original: "rejectionOf(failure)?.status === 403 ? \"retry\" : \"stop\"",
    replacement: "\"stop\"",
    test: ["packages/testing/test/connection/Authorization.test.ts", "a 403 passes"]
  },
  {
    name: "data confirms no subscription",
    file: `${connection}/Subscriptions.ts`,
    original: "for (const of of channels) this.confirmByData(of)",
    replacement: "void channels",
    test: ["packages/testing/test/Refusals.test.ts", "data without an acknowledgement at kraken"]
  },
  {
    name: "data is that of every subscription to the product",
    file: "packages/core/src/market/internal/router.ts",
    original: "const routes = topic === undefined ? undefined : names.get(topic.name)",
    replacement: "const routes = topic === undefined ? undefined : [...names.values()][0]",
    test: ["packages/testing/test/Routing.test.ts", "binance: depth20 beside trade"]
  },
  {
    name: "a product is asked for as it was written",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "channels.map((channel) => normalised(venue, channel))",
    replacement: "channels",
    test: ["packages/testing/test/Routing.test.ts", "binance: btcusdt, of every stream"]
  },
  {
    name: "a typed stream has the events of another subscription",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "channels.some(isWanted)",
    replacement: "channels.length >= 0",
    test: ["packages/testing/test/Routing.test.ts", "binance: trades are not told twice"]
  },
  {
    name: "a feed counts no gaps of a drop",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "metrics.gaps(\"disconnect\", wanted.length)",
    replacement: "void 0",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "events of a batch are counted once",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "metrics.arrived(channel.channel, i + 1 - first)",
    replacement: "metrics.arrived(channel.channel, 1)",
    test: ["packages/testing/test/FeedMetrics.test.ts", "count events by channel"]
  },
  {
    name: "what was handed over before a drop is not told",
    file: supervisor,
    original: "this.unconfirmed = unconfirmed\n",
    replacement: "",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is told of a drop"]
  },
  {
    name: "a pong confirms nothing",
    file: supervisor,
    original: "          confirm()\n",
    replacement: "",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is told of a drop"]
  },
  {
    name: "a ping of the venue's own is charged twice",
    file: supervisor,
    original: "{ admitted: kind === \"ping\" }",
    replacement: "{ admitted: false }",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is charged once"]
  },
  {
    name: "queries starve what asks for subscriptions",
    file: outbox,
    original: "      if (this.yields(entry.rank)) return Infinity\n",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "let a subscription pass"]
  },
  // What is asked for, and who waits for it.
  {
    name: "what is asked for is given up with whoever asked for it",
    file: supervisor,
    original: "Fiber.await(fiber),",
    replacement: "Effect.onInterrupt(Fiber.await(fiber), () => Fiber.interrupt(fiber)),",
    test: ["packages/testing/test/connection/Limits.test.ts", "lose nothing of what is wanted"]
  },
  {
    name: "what comes while an ask is held up asks once more",
    file: supervisor,
    original: "    this.isAskingAgain = true\n",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "hold up what is asked for once more"]
  },
  {
    name: "who begins to send leaves a list without a deadline",
    file: "packages/core/src/connection/Connection.ts",
    original: "supervisor.share()",
    replacement: "restoration.share()",
    test: ["packages/testing/test/Refusals.test.ts", "is concluded in time"]
  },
  {
    name: "whoever gives channels up waits for the limit",
    file: `${connection}/Connection.ts`,
    original: "return supervisor.askBeside",
    replacement: "return supervisor.ask",
    test: ["packages/testing/test/connection/Unsubscribing.test.ts", "keeps nobody who leaves waiting"]
  }
]
