import { defineProject } from "vitest/config"

// A busy machine is slow: a test that hangs is ended, one that waits its turn is not.
// Processes and sockets run in real time: one file at a time.
export default defineProject({
  test: {
    name: "@tickline/node",
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    maxWorkers: 1
  }
})
