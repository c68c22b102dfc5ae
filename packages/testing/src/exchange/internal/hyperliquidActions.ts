/** What Hyperliquid's exchange does when it is asked to, in its own words. */
import type { Refusal } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ClearedBooks } from "./clearedBooks.ts"
import { figure, type Order, type Terms } from "./hyperliquidAnswers.ts"

/** What can be traded: its number, its decimals, and whether it has positions. */
export interface Listed {
  readonly id: number
  readonly product: string
  readonly szDecimals: number
  readonly isPerpetual: boolean
}

const Cloid = Schema.String.check(Schema.isPattern(/^0x[0-9a-f]{32}$/))

const Figure = Schema.String.check(Schema.isPattern(/^\d+(?:\.\d+)?$/))

const OrderWire = Schema.Struct({
  a: Schema.Int,
  b: Schema.Boolean,
  p: Figure,
  s: Figure,
  r: Schema.Boolean,
  t: Schema.Struct({ limit: Schema.Struct({ tif: Schema.Literals(["Gtc", "Ioc", "Alo", "FrontendMarket"]) }) }),
  c: Schema.optionalKey(Cloid)
})

type OrderWire = typeof OrderWire.Type

const Action = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("order"),
    orders: Schema.NonEmptyArray(OrderWire),
    grouping: Schema.Literal("na"),
    builder: Schema.optionalKey(Schema.Struct({ b: Schema.String, f: Schema.Int }))
  }),
  Schema.Struct({
    type: Schema.Literal("batchModify"),
    modifies: Schema.NonEmptyArray(Schema.Struct({ oid: Schema.Union([Schema.Int, Cloid]), order: OrderWire }))
  }),
  Schema.Struct({
    type: Schema.Literal("cancel"),
    cancels: Schema.NonEmptyArray(Schema.Struct({ a: Schema.Int, o: Schema.Int }))
  }),
  Schema.Struct({
    type: Schema.Literal("cancelByCloid"),
    cancels: Schema.NonEmptyArray(Schema.Struct({ asset: Schema.Int, cloid: Cloid }))
  }),
  Schema.Struct({ type: Schema.Literal("scheduleCancel"), time: Schema.optionalKey(Schema.Int) }),
  Schema.Struct({ type: Schema.Literal("noop") })
])

const readAction = Schema.decodeUnknownResult(Action, { onExcessProperty: "error" })

/** How soon orders may be scheduled to be cancelled. */
const soonestMillis = 5_000

/** The least value of an order, in dollars. */
const leastValue = BigDecimal.make(10n, 0)

const significant = 5

const isWhole = (price: Decimal.Decimal): boolean => price.value % 10n ** BigInt(price.scale) === 0n

const figuresOf = (decimal: Decimal.Decimal): { readonly digits: number; readonly decimals: number } => {
  const text = figure(decimal).replace(/\.0$/, "")
  const [, decimals = ""] = text.split(".")
  return { digits: text.replace(".", "").replace(/^0+/, "").length, decimals: decimals.length }
}

const kept: Readonly<Record<string, "gtc" | "ioc" | "post-only">> = {
  Gtc: "gtc",
  Ioc: "ioc",
  FrontendMarket: "ioc",
  Alo: "post-only"
}

/** What the books refused, in the venue's words. */
const refusedBy = (refusal: Refusal, asset: number, bbo: string): string => {
  switch (refusal._tag) {
    case "WouldTrade":
      return `Post only order would have immediately matched, bbo was ${bbo}.`
    case "NotReducing":
      return `Reduce only order would increase position. asset=${asset}`
    case "InsufficientFunds":
      return `Insufficient margin to place order. asset=${asset}`
    default:
      return `Order has invalid price.`
  }
}

/** An account's actions. */
export class Actions {
  private readonly books: ClearedBooks<Terms>
  private readonly assets: ReadonlyMap<number, Listed>
  private readonly now: () => number
  private readonly after: (millis: number, run: () => void) => void
  private readonly scheduled = new Map<string, object>()

  constructor(
    books: ClearedBooks<Terms>,
    assets: ReadonlyMap<number, Listed>,
    host: { readonly wallMillis: () => number; readonly after: (millis: number, run: () => void) => void }
  ) {
    this.books = books
    this.assets = assets
    this.now = host.wallMillis
    this.after = host.after
  }

  /** Carries an action out for an account: its answer, or `undefined` if it is none that is known. */
  carryOut(user: string, action: unknown, told: () => void): object | undefined {
    const read = readAction(action)
    if (Result.isFailure(read)) return undefined
    const done = read.success
    const answer = (statuses: ReadonlyArray<unknown>, type: string = done.type) => ({
      status: "ok",
      response: { type, data: { statuses } }
    })
    switch (done.type) {
      case "order":
        return answer(done.orders.map((order) => this.place(user, order)))
      case "batchModify":
        return answer(done.modifies.map(({ oid, order }) => this.modify(user, oid, order)), "order")
      case "cancel":
        return answer(done.cancels.map(({ a, o }) => this.cancel(user, a, ({ orderId }) => orderId === String(o))))
      case "cancelByCloid":
        return answer(
          done.cancels.map(({ asset, cloid }) => this.cancel(user, asset, ({ clientId }) => clientId === cloid)),
          "cancel"
        )
      case "scheduleCancel":
        return this.schedule(user, done.time, told)
      case "noop":
        return { status: "ok", response: { type: "default" } }
    }
  }

  private bbo(product: string): string {
    const best = (side: "buy" | "sell") => this.books.clearing.books.levels(product, side, 1)[0]?.[0] ?? Decimal.zero
    return `${figure(best("buy"))}@${figure(best("sell"))}`
  }

  /** Why an order is refused before it comes to the books. */
  private objection(user: string, { a, c, p, r, s }: OrderWire, replaced?: Order): string | undefined {
    const listed = this.assets.get(a)
    const [price, size] = [Decimal.parse(p), Decimal.parse(s)]
    if (listed === undefined) return `Invalid asset. asset=${a}`
    if (price === undefined || size === undefined || !Decimal.isPositive(price)) return "Order has invalid price."
    if (!Decimal.isPositive(size)) return "Order has zero size."
    if (figuresOf(size).decimals > listed.szDecimals) return "Order has invalid size."
    const { decimals, digits } = figuresOf(price)
    const most = (listed.isPerpetual ? 6 : 8) - listed.szDecimals
    if (!isWhole(price) && (digits > significant || decimals > most)) {
      return `Price must be divisible by tick size. asset=${a}`
    }
    if (!r && BigDecimal.isLessThan(BigDecimal.multiply(price, size), leastValue)) {
      return `Order must have minimum value of $10. asset=${a}`
    }
    const isTaken = this.books.of(user).some((order) =>
      order !== replaced && order.clientId === c && order.status === "open"
    )
    return c !== undefined && isTaken ? `Cloid already in use. asset=${a}` : undefined
  }

  private place(user: string, order: OrderWire): object {
    const objection = this.objection(user, order)
    return objection === undefined ? this.placeLegal(user, order) : { error: objection }
  }

  private placeLegal(user: string, { a, b, c, p, r, s, t: { limit: { tif } } }: OrderWire): object {
    const product = this.assets.get(a)?.product ?? ""
    const placed = this.books.place({
      _tag: "Place",
      account: user,
      product,
      side: b ? "buy" : "sell",
      amount: Decimal.parse(s) ?? Decimal.zero,
      price: Decimal.parse(p) ?? Decimal.zero,
      type: "limit",
      timeInForce: kept[tif] ?? "gtc",
      reduceOnly: r,
      // https://hyperliquid.gitbook.io/hyperliquid-docs/trading/self-trade-prevention (read 2026-11-26)
      selfTrade: "cancel-maker"
    }, { clientId: c, terms: { tif } })
    if ("_tag" in placed) return { error: refusedBy(placed, a, this.bbo(product)) }
    const named = { oid: Number(placed.orderId), ...(c === undefined ? {} : { cloid: c }) }
    if (placed.status === "open") return { resting: named }
    if (placed.filled.value === 0n) {
      return { error: `Order could not immediately match against any resting orders. asset=${a}` }
    }
    const cost = placed.fills.reduce(
      (sum, { amount, price }) => BigDecimal.sum(sum, BigDecimal.multiply(amount, price)),
      Decimal.zero
    )
    const average = BigDecimal.round(BigDecimal.divideUnsafe(cost, placed.filled), { scale: 8, mode: "half-from-zero" })
    return { filled: { totalSz: figure(placed.filled), avgPx: figure(average), ...named } }
  }

  private modify(user: string, oid: number | string, order: OrderWire): object {
    const old = this.books.of(user).findLast(({ clientId, orderId }) =>
      typeof oid === "number" ? orderId === String(oid) : clientId === oid
    )
    if (old?.status !== "open") return { error: `Cannot modify canceled or filled order` }
    const objection = this.objection(user, order, old)
    if (objection !== undefined) return { error: objection }
    this.books.cancel([old])
    return this.placeLegal(user, order)
  }

  private cancel(user: string, asset: number, isMeant: (order: Order) => boolean): unknown {
    const product = this.assets.get(asset)?.product
    const order = this.books.of(user).findLast((order) => order.product === product && isMeant(order))
    return order !== undefined && this.books.cancel([order]) > 0
      ? "success"
      : { error: `Order was never placed, already canceled, or filled. asset=${asset}` }
  }

  private schedule(user: string, time: number | undefined, told: () => void): object {
    const token = {}
    const at = this.now()
    if (time !== undefined && time < at + soonestMillis) {
      return { status: "err", response: "Scheduled cancel must be at least 5 seconds in the future." }
    }
    this.scheduled.set(user, token)
    if (time !== undefined) {
      this.after(time - at, () => {
        if (this.scheduled.get(user) !== token) return
        this.books.cancel(this.books.of(user), "schedule")
        told()
      })
    }
    return { status: "ok", response: { type: "default" } }
  }
}
