/** JSON as an exchange writes and reads it: its figures are exact. */
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"

/** What can be written. A member that is `undefined` is left out. */
export type Value =
  | undefined
  | null
  | boolean
  | string
  | number
  | Decimal.Decimal
  | ReadonlyArray<Value>
  | { readonly [name: string]: Value }

const isList = (value: Value): value is ReadonlyArray<Value> => Array.isArray(value)

/** The text of a value. */
export const write = (value: Value): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null)
  if (BigDecimal.isBigDecimal(value)) return Decimal.format(value)
  if (isList(value)) return `[${value.map(write).join()}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join()}}`
}

/** The parameters of a call. */
export type Params = ExactJson.JsonObject

/** A call as it came. `id` is its text in JSON. */
export interface Request {
  readonly id: string | undefined
  readonly method: string
  readonly params: Params
}

const idOf = (id: ExactJson.Json | undefined): string | undefined =>
  id instanceof ExactJson.JsonNumber ? id.text : typeof id === "string" ? JSON.stringify(id) : undefined

/** The call that a text is, or `undefined` where it is none. */
export const requestOf = (text: string): Request | undefined => {
  const json = ExactJson.parse(text)
  if (json instanceof ExactJson.Malformed || !ExactJson.isObject(json)) return undefined
  const { id, method, params = {} } = json
  return typeof method === "string" && ExactJson.isObject(params) ? { id: idOf(id), method, params } : undefined
}

/** A text member. */
export const textIn = (params: Params, name: string): string | undefined => {
  const value = params[name]
  return typeof value === "string" ? value : undefined
}

/** A member that is `true`, or says so as text. */
export const flagIn = (params: Params, name: string): boolean => params[name] === true || params[name] === "true"

/** A number, as it is or as text. */
export const decimalIn = (params: Params, name: string): Decimal.Decimal | undefined => {
  const value = params[name]
  const text = value instanceof ExactJson.JsonNumber ? value.text : value
  return typeof text === "string" ? Decimal.parse(text) : undefined
}

/** A number that counts or is a time. */
export const countIn = (params: Params, name: string): number | undefined => {
  const decimal = decimalIn(params, name)
  return decimal === undefined ? undefined : BigDecimal.toNumberUnsafe(decimal)
}

/** A member that is an object. */
export const objectIn = (params: Params, name: string): Params | undefined => {
  const value = params[name]
  return value !== undefined && ExactJson.isObject(value) ? value : undefined
}

/** The objects of a member that is a list; none where it is none. */
export const listIn = (params: Params, name: string): ReadonlyArray<Params> => {
  const value = params[name]
  return Array.isArray(value) ? value.filter(ExactJson.isObject) : []
}
