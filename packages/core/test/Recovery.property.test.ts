import { assert, describe, it } from "@effect/vitest"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Recovery from "../src/resilience/internal/recovery.ts"
import * as RetryWait from "../src/resilience/internal/retryWait.ts"

interface Case {
  readonly policy: ConnectionPolicy.ConnectionPolicy
  readonly outage: Recovery.Outage
  readonly failure: Recovery.Failure
  readonly breaker: Circuit.State
  readonly step: Recovery.Step
}

const now = 10_000
const openUntil = [now - 1, now, now + 1, now + 700, now + 300_000]
const breakers: ReadonlyArray<Circuit.State> = [
  { _tag: "Closed", failures: 4, failedAt: [] },
  { _tag: "HalfOpen", successes: 0, probing: true, openings: 1 },
  ...openUntil.map((until) => ({ _tag: "Open", until, openings: 1, failures: 5, ready: until <= now }) as const)
]
const answers: ReadonlyArray<Recovery.Answer> = ["retry", "reauthenticate", "stop"]
const limits: ReadonlyArray<number | "unlimited"> = [0, 1, 3, 5, "unlimited"]
const backoffs = [0, 100, 800, 60_000]

/** Every preset with every limit of retries, at every point of an outage, by every answer, under every breaker. */
const cases: ReadonlyArray<Case> = Presets.presetNames.flatMap((name) =>
  limits.flatMap((maxRetries) =>
    [true, false].flatMap((retryInitialConnect) =>
      [0, 1, 3, 5, 6, 100].flatMap((retries) =>
        [true, false].flatMap((hasConnected) =>
          [true, false].flatMap((canRefresh) =>
            answers.flatMap((answer) =>
              [0, 5_000, 60_000].flatMap((restMillis) =>
                breakers.map((breaker) => {
                  const preset = Presets.preset(name)
                  const policy = { ...preset, retryInitialConnect, retry: { ...preset.retry, maxRetries } }
                  const outage = { retries, hasConnected, canRefresh }
                  const failure = { answer, restMillis }
                  const step = Recovery.next(policy, outage, failure, breaker, now)
                  return { policy, outage, failure, breaker, step }
                })
              )
            )
          )
        )
      )
    )
  )
)

const isMended = ({ failure, outage, policy }: Case): boolean =>
  failure.answer === "retry" && (outage.hasConnected || policy.retryInitialConnect)

const isExhausted = ({ outage, policy }: Case): boolean =>
  policy.retry.maxRetries !== "unlimited" && outage.retries >= policy.retry.maxRetries

const isOpen = ({ breaker }: Case): boolean => breaker._tag === "Open" && breaker.until > now

const failsOpen = ({ policy: { circuit } }: Case): boolean => circuit !== "none" && circuit.whenOpen === "fail"

/** For all cases: the step has the tag exactly where the rule says so. */
const exactlyWhere = (tag: Recovery.Step["_tag"], rule: (of: Case) => boolean): void => {
  let met = 0
  for (const of of cases) {
    const expected = rule(of)
    if (expected) met++
    if ((of.step._tag === tag) !== expected) assert.fail(JSON.stringify(of))
  }
  assert.isAbove(met, 100)
}

describe("Recovery", () => {
  it("a refused token is refreshed once, at once", () =>
    exactlyWhere("Refresh", ({ failure, outage }) => failure.answer === "reauthenticate" && outage.canRefresh))

  it("what retrying cannot mend stops, and a first connect where it is not retried", () =>
    exactlyWhere("Stop", (of) => !isMended(of) && !(of.failure.answer === "reauthenticate" && of.outage.canRefresh)))

  it("the failure after the last retry aborts, whatever the breaker says", () =>
    exactlyWhere("Abort", (of) => isMended(of) && isExhausted(of)))

  it("an open breaker rejects where the policy does not wait, before any retry is used up", () => {
    exactlyWhere("Reject", (of) => isMended(of) && !isExhausted(of) && isOpen(of) && failsOpen(of))
    for (const { outage, step } of cases) {
      if (step._tag === "Reject") assert.strictEqual(step.retry.attempt, outage.retries + 1)
    }
  })

  it("everything else is the next retry", () => {
    exactlyWhere("Retry", (of) => isMended(of) && !isExhausted(of) && !(isOpen(of) && failsOpen(of)))
    for (const { outage, step } of cases) {
      if (step._tag === "Retry") assert.strictEqual(step.attempt, outage.retries + 1)
    }
  })

  it("a failure counts for the breaker where it is retried, rejected or aborts, and only there", () => {
    for (const of of cases) {
      const isCounted = Recovery.isCounted(of.policy, of.outage, of.failure.answer)
      if (isCounted !== ["Retry", "Reject", "Abort"].includes(of.step._tag)) assert.fail(JSON.stringify(of))
    }
  })

  it("the wait is the latest of backoff, Retry-After and the breaker's end, never their sum", () => {
    for (const { breaker, failure, step } of cases) {
      if (step._tag !== "Retry") continue
      const until = breaker._tag === "Open" ? breaker.until : now
      for (const backoff of backoffs) {
        const wait = RetryWait.of(step, backoff)
        assert.strictEqual(wait.dueAt, now + Math.max(backoff, failure.restMillis))
        assert.strictEqual(now + wait.delayMillis, Math.max(wait.dueAt, until))
        assert.strictEqual(wait.isOpen, until > wait.dueAt)
      }
    }
  })

  it("an outage without end has exactly the policy's retries, whatever their number", () => {
    for (const maxRetries of [0, 1, 3, 5, 12]) {
      const policy = { ...Presets.fast, retry: { maxRetries, resetOn: "connect" } } as const
      let retries = 0
      let step: Recovery.Step
      do {
        const outage = { retries, hasConnected: true, canRefresh: false }
        const closed: Circuit.State = { _tag: "Closed", failures: 0, failedAt: [] }
        step = Recovery.next(policy, outage, { answer: "retry", restMillis: 0 }, closed, now)
        if (step._tag === "Retry") retries = step.attempt
      } while (step._tag === "Retry")
      assert.deepStrictEqual(step, { _tag: "Abort", retries: maxRetries })
    }
  })
})
