/** Frames changed in every place, and what is read of them. */
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type { Venue } from "@tickline/core/venue/Venue"

/** What was decoded, as it is printed. */
export const printed = (decoded: ReturnType<Venue["decode"]>): string =>
  (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => Ndjson.toJson(event)).join()

/** What a frame is decoded to, as it is printed. */
export const print = (venue: Venue, frame: string): string => printed(venue.decode(frame))

/** How many characters a decoder looks at one by one. */
export const looked = (venue: Venue, frame: string): number => {
  const { charCodeAt } = String.prototype
  let times = 0
  // oxlint-disable-next-line no-extend-native -- counted here, and put back
  String.prototype.charCodeAt = function(this: string, at: number) {
    times++
    return charCodeAt.call(this, at)
  }
  try {
    venue.decode(frame)
  } finally {
    // oxlint-disable-next-line no-extend-native -- as it was
    String.prototype.charCodeAt = charCodeAt
  }
  return times
}

/** What a value is replaced with, each of which is right in some places and wrong in others. */
const values = [
  "null",
  "true",
  "[]",
  "{}",
  "0",
  "01",
  "1.",
  "-1e3",
  "12345678901234567890.10",
  "1700000000000",
  "\"\"",
  "\"0\"",
  "\"01\"",
  "\".5\"",
  "\"-1e3\"",
  "\"1.10\"",
  "\"1:\"",
  "\"x\"",
  "\"buy\"",
  "\"sell\"",
  "\"BUY\"",
  "\"\\u0031\"",
  "\"\n\"",
  "\"2024-02-30T00:00:00Z\""
]

/** The values of a frame with their members' names and commas. Of long tables, the first and the last rows stand for all. */
const placesOf = (frame: string): ReadonlyArray<RegExpExecArray> => {
  const places = [
    ...frame.matchAll(/(?<=[{[,:])("[^"]*":)?("[^"]*"(?!:)|-?[\d.]+|null|true|false|\[\]|\{\})(,?)/g)
  ]
  return [...places.slice(0, 16), ...places.slice(16).slice(-8)]
}

/** The frame with each of its values replaced by each of these. */
export const replacementsOf = (frame: string, values: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  placesOf(frame).map(({ 0: all, 1: name = "", 3: comma = "", index }) =>
    values.map((value) => frame.slice(0, index) + name + value + comma + frame.slice(index + all.length))
  )

/** The frame with each of its values replaced, doubled, or without its member, and with white space. */
export const variantsOf = (frame: string): ReadonlyArray<string> => {
  const variants = [
    ` ${frame}`,
    `${frame} `,
    frame.slice(0, -1),
    `${frame}}`,
    frame.replaceAll(/([:,])(?=["[{\d])/g, "$1 ")
  ]
  for (const { 0: all, 1: name = "", 2: value = "", 3: comma = "", index } of placesOf(frame)) {
    const instead = (text: string) => frame.slice(0, index) + text + frame.slice(index + all.length)
    for (const other of values) variants.push(instead(`${name}${other}${comma}`))
    variants.push(instead(""), instead(`${name}${value},${name}${value}${comma}`), instead(`${name} ${value}${comma}`))
    if (name !== "") variants.push(instead(`"other":${value}${comma}`), instead(`${name}${value},"more":1${comma}`))
  }
  return variants
}
