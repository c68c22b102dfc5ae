import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Presets from "@tickline/core/resilience/Presets"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import * as Backoff from "../src/resilience/internal/backoff.ts"
import { refused, row, table, toml } from "./ConnectionPolicy.table.ts"

describe("ConnectionPolicy", () => {
  for (const name of Presets.presetNames) {
    it(`preset ${name} is as the table says, and valid`, () => {
      assert.deepStrictEqual(row(Presets.preset(name)), table[name])
      assert.isTrue(Schema.is(ConnectionPolicy.ConnectionPolicy)(Presets.preset(name)))
    })
  }

  it("presetNames lists every preset", () => {
    assert.sameMembers([...Presets.presetNames], Object.keys(table))
  })

  it("the bounds and deadlines that all presets share", () => {
    for (const name of Presets.presetNames) {
      const { acknowledgementTimeout, buffer, closeTimeout, forcedTimeout, heartbeat, inbound } = Presets
        .preset(name)
      assert.deepStrictEqual(buffer, { messages: 1000, bytes: 8_388_608 })
      assert.deepStrictEqual(inbound, { bytes: 8_388_608, maxMessageBytes: 10_485_760 })
      assert.deepStrictEqual([Duration.toMillis(closeTimeout), Duration.toMillis(forcedTimeout)], [2000, 100])
      assert.strictEqual(Duration.toMillis(acknowledgementTimeout), 10_000)
      assert.deepStrictEqual(
        heartbeat,
        name === "test"
          ? "none"
          : { interval: Duration.seconds(15), timeout: Duration.seconds(10), onMiss: "close" }
      )
    }
  })

  it("a policy made in code is held to the same rules", () => {
    const valid = Schema.is(ConnectionPolicy.ConnectionPolicy)
    const { fast } = Presets
    assert.isFalse(valid({ ...fast, backoff: { ...fast.backoff, cap: Duration.millis(99) } }))
    const told = Schema.decodeUnknownExit(ConnectionPolicy.ConnectionPolicy)(
      { ...fast, backoff: { ...fast.backoff, cap: Duration.millis(99) } }
    )
    assert.include(String(told), "Expected at least 100 ms")
    assert.isFalse(valid({ ...fast, backoff: { ...fast.backoff, factor: 0.9 } }))
    assert.isFalse(valid({ ...fast, connectTimeout: Duration.zero }))
    assert.isFalse(valid({ ...fast, acknowledgementTimeout: Duration.zero }))
    assert.isFalse(valid({ ...fast, retry: { ...fast.retry, maxRetries: -1 } }))
    assert.isTrue(valid({ ...fast, retry: { ...fast.retry, maxRetries: 0 } }))
  })

  it.effect("its parts fit the machines", () =>
    Effect.gen(function*() {
      yield* Backoff.make(Presets.recommended.backoff)
      yield* CircuitBreaker.make(Presets.recommended.circuit)
      yield* CircuitBreaker.make(Presets.supervised.circuit)
    }))

  describe("from TOML", () => {
    it.effect("no section, an empty one and one with the documented defaults are patient", () =>
      Effect.gen(function*() {
        const { patient } = Presets
        assert.deepStrictEqual(yield* PolicyConfig.fromToml(""), patient)
        assert.deepStrictEqual(yield* PolicyConfig.fromToml("[sinks]\nfile = \"x\"\n"), patient)
        assert.deepStrictEqual(yield* toml(""), patient)
        const documented = {
          initial_delay_ms: "1000",
          max_delay_ms: "60000",
          backoff_multiplier: "2.0",
          max_consecutive_failures: "10",
          circuit_breaker_cooldown_ms: "300000"
        }
        for (const [key, value] of Object.entries(documented)) {
          assert.deepStrictEqual(yield* toml(`${key} = ${value}`), patient)
        }
        assert.deepStrictEqual(
          yield* toml(Object.entries(documented).map((entry) => entry.join(" = ")).join("\n")),
          patient
        )
      }))

    it.effect("the production file is the preset patient", () =>
      Effect.gen(function*() {
        const text = readFileSync(new URL("../../../deploy/config.prod.toml", import.meta.url), "utf8")
        assert.deepStrictEqual(yield* PolicyConfig.fromToml(text), Presets.patient)
      }))

    it.effect("each field alone", () =>
      Effect.gen(function*() {
        const { patient } = Presets
        const { backoff } = patient
        const circuit = patient.circuit === "none" ? assert.fail() : patient.circuit
        assert.deepStrictEqual((yield* toml("initial_delay_ms = 250")).backoff, {
          ...backoff,
          base: Duration.millis(250)
        })
        assert.deepStrictEqual((yield* toml("max_delay_ms = 30000")).backoff, { ...backoff, cap: Duration.seconds(30) })
        assert.deepStrictEqual((yield* toml("backoff_multiplier = 1.5")).backoff, { ...backoff, factor: 1.5 })
        assert.deepStrictEqual((yield* toml("max_consecutive_failures = 3")).circuit, {
          ...circuit,
          failureThreshold: 3
        })
        // A rest longer than the preset's cap takes the cap along.
        assert.deepStrictEqual((yield* toml("circuit_breaker_cooldown_ms = 600000")).circuit, {
          ...circuit,
          openDuration: Duration.minutes(10),
          openCap: Duration.minutes(10)
        })
      }))

    it.effect("the names of the first document", () =>
      Effect.gen(function*() {
        const policy = yield* toml(
          "base_backoff_ms = 100\nmax_backoff_ms = 800\nbackoff_multiplier = 2.0\nmax_retries = 5"
        )
        assert.deepStrictEqual(policy.backoff, Presets.fast.backoff)
        assert.deepStrictEqual(policy.retry, Presets.fast.retry)
      }))

    it.effect("a preset by name, and any field over it", () =>
      Effect.gen(function*() {
        for (const name of Presets.presetNames) {
          assert.deepStrictEqual(yield* toml(`preset = "${name}"`), Presets.preset(name))
        }
        const policy = yield* toml(`
          preset = "supervised"
          connect_timeout = "20 seconds"
          acknowledgement_timeout = "3s"
          retry_initial_connect = false
          initial_delay = "500ms"
          max_delay = "2m"
          jitter = "equal"
          adaptive_rapid_factor = 3
          adaptive_rapid_window = "5s"
          adaptive_recover_factor = 0.25
          max_retries = "unlimited"
          reset_on = "30s"
          max_consecutive_failures = 7
          failure_window = "1m"
          circuit_breaker_cooldown = "5s"
          circuit_breaker_multiplier = 3
          circuit_breaker_max_cooldown = "45s"
          half_open_successes = 2
          count_disconnect = false
          when_open = "fail"
          outbox_messages = 10
          outbox_bytes = 1000
          inbound_bytes = 2000
          max_message_bytes = 3000
          heartbeat_interval = "24h"
          heartbeat_timeout_ms = 1
          heartbeat_on_miss = "report"
          close_timeout = "1s"
          forced_close_timeout = "50ms"
        `)
        assert.deepStrictEqual(policy, {
          connectTimeout: Duration.seconds(20),
          acknowledgementTimeout: Duration.seconds(3),
          retryInitialConnect: false,
          backoff: {
            base: Duration.millis(500),
            factor: 2,
            cap: Duration.minutes(2),
            jitter: "equal",
            adaptive: { rapidFactor: 3, rapidWindow: Duration.seconds(5), recoverFactor: 0.25 }
          },
          retry: { maxRetries: "unlimited", resetOn: { stableFor: Duration.seconds(30) } },
          circuit: {
            failureThreshold: 7,
            window: Duration.minutes(1),
            openDuration: Duration.seconds(5),
            openFactor: 3,
            openCap: Duration.seconds(45),
            halfOpen: { successThreshold: 2 },
            countDisconnect: false,
            whenOpen: "fail"
          },
          buffer: { messages: 10, bytes: 1000 },
          inbound: { bytes: 2000, maxMessageBytes: 3000 },
          heartbeat: { interval: Duration.hours(24), timeout: Duration.millis(1), onMiss: "report" },
          closeTimeout: Duration.seconds(1),
          forcedTimeout: Duration.millis(50)
        })
      }))

    it.effect("parts switched off", () =>
      Effect.gen(function*() {
        const policy = yield* toml(
          "preset = \"recommended\"\ncircuit_breaker = false\nheartbeat = false\nadaptive = false\njitter = \"none\"\n" +
            "reset_on = \"first-message\""
        )
        assert.deepStrictEqual(policy, {
          ...Presets.recommended,
          circuit: "none",
          heartbeat: "none",
          backoff: {
            base: Duration.millis(250),
            factor: 2,
            cap: Duration.seconds(30),
            jitter: "none"
          },
          retry: { maxRetries: "unlimited", resetOn: "first-message" }
        })
      }))

    const bad: ReadonlyArray<readonly [section: string, message: string]> = [
      [
        "max_delay_ms = \"soon\"",
        "reconnection.max_delay_ms: expected a whole number of milliseconds, at least 1, got \"soon\""
      ],
      ["max_delay_ms = 0", "reconnection.max_delay_ms: expected a whole number of milliseconds, at least 1, got 0"],
      ["max_delay_ms = 1.5", "reconnection.max_delay_ms: expected a whole number of milliseconds, at least 1, got 1.5"],
      [
        "max_delay = 60",
        "reconnection.max_delay: expected a duration greater than zero, such as \"20 seconds\" or \"500ms\", got 60"
      ],
      [
        "max_delay = \"-1s\"",
        "reconnection.max_delay: expected a duration greater than zero, such as \"20 seconds\" or \"500ms\", got \"-1s\""
      ],
      ["max_delay_ms = 500", "reconnection.max_delay_ms: expected at least initial_delay, 1000 ms, got 500"],
      ["initial_delay = \"2m\"", "reconnection.initial_delay: expected at most max_delay, 60000 ms, got \"2m\""],
      ["backoff_multiplier = 0.5", "reconnection.backoff_multiplier: expected a number of at least 1, got 0.5"],
      [
        "max_consecutive_failures = 0",
        "reconnection.max_consecutive_failures: expected a whole number of at least 1, got 0"
      ],
      ["max_retries = -1", "reconnection.max_retries: expected a whole number of at least 0, or \"unlimited\", got -1"],
      ["jitter = \"some\"", "reconnection.jitter: expected \"none\", \"full\", \"equal\", got \"some\""],
      ["heartbeat = \"yes\"", "reconnection.heartbeat: expected true or false, got \"yes\""],
      [
        "adaptive_recover_factor = 2",
        "reconnection.adaptive_recover_factor: expected a number greater than 0 and at most 1, got 2"
      ],
      [
        "circuit_breaker = false\nwhen_open = \"wait\"",
        "reconnection.when_open: expected no such key beside circuit_breaker = false, got \"wait\""
      ],
      [
        "initial_delay_ms = 1\nbase_backoff_ms = 2",
        "reconnection.base_backoff_ms: expected only one of initial_delay_ms and base_backoff_ms, got 2"
      ],
      [
        "circuit_breaker_cooldown = \"20s\"\ncircuit_breaker_max_cooldown = \"10s\"",
        "reconnection.circuit_breaker_max_cooldown: expected at least circuit_breaker_cooldown, 20000 ms, got \"10s\""
      ],
      [
        "preset = \"quick\"",
        "reconnection.preset: expected \"fast\", \"standard\", \"patient\", \"supervised\", \"market-feed\", \"test\", \"recommended\", got \"quick\""
      ]
    ]
    for (const [section, message] of bad) {
      it.effect(`refuses ${section.replaceAll("\n", ", ")}`, () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* refused(section), message)
        }))
    }

    it.effect("refuses an unknown key by its name, and suggests the nearest, or lists the keys where none is near", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(toml("max_dealy_ms = 1"))
        assert.strictEqual(error.key, "reconnection.max_dealy_ms")
        assert.isUndefined(error.value)
        assert.strictEqual(error.expected, "a key there is (did you mean max_delay_ms?)")
        const strange = yield* Effect.flip(toml("zzzzzz = 1"))
        for (const key of PolicyConfig.keys) assert.include(strange.expected, key)
      }))

    it.effect("refuses what is no TOML, no table, no object", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(PolicyConfig.fromToml("[reconnection"))).key, "toml")
        assert.strictEqual((yield* Effect.flip(PolicyConfig.fromToml("reconnection = 3"))).key, "reconnection")
        assert.strictEqual((yield* Effect.flip(PolicyConfig.fromUnknown(null))).key, "configuration")
        assert.strictEqual((yield* Effect.flip(PolicyConfig.fromUnknown({ reconnection: [] }))).key, "reconnection")
      }))

    it.effect("names from the prototype are unknown keys", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(
          PolicyConfig.fromUnknown(JSON.parse("{\"reconnection\":{\"__proto__\":{\"preset\":\"fast\"}}}"))
        )
        assert.strictEqual(error.key, "reconnection.__proto__")
      }))
  })

  describe("what is no policy", () => {
    it.effect("is told without the value of an unknown key, or what is inside of a list", () =>
      Effect.gen(function*() {
        for (
          const text of [
            "[reconnection]\ntoken = \"s3cret\"",
            "[reconnection]\ntoken = [\"s3cret\"]",
            "reconnection = [\"s3cret\"]",
            "[reconnection]\nmax_delay = [\"s3cret\"]",
            "[reconnection]\nmax_delay = { token = \"s3cret\" }",
            "token = s3cret",
            "token = 99999999999999999999",
            "token = 1979-13-99",
            "token = \"s3cret"
          ]
        ) {
          const error = yield* Effect.flip(PolicyConfig.fromToml(text))
          assert.notMatch(`${error.message}${JSON.stringify(error)}`, /s3cret|9999|1979/, text)
        }
      }))

    it.effect("is told of what nests without end, in every way to write it", () =>
      Effect.gen(function*() {
        for (
          const text of [`a = ${"[".repeat(20_000)}`, `a = ${"{a=".repeat(20_000)}`, `${"a.".repeat(20_000)}a = 1`]
        ) {
          const error = yield* Effect.flip(PolicyConfig.fromToml(text))
          assert.strictEqual(error.message, "toml: expected TOML (nested more than 32 deep)")
        }
        const deep = `a = ${"[".repeat(30)}${"]".repeat(30)}`
        assert.deepStrictEqual(yield* PolicyConfig.fromToml(deep), Presets.patient)
      }))
  })

  describe("from the environment", () => {
    const env = (variables: Record<string, string>) => PolicyConfig.environment(ConfigProvider.fromEnvRecord(variables))

    it.effect("nothing set is the default preset", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* PolicyConfig.config.parse(env({})), Presets.recommended)
      }))

    it.effect("variables override the preset, numbers and truth values as text", () =>
      Effect.gen(function*() {
        const policy = yield* PolicyConfig.config.parse(env({
          TICKLINE_RECONNECTION_PRESET: "fast",
          TICKLINE_RECONNECTION_MAX_DELAY: "10s",
          TICKLINE_RECONNECTION_INITIAL_DELAY_MS: "50",
          TICKLINE_RECONNECTION_BACKOFF_MULTIPLIER: "1.5",
          TICKLINE_RECONNECTION_CIRCUIT_BREAKER: "false",
          TICKLINE_TOKEN: "secret"
        }))
        assert.deepStrictEqual(policy, {
          ...Presets.fast,
          backoff: { base: Duration.millis(50), factor: 1.5, cap: Duration.seconds(10), jitter: "none" },
          circuit: "none"
        })
      }))

    it.effect("goes over what a file said", () =>
      Effect.gen(function*() {
        const file = yield* toml("preset = \"standard\"\nmax_retries = 9")
        const policy = yield* PolicyConfig.configOver(file).parse(env({ TICKLINE_RECONNECTION_MAX_DELAY: "9s" }))
        assert.deepStrictEqual(policy, { ...file, backoff: { ...file.backoff, cap: Duration.seconds(9) } })
      }))

    it.effect("a bad value names its key, the value and what was expected", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(
          PolicyConfig.config.parse(env({ TICKLINE_RECONNECTION_MAX_RETRIES: "many" }))
        )
        assert.include(
          error.message,
          "TICKLINE_RECONNECTION_MAX_RETRIES: expected a whole number of at least 0, or \"unlimited\", got \"many\""
        )
      }))

    it.effect("is read by itself, from the process's own variables", () =>
      Effect.gen(function*() {
        const policy = yield* PolicyConfig.config
        assert.deepStrictEqual(policy, {
          ...Presets.fast,
          backoff: { ...Presets.fast.backoff, cap: Duration.seconds(10) }
        })
      }).pipe(Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnvRecord({ TICKLINE_RECONNECTION_PRESET: "fast", TICKLINE_RECONNECTION_MAX_DELAY: "10s" })
      )))

    it.effect("wins over what stands under reconnection, and a bad value there names its key", () =>
      Effect.gen(function*() {
        const variables = ConfigProvider.fromEnvRecord({ TICKLINE_RECONNECTION_MAX_RETRIES: "3" })
        const file = ConfigProvider.fromUnknown({ reconnection: { max_retries: 7, max_delay: "soon" } })
        const parse = (provider: ConfigProvider.ConfigProvider) => PolicyConfig.config.parse(provider)
        const policy = yield* parse(
          ConfigProvider.orElse(variables, ConfigProvider.fromUnknown({ reconnection: { max_retries: 7 } }))
        )
        assert.strictEqual(policy.retry.maxRetries, 3)
        const error = yield* Effect.flip(parse(ConfigProvider.orElse(variables, file)))
        assert.include(error.message, "reconnection.max_delay: expected a duration")
      }))

    it.effect("reads any provider of Effect's", () =>
      Effect.gen(function*() {
        const policy = yield* PolicyConfig.config
        assert.strictEqual(policy.retry.maxRetries, 7)
      }).pipe(Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({ reconnection: { max_retries: 7 } })
      )))
  })

  it("durationFromText reads Effect's form and the short ones", () => {
    const read = (text: string) =>
      Option.getOrUndefined(Option.map(PolicyConfig.durationFromText(text), Duration.toMillis))
    const good = {
      "20 seconds": 20_000,
      "1 minute": 60_000,
      "20s": 20_000,
      "500ms": 500,
      "2m": 120_000,
      "24h": 86_400_000,
      "1d": 86_400_000,
      "1.5s": 1500,
      " 3 s ": 3000,
      "0s": 0
    }
    for (const [text, millis] of Object.entries(good)) assert.strictEqual(read(text), millis, text)
    for (const text of ["", "20", "s", "-1s", "1 fortnight", "Infinity", "1s2", "1e3s", "toString", "1constructor"]) {
      assert.isUndefined(read(text), text)
    }
  })
})
