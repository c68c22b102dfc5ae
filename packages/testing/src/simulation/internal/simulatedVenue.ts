/** A venue under the virtual clock, and the record of what it sent and heard. `Simulation` exports it. */
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Frame from "@tickline/core/transport/Frame"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as EventLog from "../../EventLog.ts"
import * as FaultPlan from "../../network/FaultPlan.ts"
import * as VirtualNetwork from "../../network/VirtualNetwork.ts"
import * as VirtualVenue from "../../venue/internal/virtualVenue.ts"
import * as Market from "../../venue/Market.ts"
import * as MockCoinbaseExchange from "../../venue/MockCoinbaseExchange.ts"
import type * as MockVenue from "../../venue/MockVenue.ts"

/**
 * How a simulation is made. Everything has a default: Coinbase Exchange, one
 * tick of `BTC-USD` and `ETH-USD` every 2 s, a calm network without latency.
 */
export interface Options {
  /** The seed of the market, of the network and, in `run`, of the client's jitter. */
  readonly seed: number
  /** The venue as the client knows it and as its server speaks it. */
  readonly venue?: { readonly client: Venue; readonly server: MockVenue.MockVenue } | undefined
  readonly url?: string | undefined
  readonly products?: ReadonlyArray<Market.Product> | undefined
  /** Between two ticks of each product. */
  readonly every?: Duration.Input | undefined
  readonly latency?: VirtualNetwork.Latency | undefined
  readonly faults?: FaultPlan.FaultPlan | undefined
  /** Which market data `Duplicate`, `Reorder`, `Lose` and `Corrupt` may change. Default: all. */
  readonly alters?: ((message: Sent) => boolean) | undefined
  /** Whether log lines are kept, or only counted in the log's fingerprint. Default: kept. */
  readonly keepLog?: boolean | undefined
  readonly logFrames?: boolean | undefined
}

/**
 * A market data message that the venue sent: on which connection (1 for the
 * host's first), when (epoch milliseconds), and which. `events` are what it is
 * decoded to. `id` is the message's sequence number, or its timestamp where the
 * venue numbers nothing; it is that of the first event, see `idOf`.
 */
export interface Sent {
  readonly connection: number
  readonly at: number
  readonly channel: string
  readonly product: string
  readonly id: string
  readonly text: string
  readonly events: ReadonlyArray<MarketEvent.MarketData>
}

/**
 * A frame that came to the client: on which connection, and when (epoch
 * milliseconds).
 */
export interface Arrived {
  readonly connection: number
  readonly at: number
  readonly frame: Frame.Frame
}

/**
 * What a client sent, as it came to the venue: on which connection, when (epoch
 * milliseconds), and its text; `"ping"` for a protocol ping. What a frozen link
 * or a venue that does not read holds back comes when it is let through.
 */
export interface Heard {
  readonly connection: number
  readonly at: number
  readonly kind: "message" | "ping"
  readonly text: string
}

/**
 * A test that the venue made of the client: on which connection, when (epoch
 * milliseconds), when the answer came, where it did, and whether the venue ended
 * the connection for want of it.
 */
export interface Tested {
  readonly connection: number
  readonly at: number
  readonly answeredAt: number | undefined
  readonly isFailed: boolean
}

/**
 * A simulated venue.
 */
export interface Simulation {
  readonly network: VirtualNetwork.VirtualNetwork
  readonly host: VirtualNetwork.Host
  readonly url: string
  readonly venue: Venue
  /** Every market data message that the venue sent, in order. */
  readonly sent: ReadonlyArray<Sent>
  /** Every frame that came to the client, in order. */
  readonly arrived: ReadonlyArray<Arrived>
  /** What each connection, open or ended, is subscribed to, by its number. */
  readonly sessions: ReadonlyMap<number, MockVenue.Session>
  /** Everything that clients sent, in the order in which it came. */
  readonly heard: ReadonlyArray<Heard>
  /** The tests that the venue made of its clients, in order. */
  readonly tests: ReadonlyArray<Tested>
  /** A product's order book as the venue has it, if it lists the product. */
  readonly book: (product: string) => Market.Book | undefined
  readonly faults: FaultPlan.Running
  readonly log: EventLog.EventLog
  /** Ends the ticking; what is under way still arrives. */
  readonly stopMarket: Effect.Effect<void>
}

/**
 * The text by which a market event and the message it came from are matched.
 */
export const idOf = (event: MarketEvent.MarketEvent): string | undefined => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
      return event.sequence ?? (event.timestamp === undefined ? undefined : Timestamp.format(event.timestamp))
    case "PriceUpdate":
      return event.timestamp === undefined ? undefined : Timestamp.format(event.timestamp)
    default:
      return undefined
  }
}

/**
 * Serves a venue on a network of its own, until the scope ends. Its faults
 * begin to count with the first connection.
 */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Simulation, never, Scope.Scope> {
  const { client: venue, server } = options.venue ??
    { client: CoinbaseExchange.venue, server: MockCoinbaseExchange.make() }
  const url = options.url ?? "wss://venue.test/feed"
  const clock = yield* Clock.Clock
  const now = (): number => Monotonic.nowMillis(clock)
  const network = yield* VirtualNetwork.make({
    seed: options.seed,
    latency: options.latency,
    keepLog: options.keepLog,
    logFrames: options.logFrames
  })
  const sent: Array<Sent> = []
  const arrived: Array<Arrived> = []
  const heard: Array<Heard> = []
  const tests: Array<{ -readonly [Name in keyof Tested]: Tested[Name] }> = []
  const rules = server.enforcement?.tests
  const served = yield* VirtualVenue.serveWatched(network, url, server, {
    products: options.products ?? Market.products.slice(0, 2),
    seed: options.seed,
    every: options.every ?? "2 seconds"
  }, {
    sending: (peer, { data, text }) => {
      if (data === undefined) return
      const decoded = venue.decode(text)
      const events = "_tag" in decoded ? [] : decoded.filter(MarketEvent.isMarketData)
      const id = events[0] === undefined ? undefined : idOf(events[0])
      sent.push({ ...data, id: id ?? "", text, events, connection: peer.id, at: now() })
    },
    heard: (peer, kind, frame) =>
      void heard.push({ connection: peer.id, at: now(), kind, text: typeof frame === "string" ? frame : "" }),
    // Who does not answer a test in time is dropped.
    tested: (peer) => {
      const made: (typeof tests)[number] = { connection: peer.id, at: now(), answeredAt: undefined, isFailed: false }
      tests.push(made)
      network.schedule(rules?.within ?? 0, () => {
        if (made.answeredAt !== undefined || !peer.isOpen()) return
        made.isFailed = true
        Effect.runSync(peer.drop)
      })
    },
    answered: (peer) => {
      const answered = tests.find((each) => each.connection === peer.id && each.answeredAt === undefined)
      if (answered !== undefined) answered.answeredAt = now()
    }
  })
  const { book, host, sessions, stopMarket } = served

  yield* host.onOpen((peer) => peer.onArrived((frame) => void arrived.push({ connection: peer.id, at: now(), frame })))

  // A message is recorded as it is sent, so market data is what was recorded last.
  const isData = (frame: Frame.Frame): boolean => {
    const last = sent.at(-1)
    return last !== undefined && last.text === frame && (options.alters?.(last) ?? true)
  }
  const faults = yield* FaultPlan.run(network, host, options.faults ?? FaultPlan.calm, {
    isData,
    corrupt: (frame) => typeof frame === "string" ? server.corrupt(frame) ?? frame : frame
  })

  return {
    network,
    host,
    url,
    venue,
    sent,
    arrived,
    sessions,
    heard,
    tests,
    book,
    faults,
    log: network.log,
    stopMarket
  }
})
