/** Coinbase Advanced Trade's accounts and orders: what is left when a connection ends. */
import type * as Clearing from "@tickline/core/trading/Clearing"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Enforcement from "../../venue/Enforcement.ts"
import { instruments } from "../../venue/internal/instruments.ts"
import type { GatewayHost, HttpReply } from "../../venue/internal/mockVenue.ts"
import * as Listing from "../../venue/Listing.ts"
import type { Market } from "../../venue/Market.ts"
import { ClearedMarkets } from "./clearedMarkets.ts"
import type { CoinbaseMember } from "./coinbaseMember.ts"
import * as Orders from "./coinbaseOrders.ts"
import * as Reasons from "./coinbaseReasons.ts"
import * as Requests from "./coinbaseRequests.ts"
import { type ApiKey, CoinbaseTokens } from "./coinbaseTokens.ts"
import { type CallFault, HttpExchange, type ReceivedCall, type Route } from "./httpExchange.ts"

const prefix = "/api/v3/brokerage"

/** An account: its API key, and what it has, by asset. */
export interface Account extends ApiKey {
  readonly balances?: Readonly<Record<string, string>> | undefined
}

/** How an exchange is made. */
export interface Settings {
  readonly accounts: ReadonlyArray<Account>
  readonly requestsPerSecond: number
  readonly cancelMillis: number
  readonly mostPerPage: number
  readonly seed: number
  readonly fees: Pick<Fees, "maker" | "taker"> | undefined
  readonly firstOrder: number
}

/** @see https://help.coinbase.com/en/coinbase/trading-and-funding/advanced-trade/advanced-trade-fees (read 2026-11-26) */
const standardFees = { maker: BigDecimal.make(4n, 3), taker: BigDecimal.make(6n, 3) }

/** A page of what there is, newest first, from the cursor on. A cursor is how many came before. */
const pageOf = <A>(items: ReadonlyArray<A>, question: Listing.Question, limit: number, most: number) => {
  const from = Listing.numberIn(question.query, "cursor") ?? 0
  const size = Math.min(Listing.numberIn(question.query, "limit") ?? limit, most)
  const next = from + size
  return {
    page: items.slice(from, next),
    has_next: next < items.length,
    cursor: next < items.length ? String(next) : ""
  }
}

const isWithin = (values: ReadonlyArray<string>, value: string): boolean =>
  values.length === 0 || values.includes(value)

export class CoinbaseExchange {
  readonly orders: Array<Orders.OrderRecord> = []
  readonly tokens: CoinbaseTokens
  readonly http: HttpExchange
  readonly instruments: ReadonlyMap<string, Instrument>
  isSilent = false
  private readonly markets: ClearedMarkets
  private readonly host: GatewayHost
  private readonly settings: Settings
  private readonly members = new Set<CoinbaseMember>()
  private readonly limits: ReadonlyMap<string, Enforcement.Counter>
  private readonly engineIds = new Map<string, Orders.OrderRecord>()
  private changed = new Set<Orders.OrderRecord>()

  constructor(host: GatewayHost, settings: Settings) {
    this.host = { ...host, wallMillis: () => Math.floor(host.wallMillis()) }
    this.settings = settings
    this.tokens = new CoinbaseTokens(settings.accounts)
    const window = { limit: settings.requestsPerSecond, windowMillis: 1_000 }
    this.limits = new Map(settings.accounts.map(({ keyName }) => [keyName, Enforcement.makeCounter([window])]))
    const listed = instruments({ atMillis: 0, markets: host.markets(), trades: () => [] }, Coinbase.venue.symbols)
    this.instruments = new Map(listed.map(({ base, priceScale, quote, sizeScale, symbol }) => [
      symbol,
      new Instrument({
        product: symbol,
        tick: BigDecimal.make(1n, priceScale),
        lot: BigDecimal.make(1n, sizeScale),
        fees: new Fees(settings.fees ?? standardFees),
        base,
        feeAsset: quote
      })
    ]))
    this.markets = new ClearedMarkets(this.host, [...this.instruments.values()])
    for (const { balances = {}, keyName } of settings.accounts) {
      for (const [asset, amount] of Object.entries(balances)) {
        const decimal = Requests.positive(amount)
        if (decimal !== undefined) this.markets.clearing.deposit(keyName, asset, decimal)
      }
    }
    this.http = new HttpExchange({
      after: this.host.after,
      wallMillis: this.host.wallMillis,
      routes: this.routes(),
      told: () => this.tellChanges(),
      seed: settings.seed
    })
  }

  get received(): ReadonlyArray<ReceivedCall> {
    return this.http.received
  }

  get clearing(): Clearing.Clearing {
    return this.markets.clearing
  }

  fault(fault: CallFault): void {
    this.http.fault(fault)
  }

  ask(question: Listing.Question, reply: HttpReply): boolean {
    return this.http.ask(question, reply)
  }

  /** The market has moved, whoever moves it: orders may have traded with it. */
  move(market: Market): void {
    this.take(this.markets.move(market))
    this.tellChanges()
  }

  join(member: CoinbaseMember): void {
    this.members.add(member)
  }

  leave(member: CoinbaseMember): void {
    this.members.delete(member)
  }

  /** Tells a connection how the open orders of its account stand, in batches; the last has fewer than a whole one has. */
  snapshot(member: CoinbaseMember, account: string): void {
    const open = this.orders.filter((order) => order.account === account && !Orders.isOver(order)).toReversed()
    const batch = 50
    for (let from = 0; from <= open.length; from += batch) member.tell("snapshot", open.slice(from, from + batch))
  }

  private tellChanges(): void {
    const changed = [...this.changed]
    this.changed = new Set()
    if (changed.length === 0 || this.isSilent) return
    for (const member of this.members) {
      const own = changed.filter(({ account }) => account === member.account())
      if (own.length > 0) member.tell("update", own)
    }
  }

  // --- what it is asked ----------------------------------------------------------

  private routes(): ReadonlyArray<Route> {
    const route = (
      method: "GET" | "POST",
      path: string,
      answer: (account: string, question: Listing.Question, part: string) => Listing.Answer
    ): Route => ({
      call: `${method} ${path}`,
      method,
      path: `${prefix}/${path}`,
      answer: (question, [part = ""]) => {
        const now = this.host.wallMillis()
        const [, token = ""] = /^Bearer (\S+)$/.exec(question.headers["authorization"] ?? "") ?? []
        const account = this.tokens.check(token, now, question)
        if (Result.isFailure(account)) return Reasons.unauthorized
        this.take(this.markets.expire())
        const isAdmitted = this.limits.get(account.success)?.admits(now, 1) === true
        return isAdmitted ? answer(account.success, question, part) : Reasons.tooMany(1)
      }
    })
    return [
      route("GET", "accounts", (account, question) => this.accounts(account, question)),
      route("GET", "products", () => {
        const products = [...this.instruments.keys()].map((product) => this.product(product))
        return new Listing.Answer(200, { products, num_products: products.length })
      }),
      route("GET", "products/{id}", (_, __, product) => {
        const found = this.product(product)
        return found === undefined
          ? Reasons.notFound(`${product} is not found`)
          : new Listing.Answer(200, found)
      }),
      route("POST", "orders", (account, { body }) => this.place(account, body)),
      route("POST", "orders/edit", (account, { body }) => this.edit(account, body)),
      route("POST", "orders/batch_cancel", (account, { body }) => this.cancel(account, body)),
      route("GET", "orders/historical/batch", (account, question) => this.list(account, question)),
      route("GET", "orders/historical/fills", (account, question) => this.fills(account, question)),
      route("GET", "orders/historical/{id}", (account, _, orderId) => {
        const order = this.orders.find((order) => order.account === account && order.orderId === orderId)
        return order === undefined
          ? Reasons.notFound(`order with this orderID was not found`)
          : new Listing.Answer(200, { order: Orders.orderOf(order) })
      })
    ]
  }

  private most(most: number): number {
    return Math.min(most, this.settings.mostPerPage)
  }

  private product(product: string): object | undefined {
    const [instrument, market] = [this.instruments.get(product), this.markets.market(product)]
    if (instrument === undefined || market === undefined) return undefined
    const { ask: [ask], bid: [bid], price, volume } = market.last
    return Orders.productOf(instrument, { price, volume, bid, ask })
  }

  private accounts(account: string, question: Listing.Question): Listing.Answer {
    const all = this.clearing.balances(account).map(({ asset, ...balance }) => Orders.accountOf(asset, balance))
    const { page, ...rest } = pageOf(all, question, 49, this.most(250))
    return new Listing.Answer(200, { accounts: page, ...rest, size: page.length })
  }

  private list(account: string, question: Listing.Question): Listing.Answer {
    const values = (name: string) => Listing.valuesIn(question, name)
    const [ids, products, statuses] = [values("order_ids"), values("product_ids"), values("order_status")]
    if (statuses.includes("OPEN") && statuses.length > 1) {
      return Reasons.invalid("OPEN cannot be paired with other order statuses")
    }
    const [start, end] = ["start_date", "end_date"].map((name) => Timestamp.fromIso(question.query.get(name) ?? ""))
    const found = this.orders.toReversed().filter((order) =>
      order.account === account && isWithin(ids, order.orderId) && isWithin(products, order.product) &&
      isWithin(statuses, order.status) && (start === undefined || order.createdAt >= Timestamp.epochMillis(start)) &&
      (end === undefined || order.createdAt < Timestamp.epochMillis(end))
    )
    const { page, ...rest } = pageOf(found, question, 1_000, this.most(1_000))
    return new Listing.Answer(200, {
      orders: page.map(Orders.orderOf),
      sequence: "0",
      ...rest,
      proof_token_required: false
    })
  }

  private fills(account: string, question: Listing.Question): Listing.Answer {
    const values = (name: string) => Listing.valuesIn(question, name)
    const [ids, trades, products] = [values("order_ids"), values("trade_ids"), values("product_ids")]
    const [start, end] = ["start_sequence_timestamp", "end_sequence_timestamp"]
      .map((name) => Timestamp.fromIso(question.query.get(name) ?? ""))
    const found = this.orders.filter((order) =>
      order.account === account && isWithin(ids, order.orderId) && isWithin(products, order.product)
    ).flatMap((order) => order.fills.map((fill) => ({ order, fill }))).filter(({ fill: { at, tradeId } }) =>
      isWithin(trades, tradeId) && (start === undefined || at >= Timestamp.epochMillis(start)) &&
      (end === undefined || at < Timestamp.epochMillis(end))
    ).toSorted((one, other) => Number(other.fill.entryId) - Number(one.fill.entryId))
    const { cursor, page } = pageOf(found, question, 100, this.most(1_000))
    return new Listing.Answer(200, {
      fills: page.map(({ fill, order }) => Orders.fillOf(order, fill)),
      cursor,
      proof_token_required: false
    })
  }

  // --- what it does ----------------------------------------------------------------

  private place(account: string, body: string): Listing.Answer {
    const read = Requests.readOrder(body)
    if (Result.isFailure(read)) return Reasons.invalid("the order cannot be read")
    const { client_order_id, order_configuration, product_id, side } = read.success
    if (client_order_id === "" || client_order_id.length > 128) return Reasons.invalid("invalid client_order_id")
    const known = this.orders.find((order) => order.account === account && order.clientOrderId === client_order_id)
    if (known !== undefined) return this.placed(known)
    const configuration = Requests.configurationIn(order_configuration)
    const command = configuration &&
      Requests.placing(account, product_id, side === "BUY" ? "buy" : "sell", configuration)
    if (configuration === undefined || command === undefined) {
      return Reasons.notPlaced(Reasons.reason("UNSUPPORTED_ORDER_CONFIGURATION", "The order configuration was invalid"))
    }
    const at = this.host.wallMillis()
    const order: Orders.OrderRecord = {
      orderId: `00000000-0000-4000-8000-${String(this.settings.firstOrder + this.orders.length).padStart(12, "0")}`,
      clientOrderId: client_order_id,
      account,
      product: product_id,
      side: command.side,
      configuration,
      createdAt: at,
      price: command.type === "limit" ? command.price : undefined,
      size: command.amount,
      status: "OPEN",
      filled: Decimal.zero,
      value: Decimal.zero,
      fees: Decimal.zero,
      updatedAt: at,
      cancelMessage: "",
      edits: [],
      fills: []
    }
    const events = this.markets.apply(command)
    const rejected = events.find((event) => event._tag === "Rejected")
    if (rejected !== undefined) return Reasons.notPlaced(Reasons.reasonOf(rejected.reason), order_configuration)
    this.orders.push(order)
    this.take(events, order)
    return this.placed(order)
  }

  private placed(order: Orders.OrderRecord): Listing.Answer {
    return new Listing.Answer(200, {
      success: true,
      success_response: {
        order_id: order.orderId,
        product_id: order.product,
        side: order.side === "buy" ? "BUY" : "SELL",
        client_order_id: order.clientOrderId
      },
      order_configuration: Orders.configurationOf(order)
    })
  }

  private edit(account: string, body: string): Listing.Answer {
    const read = Requests.readEdit(body)
    if (Result.isFailure(read)) return Reasons.invalid("the edit cannot be read")
    const { order_id, price: priceText, size } = read.success
    const order = this.orders.find((order) => order.account === account && order.orderId === order_id)
    if (order === undefined) return Reasons.notEdited("ORDER_NOT_FOUND")
    if (order.configuration.kind !== "limit_limit_gtc") return Reasons.notEdited("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
    if (Orders.isOver(order)) return Reasons.notEdited("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
    const [price, amount] = [Requests.positive(priceText), Requests.positive(size)]
    if (price === undefined) return Reasons.notEdited("INVALID_EDITED_PRICE")
    if (amount === undefined) return Reasons.notEdited("INVALID_EDITED_SIZE")
    if (order.price !== undefined && BigDecimal.equals(order.price, price) && BigDecimal.equals(order.size, amount)) {
      return Reasons.notEdited("EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST")
    }
    const orderId = this.engineIdOf(order)
    const events = this.markets.apply({ _tag: "Amend", account, orderId, price, amount })
    const rejected = events.find((event) => event._tag === "Rejected")
    if (rejected !== undefined) return Reasons.editReasonOf(rejected.reason)
    order.price = price
    order.size = amount
    order.edits.push({ price: Decimal.format(price), size: Decimal.format(amount), at: this.host.wallMillis() })
    this.take(events)
    return new Listing.Answer(200, { success: true, errors: [] })
  }

  private cancel(account: string, body: string): Listing.Answer {
    const read = Requests.readCancel(body)
    if (Result.isFailure(read)) return Reasons.invalid("the order ids cannot be read")
    const results = read.success.order_ids.map((order_id) => {
      const order = this.orders.find((order) => order.account === account && order.orderId === order_id)
      const failure_reason = order === undefined || order.status === "CANCELLED" || order.status === "EXPIRED"
        ? "UNKNOWN_CANCEL_ORDER"
        : order.status === "FILLED"
        ? "ORDER_IS_FULLY_FILLED"
        : order.status === "CANCEL_QUEUED"
        ? "DUPLICATE_CANCEL_REQUEST"
        : undefined
      if (order === undefined || failure_reason !== undefined) {
        return { success: false, failure_reason: failure_reason ?? "UNKNOWN_CANCEL_ORDER", order_id }
      }
      this.queueCancel(order)
      return { success: true, failure_reason: "UNKNOWN_CANCEL_FAILURE_REASON", order_id }
    })
    return new Listing.Answer(200, { results })
  }

  private queueCancel(order: Orders.OrderRecord): void {
    const { cancelMillis } = this.settings
    const cancel = (): void => {
      const { account } = order
      this.take(this.markets.apply({ _tag: "Cancel", account, orderId: this.engineIdOf(order) }))
    }
    if (cancelMillis === 0) return cancel()
    order.status = "CANCEL_QUEUED"
    this.changed.add(order)
    this.host.after(cancelMillis, () => {
      if (!Orders.isOver(order)) cancel()
      this.tellChanges()
    })
  }

  private engineIdOf(order: Orders.OrderRecord): string {
    return [...this.engineIds].find(([, known]) => known === order)?.[0] ?? ""
  }

  // What the engine did becomes what is known of orders. What is accepted is `placed`.
  private take(events: ReadonlyArray<Clearing.Event>, placed?: Orders.OrderRecord): void {
    const at = this.host.wallMillis()
    for (const event of events) {
      if (event._tag === "Rejected") continue
      if (event._tag === "Traded") {
        const { amount, price, tradeId } = event
        for (
          const [{ fee, order: { orderId } }, liquidity] of [[event.maker, "MAKER"], [event.taker, "TAKER"]] as const
        ) {
          const order = this.engineIds.get(orderId)
          if (order === undefined) continue
          const entryId = String(this.orders.reduce((count, { fills }) => count + fills.length, 0) + 1)
          order.fills.push({ entryId, tradeId, at, price, size: amount, commission: fee, liquidity })
          order.filled = BigDecimal.sum(order.filled, amount)
          order.value = BigDecimal.sum(order.value, BigDecimal.multiply(price, amount))
          order.fees = BigDecimal.sum(order.fees, fee)
          if (BigDecimal.equals(order.filled, order.size)) order.status = "FILLED"
          this.note(order, at)
        }
        continue
      }
      if (event._tag === "Accepted" && placed !== undefined) this.engineIds.set(event.order.orderId, placed)
      const order = this.engineIds.get(event.order.orderId)
      if (order === undefined) continue
      if (event._tag === "Cancelled") {
        order.status = "CANCELLED"
        order.cancelMessage = event.reason === "requested" ? "User requested cancel" : "Internal error"
      }
      if (event._tag === "Expired") order.status = "EXPIRED"
      this.note(order, at)
    }
  }

  private note(order: Orders.OrderRecord, at: number): void {
    order.updatedAt = at
    this.changed.add(order)
  }
}
