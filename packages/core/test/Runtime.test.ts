/**
 * The runtime that the suite runs on. `vitest.workspace.ts` refuses an older
 * one before any test starts; this holds it where a package's tests are run by
 * themselves.
 */
import { assert, it } from "@effect/vitest"

it("runs on Node 22.19 or later", () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  assert.isTrue(
    major > 22 || (major === 22 && minor >= 19),
    `Node ${process.versions.node} is too old: run the tests as \`npx -y pnpm@12 test\`, which brings Node 24 along`
  )
})
