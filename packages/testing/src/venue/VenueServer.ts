/**
 * A venue's side of the conversation with its clients, driven step by step: its
 * market, its connections, who follows what, and what each is told. Everything
 * happens at once, when it is called: no fiber, no timer, no socket. Whoever
 * drives it has the time and carries the frames: `MockVenue.serve` and
 * `Simulation` over the virtual network, `MockServer` over real sockets.
 *
 * @since 0.1.0
 */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Enforcement from "./Enforcement.ts"
import {
  type Floor,
  followed,
  type HttpReply,
  type MockVenue,
  newSession,
  type Outgoing,
  type Session
} from "./internal/mockVenue.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"

/**
 * What a venue can keep to itself while everything else goes on:
 *
 * - `heartbeat`: its beats and tests, and its answers to pings
 * - `data`: market data; a subscription is acknowledged and never delivers
 * - `acknowledgement`: answers to what a client asks; a subscription delivers
 *   and is never acknowledged
 *
 * @category models
 * @since 0.1.0
 */
export type Withheld = "heartbeat" | "data" | "acknowledgement"

/**
 * How a server is made. `wallMillis` is the venue's clock, in epoch
 * milliseconds. `products` is what it lists (default `Market.products`), `seed`
 * that of its market (default 0), `tests` how it tests its clients (default as
 * the venue enforces it), `answersData` whether a subscription is answered with
 * the data that greets it (default yes), `keepsTrades` how many trades of a product
 * it still has when it is asked for them over HTTP (default 10,000). `after` runs
 * something so many milliseconds from now; needed by venues that have a gateway.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: MockVenue
  readonly wallMillis: () => number
  readonly products?: ReadonlyArray<Market.Product> | undefined
  readonly seed?: number | undefined
  readonly tests?: Enforcement.Enforcement["tests"]
  readonly answersData?: boolean | undefined
  readonly keepsTrades?: number | undefined
  readonly after?: ((millis: number, run: () => void) => void) | undefined
}

/**
 * The server's end of a connection, as whoever carries the frames gives it.
 * `path` is the path and query that the client dialled. `send` is told whether
 * a frame answers something that the client asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  readonly path: string
  readonly isOpen: () => boolean
  readonly send: (outgoing: Outgoing, isAnswer: boolean) => void
  readonly close: (code: number, reason: string) => void
  /** Cuts the connection. Default: closes it with code 1011. */
  readonly drop?: (() => void) | undefined
  /** Runs something so many milliseconds from now; needed by venues that have a gateway. */
  readonly after?: ((millis: number, run: () => void) => void) | undefined
  /** A frame that tests the client is about to be sent. */
  readonly onTest?: (() => void) | undefined
  /** The client has answered a test. */
  readonly onTestAnswered?: (() => void) | undefined
}

/**
 * The conversation on one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conversation {
  readonly session: () => Session
  /** Says what the venue says to a connection that has just opened. */
  readonly greet: () => void
  /** Hears a frame of the client, and answers it. */
  readonly receive: (frame: Frame) => void
  /** Says that the connection has ended, to a venue whose gateway acts on it. */
  readonly ended: () => void
  /** Whether the venue has heartbeats for this client. */
  readonly hasBeats: () => boolean
  /** Says the heartbeats that are due. */
  readonly beat: () => void
  /** Says that the connection is about to be ended, where the venue does. */
  readonly farewell: () => void
  /** Says a frame by hand. */
  readonly say: (outgoing: Outgoing) => void
}

/**
 * A venue's server.
 *
 * @category models
 * @since 0.1.0
 */
export interface VenueServer {
  readonly venue: MockVenue
  /** Begins a conversation. It ends when its line is no longer open. */
  readonly open: (line: Line) => Conversation
  /** The products that anyone follows and the venue lists, in the order of the alphabet. */
  readonly followed: () => ReadonlyArray<string>
  /** The products that the venue lists. */
  readonly products: () => ReadonlyArray<string>
  /**
   * The next trade of a product's market, told to all who follow it. Gives how
   * many frames that made on the busiest connection, 1 at least; 0 where there is
   * no such product.
   */
  readonly trade: (product: string) => number
  /** Sets a product's best bid and ask, and tells all who follow it: see `Market.quote`. */
  readonly quote: (product: string, bid: string, ask: string) => void
  /** A product's order book as it is, if the venue lists the product. */
  readonly book: (product: string) => Market.Book | undefined
  /** The trades of a product that the venue still has, oldest first. */
  readonly trades: (product: string) => ReadonlyArray<Market.Tick>
  /** Says a price by hand, to every client. */
  readonly price: (product: string, price: string) => void
  /** Whether something is kept from all clients, until it is changed. */
  readonly withhold: (what: Withheld, on: boolean) => void
  readonly isWithheld: (what: Withheld) => boolean
  /**
   * Says in the venue's own word how a product trades, or all of them: not continuously, until there is no word any
   * more. A product's bid may be above its ask meanwhile.
   */
  readonly tradingStatus: (status: string | undefined, product?: string | undefined) => void
  /** Says it once more, if it lasts. Returns whether it does. */
  readonly repeatStatus: (product: string | undefined) => boolean
  /**
   * Whether a product is taken off the venue's list: a subscription to it is
   * answered as one to a product that it never had. Those that exist fall silent.
   */
  readonly delist: (product: string, on: boolean) => void
  /**
   * What the venue answers over HTTP: 404 to what it does not know, 426 to anything if it answers nothing, and 429 to
   * what is more than its limit on weight, which is that of all who ask together.
   */
  readonly listing: (question: Listing.Question) => Listing.Answer
  /** Asks over HTTP: the gateway, which may answer later or never, if the question is one for it, else `listing`. */
  readonly ask: (question: Listing.Question, reply: HttpReply) => void
}

interface Open {
  readonly line: Line
  readonly conversation: Conversation
  readonly sayStatus: (product: string | undefined) => void
  /** Gives how many frames that made. */
  readonly publish: (tick: Market.Tick) => number
}

/**
 * Makes a server to which nobody is connected.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): VenueServer => {
  const { venue, wallMillis } = options
  const tests = "tests" in options ? options.tests : venue.enforcement?.tests
  const http = venue.enforcement?.http
  const weighed = Enforcement.makeCounter(http?.windows ?? [])
  const longestWindow = Math.max(0, ...http?.windows.map(({ windowMillis }) => windowMillis) ?? [])
  const keepsTrades = options.keepsTrades ?? 10_000
  const trades = new Map<string, Array<Market.Tick>>()
  const markets = new Map<string, Market.Market>()
  for (const product of options.products ?? Market.products) {
    const market = Market.make(product, { seed: options.seed ?? 0, atMillis: wallMillis() })
    markets.set(product.symbol, market)
    trades.set(product.symbol, [market.last])
  }
  const all = new Set<Open>()
  const withheld = new Set<Withheld>()
  const delisted = new Set<string>()
  // By product; that of all has no name.
  const statuses = new Map<string | undefined, string>()
  const listed = (product: string): Market.Market | undefined =>
    delisted.has(product) ? undefined : markets.get(product)

  /** What a frame becomes while something is withheld; nothing where it is not said at all. */
  const allowed = (outgoing: Outgoing, isAnswer: boolean): Outgoing | undefined => {
    const { bare, beat, data } = outgoing
    if (beat) return withheld.has("heartbeat") ? undefined : outgoing
    const isAcknowledgement = isAnswer && (data === undefined || bare !== undefined)
    if (isAcknowledgement && withheld.has("acknowledgement")) return undefined
    if (data === undefined || !withheld.has("data")) return outgoing
    return bare === undefined ? undefined : { text: bare, data: undefined }
  }

  const open = (line: Line): Conversation => {
    let sent = 0
    const floor = (): Floor => ({
      atMillis: wallMillis(),
      market: listed,
      sent,
      path: line.path,
      tradingStatus: (product) => statuses.get(product)
    })
    const say = (said: Outgoing, isAnswer = false): void => {
      const outgoing = allowed(said, isAnswer)
      if (outgoing === undefined) return
      if (outgoing.isNumbered !== false) sent++
      if (tests?.isTest(outgoing.text)) line.onTest?.()
      line.send(outgoing, isAnswer)
    }
    let session = venue.open?.(floor()) ?? newSession
    const visit = gateway?.open({
      session: () => session,
      sent: () => sent,
      send: say,
      close: line.close,
      drop: line.drop ?? (() => line.close(1011, "")),
      after: line.after ?? (() => undefined)
    })
    const beats = () => venue.heartbeat(session, floor())
    const conversation: Conversation = {
      session: () => session,
      greet: () => venue.greet?.(floor()).forEach((greeting) => say(greeting)),
      ended: () => visit?.ended(),
      receive: (sent) => {
        const frame = visit === undefined ? sent : visit.receive(sent)
        if (frame === undefined) return
        if (tests?.isAnswer(frame)) line.onTestAnswered?.()
        const answer = venue.receive(session, frame, floor())
        session = answer.session
        for (const reply of answer.replies) {
          if (options.answersData !== false || reply.data === undefined) say(reply, true)
          else if (reply.bare !== undefined) say({ text: reply.bare, data: undefined }, true)
        }
        if (answer.close !== undefined) line.close(answer.close.code, answer.close.reason)
      },
      hasBeats: () => beats().length > 0,
      beat: () => {
        if (!withheld.has("heartbeat")) beats().forEach((said) => say(said))
      },
      farewell: () => {
        const farewell = venue.farewell?.(floor())
        if (farewell !== undefined) say(farewell)
      },
      say
    }
    all.add({
      line,
      conversation,
      sayStatus: (product) => venue.status?.(session, product, floor()).forEach((said) => say(said)),
      publish: (tick) => {
        const frames = venue.publish(session, tick, floor())
        for (const frame of frames) say(frame)
        return frames.length
      }
    })
    return conversation
  }

  /** Those whose line is open; the others are forgotten. */
  const live = (): ReadonlyArray<Open> => {
    for (const each of all) if (!each.line.isOpen()) all.delete(each)
    return [...all]
  }

  // Half as many more are kept, so that they are not moved for each that comes.
  const remember = (symbol: string, tick: Market.Tick): void => {
    const kept = trades.get(symbol) ?? []
    kept.push(tick)
    trades.set(symbol, kept.length < keepsTrades * 1.5 ? kept : kept.slice(-keepsTrades))
  }

  const publish = (market: Market.Market): number => {
    const { last, product: { symbol } } = market
    markets.set(symbol, market)
    if (last.isQuote !== true) remember(symbol, last)
    return Math.max(1, ...live().map((each) => each.publish(market.last)))
  }

  const tradingStatus = (status: string | undefined, product?: string | undefined): void => {
    if (status === undefined) statuses.delete(product)
    else statuses.set(product, status)
    for (const { sayStatus } of live()) sayStatus(product)
  }

  // How many frames a move of the market has made.
  let made = 0
  const gateway = venue.gateway?.({
    wallMillis,
    after: options.after ?? (() => undefined),
    markets: () => [...markets.values()],
    publish: (market) => void (made += publish(market)),
    tradingStatus
  })
  /** What moves a market goes through the gateway where there is one. */
  const move = (market: Market.Market): number => {
    if (gateway === undefined) return publish(market)
    made = 0
    gateway.move(market)
    return Math.max(1, made)
  }

  const kept = (product: string): ReadonlyArray<Market.Tick> =>
    keepsTrades === 0 ? [] : trades.get(product)?.slice(-keepsTrades) ?? []

  const listing = (question: Listing.Question): Listing.Answer => {
    if (venue.listing === undefined) return new Listing.Answer(426, { message: "Upgrade Required" })
    if (http !== undefined && !weighed.admits(wallMillis(), http.weightOf(question))) {
      return new Listing.Answer(429, http.excess, { "retry-after": String(Math.ceil(longestWindow / 1_000)) })
    }
    const found = venue.listing(question, {
      atMillis: wallMillis(),
      markets: [...markets.values()].filter(({ product }) => !delisted.has(product.symbol)),
      trades: kept
    })
    return found instanceof Listing.Answer
      ? found
      : found === undefined
      ? new Listing.Answer(404, { message: "NotFound" })
      : new Listing.Answer(200, found)
  }

  return {
    venue,
    open,
    listing,
    ask: (question, reply) => {
      if (gateway?.ask?.(question, reply) !== true) reply.answer(listing(question))
    },
    trades: kept,
    book: (product) => {
      const market = listed(product)
      return market === undefined ? undefined : Market.book(market)
    },
    products: () => [...markets.keys()].filter((product) => !delisted.has(product)),
    followed: () => {
      const products = new Set(live().flatMap(({ conversation }) => [...followed(conversation.session())]))
      return [...products].filter((product) => listed(product) !== undefined).toSorted()
    },
    trade: (product) => {
      const market = markets.get(product)
      return market === undefined ? 0 : move(Market.next(market, wallMillis()))
    },
    quote: (product, bid, ask) => {
      const market = markets.get(product)
      if (market === undefined) throw new RangeError(`${venue.name} lists no ${product}`)
      const mayCross = statuses.has(product) || statuses.has(undefined)
      move(Market.quote(market, bid, ask, wallMillis(), mayCross))
    },
    tradingStatus,
    repeatStatus: (product) => {
      const lasts = statuses.has(product)
      if (lasts) { for (const { sayStatus } of live()) sayStatus(product) }
      return lasts
    },
    price: (product, price) => {
      for (const { conversation } of live()) conversation.say(venue.price(product, price, wallMillis()))
    },
    withhold: (what, on) => void (on ? withheld.add(what) : withheld.delete(what)),
    isWithheld: (what) => withheld.has(what),
    delist: (product, on) => void (on ? delisted.add(product) : delisted.delete(product))
  }
}
