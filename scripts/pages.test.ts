/**
 * What the documentation says of the code is held against the code: its tables,
 * its examples of configuration, the names it lists and the pages it links to.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as ConnectionState from "@tickline/core/connection/ConnectionState"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Fault from "@tickline/testing/Fault"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as StateTransitions from "../packages/core/src/connection/internal/stateTransitions.ts"
import { held, tables } from "./pages.ts"
import { workspace } from "./source.ts"

const State = ConnectionState.ConnectionState

const read = (page: string): string => Fs.readFileSync(Path.join(workspace, page), "utf8")

/** The texts in backquotes in the first column of a page's tables. */
const listed = (page: string, column: number): ReadonlyArray<string> =>
  read(page).split("\n").filter((line) => line.startsWith("|"))
    .flatMap((line) => [...(line.split("|")[column + 1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""))

describe("tables", () => {
  for (const [page, name, table] of tables) {
    it(`${page} has the ${name} as they are (node scripts/pages.ts writes them)`, () => {
      assert.deepStrictEqual(held(read(page), name), table().map((row) => row.map((cell) => cell.trim())))
    })
  }

  it("docs/operating.md has every line of the log, and no other", () => {
    const page = read("docs/operating.md")
    const table = page.slice(page.indexOf("## The log"), page.indexOf("## Metrics"))
    const written = [...table.matchAll(/^\| (`[^|]+)\|/gm)]
      .flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""))
    const said = [
      "packages/core/src/actor",
      "packages/core/src/connection",
      "packages/core/src/market",
      "packages/core/src/recording",
      "packages/core/src/session",
      "packages/core/src/strategy",
      "packages/node/src/internal",
      "packages/node/src/runner"
    ]
      .flatMap((folder) => Fs.globSync(`${folder}/**/*.ts`, { cwd: workspace }))
      // The stream around a source of one's own says other things, in its own words.
      .filter((path) => !path.endsWith("ReconnectingStream.ts"))
      .flatMap((path) => [...read(path).matchAll(/\.log(?:Info|Warning|Error)?\(([^{]*?)[,)]?\s*(?:\{|\)|$)/gm)])
      .flatMap(([, args = ""]) => [...args.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ""))
      .filter((text) => !["Info", "Warn", "Error", "consumer"].includes(text))
    assert.deepStrictEqual(new Set(written), new Set(said))
  })

  it("docs/errors.md explains every kind of failure", () => {
    const page = read("docs/errors.md")
    for (const [, name, table] of tables.filter(([of]) => of === "docs/errors.md")) {
      const explained = page.slice(page.indexOf(`<!-- /${name} -->`))
      for (const [kind = ""] of table().slice(1)) assert.include(explained, `| ${kind}`)
    }
  })

  it("docs/policies.md lists every key", () => {
    const documented = listed("docs/policies.md", 1)
    const keys = PolicyConfig.keys.filter((key) => !key.endsWith("_ms"))
    assert.deepStrictEqual(keys.filter((key) => !documented.includes(key)), [])
  })

  it("docs/operating.md lists every kind of fault", () => {
    const documented = listed("docs/operating.md", 0)
    assert.deepStrictEqual(
      Fault.kinds.filter((kind) => !documented.some((text) => text === kind || text.startsWith(`${kind}=`))),
      []
    )
  })
})

describe("the diagram of docs/architecture.md", () => {
  it("shows the ways between states that there are, and no others", () => {
    const shown = [...read("docs/architecture.md").matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) =>
      `${from} ${to}`
    )
    const tags = [
      "Disconnected",
      "Connecting",
      "Connected",
      "Reconnecting",
      "CircuitOpen",
      "Closing",
      "Failed"
    ] as const
    const state = (tag: ConnectionState.ConnectionState["_tag"]): ConnectionState.ConnectionState => {
      const wait = { attempt: 1, delayMillis: 0, until: 0, failure: undefined, pattern: undefined }
      switch (tag) {
        case "Disconnected":
          return State.Disconnected()
        case "Connecting":
          return State.Connecting({ attempt: 1 })
        case "Connected":
          return State.Connected({ epoch: 1 })
        case "Reconnecting":
          return State.Reconnecting(wait)
        case "CircuitOpen":
          return State.CircuitOpen(wait)
        case "Closing":
          return State.Closing({ mode: "graceful" })
        case "Failed":
          return State.Failed({ error: new ConnectError.ConnectionClosed() })
      }
    }
    const allowed = tags.flatMap((from) =>
      tags.filter((to) => StateTransitions.allows(state(from), state(to))).map((to) => `${from} ${to}`)
    )
    assert.deepStrictEqual(shown.toSorted(), allowed.toSorted())
  })
})

it("docs/several-venues.md shows pieces of the example that it is about", () => {
  const example = read("examples/spread.ts")
  const pieces = [...read("docs/several-venues.md").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code)
  const shown = pieces.filter((code) => !code.startsWith("const feeds = yield *"))
  assert.isAbove(shown.length, 1)
  for (const code of shown) assert.include(example, code)
})

describe("examples of configuration", () => {
  it.effect("the complete file of docs/policies.md is the preset recommended", () =>
    Effect.gen(function*() {
      const toml = /```toml\n([\s\S]*?)```/.exec(read("docs/policies.md"))?.[1] ?? ""
      const withoutPreset = toml.replace(/^preset = .*$/m, "")
      const encode = Schema.encodeSync(Schema.toCodecJson(ConnectionPolicy.ConnectionPolicy))
      // Every key stands there: whatever it starts from, it comes to the same.
      for (const start of Presets.presetNames.filter((name) => name !== "test").map(Presets.preset)) {
        assert.deepStrictEqual(
          encode(yield* PolicyConfig.fromToml(withoutPreset, start)),
          encode(Presets.recommended)
        )
      }
    }))
})

describe("docs/consumers.md", () => {
  it("shows the example that is compiled and run", () => {
    assert.include(read("docs/consumers.md"), `\`\`\`ts\n${read("examples/consumers.ts")}\`\`\``)
  })
})

describe("links", () => {
  const pages = Fs.globSync(["*.md", "docs/*.md", "packages/*/README.md"], { cwd: workspace })

  const anchors = (page: string): ReadonlyArray<string> =>
    [...read(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? "").toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    )

  for (const page of pages) {
    it(`${page} links to what is there`, () => {
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [path = "", anchor] = target.split("#")
        const file = path === "" ? page : Path.join(Path.dirname(page), path)
        assert.isTrue(Fs.existsSync(Path.join(workspace, file)), `${target} is not there`)
        if (anchor !== undefined) assert.include(anchors(file), anchor)
      }
    })
  }
})
