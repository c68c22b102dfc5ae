import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Duration from "effect/Duration"

const { fast, patient, recommended, supervised } = Presets

/** The breaker of a preset that has one. */
const circuitOf = ({ circuit }: ConnectionPolicy.ConnectionPolicy) =>
  circuit === "none" ? assert.fail("no breaker") : circuit

describe("ConnectionPolicy.with", () => {
  it("changes what is named, however deep, and nothing else", () => {
    assert.deepStrictEqual(
      ConnectionPolicy.with(fast, {
        circuit: { whenOpen: "wait", openDuration: "5 seconds" },
        backoff: { base: 50 },
        closeTimeout: "1 second"
      }),
      {
        ...fast,
        circuit: { ...circuitOf(fast), whenOpen: "wait", openDuration: Duration.seconds(5) },
        backoff: { ...fast.backoff, base: Duration.millis(50) },
        closeTimeout: Duration.seconds(1)
      }
    )
  })

  it("changes nothing where nothing is named, of any preset", () => {
    for (const preset of Presets.presetNames.map(Presets.preset)) {
      assert.deepStrictEqual(ConnectionPolicy.with(preset, {}), preset)
      assert.deepStrictEqual(
        ConnectionPolicy.with(preset, { backoff: {}, retry: {}, buffer: {}, inbound: {} }),
        preset
      )
    }
  })

  it("turns parts off, and on with the documented figures", () => {
    const off = ConnectionPolicy.with(recommended, {
      circuit: "none",
      heartbeat: "none",
      backoff: { adaptive: "none" }
    })
    const { adaptive: _, ...backoff } = recommended.backoff
    assert.deepStrictEqual(off, { ...recommended, circuit: "none", heartbeat: "none", backoff })
    const on = ConnectionPolicy.with(off, { circuit: {}, heartbeat: {}, backoff: { adaptive: {} } })
    assert.deepStrictEqual(on, { ...recommended, circuit: patient.circuit })
    assert.deepStrictEqual(ConnectionPolicy.with(supervised, { circuit: {} }).circuit, patient.circuit)
  })

  it("counts failures in a row where the window is none", () => {
    const without = ConnectionPolicy.with(Presets.marketFeed, { circuit: { window: "none" } })
    assert.deepStrictEqual(circuitOf(without), { ...circuitOf(Presets.marketFeed), window: undefined })
    const again = ConnectionPolicy.with(fast, { circuit: { window: "1 minute" } })
    assert.deepStrictEqual(circuitOf(again), { ...circuitOf(fast), window: Duration.minutes(1) })
  })

  it("takes a stable life in any form of a duration", () => {
    assert.deepStrictEqual(ConnectionPolicy.with(fast, { retry: { resetOn: { stableFor: "2 minutes" } } }).retry, {
      maxRetries: 5,
      resetOn: { stableFor: Duration.minutes(2) }
    })
  })

  it("throws what is out of bounds", () => {
    assert.throws(() => ConnectionPolicy.with(fast, { backoff: { cap: "10 millis" } }), /Expected at least 100 ms/)
    assert.throws(() => ConnectionPolicy.with(fast, { circuit: { openCap: "1 second" } }), /Expected at least 10000 ms/)
    assert.throws(() => ConnectionPolicy.with(fast, { circuit: { failureThreshold: 0 } }))
    assert.throws(() => ConnectionPolicy.with(fast, { connectTimeout: 0 }))
  })
})
