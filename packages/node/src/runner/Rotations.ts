/**
 * When a recording goes on in another file, as it stands on the command line.
 *
 * @since 0.1.0
 */
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Rotation } from "../RecordingFile.ts"
import { UsageError } from "./RunnerError.ts"

const units: Readonly<Record<string, number>> = {
  kb: 1_000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824
}

const bytesOf = (text: string): number | undefined => {
  const [, digits = "", unit = ""] = /^(\d+)\s*([kmg]i?b)$/i.exec(text) ?? []
  const bytes = Number(digits) * (units[unit.toLowerCase()] ?? NaN)
  return bytes > 0 ? bytes : undefined
}

/** A file for less is a mistake. */
const leastMillis = 1_000

/**
 * Reads sizes and durations, each of which begins the next file; of several the
 * least holds. `key` is where they stand.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (
  texts: ReadonlyArray<string>,
  key: string
): Result.Result<Rotation, UsageError> => {
  let bytes = Infinity
  let millis = Infinity
  for (const text of texts) {
    const size = bytesOf(text)
    const every = size === undefined ? PolicyConfig.durationFromText(text) : Option.none()
    const isTime = Option.isSome(every) && Duration.toMillis(every.value) >= leastMillis
    if (size === undefined && !isTime) {
      const expected = "a size such as 256MiB or a duration such as 1h, at least 1s"
      return Result.fail(new UsageError({ key, value: text, expected }))
    }
    if (size !== undefined) bytes = Math.min(bytes, size)
    if (isTime) millis = Math.min(millis, Duration.toMillis(every.value))
  }
  return Result.succeed({
    ...(bytes === Infinity ? {} : { bytes }),
    ...(millis === Infinity ? {} : { every: millis })
  })
}
