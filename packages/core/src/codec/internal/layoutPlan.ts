/**
 * The plan of a message: by what layout its frames are read the fast way.
 *
 * @since 0.1.0
 */
import type * as ExactJson from "../ExactJson.ts"
import type * as Layout from "./layout.ts"
import { Book, codes, type Member, Scalar } from "./members.ts"
import { type Fields, hasAny, ListOf, ObjectOf, single } from "./objects.ts"

/** What a layout has of one object. */
interface Part {
  readonly object: ObjectOf<Fields>
  /** For each member its place among those wanted of the frame, or -1. */
  readonly wanted: ReadonlyArray<number>
  /** As in `Source`; found when the first frame is read. */
  places: ReadonlyArray<number> | undefined
  readonly fixed: ReadonlyArray<unknown>
}

/** What is wanted of the frames of a layout, as one of them is gone through. */
class Outline {
  readonly wanted: Array<string> = []
  readonly times: Array<string> = []
  readonly pinned: Array<string> = []
  readonly prefixed: Array<readonly [member: string, separator: string]> = []
  readonly books: Array<readonly [member: string, read: Layout.ReadRows]> = []
  readonly lists: Array<readonly [member: string, wanted: ReadonlyArray<string>]> = []
  readonly parts: Array<Part> = []
  isNullable = false

  /** Adds an object; false where it cannot be read the fast way. */
  object(object: ObjectOf<Fields>, json: ExactJson.Json | undefined, path: string): boolean {
    const members = object.membersOf(json)
    if (members === undefined) return false
    const wanted: Array<number> = []
    const fixed: Array<unknown> = [undefined]
    for (const [slot, member] of object.members.entries()) {
      const name = object.names[slot] ?? ""
      const value = Object.hasOwn(members, name) ? members[name] : undefined
      const at = object.isTuple ? `${path}[${slot}]` : path === "" ? name : `${path}.${name}`
      wanted.push(-1)
      fixed.push(undefined)
      if (member instanceof Scalar && member.isPinned) {
        fixed[slot + 1] = this.pin(member, value, at)
        continue
      }
      // What is absent in the frame is so in every frame of its layout; so is what is null, unless it might be a number.
      if (value === undefined || (value === null && !(member instanceof Scalar))) continue
      if (member instanceof Scalar) {
        wanted[slot] = this.wanted.push(at) - 1
        if (member.isTime) this.times.push(at)
        if (member.isNullable) this.isNullable = true
        continue
      }
      fixed[slot + 1] = this.inner(member, value, at)
      if (fixed[slot + 1] === undefined) return false
    }
    this.parts.push({ object, wanted, places: undefined, fixed })
    return true
  }

  /** The text that names the kind. */
  pin(member: Scalar<unknown>, value: ExactJson.Json | undefined, at: string): unknown {
    if (value === undefined || value === null) return undefined
    if (member.code === codes.pinned) this.pinned.push(at)
    else this.prefixed.push([at, member.separator])
    return member.mean(value)
  }

  /** What is fixed of rows, an object or a list: `undefined` where they cannot be read the fast way. */
  inner(member: Member<unknown>, value: ExactJson.Json, at: string): unknown {
    if (member instanceof Book) {
      const { segment } = member.reading
      if (segment._tag === "Book") return this.books.push([at, segment.read]) - 1
      return this.lists.push([at, segment.names]) - 1
    }
    if (member instanceof ObjectOf) return this.object(member, value, at) ? true : undefined
    return member instanceof ListOf && Array.isArray(value) ? this.list(member, value, at) : undefined
  }

  list({ object }: ListOf<Fields>, value: ReadonlyArray<ExactJson.Json>, at: string): unknown {
    const { members, names } = object
    if (members.some((each) => !(each instanceof Scalar) || each.isPinned)) {
      // A layout is of the objects that the frame had: with one, none is passed over.
      return value.length === 1 && this.object(object, value[0], `${at}[0]`) ? single : undefined
    }
    for (const [slot, each] of members.entries()) {
      if (!(each instanceof Scalar)) continue
      if (each.isTime) this.times.push(`${at}[].${names[slot] ?? ""}`)
      if (each.isNullable) this.isNullable = true
    }
    return this.lists.push([at, names]) - 1
  }
}

/**
 * The plan by which frames like this one are read, of which the object is the
 * whole or a member; `undefined` where they cannot be read the fast way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <F extends Fields, A>(
  object: ObjectOf<F>,
  json: ExactJson.JsonObject,
  member: string | undefined,
  events: (message: ObjectOf<F>["view"]) => A
): Layout.Plan<A> | undefined => {
  const outline = new Outline()
  if (!outline.object(object, member === undefined ? json : json[member], member ?? "")) return undefined
  const { books, isNullable, lists, parts, pinned, prefixed, times, wanted } = outline
  const { view } = object
  const begin = (part: Part, members: Layout.Members): boolean => {
    const places = part.places ??= part.wanted.map((at) => at < 0 ? 0 : members.places[at] ?? 0)
    const { needed, source } = part.object
    source.begin(members.texts, places, part.fixed, members)
    return needed.length === 0 || hasAny(members.texts, places, needed)
  }
  const build = (members: Layout.Members): A | undefined => {
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]
      if (part !== undefined && !begin(part, members)) return undefined
    }
    const made = events(view)
    for (let i = 0; i < parts.length; i++) if (parts[i]?.object.source.isUnsure === true) return undefined
    return made
  }
  return {
    wanted,
    times,
    pinned,
    prefixed,
    nullable: isNullable,
    ...(lists.length === 0 ? {} : { lists }),
    ...(books.length === 0 ? {} : { books }),
    build
  }
}
