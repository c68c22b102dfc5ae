import { defineProject } from "vitest/config"

// A busy machine is slow: a test that hangs is ended, one that waits its turn is not.
export default defineProject({
  test: { name: "@tickline/testing", include: ["test/**/*.test.ts"], testTimeout: 30_000 }
})
