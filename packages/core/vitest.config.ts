import { defineProject } from "vitest/config"

// A busy machine is slow: a test that hangs is ended, one that waits its turn is not.
// Some bound the time of what they do: one file at a time.
export default defineProject({
  test: { name: "@tickline/core", include: ["test/**/*.test.ts"], testTimeout: 30_000, maxWorkers: 1 }
})
