/**
 * The README's first example in a page: it differs by its transport, which is
 * made from the page's own WebSocket, and by where it writes. The address may
 * be given as `?venue=ws://…`.
 *
 * Run: npx -y pnpm@12 browser
 */
import { BrowserTransport, CoinbaseExchange, Decimal, MarketFeed, Reconnection } from "@tickline/core"
import { Cause, Effect, Layer, Stream } from "effect"

/** Puts a line on top of a list, which keeps the latest 20. */
const show = (list: "prices" | "connection", text: string) =>
  Effect.sync(() => {
    const lines = document.getElementById(list)
    const line = document.createElement("li")
    line.textContent = text
    lines?.prepend(line)
    lines?.children[20]?.remove()
  })

const prices = MarketFeed.MarketFeed.use((feed) =>
  Stream.runForEach(
    feed.trades("BTC-USD"),
    (trade) => show("prices", `${trade.product} ${Decimal.format(trade.price)}`)
  )
)

const states = MarketFeed.MarketFeed.use((feed) =>
  Stream.runForEach(feed.events(), (event) => {
    if (event._tag === "Gap") {
      const what = `${event.product} ${event.channel}`
      const isOpen = event.to === undefined
      return show("connection", isOpen ? `misses ${what} since ${event.from}` : `missed ${what} until ${event.to}`)
    }
    if (event._tag !== "Connection") return Effect.void
    const epoch = event.epoch === undefined ? "" : `, epoch ${event.epoch}`
    const reason = event.state === "Reconnecting" ? `: ${event.reason}` : ""
    return show("connection", `${event.state}${epoch}${reason}`)
  })
)

const url = new URLSearchParams(location.search).get("venue") ?? "wss://ws-feed.exchange.coinbase.com"
const feed = MarketFeed.layer(CoinbaseExchange.venue, { url })
const live = Layer.provide(feed, [BrowserTransport.layer(WebSocket), Reconnection.layerWithBreaker()])

Effect.all([states, prices], { concurrency: "unbounded", discard: true }).pipe(
  Effect.provide(live),
  Effect.tapCause((cause) => show("connection", Cause.pretty(cause))),
  Effect.runFork
)
