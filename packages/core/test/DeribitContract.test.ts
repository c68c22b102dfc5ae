/**
 * Each declared method against the venue's own description of it, which lies
 * beside the project (`TICKLINE_REFERENCE`, or `../shared/reference`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Decimal from "@tickline/core/value/Decimal"
import { Ajv } from "ajv"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as JsonWriter from "../src/codec/internal/jsonWriter.ts"
import {
  at,
  description,
  examplesOf,
  generate,
  isPart,
  merged,
  type Part,
  randomOf,
  read
} from "./DeribitDescription.ts"

/** What the venue adds to as it grows: a text here, a list of today's values there. */
const isOpen = (name: string): boolean => ["currency", "index_name", "currency_pair"].includes(name)

/** Parameters that are required here and not there, or the other way round. */
const requiredOtherwise: { readonly [parameter: string]: string } = {
  "public/auth client_id": "not with a refresh token",
  "public/auth client_secret": "only with client credentials",
  "public/auth refresh_token": "only with a refresh token",
  "public/auth timestamp": "only with a signature",
  "public/auth signature": "only with a signature",
  "private/cancel_quotes currency": "only where it is what is cancelled by",
  "private/cancel_quotes currency_pair": "only where it is what is cancelled by",
  "private/edit_by_label label": "without it the call names no order"
}

/** Members of answers that are described and of no use here. */
const passedOver: { readonly [member: string]: string } = {
  "private/get_account_summary trading_products_details": "what may be traded, without a description",
  ".legs.legs": "a leg of a trade has none itself"
}

interface Parameter {
  readonly isOptional: boolean
  /** The only values that it may have; `undefined` if it is no enumeration. */
  readonly values: ReadonlyArray<unknown> | undefined
}

const valuesOf = (ast: SchemaAST.AST): ReadonlyArray<unknown> | undefined => {
  if (SchemaAST.isLiteral(ast)) return [ast.literal]
  if (!SchemaAST.isUnion(ast)) return undefined
  const values = ast.types.map(valuesOf)
  return values.every((value) => value !== undefined) ? values.flat() : undefined
}

/** What a method declares of its parameters: of several forms, what holds of all of them together. */
const parametersOf = (method: Methods.AnyMethod): ReadonlyMap<string, Parameter> => {
  const { ast } = Schema.toEncoded(method.params)
  const forms = (SchemaAST.isUnion(ast) ? ast.types : [ast]).map((form) => {
    if (!SchemaAST.isObjects(form)) throw new Error(`${method.name}: ${form._tag}`)
    return form.propertySignatures
  })
  const byName = Map.groupBy(forms.flat(), ({ name }) => String(name))
  return new Map([...byName].map(([name, members]) => {
    const values = members.map(({ type }) => valuesOf(type))
    return [name, {
      isOptional: members.length < forms.length || members.some(({ type }) => SchemaAST.isOptional(type)),
      values: values.every((some) => some !== undefined) ? [...new Set(values.flat())] : undefined
    }]
  }))
}

/** The part that a reference means. */
const follow = (document: Part, part: Part): Part => {
  const { $ref } = part
  return typeof $ref === "string" ? follow(document, at(document, ...$ref.split("/").slice(1))) : part
}

const without = (names: ReadonlyArray<string>, part: Part): Part =>
  Object.fromEntries(Object.entries(part).filter(([name]) => !names.includes(name)))

/** Where an answer that was read and written again differs from what it was; members that are left out are collected. */
const differences = (
  ours: ExactJson.Json | undefined,
  theirs: ExactJson.Json,
  path: string,
  left: Set<string>
): ReadonlyArray<string> => {
  if (ours === undefined) {
    left.add(path.replaceAll(/\[\d+\]/g, ""))
    return []
  }
  if (ours instanceof ExactJson.JsonNumber && theirs instanceof ExactJson.JsonNumber) {
    const [one, other] = [Decimal.parse(ours.text), Decimal.parse(theirs.text)]
    return one !== undefined && other !== undefined && BigDecimal.equals(one, other) ? [] : [`${path} ${ours.text}`]
  }
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return ours.length === theirs.length
      ? ours.flatMap((item, index) => differences(item, theirs[index] ?? null, `${path}[${index}]`, left))
      : [`${path} ${ours.length} of ${theirs.length}`]
  }
  if (ExactJson.isObject(ours) && ExactJson.isObject(theirs)) {
    const more = ExactJson.entries(ours).flatMap(([name]) => Object.hasOwn(theirs, name) ? [] : [`${path} ${name}`])
    return [
      ...more,
      ...ExactJson.entries(theirs).flatMap(([name, value]) =>
        differences(ours[name], value, path === "" ? name : `${path}.${name}`, left)
      )
    ]
  }
  // A number that is an identifier is its text, a flag that is written as a text is a flag.
  return textOf(ours) === textOf(theirs) ? [] : [`${path} ${JSON.stringify(ours)}`]
}

const textOf = (json: ExactJson.Json): string => json instanceof ExactJson.JsonNumber ? json.text : String(json)

const parse = (text: string): ExactJson.Json => {
  const json = ExactJson.parse(text)
  if (json instanceof ExactJson.Malformed) throw json
  return json
}

/** Reads an answer, writes it again, and compares the two. */
const assertSame = (method: Methods.AnyMethod, answer: ExactJson.Json, left: Set<string>): void => {
  const text = JsonWriter.write(answer)
  const read = Schema.decodeUnknownSync(method.result)(answer)
  const written = parse(JsonWriter.write(Schema.encodeUnknownSync(method.result)(read)))
  // A list that was sent as its only member is a list from then on.
  const ours = Array.isArray(written) && !Array.isArray(answer) ? written[0] : written
  assert.deepStrictEqual(differences(ours, answer, "", left), [], `${method.name}: ${text}`)
}

/** The paths of the members that an answer is described to have. */
const membersOf = (document: Part, schema: Part, path = "", depth = 0): ReadonlyArray<string> => {
  const { items, oneOf, properties } = merged(document, schema)
  if (depth > 8 || Array.isArray(oneOf)) return []
  if (isPart(items)) return membersOf(document, items, path, depth + 1)
  return Object.entries(at(properties)).flatMap(([name, member]) => {
    const own = path === "" ? name : `${path}.${name}`
    return [own, ...membersOf(document, at(member), own, depth + 1)]
  })
}

describe("Deribit's description", () => {
  if (description === undefined) {
    it.skip("every method (skipped: the description is neither in TICKLINE_REFERENCE nor in ../shared/reference)", () => {})
    return
  }
  const document = read()
  const ajv = new Ajv({ strict: false, validateSchema: false })
  ajv.addSchema(document, "deribit")

  const excused = new Set<string>()
  const excuse = (table: { readonly [key: string]: string }, what: string): boolean => {
    const key = Object.keys(table).find((key) => what.endsWith(key))
    if (key !== undefined) excused.add(key)
    return key !== undefined
  }

  for (const method of Methods.all.values()) {
    const { name } = method
    const operation = at(document, "paths", `/${name}`, "get")
    const described = new Map(
      (Array.isArray(operation["parameters"]) ? operation["parameters"] : [])
        .map((parameter) => follow(document, at(parameter)))
        .map((parameter) => [String(parameter["name"]), parameter])
    )
    const schemaOf = (parameter: string): Part => follow(document, at(described.get(parameter), "schema"))

    describe(name, () => {
      it("has the parameters that it is described to have", () => {
        const declared = parametersOf(method)
        assert.isNotEmpty(Object.keys(operation), `${name} is not described`)
        assert.deepStrictEqual([...declared.keys()].toSorted(), [...described.keys()].toSorted())
        for (const [parameter, { isOptional, values }] of declared) {
          const isRequired = described.get(parameter)?.["required"] === true
          if (isRequired === isOptional && !excuse(requiredOtherwise, `${name} ${parameter}`)) {
            assert.fail(`${parameter} is ${isRequired ? "" : "not "}required`)
          }
          const { enum: allowed } = schemaOf(parameter)
          if (!Array.isArray(allowed) || isOpen(parameter) || parameter === "depth") {
            assert.isUndefined(values, parameter)
          } else {
            assert.deepStrictEqual(values?.toSorted(), allowed.toSorted(), parameter)
          }
        }
      })

      it.effect("sends what is allowed", () =>
        Effect.gen(function*() {
          const validate = ajv.compile({
            type: "object",
            additionalProperties: false,
            properties: Object.fromEntries([...described.keys()].map((parameter, index) => [
              parameter,
              isOpen(parameter) ? without(["enum"], schemaOf(parameter)) : {
                $ref: `deribit#/paths/~1${name.replaceAll("/", "~1")}/get/parameters/${index}/schema`
              }
            ])),
            required: [...described.keys()].filter((parameter) =>
              described.get(parameter)?.["required"] === true && !excuse(requiredOtherwise, `${name} ${parameter}`)
            )
          })
          const samples = yield* Arbitrary.sampleEffect(Arbitrary.schema(method.params), { count: 60, seed: name })
          for (const sample of samples) {
            const encoded = yield* Schema.encodeUnknownEffect(method.params)(sample)
            const text = JsonWriter.write(encoded)
            if (!validate(JSON.parse(text))) assert.fail(`${text}: ${ajv.errorsText(validate.errors)}`)
          }
        }))

      const answer = at(operation, "responses", "200")
      const response = follow(document, answer)
      const schema = follow(document, at(response, "content", "application/json", "schema"))
      const result = at(schema, "properties", "result")
      const left = new Set<string>()

      it("reads the answers that are shown, exactly", () => {
        for (const example of examplesOf(String(answer["$ref"]).split("/").at(-1) ?? "")) {
          assertSame(method, example, left)
        }
      })

      if (Object.keys(result).length === 0) return

      it("reads whatever it is described to answer, exactly", () => {
        for (let seed = 0; seed < 60; seed++) {
          assertSame(method, parse(generate(document, result, randomOf(seed))), left)
        }
        const unread = membersOf(document, result).filter((member) =>
          left.has(member) && !excuse(passedOver, `${name} ${member}`)
        )
        assert.deepStrictEqual(unread, [])
      })
    })
  }

  it("contradicts us only where it is said why", () => {
    const reasons = [requiredOtherwise, passedOver].flatMap((table) => Object.keys(table))
    assert.deepStrictEqual([...excused].toSorted(), reasons.toSorted())
  })
})
