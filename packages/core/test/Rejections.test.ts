/** A frame with a value that cannot be read is rejected, and the rejection names that value: on every venue, everywhere. */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type { Venue } from "@tickline/core/venue/Venue"
import { type Case, cases, framesOf } from "./Frames.ts"

type Path = ReadonlyArray<string | number>

const shown = (path: Path): string =>
  path.reduce<string>((text, key) => text + (typeof key === "number" ? `[${key}]` : text === "" ? key : `.${key}`), "")

/** The paths of all values of a JSON value but the first; of a table, only the first rows. */
const pathsOf = (value: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).slice(0, 40).flatMap(([name, member]) => {
    const key = Array.isArray(value) ? Number(name) : name
    if (typeof key === "number" && key > 1) return []
    return [[...path, key], ...pathsOf(member, [...path, key])]
  })
}

/** A copy with the value at a path replaced, or left out where it is to be `undefined`. */
const replaced = (value: unknown, [key, ...rest]: Path, by: unknown): unknown => {
  if (key === undefined) return by
  const at = (of: unknown): unknown => typeof of === "object" && of !== null ? Reflect.get(of, key) : undefined
  const member = replaced(at(value), rest, by)
  return Array.isArray(value)
    ? value.map((one: unknown, i) => i === key ? member : one)
    : { ...(typeof value === "object" ? value : {}), [key]: member }
}

/** The longest frame of each kind. */
const kindsOf = (one: Case): ReadonlyArray<string> => {
  const kinds = new Map<string, string>()
  for (const frame of framesOf(one)) {
    const decoded = one.make().decode(frame)
    if (Rejection.isFrameRejected(decoded)) continue
    const stream = /"stream":"[^"]*@(\w+)/.exec(frame)?.[1] ?? ""
    const kind = `${decoded.map(({ _tag }) => _tag)[0]} ${stream}`
    if ((kinds.get(kind) ?? "").length < frame.length) kinds.set(kind, frame)
  }
  return [...kinds.values()]
}

const printed = (decoded: ReturnType<Venue["decode"]>): string =>
  (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => Ndjson.toJson(event)).join()

describe("what is read of a frame, as a table; `vitest run -u` writes it anew", () => {
  const wrongs = [{ x: [] }, ["x"], "", "?", true, null, -1, "7", undefined]
  for (const one of cases) {
    const { name } = one.make()
    it(name, () => {
      const lines: Array<string> = []
      for (const frame of kindsOf(one)) {
        const json: unknown = JSON.parse(frame)
        const { decode } = one.make()
        const usual = printed(decode(JSON.stringify(json)))
        lines.push(`${JSON.stringify(json).slice(0, 100)}…`)
        for (const path of pathsOf(json)) {
          const outcomes = wrongs.map((wrong) => decode(JSON.stringify(replaced(json, path, wrong))))
          // R: rejected; =: as if nothing had been changed; ~: read as something else.
          const marks = outcomes.map((outcome) =>
            Rejection.isFrameRejected(outcome) ? "R" : printed(outcome) === usual ? "=" : "~"
          ).join("")
          if (marks === "=========") continue
          const words = new Set(
            outcomes.flatMap((outcome) => Rejection.isFrameRejected(outcome) ? [outcome.message] : [])
          )
          lines.push(
            `  ${marks} ${shown(path)}`,
            ...[...words].slice(0, 2).map((word) => `    ${word.replace(shown(path), "…")}`)
          )
        }
      }
      expect(lines.join("\n")).toMatchSnapshot()
    })
  }
})

describe("what cannot be read is named, and nothing else", () => {
  for (const one of cases) {
    const { name } = one.make()
    it(name, () => {
      let rejections = 0
      const named = new Set<string>()
      for (const frame of kindsOf(one)) {
        const json: unknown = JSON.parse(frame)
        const { decode } = one.make()
        assert.isFalse(Rejection.isFrameRejected(decode(frame)))
        for (const path of pathsOf(json)) {
          for (const wrong of [{ x: [] }, ["x"], "", "?", true, null, -1, undefined]) {
            const text = JSON.stringify(replaced(json, path, wrong))
            const decoded = decode(text)
            // A generic price may come without a type: one that is wrong or missing makes it another kind.
            const isOther = name === "generic" && path[0] === "type"
            if (!Rejection.isFrameRejected(decoded) || isOther) continue
            rejections++
            const { field, reason } = decoded
            // A frame without what names its kind has no member that could be named.
            if (reason === "UnknownMessage") continue
            const at = shown(path)
            const isWithin = field !== undefined && field.startsWith(at) && /^([.[]|$)/.test(field.slice(at.length))
            assert.isTrue(isWithin, `${at} in ${text}: ${decoded.message}`)
            assert.strictEqual(reason, decoded.message.endsWith("is missing") ? "MissingField" : "InvalidField", text)
            if (wrong === undefined && typeof path.at(-1) === "string") assert.strictEqual(reason, "MissingField", text)
            named.add(at)
          }
        }
      }
      assert.isAbove(rejections, 10)
      assert.isAbove(named.size, 2)
    })
  }
})
