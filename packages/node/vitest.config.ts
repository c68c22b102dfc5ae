import { defineProject } from "vitest/config"

export default defineProject({
  test: { name: "@tickline/node", include: ["test/**/*.test.ts"] }
})
