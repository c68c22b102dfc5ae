/**
 * Reads the lines of one recording, nearly all of which are frames that came in
 * and differ from the one before in their time and their text alone.
 *
 * @since 0.1.0
 */
import type { Frame } from "../../transport/Frame.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Tape from "../Tape.ts"

// A member of the same text on every line: `at` and `raw` differ, and `id` may be anything.
const same = String.raw`"(?:connection|direction|kind)": ?(?:"[^"\\\x00-\x1f]*"|\d+), ?`

// Its start up to the time, the time, and what is between it and the text of the frame, which is the last member.
const usual = new RegExp(String.raw`^(\{(?:${same})*"at": ?")([^"\\\x00-\x1f]*)(", ?(?:${same})*"raw": ?")`)

const closingBrace = 125

/**
 * The reader of one recording. A line of the same layout as the one that was read
 * exactly before is read by its parts; any other is left to `Tape.parse`, which
 * says the same of both.
 *
 * @category models
 * @since 0.1.0
 */
export class LineReader {
  // Of the latest line that was read exactly: what surrounds its time; undefined before there is one.
  private before: string | undefined
  private between = ""
  // And of the latest line: all of it up to its text, and when and where that came.
  private start = ""
  private at: Timestamp.Timestamp | undefined
  private connection: number | string | undefined

  /** As `Tape.parse`. */
  read(text: Frame, line: number): ReturnType<typeof Tape.parse> {
    if (typeof text !== "string") return Tape.parse(text, line)
    const found = this.frame(text)
    if (found !== undefined) return found
    const read = Tape.parse(text, line)
    if (read?._tag === "Frame" && read.direction === "in") this.learn(text, read)
    return read
  }

  private frame(text: string): Tape.Entry | undefined {
    if (this.before === undefined || text.charCodeAt(text.length - 1) !== closingBrace) return undefined
    if (!text.startsWith(this.start) && !this.move(text, this.before)) return undefined
    try {
      // Whatever else follows than one string does not parse.
      const frame: string = JSON.parse(text.slice(this.start.length - 1, -1))
      return { _tag: "Frame", at: this.at, connection: this.connection, direction: "in", frame }
    } catch {
      return undefined
    }
  }

  // To a line of another time.
  private move(text: string, before: string): boolean {
    if (!text.startsWith(before)) return false
    const end = text.indexOf("\"", before.length)
    if (!text.startsWith(this.between, end)) return false
    const at = Timestamp.fromIso(text.slice(before.length, end))
    if (at === undefined) return false
    this.at = at
    this.start = text.slice(0, end + this.between.length)
    return true
  }

  private learn(text: string, entry: Tape.Entry): void {
    const found = usual.exec(text)
    if (found === null || entry.at === undefined || entry.id !== undefined) return
    const [start, before = "", , between = ""] = found
    // Of a line that has members behind the text they may be what it says; mostly that is seen without reading it.
    if (text.includes("\",\"", start.length)) return
    this.before = before
    this.between = between
    this.start = start
    this.at = entry.at
    this.connection = entry.connection
    if (this.frame(text) === undefined) this.before = undefined
  }
}
