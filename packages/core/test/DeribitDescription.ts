/**
 * The venue's own description of its methods, and what of it is known to be
 * otherwise: it lies beside the project and is never copied into it.
 */
import * as ExactJson from "@tickline/core/codec/ExactJson"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = process.env["TICKLINE_REFERENCE"] ?? join(import.meta.dirname, "../../../../shared/reference")

const path = join(folder, "deribit-openapi.json")

/** Where it lies, or `undefined` where it does not. */
export const description = existsSync(path) ? path : undefined

/** A part of the description: a JSON schema, mostly. */
export interface Part {
  [name: string]: unknown
}

export const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The part at a path of names, an empty one where there is none. */
export const at = (part: unknown, ...names: ReadonlyArray<string>): Part => {
  const found = names.reduce<unknown>((of, name) => isPart(of) ? of[name] : undefined, part)
  return isPart(found) ? found : {}
}

/**
 * Where the description contradicts what the venue sends by its own examples or
 * words, what holds instead.
 */
const corrections: ReadonlyArray<readonly [path: ReadonlyArray<string>, instead: unknown, reason: string]> = [
  [
    ["schemas", "underlying_index"],
    { type: "string" },
    "described as the name of a future, typed as a number"
  ],
  [
    ["schemas", "instrument", "properties", "tick_size_steps"],
    { type: "array", items: { $ref: "#/components/schemas/tick_size_step" } },
    "there are several steps: get_instruments answers a list"
  ],
  [
    ["schemas", "user_trade", "properties", "reduce_only"],
    { enum: [true, false, "true", "false"] },
    "typed as a string; the examples have booleans"
  ],
  [
    ["schemas", "user_trade", "properties", "post_only"],
    { enum: [true, false, "true", "false"] },
    "typed as a string; the examples have booleans"
  ],
  [
    ["schemas", "user_trade", "properties", "matching_id"],
    { type: "string", nullable: true },
    "described as always null, typed as a string"
  ],
  [
    ["schemas", "user_trade", "properties", "legs"],
    { type: "array", items: { $ref: "#/components/schemas/user_trade" } },
    "a list without a type of its items, described as trades"
  ],
  [
    ["schemas", "PublicStatusResponse", "properties", "result", "properties", "locked"],
    { enum: ["true", "partial", "false", true, false] },
    "described as one of three texts; the example has a boolean"
  ],
  [
    ["schemas", "PublicStatusResponse", "properties", "result", "properties", "locked_indices"],
    { type: "array", items: { type: "string" } },
    "a list without a type of its items"
  ],
  [
    ["schemas", "PrivateCancelAllResponse", "properties", "result"],
    { type: "integer" },
    "a number of orders, typed as any number"
  ],
  [
    ["schemas", "PrivateCancelQuotesResponse", "properties", "result"],
    { type: "integer" },
    "a number of quotes, typed as any number"
  ],
  [
    ["schemas", "PrivateAccountResponse", "properties", "result", "properties", "self_trading_extended_to_subaccounts"],
    { enum: [true, false, "true", "false"] },
    "typed as a string; the example has a boolean"
  ],
  [["schemas", "trade_id", "minLength"], 1, "an identifier is not empty"],
  [["schemas", "tick_size_step", "required"], ["above_price", "tick_size"], "neither means anything alone"],
  [
    ["schemas", "PrivateGetCancelOnDisconnectResponse", "properties", "result", "required"],
    ["enabled"],
    "nothing else is asked for"
  ]
]

/** The description, corrected. */
export const read = (): Part => {
  const document: unknown = JSON.parse(readFileSync(path, "utf8"))
  for (const [names, instead] of corrections) {
    const parent = at(document, "components", ...names.slice(0, -1))
    if (Object.keys(parent).length === 0) throw new Error(`the description has no ${names.join(".")} to correct`)
    parent[names.at(-1) ?? ""] = instead
  }
  return at(document)
}

/** The examples of an answer, exact. */
export const examplesOf = (responseName: string): ReadonlyArray<ExactJson.Json> => {
  const document = ExactJson.parse(readFileSync(path, "utf8"))
  const member = (json: ExactJson.Json | undefined, name: string): ExactJson.Json | undefined =>
    json !== undefined && ExactJson.isObject(json) ? json[name] : undefined
  if (document instanceof ExactJson.Malformed) throw document
  const names = ["components", "responses", responseName, "content", "application/json", "examples"]
  const examples = names.reduce<ExactJson.Json | undefined>(member, document)
  return examples === undefined || !ExactJson.isObject(examples)
    ? []
    : ExactJson.entries(examples).flatMap(([, example]) => {
      const result = member(member(example, "value"), "result")
      return result === undefined ? [] : [result]
    })
}

// --- generated answers ---------------------------------------------------------

/** Numbers from 0 to `bound`, without the bound, the same for the same seed. */
export type Random = (bound: number) => number

export const randomOf = (seed: number): Random => {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  return (bound) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => String(random(10))).join("").replace(/^0+(?=\d)/, "")

const numberText = (random: Random): string => {
  const whole = `${random(4) === 0 ? "-" : ""}${digits(random, 1 + random(20))}`
  if (random(3) === 0) return whole
  const text = `${whole}.${Array.from({ length: 1 + random(18) }, () => String(random(10))).join("")}`
  return random(6) === 0 ? `${text}e-${random(12)}` : text
}

const texts = ["", "a", "BTC-PERPETUAL", "Zo\u00eb \ud83d\ude00", "a\"\\\n", "true", "0.10"]

/** The text of some JSON that satisfies a schema of the description, numbers with up to 38 digits. */
export const generate = (document: Part, schema: Part, random: Random, depth = 0): string => {
  const inner = (other: unknown): string => generate(document, at(other), random, depth + 1)
  const { $ref, additionalProperties, allOf, enum: values, items, nullable, oneOf, properties, type } = schema
  if (nullable === true && random(4) === 0) return "null"
  if (typeof $ref === "string") return inner(at(document, ...$ref.split("/").slice(1)))
  if (Array.isArray(allOf)) return inner(merged(document, schema))
  if (Array.isArray(oneOf)) return inner(oneOf[random(oneOf.length)])
  if (Array.isArray(values)) return JSON.stringify(values[random(values.length)])
  if (isPart(properties) || type === "object") {
    const required = Array.isArray(schema["required"]) ? schema["required"] : []
    const members = Object.entries(at(properties)).flatMap(([name, member]) =>
      required.includes(name) || (depth < 9 && random(2) === 0) ? [`${JSON.stringify(name)}:${inner(member)}`] : []
    )
    const others = isPart(additionalProperties)
      ? ["btc_usd", "eth_usd"].slice(random(3)).map((name) => `"${name}":${inner(additionalProperties)}`)
      : []
    return `{${[...members, ...others].join()}}`
  }
  if (type === "array") {
    const { maxItems = 3, minItems = 0 } = schema
    const count = Number(minItems) + random(Number(maxItems) - Number(minItems) + 1)
    return `[${Array.from({ length: depth > 9 ? Number(minItems) : count }, () => inner(items)).join()}]`
  }
  switch (type) {
    case "boolean":
      return random(2) === 0 ? "true" : "false"
    case "integer": {
      const { maximum = 4_102_444_800_000, minimum = 0 } = schema
      return String(Number(minimum) + random(Number(maximum) - Number(minimum) + 1))
    }
    case "number":
      return numberText(random)
    case "string":
      return JSON.stringify(texts[schema["minLength"] === 1 ? 1 + random(texts.length - 1) : random(texts.length)])
    default:
      throw new Error(`nothing can be generated of ${JSON.stringify(schema)}`)
  }
}

/** An object schema with the members of all those that it is of. */
export const merged = (document: Part, schema: Part): Part => {
  const { $ref, allOf } = schema
  if (typeof $ref === "string") return merged(document, at(document, ...$ref.split("/").slice(1)))
  if (!Array.isArray(allOf)) return schema
  const all = allOf.map((part) => merged(document, at(part)))
  return {
    type: "object",
    properties: Object.assign({}, ...all.map(({ properties }) => properties)),
    required: all.flatMap(({ required }) => Array.isArray(required) ? required : [])
  }
}
