/**
 * A rule counts only where it can fail: each rule of the house is broken, here
 * or in `shape.test.ts`, in a workspace of a few files, and the tool that holds it
 * must say so.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { stale, texts, written } from "./barrels.ts"
import { check } from "./check.ts"
import { faults } from "./commits.ts"
import { findings } from "./docs.ts"
import { violations } from "./floors.ts"
import { outdated, pages } from "./reference.ts"
import { workspace } from "./source.ts"
import { over, temporary, write } from "./temporaryWorkspace.ts"

const core = "packages/core/src"
const testing = "packages/testing/src"
const node = "packages/node/src"

describe("oxlint", () => {
  /** What breaks a rule, and where the same text is allowed. */
  const broken: ReadonlyArray<readonly [rule: string, text: string]> = [
    ["no-restricted-globals", "export const x = Date.now()"],
    ["no-restricted-globals", "export const x = new Date()"],
    ["no-restricted-globals", "export const x = globalThis.Date.now()"],
    ["no-restricted-globals", "setTimeout(() => {}, 1)"],
    ["no-restricted-globals", "setInterval(() => {}, 1)"],
    ["no-restricted-globals", "setImmediate(() => {})"],
    ["no-restricted-globals", "queueMicrotask(() => {})"],
    ["no-restricted-globals", "export const x = performance.now()"],
    ["no-restricted-globals", "export const x = Promise.resolve(1)"],
    ["no-restricted-globals", "export const x = process.version"],
    ["no-restricted-globals", "console.log(1)"],
    ["no-restricted-globals", "export const x = new WebSocket(\"ws://localhost\")"],
    ["no-restricted-globals", "export const x = globalThis.WebSocket"],
    ["no-restricted-properties", "export const x = Math.random()"],
    ["no-restricted-properties", "const { random } = Math\nexport const x = random()"],
    ["no-async-await", "export const x = async () => 1"],
    ["no-restricted-types", "export type X = Promise<number>"],
    ["no-explicit-any", "export const x = (y: any) => y"]
  ]
  const places = [`${core}/value`, testing, `${testing}/virtual`, `${testing}/node`]
  let found: ReadonlyArray<{ readonly code: string; readonly filename: string }> = []
  let root = ""

  beforeAll(() => {
    root = temporary()
    Fs.copyFileSync(Path.join(workspace, ".oxlintrc.json"), Path.join(root, ".oxlintrc.json"))
    for (const [i, [, text]] of broken.entries()) {
      for (const place of places) write(root, `${place}/Broken${i}.ts`, `${text}\n`)
    }
    write(root, `${core}/value/A.ts`, `import type { B } from "./B.ts"\nexport type A = B | 1\n`)
    write(root, `${core}/value/B.ts`, `import type { A } from "./A.ts"\nexport type B = A | 2\n`)
    write(root, `${core}/value/Clean.ts`, "export const x = [1].map((n) => n + 1)\n")
    const { stdout } = spawnSync(Path.join(workspace, "node_modules/.bin/oxlint"), ["-f", "json"], {
      cwd: root,
      encoding: "utf8"
    })
    found = JSON.parse(stdout).diagnostics
  })

  afterAll(() => Fs.rmSync(root, { recursive: true, force: true }))

  const rulesAt = (path: string) => found.filter(({ filename }) => filename === path).map(({ code }) => code)

  for (const [i, [rule, text]] of broken.entries()) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      for (const place of places.slice(0, 3)) {
        assert.isTrue(rulesAt(`${place}/Broken${i}.ts`).some((code) => code.includes(`(${rule})`)), place)
      }
    })
  }

  it("leaves real sockets their timers and promises", () => {
    const timeless = rulesAt(`${testing}/node/Broken0.ts`).concat(rulesAt(`${testing}/node/Broken8.ts`))
    assert.deepStrictEqual(timeless, [])
  })

  it("refuses a circle, even of types", () =>
    assert.deepStrictEqual(rulesAt(`${core}/value/A.ts`), ["import(no-cycle)"]))

  it("passes clean code", () => assert.deepStrictEqual(rulesAt(`${core}/value/Clean.ts`), []))
})

describe("floors", () => {
  const one = (path: string, text: string): ReadonlyArray<string> =>
    over({ [path]: text }, (root) => violations(root).map(({ message }) => message))

  const refuses = (name: string, path: string, text: string, message: RegExp) =>
    it(`refuses ${name}`, () => {
      const found = one(path, text)
      assert.strictEqual(found.length, 1, found.join("\n"))
      assert.match(found[0] ?? "", message)
    })

  const passes = (name: string, path: string, text: string) =>
    it(`passes ${name}`, () => assert.deepStrictEqual(one(path, text), []))

  const floors = [
    ["value"],
    ["transport", "codec", "event"],
    ["resilience"],
    ["protocol"],
    ["connection", "venue"],
    ["market", "recording"],
    ["session"],
    ["trading"],
    ["strategy", "actor"]
  ]
  const rooms = floors.flatMap((rooms, floor) => rooms.map((room) => ({ room, floor })))
  // Of these neighbours one may know the other.
  const neighbours = "strategy importing actor"
  for (const { floor, room } of rooms) {
    for (const other of rooms) {
      const name = `${room} importing ${other.room}`
      const text = `import type { X } from "../${other.room}/X.ts"\nexport type Y = X`
      const path = `${core}/${room}/Y.ts`
      if (other.floor > floor) refuses(name, path, text, /which is above it/)
      else if (other.floor < floor || other.room === room || name === neighbours) passes(name, path, text)
      else refuses(name, path, text, /on the same floor/)
    }
  }
  passes("event importing codec/Rejection", `${core}/event/Y.ts`, `export * from "../codec/Rejection.ts"`)
  refuses("codec importing event", `${core}/codec/Rejection.ts`, `export * from "../event/Y.ts"`, /on the same floor/)
  refuses(
    "a way round by a longer path",
    `${core}/venue/kraken/Y.ts`,
    `export * from "../../market/../market/X.ts"`,
    /above it/
  )
  refuses("a type imported in place", `${core}/value/Y.ts`, `export type Y = import("../market/X.ts").X`, /above it/)
  refuses("an import at run time", `${core}/value/Y.ts`, `export const y = () => import("../market/X.ts")`, /above it/)
  refuses("a computed import", `${core}/value/Y.ts`, `export const y = (name: string) => import(name)`, /computed/)
  refuses("a room without a floor", `${core}/cellar/Y.ts`, "export {}", /has no floor/)
  refuses("a module outside the rooms", `${core}/Y.ts`, "export {}", /stands in a room/)
  refuses("a barrel from within", `${core}/market/Y.ts`, `import "../index.ts"`, /barrel/)

  const imports = (specifier: string) => `import * as X from "${specifier}"\nexport const y = X`
  const outside: ReadonlyArray<readonly [path: string, specifiers: ReadonlyArray<string>]> = [
    [`${core}/value/Y.ts`, [
      "node:fs",
      "fs",
      "ws",
      "@tickline/core/value/X",
      "@tickline/node/X",
      "@effect/platform-node/X"
    ]],
    [`${testing}/Y.ts`, ["node:fs", "ws", "@tickline/node", "@effect/platform-node/X"]],
    [`${testing}/node/Y.ts`, ["@tickline/node/X", "@effect/platform-node/X"]],
    [`${node}/Y.ts`, ["vitest", "fs", "@effect/vitest"]]
  ]
  for (const [path, specifiers] of outside) {
    for (const specifier of specifiers) refuses(`${specifier} in ${path}`, path, imports(specifier), /does not import/)
  }
  const noble = imports("@noble/hashes/sha2.js")
  passes("what signs importing @noble", `${core}/session/Signer.ts`, noble)
  for (
    const path of [`${core}/session/Session.ts`, `${core}/session/internal/Signer.ts`, `${core}/trading/Signer.ts`]
  ) {
    refuses(`@noble in ${path}`, path, noble, /does not import/)
  }
  refuses("the virtual network reaching real sockets", `${testing}/Y.ts`, imports("./node/X.ts"), /does not import/)
  refuses("a package reached by a path", `${node}/Y.ts`, imports("../../core/src/value/X.ts"), /does not import/)
  passes("what testing/node is for", `${testing}/node/Y.ts`, `${imports("ws")}\nimport "node:net"\nimport "../X.ts"`)
  passes("what node is for", `${node}/Y.ts`, `${imports("@tickline/testing/node")}\nimport "@effect/platform-node/X"`)

  refuses("Effect's barrel", `${node}/Y.ts`, `import { Effect } from "effect"\nexport const y = Effect.void`, /barrel/)
  refuses("a barrel of an area", `${testing}/Y.ts`, imports("effect/testing"), /barrel/)
  passes("a module of an area", `${testing}/Y.ts`, imports("effect/testing/TestClock"))

  const decimal = `import * as BigDecimal from "effect/BigDecimal"\n`
  refuses("BigDecimal.format", `${core}/market/Y.ts`, `${decimal}export const y = BigDecimal.format`, /scale/)
  refuses(
    "BigDecimal.fromStringUnsafe",
    `${node}/Y.ts`,
    `${decimal}export const y = BigDecimal.fromStringUnsafe("1")`,
    /scale/
  )
  refuses(
    "it by another name",
    `${core}/market/Y.ts`,
    `import * as D from "effect/BigDecimal"\nexport const y = D["format"]`,
    /scale/
  )
  refuses(
    "it by import",
    `${core}/market/Y.ts`,
    `import { format as f } from "effect/BigDecimal"\nexport const y = f`,
    /scale/
  )
  refuses(
    "it taken apart",
    `${core}/market/Y.ts`,
    `${decimal}const { format } = BigDecimal\nexport const y = format`,
    /scale/
  )
  refuses(
    "Schema.BigDecimalFromString",
    `${core}/market/Y.ts`,
    `import * as Schema from "effect/Schema"\nexport const y = Schema.BigDecimalFromString`,
    /scale/
  )
  passes("BigDecimal.format in Decimal", `${core}/value/Decimal.ts`, `${decimal}export const y = BigDecimal.format`)
  passes(
    "BigDecimal.format in a text",
    `${core}/market/Y.ts`,
    `/** BigDecimal.format */\nexport const y = "BigDecimal.format"`
  )

  const effect = `import * as Effect from "effect/Effect"\n`
  refuses("a promise in core", `${core}/market/Y.ts`, `${effect}export const y = Effect.promise`, /TestClock/)
  passes("a promise at the edge", `${node}/Y.ts`, `${effect}export const y = Effect.promise`)

  refuses(
    "a rule of the house switched off",
    `${core}/market/Y.ts`,
    "// oxlint-disable-next-line no-restricted-globals -- why\n",
    /no comment/
  )
  refuses("a rule switched off without a reason", `${node}/Y.ts`, "// oxlint-disable-next-line no-console\n", /reason/)
  passes(
    "a rule switched off with one",
    `${node}/Y.ts`,
    "// oxlint-disable-next-line no-new -- the constructor listens\n"
  )
})

describe("reference", () => {
  const header = "/**\n * A noun.\n *\n * @since 0.1.0\n */\n"
  const text = `${header}/**\n * Twice a number.\n *\n * @category getters\n * @since 0.1.0\n */\n` +
    "export const twice = (n: bigint): bigint => n * 2n\n"
  const page = "docs/reference/core.md"

  it("has a module's words, and of an export its kind, its signature and its words, without its body", () =>
    over({ [`${core}/value/A.ts`]: text }, (root) => {
      const written = pages(root).get(page) ?? ""
      assert.include(written, "## A\n\n[packages/core/src/value/A.ts](../../packages/core/src/value/A.ts)\n\nA noun.\n")
      assert.include(
        written,
        "### A.twice\n\n_getters_\n\n```ts\nconst twice = (n: bigint): bigint\n```\n\nTwice a number.\n"
      )
    }))
  it("refuses a page that is out of date", () =>
    over({ [`${core}/value/A.ts`]: text }, (root) => {
      for (const [path, written] of pages(root)) write(root, path, written)
      assert.deepStrictEqual(outdated(root), [])
      write(root, page, `${pages(root).get(page)}more\n`)
      assert.deepStrictEqual(outdated(root).map(({ at }) => at), [`${page}:1:1`])
    }))
})

describe("commits", () => {
  const refused = (message: string): string => faults({ hash: "abc1234", message }).map(({ message }) => message).join()

  it("passes plain words, with a body or without", () => {
    assert.strictEqual(refused("A late answer is known for what it is"), "")
    assert.strictEqual(refused("A ping is charged: a limit counts it\n\nThe venue does."), "")
    assert.strictEqual(refused("x".repeat(72)), "")
  })
  it("refuses a subject of 73 characters", () => assert.match(refused("x".repeat(73)), /73 characters/))
  it("refuses a prefix", () => assert.match(refused("fix(core): a late answer"), /a prefix/))
  it("refuses a full stop", () => assert.match(refused("A late answer."), /full stop/))
  it("refuses a body at once", () => assert.match(refused("A late answer\nis known"), /empty line/))
  it("refuses no subject", () => assert.match(refused(""), /no subject/))
})

describe("docs", () => {
  const header = "/**\n * A noun.\n *\n * @since 0.1.0\n */\n"
  const full = "/**\n * One.\n *\n * @category models\n * @since 0.1.0\n */\n"
  const one = (text: string): ReadonlyArray<string> =>
    over({ [`${core}/value/Y.ts`]: text }, (root) => findings(root).map(({ message }) => message))

  it("passes a documented module", () =>
    assert.deepStrictEqual(
      one(
        `${header}${full}export const one = 1\n${full}export type One = 1\n${full}export function f(x: 1): 1\nexport function f(x: number) {\n  return x\n}\n`
      ),
      []
    ))
  it("refuses a module without a header", () => assert.deepStrictEqual(one("export {}\n"), ["no header comment"]))
  it("refuses a header without a version", () =>
    assert.deepStrictEqual(one("/**\n * A noun.\n */\nexport {}\n"), ["no @since in the header comment"]))
  it("refuses an export without a comment", () =>
    assert.deepStrictEqual(one(`${header}\nexport const one = 1\n`), [
      "one: 0 @category tags instead of one"
    ]))
  it("refuses a later export without a comment", () =>
    assert.deepStrictEqual(one(`${header}${full}export const one = 1\nexport const two = 2\n`), [
      "two: no doc comment"
    ]))
  it("refuses tags without a sentence, and a category of one's own", () =>
    assert.deepStrictEqual(one(`${header}/**\n * @category misc\n */\nexport class One {}\n`), [
      "One: a doc comment without a sentence",
      "One: the category \"misc\", which scripts/docs.ts does not list",
      "One: no @since with a version"
    ]))
})

describe("the README's comparison", () => {
  const ours = "packages/core/test/A.test.ts"
  const table = (row: string): string =>
    `# X\n\n### Read\n\n|  | ours | peer | test |\n| --- | --- | --- | --- |\n${row}\n`
  const told = (row: string, source = "| jitter | `a.js` |"): ReadonlyArray<string> =>
    over({
      [ours]: "",
      "README.md": table(row),
      "docs/comparison.md":
        `# Comparison\n\n| peer | version |\n| --- | --- |\n| a | 1 |\n\n|  | a |\n| --- | --- |\n${source}\n`
    }, (root) => findings(root).map(({ at, message }) => `${at} ${message}`))

  it("passes a row that says how it can be checked", () => {
    assert.deepStrictEqual(told(`| jitter | yes | no | [A](${ours}) |`), [])
    assert.deepStrictEqual(told(`| jitter | yes | – | [A](${ours}) |`, "| jitter | – |"), [])
  })
  it("refuses a row without a test, or with one that is not there", () => {
    const refused = ["README.md:7:1 \"jitter\" names no test that is there"]
    assert.deepStrictEqual(told("| jitter | yes | no |  |"), refused)
    assert.deepStrictEqual(told("| jitter | yes | no | [A](packages/core/test/B.test.ts) |"), refused)
  })
  it("refuses a row, and a cell, without its source", () => {
    assert.deepStrictEqual(told(`| breaker | yes | no | [A](${ours}) |`), [
      "README.md:7:1 \"breaker\" does not stand in docs/comparison.md"
    ])
    assert.deepStrictEqual(told(`| jitter | yes | no | [A](${ours}) |`, "| jitter | – |"), [
      "README.md:7:1 \"jitter\" has a cell of a peer without its source in docs/comparison.md"
    ])
  })
})

describe("barrels", () => {
  const header = "/**\n * A noun.\n *\n * More.\n *\n * @since 0.2.0\n */\n"
  const files = { [`${core}/value/A.ts`]: header, [`${core}/market/B.ts`]: header, [`${testing}/node/C.ts`]: header }

  it("export each module by its name, and are stale when one is added", () =>
    over(files, (root) => {
      assert.strictEqual(stale(root).length, 6)
      for (const [path, text] of texts(root)) write(root, path, text)
      assert.deepStrictEqual(stale(root), [])
      assert.include(
        texts(root).get(`${core}/index.ts`),
        "/**\n * A noun.\n *\n * @since 0.2.0\n */\nexport * as B from \"./market/B.ts\"\n"
      )
      assert.notInclude(texts(root).get(`${testing}/index.ts`), "C.ts")
      write(root, `${node}/D.ts`, header)
      assert.deepStrictEqual(stale(root).map(({ at }) => at), [`${node}/index.ts:1:1`])
    }))
  it("give a module of testing its path by its name, whatever folder it stands in", () => {
    const exports = { ".": "./src/index.ts", "./Old": "./src/Old.ts" }
    const manifest = JSON.stringify({ name: "x", exports, publishConfig: { exports } })
    over({ ...files, [`${testing}/venue/E.ts`]: header, "packages/testing/package.json": manifest }, (root) => {
      const text = written(root).get("packages/testing/package.json") ?? ""
      assert.deepStrictEqual(JSON.parse(text), {
        name: "x",
        exports: { ".": "./src/index.ts", "./E": "./src/venue/E.ts" },
        publishConfig: {
          exports: { ".": "./src/index.ts", "./E": { types: "./dist/venue/E.d.ts", default: "./dist/venue/E.js" } }
        }
      })
      for (const [path, text] of written(root)) write(root, path, text)
      assert.deepStrictEqual(stale(root), [])
      write(root, `${testing}/network/F.ts`, header)
      assert.include(stale(root).map(({ at }) => at), "packages/testing/package.json:1:1")
    })
  })
  it("refuse two modules of one name", () =>
    over({ ...files, [`${core}/venue/A.ts`]: header }, (root) => assert.throws(() => texts(root), /are both A/)))
})

describe("check", () => {
  /** Checks one project of these effects, each in a module of its own, after a plain `tsc -b` has passed or not. */
  const compiled = (
    bodies: Readonly<Record<string, string>>
  ): { readonly status: number | null; readonly stdout: string } => {
    // Within the workspace, so that `effect` is found; in a cache, so that nothing else finds it.
    const cache = Path.join(workspace, "node_modules/.cache")
    Fs.mkdirSync(cache, { recursive: true })
    const root = Fs.mkdtempSync(Path.join(cache, "check-"))
    try {
      write(
        root,
        "tsconfig.json",
        JSON.stringify({ extends: Path.join(workspace, "tsconfig.base.json"), include: ["src"] })
      )
      for (const [name, body] of Object.entries(bodies)) {
        const text =
          `import * as Effect from "effect/Effect"\nexport const it = Effect.gen(function*() {\n${body}\n})\n`
        write(root, `src/${name}.ts`, text)
      }
      spawnSync(Path.join(workspace, "node_modules/.bin/tsc"), ["-b", root])
      return check(root, "pipe")
    } finally {
      Fs.rmSync(root, { recursive: true })
    }
  }

  it("passes what is sound", () => assert.strictEqual(compiled({ Sound: "  yield* Effect.void" }).status, 0))

  it("refuses a floating effect that a plain build has let pass", () => {
    const { status, stdout } = compiled({ Floating: "  Effect.log(\"lost\")\n  yield* Effect.void" })
    assert.notStrictEqual(status, 0)
    assert.match(stdout, /Floating\.ts.*effect\(floatingEffect\)/)
  })

  it("refuses a type error, a floating effect, and a failure that is not returned", () => {
    const { status, stdout } = compiled({
      Sound: "  yield* Effect.void",
      Typed: "  const n: number = \"1\"\n  yield* Effect.succeed(n)",
      Floating: "  Effect.log(\"lost\")\n  yield* Effect.void",
      Failing: "  yield* Effect.fail(\"no\" as const)\n  return 1"
    })
    assert.notStrictEqual(status, 0)
    assert.match(stdout, /Typed\.ts.*TS2322/)
    assert.match(stdout, /Floating\.ts.*effect\(floatingEffect\)/)
    assert.match(stdout, /Failing\.ts.*effect\(missingReturnYieldStar\)/)
    assert.notMatch(stdout, /Sound\.ts.* error /)
  })
})
