import { defineProject } from "vitest/config"

// A busy machine is slow: a test that hangs is ended, one that waits its turn is not.
// By default a machine of two cores would use one of them.
// Files share a worker: nothing here changes a module, and loading them anew took longer than the named tests themselves.
export default defineProject({
  test: {
    name: "@tickline/testing",
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    maxWorkers: 2,
    isolate: false
  }
})
