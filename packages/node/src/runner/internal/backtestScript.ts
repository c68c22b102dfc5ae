/**
 * What the page of a backtest runs in a browser: it draws its charts with uPlot,
 * from the data that stands in the page. They share their time: what is pointed at
 * or zoomed into in one of them is so in all.
 *
 * @since 0.1.0
 */

/**
 * The script, as text.
 *
 * @category constants
 * @since 0.1.0
 */
export const backtestScript = `(() => {
const data = JSON.parse(document.getElementById("data").textContent)
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim()
const dpr = () => window.devicePixelRatio || 1
const charts = []
let isFollowing = false

const follow = (chart, key) => {
  if (key !== "x" || isFollowing) return
  isFollowing = true
  const { min, max } = chart.scales.x
  for (const other of charts) if (other !== chart) other.setScale("x", { min, max })
  isFollowing = false
}

const axis = (more) => ({
  stroke: () => color("dim"),
  grid: { stroke: () => color("grid"), width: 1 },
  ticks: { stroke: () => color("grid"), width: 1, size: 4 },
  font: "11px system-ui, sans-serif",
  ...more
})

// Room for the longest figure, in all charts the same, so that their times stand below each other.
const longest = Math.max(7, ...[data.capital, ...data.equity.totals.slice(-1), ...data.products.map(({ candles }) => Math.max(0, ...candles.highs))]
  .map((value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 6 : 0 }).length + 1))

const two = (value) => String(value).padStart(2, "0")
const clock = (chart, splits, _, __, step) => {
  let day = ""
  return splits.map((seconds) => {
    const at = new Date(seconds * 1e3)
    const date = at.getUTCFullYear() + "-" + two(at.getUTCMonth() + 1) + "-" + two(at.getUTCDate())
    if (step >= 86400) return date
    const time = two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()) + (step < 60 ? ":" + two(at.getUTCSeconds()) : "")
    const isNew = date !== day
    day = date
    return isNew ? time + "\\n" + date : time
  })
}

const clipped = (chart, draw) => {
  const { bbox, ctx } = chart
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  draw(ctx)
  ctx.restore()
}

const make = (id, height, series, values, draw, scales, format) => {
  const place = document.getElementById(id)
  if (values[0].length < 2) {
    place.textContent = "There is too little to draw."
    return
  }
  const [first] = values
  const chart = new uPlot({
    width: place.clientWidth,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    padding: [8, 24, 0, 0],
    cursor: { sync: { key: "time" }, drag: { x: true, y: false } },
    // One time for all charts, whatever each of them has.
    scales: { x: { range: (_, min, max) => min == null ? [data.from, data.to] : [min, max] }, ...scales },
    axes: [axis({ values: clock, space: 70 }), axis({ size: longest * 6.6 + 14, ...(format ? { values: (_, all) => all.map(format) } : {}) })],
    series: [{ label: "UTC", value: (_, at) => at == null ? "–" : new Date(at * 1e3).toISOString().slice(0, 19).replace("T", " ") }, ...series],
    hooks: { draw: draw ? [(chart) => clipped(chart, (ctx) => draw(chart, ctx))] : [], setScale: [follow] }
  }, values, place)
  charts.push(chart)
  new ResizeObserver(() => {
    if (place.clientWidth > 0 && place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height })
  }).observe(place)
  return chart
}

const number = (digits) => (_, value) =>
  value == null ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })

const level = (chart, ctx, value) => {
  const y = Math.round(chart.valToPos(value, "y", true)) + 0.5
  ctx.strokeStyle = color("dim")
  ctx.lineWidth = dpr()
  ctx.setLineDash([4 * dpr(), 4 * dpr()])
  ctx.beginPath()
  ctx.moveTo(chart.bbox.left, y)
  ctx.lineTo(chart.bbox.left + chart.bbox.width, y)
  ctx.stroke()
}

make("equity", 240, [{
  label: "total", value: number(2), width: 1.5, points: { show: false },
  stroke: () => color("line"), fill: () => color("area")
}], [data.equity.times, data.equity.totals], (chart, ctx) => level(chart, ctx, data.capital), {
  y: { range: (_, min, max) => {
    const [low, high] = [Math.min(min, data.capital), Math.max(max, data.capital)]
    const room = (high - low) * 0.06 || Math.abs(high) * 0.001 || 1
    return [low - room, high + room]
  } }
})

make("drawdown", 130, [{
  label: "drawdown", value: (_, value) => value == null ? "–" : (100 * value).toFixed(2) + " %", width: 1,
  points: { show: false }, stroke: () => color("loss"), fill: () => color("lossArea"), fillTo: 0
}], [data.equity.times, data.equity.drawdowns], undefined, {
  y: { range: (_, min) => [Math.min(min * 1.08, -1e-4), 0] }
}, (value) => (100 * value).toFixed(Math.abs(value) < 0.01 ? 2 : 1) + " %")

const triangle = (ctx, x, y, size, isUp) => {
  const away = isUp ? 1 : -1
  ctx.beginPath()
  ctx.moveTo(x, y + away * size * 0.4)
  ctx.lineTo(x - size, y + away * size * 2.1)
  ctx.lineTo(x + size, y + away * size * 2.1)
  ctx.closePath()
  ctx.fill()
  ctx.stroke()
}

const shown = { points: { show: false }, stroke: "transparent" }
data.products.forEach(({ candles, fills, digits }, index) => {
  const { times, opens, highs, lows, closes, seconds } = candles
  const draw = (chart, ctx) => {
    const { max, min } = chart.scales.x
    const pixels = (value) => chart.valToPos(value, "y", true)
    const body = Math.max(1, Math.min(14 * dpr(), 0.7 * chart.bbox.width * seconds / Math.max(max - min, 1)))
    const wick = Math.max(1, Math.round(dpr()))
    const colors = [color("loss"), color("gain")]
    for (let at = 0; at < times.length; at++) {
      if (times[at] < min - seconds || times[at] > max + seconds) continue
      const x = chart.valToPos(times[at], "x", true)
      ctx.fillStyle = colors[closes[at] >= opens[at] ? 1 : 0]
      const [high, low] = [pixels(highs[at]), pixels(lows[at])]
      ctx.fillRect(Math.round(x - wick / 2), high, wick, Math.max(wick, low - high))
      const [from, to] = [pixels(Math.max(opens[at], closes[at])), pixels(Math.min(opens[at], closes[at]))]
      ctx.fillRect(Math.round(x - body / 2), from, Math.ceil(body), Math.max(wick, to - from))
    }
    ctx.strokeStyle = color("page")
    ctx.lineWidth = dpr()
    for (const [at, price, isBuy] of fills) {
      if (at < min || at > max) continue
      ctx.fillStyle = color(isBuy ? "buy" : "sell")
      triangle(ctx, chart.valToPos(at, "x", true), pixels(price), 5 * dpr(), isBuy)
    }
  }
  make("price" + index, 300, ["open", "high", "low", "close"].map((label) => ({ label, value: number(digits), ...shown })),
    [times, opens, highs, lows, closes], draw, {
      y: { range: (_, min, max) => {
        const room = (max - min) * 0.12 || Math.abs(max) * 0.001 || 1
        return [min - room, max + room]
      } }
    })
})

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.redraw(false, true)
})
})()`
