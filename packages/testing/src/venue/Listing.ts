/**
 * The few questions over HTTP that a general client asks a venue: what is
 * listed, what time it is, and, of some, the snapshot of a book. Each answer has
 * the venue's own shape, and is of the mock's own products. Pure values.
 *
 * @since 0.1.0
 */
import type { Market, Tick } from "./Market.ts"

/**
 * A question: the method, the `target` as it was asked for, which is the path with
 * its query, and both of them apart; the headers, their names in lower case; and
 * the body's text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * What a venue may look at when it answers: the time in epoch milliseconds, the
 * markets of all that it lists, and the trades of a product that it still has,
 * oldest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Floor {
  readonly atMillis: number
  readonly markets: ReadonlyArray<Market>
  readonly trades: (product: string) => ReadonlyArray<Tick>
}

/**
 * An answer: its status, its headers, and the body, as JSON will have it.
 *
 * @category models
 * @since 0.1.0
 */
export class Answer {
  readonly status: number
  readonly body: unknown
  /** The text of the body, where it is written digit by digit. */
  readonly text: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}, text?: string) {
    this.status = status
    this.body = body
    this.text = text
    this.headers = { "content-type": "application/json", ...headers }
  }
}

/**
 * The answer whose body is this JSON, to the digit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const written = (text: string): Answer => new Answer(200, undefined, {}, text)

/**
 * The text of an answer's body.
 *
 * @category getters
 * @since 0.1.0
 */
export const textOf = ({ body, text }: Answer): string => text ?? JSON.stringify(body)

/**
 * Answers a question: an `Answer`, or the body alone of one with status 200;
 * `undefined` where the venue knows no such path, which is answered 404.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing = (question: Question, floor: Floor) => unknown

/**
 * A whole number of a question's parameter: `undefined` if there is none, or it is
 * something else.
 *
 * @category getters
 * @since 0.1.0
 */
export const numberIn = (query: ReadonlyMap<string, string>, name: string): number | undefined => {
  const text = query.get(name) ?? ""
  return /^\d{1,19}$/.test(text) ? Number(text) : undefined
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}

// What a target asks for, in its order.
const pairsOf = (target: string): ReadonlyArray<readonly [name: string, value: string]> => {
  const [, query = ""] = target.split("?", 2)
  return query.split("&").filter((pair) => pair !== "").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    return [decoded(name), decoded(value.join("="))]
  })
}

/**
 * All values of a parameter, in their order: of one that is a list.
 *
 * @category getters
 * @since 0.1.0
 */
export const valuesIn = ({ target }: Question, name: string): ReadonlyArray<string> =>
  pairsOf(target).filter(([each]) => each === name).map(([, value]) => value)

/**
 * The question of a request for a path with its query, such as
 * `/time?zone=UTC`. Of parameters with the same name the last counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const question = (
  method: string,
  target: string,
  body: string,
  headers: Readonly<Record<string, string>> = {}
): Question => {
  const [path = ""] = target.split("?", 1)
  return { method, target, path: path === "" ? "/" : path, query: new Map(pairsOf(target)), headers, body }
}
