import { defineProject } from "vitest/config"

export default defineProject({
  test: { name: "@tickline/core", include: ["test/**/*.test.ts"] }
})
