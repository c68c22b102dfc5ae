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
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { IncomingMessage } from "node:http"
import type { WebSocket } from "ws"
import * as Fault from "../network/Fault.ts"
import * as Enforcement from "../venue/Enforcement.ts"
import * as Listing from "../venue/Listing.ts"
import type * as Market from "../venue/Market.ts"
import type * as MockVenue from "../venue/MockVenue.ts"
import * as VenueServer from "../venue/VenueServer.ts"
import { Accounts } from "./internal/dataFaults.ts"
import * as Flow from "./internal/flow.ts"
import * as Journal from "./internal/journal.ts"
import * as Member from "./internal/member.ts"
import type { Arrival, LogEntry, Metrics, MockConnection, ServerCounts } from "./internal/model.ts"
import { Rules } from "./internal/rules.ts"
import * as SocketServer from "./internal/socketServer.ts"

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
 * What a server can keep to itself while everything else goes on. Of
 * `heartbeat` these are its protocol pings and pongs as well.
 *
 * @category models
 * @since 0.1.0
 */
export type Withheld = VenueServer.Withheld

/**
 * What a server tells of itself: the frames of clients as they came
 * (`Arrival`), the rules that a client did not keep (`Rule`), what happened, in
 * order (`LogEntry`), counts of market data by channel and product
 * (`ServerCounts`) and of everything (`Metrics`), and its end of one connection
 * (`MockConnection`).
 *
 * @category models
 * @since 0.1.0
 */
export type { Arrival, LogEntry, Metrics, MockConnection, Rule, ServerCounts } from "./internal/model.ts"

/**
 * A log entry as one line of JSON, its time in ISO-8601.
 *
 * @category encoding
 * @since 0.1.0
 */
export const entryToJson = (entry: LogEntry): string =>
  JSON.stringify({ ...entry, at: Timestamp.format(Timestamp.fromEpochMillis(entry.at)) })

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
  /** Moves a product's market to this best bid and ask, which every client that follows it is told. */
  readonly quote: (product: string, bid: string, ask: string) => Effect.Effect<void>
  /** One trade in a product's market, near its best prices. */
  readonly trade: (product: string) => Effect.Effect<void>
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
  /**
   * Has the venue say in its own word that a product is not in continuous trading, or all of them, until it is given no
   * word: then that it is again.
   */
  readonly tradingStatus: (status: string | undefined, product?: string | undefined) => Effect.Effect<void>
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

const malformed = "{\"type\":\"match\",\"price\":"

const binary = Uint8Array.of(0, 255, 1, 254)

/** How often what is overdue is looked for. */
const collectMillis = 20

const hang: SocketServer.DialFate = { _tag: "Hang" }

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
    const wallMillis = () => clock.currentTimeMillisUnsafe()
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const context = yield* Effect.context()
    const accepted = yield* Queue.sliding<MockConnection>(1_024)
    const firstOpen = yield* Deferred.make<number>()
    const journal = yield* Journal.make
    const { count, record } = journal

    const members = new Map<number, Member.Member>()
    const accounts = new Accounts()
    const fates: Array<SocketServer.DialFate> = []
    let mode: FailureMode = "None"
    let rejecting = false
    let rate = options.rate ?? 20

    const rules = new Rules({
      enforcement: options.enforcement ?? venue.enforcement ?? Enforcement.none,
      now,
      wallMillis,
      onEnforced: ({ id }, rule) => record({ _tag: "Enforced", at: wallMillis(), connection: id, rule })
    })
    const { enforcement } = rules
    const after = (millis: number, run: () => void) =>
      void Effect.runForkWith(context)(Effect.forkIn(Effect.delay(Effect.sync(run), millis), scope))
    const server = VenueServer.make({
      venue: { ...venue, enforcement },
      wallMillis,
      products: options.products,
      seed: options.seed,
      tests: enforcement.tests,
      after,
      answersData: options.replay === undefined
    })

    // --- the life of a connection ----------------------------------------------

    const drop = ({ line }: Member.Member) => {
      if (!members.delete(line.id)) return
      count.dropped++
      record({ _tag: "Drop", at: wallMillis(), connection: line.id })
      line.socket.resetAndDestroy()
    }

    const open = (dial: number, ws: WebSocket, request: IncomingMessage) => {
      const id = ++count.upgraded
      const member: Member.Member = Member.make({
        id,
        ws,
        request,
        rules,
        server,
        journal,
        accounts,
        now,
        wallMillis,
        requireToken: options.requireToken,
        isMalformed: () => mode === "MalformedData",
        isOpen: () => members.has(id),
        drop: () => drop(member),
        leave: () => members.delete(id),
        after
      })
      members.set(id, member)
      record({ _tag: "Upgraded", at: wallMillis(), dial, connection: id })
      member.conversation.greet()
      Queue.offerUnsafe(accepted, member.connection)
      Deferred.doneUnsafe(firstOpen, Exit.succeed(now()))
      if (mode === "Disconnect") drop(member)
    }

    // --- dials ------------------------------------------------------------------

    const sockets = SocketServer.make({
      journal,
      wallMillis,
      maxPayload: options.maxPayload ?? 1_048_576,
      fateOf: () => mode === "Timeout" ? hang : fates.shift(),
      ask: ({ headers, method = "GET", url = "/" }, body, reply) =>
        server.ask(Listing.question(method, url, body, SocketServer.textsOf(headers)), reply),
      refuses: (request) => {
        const address = request.socket.remoteAddress ?? ""
        const connections = [...members.values()].filter(({ line }) => line.address === address).length
        if (!rules.admitsDial(address, connections)) return 429
        if (rejecting) return 503
        return SocketServer.isAllowed(request, options.requireToken) ? undefined : 401
      },
      onOpen: open
    })

    // --- faults -----------------------------------------------------------------

    const strike = (member: Member.Member, action: Fault.Action): Effect.Effect<void> => {
      const { data, line } = member
      switch (action._tag) {
        case "Drop":
          return Effect.sync(() => drop(member))
        case "Close":
          return Effect.sync(() => line.ws.close(action.code))
        case "Silent":
          return Effect.sync(() => line.silence())
        case "Garbage":
          return Effect.sync(() => line.send(malformed))
        case "Binary":
          return Effect.sync(() => line.send(binary))
        case "Slow":
          return line.slowDown(action.millis, scope)
        case "Refuse":
        case "Hang":
        case "Status":
          return Effect.void
        default:
          return Effect.sync(() => data.add(action._tag))
      }
    }

    const inject = (action: Fault.Action, connection?: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        count.faults++
        const onDials = action._tag === "Refuse" || action._tag === "Hang" || action._tag === "Status"
        const struck = onDials
          ? []
          : [...members.values()].filter(({ line }) => connection === undefined || line.id === connection)
        const connections = struck.map(({ line }) => line.id)
        record({ _tag: "Fault", at: wallMillis(), fault: Fault.formatAction(action), connections })
        if (onDials) fates.push(...Array.from({ length: action._tag === "Refuse" ? action.dials : 1 }, () => action))
        return Effect.forEach(struck, (member) => strike(member, action), { discard: true })
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
    /** One step of the market of the next product that anyone follows. */
    const trade = (): number => {
      const followed = server.followed()
      const product = followed[turn % followed.length]
      if (product === undefined) return 0
      turn++
      return server.trade(product)
    }

    let position = 0
    /** The next frame of the recording, to all that have subscribed. */
    const replay = (recording: ReadonlyArray<string>): number => {
      const text = recording[position]
      const listeners = [...members.values()].filter(({ conversation }) => conversation.session().channels.size > 0)
      if (text === undefined || listeners.length === 0) return 0
      position++
      for (const { conversation } of listeners) conversation.say({ text, data: { channel: "replay", product: "" } })
      return 1
    }

    const every = (millis: number, run: (member: Member.Member) => void) =>
      millis > 0
        ? Effect.sleep(millis).pipe(
          Effect.andThen(Effect.sync(() => members.forEach(run))),
          Effect.forever,
          Effect.forkIn(scope)
        )
        : Effect.void

    // --- begin, and end -------------------------------------------------------------

    const { host = "127.0.0.1", port: asked = 0 } = options
    yield* Scope.addFinalizer(
      scope,
      Effect.gen(function*() {
        const open = [...members.values()]
        yield* sockets.close
        yield* Effect.forEach(open, ({ connection }) => connection.ended, { discard: true })
        yield* journal.end
      })
    )
    const port = yield* Effect.mapError(
      sockets.listen(host, asked),
      (code) => new ListenError({ host, port: asked, code })
    )

    yield* Effect.forkIn(plan, scope)
    yield* Effect.forkIn(
      Flow.flow({
        now,
        rate: () => rate,
        step: () => {
          if ([...members.values()].some(({ line }) => line.isFull())) return 0
          return options.replay === undefined ? trade() : replay(options.replay)
        }
      }),
      scope
    )
    yield* every(options.heartbeatMillis ?? venue.heartbeatMillis ?? 0, ({ conversation }) => conversation.beat())
    yield* every(options.pingMillis ?? enforcement.pings?.every ?? 0, ({ client, line }) => {
      if (!line.isSilent && line.isOpen() && !server.isWithheld("heartbeat")) rules.ping(client)
    })
    yield* every(rules.isTimed() ? collectMillis : 0, ({ client }) => rules.collect(client))

    const toAll = (frame: Frame) => Effect.sync(() => members.forEach(({ line }) => line.send(frame)))
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`
    return {
      url: `ws://${authority}`,
      httpUrl: `http://${authority}`,
      address: { host, port },
      nextConnection: Queue.take(accepted),
      connections: () => Array.from(members.values(), ({ connection }) => connection),
      sendPrice: (product, price) => Effect.sync(() => server.price(product, price)),
      quote: (product, bid, ask) => Effect.sync(() => server.quote(product, bid, ask)),
      trade: (product) => Effect.sync(() => void server.trade(product)),
      sendRaw: toAll,
      sendMalformed: (text = malformed) => toAll(text),
      sendBinary: (bytes = binary) => toAll(bytes),
      drop: (connection) =>
        Effect.sync(() => {
          const member = members.get(connection)
          if (member !== undefined) drop(member)
          return member !== undefined
        }),
      close: (connection, code = 1000, reason) =>
        Effect.sync(() => {
          const member = members.get(connection)
          member?.line.ws.close(code, reason)
          return member !== undefined
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
      withhold: (what, on) => Effect.sync(() => server.withhold(what, on)),
      delist: (product, on) => Effect.sync(() => server.delist(product, on)),
      tradingStatus: (status, product) =>
        Effect.andThen(
          Effect.sync(() => server.tradingStatus(status, product)),
          status === undefined || venue.statusMillis === undefined
            ? Effect.void
            : Effect.sync(() => server.repeatStatus(product)).pipe(
              Effect.repeat({ schedule: Schedule.spaced(venue.statusMillis), while: (lasts) => lasts }),
              Effect.delay(venue.statusMillis),
              Effect.forkIn(scope),
              Effect.asVoid
            )
        ),
      arrivals: () => rules.arrivals(),
      metrics: () => ({ ...count, open: members.size }),
      accounts: () => accounts.list(),
      entries: journal.entries,
      log: journal.log,
      stop: Scope.close(scope, Exit.void)
    }
  })
