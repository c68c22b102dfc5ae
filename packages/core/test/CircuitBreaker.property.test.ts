import { assert, describe, it } from "@effect/vitest"
import type * as Breaker from "@tickline/core/resilience/Breaker"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"

/**
 * A breaker as the requirements tell it, written without a look at the real
 * one: it keeps the whole history and works everything out from it.
 */
class Reference {
  now = 0
  mode: "closed" | "open" | "half-open" = "closed"
  /** Since the breaker was last closed, or a success ended them. */
  failures: Array<number> = []
  openedFor: Array<number> = []
  openedAt = 0
  probes: Array<"succeeded" | "under way"> = []
  /** Every permit handed out, with whether it can still say something. */
  permits: Array<{ open: boolean; probe: boolean }> = []
  private readonly policy: Circuit.Policy
  constructor(policy: Circuit.Policy) {
    this.policy = policy
  }

  private close(): void {
    this.mode = "closed"
    this.failures = []
    this.openedFor = []
    this.probes = []
  }
  private trip(): void {
    const { openCap, openDuration, openFactor } = this.policy
    let duration = Duration.toMillis(openDuration)
    for (const _ of this.openedFor) duration *= openFactor
    this.openedFor.push(Math.min(duration, Duration.toMillis(openCap)))
    this.openedAt = this.now
    this.mode = "open"
    this.probes = []
    this.permits = this.permits.map((permit) => ({ ...permit, open: false }))
  }
  private get until(): number {
    return this.openedAt + (this.openedFor.at(-1) ?? 0)
  }

  acquire(): boolean {
    if (this.mode === "open") {
      if (this.now < this.until) return false
      if (this.policy.halfOpen === "skip") this.close()
      else this.mode = "half-open"
    }
    if (this.mode === "half-open") {
      if (this.probes.includes("under way")) return false
      this.probes.push("under way")
    }
    this.permits.push({ open: true, probe: this.mode === "half-open" })
    return true
  }
  failure(): void {
    if (this.mode === "half-open") this.trip()
    if (this.mode !== "closed") return
    this.failures.push(this.now)
    const { failureThreshold, window } = this.policy
    const counting = window === undefined
      ? this.failures
      : this.failures.filter((at) => this.now - at < Duration.toMillis(window))
    if (counting.length >= failureThreshold) this.trip()
  }
  private use(index: number): boolean {
    const permit = this.permits[index]
    if (permit === undefined || !permit.open) return false
    permit.open = false
    return true
  }
  succeed(index: number): void {
    if (!this.use(index)) return
    if (this.mode === "closed" && this.policy.window === undefined) this.failures = []
    if (this.mode !== "half-open") return
    this.probes = this.probes.map(() => "succeeded")
    const needed = this.policy.halfOpen === "skip" ? 1 : this.policy.halfOpen.successThreshold
    if (this.probes.length >= needed) this.close()
  }
  confirmStable(index: number): void {
    if (this.use(index)) this.close()
  }
  fail(index: number): void {
    if (this.use(index)) this.failure()
  }
  release(index: number): void {
    if (this.use(index)) this.probes = this.probes.filter((probe) => probe === "succeeded")
  }
  reset(): void {
    this.close()
    this.permits = this.permits.map((permit) => ({ ...permit, open: false }))
  }
  probesUnderWay(): number {
    return this.permits.filter(({ open, probe }) => open && probe).length
  }
}

const policies = Effect.gen(function*() {
  const openDuration = yield* Random.nextIntBetween(1, 1000)
  return {
    failureThreshold: yield* Random.nextIntBetween(1, 5),
    window: (yield* Random.nextBoolean) ? undefined : Duration.millis(yield* Random.nextIntBetween(1, 3000)),
    openDuration: Duration.millis(openDuration),
    openFactor: yield* Random.nextIntBetween(1, 3),
    openCap: Duration.millis(openDuration * (yield* Random.nextIntBetween(1, 10))),
    halfOpen: (yield* Random.nextIntBetween(0, 3)) === 0
      ? "skip" as const
      : { successThreshold: yield* Random.nextIntBetween(1, 4) }
  } satisfies Circuit.Policy
})

const names = { Closed: "closed", Open: "open", HalfOpen: "half-open" } as const

const history = Effect.fnUntraced(function*(log: Array<string>) {
  const policy = yield* policies
  const breaker = yield* CircuitBreaker.make(policy)
  const reference = new Reference(policy)
  const permits: Array<Breaker.Permit> = []
  let entered = 0
  for (let i = 0; i < 200; i++) {
    // Often the youngest permit, sometimes any of them.
    const index = permits.length === 0 || (yield* Random.nextBoolean)
      ? permits.length - 1
      : yield* Random.nextIntBetween(0, permits.length - 1)
    const permit = permits[index]
    const act = yield* Random.nextIntBetween(0, 19)
    if (act < 7) {
      const admitted = yield* Effect.result(breaker.acquire)
      log.push(`acquire ${admitted._tag}`)
      assert.strictEqual(Result.isSuccess(admitted), reference.acquire())
      if (Result.isSuccess(admitted)) permits.push(admitted.success)
    } else if (act < 11) {
      const millis = yield* Random.nextIntBetween(0, 800)
      log.push(`wait ${millis}`)
      yield* TestClock.adjust(millis)
      reference.now += millis
    } else if (act === 11) {
      log.push("recordFailure")
      yield* breaker.recordFailure("drop")
      reference.failure()
    } else if (act === 12 && (yield* Random.nextIntBetween(0, 4)) === 0) {
      log.push("reset")
      yield* breaker.reset
      reference.reset()
    } else if (permit !== undefined) {
      const report = yield* Random.choice(["succeed", "confirmStable", "fail", "fail", "release"] as const)
      log.push(`${report} ${index}`)
      yield* report === "fail" ? permit.fail("down") : permit[report]
      reference[report](index)
    }
    const state = yield* breaker.state
    assert.strictEqual(names[state._tag], reference.mode)
    if (state._tag === "HalfOpen") assert.strictEqual(state.probing, reference.probes.includes("under way"))
    assert.isAtMost(reference.probesUnderWay(), 1)
    if (state._tag === "HalfOpen") entered++
  }
  return entered
})

describe("CircuitBreaker against a reference machine", () => {
  it.effect("admits, rejects and changes state alike over 150 random histories", () =>
    Effect.gen(function*() {
      let halfOpen = 0
      for (let i = 0; i < 150; i++) {
        const seed = `breaker-${i}`
        const log: Array<string> = []
        halfOpen += yield* history(log).pipe(
          Random.withSeed(seed),
          Effect.provide(TestClock.layer()),
          Effect.catchDefect((defect) => Effect.die(new Error(`seed ${seed}: ${log.join(", ")}`, { cause: defect })))
        )
      }
      // The histories reach what they are for.
      assert.isAbove(halfOpen, 2000)
    }))
})
