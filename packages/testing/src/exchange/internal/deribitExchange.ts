/** Deribit's accounts, orders and connections: what is left when a connection ends. */
import type * as Decimal from "@tickline/core/value/Decimal"
import type { GatewayHost } from "../../venue/internal/mockVenue.ts"
import type * as Listing from "../../venue/Listing.ts"
import type { Market } from "../../venue/Market.ts"
import { Credits, type Pool } from "./credits.ts"
import { Books, type OrderRecord } from "./deribitBook.ts"
import { Quotes } from "./deribitQuotes.ts"
import * as Values from "./deribitValues.ts"
import { Balances } from "./positions.ts"
import { type Key, Tokens } from "./tokens.ts"
import type { Value } from "./wireJson.ts"

/** What goes wrong with the next calls of a method. */
export type Fault =
  | {
    readonly _tag: "Withhold" | "Cut"
    readonly method: string
    readonly calls?: number | undefined
    readonly takenAfter?: number | undefined
  }
  | {
    readonly _tag: "Delay"
    readonly method: string
    readonly millis: number
    readonly calls?: number | undefined
  }

/** A frame that asked for something to be done with orders, when it was read. */
export interface Received {
  readonly at: number
  readonly connection: number
  readonly method: string
  readonly label: string | undefined
  readonly orderId: string | undefined
  readonly text: string
}

/** A test of whether a client is alive. Times are epoch milliseconds. */
export interface Test {
  readonly connection: number
  readonly sentAt: number
  answeredAt: number | undefined
}

/** A connection, as far as others have to do with it. */
export interface Member {
  readonly number: number
  /** Who is signed in. */
  readonly account: () => string | undefined
  /** What it has subscribed. */
  readonly channels: () => Iterable<string>
  readonly notify: (channel: string, data: Value) => void
}

/** What an account has. */
export interface Holdings {
  readonly orders: ReadonlyArray<Readonly<OrderRecord>>
  readonly positions: ReadonlyMap<string, Decimal.Decimal>
}

/** An account: its API key, what it has, by currency, and the pools in which it differs from others. */
export interface Account extends Key {
  readonly balances?: Readonly<Record<string, string>> | undefined
  readonly pools?: Partial<Readonly<Record<Values.PoolName, Pool>>> | undefined
}

/** How an exchange is made. */
export interface Settings {
  readonly accounts: ReadonlyArray<Account>
  readonly pools: Readonly<Record<Values.PoolName, Pool>>
  readonly tokenMillis: number
  readonly testMillis: number
  readonly listing: Listing.Listing
}

export class DeribitExchange {
  readonly credits: Credits<Values.PoolName>
  readonly poolsOf: (account: string) => Settings["pools"]
  readonly tokens: Tokens
  readonly testMillis: number
  readonly received: Array<Received> = []
  readonly tests: Array<Test> = []
  isMaintained = false
  isSettling = false
  private readonly settings: Settings
  private readonly accounts: ReadonlyMap<string, Balances>
  private readonly disconnecting = new Set<string>()
  private readonly members = new Set<Member>()
  private faults: Array<{ readonly fault: Fault; left: number }> = []
  private connections = 0
  private opened: { readonly host: GatewayHost; readonly books: Books; readonly quotes: Quotes } | undefined

  constructor(settings: Settings) {
    this.settings = settings
    const pools = new Map(settings.accounts.map(({ clientId, pools }) => [clientId, { ...settings.pools, ...pools }]))
    this.poolsOf = (account) => pools.get(account) ?? settings.pools
    this.credits = new Credits(this.poolsOf)
    this.tokens = new Tokens(settings.accounts, settings.tokenMillis)
    this.testMillis = settings.testMillis
    this.accounts = new Map(
      settings.accounts.map(({ balances = {}, clientId }) => [clientId, new Balances(balances)])
    )
  }

  /** Opens it on the server that serves it: there is one. */
  open(server: GatewayHost): void {
    if (this.opened !== undefined) throw new Error("this exchange is served already")
    // It says the time in whole milliseconds.
    const host = { ...server, wallMillis: () => Math.floor(server.wallMillis()) }
    const books = new Books(host, (account) => this.balances(account))
    this.opened = { host, books, quotes: new Quotes(books, host.wallMillis) }
  }

  /** The market has moved, whoever moves it: orders may have traded with it. */
  move(market: Market): void {
    this.books.quote(market)
    this.tellChanges()
  }

  nextConnection(): number {
    return ++this.connections
  }

  join(member: Member): void {
    this.members.add(member)
  }

  get books(): Books {
    return this.serving().books
  }

  get quotes(): Quotes {
    return this.serving().quotes
  }

  now(): number {
    return this.serving().host.wallMillis()
  }

  balances(account: string): Balances {
    return this.accounts.get(account) ?? new Balances({})
  }

  listed(question: Listing.Question): Value {
    const answer = this.settings.listing(question, {
      atMillis: this.now(),
      markets: this.serving().host.markets(),
      trades: () => []
    })
    return typeof answer === "object" && answer !== null && "result" in answer ? answer.result as Value : undefined
  }

  cancelsOnDisconnect(account: string, isOn: boolean): void {
    if (isOn) this.disconnecting.add(account)
    else this.disconnecting.delete(account)
  }

  isCancelledOnDisconnect(account: string): boolean {
    return this.disconnecting.has(account)
  }

  fault(fault: Fault): void {
    this.faults.push({ fault, left: fault.calls ?? 1 })
  }

  /** What goes wrong with a call that is carried out now. */
  faultOf(method: string): Fault | undefined {
    const found = this.faults.find(({ fault }) => fault.method === method)
    if (found === undefined) return undefined
    found.left--
    this.faults = this.faults.filter(({ left }) => left > 0)
    return found.fault
  }

  /** A connection has ended. */
  leave(member: Member, cancels: boolean): void {
    this.members.delete(member)
    this.tokens.disconnect(member.number)
    if (!cancels) return
    const own = [...this.books.orders.values()].filter(({ connection }) => connection === member.number)
    this.books.cancel(own, "cancel_on_disconnect")
    this.tellChanges()
  }

  maintain(isOn: boolean): void {
    this.isMaintained = isOn
    this.serving().host.tradingStatus(isOn ? "maintenance" : undefined)
  }

  settle(isOn: boolean): void {
    if (this.isSettling && !isOn) this.books.settle()
    this.isSettling = isOn
  }

  /** What an account has. */
  holdings(account: string): Holdings {
    const positions = [...this.books.listed.keys()].map((product) =>
      [product, this.books.position(account, product).size] as const
    )
    return {
      orders: this.books.of(account),
      positions: new Map(positions.filter(([, size]) => size.value !== 0n))
    }
  }

  /** The orders that had a label, in the order in which they came. */
  labelled(label: string): ReadonlyArray<OrderRecord> {
    return [...this.books.orders.values()].filter((order) => order.label === label)
  }

  /** Tells all connections of an account what has changed of it. */
  tellChanges(): void {
    this.quotes.protect()
    for (const { account, orders, product, trades } of this.books.taken()) {
      const listed = this.books.listed.get(product)
      if (listed === undefined) continue
      for (const session of this.members) {
        if (session.account() !== account) continue
        for (const channel of session.channels()) {
          const [user, family, ...rest] = channel.split(".")
          if (user !== "user") continue
          if (family === "portfolio") {
            const [currency = ""] = rest
            if (currency === "any" || currency.toUpperCase() === listed.currency) {
              session.notify(channel, Values.portfolio(this.books, this.balances(account), account, listed.currency))
            }
            continue
          }
          const isMeant = rest[0] === product ||
            (rest.length === 3 && ["any", listed.kind].includes(rest[0] ?? "") &&
              ["any", listed.currency].includes(rest[1] ?? ""))
          if (!isMeant) continue
          if (family === "trades" && trades.length > 0) session.notify(channel, trades)
          else if (family === "changes") {
            session.notify(channel, {
              instrument_name: product,
              orders: orders.map(Values.order),
              trades,
              positions: trades.length === 0 ? [] : [Values.position(this.books, account, listed)]
            })
          } else if (family === "orders" && rest.at(-1) === "raw") {
            for (const order of orders) session.notify(channel, Values.order(order))
          } else if (family === "orders") session.notify(channel, orders.map(Values.order))
        }
      }
    }
  }

  private serving() {
    if (this.opened === undefined) throw new Error("this exchange is not served yet")
    return this.opened
  }
}
