/**
 * Makes docs/images/demo.svg, the README's picture: runs `tickline demo` in a
 * pseudo-terminal, reads what it draws as a terminal would, and writes the
 * screen of one moment as an SVG. Nothing in the picture is drawn by hand.
 *
 *     node scripts/picture.ts [--at 9.5] [--seed 1] [--out docs/images/demo.svg]
 *
 * It needs `script` of util-linux (any Linux) for the pseudo-terminal.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs, stripVTControlCharacters } from "node:util"
import { workspace } from "./source.ts"

const columns = 100
const rows = 30

/** How a cell is drawn: the colour's number as in SGR (31 is red), and its weight. */
interface Look {
  readonly color: number | undefined
  readonly bold: boolean
  readonly dim: boolean
}

interface Cell extends Look {
  readonly text: string
}

const plain: Look = { color: undefined, bold: false, dim: false }

const styled = (look: Look, codes: string): Look => {
  let next = look
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) next = plain
    else if (code === 1) next = { ...next, bold: true }
    else if (code === 2) next = { ...next, dim: true }
    else if (code === 22) next = { ...next, bold: false, dim: false }
    else if (code === 39) next = { ...next, color: undefined }
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = { ...next, color: code }
  }
  return next
}

/** As much of a terminal as the runner uses: text, line feeds, the cursor up, erasing, and SGR. */
const makeTerminal = () => {
  const lines: Array<Array<Cell>> = []
  let row = 0
  let column = 0
  let look = plain
  const line = (): Array<Cell> => lines[row] ??= []
  const control = (parameters: string, final: string): void => {
    const count = Number(parameters.replace("?", "")) || 1
    if (final === "m") look = styled(look, parameters)
    else if (final === "A") row = Math.max(0, row - count)
    else if (final === "K") line().length = Math.min(line().length, column)
    else if (final === "J") {
      line().length = Math.min(line().length, column)
      lines.length = row + 1
    }
  }
  return {
    write: (text: string): void => {
      // oxlint-disable-next-line no-control-regex -- a terminal's text is made of control characters
      for (const [, parameters = "", final, character] of text.matchAll(/\u001b\[([?0-9;]*)([A-Za-z])|(.|\s)/gu)) {
        if (final !== undefined) control(parameters, final)
        else if (character === "\r") column = 0
        else if (character === "\n") row++
        else if (character !== undefined && character !== "\u0007") {
          const cells = line()
          while (cells.length < column) cells.push({ ...plain, text: " " })
          cells[column++] = { ...look, text: character }
        }
      }
    },
    /** What is seen, without the empty rows at its end. */
    screen: (): ReadonlyArray<ReadonlyArray<Cell>> => {
      const seen = Array.from(lines, (cells) => (cells ?? []).slice())
      while (seen.at(-1)?.every(({ text }) => text === " ") === true) seen.pop()
      return seen
    }
  }
}

// One Dark's colours, on its background: readable on a light page and on a dark one.
const background = "#282c34"
const foreground = "#d7dae0"
const colors: Readonly<Record<number, string>> = {
  31: "#e06c75",
  32: "#98c379",
  33: "#e5c07b",
  34: "#61afef",
  35: "#c678dd",
  36: "#56b6c2",
  90: "#7f848e"
}

const cellWidth = 8.43
const lineHeight = 19
const margin = 16

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const sameLook = (a: Look, b: Look): boolean => a.color === b.color && a.bold === b.bold && a.dim === b.dim

/** One row as runs of cells that look the same. Each run says how wide it is, so that no font can shift a column. */
const runs = (cells: ReadonlyArray<Cell>, y: number): string => {
  let text = ""
  for (let start = 0; start < cells.length;) {
    const first = cells[start]!
    let end = start + 1
    while (end < cells.length && sameLook(cells[end]!, first)) end++
    const content = cells.slice(start, end).map((cell) => cell.text).join("")
    if (content.trim() !== "") {
      const fill = first.color === undefined ? foreground : colors[first.color] ?? foreground
      const looks = `${first.bold ? " font-weight=\"bold\"" : ""}${first.dim ? " fill-opacity=\"0.6\"" : ""}`
      const x = (margin + start * cellWidth).toFixed(1)
      const length = ((end - start) * cellWidth).toFixed(1)
      text += `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacing" fill="${fill}"${looks}>${
        escaped(content)
      }</text>\n`
    }
    start = end
  }
  return text
}

const picture = (screen: ReadonlyArray<ReadonlyArray<Cell>>, title: string): string => {
  const width = Math.ceil(2 * margin + columns * cellWidth)
  const height = 2 * margin + screen.length * lineHeight
  const body = screen.map((cells, row) => runs(cells, margin + 14 + row * lineHeight)).join("")
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
    + `role="img" xml:space="preserve" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', `
    + `monospace" font-size="14">\n<title>${escaped(title)}</title>\n`
    + `<rect width="100%" height="100%" rx="8" fill="${background}"/>\n${body}</svg>\n`
}

const { values } = parseArgs({
  options: {
    at: { type: "string", default: "9.5" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "docs/images/demo.svg" }
  }
})

const command = `tickline demo --seed ${Number(values.seed)}`
const child = spawn("script", ["-qfec", `stty cols ${columns} rows ${rows}; exec ${command}`, "/dev/null"], {
  cwd: workspace,
  env: {
    ...process.env,
    TERM: "xterm-256color",
    PATH: `${Path.join(workspace, "node_modules/.bin")}:${process.env["PATH"]}`
  },
  stdio: ["pipe", "pipe", "inherit"]
})
const terminal = makeTerminal()
const decoder = new TextDecoder()
let screen: ReturnType<typeof terminal.screen> = []
let isOver = false
child.stdout.on("data", (bytes: Uint8Array) => {
  if (!isOver) terminal.write(decoder.decode(bytes, { stream: true }))
})
child.on("error", (error) => {
  console.error(`script: ${error.message}`)
  process.exitCode = 1
})
setTimeout(() => {
  screen = terminal.screen()
  isOver = true
  // ^C, as a person would.
  child.stdin.end("\u0003")
}, Number(values.at) * 1000)
child.on("exit", () => {
  const text = screen.map((cells) => cells.map((cell) => cell.text).join("").trimEnd())
  if (!text.some((line) => line.includes("tickline demo"))) {
    console.error(`the demo drew no table:\n${stripVTControlCharacters(text.join("\n"))}`)
    process.exitCode = 1
    return
  }
  const out = Path.resolve(workspace, values.out)
  Fs.mkdirSync(Path.dirname(out), { recursive: true })
  Fs.writeFileSync(out, picture(screen, command))
  console.log(text.join("\n"))
  console.log(`\n${Path.relative(workspace, out)}: ${screen.length} rows of ${command} after ${values.at} s`)
})
