/** Breakages of the room `connection` of core. */
import type { Breakage } from "./Breakage.ts"

const connection = "packages/core/src/connection"
const metrics = `${connection}/internal/metricsRecorder.ts`
const outbox = `${connection}/internal/outbox.ts`
const inbox = `${connection}/internal/inbox.ts`
const queue = `${connection}/internal/consumerQueue.ts`
const named = "packages/testing/test/named"
const ofConnection = `${named}/Connection.test.ts`
const ofReconnection = `${named}/Reconnection.test.ts`
const ofParsing = `${named}/Parsing.test.ts`
const ofBreaker = `${named}/CircuitBreaker.test.ts`
const ofEpochs = "packages/testing/test/connection/Epochs.test.ts"
const ofConsumers = "packages/testing/test/connection/Consumers.test.ts"
const ofHousekeeping = "packages/testing/test/connection/Housekeeping.test.ts"
const ofSecrets = "packages/testing/test/connection/Secrets.test.ts"
const ofKeepAlive = "packages/testing/test/connection/KeepAlive.test.ts"
const ofMetrics = "packages/testing/test/connection/Metrics.test.ts"
const ofBounds = "packages/testing/test/connection/NeverStale.test.ts"
const ofOpening = "packages/testing/test/connection/Opening.test.ts"
const opening = `${connection}/internal/opening.ts`
const ofSteps = "packages/testing/test/SteppedClock.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the named tests: Connection
  {
    name: "the time of the connect is not kept",
    file: metrics,
    original: "connectedAt ??= at",
    replacement: "connectedAt ??= 0",
    test: [ofConnection, "basic websocket connection"]
  },
  {
    name: "only the first reader of a connection is served",
    file: inbox,
    original: "      if (isWanted(consumer.interest, item)) this.offerTo(consumer, item)\n",
    replacement: "      if (isWanted(consumer.interest, item)) this.offerTo(consumer, item)\n      break\n",
    test: [ofConnection, "concurrent message reading"]
  },
  {
    name: "a consumer that needs a turn of its own is given none",
    file: inbox,
    original: "    return hasLate\n",
    replacement: "    return false\n",
    test: ["packages/testing/test/connection/Turns.test.ts", "stop for a consumer that needs a turn"]
  },
  // the named tests: Reconnection
  {
    name: "a subscription is not restored",
    file: `${connection}/internal/subscriptionStates.ts`,
    original: "    this.asked.clear()\n",
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
    original: "this.shift(entry)\n      this.sent++",
    replacement: "if (this.sentAfterWaiting % 2 === 1) this.shift(entry)\n      this.sent++",
    test: [ofReconnection, "connection state preservation"]
  },
  {
    name: "the outbox has no bound",
    file: outbox,
    original: "const isFull = this.entries.length >= bounds.messages || this.bytes + sizeOf(message) > bounds.bytes",
    replacement: "const isFull = this.bytes + sizeOf(message) > bounds.bytes",
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
  // the named tests: Parsing
  {
    name: "the bound of a message is that of the buffer",
    file: `${connection}/Connection.ts`,
    original: "maxMessageBytes: policy.inbound.maxMessageBytes",
    replacement: "maxMessageBytes: policy.inbound.bytes",
    test: [ofParsing, "frame buffering"]
  },
  // the named tests: Circuit breaker
  {
    name: "what is read before a bad frame is lost with it",
    file: `${connection}/internal/frameReader.ts`,
    original: "        flush()\n",
    replacement: "",
    test: [ofBreaker, "mixed valid invalid messages"]
  },
  {
    name: "a gap counts one too many",
    file: `${connection}/internal/sequenceGaps.ts`,
    original: "const missing = next - last - 1n",
    replacement: "const missing = next - last",
    test: [ofBreaker, "message ordering preservation"]
  },
  {
    name: "failures are not told apart",
    file: `${connection}/ConnectError.ts`,
    original: "      return failure.reason._tag\n",
    replacement: "      return \"Refused\"\n",
    test: [ofBreaker, "connection failure handling"]
  },
  // the rules of the house
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
    name: "what is not wanted any more is restored",
    file: `${connection}/internal/subscriptionStates.ts`,
    original: "    this.wants.delete(key)\n",
    replacement: "",
    test: [ofEpochs, "what is wanted is what was asked for"]
  },
  {
    name: "a slow consumer loses in silence",
    file: queue,
    original: "    consumer.missed += gone\n",
    replacement: "",
    test: [ofConsumers, "drop-oldest"]
  },
  {
    name: "a consumer that blocks is passed over",
    file: inbox,
    original: "if (consumer.ended === undefined && isOver(consumer, this.allowance)) return true",
    replacement: "",
    test: [ofConsumers, "block:"]
  },
  {
    name: "rejections fill the memory",
    file: queue,
    original: "item.bytes + (item._tag === \"Batch\" ? share * item.messages.length : share)",
    replacement: "item._tag === \"Batch\" ? item.bytes + share * item.messages.length : 0",
    test: [ofConsumers, "what nobody reads is bounded"]
  },
  {
    name: "a scope that ends leaves the streams open",
    file: `${connection}/Connection.ts`,
    original: "      Effect.andThen(inbox.shutdown),\n",
    replacement: "",
    test: [ofHousekeeping, "a closed scope frees the socket"]
  },
  // alive: keep-alive, limits, confirmations, freshness, requests
  {
    name: "an answer to a test waits behind the outbox",
    file: outbox,
    original: "rank: 0, cost, kind, settle: undefined",
    replacement: "rank: 9, cost, kind, settle: undefined",
    test: [ofKeepAlive, "answers a test at once"]
  },
  {
    name: "a refusal is of the oldest ask, whatever it names",
    file: `${connection}/internal/refusedChannels.ts`,
    original: "return candidates[0] ?? (isAlone",
    replacement: "return (isAlone",
    test: ["packages/testing/test/MarketFeed.test.ts", "fails the stream of a product that the venue refuses"]
  },
  // what venues send where there is nothing to send
  {
    name: "the last of two members does not count",
    file: "packages/core/src/codec/internal/memberText.ts",
    original: "if (isName(text, key, colon, name)) found = text.slice(value, at)",
    replacement: "if (isName(text, key, colon, name)) found ??= text.slice(value, at)",
    test: ["packages/core/test/Sequence.test.ts", "reads the last of two"]
  },
  // bounds
  {
    name: "a message without bytes weighs nothing",
    file: queue,
    original: "item.bytes + (item._tag === \"Batch\" ? share * item.messages.length : share)",
    replacement: "item.bytes + (item._tag === \"Batch\" ? 0 : share)",
    test: [ofConsumers, "a message costs its bytes and a share"]
  },
  {
    name: "a consumer that conflates is given what is superseded",
    file: queue,
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
    name: "transitions that nobody reads wait for ever",
    file: queue,
    original: "if (consumer.lifecycle > consumer.mostLifecycle) mergeOlder(consumer)",
    replacement: "",
    test: [ofConsumers, "who reads no transitions stops nothing"]
  },
  // secrets
  {
    name: "a venue's echo of the token is passed on",
    file: `${connection}/Connection.ts`,
    original: "return SecretMask.mask(request, transport.dial(request))",
    replacement: "return transport.dial(request)",
    test: [ofSecrets, "is cleared of the token"]
  },
  // time
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
  // whose the data is
  {
    name: "what was refused together with a bad symbol stays unasked",
    file: `${connection}/internal/refusedChannels.ts`,
    original: "again: [open.filter((channel) => !isNamed(channel))]",
    replacement: "again: []",
    test: ["packages/testing/test/Refusals.test.ts", "first: the good ones flow"]
  },
  {
    name: "what is not answered in time is never told",
    file: `${connection}/internal/subscriptions.ts`,
    original: "this.refuse(channels, undefined, `no answer within ${millis} ms`, undefined)",
    replacement: "",
    test: ["packages/testing/test/Refusals.test.ts", "in the form of no answer"]
  },
  {
    name: "a list of everything refuses nothing",
    file: `${connection}/internal/subscriptions.ts`,
    original: "    this.refuseUnlisted(listed, by)\n",
    replacement: "",
    test: ["packages/testing/test/Refusals.test.ts", "in the form of a list that lacks it"]
  },
  // metrics
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
  // limits and closes
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
    name: "a connection whose scope has closed keeps what is sent",
    file: outbox,
    original: "if (this.isShutDown) return \"Closed\"",
    replacement: "",
    test: ["packages/testing/test/connection/Closing.test.ts", "a connection refuses by a typed error"]
  },
  {
    name: "data confirms no subscription",
    file: `${connection}/internal/subscriptions.ts`,
    original: "for (let at = start; at < end; at++) this.confirmByData(channels[at])",
    replacement: "void channels",
    test: ["packages/testing/test/Refusals.test.ts", "data without an acknowledgement at kraken"]
  },
  {
    name: "queries starve what asks for subscriptions",
    file: outbox,
    original: "      if (this.yields(entry.rank)) return Effect.never\n",
    replacement: "",
    test: ["packages/testing/test/connection/Limits.test.ts", "let a subscription pass"]
  },
  // What is asked for, and who waits for it.
  {
    name: "who begins to send leaves a list without a deadline",
    file: "packages/core/src/connection/Connection.ts",
    original: "supervisor.share()",
    replacement: "subscriptions.share()",
    test: ["packages/testing/test/Refusals.test.ts", "is concluded in time"]
  },
  {
    name: "whoever gives channels up waits for the limit",
    file: `${connection}/Connection.ts`,
    original: "return this.#made.supervisor.askBeside",
    replacement: "return this.#made.supervisor.ask",
    test: ["packages/testing/test/connection/Unsubscribing.test.ts", "keeps nobody who leaves waiting"]
  },
  // never stale
  {
    name: "a message is written at its deadline",
    file: outbox,
    original: "this.bounds.now() >= until",
    replacement: "this.bounds.now() > until",
    test: [ofBounds, "is too late at its deadline, whichever wakes first"]
  },
  {
    name: "a message waits beyond its deadline",
    file: outbox,
    original: "return deadline === undefined ? written",
    replacement: "return deadline !== null ? written",
    test: [ofBounds, "is written before its deadline, or fails at it"]
  },
  {
    name: "a message of another epoch is written",
    file: outbox,
    original: "if (epoch !== this.epoch) return \"EpochEnded\"",
    replacement: "",
    test: [ofBounds, "is written on its epoch alone"]
  },
  {
    name: "a message outlives its session",
    file: outbox,
    original: "? \"TimedOut\" : isSignedIn?.() === false ? \"SignedOut\" : undefined",
    replacement: "? \"TimedOut\" : undefined",
    test: [ofBounds, "is not written once its session is over"]
  },
  {
    name: "a message is sent after its session",
    file: outbox,
    original: "return isSignedIn?.() === false ? \"SignedOut\" : undefined",
    replacement: "return undefined",
    test: [ofBounds, "is not written once its session is over"]
  },
  {
    name: "a message that cannot be made holds the others up",
    file: outbox,
    original: "      this.drop(entry, Effect.die(defect))\n      return undefined",
    replacement: "      throw defect",
    test: [ofBounds, "that cannot be made fails its sender"]
  },
  // the opening of an epoch
  {
    name: "what stands is asked for before subscriptions are restored",
    file: opening,
    original: "    Effect.andThen(epoch.answered()),\n",
    replacement: "",
    test: [ofOpening, "has failed where subscriptions are not answered"]
  },
  {
    name: "a subscription that is lost on the way is nobody's matter",
    file: opening,
    original: "    Effect.andThen(lost),\n",
    replacement: "",
    test: [ofOpening, "has failed where a subscription that was confirmed before is refused"]
  },
  {
    name: "an opening outlives its wire",
    file: opening,
    original: "Effect.raceFirst(epoch.reading())",
    replacement: "Effect.raceFirst(Effect.never)",
    test: [ofOpening, "that fails is a failed dial"]
  },
  {
    name: "an epoch is up before it is reconciled",
    file: opening,
    original: "    Effect.andThen(step(\"reconcile\", reconcile)),\n",
    replacement: "",
    test: [ofOpening, "signs in, restores and reconciles"]
  },
  {
    name: "an opening may take for ever",
    file: opening,
    original: "        duration: connectTimeout,",
    replacement: "        duration: \"1 hour\",",
    test: [ofOpening, "lets nobody else's message out"]
  },
  {
    name: "a request that was not sent is counted without its reason",
    file: "packages/core/src/connection/internal/requestMetrics.ts",
    original: "if (failure?._tag === \"NotSent\" || failure",
    replacement: "if (failure",
    test: ["packages/testing/test/session/SessionMetrics.test.ts", "say how it came up"]
  },
  {
    name: "a request that has ended counts as under way",
    file: "packages/core/src/connection/internal/requestMetrics.ts",
    original: "    this.pending.sum--\n",
    replacement: "",
    test: ["packages/testing/test/session/SessionMetrics.test.ts", "say how it came up"]
  }
]
