import { defineConfig } from "vitest/config"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(
    `Tickline's tests need Node 22.19 or later; this is ${process.versions.node}. Run them as \`npx -y pnpm@12 test\`, which brings Node 24 along.`
  )
}

export default defineConfig({
  test: {
    projects: [
      "packages/*",
      { test: { name: "scripts", include: ["scripts/**/*.test.ts"], testTimeout: 120_000, maxWorkers: 1 } },
      { test: { name: "examples", include: ["examples/test/*.test.ts"], maxWorkers: 1 } }
    ]
  }
})
