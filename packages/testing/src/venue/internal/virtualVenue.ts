/** A venue's server on the virtual network. */
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Address from "@tickline/core/transport/Address"
import { Unreachable } from "@tickline/core/transport/DialError"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Host, HttpHost, Peer, VirtualNetwork } from "../../network/VirtualNetwork.ts"
import * as Listing from "../Listing.ts"
import * as Market from "../Market.ts"
import * as VenueServer from "../VenueServer.ts"
import type { MockVenue, Outgoing, Session } from "./mockVenue.ts"

/**
 * How a venue is served: what it lists (by default what `Market.listedBy` gives), the seed of its market (0), how often
 * each product trades by itself (never), where it answers over HTTP (the same host and port), and at which other
 * URLs it is served as well, the same venue with the same market; how many trades of each product it still has when it is
 * asked for them over HTTP (10,000); whether a subscription is answered with the data that greets it (yes).
 */
export interface ServeOptions {
  readonly also?: ReadonlyArray<string> | undefined
  readonly products?: ReadonlyArray<Market.Product> | undefined
  readonly seed?: number | undefined
  readonly every?: Duration.Input | undefined
  readonly rest?: string | undefined
  readonly keepsTrades?: number | undefined
  readonly answersData?: boolean | undefined
}

/** A venue that is served. What moves its market is told at once to all who follow the product. */
export interface Served {
  readonly url: string
  /** Its host on the network: dials, connections, scripts and faults. */
  readonly host: Host
  /** Its hosts: that one, and those of `also`, in order. */
  readonly hosts: ReadonlyArray<Host>
  /** Its host that answers over HTTP. */
  readonly rest: HttpHost
  /** What each connection of `host`, open or ended, follows, by its number. */
  readonly sessions: ReadonlyMap<number, Session>
  /**
   * Sets the best bid and ask of a product, as its quotes and its book say it. The product by the venue's symbol, or by
   * its name as in `Symbols`; prices of at most the product's decimals. Anything else is a defect.
   */
  readonly quote: (product: string, bid: string, ask: string) => Effect.Effect<void>
  /** A product's order book as it is, if the venue lists the product. */
  readonly book: (product: string) => Market.Book | undefined
  /** The trades of a product that the venue still has, oldest first. */
  readonly trades: (product: string) => ReadonlyArray<Market.Tick>
  /** The next trade of a product's seeded market. */
  readonly trade: (product: string) => Effect.Effect<void>
  /** Whether something is kept from all clients, until it is changed. */
  readonly withhold: (what: VenueServer.Withheld, on: boolean) => Effect.Effect<void>
  /** Whether a product is taken off the venue's list. */
  readonly delist: (product: string, on: boolean) => Effect.Effect<void>
  /**
   * Has the venue say in its own word that a product is not in continuous trading, or all of them, until it is given no
   * word: then that it is again. Meanwhile a bid may be above the ask.
   */
  readonly tradingStatus: (status: string | undefined, product?: string | undefined) => Effect.Effect<void>
  /** Announces to all clients that it ends their connections, where the venue does that, and ends these after so long. */
  readonly shutDown: (after: Duration.Input) => Effect.Effect<void>
  /** Ends the trading by itself; what is under way still arrives. */
  readonly stopMarket: Effect.Effect<void>
}

/** Who is shown what comes and goes, before it does. */
export interface Watch {
  readonly sending?: ((peer: Peer, outgoing: Outgoing) => void) | undefined
  readonly heard?: ((peer: Peer, kind: "message" | "ping", frame: Frame) => void) | undefined
  readonly tested?: ((peer: Peer) => void) | undefined
  readonly answered?: ((peer: Peer) => void) | undefined
}

/** Serves a venue, shown to who watches. */
export const serveWatched = Effect.fnUntraced(function*(
  network: VirtualNetwork,
  url: string,
  venue: MockVenue,
  {
    also = [],
    answersData,
    every,
    keepsTrades,
    products,
    rest: restUrl = Address.origin(url).replace(/^ws/, "http"),
    seed
  }: ServeOptions,
  watch: Watch
): Effect.fn.Return<Served> {
  const clock = yield* Clock.Clock
  const server = VenueServer.make({
    venue,
    products: products ?? Market.listedBy(venue),
    seed,
    keepsTrades,
    answersData,
    after: network.schedule,
    wallMillis: () => clock.currentTimeMillisUnsafe()
  })
  const symbolOf = (product: string): string => {
    const symbol = Symbols.resolve(Symbols.byRule, venue, product)
    return server.products().includes(symbol) ? symbol : product
  }
  const sessions = new Map<number, Session>()
  const { heartbeatMillis } = venue

  const conversations = new WeakMap<Peer, VenueServer.Conversation>()
  const { session: sessionMillis } = venue.enforcement ?? {}

  const serve = (address: string) =>
    network.serve(address, (peer) => {
      const conversation = server.open({
        path: peer.url.replace(/^\w+:\/\/[^/?]*/, ""),
        isOpen: peer.isOpen,
        send: (outgoing) => {
          watch.sending?.(peer, outgoing)
          peer.sendUnsafe(outgoing.text)
        },
        close: (code, reason) => Effect.runSync(peer.close(code, reason)),
        drop: () => Effect.runSync(peer.drop),
        after: network.schedule,
        onTest: () => watch.tested?.(peer),
        onTestAnswered: () => watch.answered?.(peer)
      })
      const isFirst = address === url
      if (isFirst) sessions.set(peer.id, conversation.session())
      conversations.set(peer, conversation)
      if (sessionMillis !== undefined) {
        network.schedule(sessionMillis, () => Effect.runSync(peer.close(1001, "session limit")))
      }
      // Beats begin when the client has asked for them, and end with the connection.
      let isBeating = false
      const beat = (): void => {
        if (!peer.isOpen()) return
        conversation.beat()
        network.schedule(heartbeatMillis ?? 0, beat)
      }
      peer.onEnd(conversation.ended)
      peer.onPing(() => watch.heard?.(peer, "ping", ""))
      peer.onMessage((frame) => {
        watch.heard?.(peer, "message", frame)
        conversation.receive(frame)
        if (isFirst) sessions.set(peer.id, conversation.session())
        if (heartbeatMillis === undefined || isBeating || !conversation.hasBeats()) return
        isBeating = true
        network.schedule(heartbeatMillis, beat)
      })
      conversation.greet()
      return Effect.void
    })
  const hosts = yield* Effect.forEach(Arr.make(url, ...also), serve)
  const [host] = hosts

  const rest = yield* network.serveHttp(
    restUrl,
    ({ body = "", headers, method, url }) =>
      Effect.callback((resume) =>
        server.ask(Listing.question(method, url.replace(/^\w+:\/\/[^/?]*/, ""), body, headers), {
          answer: (answer) => resume(Effect.succeed({ ...answer, body: Listing.textOf(answer) })),
          drop: () => resume(Effect.fail(new Unreachable({ detail: "cut" })))
        })
      )
  )

  // What is said of how products trade, for as long as it lasts.
  const lasting = new Map<string | undefined, object>()
  let isTrading = every !== undefined
  const everyMillis = every === undefined ? 0 : Duration.toMillis(Duration.fromInputUnsafe(every))
  const trade = (): void => {
    if (!isTrading) return
    for (const product of server.products()) server.trade(product)
    network.schedule(everyMillis, trade)
  }
  if (isTrading) network.schedule(everyMillis, trade)

  return {
    url,
    host,
    hosts,
    rest,
    sessions,
    quote: (product, bid, ask) => Effect.sync(() => server.quote(symbolOf(product), bid, ask)),
    book: (product) => server.book(symbolOf(product)),
    trades: (product) => server.trades(symbolOf(product)),
    trade: (product) => Effect.sync(() => void server.trade(symbolOf(product))),
    withhold: (what, on) => Effect.sync(() => server.withhold(what, on)),
    delist: (product, on) => Effect.sync(() => server.delist(symbolOf(product), on)),
    tradingStatus: (status, product) =>
      Effect.sync(() => {
        const symbol = product === undefined ? undefined : symbolOf(product)
        server.tradingStatus(status, symbol)
        const said = {}
        lasting.set(symbol, said)
        const again = (): void => {
          if (lasting.get(symbol) !== said) return
          server.repeatStatus(symbol)
          network.schedule(venue.statusMillis ?? 0, again)
        }
        if (status !== undefined && venue.statusMillis !== undefined) network.schedule(venue.statusMillis, again)
      }),
    shutDown: (after) =>
      Effect.sync(() => {
        const ended = hosts.flatMap((host) => host.peers())
        for (const peer of ended) conversations.get(peer)?.farewell()
        network.schedule(Duration.toMillis(Duration.fromInputUnsafe(after)), () => {
          for (const peer of ended) Effect.runSync(peer.close(1001, "server shutdown"))
        })
      }),
    stopMarket: Effect.sync(() => {
      isTrading = false
    })
  }
})

export const serve = (
  network: VirtualNetwork,
  url: string,
  mock: MockVenue,
  options: ServeOptions = {}
): Effect.Effect<Served> => serveWatched(network, url, mock, options, {})
