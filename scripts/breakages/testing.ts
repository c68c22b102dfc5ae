/** Breakages of `packages/testing`. */
import type { Breakage } from "./Breakage.ts"

const scheduler = "packages/testing/src/SeededScheduler.ts"
const ofScheduler = "packages/testing/test/SeededScheduler.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "time moves while a fiber is ready",
    file: scheduler,
    original: "settling(base.adjust(duration))",
    replacement: "base.adjust(duration)",
    test: [ofScheduler, "does not let time move while a fiber is ready"]
  },
  {
    name: "fibers go on in their order, and never yield",
    file: scheduler,
    original: "this.#chance = Chance.make(seed)",
    replacement: "this.#chance = { ...Chance.make(seed), next: () => 0, integer: () => 0, happens: () => false }",
    test: [ofScheduler, "finds a lost update, and names its seed"]
  },
  {
    name: "nobody says that nothing can go on",
    file: scheduler,
    original: "if (left === tasks && this.#steps > 0) {",
    replacement: "if (left > tasks && this.#steps > 0) {",
    test: [ofScheduler, "says of a program that waits for ever"]
  }
]
