/** Alerts: each raised once, and cleared once. */
import { assert, describe, it } from "@effect/vitest"
import * as Alerts from "@tickline/core/strategy/Alerts"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

const kindsOf = (known: Partial<Alerts.Thresholds>, limits?: Alerts.Thresholds) =>
  Alerts.update([], known, 0, limits).raised.map(({ kind }) => kind)

describe("an alert", () => {
  it("is raised beyond its threshold, and not at it", () => {
    assert.deepStrictEqual(kindsOf({ drawdown: 0.1 }), [])
    assert.deepStrictEqual(kindsOf({ drawdown: 0.101 }), ["Drawdown"])
    assert.deepStrictEqual(kindsOf({ errorsPerMinute: 5 }), [])
    assert.deepStrictEqual(kindsOf({ errorsPerMinute: 6 }), ["Errors"])
    assert.deepStrictEqual(kindsOf({ exchanges: 3 }), [])
    assert.deepStrictEqual(kindsOf({ exchanges: 2 }), ["Exchanges"])
    assert.deepStrictEqual(kindsOf({ memoryMegabytes: 1_000 }), [])
    assert.deepStrictEqual(kindsOf({ memoryMegabytes: 1_000.5 }), ["Memory"])
    assert.deepStrictEqual(kindsOf({ cpu: 0.8 }), [])
    assert.deepStrictEqual(kindsOf({ cpu: 0.81 }), ["Cpu"])
    assert.deepStrictEqual(kindsOf({ cpu: 0.81 }, { ...Alerts.thresholds, cpu: 0.9 }), [])
  })

  it("of the hit rate is raised after ten trades", () => {
    assert.deepStrictEqual(kindsOf({ hitRate: 0.1, trades: 9 }), [])
    assert.deepStrictEqual(kindsOf({ hitRate: 0.1 }, { ...Alerts.thresholds, trades: 1 }), [])
    assert.deepStrictEqual(kindsOf({ hitRate: 0.1 }, { ...Alerts.thresholds, trades: 0 }), ["HitRate"])
    assert.deepStrictEqual(kindsOf({ hitRate: 0.399, trades: 10 }), ["HitRate"])
    assert.deepStrictEqual(kindsOf({ hitRate: 0.4, trades: 10 }), [])
  })

  it("is raised once, stays while its figure is not known, and is cleared once", () => {
    const first = Alerts.update([], { cpu: 0.9, drawdown: 0 }, 5)
    assert.deepStrictEqual(first.raised, [{ kind: "Cpu", value: 0.9, threshold: 0.8, since: 5 }])
    const again = Alerts.update(first.alerts, { cpu: 0.95 }, 6)
    assert.deepStrictEqual(again, { alerts: first.alerts, raised: [], cleared: [] })
    const unknown = Alerts.update(again.alerts, { drawdown: 0.2 }, 7)
    assert.deepStrictEqual(unknown.alerts.map(({ kind, since }) => [kind, since]), [["Cpu", 5], ["Drawdown", 7]])
    const over = Alerts.update(unknown.alerts, { cpu: 0.1, drawdown: 0.3 }, 8)
    assert.deepStrictEqual(over.cleared, first.raised)
    assert.deepStrictEqual(over.alerts.map(({ kind }) => kind), ["Drawdown"])
    assert.deepStrictEqual(Alerts.update(over.alerts, { cpu: 0.1 }, 9).cleared, [])
  })

  it("says its figure and its threshold", () => {
    const known = {
      drawdown: 0.1234,
      hitRate: 0.2,
      trades: 12,
      errorsPerMinute: 7,
      exchanges: 1,
      memoryMegabytes: 1500.4,
      cpu: 0.99
    }
    assert.deepStrictEqual(Alerts.update([], known, 0).raised.map(Alerts.describe), [
      "the total is 12.3 % below its highest (more than 10 %)",
      "20 % of the trades gained (less than 40 %)",
      "7 errors in a minute (more than 5)",
      "1 exchanges are connected (fewer than 3)",
      "1500 MB of memory (more than 1000 MB)",
      "99 % of the processor (more than 80 %)"
    ])
  })

  const Figure = Schema.UndefinedOr(Schema.Literals([0, 0.05, 0.5, 1, 4, 5, 10, 2000]))
  const names = ["drawdown", "hitRate", "trades", "errorsPerMinute", "exchanges", "memoryMegabytes", "cpu"] as const

  it.prop(
    "is up from its raising to its clearing, whatever is known when",
    [Arbitrary.array(Arbitrary.array(Arbitrary.schema(Figure), { minLength: 7, maxLength: 7 }), {
      minLength: 1,
      maxLength: 30
    })],
    ([looks]) => {
      let alerts: ReadonlyArray<Alerts.Alert> = []
      const up = new Set<string>()
      for (const [at, figures] of looks.entries()) {
        const known = Object.fromEntries(
          names.flatMap((name, index) => figures[index] === undefined ? [] : [[name, figures[index]]])
        )
        const changed = Alerts.update(alerts, known, at)
        for (const { kind } of changed.cleared) assert.isTrue(up.delete(kind), kind)
        for (const { kind } of changed.raised) {
          assert.isFalse(up.has(kind), kind)
          up.add(kind)
        }
        assert.deepStrictEqual(changed.alerts.map(({ kind }) => kind).toSorted(), [...up].toSorted())
        alerts = changed.alerts
      }
    },
    { arbitrary: { runs: 200, seed: "alerts" } }
  )
})
