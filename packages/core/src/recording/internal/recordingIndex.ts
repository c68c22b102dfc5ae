/**
 * What is to be known of a recording before it is replayed: its connections, when
 * each of them is dialled, and what was asked for.
 *
 * @since 0.1.0
 */
import * as Timestamp from "../../value/Timestamp.ts"
import type * as Tape from "../Tape.ts"
import { keyOf } from "./replayHttp.ts"

type Header = Extract<Tape.Entry, { readonly _tag: "Header" }>

/**
 * A dial, as it was recorded or as it shows in what came after it: its line, when
 * it was, and which attempt it was after how long a wait if the line says so; and
 * how many frames were written and received on the wire that it gave, and the
 * first of those that were written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialled {
  readonly line: number
  readonly millis: number
  readonly attempt: number | undefined
  readonly delayMillis: number | undefined
  written: number
  received: number
  readonly texts: Set<string>
}

// So many frames of ours are known by their texts: those that ask for what is wanted come first.
const mostTexts = 1_024

/**
 * One connection of a recording. It is open from its first line on, or from its
 * first `Open`; whatever comes on one that is not shows that it is.
 *
 * @category models
 * @since 0.1.0
 */
export class ConnectionIndex {
  readonly connection: number | string | undefined
  /** What names it among several. */
  leg: number | string | undefined
  readonly dials: Array<Dialled> = []
  /** Whether what was written on it was recorded. */
  hasWritten = false
  private isDialled = false
  private isOpen = false

  constructor(connection: number | string | undefined) {
    this.connection = connection
    this.leg = connection
  }

  add(entry: Tape.Entry, line: number, millis: number): void {
    switch (entry._tag) {
      case "Dial": {
        const { attempt, delayMillis } = entry
        this.dial(line, millis, attempt, delayMillis)
        this.isDialled = true
        this.isOpen = false
        break
      }
      case "Open":
        this.leg = entry.leg ?? this.leg
        this.isOpen = this.isOpen && this.isDialled
        this.opened(line, millis)
        break
      case "Close":
        this.isOpen = false
        this.isDialled = false
        break
      case "Frame":
      case "Binary":
        this.opened(line, millis)
        this.passed(entry)
        break
      case "Ping":
      case "Pong":
        this.opened(line, millis)
        break
      default:
    }
  }

  private opened(line: number, millis: number): void {
    if (this.isOpen) return
    if (!this.isDialled) this.dial(line, millis, undefined, undefined)
    this.isOpen = true
    this.isDialled = false
  }

  private dial(line: number, millis: number, attempt: number | undefined, delayMillis: number | undefined): void {
    this.dials.push({ line, millis, attempt, delayMillis, written: 0, received: 0, texts: new Set() })
  }

  private passed(entry: Extract<Tape.Entry, { readonly _tag: "Frame" | "Binary" }>): void {
    const dial = this.dials[this.dials.length - 1]
    if (dial === undefined) return
    if (entry.direction === "in") {
      dial.received++
      return
    }
    this.hasWritten = true
    dial.written++
    if (entry._tag === "Frame" && dial.texts.size < mostTexts) dial.texts.add(String(entry.frame))
  }

  /** The dial that a line of its wire belongs to. */
  dialOf(line: number): Dialled | undefined {
    const next = this.dialFrom(line + 1)
    return this.dials[(next === undefined ? this.dials.length : this.dials.indexOf(next)) - 1]
  }

  /** The first dial from a line on. */
  dialFrom(line: number): Dialled | undefined {
    let low = 0
    let high = this.dials.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.dials[middle]?.line ?? 0) >= line) high = middle
      else low = middle + 1
    }
    return this.dials[low]
  }
}

/**
 * The time of a line, in epoch milliseconds, given that of the one before.
 *
 * @category getters
 * @since 0.1.0
 */
export const millisOf = (entry: Tape.Entry, before: number): number =>
  entry.at === undefined ? before : Timestamp.epochMillis(entry.at)

/**
 * Whether a line is of a connection: an answer over HTTP and the header are of
 * none.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOfConnection = ({ _tag }: Tape.Entry): boolean => _tag !== "Header" && _tag !== "Response"

/**
 * The index of a recording, read line by line.
 *
 * @category models
 * @since 0.1.0
 */
export class RecordingIndex {
  readonly headers: Array<Header> = []
  /** In the order of their first lines. */
  readonly connections = new Map<number | string | undefined, ConnectionIndex>()
  /** What the answers over HTTP are to. */
  readonly answers = new Set<string>()
  private millis = 0
  // Many lines in a row are of one.
  private latest: ConnectionIndex | undefined

  private of(name: number | string | undefined): ConnectionIndex {
    const known = this.connections.get(name)
    if (known !== undefined) return known
    const connection = new ConnectionIndex(name)
    this.connections.set(name, connection)
    return connection
  }

  add(entry: Tape.Entry, line: number): ConnectionIndex | undefined {
    this.millis = millisOf(entry, this.millis)
    if (entry._tag === "Header") this.headers.push(entry)
    if (entry._tag === "Response") this.answers.add(keyOf(entry.method, entry.url))
    if (!isOfConnection(entry)) return undefined
    const { latest } = this
    const connection = latest !== undefined && latest.connection === entry.connection
      ? latest
      : this.of(entry.connection)
    this.latest = connection
    connection.add(entry, line, this.millis)
    return connection
  }
}
