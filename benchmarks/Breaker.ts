/** One call through a closed breaker, of a function that does nothing. */
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Effect from "effect/Effect"
import * as EffectBreaker from "effect/persistence/CircuitBreaker"
import { peer } from "./Peers.ts"
import * as Rounds from "./Rounds.ts"

const calls = 200_000

const breaker = await Effect.runPromise(CircuitBreaker.make(Presets.preset("fast").circuit))
const call = Effect.succeed(1)
const effects = await Effect.runPromise(Effect.provide(
  Effect.scoped(EffectBreaker.make({ tripPolicy: EffectBreaker.consecutive(5), openDuration: "10 seconds" })),
  EffectBreaker.layerStoreMemory()
))
const loop = (body: Effect.Effect<number, unknown>) =>
  Effect.suspend(() => {
    let left = calls
    return Effect.whileLoop({ while: () => left-- > 0, body: () => body, step: () => {} })
  })

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await run()
  return (performance.now() - begun) / calls * 1_000
}

interface Fires {
  readonly fire: () => Promise<number>
}
const Opossum = await peer<new(action: () => Promise<number>, options: object) => Fires>("opossum")
const opossum = new Opossum(() => Promise.resolve(1), { timeout: false })

interface Cockatiel {
  readonly circuitBreaker: (policy: unknown, options: object) => { execute: (f: () => number) => Promise<number> }
  readonly handleAll: unknown
  readonly ConsecutiveBreaker: new(threshold: number) => object
}
const Cockatiel = await peer<Cockatiel>("cockatiel")
const cockatiel = Cockatiel.circuitBreaker(Cockatiel.handleAll, {
  halfOpenAfter: 10_000,
  breaker: new Cockatiel.ConsecutiveBreaker(5)
})

const results = await Rounds.interleave({
  bare: () => timed(() => Effect.runPromise(loop(call))),
  ours: () => timed(() => Effect.runPromise(loop(breaker.execute(call)))),
  effect: () => timed(() => Effect.runPromise(loop(call.pipe(effects.execute({ key: "venue" }))))),
  opossum: () =>
    timed(async () => {
      for (let i = 0; i < calls; i++) await opossum.fire()
    }),
  cockatiel: () =>
    timed(async () => {
      for (let i = 0; i < calls; i++) await cockatiel.execute(() => 1)
    })
}, { rounds: 9, warmup: 2 })

Rounds.report([
  {
    name: "breaker, closed call",
    value: Rounds.median(results.ours) - Rounds.median(results.bare),
    unit: "µs",
    higher: false,
    must: 0.4,
    goal: 0.2,
    detail: `${Rounds.median(results.ours).toFixed(3)} µs with the call, ${
      Rounds.median(results.bare).toFixed(3)
    } without`
  },
  {
    name: "peer: effect/persistence/CircuitBreaker, closed call",
    value: Rounds.median(results.effect) - Rounds.median(results.bare),
    unit: "µs",
    higher: false
  },
  { name: "peer: opossum, closed call", value: Rounds.median(results.opossum), unit: "µs", higher: false },
  { name: "peer: cockatiel, closed call", value: Rounds.median(results.cockatiel), unit: "µs", higher: false }
])
process.exit(0)
