/**
 * A kind of message, said once: its members, what of them names the kind, and
 * which events it is. From that come a reader that reads every one exactly and
 * says what is wrong with a bad one, the layout by which those that are written
 * as usual are read without being parsed, and a sample for tests.
 *
 * **Example** (a trade, in a frame that is an object)
 *
 * ```ts
 * const trades = Message.make({
 *   type: Message.pinned("match"),
 *   product_id: Message.text,
 *   price: Message.decimal,
 *   size: Message.decimal,
 *   side: Message.word({ buy: "sell", sell: "buy" }),
 *   time: Message.optional(Message.iso)
 * }, ({ price, product_id, side, size, time }) => [
 *   MarketData.trade({ venue, product: product_id, price, size, side, timestamp: time })
 * ])
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import * as Timestamp from "../value/Timestamp.ts"
import type * as ExactJson from "./ExactJson.ts"
import * as BookFormats from "./internal/bookFormats.ts"
import type { Level } from "./internal/bookRows.ts"
import { fromPath } from "./internal/fieldPath.ts"
import * as JsonText from "./internal/jsonText.ts"
import type * as Layout from "./internal/layout.ts"
import * as LayoutPlan from "./internal/layoutPlan.ts"
import type * as Members from "./internal/members.ts"
import { Book, Exact, Scalar } from "./internal/members.ts"
import * as MemberSchemas from "./internal/memberSchemas.ts"
import type * as Objects from "./internal/objects.ts"
import { ListOf, ObjectOf } from "./internal/objects.ts"
import * as Rejection from "./Rejection.ts"

/**
 * A member whose value is an `A`.
 *
 * @category models
 * @since 0.1.0
 */
export type Member<A> = Members.Member<A>

/**
 * Members by their names.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = Objects.Fields

/**
 * What is read of members: a value each, `undefined` for those that may be
 * absent and are. It is read before the next message is, and not kept; its
 * members are getters, so that it is not spread.
 *
 * @category models
 * @since 0.1.0
 */
export type View<F> = Objects.View<F>

/**
 * The objects of a list, in order. Each is read while the function is called
 * with it, and not kept.
 *
 * @category models
 * @since 0.1.0
 */
export type Elements<V> = Objects.Elements<V>

// --- members -----------------------------------------------------------------

/**
 * A string that is not empty.
 *
 * @category members
 * @since 0.1.0
 */
export const text: Member<string> = new Scalar({ code: "text", schema: Schema.NonEmptyString, sample: "\"BTC-USD\"" })

/**
 * Any string.
 *
 * @category members
 * @since 0.1.0
 */
export const string: Member<string> = new Scalar({ code: "string", schema: Schema.String, sample: "\"some words\"" })

/**
 * An identifier or sequence number: a string or a number, as its own text.
 *
 * @category members
 * @since 0.1.0
 */
export const id: Member<string> = new Scalar({ code: "text", schema: MemberSchemas.Id, sample: "1234567" })

/**
 * `true` or `false`.
 *
 * @category members
 * @since 0.1.0
 */
export const flag: Member<boolean> = new Scalar({ code: "flag", schema: Schema.Boolean, sample: "true" })

/**
 * A decimal in a string.
 *
 * @category members
 * @since 0.1.0
 */
export const decimal: Member<Decimal.Decimal> = new Scalar({
  code: "decimal",
  schema: Decimal.FromText,
  sample: "\"43250.10\""
})

/**
 * A decimal in a number, or in a string with the same digits.
 *
 * @category members
 * @since 0.1.0
 */
export const number: Member<Decimal.Decimal> = new Scalar({
  code: "decimal",
  schema: MemberSchemas.DecimalOfNumber,
  sample: "43250.10"
})

/**
 * A decimal that a venue may leave out, or send as `null` or as an empty string
 * where there is none: the quote of a side without orders, the last price before
 * the first trade.
 *
 * @category members
 * @since 0.1.0
 */
export const decimalIfAny: Member<Decimal.Decimal | undefined> = new Scalar({
  code: "decimal",
  schema: MemberSchemas.OptionalDecimal,
  sample: "\"43250.10\"",
  isOptional: true,
  isBlank: true
})

/**
 * An identifier that a venue may leave out, or send as `null` or as an empty
 * string where there is none.
 *
 * @category members
 * @since 0.1.0
 */
export const idIfAny: Member<string | undefined> = new Scalar({
  code: "text",
  schema: MemberSchemas.optional(Schema.Union([MemberSchemas.Id, Schema.Literal("")])),
  sample: "7",
  isOptional: true,
  isBlank: true
})

/**
 * A time in a string: ISO-8601, or Unix time in seconds to nanoseconds.
 *
 * @category members
 * @since 0.1.0
 */
export const time: Member<Timestamp.Timestamp> = new Scalar({
  code: "time",
  schema: Timestamp.FromText,
  sample: "\"2026-11-25T12:00:05.028459Z\""
})

/**
 * A time in a string, ISO-8601.
 *
 * @category members
 * @since 0.1.0
 */
export const iso: Member<Timestamp.Timestamp> = new Scalar({
  code: "iso",
  schema: Timestamp.FromIso,
  sample: "\"2026-11-25T12:00:05.028459Z\""
})

/**
 * A time as `time` reads it, in a string or in a number.
 *
 * @category members
 * @since 0.1.0
 */
export const timeOrNumber: Member<Timestamp.Timestamp> = new Scalar({
  code: "time",
  schema: MemberSchemas.TimestampText,
  sample: "1795219200123"
})

/**
 * A time in a number of milliseconds since 1970, whatever its magnitude.
 *
 * @category members
 * @since 0.1.0
 */
export const millis: Member<Timestamp.Timestamp> = new Scalar({
  code: "millis",
  schema: MemberSchemas.Millis,
  sample: "1795219200123"
})

/**
 * One of some words, each of which means something.
 *
 * @category members
 * @since 0.1.0
 */
export const word = <const W extends Readonly<Record<string, string | undefined>>>(words: W): Member<W[keyof W]> =>
  new Scalar({
    code: "word",
    schema: Schema.Literals(Object.keys(words)),
    sample: JSON.stringify(Object.keys(words)[0]),
    words
  })

/**
 * One of some words that name the kind of the message: a layout holds for the
 * messages that have the same.
 *
 * @category members
 * @since 0.1.0
 */
export const pinned = <const W extends string>(...words: ReadonlyArray<W>): Member<W> =>
  new Scalar({ code: "pinned", schema: Schema.Literals(words), sample: JSON.stringify(words.at(-1)) })

/**
 * A text whose beginning, up to the separator, names the kind of the message:
 * its value. `sample` is such a text.
 *
 * @category members
 * @since 0.1.0
 */
export const prefix = (separator: string, sample: string): Member<string> =>
  new Scalar({ code: "prefix", schema: Schema.NonEmptyString, sample: JSON.stringify(sample), separator })

/**
 * A list of strings that are not empty.
 *
 * @category members
 * @since 0.1.0
 */
export const texts: Member<ReadonlyArray<string>> = new Exact(
  Schema.Array(Schema.NonEmptyString),
  "[\"BTC-USD\"]"
)

/**
 * Whatever stands there, or nothing, for people and programs that know nothing
 * of exact numbers: each number is its own text.
 *
 * @category members
 * @since 0.1.0
 */
export const anything: Member<unknown> = new Exact(
  Schema.optionalKey(Schema.Unknown),
  "{\"any\":1}",
  (value) => value === undefined ? undefined : JsonText.plain(value as ExactJson.Json)
)

/**
 * A member that only a Schema can read. A message that has one is never read the
 * fast way: it is for answers and errors. `sample` is one in JSON, `null` if
 * nothing is said.
 *
 * @category members
 * @since 0.1.0
 */
export const schema = <A>(schema: Schema.ConstraintDecoder<A>, sample = "null"): Member<A> => new Exact(schema, sample)

/**
 * The rows of one side of a book, each a price and a size: two strings in an
 * array, or as the options say.
 *
 * @category members
 * @since 0.1.0
 */
export const levels = (options: BookFormats.LevelsOptions = {}): Member<ReadonlyArray<Level>> =>
  new Book<ReadonlyArray<Level>>(BookFormats.levels(options))

/**
 * The rows of both sides of a book, each with a word for its side, parted.
 *
 * @category members
 * @since 0.1.0
 */
export const sides = (options: BookFormats.SidesOptions): Member<BookFormats.Sides> =>
  new Book<BookFormats.Sides>(BookFormats.sides(options))

/**
 * An object. `needs` are members of which it has one at least, `null` or not;
 * `expected` is what a rejection calls it, `an object` if nothing is said.
 *
 * @category members
 * @since 0.1.0
 */
export const object = <const F extends Fields>(
  fields: F,
  options: Pick<Objects.ObjectOptions, "needs" | "expected"> = {}
): Member<View<F>> => new ObjectOf(fields, options)

/**
 * An array whose places are its members, in the order in which they are named.
 *
 * @category members
 * @since 0.1.0
 */
export const tuple = <const F extends Fields>(fields: F): Member<View<F>> =>
  new ObjectOf(fields, { isTuple: true, expected: "array" })

/**
 * A list of objects.
 *
 * @category members
 * @since 0.1.0
 */
export const list = <const F extends Fields>(
  fields: F,
  { expected = ["an array", "an object"], needs }: {
    readonly needs?: ReadonlyArray<string> | undefined
    readonly expected?: readonly [list: string, object: string] | undefined
  } = {}
): Member<Elements<View<F>>> => new ListOf(new ObjectOf(fields, { needs, expected: expected[1] }), expected[0])

/**
 * A member that may be absent or `null`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const optional = <A>(member: Member<A>): Member<A | undefined> => member.or("either")

/**
 * A member that may be `null`, but not absent.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nullable = <A>(member: Member<A>): Member<A | undefined> => member.or("null")

// --- messages ----------------------------------------------------------------

/**
 * A kind of message whose events are `A`s.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message<out A> {
  /**
   * Reads one exactly: its events, or the first bad path. That is the first bad
   * member in the message's order; where all that are there are good, the first
   * missing one in the order of the fields; and what an object holds by itself
   * comes before what its objects and lists hold. `at` is where it stands in the
   * frame, if it is a part of it.
   */
  readonly read: (
    venue: string,
    message: ExactJson.JsonObject,
    at?: ReadonlyArray<PropertyKey>
  ) => ReadonlyArray<A> | Rejection.FrameRejected
  /** By what layout frames like this one, which was read exactly, are read fast. */
  readonly plan: (message: ExactJson.JsonObject) => Layout.Plan<ReadonlyArray<A>> | undefined
  /** A message of the kind, in JSON. */
  readonly sample: string
  /**
   * The same kind where the message is a member of its frame, such as `data`;
   * `beside` is what else such a frame holds, in JSON, for its sample.
   */
  readonly within: (member: string, beside: string) => Message<A>
}

class MessageImpl<F extends Fields, A> implements Message<A> {
  readonly #make: () => ObjectOf<F>
  readonly #events: (message: View<F>) => ReadonlyArray<A>
  readonly #isRare: boolean
  /** The member of the frame that the message is, if it is not the frame. */
  readonly #member: string | undefined
  /** What stands beside that member. */
  readonly #beside: string
  #made: ObjectOf<F> | undefined

  constructor(
    make: () => ObjectOf<F>,
    events: (message: View<F>) => ReadonlyArray<A>,
    isRare: boolean,
    member: string | undefined,
    beside: string
  ) {
    this.#make = make
    this.#events = events
    this.#isRare = isRare
    this.#member = member
    this.#beside = beside
  }

  // Made when the first of its kind comes: who imports a venue need not wait for what it may never read.
  get #object(): ObjectOf<F> {
    return this.#made ??= this.#make()
  }

  get sample(): string {
    const { sample } = this.#object
    return this.#member === undefined ? sample : `{${this.#beside},"${this.#member}":${sample}}`
  }

  read(
    venue: string,
    message: ExactJson.JsonObject,
    at: ReadonlyArray<PropertyKey> = []
  ): ReadonlyArray<A> | Rejection.FrameRejected {
    const place = fromPath(at)
    const values = this.#member === undefined
      ? this.#object.exact(venue, message, place)
      : this.#object.exactly(venue, message[this.#member], { outer: place, key: this.#member })
    return Rejection.isFrameRejected(values) ? values : this.#events(this.#object.over(values ?? []))
  }

  plan(message: ExactJson.JsonObject): Layout.Plan<ReadonlyArray<A>> | undefined {
    if (this.#isRare) return undefined
    return LayoutPlan.make(this.#object, message, this.#member, this.#events)
  }

  within(member: string, beside: string): Message<A> {
    return new MessageImpl(() => this.#object, this.#events, this.#isRare, member, beside)
  }
}

/**
 * Makes a kind of message: its members, and which events it is. `needs` are
 * members of which it has one at least, `null` or not; what is `rare`, such as an
 * answer, is always read exactly, and leaves the layouts to what comes often.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const F extends Fields, A>(
  fields: F,
  events: (message: View<F>) => ReadonlyArray<A>,
  { needs, rare = false }: { readonly needs?: ReadonlyArray<string> | undefined; readonly rare?: boolean } = {}
): Message<A> => new MessageImpl(() => new ObjectOf(fields, { needs }), events, rare, undefined, "")
