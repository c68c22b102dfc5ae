/** Breakages of `connection/internal/supervisor.ts`. */
import type { Breakage } from "./Breakage.ts"

const connection = "packages/core/src/connection"
const supervisor = `${connection}/internal/supervisor.ts`
const named = "packages/testing/test/named"
const ofConnection = `${named}/Connection.test.ts`
const ofReconnection = `${named}/Reconnection.test.ts`
const ofPresets = `${named}/Presets.test.ts`
const ofEpochs = "packages/testing/test/connection/Epochs.test.ts"
const ofConsumers = "packages/testing/test/connection/Consumers.test.ts"
const ofHousekeeping = "packages/testing/test/connection/Housekeeping.test.ts"
const ofSecrets = "packages/testing/test/connection/Secrets.test.ts"
const ofKeepAlive = "packages/testing/test/connection/KeepAlive.test.ts"
const ofSteps = "packages/testing/test/SteppedClock.test.ts"
const overNetwork = "packages/testing/test/ConnectionBehaviour.test.ts"
const overSockets = "packages/node/test/ConnectionBehaviour.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the named tests: Connection
  {
    name: "every connection has the same id",
    file: supervisor,
    original: "`conn_${Math.floor(random.nextDoubleUnsafe() * 0x100000000).toString(16).padStart(8, \"0\")}`",
    replacement: "\"conn_00000000\"",
    test: [ofConnection, "multiple concurrent connections"]
  },
  {
    name: "the token goes without its scheme",
    file: `${connection}/internal/tokenRefresh.ts`,
    original: "Redacted.make(`Bearer ${Redacted.value(token)}`",
    replacement: "Redacted.make(`${Redacted.value(token)}`",
    test: [ofConnection, "websocket auth validation"]
  },
  {
    name: "a refused token is refreshed without end",
    file: `${connection}/internal/tokenRefresh.ts`,
    original: "    this.isRefreshed = true\n",
    replacement: "",
    test: [ofConnection, "websocket auth validation: a refresh that does not help"]
  },
  {
    name: "a token is refreshed once for all time",
    file: `${connection}/internal/stability.ts`,
    original: "session.token.confirm()\n",
    replacement: "",
    test: ["packages/testing/test/connection/Authorization.test.ts", "after a connection with the new one has held"]
  },
  {
    name: "the connect timeout is not the policy's",
    file: `${connection}/internal/dialler.ts`,
    original: "const { connectTimeout } = this.policy\n",
    replacement: "const connectTimeout = \"10 seconds\"\n",
    test: [ofConnection, "connection timeout handling"]
  },
  {
    name: "the time in a state is counted from the first",
    file: `${connection}/internal/stateTracker.ts`,
    original: "    this.stateSince = now\n",
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
    file: `${connection}/internal/close.ts`,
    original: "on.close(1000, \"\")",
    replacement: "on.close(1001, \"\")",
    test: [ofConnection, "graceful disconnect"]
  },
  {
    name: "a graceful close waits for longer than it may",
    file: `${connection}/internal/close.ts`,
    original: "duration: this.parts.policy.closeTimeout",
    replacement: "duration: this.parts.policy.connectTimeout",
    test: [ofConnection, "graceful disconnect: a peer that never answers"]
  },
  // the named tests: Reconnection
  {
    name: "the backoff is not reset by a success",
    file: `${connection}/internal/stability.ts`,
    original: "Effect.andThen(this.backoff.reset, report)",
    replacement: "report",
    test: [ofReconnection, "backoff reset on success"]
  },
  {
    name: "the count of retries is not reset by a success",
    file: `${connection}/internal/stability.ts`,
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
    name: "a forced close is told as a clean one",
    file: `${connection}/internal/close.ts`,
    original: "clean: answered && closing.mode === \"graceful\"",
    replacement: "clean: true",
    test: [ofReconnection, "forced disconnect"]
  },
  {
    name: "a close waits for the dial that is under way",
    file: `${connection}/internal/close.ts`,
    original: "yield* Fiber.interrupt(supervision)",
    replacement: "yield* Fiber.await(supervision)",
    test: [ofReconnection, "forced disconnect: in the middle of a dial"]
  },
  // presets
  {
    name: "the breaker's rest and the backoff add up",
    file: `${connection}/internal/dialler.ts`,
    original: "seen?._tag === \"Open\" ? Math.max(session.dueAt, seen.until) : session.dueAt",
    replacement: "seen?._tag === \"Open\" && seen.until > at ? session.dueAt + seen.until - at : session.dueAt",
    test: [ofPresets, "patient: the first dial after ten failures"]
  },
  {
    name: "after its rest the breaker goes on where it was",
    file: `${connection}/internal/dialler.ts`,
    original: "        session.retries = 0\n        yield* this.backoff.reset\n      }",
    replacement: "      }",
    test: [ofPresets, "test: 10, 20 ms"]
  },
  {
    name: "every drop counts",
    file: supervisor,
    original: "circuit !== \"none\" && circuit.countDisconnect ?",
    replacement: "circuit !== \"none\" ?",
    test: [ofPresets, "fast: 100, 200, 400, 800, 800 ms"]
  },
  {
    name: "a healthy link stays a probe",
    file: `${connection}/internal/stability.ts`,
    original: "if (this.isStable) run(breaker.recordStable)",
    replacement: "",
    test: [ofPresets, "market-feed: a link that has lived"]
  },
  // the rules of the house
  {
    name: "a restore that fails is told as healthy",
    file: supervisor,
    original: "? epoch.restore()",
    replacement: "? Effect.ignore(epoch.restore())",
    test: [ofEpochs, "a restore that fails"]
  },
  {
    name: "who is told that it is up cannot send yet",
    file: supervisor,
    original: "    outbox.begin(on, number)\n",
    replacement: "",
    test: [ofEpochs, "a send on a connection that was never up"]
  },
  {
    name: "a missed pong closes though it is only to be reported",
    file: `${connection}/internal/epoch.ts`,
    original: "this.endsOnMiss = onMiss !== \"report\"",
    replacement: "this.endsOnMiss = onMiss !== \"close\"",
    test: [ofConsumers, "with report"]
  },
  {
    name: "the token is no secret",
    file: `${connection}/internal/tokenRefresh.ts`,
    original: "Redacted.make(`Bearer ${Redacted.value(token)}`, { label: \"Authorization\" })",
    replacement: "`Bearer ${Redacted.value(token)}` as never",
    test: [ofHousekeeping, "no log line, error"]
  },
  // the suite that runs over both transports, over each
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
      file: `${connection}/internal/epoch.ts`,
      original: "      reader.read(frames, this.states.wallNow(), this.lastReceivedAt)\n",
      replacement: "      if (this.number > 1) reader.read(frames, this.states.wallNow(), this.lastReceivedAt)\n",
      test: [file, "a drop is one reconnect"]
    },
    {
      name: "a dead link is believed",
      file: `${connection}/internal/epoch.ts`,
      original: "Effect.as(this.epoch.endWire(failed(failure)), false)",
      replacement: "Effect.succeed(false)",
      test: [file, "a link that is connected and dead"]
    }
  ]),
  // alive: keep-alive, limits, confirmations, freshness, requests
  {
    name: "dials are not counted",
    file: `${connection}/internal/dialler.ts`,
    original: "place.use(this.states.now())",
    replacement: "place.release()",
    test: [ofKeepAlive, "counts dials"]
  },
  // secrets
  {
    name: "a token with a line break is tried as a header",
    file: `${connection}/internal/tokenRefresh.ts`,
    original: "const fault = Endpoint.headerFault(Redacted.value(token))",
    replacement: "const fault = undefined",
    test: [ofSecrets, "a token that no header can hold"]
  },
  // time
  {
    name: "a connection waits by the wall clock",
    file: `${connection}/internal/stateTracker.ts`,
    original: "return Monotonic.nowMillis(this.clock)",
    replacement: "return this.clock.currentTimeMillisUnsafe()",
    test: [ofSteps, "changes no backoff"]
  },
  // limits and closes
  {
    name: "a dial that is not made keeps its place",
    file: `${connection}/internal/dialler.ts`,
    original: "    place?.release()\n",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "give back the place of a dial"]
  },
  {
    name: "a forced close waits a graceful one out",
    file: `${connection}/internal/close.ts`,
    original: "if (mode === \"forced\") yield* this.force(closing)",
    replacement: "",
    test: ["packages/testing/test/connection/Closing.test.ts", "by force cuts a graceful one short"]
  },
  {
    name: "a 403 without a token ends a feed for good",
    file: `${connection}/internal/failureAnswers.ts`,
    original: "rejectionOf(failure)?.status === 403 ? \"retry\" : \"stop\"",
    replacement: "\"stop\"",
    test: ["packages/testing/test/connection/Authorization.test.ts", "a 403 passes"]
  },
  {
    name: "what was handed over before a drop is not told",
    file: `${connection}/internal/epoch.ts`,
    original: "this.states.unconfirmed = unconfirmed\n",
    replacement: "",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is told of a drop"]
  },
  {
    name: "a pong confirms nothing",
    file: `${connection}/internal/epoch.ts`,
    original: "      this.confirm()\n",
    replacement: "",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is told of a drop"]
  },
  {
    name: "a ping of the venue's own is charged twice",
    file: `${connection}/internal/epoch.ts`,
    original: "{ admitted: kind === \"ping\" }",
    replacement: "{ admitted: false }",
    test: ["packages/testing/test/connection/Unconfirmed.test.ts", "is charged once"]
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
    file: `${connection}/internal/epoch.ts`,
    original: "    this.isAskingAgain = true\n",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "hold up what is asked for once more"]
  },
  // under many interleavings
  {
    name: "of two who connect at once both begin",
    file: supervisor,
    original: "      this.states.move(State.Connecting({ attempt: 1 }), \"connect\")\n",
    replacement:
      "      yield* Effect.yieldNow\n      this.states.move(State.Connecting({ attempt: 1 }), \"connect\")\n",
    test: ["packages/testing/test/interleavings/Supervisor.test.ts", "A supervisor keeps one wire"]
  }
]
