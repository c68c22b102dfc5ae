/**
 * What a stability run tells of itself, a line each.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { pad, type Paint, span } from "../runner/Style.ts"
import type { Grade } from "./Grade.ts"

/**
 * Round trips, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trips {
  readonly count: number
  readonly p50?: number
  readonly p99?: number
  readonly most?: number
}

/**
 * Bytes that are used: of the heap, and of the process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Memory {
  readonly heap: number
  readonly resident: number
}

/**
 * A line. Times are epoch milliseconds.
 *
 * - `Started`: against what, and for how long at most
 * - `State`: a connection has come to another state
 * - `Error`: something went wrong
 * - `Status`: how it stands, once a minute
 * - `Latency`: the round trips of heartbeats or of orders
 * - `Orders`: commands by their outcomes
 * - `Limits`: calls, those that the venue refused for want of credits, and the
 *   least that was left of each pool, in calls
 * - `Memory`: after the first minute, at the end, and the most; of real time only
 * - `Report`: the last line
 *
 * @category models
 * @since 0.1.0
 */
export type Line =
  | { readonly _tag: "Started"; readonly at: number; readonly against: string; readonly hours: number }
  | {
    readonly _tag: "State"
    readonly at: number
    readonly of: string
    readonly state: string
    readonly reason?: string
  }
  | { readonly _tag: "Error"; readonly at: number; readonly of: string; readonly message: string }
  | {
    readonly _tag: "Status"
    readonly at: number
    readonly hours: number
    readonly session: string
    readonly feed: string
    readonly heartbeats: number
    readonly heartbeatSuccess: number
    readonly reconnects: number
    readonly errors: number
    readonly events: number
    readonly credits: number
    readonly memory?: Memory
  }
  | ({ readonly _tag: "Latency"; readonly of: string } & Trips)
  | {
    readonly _tag: "Orders"
    readonly acknowledged: number
    readonly rejected: number
    readonly notSent: number
    readonly outcomeUnknown: number
  }
  | {
    readonly _tag: "Limits"
    readonly calls: number
    readonly refused: number
    readonly least: Readonly<Record<string, number>>
  }
  | { readonly _tag: "Memory"; readonly first: Memory; readonly last: Memory; readonly most: Memory }
  | Report

/**
 * What a run came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly _tag: "Report"
  readonly grade: Grade
  readonly heartbeats: number
  readonly heartbeatSuccess: number
  readonly reconnects: number
  readonly errors: number
  readonly hours: number
}

const time = (at: number): string => Timestamp.format(Timestamp.fromEpochMillis(Math.floor(at)))

/**
 * A line as JSON.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (line: Line): string => JSON.stringify("at" in line ? { ...line, at: time(line.at) } : line)

/**
 * A share as people write it.
 *
 * @category getters
 * @since 0.1.0
 */
export const percent = (share: number): string => `${(share * 100).toFixed(share === 1 ? 0 : 2)} %`

/**
 * So many bytes as people write them.
 *
 * @category getters
 * @since 0.1.0
 */
export const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

const tones = { Live: "green", Connected: "green", Failed: "red", Waiting: "yellow", Reconnecting: "yellow" } as const

const isToned = (state: string): state is keyof typeof tones => Object.hasOwn(tones, state)

/**
 * What happens, as a line for people; nothing of what stands in the report.
 *
 * @category getters
 * @since 0.1.0
 */
export const toText = (paint: Paint, line: Line): string | undefined => {
  if (!("at" in line)) return undefined
  const said = (word: string, rest: string) => `${paint("dim", time(line.at).slice(11, 19))} ${pad(word, 8)} ${rest}`
  switch (line._tag) {
    case "Started":
      return said("started", `${paint("bold", Printable.escape(line.against))}, for ${span(line.hours * 3_600_000)}`)
    case "State":
      return said(
        line.of,
        `${isToned(line.state) ? paint(tones[line.state], line.state) : line.state} ${
          paint("dim", Printable.escape(line.reason ?? ""))
        }`.trimEnd()
      )
    case "Error":
      return said(line.of, paint("red", Printable.escape(line.message)))
    case "Status":
      return said(
        "status",
        [
          `${line.heartbeats} heartbeats (${percent(line.heartbeatSuccess)})`,
          `${line.reconnects} reconnects`,
          `${line.errors} errors`,
          ...line.memory === undefined ? [] : [mebibytes(line.memory.heap)]
        ].join(", ")
      )
  }
}
