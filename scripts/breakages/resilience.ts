/** Breakages of the room `resilience` of core. */
import type { Breakage } from "./Breakage.ts"

const resilience = "packages/core/src/resilience"
const circuit = `${resilience}/internal/breakerTransitions.ts`
const backoff = `${resilience}/internal/backoff.ts`
const adaptiveBackoff = `${resilience}/internal/adaptiveBackoff.ts`
const recovery = `${resilience}/internal/recovery.ts`
const retryWait = `${resilience}/internal/retryWait.ts`
const presets = `${resilience}/Presets.ts`
const policyConfig = `${resilience}/PolicyConfig.ts`
const named = "packages/testing/test/named"
const ofReconnection = `${named}/Reconnection.test.ts`
const ofParsing = `${named}/Parsing.test.ts`
const ofBreaker = `${named}/CircuitBreaker.test.ts`
const ofPresets = `${named}/Presets.test.ts`
const ofMetrics = "packages/testing/test/connection/Metrics.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the named tests: Reconnection
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
    original: "Math.min(Duration.toMillis(delay), cap)",
    replacement: "Duration.toMillis(delay)",
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
    name: "Retry-After is ignored",
    file: retryWait,
    original: "Math.max(backoffMillis, restMillis)",
    replacement: "backoffMillis",
    test: [ofReconnection, "reconnection failure modes: Retry-After"]
  },
  {
    name: "Retry-After is added to the backoff",
    file: retryWait,
    original: "Math.max(backoffMillis, restMillis)",
    replacement: "(backoffMillis + restMillis + 1)",
    test: [ofReconnection, "reconnection failure modes: Retry-After"]
  },
  {
    name: "rapid failures are backed off like slow ones",
    file: adaptiveBackoff,
    original: "(rapid ? rapidFactor : options.factor)",
    replacement: "options.factor",
    test: [ofReconnection, "adaptive backoff strategy"]
  },
  {
    name: "a dead path is dialled as often as a busy one",
    file: adaptiveBackoff,
    original: "Math.max(grown, persistentShare * cap)",
    replacement: "grown",
    test: [ofReconnection, "adaptive backoff strategy"]
  },
  // the named tests: Parsing
  {
    name: "a message of 15 MiB is let in",
    file: presets,
    original: "maxMessageBytes: 10 * 1024 * 1024",
    replacement: "maxMessageBytes: 16 * 1024 * 1024",
    test: [ofParsing, "large message handling"]
  },
  // the named tests: Circuit breaker
  {
    name: "the breaker opens one failure late",
    file: circuit,
    original: "failures >= policy.failureThreshold",
    replacement: "failures > policy.failureThreshold",
    test: [ofBreaker, "circuit opens after threshold"]
  },
  {
    name: "a success does not end the count of failures",
    file: circuit,
    original: "return stay(state.failures === 0 || policy.window !== undefined ? state : closed)",
    replacement: "return stay(state)",
    test: [ofBreaker, "circuit opens after threshold: a success between"]
  },
  {
    name: "the breaker rests a millisecond longer",
    file: circuit,
    original: "if (now < state.until) return stay(state, false)",
    replacement: "if (now <= state.until) return stay(state, false)",
    test: [ofBreaker, "circuit half open after timeout"]
  },
  {
    name: "a probe too many",
    file: circuit,
    original: "return state.probing ? stay(state, false) : stay({ ...state, probing: true })",
    replacement: "return stay({ ...state, probing: true })",
    test: [ofBreaker, "circuit half open after timeout: exactly one probe"]
  },
  {
    name: "an interrupted probe keeps its place",
    file: circuit,
    original: "return stay({ ...state, probing: false })",
    replacement: "return stay(state)",
    test: [ofBreaker, "circuit half open after timeout: exactly one probe"]
  },
  {
    name: "one success is enough",
    file: circuit,
    original: "successes >= policy.halfOpen.successThreshold",
    replacement: "successes >= 1",
    test: [ofBreaker, "circuit closes on success"]
  },
  {
    name: "the rest does not grow",
    file: circuit,
    original: "policy.openFactor ** (openings - 1)",
    replacement: "policy.openFactor ** 0",
    test: [ofBreaker, "exponential backoff during open"]
  },
  {
    name: "the rest grows without a cap",
    file: circuit,
    original: "    Duration.toMillis(policy.openCap)\n  )",
    replacement: "    Infinity\n  )",
    test: [ofBreaker, "exponential backoff during open"]
  },
  {
    name: "rejections are not counted",
    file: `${resilience}/internal/breaker.ts`,
    original: "this.counts.rejected++",
    replacement: "this.counts.rejected += 0",
    test: [ofBreaker, "circuit metrics collection"]
  },
  // presets
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
    name: "standard waits for longer",
    file: presets,
    original: "cap: Duration.seconds(8)",
    replacement: "cap: Duration.seconds(16)",
    test: [ofPresets, "standard:"]
  },
  {
    name: "supervised tries four times",
    file: presets,
    original: "maxRetries: 3",
    replacement: "maxRetries: 4",
    test: [ofPresets, "supervised:"]
  },
  {
    name: "market-feed counts failures for ever",
    file: circuit,
    original: "state.failedAt.filter((then) => at - then < window)",
    replacement: "state.failedAt",
    test: [ofPresets, "market-feed: failures more than 60 s apart"]
  },
  {
    name: "a bare connect counts as success",
    file: presets,
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
  // alive: keep-alive, limits, confirmations, freshness, requests
  {
    name: "a window ends a millisecond early",
    file: `${resilience}/internal/rollingLimit.ts`,
    original: "at - (times[window.begin] ?? 0) > window.windowMillis",
    replacement: "at - (times[window.begin] ?? 0) >= window.windowMillis",
    test: ["packages/core/test/RollingLimit.test.ts", "admits at the very time it names"]
  },
  // metrics
  {
    name: "a breaker's metrics are not Effect's",
    file: `${resilience}/CircuitBreaker.ts`,
    original: "this.registered.set(machine.key, BreakerMetrics.registerUnsafe(machine.breaker, context))",
    replacement: "",
    test: [ofMetrics, "have those of the breaker among them"]
  },
  // secrets of a configuration, and who may read the pages
  {
    name: "the variables of the environment are not asked for",
    file: policyConfig,
    original: "const value = Option.orElse(variable, () => ofKeys[index] ?? Option.none())",
    replacement: "const value = ofKeys[index] ?? Option.none()",
    test: ["packages/core/test/ConnectionPolicy.test.ts", "is read by itself"]
  },
  // limits and closes
  {
    name: "limits per address are each connection's own",
    file: `${resilience}/Governor.ts`,
    original: "defaultValue: makePerNetwork",
    replacement: "defaultValue: () => unshared",
    test: ["packages/testing/test/connection/Limits.test.ts", "are shared by all who dial it"]
  },
  {
    name: "a dial's place is free while its token is fetched",
    file: `${resilience}/internal/rollingLimit.ts`,
    original: "this.reserved += cost",
    replacement: "this.reserved += 0",
    test: ["packages/testing/test/connection/Limits.test.ts", "hold while tokens are fetched"]
  },
  {
    name: "the first to come says which windows an address has",
    file: `${resilience}/Governor.ts`,
    original: "            ledger.declare(windows)",
    replacement: "            if (ledger.left(0).length === 0) ledger.declare(windows)",
    test: ["packages/testing/test/connection/Limits.test.ts", "are the strictest of those"]
  },
  {
    name: "a registry forgets a breaker that is open",
    file: `${resilience}/CircuitBreaker.ts`,
    original: "if (!machine.isWorthKeeping(now)) this.drop(machine)",
    replacement: "this.drop(machine)",
    test: ["packages/core/test/CircuitBreaker.kept.test.ts", "forgets keys that have nothing to say"]
  },
  // limits that have to be asked for
  {
    name: "a shared limit is asked before what this process waits for",
    file: "packages/core/src/resilience/internal/rollingLimit.ts",
    original: "waitOf(other) - waitOf(one)",
    replacement: "waitOf(one) - waitOf(other)",
    test: ["packages/testing/test/connection/SharedLimits.test.ts", "is asked for when nothing else"]
  },
  {
    name: "a dial sleeps where a shared limit is to be asked",
    file: "packages/core/src/connection/internal/dialler.ts",
    original: "Effect.sleep(open - at) : dials.wait(wait)",
    replacement: "Effect.sleep(open - at) : Effect.sleep(wait)",
    test: [
      "packages/testing/test/connection/SharedLimits.test.ts",
      "is asked for each dial, message and request that binance"
    ]
  },
  {
    name: "a subscription sleeps where a shared limit is to be asked",
    file: "packages/core/src/connection/internal/outbox.ts",
    original: "return wait === 0 ? undefined : log.wait(wait, cost, spares)",
    replacement: "return wait === 0 ? undefined : Effect.sleep(wait)",
    test: [
      "packages/testing/test/connection/SharedLimits.test.ts",
      "is asked for each dial, message and request that deribit"
    ]
  },
  {
    name: "a message sleeps where a shared limit is to be asked",
    file: "packages/core/src/connection/internal/outbox.ts",
    original: "return pace.log.wait(wait, entry.cost, this.spares(entry.rank))",
    replacement: "return Effect.sleep(wait)",
    test: ["packages/node/test/RedisGovernor.test.ts", "holds up the messages of a connection"]
  },
  {
    name: "a request over REST sleeps where a shared limit is to be asked",
    file: "packages/core/src/market/internal/restRequests.ts",
    original: "yield* weights.wait(wait, weight)",
    replacement: "yield* Effect.sleep(wait)",
    test: [
      "packages/testing/test/connection/SharedLimits.test.ts",
      "is asked for each dial, message and request that binance"
    ]
  },
  {
    name: "a dial is made before what it has reserved is due",
    file: "packages/core/src/connection/internal/dialler.ts",
    original: "        place.due,\n",
    replacement: "        Effect.void,\n",
    test: [
      "packages/testing/test/connection/SharedLimits.test.ts",
      "is asked for each dial, message and request that binance"
    ]
  },
  {
    name: "each of an address' sessions has its limits to itself",
    file: "packages/core/src/resilience/internal/connectionLimits.ts",
    original: "[yield* share(`${address} ${of}`, longer(shared), network)]",
    replacement: "[RollingLimits.make(longer(shared))]",
    test: ["packages/testing/test/session/Thousand.test.ts", "all live again"]
  }
]
