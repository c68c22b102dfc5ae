/**
 * `[simulation]`: markets, venues and exchanges that this process makes up, on
 * loopback, in place of those that have no address.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Tables from "../internal/tables.ts"
import { UsageError } from "../RunnerError.ts"

/**
 * What is simulated: the seed of its markets, market data frames a second of each
 * venue, how many times as far as usual its prices move, and what goes wrong at
 * each venue, as `tickline simulate --fault` has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulationConfig {
  readonly seed: number
  readonly rate: number
  readonly volatility: number
  readonly faults: ReadonlyArray<string>
}

/**
 * Where a venue that is simulated seems to be until it is served: nowhere.
 *
 * @category constants
 * @since 0.1.0
 */
export const nowhere = "ws://simulated.invalid"

/**
 * Reads `[simulation]`, if it is there.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  root: Tables.Table
): Effect.fn.Return<SimulationConfig | undefined, UsageError> {
  if (!Object.hasOwn(root, "simulation")) return undefined
  const path = "simulation"
  const table = yield* Tables.tableOf(root, path, path, ["seed", "rate", "volatility", "faults"])
  const seeds = Tables.whole(0, Number.MAX_SAFE_INTEGER, "a whole number, 0 or more")
  const faults = yield* Tables.textsOf(table, "faults", path, "a list of faults, such as [\"drop@30s/60s\"]")
  if (faults.length > 0) {
    // Who schedules none loads no mock for it.
    const { faultsOf } = yield* Effect.promise(() => import("../../simulate/Simulation.ts"))
    for (const [index, fault] of faults.entries()) {
      yield* Effect.mapError(
        Effect.fromResult(faultsOf([fault])),
        (error) => new UsageError({ ...error, key: `${path}.faults[${index}]` })
      )
    }
  }
  return {
    seed: yield* Tables.read(table, "seed", path, seeds, 1),
    rate: yield* Tables.read(
      table,
      "rate",
      path,
      Tables.positive(100_000, "frames per second, a number more than 0 and up to 100000"),
      20
    ),
    volatility: yield* Tables.read(
      table,
      "volatility",
      path,
      Tables.positive(1_000, "a number more than 0 and up to 1000"),
      1
    ),
    faults
  }
})
