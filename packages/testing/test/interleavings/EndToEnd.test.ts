/** Whole workflows under many orders of their fibers. To run others: TICKLINE_SEEDS=1..200 npx -y pnpm@12 test interleavings/EndToEnd */
import { describe, it } from "@effect/vitest"
import * as SeededScheduler from "@tickline/testing/SeededScheduler"
import * as VirtualStage from "../endToEnd/VirtualStage.ts"
import * as Workflows from "../endToEnd/Workflows.ts"

const [first = 1, last = 2] = (process.env["TICKLINE_SEEDS"] ?? "1..2").split("..").map(Number)

describe("End to end, under many interleavings", () => {
  for (const [name, workflow] of Object.entries(Workflows)) {
    it.live(name, () => SeededScheduler.check(VirtualStage.play(workflow), { seeds: [first, last] }), 600_000)
  }
})
