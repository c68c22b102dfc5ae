/**
 * Tables of the documentation that say what the code says: each stands between
 * two comments, `<!-- presets -->` and `<!-- /presets -->`, and is written from
 * the values themselves. `scripts/pages.test.ts` fails where one is out of date.
 *
 *     node scripts/pages.ts && dprint fmt "docs/*.md"
 */
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as Limit from "@tickline/core/protocol/Limit"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Order from "@tickline/core/trading/Order"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as OrderStatus from "@tickline/core/trading/OrderStatus"
import * as Period from "@tickline/core/value/Period"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Members from "./members.ts"
import { metricDefinitions } from "./metrics.ts"
import { workspace } from "./source.ts"
import { steps } from "./steps.ts"

/** A table: its head, then its rows, as the text of their cells. */
export type Table = ReadonlyArray<ReadonlyArray<string>>

const code = (text: string): string => `\`${text}\``

const time = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  return millis < 1000 ? `${millis} ms` : `${millis / 1000} s`
}

const yes = (flag: boolean): string => flag ? "yes" : "no"

const presets = (): Table => [
  [
    "preset",
    "backoff",
    "retries",
    "breaker opens at",
    "for",
    "closes after",
    "when open",
    "success is",
    "a drop counts",
    "connect timeout",
    "first connect retried"
  ],
  ...Presets.presetNames.map((name) => {
    const { backoff, circuit, connectTimeout, retry, retryInitialConnect } = Presets.preset(name)
    const { adaptive, base, cap, factor, jitter } = backoff
    const resetOn = typeof retry.resetOn === "string"
      ? retry.resetOn
      : `${time(retry.resetOn.stableFor)} of stable life`
    const extras = `${jitter === "none" ? "" : `, ${jitter} jitter`}${adaptive === undefined ? "" : ", adaptive"}`
    return [
      code(name),
      `${time(base)} × ${factor} ≤ ${time(cap)}${extras}`,
      String(retry.maxRetries),
      ...circuit === "none" ? ["no breaker", "", "", ""] : [
        `${circuit.failureThreshold} failures${circuit.window === undefined ? "" : ` in ${time(circuit.window)}`}`,
        circuit.openFactor === 1
          ? time(circuit.openDuration)
          : `${time(circuit.openDuration)} × ${circuit.openFactor} ≤ ${time(circuit.openCap)}`,
        circuit.halfOpen === "skip"
          ? "the time"
          : circuit.halfOpen.successThreshold === 1
          ? "1 probe"
          : `${circuit.halfOpen.successThreshold} probes`,
        circuit.whenOpen
      ],
      resetOn,
      circuit === "none" ? "" : yes(circuit.countDisconnect),
      time(connectTimeout),
      yes(retryInitialConnect)
    ]
  })
]

const recoveries = (): Table => [
  ["kind", "leads to"],
  ...Object.entries(ConnectError.recoveries).map(([kind, recovery]) => [code(kind), code(recovery)])
]

const metrics = (): Table => [
  ["metric", "type", "what it is"],
  ...metricDefinitions.toSorted((a, b) => a.id < b.id ? -1 : 1).map((
    { description, id, type }
  ) => [code(id), type.toLowerCase(), description ?? ""])
]

const stepTable = (): Table => [
  ["step", "seen in a program as", "in the log", "metrics", "span"],
  ...steps.map((
    { log, metrics, seen, spans, step }
  ) => [step, ...[seen, log, metrics, spans].map((all) => all.map(code).join(", "))])
]

const breakerMetrics = (): Table => {
  const breaker = Effect.runSync(CircuitBreaker.make("none", { key: "" }))
  const now = Effect.runSync(breaker.metrics)
  // What has not happened yet has no sample; here everything has.
  const all = {
    ...now,
    openedAt: 0,
    closedAt: 0,
    openUntil: 0,
    fastestCall: 0,
    slowestCall: 0,
    averageCall: 0,
    resetAt: 0
  }
  const lines = BreakerMetrics.toPrometheus([all]).split("\n")
  return [
    ["metric", "type", "what it is"],
    ...lines.flatMap((line) => {
      const [, name, help] = /^# HELP (\S+) (.*)$/.exec(line) ?? []
      if (name === undefined) return []
      const type = lines.find((other) => other.startsWith(`# TYPE ${name} `))?.split(" ")[3] ?? ""
      return [[code(name), type, help ?? ""]]
    })
  ]
}

const provenBy = { frame: "numbers of frames", delta: "numbers of deltas", state: "a checksum", none: "nothing" }

const venues = (): Table => [
  ["venue", "prices are", "books proven by", "`trade`", "`ticker`", "`book`", "endpoint"],
  ...Venues.all.map(({ channels, continuity, endpoint, name, prices }) => [
    code(name),
    prices === "either" ? "strings or numbers" : `${prices}s`,
    provenBy[continuity],
    ...([channels.trade, channels.ticker, channels.book].map((channel) => channel === undefined ? "" : code(channel))),
    endpoint === undefined ? "yours: `--url`" : code(endpoint)
  ])
]

const tradesShownBy = ({ channels: { trade }, frames, tradeNumber }: Venue): string => {
  const member = trade === undefined ? undefined : tradeNumber?.(trade)
  if (frames !== undefined) return provenBy.frame
  return member === undefined ? provenBy.none : `${code(member)} of each trade, one by one`
}

const knownBy = ({ channels, continuity, frames, tradeNumber }: Venue): string => {
  const others = frames === undefined ? [] : ["number of the frame"]
  const trades = channels.trade === undefined || channels.trade === channels.ticker
    ? []
    : [`${code(tradeNumber?.(channels.trade) ?? "tradeId")} of a trade`]
  return [...others, ...trades, ...continuity === "delta" ? ["numbers of a book's change"] : []].join(", ")
}

const ledger = (): Table => [
  [
    "venue",
    "a missing trade is shown by",
    "a missing change of a book is shown by",
    "what is there already is known by",
    "missed trades are fetched"
  ],
  ...Venues.all.map((venue) => [
    code(venue.name),
    tradesShownBy(venue),
    venue.continuity === "state" ? `${provenBy.state}, of a book that is kept for it` : provenBy[venue.continuity],
    knownBy(venue),
    venue.rest?.trades?.reach ?? "no"
  ])
]

/** What of missed trades can be asked for: of a venue that has them, an example of each channel's request. */
const backfill = (): Table => [
  ["venue", "is asked by", "weight", "goes back", "source"],
  ...Venues.all.flatMap(({ channels: { trade = "" }, name, rest }) => {
    const { reach, request, source } = rest?.trades ?? {}
    if (request === undefined || reach === undefined || source === undefined) return []
    const product = name === "kraken" ? "BTC/USD" : "BTC-USD"
    const asked = request({ channel: trade, product, after: undefined, sinceMillis: 0, before: undefined })
    const path = asked.path.split("?")[0]?.replace("BTC-USD", "…")
    const [address = "", read = ""] = source.split(", read ")
    return [[
      code(name),
      code(`${asked.body === undefined ? "GET" : "POST"} ${path}`),
      String(asked.weight),
      reach,
      `[read ${read}](${address})`
    ]]
  })
]

const bookWeights = ({ rest }: Venue): ReadonlyArray<string> =>
  (rest?.weights ?? []).map(({ limit, windowMillis }) =>
    `${limit.toLocaleString("en-US")} weight in ${Period.format(windowMillis)} per address`
  )

/** What it costs to ask for a book anew is counted against these. */
const bookLimits = (venue: Venue): ReadonlyArray<string> =>
  venue.rest?.book === undefined
    ? venue.limits.filter(({ of, windowMillis }) => of !== "dials" && windowMillis !== undefined).map(Limit.format)
    : bookWeights(venue)

const bookRequest = ({ rest }: Venue): string => {
  if (rest?.book === undefined) return "a new subscription"
  const { path, weight } = rest.book.request("BTCUSDT", rest.book.depth)
  return `${code(`GET ${path.split("?")[0]}`)}, weight ${weight}`
}

const bookDepth = ({ books, continuity, rest }: Venue): string => {
  if (continuity === "none") return ""
  if (books?.checksum !== undefined) return "the ten best levels of each side"
  return rest?.book === undefined
    ? "all that is sent"
    : `the snapshot's ${rest.book.depth.toLocaleString("en-US")} levels of each side, and what changes`
}

/** The book of a channel of single orders, which is kept for who signs. */
const ordersRow = ({ books, ...venue }: Venue): Table => {
  if (books?.orders === undefined) return []
  const { path, weight } = books.orders.request("")
  return [[
    code(venue.name),
    `${code(books.orders.channel)}, with a key`,
    code("Live"),
    "numbers of messages",
    "all that is sent",
    `${code(`GET ${path.replace("//", "/<product>/")}`)}, weight ${weight}`,
    bookWeights(venue).join(", ")
  ]]
}

const books = (): Table => [
  ["venue", "channel", "a book is", "because of", "which proves", "asked for anew by", "within"],
  ...Venues.all.flatMap((venue): Table => [
    venue.channels.book === undefined ? [code(venue.name), "none", "", "", "", "", ""] : [
      code(venue.name),
      code(venue.channels.book),
      code(venue.continuity === "none" ? "Unverified" : "Live"),
      venue.continuity === "none" ? "no number, no checksum" : provenBy[venue.continuity],
      bookDepth(venue),
      bookRequest(venue),
      bookLimits(venue).join(", ") || "no limit published"
    ],
    ...ordersRow(venue)
  ])
]

const orderStatuses = (): Table => {
  const amounts = { "partially-filled": 1n, filled: 2n } as const
  const amountOf = (status: OrderStatus.OrderStatus) =>
    BigDecimal.make(status === "partially-filled" || status === "filled" ? amounts[status] : 0n, 0)
  const update = (status: OrderStatus.OrderStatus) =>
    new OrderEvent.OrderUpdate({ exchange: "", status, filled: amountOf(status) })
  const asked = Order.make(
    "",
    new OrderRequest.OrderRequest({
      product: "X",
      side: "buy",
      type: "market",
      amount: amountOf("filled"),
      timeInForce: "gtc",
      reduceOnly: false,
      clientId: "X"
    })
  )
  const statuses = OrderStatus.OrderStatus.literals
  return [
    ["an order that is", "may become"],
    ...statuses.map((from) => {
      const order = from === "pending" ? asked : Order.transition(asked, update(from))
      const next = statuses.filter((to) =>
        to !== from && Order.allows(order, update(to)) && Order.transition(order, update(to)).status === to
      )
      return [code(from), next.map(code).join(", ") || "nothing else: it is over"]
    })
  ]
}

const methods = (): Table => [
  ["method", "is", "draws from", "credits", "written within", "answered within"],
  ...Object.entries({
    connection: Methods.connection,
    subscriptions: Methods.subscriptions,
    market: Methods.market,
    trading: Methods.trading,
    quoting: Methods.quoting,
    account: Methods.account
  }).flatMap(([group, of]) =>
    Object.entries(of).map(([key, { cost, deadline, kind, name, pool, timeout }]) => [
      code(name),
      code(`${group}.${key}`) + ` (${kind})`,
      pool,
      (cost ?? 0) === 0 ? "" : (cost ?? 0).toLocaleString("en-US"),
      deadline === undefined ? "" : String(deadline),
      String(timeout)
    ])
  )
]

/** Every table, by its page and the name of its comments. */
export const tables: ReadonlyArray<readonly [page: string, name: string, table: () => Table]> = [
  ["docs/policies.md", "presets", presets],
  ["docs/errors.md", "recoveries", recoveries],
  ["docs/operating.md", "steps", stepTable],
  ["docs/operating.md", "metrics", metrics],
  ["docs/operating.md", "breaker metrics", breakerMetrics],
  ["docs/venues.md", "venues", venues],
  ["docs/ledger.md", "ledger", ledger],
  ["docs/venues.md", "backfill", backfill],
  ["docs/books.md", "books", books],
  ["docs/orders.md", "order statuses", orderStatuses],

  ["docs/deribit.md", "methods", methods],
  ...Venues.all.map((venue) => ["docs/venues.md", `members of ${venue.name}`, () => Members.table(venue)] as const)
]

const blockOf = (name: string): RegExp => new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`)

/** The table that a page holds between the comments of that name, or `undefined`. */
export const held = (text: string, name: string): Table | undefined => {
  const block = blockOf(name).exec(text)?.[2]
  return block?.trim().split("\n")
    .filter((line, index) => index !== 1 && line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
}

const printed = (table: Table): string =>
  [table[0] ?? [], (table[0] ?? []).map(() => "---"), ...table.slice(1)]
    .map((row) => `| ${row.join(" | ")} |\n`).join("")

if (import.meta.main) {
  for (const [page, name, table] of tables) {
    const path = Path.join(workspace, page)
    const text = Fs.readFileSync(path, "utf8")
    if (!blockOf(name).test(text)) throw new Error(`${page}: no <!-- ${name} --> … <!-- /${name} -->`)
    Fs.writeFileSync(
      path,
      text.replace(blockOf(name), (_, open, __, close) => `${open}\n${printed(table())}\n${close}`)
    )
    console.log(`${page}: ${name}`)
  }
}
