import { defineProject } from "vitest/config"

// A busy machine is slow: a test that hangs is ended, one that waits its turn is not.
// By default a machine of two cores would use one of them.
export default defineProject({
  test: { name: "@tickline/core", include: ["test/**/*.test.ts"], testTimeout: 30_000, maxWorkers: 2 }
})
