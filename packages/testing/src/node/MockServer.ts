/**
 * A mock venue on a real socket: a WebSocket server on loopback that speaks a
 * venue's dialect, makes a seeded market flow to whoever subscribes, enforces
 * the venue's rules, and goes wrong on demand. On the same port it answers what
 * a general client asks the venue over HTTP.
 *
 * **Example** (a server for one test)
 *
 * ```ts
 * const server = yield* MockServer.make({ venue: MockGeneric.make() })
 * // connect the client to server.url
 * const connection = yield* server.nextConnection
 * yield* server.sendPrice("BTC-USD", "43250.10")
 * yield* connection.drop
 * ```
 *
 * @since 0.1.0
 */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Secrets from "@tickline/core/transport/Secrets"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createServer, type IncomingMessage, STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws"
import * as Fault from "../network/Fault.ts"
import * as Enforcement from "../venue/Enforcement.ts"
import * as Market from "../venue/Market.ts"
import * as MockVenue from "../venue/MockVenue.ts"

/**
 * How a server is made. Only the venue is needed.
 *
 * - `products`: what it lists. Default `Market.products`.
 * - `host`, `port`: where it listens. Default `127.0.0.1` and any free port.
 * - `seed`: of its market. Default 0.
 * - `rate`: market data frames a second on the busiest connection; 0 for none.
 *   Default 20.
 * - `faults`: what goes wrong, and when. Default nothing.
 * - `requireToken`: the bearer token without which an upgrade is answered 401.
 * - `replay`: frames to send, in order, at `rate`, in place of a market. They
 *   flow to every connection that has subscribed to anything and go on where
 *   they were after a reconnect.
 * - `heartbeatMillis`: in place of the venue's own; 0 for no heartbeats.
 * - `pingMillis`: how often the server sends a protocol ping. Default: as the
 *   venue enforces pongs, else never; 0 for never.
 * - `enforcement`: what it does to clients that do not keep the venue's rules,
 *   such as `Enforcement.none`. Default: as the venue.
 * - `maxPayload`: bytes of the largest message a client may send. Default 1 MiB.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: MockVenue.MockVenue
  readonly products?: ReadonlyArray<Market.Product> | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly seed?: number | undefined
  readonly rate?: number | undefined
  readonly faults?: ReadonlyArray<Fault.Fault> | undefined
  readonly requireToken?: Redacted.Redacted<string> | undefined
  readonly replay?: ReadonlyArray<string> | undefined
  readonly heartbeatMillis?: number | undefined
  readonly pingMillis?: number | undefined
  readonly enforcement?: Enforcement.Enforcement | undefined
  readonly maxPayload?: number | undefined
}

/**
 * The server could not listen; `code` is the system's, such as `EADDRINUSE`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Finite,
  code: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${this.host}:${this.port}: ${this.code}`
  }
}

/**
 * What the server did to new connections or to its data, until it is changed:
 * `Timeout` never upgrades, `Disconnect` cuts each connection once it is open,
 * `MalformedData` cuts each data frame in half.
 *
 * @category models
 * @since 0.1.0
 */
export type FailureMode = "None" | "Timeout" | "Disconnect" | "MalformedData"

/**
 * What a server can keep to itself while everything else goes on:
 *
 * - `heartbeat`: the venue's beats and tests, its pings, and its answers to
 *   pings of either kind
 * - `data`: market data; a subscription is acknowledged and never delivers
 * - `acknowledgement`: answers to what a client asks; a subscription delivers
 *   and is never acknowledged
 *
 * @category models
 * @since 0.1.0
 */
export type Withheld = "heartbeat" | "data" | "acknowledgement"

/**
 * A frame of a client as it came: on which connection, when (epoch
 * milliseconds), and which kind it is. The `text` is a message's, or a ping's or
 * pong's payload; of binary frames it is empty.
 *
 * @category models
 * @since 0.1.0
 */
export interface Arrival {
  readonly connection: number
  readonly at: number
  readonly kind: "message" | "ping" | "pong"
  readonly text: string
}

/**
 * A rule of the venue that a client did not keep: too many messages, no
 * subscription or no answer in time.
 *
 * @category models
 * @since 0.1.0
 */
export type Rule = "messages" | "subscribe" | "pong" | "test" | "idle"

/**
 * What happened, in order; `at` in epoch milliseconds. Dials and connections
 * are numbered from 1; a connection for HTTP is a dial too. `how` a dial was
 * rejected: `refused` (cut before the handshake), `hung` (never upgraded),
 * `status` (answered with it).
 *
 * @category models
 * @since 0.1.0
 */
export type LogEntry =
  | { readonly _tag: "Dial"; readonly at: number; readonly dial: number }
  | { readonly _tag: "Upgraded"; readonly at: number; readonly dial: number; readonly connection: number }
  | {
    readonly _tag: "Rejected"
    readonly at: number
    readonly dial: number
    readonly how: "refused" | "hung" | "status"
    readonly status?: number
  }
  | { readonly _tag: "Fault"; readonly at: number; readonly fault: string; readonly connections: ReadonlyArray<number> }
  | { readonly _tag: "Drop"; readonly at: number; readonly connection: number }
  | { readonly _tag: "Enforced"; readonly at: number; readonly connection: number; readonly rule: Rule }
  | {
    readonly _tag: "Closed"
    readonly at: number
    readonly connection: number
    readonly code: number
    readonly reason: string
  }

/**
 * A log entry as one line of JSON, its time in ISO-8601.
 *
 * @category encoding
 * @since 0.1.0
 */
export const entryToJson = (entry: LogEntry): string =>
  JSON.stringify({ ...entry, at: Timestamp.format(Timestamp.fromEpochMillis(entry.at)) })

/**
 * Market data frames of one product on one channel, counted when the market
 * makes them for a connection. A copy that a fault added is one more `sent` and
 * one `duplicated`; one that a fault took, or that fell into a silent
 * connection, is `sent` and `lost`. So where every frame under way arrives,
 * `sent` is what was delivered, and `duplicated`, and `lost`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerCounts {
  readonly channel: string
  readonly product: string
  readonly sent: number
  readonly duplicated: number
  readonly lost: number
  readonly reordered: number
  readonly corrupted: number
}

/**
 * The server's counters since it began; `open` is now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Metrics {
  readonly dials: number
  readonly upgraded: number
  readonly rejected: number
  readonly open: number
  readonly dropped: number
  readonly closed: number
  readonly faults: number
  readonly framesSent: number
  readonly framesReceived: number
}

/**
 * The server's end of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockConnection {
  /** 1 for the first that was upgraded, and so on. */
  readonly id: number
  /** The path and query of the upgrade request. */
  readonly path: string
  /** The bearer token of the upgrade request. */
  readonly token: Redacted.Redacted<string> | undefined
  /** A header of the upgrade request; `authorization` is `token`. */
  readonly header: (name: string) => string | undefined
  /** What the client sent, the latest 16,384 or fewer where they are more than 64 MiB; ends with the connection. */
  readonly received: Queue.Dequeue<Frame, Cause.Done>
  /** Sends a frame as it is, untouched by faults of data frames and not counted as data. */
  readonly send: (frame: Frame) => Effect.Effect<void>
  /** Cuts the connection with a TCP reset. */
  readonly drop: Effect.Effect<void>
  /** Sends a close frame. */
  readonly close: (code?: number | undefined, reason?: string | undefined) => Effect.Effect<void>
  readonly isOpen: () => boolean
  /** Completes with the close code once the connection is gone. */
  readonly ended: Effect.Effect<{ readonly code: number; readonly reason: string }>
  /** Market data sent on this connection. */
  readonly accounts: () => ReadonlyArray<ServerCounts>
}

/**
 * A mock venue that listens.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockServer {
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string
  /** Where it answers over HTTP, such as `http://127.0.0.1:40213`. */
  readonly httpUrl: string
  readonly address: { readonly host: string; readonly port: number }
  /** The next connection that nobody has taken yet. */
  readonly nextConnection: Effect.Effect<MockConnection>
  /** The connections that are open. */
  readonly connections: () => ReadonlyArray<MockConnection>
  /** A price by hand, to every client. */
  readonly sendPrice: (product: string, price: string) => Effect.Effect<void>
  /** A text frame as it is, to every client. */
  readonly sendRaw: (text: string) => Effect.Effect<void>
  /** A text frame that is no message, to every client. */
  readonly sendMalformed: (text?: string | undefined) => Effect.Effect<void>
  /** A binary frame, to every client. */
  readonly sendBinary: (bytes?: Uint8Array | undefined) => Effect.Effect<void>
  /** Cuts one connection with a TCP reset; `false` where it is not open. */
  readonly drop: (connection: number) => Effect.Effect<boolean>
  /** Sends a close frame on one connection; `false` where it is not open. */
  readonly close: (
    connection: number,
    code?: number | undefined,
    reason?: string | undefined
  ) => Effect.Effect<boolean>
  /** Whether upgrades are answered 503. */
  readonly rejectConnections: (on: boolean) => Effect.Effect<void>
  readonly setFailureMode: (mode: FailureMode) => Effect.Effect<void>
  /** Changes the market data frames a second; 0 stops the market. */
  readonly setRate: (rate: number) => Effect.Effect<void>
  /** A fault now: on the next dials, or on one connection, by default all that are open. */
  readonly inject: (action: Fault.Action, connection?: number | undefined) => Effect.Effect<void>
  /** Whether something is kept from all clients, until it is changed. */
  readonly withhold: (what: Withheld, on: boolean) => Effect.Effect<void>
  /**
   * Whether a product is taken off the venue's list: a subscription to it is
   * answered as the venue answers one to a product that it never had. Those that
   * exist fall silent.
   */
  readonly delist: (product: string, on: boolean) => Effect.Effect<void>
  /** The latest 100,000 frames of clients, within 64 MiB, oldest first, those that were refused included. */
  readonly arrivals: () => ReadonlyArray<Arrival>
  readonly metrics: () => Metrics
  /** Market data sent on all connections, by channel and product. */
  readonly accounts: () => ReadonlyArray<ServerCounts>
  /** The latest 10,000 entries, oldest first. */
  readonly entries: () => ReadonlyArray<LogEntry>
  /** The latest thousand entries and those to come, of a reader 16,384 behind the latest; ends with the server. */
  readonly log: Stream.Stream<LogEntry>
  /** Cuts every connection and stops listening; no handle is left when it completes. The scope's end does the same. */
  readonly stop: Effect.Effect<void>
}

/** A market waits while a client has so many bytes left to read. */
const sendBound = 16 * 1_048_576

/** Bytes of what clients sent that are kept for a test to look at: of each connection, and of all arrivals. */
const keptBound = 64 * 1_048_576

const malformed = "{\"type\":\"match\",\"price\":"

type FrameFault = Extract<Fault.Action["_tag"], "Fragment" | "Duplicate" | "Reorder" | "Lose" | "Corrupt">

type Counters = { -readonly [K in keyof ServerCounts]: ServerCounts[K] }

/** A frame on its way, and whether it goes in fragments. */
interface Parcel {
  readonly frame: Frame
  readonly fragments: boolean
}

interface Link {
  readonly connection: MockConnection
  readonly ws: WebSocket
  readonly socket: Socket
  readonly received: Queue.Queue<Frame, Cause.Done>
  readonly ended: Deferred.Deferred<{ readonly code: number; readonly reason: string }>
  readonly books: Map<string, Counters>
  /** Faults of data frames that wait for the next one, first come first. */
  readonly strikes: Array<FrameFault>
  readonly address: string
  readonly messages: Enforcement.Counter
  readonly subscriptions: Enforcement.Counter
  /** What the client owes, by rule, and when it is due in epoch milliseconds. */
  readonly debts: Map<Rule, number>
  /** The payload of the ping whose pong is owed. */
  pinged: string | undefined
  sentAt: number
  session: MockVenue.Session
  /** How many frames the venue has sent on it, those that a fault took included. */
  sent: number
  held: MockVenue.Outgoing | undefined
  silent: boolean
  dropped: boolean
  slow: { millis: number; readonly parcels: Queue.Queue<Parcel & { readonly due: number }, Cause.Done> } | undefined
}

/**
 * Starts a server. It stops with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<MockServer, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const { venue } = options
    const clock = yield* Clock.Clock
    const now = () => Monotonic.nowMillis(clock)
    // What is told, in records and in the venue's frames.
    const wallNow = () => clock.currentTimeMillisUnsafe()
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const accepted = yield* Queue.sliding<MockConnection>(1_024)
    const published = yield* PubSub.sliding<LogEntry | undefined>({ capacity: 16_384, replay: 1_000 }) // undefined ends it
    const firstOpen = yield* Deferred.make<number>()

    const entries: Array<LogEntry> = []
    const lines = new Map<number, Link>()
    const sockets = new Set<Socket>()
    const books = new Map<string, Counters>()
    const count = {
      dials: 0,
      upgraded: 0,
      rejected: 0,
      dropped: 0,
      closed: 0,
      faults: 0,
      framesSent: 0,
      framesReceived: 0
    }
    const fates: Array<DialFate> = []
    let mode: FailureMode = "None"
    let rejecting = false
    let rate = options.rate ?? 20

    const enforcement = options.enforcement ?? venue.enforcement ?? Enforcement.none
    const limitsOf = (of: Enforcement.Limit["of"], per: Enforcement.Limit["per"]) =>
      enforcement.limits.filter((limit) => limit.of === of && limit.per === per)
    const withheld = new Set<Withheld>()
    const delisted = new Set<string>()
    const arrivals: Array<Arrival> = []
    let arrivalBytes = 0

    const record = (entry: LogEntry) => {
      if (entries.length >= 10_000) entries.shift()
      entries.push(entry)
      // It answers no where it is full: then the oldest goes.
      if (!PubSub.publishUnsafe(published, entry)) Effect.runSync(PubSub.publish(published, entry))
    }

    // --- the market -----------------------------------------------------------

    const markets = new Map<string, Market.Market>()
    for (const product of options.products ?? Market.products) {
      markets.set(product.symbol, Market.make(product, { seed: options.seed ?? 0, atMillis: wallNow() }))
    }
    const floor = (line: Link): MockVenue.Floor => ({
      atMillis: wallNow(),
      market: (product) => delisted.has(product) ? undefined : markets.get(product),
      sent: line.sent,
      path: line.connection.path
    })

    // --- frames out -----------------------------------------------------------

    const transmit = (line: Link, { fragments, frame }: Parcel) => {
      if (line.silent || line.ws.readyState !== line.ws.OPEN) return
      count.framesSent++
      line.sentAt = now()
      if (!fragments || typeof frame !== "string" || frame.length < 3) return line.ws.send(frame)
      const third = Math.ceil(frame.length / 3)
      for (let from = 0; from < frame.length; from += third) {
        line.ws.send(frame.slice(from, from + third), { fin: from + third >= frame.length })
      }
    }

    const send = (line: Link, frame: Frame, fragments = false) => {
      if (line.slow === undefined) transmit(line, { frame, fragments })
      else Queue.offerUnsafe(line.slow.parcels, { frame, fragments, due: now() + line.slow.millis })
    }

    /** What a frame becomes while something is withheld; nothing where it is the frame itself. */
    const allowed = (outgoing: MockVenue.Outgoing, isAnswer: boolean): MockVenue.Outgoing | undefined => {
      const { bare, beat, data } = outgoing
      if (beat) return withheld.has("heartbeat") ? undefined : outgoing
      const isAcknowledgement = isAnswer && (data === undefined || bare !== undefined)
      if (isAcknowledgement && withheld.has("acknowledgement")) return undefined
      if (data === undefined || !withheld.has("data")) return outgoing
      return bare === undefined ? undefined : { text: bare, data: undefined }
    }

    /** Sends what the venue says, as it is withheld and as the faults that wait for a data frame leave it. */
    const deliver = (line: Link, said: MockVenue.Outgoing, isAnswer = false) => {
      const outgoing = allowed(said, isAnswer)
      if (outgoing === undefined) return
      const { data, text } = outgoing
      if (outgoing.isNumbered !== false) line.sent++
      if (data === undefined) return send(line, text)
      const enter = (what: Exclude<keyof ServerCounts, "channel" | "product">) => {
        for (const each of [books, line.books]) counters(each, data)[what]++
      }
      enter("sent")
      if (line.silent) return enter("lost")
      if (mode === "MalformedData") {
        enter("lost")
        return send(line, text.slice(0, text.length / 2))
      }
      const corrupted = line.strikes[0] === "Corrupt" ? venue.corrupt(text) : undefined
      const strike = line.strikes[0] === "Corrupt" && corrupted === undefined ? undefined : line.strikes.shift()
      const held = line.held
      line.held = undefined
      switch (strike) {
        case "Lose":
          enter("lost")
          break
        case "Duplicate":
          enter("sent")
          enter("duplicated")
          send(line, text)
          send(line, text)
          break
        case "Reorder":
          enter("reordered")
          line.held = outgoing
          break
        case "Corrupt":
          enter("corrupted")
          send(line, corrupted ?? text)
          break
        default:
          send(line, text, strike === "Fragment")
      }
      if (held !== undefined) send(line, held.text)
    }

    const toAll = (frame: Frame) => Effect.sync(() => lines.forEach((line) => send(line, frame)))

    // --- rules ------------------------------------------------------------------

    const messagesOf = new Map<string, Enforcement.Counter>()
    const subscriptionsOf = new Map<string, Enforcement.Counter>()
    const dialsOf = new Map<string, Enforcement.Counter>()
    const counterOf = (
      counters: Map<string, Enforcement.Counter>,
      address: string,
      of: Enforcement.Limit["of"]
    ): Enforcement.Counter => {
      const known = counters.get(address)
      if (known !== undefined) return known
      const fresh = Enforcement.makeCounter(limitsOf(of, "address"))
      counters.set(address, fresh)
      return fresh
    }

    const enforce = (line: Link, rule: Rule, close: { readonly code: number; readonly reason: string } | undefined) => {
      record({ _tag: "Enforced", at: wallNow(), connection: line.connection.id, rule })
      line.debts.clear()
      if (close !== undefined) line.ws.close(close.code, close.reason)
    }

    /** Whether a client's frame is heard. One more than the limits allow is not, and has its consequence. */
    const hears = (line: Link, kind: Arrival["kind"], frame: Frame): boolean => {
      const at = now()
      const text = typeof frame === "string" ? frame : ""
      arrivalBytes += text.length
      while (arrivals.length >= 100_000 || (arrivals.length > 0 && arrivalBytes > keptBound)) {
        arrivalBytes -= arrivals.shift()?.text.length ?? 0
      }
      arrivals.push({ connection: line.connection.id, at: wallNow(), kind, text })
      if (kind !== "message" && !enforcement.countsPings) return true
      if (line.ws.readyState !== line.ws.OPEN) return false
      const counters = [line.messages, counterOf(messagesOf, line.address, "messages")]
      if (kind === "message" && enforcement.isSubscription?.(frame) === true) {
        counters.push(line.subscriptions, counterOf(subscriptionsOf, line.address, "subscriptions"))
      }
      const isWithin = counters.every((counter) => counter.admits(at))
      if (isWithin) return true
      const { close, error } = enforcement.excess
      if (error !== undefined) deliver(line, { text: error(frame), data: undefined })
      enforce(line, "messages", close)
      return false
    }

    /** What is overdue, on every connection. */
    const collect = () => {
      const at = now()
      for (const line of lines.values()) {
        if (line.silent) continue
        for (const [rule, due] of line.debts) {
          if (due > at) continue
          enforce(line, rule, { code: 1008, reason: reasons[rule] })
          break
        }
        if (enforcement.idle !== undefined && at - line.sentAt >= enforcement.idle) {
          line.sentAt = at
          enforce(line, "idle", { code: 1000, reason: reasons.idle })
        }
      }
    }

    const ping = (line: Link) => {
      if (line.silent || withheld.has("heartbeat") || line.ws.readyState !== line.ws.OPEN) return
      const payload = String(wallNow())
      line.ws.ping(payload)
      if (enforcement.pings === undefined || line.debts.has("pong")) return
      line.pinged = payload
      line.debts.set("pong", now() + enforcement.pings.within)
    }

    const beat = (line: Link) => {
      for (const said of venue.heartbeat(line.session, floor(line))) {
        if (withheld.has("heartbeat")) continue
        deliver(line, said)
        const { tests } = enforcement
        if (tests?.isTest(said.text) && !line.debts.has("test")) line.debts.set("test", now() + tests.within)
      }
    }

    // --- the life of a connection ----------------------------------------------

    const drop = (line: Link) => {
      if (line.dropped || !lines.has(line.connection.id)) return
      line.dropped = true
      lines.delete(line.connection.id)
      count.dropped++
      record({ _tag: "Drop", at: wallNow(), connection: line.connection.id })
      line.socket.resetAndDestroy()
    }

    const open = (dial: number, ws: WebSocket, socket: Socket, request: IncomingMessage) => {
      const id = ++count.upgraded
      const received = Effect.runSync(Queue.sliding<Frame, Cause.Done>(16_384))
      const ended = Deferred.makeUnsafe<{ readonly code: number; readonly reason: string }>()
      const lineBooks = new Map<string, Counters>()
      let receivedBytes = 0
      const connection: MockConnection = {
        id,
        path: request.url ?? "/",
        token: tokenOf(request),
        header: (name) => {
          const value = name.toLowerCase() === "authorization" ? undefined : request.headers[name.toLowerCase()]
          return Array.isArray(value) ? value.join(", ") : value
        },
        received,
        send: (frame) => Effect.sync(() => send(line, frame)),
        drop: Effect.sync(() => drop(line)),
        close: (code, reason) => Effect.sync(() => ws.close(code ?? 1000, reason)),
        isOpen: () => lines.has(id),
        ended: Deferred.await(ended),
        accounts: () => Array.from(lineBooks.values(), (account) => ({ ...account }))
      }
      const line: Link = {
        connection,
        ws,
        socket,
        received,
        ended,
        books: lineBooks,
        strikes: [],
        address: socket.remoteAddress ?? "",
        messages: Enforcement.makeCounter(limitsOf("messages", "connection")),
        subscriptions: Enforcement.makeCounter(limitsOf("subscriptions", "connection")),
        debts: new Map(),
        pinged: undefined,
        sentAt: now(),
        session: MockVenue.newSession,
        sent: 0,
        held: undefined,
        silent: false,
        dropped: false,
        slow: undefined
      }
      lines.set(id, line)
      line.session = venue.open?.(floor(line)) ?? line.session
      if (enforcement.subscribeWithin !== undefined) line.debts.set("subscribe", now() + enforcement.subscribeWithin)
      record({ _tag: "Upgraded", at: wallNow(), dial, connection: id })

      ws.on("message", (data, isBinary) => {
        if (!Buffer.isBuffer(data)) return // never: "nodebuffer" is the binary type
        const frame = isBinary ? new Uint8Array(data) : data.toString()
        count.framesReceived++
        // Where nobody takes them, the frames of a client do not fill the memory.
        if (Queue.sizeUnsafe(received) === 0) receivedBytes = 0
        receivedBytes += data.length
        if (receivedBytes > keptBound) {
          Effect.runSync(Queue.clear(received))
          receivedBytes = data.length
        }
        Queue.offerUnsafe(received, frame)
        if (!hears(line, "message", frame)) return
        if (enforcement.tests?.isAnswer(frame)) line.debts.delete("test")
        const { close, replies, session } = venue.receive(line.session, frame, floor(line))
        line.session = session
        if (session.channels.size > 0) line.debts.delete("subscribe")
        for (const reply of replies) {
          if (options.replay === undefined || reply.data === undefined) deliver(line, reply, true)
        }
        if (close !== undefined) ws.close(close.code, close.reason)
        // Who asks and does not read the answers is not heard until it does.
        if (ws.bufferedAmount > sendBound && !ws.isPaused) {
          ws.pause()
          socket.once("drain", () => ws.resume())
        }
      })
      ws.on("ping", (data) => {
        if (hears(line, "ping", data.toString()) && !line.silent && !withheld.has("heartbeat")) {
          // A client that reads none of its pongs is owed no more of them.
          if (ws.bufferedAmount <= sendBound) ws.pong(data)
        }
      })
      ws.on("pong", (data) => {
        const payload = data.toString()
        if (!hears(line, "pong", payload) || payload !== line.pinged) return
        line.pinged = undefined
        line.debts.delete("pong")
      })
      // A client may repeat its token, in what it says of it.
      const mask = Secrets.mask(
        [connection.token, options.requireToken].flatMap((token) => token === undefined ? [] : [Redacted.value(token)])
      )
      // What `ws` ended because of what the client sent was ended by us: it says so before the socket closes.
      let refused: { readonly code: number; readonly reason: string } | undefined
      ws.on("error", (error) => {
        refused ??= refusalOf(error)
      })
      ws.on("close", (code, text) => {
        lines.delete(id)
        const end = refused ?? { code, reason: text.toString() }
        const reason = mask === undefined ? end.reason : mask.text(end.reason)
        if (!line.dropped) {
          count.closed++
          record({ _tag: "Closed", at: wallNow(), connection: id, code: end.code, reason })
        }
        Queue.endUnsafe(received)
        if (line.slow !== undefined) Queue.endUnsafe(line.slow.parcels)
        Deferred.doneUnsafe(ended, Exit.succeed({ code: end.code, reason }))
      })

      for (const greeting of venue.greet?.(floor(line)) ?? []) deliver(line, greeting)
      Queue.offerUnsafe(accepted, connection)
      Deferred.doneUnsafe(firstOpen, Exit.succeed(now()))
      if (mode === "Disconnect") drop(line)
    }

    // --- dials ------------------------------------------------------------------

    /** The most of a body over HTTP that is read. */
    const bodyBound = 65_536

    const answer = (request: IncomingMessage, body: string): { readonly status: number; readonly body: unknown } => {
      if (venue.listing === undefined) return { status: 426, body: { message: "Upgrade Required" } }
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://mock")
      const found = venue.listing(
        { method: request.method ?? "GET", path: pathname, query: new Map(searchParams), body },
        {
          atMillis: wallNow(),
          markets: [...markets.values()].filter(({ product }) => !delisted.has(product.symbol))
        }
      )
      return found === undefined ? { status: 404, body: { message: "NotFound" } } : { status: 200, body: found }
    }

    const http = createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8")
      request.on("error", ignore)
      request.on("data", (text: string) => {
        if (body.length < bodyBound) body += text
      })
      request.on("end", () => {
        const found = answer(request, body)
        response.writeHead(found.status, { "content-type": "application/json", connection: "close" })
        response.end(JSON.stringify(found.body))
      })
    })
    // `@types/ws` does not know the newer bounds.
    const settings: ServerOptions & { maxFragments: number; maxBufferedChunks: number } = {
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.maxPayload ?? 1_048_576,
      maxFragments: 1_024,
      maxBufferedChunks: 65_536,
      autoPong: false
    }
    const wss = new WebSocketServer(settings)
    const dials = new WeakMap<Socket, { readonly dial: number; readonly fate: DialFate | undefined }>()

    const reject = (dial: number, how: "refused" | "hung" | "status", status?: number) => {
      count.rejected++
      record({ _tag: "Rejected", at: wallNow(), dial, how, ...(status === undefined ? {} : { status }) })
    }

    http.on("connection", (socket: Socket) => {
      const dial = ++count.dials
      sockets.add(socket)
      socket.on("error", ignore)
      socket.on("close", () => sockets.delete(socket))
      record({ _tag: "Dial", at: wallNow(), dial })
      const fate = mode === "Timeout" ? hang : fates.shift()
      dials.set(socket, { dial, fate })
      if (fate?._tag === "Refuse") {
        reject(dial, "refused")
        socket.resetAndDestroy()
      } else if (fate?._tag === "Hang") reject(dial, "hung")
    })

    http.on("upgrade", (request, stream, head) => {
      const socket = request.socket
      const { dial = 0, fate } = dials.get(socket) ?? {}
      if (fate?._tag === "Hang") {
        stream.resume() // so that the client is seen to leave
        return
      }
      const address = socket.remoteAddress ?? ""
      const { connections = Number.POSITIVE_INFINITY } = enforcement
      const isTooMany = [...lines.values()].filter((line) => line.address === address).length >= connections ||
        !counterOf(dialsOf, address, "dials").admits(now())
      const status = fate?._tag === "Status"
        ? fate.status
        : isTooMany
        ? 429
        : rejecting
        ? 503
        : isAllowed(request, options.requireToken)
        ? undefined
        : 401
      if (status === undefined) {
        wss.handleUpgrade(request, stream, head, (ws) => open(dial, ws, socket, request))
        return
      }
      reject(dial, "status", status)
      const retryAfter = fate?._tag === "Status" && fate.retryAfterSeconds !== undefined
        ? `Retry-After: ${fate.retryAfterSeconds}\r\n`
        : ""
      stream.once("finish", () => stream.destroy())
      stream.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Status"}\r\n${retryAfter}` +
          "Content-Length: 0\r\nConnection: close\r\n\r\n"
      )
    })

    // --- faults -----------------------------------------------------------------

    const strike = (line: Link, action: Fault.Action): Effect.Effect<void> => {
      switch (action._tag) {
        case "Drop":
          return Effect.sync(() => drop(line))
        case "Close":
          return Effect.sync(() => line.ws.close(action.code))
        case "Silent":
          return Effect.sync(() => {
            line.silent = true
            // Nothing of the client is heard any more, a close frame included; that it leaves still is.
            line.socket.removeAllListeners("data")
            line.socket.on("data", ignore)
          })
        case "Garbage":
          return Effect.sync(() => send(line, malformed))
        case "Binary":
          return Effect.sync(() => send(line, binary))
        case "Slow":
          return slow(line, action.millis)
        case "Refuse":
        case "Hang":
        case "Status":
          return Effect.void
        default:
          return Effect.sync(() => void line.strikes.push(action._tag))
      }
    }

    const slow = (line: Link, millis: number): Effect.Effect<void> =>
      Effect.gen(function*() {
        if (line.slow !== undefined) {
          line.slow.millis = millis
          return
        }
        const parcels = yield* Queue.unbounded<Parcel & { readonly due: number }, Cause.Done>()
        line.slow = { millis, parcels }
        yield* Queue.take(parcels).pipe(
          Effect.tap(({ due }) => Effect.sleep(Math.max(0, due - now()))),
          Effect.flatMap((parcel) => Effect.sync(() => transmit(line, parcel))),
          Effect.forever,
          Effect.ignore,
          Effect.forkIn(scope)
        )
      })

    const inject = (action: Fault.Action, connection?: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        count.faults++
        const onDials = action._tag === "Refuse" || action._tag === "Hang" || action._tag === "Status"
        const struck = onDials ? [] : [...lines.values()].filter(
          (line) => connection === undefined || line.connection.id === connection
        )
        const connections = struck.map((line) => line.connection.id)
        record({ _tag: "Fault", at: wallNow(), fault: Fault.formatAction(action), connections })
        if (onDials) fates.push(...Array.from({ length: action._tag === "Refuse" ? action.dials : 1 }, () => action))
        return Effect.forEach(struck, (line) => strike(line, action), { discard: true })
      })

    const plan = Effect.gen(function*() {
      const origin = yield* Deferred.await(firstOpen)
      let due = Fault.next(options.faults ?? [], -1)
      while (due !== undefined) {
        yield* Effect.sleep(Math.max(0, origin + due.atMillis - now()))
        yield* Effect.forEach(due.actions, (action) => inject(action), { discard: true })
        due = Fault.next(options.faults ?? [], due.atMillis)
      }
    })

    // --- what flows ---------------------------------------------------------------

    let turn = 0
    /** One step of the market of the next product that anyone follows; gives the frames on the busiest connection. */
    const trade = (): number => {
      const followed = new Set<string>()
      for (const line of lines.values()) {
        for (const product of MockVenue.followed(line.session)) if (!delisted.has(product)) followed.add(product)
      }
      if (followed.size === 0) return 0
      const market = markets.get([...followed].sort()[turn++ % followed.size] ?? "")
      if (market === undefined) return 0
      const after = Market.next(market, wallNow())
      markets.set(after.product.symbol, after)
      let most = 0
      for (const line of lines.values()) {
        const frames = venue.publish(line.session, after.last, floor(line))
        for (const frame of frames) deliver(line, frame)
        most = Math.max(most, frames.length)
      }
      return Math.max(most, 1)
    }

    let position = 0
    /** The next frame of the recording, to all that have subscribed. */
    const replay = (recording: ReadonlyArray<string>): number => {
      const text = recording[position]
      const listeners = [...lines.values()].filter((line) => line.session.channels.size > 0)
      if (text === undefined || listeners.length === 0) return 0
      position++
      for (const line of listeners) deliver(line, { text, data: { channel: "replay", product: "" } })
      return 1
    }

    const flow = Effect.gen(function*() {
      let credit = 0
      let last = now()
      while (true) {
        yield* Effect.sleep(rate > 0 ? Math.min(Math.max(1_000 / rate, 10), 1_000) : 50)
        const at = now()
        // What a stalled event loop missed is not made up for beyond a second.
        credit = Math.min(credit + (at - last) * rate / 1_000, Math.max(rate, 1))
        last = at
        while (credit >= 1) {
          const full = [...lines.values()].some((line) => line.ws.bufferedAmount > sendBound)
          const frames = full ? 0 : options.replay === undefined ? trade() : replay(options.replay)
          credit = frames === 0 ? 0 : credit - frames
        }
      }
    })

    const every = (millis: number, effect: () => void) =>
      millis > 0
        ? Effect.sleep(millis).pipe(Effect.andThen(Effect.sync(effect)), Effect.forever, Effect.forkIn(scope))
        : Effect.void

    // --- begin, and end -------------------------------------------------------------

    const host = options.host ?? "127.0.0.1"
    yield* Scope.addFinalizer(
      scope,
      Effect.gen(function*() {
        const open = [...lines.values()]
        yield* Effect.callback<void>((resume) => {
          http.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
        yield* Effect.forEach(open, (line) => line.connection.ended, { discard: true })
        yield* PubSub.end(published, undefined)
      })
    )
    const port = yield* Effect.callback<number, ListenError>((resume) => {
      const asked = options.port ?? 0
      http.once("error", (error: NodeJS.ErrnoException) =>
        resume(Effect.fail(new ListenError({ host, port: asked, code: error.code ?? error.name }))))
      http.listen(asked, host, () => {
        const address = http.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : asked))
      })
    })

    yield* Effect.forkIn(plan, scope)
    yield* Effect.forkIn(flow, scope)
    yield* every(options.heartbeatMillis ?? venue.heartbeatMillis ?? 0, () =>
      lines.forEach(beat))
    yield* every(options.pingMillis ?? enforcement.pings?.every ?? 0, () =>
      lines.forEach(ping))
    const isPatient = enforcement.subscribeWithin === undefined && enforcement.pings === undefined &&
      enforcement.tests === undefined && enforcement.idle === undefined
    yield* every(isPatient ? 0 : collectMillis, collect)

    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`
    return {
      url: `ws://${authority}`,
      httpUrl: `http://${authority}`,
      address: { host, port },
      nextConnection: Queue.take(accepted),
      connections: () => Array.from(lines.values(), (line) => line.connection),
      sendPrice: (product, price) =>
        Effect.sync(() => lines.forEach((line) => deliver(line, venue.price(product, price, wallNow())))),
      sendRaw: toAll,
      sendMalformed: (text = malformed) => toAll(text),
      sendBinary: (bytes = binary) => toAll(bytes),
      drop: (connection) =>
        Effect.sync(() => {
          const line = lines.get(connection)
          if (line !== undefined) drop(line)
          return line !== undefined
        }),
      close: (connection, code = 1000, reason) =>
        Effect.sync(() => {
          const line = lines.get(connection)
          line?.ws.close(code, reason)
          return line !== undefined
        }),
      rejectConnections: (on) =>
        Effect.sync(() => {
          rejecting = on
        }),
      setFailureMode: (next) =>
        Effect.sync(() => {
          mode = next
        }),
      setRate: (next) =>
        Effect.sync(() => {
          rate = next
        }),
      inject,
      withhold: (what, on) =>
        Effect.sync(() => {
          if (on) withheld.add(what)
          else withheld.delete(what)
        }),
      delist: (product, on) =>
        Effect.sync(() => {
          if (on) delisted.add(product)
          else delisted.delete(product)
        }),
      arrivals: () => [...arrivals],
      metrics: () => ({ ...count, open: lines.size }),
      accounts: () => Array.from(books.values(), (account) => ({ ...account })),
      entries: () => [...entries],
      log: Stream.fromPubSub(published).pipe(Stream.takeWhile((entry) => entry !== undefined)),
      stop: Scope.close(scope, Exit.void)
    }
  })

/** How often what is overdue is looked for. */
const collectMillis = 20

const reasons: Readonly<Record<Rule, string>> = {
  messages: "too many messages",
  subscribe: "no subscription",
  pong: "no pong",
  test: "test request not answered",
  idle: "inactive"
}

/** What the next dial meets, one entry a dial. */
type DialFate = Extract<Fault.Action, { readonly _tag: "Refuse" | "Hang" | "Status" }>

const hang: DialFate = { _tag: "Hang" }

const binary = Uint8Array.of(0, 255, 1, 254)

const ignore = (): void => {}

/** How the server ends a connection whose client sends what `ws` does not accept; nothing where the network failed. */
const refusalOf = (
  { code }: NodeJS.ErrnoException
): { readonly code: number; readonly reason: string } | undefined => {
  switch (code) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
      return { code: 1009, reason: "message too large" }
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return { code: 1008, reason: "message in too many parts" }
    case "WS_ERR_INVALID_UTF8":
      return { code: 1007, reason: "not UTF-8" }
  }
  return code?.startsWith("WS_ERR_") ? { code: 1002, reason: "protocol error" } : undefined
}

const counters = (
  books: Map<string, Counters>,
  { channel, product }: { readonly channel: string; readonly product: string }
): Counters => {
  const key = `${channel}\n${product}`
  const known = books.get(key)
  if (known !== undefined) return known
  const fresh: Counters = { channel, product, sent: 0, duplicated: 0, lost: 0, reordered: 0, corrupted: 0 }
  books.set(key, fresh)
  return fresh
}

const bearer = /^Bearer +(\S+)$/i

const tokenOf = (request: IncomingMessage): Redacted.Redacted<string> | undefined => {
  const token = bearer.exec(request.headers.authorization ?? "")?.[1]
  return token === undefined ? undefined : Redacted.make(token)
}

const isAllowed = (request: IncomingMessage, required: Redacted.Redacted<string> | undefined): boolean => {
  if (required === undefined) return true
  const token = tokenOf(request)
  return token !== undefined && Redacted.value(token) === Redacted.value(required)
}
