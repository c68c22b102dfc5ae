/**
 * A backtest as one HTML file that loads nothing: figures, charts of the total,
 * its drawdown and the prices with what was traded, and all closed trades.
 *
 * The charts are drawn by uPlot, which stands in the page with its licence.
 *
 * @since 0.1.0
 */
import type * as Backtest from "@tickline/core/strategy/Backtest"
import type { Candle } from "@tickline/core/strategy/Candles"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "node:fs/promises"
import { createRequire } from "node:module"
import * as Path from "node:path"
import { escape } from "../internal/markup.ts"
import { backtestScript } from "./internal/backtestScript.ts"
import { RunFailed } from "./RunnerError.ts"
import { grouped, span } from "./Style.ts"

/**
 * What the report is of.
 *
 * @category models
 * @since 0.1.0
 */
export interface About {
  readonly strategy: string
  readonly venue: string
  readonly options: {
    readonly recordings: ReadonlyArray<string>
    readonly fees: { readonly maker: Decimal.Decimal; readonly taker: Decimal.Decimal } | undefined
    readonly latency: Duration.Duration | undefined
  }
}

/** So many candles and points are drawn at most; what falls together is one. */
const mostCandles = 1_200
const mostPoints = 2_400
const mostRows = 500

const numberOf = (value: Decimal.Decimal): number => Number(Decimal.format(value))

const groups = <A>(all: ReadonlyArray<A>, most: number): ReadonlyArray<ReadonlyArray<A>> => {
  const size = Math.max(1, Math.ceil(all.length / most))
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}

const candlesOf = (candles: ReadonlyArray<Candle>) => {
  const merged = groups(candles, mostCandles).flatMap((some) => {
    const [first, last] = [some[0], some.at(-1)]
    if (first === undefined || last === undefined) return []
    const [from, to] = [Timestamp.epochMillis(first.from), Timestamp.epochMillis(last.to)]
    return [{
      time: (from + to) / 2_000,
      open: numberOf(first.open),
      high: Math.max(...some.map(({ high }) => numberOf(high))),
      low: Math.min(...some.map(({ low }) => numberOf(low))),
      close: numberOf(last.close)
    }]
  })
  const first = candles[0]
  const length = first === undefined ? 0 : Timestamp.epochMillis(first.to) - Timestamp.epochMillis(first.from)
  return {
    times: merged.map(({ time }) => time),
    opens: merged.map(({ open }) => open),
    highs: merged.map(({ high }) => high),
    lows: merged.map(({ low }) => low),
    closes: merged.map(({ close }) => close),
    seconds: length / 1_000 * Math.max(1, Math.ceil(candles.length / mostCandles))
  }
}

/** Of the points that fall together the last total, and the deepest drawdown. */
const equityOf = (curve: Backtest.Report["curve"], capital: number) => {
  let peak = capital
  const points = curve.map(({ at, total }) => {
    peak = Math.max(peak, total)
    return { at, total, drawdown: peak > 0 ? total / peak - 1 : 0 }
  })
  const thinned = groups(points, mostPoints).flatMap((some) => {
    const last = some.at(-1)
    return last === undefined ? [] : [{ ...last, drawdown: Math.min(...some.map(({ drawdown }) => drawdown)) }]
  })
  return {
    times: thinned.map(({ at }) => at / 1_000),
    totals: thinned.map(({ total }) => total),
    drawdowns: thinned.map(({ drawdown }) => drawdown)
  }
}

/** So many digits after the point as prices are written with. */
const digitsOf = (candles: ReadonlyArray<Candle>): number =>
  Math.min(12, Math.max(0, ...candles.slice(0, 100).map(({ close }) => close.scale)))

const dataOf = ({ candles, capital, curve, fills }: Backtest.Report) => {
  const products = Array.from(candles, ([product, all]) => ({
    product,
    digits: digitsOf(all),
    candles: candlesOf(all),
    fills: fills.filter((fill) => fill.product === product || candles.size === 1).flatMap((
      { price, side, timestamp }
    ) =>
      timestamp === undefined
        ? []
        : [[Timestamp.epochMillis(timestamp) / 1_000, numberOf(price), side === "buy" ? 1 : 0]]
    )
  }))
  const equity = equityOf(curve, numberOf(capital))
  const times = [
    ...equity.times,
    ...products.flatMap(({ candles: { seconds, times } }) => {
      const [first, last] = [times[0], times.at(-1)]
      return first === undefined || last === undefined ? [] : [first - seconds / 2, last + seconds / 2]
    })
  ]
  return {
    capital: numberOf(capital),
    // Numbers alone: nothing in it can end the script that it stands in.
    from: times.reduce((least, time) => Math.min(least, time), Infinity),
    to: times.reduce((most, time) => Math.max(most, time), -Infinity),
    equity,
    products
  }
}

const percent = (value: number): string => `${(value * 100).toFixed(2)} %`

const figure = (value: number, digits: number): string =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace(/^-/, "−")

const money = (value: Decimal.Decimal): string => figure(numberOf(value), 2)

const signed = (value: number, text: string): string => `${value > 0 ? "+" : ""}${text.replace(/^-/, "−")}`

const toneOf = (value: number): string => value > 0 ? "gain" : value < 0 ? "loss" : ""

const tile = (title: string, value: string | undefined, tone = ""): string =>
  value === undefined
    ? ""
    : `<div class="tile"><dt>${escape(title)}</dt><dd class="${tone}">${escape(value)}</dd></div>`

const tiles = ({ performance, quote, result }: Backtest.Report): string => {
  const pnl = numberOf(result.pnl)
  const { averageLoss, averageWin, losses, profitFactor, wins } = performance
  const plain = (value: number | undefined): string | undefined => value === undefined ? undefined : figure(value, 2)
  return [
    tile(`gained, ${quote}`, signed(pnl, money(result.pnl)), toneOf(pnl)),
    tile("return", signed(result.return, percent(result.return)), toneOf(result.return)),
    tile("largest drawdown", percent(result.drawdown)),
    tile("closed trades", grouped(result.trades)),
    tile("hit rate", result.hitRate === undefined ? "–" : `${percent(result.hitRate)}`),
    tile("won / lost", `${grouped(wins)} / ${grouped(losses)}`),
    tile(`average win, ${quote}`, plain(averageWin)),
    tile(`average loss, ${quote}`, plain(averageLoss)),
    tile("profit factor", plain(profitFactor)),
    tile("Sharpe, of days", result.sharpe === undefined ? "–" : result.sharpe.toFixed(2)),
    tile("time with a position", percent(result.exposure)),
    tile(`traded, ${quote}`, money(performance.volume))
  ].join("")
}

const timeText = (millis: number): string =>
  Timestamp.format(Timestamp.fromEpochMillis(millis)).slice(0, 19).replace("T", " ")

const tradeRow = (trade: Backtest.Report["trades"][number], digits: number, isAlone: boolean): string => {
  const { closedAt, direction, entered, entryPrice, fees, openedAt, product, realized } = trade
  const profit = BigDecimal.subtract(realized, fees)
  const [amount, entry] = [numberOf(entered), numberOf(entryPrice)]
  const gained = numberOf(profit)
  const exit = entry + (direction === "long" ? 1 : -1) * numberOf(realized) / (amount || 1)
  const cells: ReadonlyArray<readonly [text: string, tone: string]> = [
    [timeText(openedAt), ""],
    ...isAlone ? [] : [[product, ""] as const],
    [span(closedAt - openedAt), ""],
    [Decimal.format(BigDecimal.normalize(entered)), "figure"],
    [figure(entry, digits), "figure"],
    [figure(exit, digits), "figure"],
    [signed(gained, money(profit)), `figure ${toneOf(gained)}`],
    [signed(gained, percent(gained / (amount * entry || 1))), `figure ${toneOf(gained)}`]
  ]
  return `<tr>${cells.map(([text, tone]) => `<td class="${tone}">${escape(text)}</td>`).join("")}</tr>`
}

const trades = ({ candles, quote, trades }: Backtest.Report): string => {
  if (trades.length === 0) return "<p>None was closed.</p>"
  const isAlone = candles.size < 2
  const titles = ["opened, UTC", ...isAlone ? [] : ["product"], "held"]
  const figures = ["amount", "in", "out", `gained, ${quote}`, "of it"]
  const more = trades.length > mostRows
    ? `<p>The last ${grouped(mostRows)} of ${grouped(trades.length)}.</p>`
    : ""
  return `${more}<div class="wide"><table><thead><tr>${titles.map((title) => `<th>${escape(title)}</th>`).join("")}${
    figures.map((title) => `<th class="figure">${escape(title)}</th>`).join("")
  }</tr></thead><tbody>${
    trades.slice(-mostRows).toReversed().map((trade) =>
      tradeRow(trade, digitsOf(candles.get(trade.product) ?? []), isAlone)
    ).join("")
  }</tbody></table></div>`
}

const words: Readonly<Record<string, string>> = {
  ERR_DUPLICATE_SIGNAL: "the same signal was acted on shortly before",
  ERR_LOW_CONFIDENCE: "the strategy was not sure enough",
  ERR_NOTHING_TO_CLOSE: "a sell, and nothing was open",
  ERR_ORDER_IN_FLIGHT: "an order of the product was under way",
  ERR_HOURLY_LIMIT: "so many orders an hour, and no more",
  ERR_DAILY_LIMIT: "so many orders a day, and no more",
  ERR_STALE_SIGNAL: "the signal was too old",
  ERR_STALE_PRICE: "the price was too old",
  ERR_ORDER_TOO_SMALL: "the order would have been too small",
  ERR_INSUFFICIENT_BALANCE: "there was too little money"
}

const refusals = ({ refusals, signals }: Backtest.Report): string =>
  refusals.size === 0
    ? `<p>${grouped(signals.length)} signals.</p>`
    : `<p>${grouped(signals.length)} signals, of which these became no order:</p><ul>${
      Array.from(refusals, ([code, count]) =>
        `<li>${grouped(count)} × ${escape(words[code] ?? code)} <code>${escape(code)}</code></li>`).join("")
    }</ul>`

const style = `
:root{color-scheme:light dark;--page:#fff;--card:#f6f8fa;--text:#1f2328;--dim:#656d76;--grid:#d0d7de66;--gain:#1a7f37;
--loss:#cf222e;--line:#0969da;--area:#0969da18;--lossArea:#cf222e22;--buy:#0969da;--sell:#bf5700}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--card:#161b22;--text:#e6edf3;--dim:#8d96a0;--grid:#30363d88;
--gain:#3fb950;--loss:#f85149;--line:#58a6ff;--area:#58a6ff22;--lossArea:#f8514926;--buy:#58a6ff;--sell:#f0883e}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;background:var(--page);color:var(--text);max-width:64rem;margin:0 auto;
padding:1.25rem 1rem 4rem}
h1{font-size:1.45rem;margin:0;line-height:1.25}h2{font-size:1.02rem;margin:2rem 0 .4rem}
p{margin:.35rem 0}.dim,.legend{color:var(--dim)}.dim{font-size:.88rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));gap:.5rem;margin:1.25rem 0}
.tile{background:var(--card);border-radius:.5rem;padding:.55rem .75rem}dt{font-size:.76rem;color:var(--dim)}
dd{margin:0;font-size:1.15rem;font-weight:600;font-variant-numeric:tabular-nums;white-space:nowrap}
.gain{color:var(--gain)}.loss{color:var(--loss)}
.legend{font-size:.82rem}.buy,.sell{display:inline-block;width:0;height:0;border:.36rem solid transparent;margin:0 .25rem}
.buy{border-bottom:.62rem solid var(--buy);border-top:0}.sell{border-top:.62rem solid var(--sell);border-bottom:0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.86rem}
.wide td,.wide th{text-align:left;padding:.28rem .9rem .28rem 0;border-bottom:1px solid var(--grid);white-space:nowrap}
.wide th{font-weight:500;color:var(--dim)}.wide .figure{text-align:right;font-variant-numeric:tabular-nums}
ul{margin:.35rem 0;padding-left:1.2rem}code{font-size:.8rem;color:var(--dim)}
.uplot{width:100%;font-family:inherit}.u-legend{font-size:.78rem;color:var(--dim);text-align:left}
.u-legend th{font-weight:400}.u-legend .u-marker{display:none}.u-legend .u-value{font-variant-numeric:tabular-nums;color:var(--text)}
.u-hz .u-cursor-x,.u-hz .u-cursor-y{border-color:var(--dim)}.u-select{background:var(--area)}
@media (max-width:32rem){dl{grid-template-columns:1fr 1fr}.u-legend .u-value{min-width:0}}
`

/** uPlot, its style and its licence, as its package has them. */
const uPlot = Effect.tryPromise({
  try: async () => {
    const folder = Path.dirname(createRequire(import.meta.url).resolve("uplot/package.json"))
    const [script, style, licence] = await Promise.all(
      ["dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"].map((name) =>
        FileSystem.readFile(Path.join(folder, name), "utf8")
      )
    )
    return { script: script ?? "", style: style ?? "", licence: licence ?? "" }
  },
  catch: (error) => new RunFailed({ detail: `uPlot cannot be read: ${String(error)}` })
})

const legend = `<p class="legend"><span class="buy"></span>bought <span class="sell"></span>sold</p>`

const course = (
  report: Backtest.Report,
  { options: { fees, latency, recordings }, strategy, venue }: About
): string => {
  const { capital, candles, curve, quote } = report
  const [first, last] = [curve[0], curve.at(-1)]
  const period = first === undefined || last === undefined
    ? "nothing was traded"
    : `${timeText(first.at)} to ${timeText(last.at)} UTC (${span(last.at - first.at)})`
  const costs = fees === undefined
    ? "no fees"
    : `fees of ${percent(numberOf(fees.taker))} as taker, ${percent(numberOf(fees.maker))} as maker`
  const delay = latency === undefined ? "no latency" : `${span(Duration.toMillis(latency))} of latency`
  return `<h1>${escape(strategy)} over ${escape([...candles.keys()].join(", "))} at ${escape(venue)}</h1>
<p class="dim">${escape(period)}; ${escape(money(capital))} ${escape(quote)} to begin with, ${escape(costs)}, ${
    escape(delay)
  }.<br>${escape(recordings.map((path) => path === "-" ? "stdin" : Path.basename(path)).join(", "))}</p>`
}

/**
 * The page.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  report: Backtest.Report,
  about: About
): Effect.fn.Return<string, RunFailed> {
  const { licence, script, style: plotStyle } = yield* uPlot
  const data = dataOf(report)
  const title = `${about.strategy} over ${[...report.candles.keys()].join(", ")}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>Backtest: ${escape(title)}</title>
<style>${plotStyle}${style}</style></head><body>
${course(report, about)}
<dl>${tiles(report)}</dl>
<h2>Total</h2>
<div id="equity"></div>
<h2>Below its highest</h2>
<div id="drawdown"></div>
${
    data.products.map(({ product }, index) => `<h2>${escape(product)}</h2>${legend}<div id="price${index}"></div>`)
      .join("\n")
  }
<p class="dim">Drag over a chart to look closer, in all of them; double-click to see all again.</p>
<h2>Closed trades</h2>
${trades(report)}
<h2>Signals</h2>
${refusals(report)}
<p class="dim">A backtest fills orders by what the market showed, after their latency. The market did not know of them: that
they would have moved it is not in these figures, nor is that others would have been faster.</p>
<script id="data" type="application/json">${
    JSON.stringify({ ...data, products: data.products.map(({ product: _, ...of }) => of) })
  }</script>
<script>/*!
${licence.trim().replaceAll("*/", "* /")}
*/
${script}</script>
<script>${backtestScript}</script>
</body></html>
`
})
