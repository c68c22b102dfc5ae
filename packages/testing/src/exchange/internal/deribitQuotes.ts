/**
 * Deribit's mass quotes, and the market-maker protection (MMP) that they are under.
 * https://docs.deribit.com/articles/mass-quotes-specifications and …/market-maker-protection (read 2026-11-26)
 */
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { Books, Listed, OrderRecord, Quote } from "./deribitBook.ts"
import { invalid, Refused } from "./deribitErrors.ts"
import * as Values from "./deribitValues.ts"
import * as Positions from "./positions.ts"
import { countIn, decimalIn, flagIn, listIn, objectIn, type Params, textIn, type Value } from "./wireJson.ts"

/** The protection of an index, or of a group of quotes in it. Times are milliseconds. */
interface Protection {
  readonly id: number
  readonly indexName: string
  readonly group: string | undefined
  readonly intervalMillis: number
  readonly frozenMillis: number
  readonly limits: { readonly [name: string]: Decimal.Decimal | undefined }
  /** What was traded of its quotes, in the base currency. */
  traded: ReadonlyArray<{ readonly at: number; readonly amount: Decimal.Decimal }>
  /** Until when nothing can be quoted; for ever until it is reset. */
  frozenUntil: number
}

const shown = ({ frozenMillis, group, id, indexName, intervalMillis, limits }: Protection): Value => ({
  id,
  index_name: indexName,
  mmp_group: group,
  interval: intervalMillis / 1_000,
  frozen_time: frozenMillis / 1_000,
  ...limits
})

const limitNames = ["quantity_limit", "delta_limit", "vega_limit", "max_quote_quantity"]

const indexOf = ({ base, quote }: Listed): string => `${base}_${quote}`.toLowerCase()

const inBase = ({ instrument: { valuation } }: Listed, amount: Decimal.Decimal, price: Decimal.Decimal) =>
  valuation === "inverse" ? Positions.quotient(amount, price) : amount

/** A side of a quote that is asked for. What is not said stays. */
interface Side {
  readonly side: "bid" | "ask"
  readonly quote: Quote
  readonly terms: Params
  readonly resting: OrderRecord | undefined
  readonly connection: number
}

/** The quotes of all accounts. */
export class Quotes {
  private readonly books: Books
  private readonly now: () => number
  private readonly protections = new Map<string, Map<string, Protection>>()
  private made = 0

  constructor(books: Books, now: () => number) {
    this.books = books
    this.now = now
    books.onTraded = (record, amount, price) => this.traded(record, amount, price)
  }

  /** Sets a protection, or takes it away where its interval is zero. */
  configure(account: string, params: Params): Value | Refused {
    const indexName = textIn(params, "index_name") ?? ""
    const group = textIn(params, "mmp_group")
    const interval = countIn(params, "interval") ?? 0
    const of = this.protections.get(account) ?? new Map<string, Protection>()
    const known = of.get(group ?? indexName)
    if (known !== undefined && known.indexName !== indexName) return invalid("mmp_group", "of another index")
    if (interval === 0) {
      of.delete(group ?? indexName)
      return []
    }
    if (decimalIn(params, "max_quote_quantity") === undefined) return invalid("max_quote_quantity", "missing")
    const limits = Object.fromEntries(limitNames.map((name) => [name, decimalIn(params, name)]))
    const protection: Protection = {
      id: known?.id ?? ++this.made,
      indexName,
      group,
      intervalMillis: interval * 1_000,
      frozenMillis: (countIn(params, "frozen_time") ?? 0) * 1_000,
      limits,
      traded: [],
      frozenUntil: 0
    }
    this.protections.set(account, of.set(group ?? indexName, protection))
    return [shown(protection)]
  }

  /** The protections of an index and a group, where these are said. */
  configured(account: string, params: Params): Value {
    const [indexName, group] = [textIn(params, "index_name"), textIn(params, "mmp_group")]
    return [...this.protections.get(account)?.values() ?? []]
      .filter((one) =>
        (indexName === undefined || one.indexName === indexName) && (group === undefined || one.group === group)
      )
      .map(shown)
  }

  /** Lets be quoted again at once. */
  reset(account: string, params: Params): Value | Refused {
    const protection = this.protectionOf(account, textIn(params, "mmp_group") ?? textIn(params, "index_name"))
    if (protection === undefined) return invalid("index_name", "not found")
    protection.traded = []
    protection.frozenUntil = 0
    return "ok"
  }

  /** Quotes, each side by itself: some may be refused and the others not. */
  quote(account: string, connection: number, params: Params): Value | Refused {
    const group = textIn(params, "mmp_group") ?? ""
    const protection = this.protectionOf(account, group)
    if (protection === undefined) return invalid("mmp_group", "not found")
    const isDetailed = flagIn(params, "detailed")
    const [orders, trades, errors]: [Array<OrderRecord>, Array<Value>, Array<Value>] = [[], [], []]
    const asked: Array<{ readonly instrument_name: string; readonly side: "bid" | "ask" }> = []
    for (const one of listIn(params, "quotes")) {
      const product = textIn(one, "instrument_name") ?? ""
      const quote = { group, quoteId: textIn(params, "quote_id") ?? "", quoteSetId: textIn(one, "quote_set_id") }
      for (const side of this.inOrder(account, group, product, one)) {
        const terms = objectIn(one, side)
        if (terms === undefined) continue
        asked.push({ instrument_name: product, side })
        const resting = this.restingOf(account, group, product, side)
        const from = resting?.trades.length ?? 0
        const record = this.quoteSide(account, protection, product, { side, quote, terms, resting, connection })
        if (record instanceof Refused) errors.push({ instrument_name: product, side, error: record.toValue() })
        else {
          orders.push(record)
          trades.push(...record.trades.slice(from))
        }
      }
    }
    if (params["wait_for_response"] === false) {
      return isDetailed ? { pending_requests: asked } : { pending_requests_count: asked.length }
    }
    return isDetailed ? { orders: orders.map(Values.order), trades, errors } : { errors_count: errors.length }
  }

  /** The open quotes of an account that are meant, by what `cancel_type` says. */
  meant(account: string, params: Params): ReadonlyArray<OrderRecord> | Refused {
    const open = this.books.of(account).filter(({ quote, state }) => quote !== undefined && state === "open")
    const by = (isMeant: (record: OrderRecord, listed: Listed) => boolean) =>
      open.filter((record) => {
        const listed = this.books.listed.get(record.product)
        return listed !== undefined && isMeant(record, listed)
      })
    switch (textIn(params, "cancel_type")) {
      case "all":
        return open
      case "quote_set_id":
        return by(({ quote }) => quote?.quoteSetId === textIn(params, "quote_set_id"))
      case "instrument":
        return by(({ product }) => product === textIn(params, "instrument_name"))
      case "instrument_kind":
        return by((_, { kind }) => ["any", kind].includes(textIn(params, "kind") ?? "any"))
      case "currency":
        return by((_, { currency }) => currency === textIn(params, "currency"))
      case "currency_pair":
        return by((_, listed) => indexOf(listed) === textIn(params, "currency_pair"))
      case "delta":
        return []
      default:
        return invalid("cancel_type", "invalid value")
    }
  }

  /** What was traded of quotes beyond their protection takes the rest away. Called once trades are over. */
  protect(): void {
    const now = this.now()
    for (const [account, of] of this.protections) {
      for (const protection of of.values()) {
        const { frozenMillis, group, intervalMillis, limits: { quantity_limit: limit } } = protection
        protection.traded = protection.traded.filter(({ at }) => at > now - intervalMillis)
        if (limit === undefined) continue
        const sum = protection.traded.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)
        if (!BigDecimal.isGreaterThanOrEqualTo(sum, limit)) continue
        protection.traded = []
        protection.frozenUntil = frozenMillis === 0 ? Infinity : now + frozenMillis
        this.books.cancel(this.books.of(account).filter(({ quote }) => quote?.group === group), "mmp_trigger")
      }
    }
  }

  private traded({ account, product, quote }: OrderRecord, amount: Decimal.Decimal, price: Decimal.Decimal): void {
    const listed = this.books.listed.get(product)
    const protection = quote && this.protectionOf(account, quote.group)
    if (listed === undefined || protection === undefined) return
    protection.traded = [...protection.traded, { at: this.now(), amount: inBase(listed, amount, price) }]
  }

  private protectionOf(account: string, name: string | undefined): Protection | undefined {
    return this.protections.get(account)?.get(name ?? "")
  }

  private restingOf(account: string, group: string, product: string, side: "bid" | "ask"): OrderRecord | undefined {
    return this.books.of(account).find((record) =>
      record.state === "open" && record.product === product && record.quote?.group === group &&
      record.side === (side === "bid" ? "buy" : "sell")
    )
  }

  // If both move up, the ask first, otherwise the bid: they never meet each other.
  private inOrder(account: string, group: string, product: string, quote: Params): ReadonlyArray<"bid" | "ask"> {
    const price = objectIn(quote, "bid") && decimalIn(objectIn(quote, "bid") ?? {}, "price")
    const before = this.restingOf(account, group, product, "bid")?.price
    const isUp = price !== undefined && before !== undefined && BigDecimal.isGreaterThan(price, before)
    return isUp ? ["ask", "bid"] : ["bid", "ask"]
  }

  private quoteSide(
    account: string,
    { frozenUntil, indexName, limits }: Protection,
    product: string,
    { connection, quote, resting, side, terms }: Side
  ): OrderRecord | Refused {
    const listed = this.books.listed.get(product)
    if (listed === undefined) return new Refused(10020)
    if (listed.kind === "spot" || indexOf(listed) !== indexName) return new Refused(10031)
    if (this.now() < frozenUntil) return new Refused(11030, { reason: "mmp" })
    const amount = decimalIn(terms, "amount") ?? resting?.amount
    const price = decimalIn(terms, "price") ?? resting?.price
    if (amount === undefined) return new Refused(10021)
    if (price === undefined) return new Refused(10023)
    const most = limits["max_quote_quantity"]
    if (most !== undefined && BigDecimal.isGreaterThan(inBase(listed, amount, price), most)) return new Refused(10021)
    const [postOnly, rejectPostOnly] = [flagIn(terms, "post_only"), flagIn(terms, "reject_post_only")]
    if (resting === undefined) {
      return this.books.place({
        _tag: "Place",
        account,
        product,
        side: side === "bid" ? "buy" : "sell",
        type: "limit",
        amount,
        price,
        timeInForce: postOnly ? "post-only" : "gtc",
        moves: !rejectPostOnly
      }, { label: "", type: "limit", postOnly, rejectPostOnly, connection, quote })
    }
    resting.quote = quote
    const amended = this.books.amend(
      { _tag: "Amend", account, orderId: resting.orderId, amount, price, postOnly, moves: !rejectPostOnly },
      { rejectPostOnly }
    )
    // A quote that cannot be what it is to be is none any more.
    if (amended instanceof Refused) this.books.cancel([resting])
    return amended
  }
}
