/**
 * Holds the architecture: which package may import what, which room of core
 * stands on which floor, and which members of Effect's modules the house does
 * not use. Rules that oxlint can hold by itself are in `.oxlintrc.json`; this
 * script has those that need a path resolved or a table read.
 *
 *     node scripts/floors.ts [root]
 */
import * as Path from "node:path"
import { Visitor } from "oxc-parser"
import { at, type Finding, read, report, type Source, workspace } from "./source.ts"

/**
 * What each area may import from outside itself. The first area that a file is
 * in holds. `node:` stands for all of Node's own modules.
 */
const areas: ReadonlyArray<{
  readonly folder: string
  readonly imports: ReadonlyArray<string>
  /** Other areas that it may reach by a relative path. */
  readonly reaches?: ReadonlyArray<string>
  /** Whether time and chance belong to Effect alone here (rule 1). */
  readonly timeless: boolean
}> = [
  { folder: "packages/core/src", imports: ["effect"], timeless: true },
  {
    folder: "packages/testing/src/node",
    imports: ["@tickline/core", "effect", "@effect/vitest", "ws", "node:"],
    reaches: ["packages/testing/src"],
    timeless: false
  },
  { folder: "packages/testing/src", imports: ["@tickline/core", "effect", "@effect/vitest"], timeless: true },
  {
    folder: "packages/node/src",
    imports: ["@tickline/core", "@tickline/testing", "effect", "@effect/platform-node", "ws", "node:"],
    timeless: false
  }
]

/** The rooms of core, from the ground up: a room imports itself and the rooms of the floors below it. */
const floors: ReadonlyArray<ReadonlyArray<string>> = [
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

/** What single files may import besides what their area may. */
const licences: ReadonlyArray<{ readonly files: ReadonlyArray<string>; readonly imports: ReadonlyArray<string> }> = [
  { files: ["packages/core/src/session/Signer.ts"], imports: ["@noble/curves", "@noble/hashes"] },
  {
    files: [
      "packages/core/src/trading/dydx/DydxSigning.ts",
      "packages/core/src/trading/dydx/internal/clientNumber.ts",
      "packages/core/src/trading/dydx/internal/keys.ts",
      "packages/core/src/trading/dydx/internal/protobuf.ts",
      "packages/core/src/trading/hyperliquid/HyperliquidSigning.ts",
      "packages/core/src/trading/hyperliquid/internal/eip712.ts",
      "packages/core/src/trading/hyperliquid/internal/msgpack.ts"
    ],
    imports: ["@noble/hashes"]
  },
  { files: ["packages/node/src/store/Postgres.ts"], imports: ["@effect/sql-pg"] }
]

const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

/** What a room may import of another on its own floor: the room, or the module of it. */
const neighbours: Readonly<Record<string, string>> = {
  event: "packages/core/src/codec/Rejection.ts",
  strategy: "packages/core/src/actor/"
}

/** Members of Effect's modules that are used nowhere in the packages but in `only`, or not where all is timeless. */
const members: ReadonlyArray<{
  readonly module: string
  readonly name: RegExp
  readonly only?: string
  readonly timeless?: true
  readonly because: string
}> = [
  {
    module: "effect/BigDecimal",
    name: /^(format|fromString\w*)$/,
    only: "packages/core/src/value/Decimal.ts",
    because: "it loses the venue's scale; use value/Decimal"
  },
  {
    module: "effect/Schema",
    name: /^BigDecimalFromString$/,
    only: "packages/core/src/value/Decimal.ts",
    because: "it loses the venue's scale; use value/Decimal"
  },
  {
    module: "effect/Effect",
    name: /^(promise|tryPromise|runPromise\w*)$/,
    timeless: true,
    because: "a promise wakes outside Effect's scheduler, and TestClock does not follow it"
  }
]

/** The lint rules that no comment may switch off where all is timeless. */
const binding = /no-async-await|no-restricted-(globals|properties|types)|no-cycle|no-console/

const inside = (folder: string, path: string): boolean => path.startsWith(`${folder}/`)

const areaOf = (path: string) => areas.find((area) => inside(area.folder, path))

const roomOf = (path: string): string | undefined => /^packages\/core\/src\/([^/]+)\//.exec(path)?.[1]

interface Import {
  readonly specifier: string | undefined
  readonly offset: number
}

/** Every module that a source names: imports, re-exports, `import()` and `import("…")` types. */
const importsOf = (source: Source): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  for (const { moduleRequest } of source.module.staticImports) {
    found.push({ specifier: moduleRequest.value, offset: moduleRequest.start })
  }
  for (const { entries } of source.module.staticExports) {
    const request = entries[0]?.moduleRequest
    if (request) found.push({ specifier: request.value, offset: request.start })
  }
  const literal = (node: { readonly type: string; readonly value?: unknown; readonly start: number }) =>
    found.push({
      specifier: node.type === "Literal" && typeof node.value === "string" ? node.value : undefined,
      offset: node.start
    })
  new Visitor({
    ImportExpression: (node) => literal(node.source),
    TSImportType: (node) => literal(node.source),
    TSExternalModuleReference: (node) => literal(node.expression)
  }).visit(source.program)
  return found
}

const borders = (source: Source): ReadonlyArray<Finding> => {
  const area = areaOf(source.path)
  if (area === undefined) return []
  const room = roomOf(source.path)
  const floor = room === undefined ? -1 : floorOf(room)
  const found: Array<Finding> = []
  if (room !== undefined && floor < 0) {
    found.push({ at: at(source, 0), message: `the room "${room}" has no floor; give it one in scripts/floors.ts` })
  }
  if (area.folder === "packages/core/src" && room === undefined && !source.path.endsWith("/index.ts")) {
    found.push({ at: at(source, 0), message: "a module of core stands in a room" })
  }
  for (const { offset, specifier } of importsOf(source)) {
    const refuse = (message: string) => found.push({ at: at(source, offset), message })
    if (specifier === undefined) {
      refuse("an import whose module is computed cannot be checked")
    } else if (specifier.startsWith(".")) {
      const target = Path.posix.join(Path.posix.dirname(source.path), specifier)
      const reached = areaOf(target)?.folder
      if (reached !== area.folder && !area.reaches?.includes(reached ?? "")) {
        refuse(`${area.folder} does not import ${target}`)
      }
      if (Path.posix.basename(target) === "index.ts") refuse("a barrel is for users; import the module itself")
      const other = roomOf(target)
      if (other !== undefined && room !== undefined && other !== room && floorOf(other) >= floor) {
        const isNeighbour = floorOf(other) === floor
        if (!isNeighbour) {
          refuse(`${room} (floor ${floor}) does not import ${other} (floor ${floorOf(other)}), which is above it`)
        } else if (!target.startsWith(neighbours[room] ?? " ")) {
          refuse(`${room} does not import ${other}, which is on the same floor`)
        }
      }
    } else {
      const licensed = licences.flatMap(({ files, imports }) => files.includes(source.path) ? imports : [])
      const allowed = [...area.imports, ...licensed].some((name) =>
        name.endsWith(":") ? specifier.startsWith(name) : specifier === name || inside(name, specifier)
      )
      if (!allowed) refuse(`${area.folder} does not import "${specifier}"; it may import ${area.imports.join(", ")}`)
      // Effect's modules are PascalCase; a lower-case end is a barrel of modules. The one exception has no namespace: it
      // turns the Schema JIT on, which belongs to the runner (rule 12).
      const isJit = specifier === "effect/schema/SchemaJITCompiler/enable" && area.folder === "packages/node/src"
      if (!isJit && /^effect(\/.*)?$/.test(specifier) && /^[a-z]/.test(Path.posix.basename(specifier))) {
        refuse(`"${specifier}" is a barrel; import the module by its namespace, as in "effect/Effect"`)
      }
    }
  }
  return found
}

const forbiddenMembers = (source: Source): ReadonlyArray<Finding> => {
  const area = areaOf(source.path)
  if (area === undefined) return []
  const found: Array<Finding> = []
  for (const rule of members) {
    if (rule.only === source.path || (rule.timeless && !area.timeless)) continue
    const refuse = (name: unknown, offset: number) => {
      if (typeof name !== "string" || !rule.name.test(name)) return
      found.push({ at: at(source, offset), message: `${rule.module} ${name}: ${rule.because}` })
    }
    const namespaces = new Set<string>()
    for (const { entries, moduleRequest } of source.module.staticImports) {
      if (moduleRequest.value !== rule.module) continue
      for (const { importName, localName } of entries) {
        if (importName.kind === "NamespaceObject") namespaces.add(localName.value)
        else refuse(importName.name, localName.start)
      }
    }
    for (const { entries } of source.module.staticExports) {
      for (const { importName, moduleRequest } of entries) {
        if (moduleRequest?.value === rule.module) refuse(importName.name, moduleRequest.start)
      }
    }
    const names = (node: { readonly type: string; readonly name?: unknown } | null): boolean =>
      node?.type === "Identifier" && typeof node.name === "string" && namespaces.has(node.name)
    new Visitor({
      MemberExpression: (node) => {
        if (!names(node.object)) return
        if (node.property.type === "Literal") refuse(node.property.value, node.start)
        else if (node.property.type === "Identifier" && !node.computed) refuse(node.property.name, node.start)
      },
      VariableDeclarator: (node) => {
        if (node.id.type !== "ObjectPattern" || !names(node.init)) return
        for (const property of node.id.properties) {
          if (property.type === "Property" && property.key.type === "Identifier") refuse(property.key.name, node.start)
        }
      }
    }).visit(source.program)
  }
  return found
}

const exemptions = (source: Source): ReadonlyArray<Finding> => {
  const area = areaOf(source.path)
  if (area === undefined) return []
  return source.comments.flatMap((comment) => {
    if (!/\b(ox|es)lint-disable/.test(comment.value)) return []
    const refuse = (message: string) => [{ at: at(source, comment.start), message }]
    if (area.timeless && binding.test(comment.value)) return refuse("no comment switches off a rule of the house")
    return /-disable[\w-]*\s+\S+.*\s--\s+\S/s.test(comment.value)
      ? []
      : refuse("a comment that switches a rule off names the rule and, after --, the reason")
  })
}

/** Everything under `root` that is against the architecture. */
export const violations = (root: string): ReadonlyArray<Finding> =>
  read(root, ["packages/*/src"]).flatMap((source) => [
    ...borders(source),
    ...forbiddenMembers(source),
    ...exemptions(source)
  ])

if (import.meta.main) report(violations(process.argv[2] ?? workspace), "Floors and borders hold.")
