import { defineProject } from "vitest/config"

export default defineProject({
  test: { name: "@tickline/testing", include: ["test/**/*.test.ts"] }
})
