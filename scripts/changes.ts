/**
 * One-operator changes of the source, found in its syntax tree and drawn by
 * chance from a seed: what `mutants --random` tries. Types, imports, the text
 * of logs and errors and the documentation of schemas are left alone: no test
 * is meant to notice those.
 */
import { at, type Source } from "./source.ts"

/** One change of one file. */
export interface Change {
  /** Where, as `path:line:column`. */
  readonly at: string
  readonly file: string
  /** The declarations and functions around it, from the outside in, joined by points. */
  readonly within: string
  /** The expression or statement that is changed, in one line. It survives a move of its lines. */
  readonly original: string
  /** What becomes of it, in one line. */
  readonly replacement: string
  /** What takes the place of which stretch of the file. */
  readonly edit: Edit
}

/** What takes the place of a stretch of a text, by its UTF-16 offsets. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A node of the tree, as far as it is looked at here. */
interface Tree {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"

/** The name of an identifier, a private name or a key that is a text. */
const nameOf = (node: unknown): string | undefined => {
  if (!isTree(node)) return undefined
  if (typeof node["name"] === "string") return node["name"]
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined
}

/** The operators that take each other's place. */
const operators: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "&": "|",
  "|": "&",
  "&&": "||",
  "||": "&&",
  "++": "--",
  "--": "++",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "??=": "="
}

/** The methods that take each other's place. */
const methods: ReadonlyMap<string, string> = new Map([
  ["min", "max"],
  ["max", "min"],
  ["floor", "ceil"],
  ["ceil", "floor"],
  ["some", "every"],
  ["every", "some"]
])

/** Members that hold words for people. */
const wording = new Set(["message", "description", "title", "documentation", "identifier", "expected", "help"])

const isText = (node: unknown): boolean =>
  isTree(node) && (node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node["value"] === "string") ||
    (node.type === "BinaryExpression" && node["operator"] === "+" && (isText(node["left"]) || isText(node["right"]))))

/** Whether a node and all within it are for people or for the compiler. */
const isPassedOver = (node: Tree): boolean => {
  if (node.type.startsWith("TS")) {
    return !["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression"].includes(node.type)
  }
  if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") return true
  if (node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition") {
    return wording.has(nameOf(node["key"]) ?? "")
  }
  if (node.type !== "CallExpression" || !isTree(node["callee"])) return false
  const { callee } = node
  return isTree(callee) && callee.type === "MemberExpression" && nameOf(callee["property"])?.startsWith("log") === true
}

/** The members of a node that are types or names. */
const skipped = new Set(["typeAnnotation", "returnType", "typeParameters", "typeArguments", "implements", "parent"])

const children = (node: Tree): ReadonlyArray<Tree> =>
  Object.entries(node).flatMap(([key, value]) => {
    if (skipped.has(key)) return []
    const isName = key === "key" || (key === "property" && node["computed"] !== true)
    return isName ? [] : (Array.isArray(value) ? value : [value]).filter(isTree)
  })

/** What can be done to one node. */
const editsOf = (source: Source, node: Tree, parents: ReadonlyArray<Tree>): ReadonlyArray<Edit> => {
  const { end, start, type } = node
  const parent = parents.at(-1)
  const instead = (text: string): Edit => ({ start, end, text })
  const textOf = (part: unknown): string => isTree(part) ? source.text.slice(part.start, part.end) : ""
  /** The operator between two nodes, replaced. Comments hold no operator here: what stands between is searched. */
  const operator = (from: number, to: number, was: string, becomes: string): Edit => {
    const found = from + source.text.slice(from, to).indexOf(was)
    return { start: found, end: found + was.length, text: becomes }
  }
  const { left, right, argument } = node
  switch (type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      if (!isTree(left) || !isTree(right)) return []
      const was = String(node["operator"])
      /** `??` may not stand beside `&&` or `||` without parentheses. */
      const logical = (becomes: string): Edit => {
        const isAlone = ![left, right, parent].some((near) => near?.type === "LogicalExpression")
        return isAlone
          ? operator(left.end, right.start, was, becomes)
          : instead(`((${textOf(left)}) ${becomes} (${textOf(right)}))`)
      }
      if (was === "+" && (isText(left) || isText(right))) return []
      if (was === "??") {
        // A default that stands for nothing anyway is found out by its opposite only.
        const isWeighty = right.type === "Literal" && Boolean(right["value"]) && right["value"] !== "0n"
        return [logical(isWeighty ? "||" : "&&")]
      }
      const becomes = operators[was]
      if (becomes === undefined) return []
      if (type === "LogicalExpression") return [logical(becomes)]
      return [operator(left.end, right.start, was, becomes)]
    }
    case "UpdateExpression": {
      const was = String(node["operator"])
      return [operator(start, end, was, operators[was] ?? was)]
    }
    case "UnaryExpression":
      return node["operator"] === "!" || node["operator"] === "-" ? [instead(textOf(argument))] : []
    case "ConditionalExpression":
    case "IfStatement":
      return isTree(node["test"])
        ? [{ ...node["test"], text: "true" }, { ...node["test"], text: "false" }]
        : []
    case "WhileStatement":
      return isTree(node["test"]) ? [{ ...node["test"], text: "false" }] : []
    case "ReturnStatement": {
      const isEarly = parent?.type === "IfStatement" ||
        (parent?.type === "BlockStatement" && parents.at(-2)?.type === "IfStatement")
      return isEarly ? [instead(";")] : []
    }
    case "CallExpression": {
      const { callee } = node
      if (!isTree(callee) || callee.type !== "MemberExpression" || !isTree(callee["property"])) return []
      const becomes = methods.get(nameOf(callee["property"]) ?? "")
      return becomes === undefined
        ? []
        : [{ start: callee["property"].start, end: callee["property"].end, text: becomes }]
    }
    case "ExpressionStatement": {
      const { expression } = node
      if (!isTree(expression) || isPassedOver(expression)) return []
      const called = expression.type === "YieldExpression" ? expression["argument"] : expression
      if (!isTree(called) || isPassedOver(called)) return []
      const isCall = called.type === "CallExpression" && nameOf(called["callee"]) !== "super" &&
        textOf(called["callee"]) !== "super"
      return isCall ? [instead(";")] : []
    }
    case "ArrayExpression": {
      const { elements } = node
      return Array.isArray(elements) && elements.length > 0 ? [instead("[]")] : []
    }
    case "Literal": {
      const { value } = node
      if (typeof value === "boolean") return [instead(String(!value))]
      if (value === "") return [instead("\"?\"")]
      if (typeof value === "bigint") return [instead(`${value + 1n}n`)]
      if (typeof value !== "number") return []
      return [value + 1, value - 1].map((next) => instead(next < 0 ? `(${next})` : String(next)))
    }
    default:
      return []
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

/** The stretch by which a change is known: the largest expression or statement around it that is read at a glance. */
const shownAround = (source: Source, node: Tree, parents: ReadonlyArray<Tree>): Tree => {
  let shown = node
  for (const parent of parents.toReversed()) {
    const isWhole = ["Program", "BlockStatement", "ClassBody", "FunctionBody"].includes(parent.type)
    if (isWhole || oneLine(source.text.slice(parent.start, parent.end)).length > 140) break
    shown = parent
  }
  return shown
}

/** The names around a node. */
const around = (parents: ReadonlyArray<Tree>): string => {
  const names = parents.flatMap((parent) => {
    const isNamed = /^(FunctionDeclaration|FunctionExpression|ClassDeclaration|VariableDeclarator)$/.test(parent.type)
    const isMember = /^(MethodDefinition|PropertyDefinition|Property)$/.test(parent.type)
    const name = isNamed ? nameOf(parent["id"]) : isMember ? nameOf(parent["key"]) : undefined
    return name === undefined ? [] : [name]
  })
  return names.length === 0 ? "module" : names.join(".")
}

/** A text with an edit made. */
export const apply = (text: string, edit: Edit): string => text.slice(0, edit.start) + edit.text + text.slice(edit.end)

/** Every change that can be made to a source, in the order of its text. */
export const changesOf = (source: Source): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  const visit = (node: Tree, parents: ReadonlyArray<Tree>): void => {
    if (isPassedOver(node)) return
    for (const edit of editsOf(source, node, parents)) {
      const shown = shownAround(source, node, parents)
      const { start } = shown
      const original = source.text.slice(start, shown.end)
      const replacement = apply(original, { ...edit, start: edit.start - start, end: edit.end - start })
      changes.push({
        at: at(source, edit.start),
        file: source.path,
        within: around(parents),
        original: oneLine(original),
        replacement: oneLine(replacement),
        edit
      })
    }
    const below = [...parents, node]
    for (const child of children(node)) visit(child, below)
  }
  visit(source.program as unknown as Tree, [])
  return changes
}

/** Numbers from 0 up to 1 that a seed determines (mulberry32). */
const chance = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Draws some of them, each at most once. The same seed over the same source draws the same. */
export const draw = <A>(all: ReadonlyArray<A>, many: number, seed: number): ReadonlyArray<A> => {
  const next = chance(seed)
  const rest = [...all]
  const drawn: Array<A> = []
  while (drawn.length < many && rest.length > 0) drawn.push(...rest.splice(Math.floor(next() * rest.length), 1))
  return drawn
}
