/**
 * A stability run as one HTML file, which loads nothing and runs nothing: its
 * charts are drawn already.
 *
 * @since 0.1.0
 */
import * as Timestamp from "@tickline/core/value/Timestamp"
import { escape } from "../internal/markup.ts"
import { grouped, span } from "../runner/Style.ts"
import * as Grade from "./Grade.ts"
import { type Line, mebibytes, percent, type Report } from "./Lines.ts"
import type { Mark, Sample, StabilityRecord } from "./Record.ts"

const box = { width: 720, height: 120, left: 64, bottom: 20 } as const

/** So many points are drawn of a line at most; of those that fall together the highest. */
const mostPoints = 600

interface Series {
  readonly title: string
  readonly unit: (value: number) => string
  readonly values: ReadonlyArray<readonly [at: number, value: number]>
}

const thinned = (values: Series["values"]): Series["values"] => {
  const share = Math.ceil(values.length / mostPoints)
  if (share <= 1) return values
  return Array.from({ length: Math.ceil(values.length / share) }, (_, i) => values.slice(i * share, (i + 1) * share))
    .flatMap((some) => {
      const [first] = some
      return first === undefined ? [] : [some.reduce((most, one) => one[1] > most[1] ? one : most, first)]
    })
}

const chart = ({ title, unit, values }: Series, wholeMillis: number, marks: ReadonlyArray<Mark>): string => {
  const most = values.reduce((sum, [, value]) => Math.max(sum, value), 0) || 1
  const x = (at: number): string => (box.left + at / wholeMillis * (box.width - box.left - 8)).toFixed(1)
  const y = (value: number): string => (8 + (1 - value / most) * (box.height - box.bottom - 8)).toFixed(1)
  const points = thinned(values).map(([at, value]) => `${x(at)},${y(value)}`).join(" ")
  const lines = marks.slice(0, 200).map(({ at, of, text }) => {
    const tone = text === "reconnected" ? "reconnect" : "error"
    return `<line class="${tone}" x1="${x(at)}" x2="${x(at)}" y1="8" y2="${box.height - box.bottom}"><title>${
      escape(`${of}: ${text}`)
    }</title></line>`
  })
  return `<figure><figcaption>${
    escape(title)
  }</figcaption><svg viewBox="0 0 ${box.width} ${box.height}" role="img" aria-label="${
    escape(title)
  }"><line class="axis" x1="${box.left}" x2="${box.width - 8}" y1="${box.height - box.bottom}" y2="${
    box.height - box.bottom
  }"/>${lines.join("")}<polyline points="${points}"/>` +
    [[8, most], [box.height - box.bottom, 0]].map(([at = 0, value = 0]) =>
      `<text x="${box.left - 6}" y="${at + 4}" text-anchor="end">${escape(unit(value))}</text>`
    ).join("") +
    `<text x="${box.left}" y="${box.height - 4}">0</text><text x="${box.width - 8}" y="${
      box.height - 4
    }" text-anchor="end">${escape(span(wholeMillis))}</text></svg></figure>`
}

const seriesOf = (samples: ReadonlyArray<Sample>): ReadonlyArray<Series> => {
  const of = (value: (sample: Sample) => number | undefined): Series["values"] =>
    samples.flatMap((sample) => {
      const found = value(sample)
      return found === undefined ? [] : [[sample.at, found] as const]
    })
  const millis = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`
  return [
    { title: "Round trip of heartbeats", unit: millis, values: of(({ trip }) => trip) },
    { title: "Heap", unit: mebibytes, values: of(({ memory }) => memory?.heap) },
    { title: "Memory of the process", unit: mebibytes, values: of(({ memory }) => memory?.resident) },
    { title: "Market events a second", unit: (value: number) => value.toFixed(1), values: of(({ events }) => events) },
    { title: "Credits that are left, of the emptiest pool", unit: percent, values: of(({ credits }) => credits) }
  ].filter(({ values }) => values.length > 1)
}

const row = (cells: ReadonlyArray<string | number>): string =>
  `<tr>${cells.map((cell) => `<td>${escape(typeof cell === "number" ? grouped(cell) : cell)}</td>`).join("")}</tr>`

const table = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>): string =>
  rows.length === 0
    ? ""
    : `<table><thead><tr>${titles.map((title) => `<th>${escape(title)}</th>`).join("")}</tr></thead><tbody>${
      rows.map(row).join("")
    }</tbody></table>`

const style =
  `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}.grade{font-size:2.2rem;font-weight:700;letter-spacing:.04em}
.EXCELLENT,.GOOD{color:#1a7f37}.FAIR{color:#9a6700}.POOR{color:#cf222e}figure{margin:1rem 0}figcaption{font-size:.85rem}
svg{width:100%;height:auto}polyline{fill:none;stroke:#0969da;stroke-width:1.5}.axis{stroke:#8c959f}.error{stroke:#cf222e}
.reconnect{stroke:#bf8700}text{font-size:11px;fill:#6e7781}table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #8c959f55;overflow-wrap:anywhere}`

/**
 * The page.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (record: StabilityRecord, against: string, report: Report): string => {
  const wholeMillis = Math.max(1, report.hours * 3_600_000)
  const details = record.details()
  const find = <T extends Line["_tag"]>(tag: T): ReadonlyArray<Extract<Line, { readonly _tag: T }>> =>
    details.filter((line): line is Extract<Line, { readonly _tag: T }> => line._tag === tag)
  const millis = (value: number | undefined): string => value === undefined ? "" : `${value} ms`
  const counts = [
    ["heartbeats answered", `${grouped(report.heartbeats)} (${percent(report.heartbeatSuccess)})`],
    ["reconnects", grouped(report.reconnects)],
    ["errors", grouped(report.errors)],
    ["passes", Grade.passes(report, report.hours) ? "yes" : "no"]
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>Stability: ${report.grade}</title><style>${style}</style></head><body>
<h1>Stability run</h1>
<p class="grade ${report.grade}">${report.grade}</p>
<p>${escape(against)}, from ${escape(Timestamp.format(Timestamp.fromEpochMillis(Math.floor(record.begunAt))))}, for ${
    escape(span(wholeMillis))
  }.${record.failed === undefined ? "" : ` <b>${escape(record.failed)}</b>`}</p>
${table([], counts)}
<h2>Over time</h2>
<p>Yellow lines are reconnects, red ones errors.</p>
${seriesOf(record.samples).map((series) => chart(series, wholeMillis, record.marks)).join("\n")}
<h2>Latency</h2>
${
    table(
      ["", "answers", "median", "99 of 100 within", "most"],
      find("Latency").map(({ count, most, of, p50, p99 }) => [of, count, millis(p50), millis(p99), millis(most)])
    )
  }
<h2>Orders</h2>
${
    table(
      ["acknowledged", "rejected", "not sent", "outcome unknown"],
      find("Orders").map(({ acknowledged, notSent, outcomeUnknown, rejected }) => [
        acknowledged,
        rejected,
        notSent,
        outcomeUnknown
      ])
    )
  }
<h2>Limits</h2>
${
    find("Limits").map(({ calls, least, refused }) =>
      `<p>${grouped(calls)} calls, of which ${
        grouped(refused)
      } were refused for want of credits. The least that was left, in calls:</p>` +
      table(["pool", "calls"], Object.entries(least).map(([pool, left]) => [pool, String(left)]))
    ).join("")
  }
<h2>Ledger</h2>
${
    table(
      ["channel", "product", "received", "delivered", "duplicates", "dropped", "gaps", "balanced"],
      record.ledger.map(({ balanced, channel = "", delivered, dropped, duplicates, gaps, product = "", received }) => [
        channel,
        product,
        received,
        delivered,
        duplicates,
        dropped,
        gaps.length,
        balanced ? "yes" : "no"
      ])
    )
  }
<h2>What happened</h2>
${
    record.marks.length === 0
      ? "<p>Nothing.</p>"
      : table(["after", "", ""], record.marks.slice(0, 500).map(({ at, of, text }) => [span(at), of, text]))
  }
</body></html>
`
}
