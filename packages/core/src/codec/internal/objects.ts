/**
 * Objects and lists of members, read exactly; and the views of them, through
 * which a message becomes events, whichever way it was read.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../ExactJson.ts"
import * as Rejection from "../Rejection.ts"
import { type FieldPath, pathOf } from "./fieldPath.ts"
import type * as Layout from "./layout.ts"
import { Book, Exact, isWithout, Member, Scalar, type Without } from "./members.ts"
import { fixedAt, MemberValues, rowsAt, scalarAt } from "./memberValues.ts"
import * as RejectionWords from "./rejectionWords.ts"
import * as SchemaReader from "./schemaReader.ts"

const none: ReadonlyArray<never> = []

/**
 * Members by their names.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = Readonly<Record<string, Member<unknown>>>

/**
 * What is read of members: a value each, `undefined` for those that may be
 * absent and are. It is read before the next message is, and not kept.
 *
 * @category models
 * @since 0.1.0
 */
export type View<F> = { readonly [K in keyof F]: F[K] extends Member<infer A> ? A : never }

/** The objects of a list: read one by one, each while it is asked for. */
class ElementsImpl<V> implements Elements<V> {
  /** The values of each that was read exactly. */
  exact: ReadonlyArray<ReadonlyArray<unknown>> = none
  /** What a layout has captured of each. */
  captured: ReadonlyArray<Layout.Captured> = none
  /** Whether there is one, whose source has begun already. */
  isSingle = false
  readonly owner: MemberValues
  readonly object: ObjectOf<Fields>

  constructor(owner: MemberValues, object: ObjectOf<Fields>) {
    this.owner = owner
    this.object = object
  }

  get length(): number {
    return this.isSingle ? 1 : this.captured.length + this.exact.length
  }

  map<B>(f: (each: V) => B): Array<B> {
    const made: Array<B> = []
    this.forEach((each) => made.push(f(each)))
    return made
  }

  flatMap<B>(f: (each: V) => ReadonlyArray<B>): ReadonlyArray<B> {
    // The view is that of the list's own fields.
    if (this.isSingle) return f(this.object.view as V)
    const all: Array<B> = []
    this.forEach((each) => {
      const made = f(each)
      for (const one of made) all.push(one)
    })
    return all
  }

  private forEach(f: (each: V) => void): void {
    const { captured, exact, object } = this
    const view = object.view as V
    if (this.isSingle) return f(view)
    for (let i = 0; i < exact.length; i++) {
      object.over(exact[i] ?? none)
      f(view)
    }
    const { needed, source } = object
    for (let i = 0; i < captured.length; i++) {
      const each = captured[i]
      if (each === undefined) continue
      source.begin(each.texts, each.places, none, undefined)
      if (needed.length === 0 || hasAny(each.texts, each.places, needed)) f(view)
      else source.isUnsure = true
      if (source.isUnsure) {
        this.owner.isUnsure = true
        return
      }
    }
  }
}

/**
 * Whether one of these members has a value.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasAny = (
  texts: ReadonlyArray<unknown>,
  places: ReadonlyArray<number>,
  slots: ReadonlyArray<number>
): boolean => {
  for (let i = 0; i < slots.length; i++) {
    const place = places[slots[i] ?? -1]
    if (place !== undefined && place !== 0 && texts[place]) return true
  }
  return false
}

/**
 * The objects of a list, in order. Each is read while the function is called
 * with it, and not kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface Elements<out V> {
  readonly length: number
  readonly map: <B>(f: (each: V) => B) => Array<B>
  readonly flatMap: <B>(f: (each: V) => ReadonlyArray<B>) => ReadonlyArray<B>
}

/**
 * An object, or an array whose places are its members.
 *
 * @category models
 * @since 0.1.0
 */
export class ObjectOf<out F extends Fields> extends Member<View<F>> {
  readonly names: ReadonlyArray<string>
  readonly members: ReadonlyArray<Member<unknown>>
  /** Of these members it has one at least. */
  readonly needs: ReadonlyArray<string>
  readonly isTuple: boolean
  /** What a rejection calls it. */
  readonly expected: string
  readonly without: Without
  readonly sample: string
  readonly #fields: F
  readonly #options: ObjectOptions
  readonly source = new MemberValues()
  /** What is read of the source. */
  readonly view: View<F>
  /** The places of those that it needs. */
  readonly needed: ReadonlyArray<number>
  /** Where its values are that were read exactly. */
  readonly #places: ReadonlyArray<number>
  readonly #read: ReturnType<typeof SchemaReader.reader>
  /** Whether it is read the same with no members at all. */
  readonly #mayBeEmpty: boolean
  readonly #inner: ReadonlyArray<readonly [slot: number, member: Inner]>
  /** Whether reading it takes a Schema: rows do not, unless one is bad. */
  readonly #isPlain: boolean

  constructor(fields: F, options: ObjectOptions = {}) {
    super()
    this.names = Object.keys(fields)
    // Each is read in its own place, though it may be said once for several.
    this.members = Object.values(fields).map((member) =>
      member instanceof ObjectOf || member instanceof ListOf ? member.copy() : member
    )
    this.needs = options.needs ?? []
    this.without = options.without ?? "none"
    this.isTuple = options.isTuple ?? false
    this.expected = options.expected ?? "an object"
    this.#fields = fields
    this.#options = options
    const samples = this.members.map(({ sample }, slot) =>
      this.isTuple ? sample : `${JSON.stringify(this.names[slot])}:${sample}`
    )
    this.sample = this.isTuple ? `[${samples.join()}]` : `{${samples.join()}}`
    const own = this.members.flatMap((member, slot) =>
      !this.isInner(member) && (member instanceof Scalar || member instanceof Book || member instanceof Exact)
        ? [[this.names[slot] ?? "", member] as const]
        : []
    )
    this.#isPlain = own.every(([, member]) => member instanceof Book)
    this.#mayBeEmpty = this.members.every((member) =>
      (member instanceof Book || member instanceof ObjectOf || member instanceof ListOf) && member.without === "either"
    )
    this.#inner = this.members.flatMap((member, slot) => this.isInner(member) ? [[slot, member] as const] : [])
    this.#read = SchemaReader.reader(Object.fromEntries(own.map(([name, { schema }]) => [name, schema])))
    // It has a getter for each of the fields, whose value is one of the member's own.
    this.view = makeView(this.names, this.members, this.source) as View<F>
    this.#places = this.names.map((_, slot) => slot + 1)
    this.needed = this.needs.map((name) => this.names.indexOf(name))
  }

  /** The same, to be read in another place. */
  copy(): ObjectOf<F> {
    return new ObjectOf(this.#fields, this.#options)
  }

  or(without: Without): ObjectOf<F> | Member<undefined> {
    return new ObjectOf(this.#fields, { ...this.#options, without })
  }

  /** The view over these values, until the next call. */
  over(values: ReadonlyArray<unknown>): View<F> {
    this.source.begin(values, this.#places, values, undefined)
    return this.view
  }

  /** Reads an object exactly: its values, by the places of its members. */
  exact(
    venue: string,
    json: ExactJson.JsonObject,
    at: FieldPath | undefined
  ): ReadonlyArray<unknown> | Rejection.FrameRejected {
    const { members, names } = this
    // A hostile batch has hundreds of thousands of objects with nothing in them.
    if (this.#mayBeEmpty && isEmpty(json)) return none
    const values: Array<unknown> = [undefined]
    for (let slot = 0; slot < members.length; slot++) values.push(undefined)
    if (!this.#isPlain || !this.#plain(json, values)) {
      const it = this.#read(venue, json, at)
      if (Rejection.isFrameRejected(it)) return it
      for (let slot = 0; slot < members.length; slot++) {
        const member = members[slot]
        const value = it[names[slot] ?? ""]
        if (member instanceof Scalar || member instanceof Exact) values[slot + 1] = member.mean(value ?? undefined)
        else if (member instanceof Book) values[slot + 1] = value ?? undefined
      }
    }
    if (this.needs.length > 0 && !this.needs.some((name) => Object.hasOwn(json, name))) return this.#missing(venue, at)
    for (const [slot, member] of this.#inner) {
      const name = names[slot] ?? ""
      const key = this.isTuple ? slot : name
      const inner = member.exactly(venue, Object.hasOwn(json, name) ? json[name] : undefined, { outer: at, key })
      if (Rejection.isFrameRejected(inner)) return inner
      values[slot + 1] = inner
    }
    return values
  }

  /** Whether a member is read after the others, and by itself: what it holds has paths of its own. */
  isInner(member: Member<unknown>): member is Inner {
    return member instanceof ObjectOf || member instanceof ListOf || (this.isTuple && member instanceof Book)
  }

  /** Reads what stands in another object under a name. */
  exactly(
    venue: string,
    value: ExactJson.Json | undefined,
    at: FieldPath
  ): ReadonlyArray<unknown> | Rejection.FrameRejected | undefined {
    if (isWithout(this.without, value)) return undefined
    const members = this.membersOf(value)
    return members === undefined
      ? Rejection.unexpected(venue, pathOf(at), this.expected, value)
      : this.exact(venue, members, at)
  }

  /** The members that a value has, or `undefined` where it is no such object. */
  membersOf(value: ExactJson.Json | undefined): ExactJson.JsonObject | undefined {
    if (value === undefined) return undefined
    if (!this.isTuple) return ExactJson.isObject(value) ? value : undefined
    if (!Array.isArray(value)) return undefined
    const list: ReadonlyArray<ExactJson.Json> = value
    return Object.fromEntries(
      list.slice(0, this.names.length).map((value, place) => [this.names[place] ?? "", value] as const)
    )
  }

  #plain(json: ExactJson.JsonObject, values: Array<unknown>): boolean {
    const { members, names } = this
    for (let slot = 0; slot < members.length; slot++) {
      const member = members[slot]
      if (!(member instanceof Book) || this.isTuple) continue
      const name = names[slot] ?? ""
      const value = member.plain(Object.hasOwn(json, name) ? json[name] : undefined)
      if (value === false) return false
      values[slot + 1] = value
    }
    return true
  }

  #missing(venue: string, at: FieldPath | undefined): Rejection.FrameRejected {
    const [first = "", ...others] = this.needs
    return Rejection.frameRejected(venue, ...RejectionWords.missing([...pathOf(at), first], others))
  }
}

const isEmpty = (json: ExactJson.JsonObject): boolean => {
  for (const _ in json) return false
  return true
}

type Inner = ObjectOf<Fields> | ListOf<Fields> | Book<object | undefined>

/** What an object may be told to be. */
export interface ObjectOptions {
  readonly needs?: ReadonlyArray<string> | undefined
  readonly without?: Without | undefined
  readonly isTuple?: boolean | undefined
  readonly expected?: string | undefined
}

/**
 * An object with a prototype of its own, whose getters an engine knows where they
 * are read. What they close over never changes, so that it is known there as well.
 */
const makeView = (
  names: ReadonlyArray<string>,
  members: ReadonlyArray<Member<unknown>>,
  source: MemberValues
): object => {
  const prototype: object = {}
  for (const [slot, name] of names.entries()) {
    const member = members[slot]
    if (member === undefined) continue
    const get = member instanceof ObjectOf
      ? objectAt(source, slot, member)
      : member instanceof ListOf
      ? elementsAt(source, slot, new ElementsImpl(source, member.object))
      : member instanceof Book
      ? rowsAt(source, slot, member.reading.fast)
      : member instanceof Scalar
      ? scalarAt(source, slot, member)
      : fixedAt(source, slot)
    Object.defineProperty(prototype, name, { get })
  }
  const view: object = Object.create(prototype)
  return view
}

const objectAt = (source: MemberValues, slot: number, member: ObjectOf<Fields>) => (): unknown => {
  const own = source.fixed[slot + 1]
  if (own === undefined) return undefined
  return Array.isArray(own) ? member.over(own) : member.view
}

const elementsAt = (source: MemberValues, slot: number, elements: ElementsImpl<unknown>) => (): unknown => {
  const own = source.fixed[slot + 1]
  if (own === undefined) return undefined
  elements.isSingle = own === single
  elements.exact = Array.isArray(own) ? own : none
  elements.captured = typeof own === "number" ? source.members?.lists[own] ?? none : none
  return elements
}

/**
 * What stands for the index of a list that has one object.
 *
 * @category constants
 * @since 0.1.0
 */
export const single = "single"

/**
 * A list of objects.
 *
 * @category models
 * @since 0.1.0
 */
export class ListOf<out F extends Fields> extends Member<Elements<View<F>>> {
  readonly object: ObjectOf<F>
  /** Which of absent and `null` stand for an empty list. */
  readonly without: Without
  readonly expected: string
  readonly sample: string

  constructor(object: ObjectOf<F>, expected: string, without: Without = "none") {
    super()
    this.object = object
    this.without = without
    this.expected = expected
    this.sample = `[${object.sample}]`
  }

  /** The same, to be read in another place. */
  copy(): ListOf<F> {
    return new ListOf(this.object.copy(), this.expected, this.without)
  }

  or(without: Without): ListOf<F> | Member<undefined> {
    return new ListOf(this.object, this.expected, without)
  }

  /** Reads what stands in an object under a name. */
  exactly(
    venue: string,
    value: ExactJson.Json | undefined,
    at: FieldPath
  ): ReadonlyArray<unknown> | Rejection.FrameRejected | undefined {
    if (isWithout(this.without, value)) return undefined
    if (!Array.isArray(value)) return Rejection.unexpected(venue, pathOf(at), this.expected, value)
    const list: ReadonlyArray<ExactJson.Json> = value
    const all: Array<unknown> = []
    // One for all: it is read where something is refused, and kept by nobody.
    const place = { outer: at, key: 0 }
    for (let index = 0; index < list.length; index++) {
      place.key = index
      const each = this.object.exactly(venue, list[index], place)
      if (Rejection.isFrameRejected(each)) return each
      all.push(each)
    }
    return all
  }
}
