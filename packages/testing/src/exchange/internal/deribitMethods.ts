/** Deribit's methods: what each takes, what it costs, and what it does. */
import * as BigDecimal from "effect/BigDecimal"
import * as Listing from "../../venue/Listing.ts"
import type { OrderRecord } from "./deribitBook.ts"
import { invalid, Refused } from "./deribitErrors.ts"
import type { DeribitExchange } from "./deribitExchange.ts"
import * as Values from "./deribitValues.ts"
import { countIn, decimalIn, flagIn, type Params, textIn, type Value } from "./wireJson.ts"

/** The connection that a call came on. */
export interface Caller {
  readonly exchange: DeribitExchange
  readonly number: number
  cancelsOnDisconnect: boolean
  readonly signIn: (params: Params, at: number) => Value | Refused
  readonly logOut: (revokes: boolean) => undefined
  readonly setHeartbeat: (millis: number | undefined) => void
}

/** A call that is carried out: on a connection, for an account. */
export interface Call {
  readonly session: Caller
  readonly params: Params
  /** Empty where nobody has signed in, which only public methods see. */
  readonly account: string
  readonly at: number
}

/** A method. `takes` is what has to be there. What answers nothing has no answer. */
export interface Method {
  readonly pool: Values.PoolName
  readonly takes: ReadonlyArray<string>
  readonly answer: (call: Call) => Value | Refused
}

const method = (
  answer: Method["answer"],
  takes: ReadonlyArray<string> = [],
  pool: Values.PoolName = "non_matching"
): Method => ({ pool, takes, answer })

const trading = (answer: Method["answer"], ...takes: ReadonlyArray<string>): Method => method(answer, takes, "matching")

const timesInForce: Readonly<Record<string, "gtc" | "ioc" | "fok">> = {
  good_til_cancelled: "gtc",
  good_til_day: "gtc",
  immediate_or_cancel: "ioc",
  fill_or_kill: "fok"
}

// --- orders --------------------------------------------------------------------

const answered = (record: OrderRecord | Refused, from = 0): Value | Refused =>
  record instanceof Refused ? record : { order: Values.order(record), trades: record.trades.slice(from) }

const isLate = ({ at, params }: Call): boolean => at >= (countIn(params, "valid_until") ?? Number.POSITIVE_INFINITY)

const place = (side: "buy" | "sell") => (call: Call): Value | Refused => {
  const { account, params, session: { exchange: { books }, number } } = call
  if (isLate(call)) return new Refused(13888)
  const type = textIn(params, "type") ?? "limit"
  if (type !== "limit" && type !== "market") return invalid("type", "not supported by this mock")
  const amount = decimalIn(params, "amount") ?? decimalIn(params, "contracts")
  const price = decimalIn(params, "price")
  const timeInForce = timesInForce[textIn(params, "time_in_force") ?? "good_til_cancelled"]
  const postOnly = flagIn(params, "post_only")
  const rejectPostOnly = flagIn(params, "reject_post_only")
  if (amount === undefined) return invalid("amount", "missing")
  if (timeInForce === undefined) return invalid("time_in_force", "invalid value")
  if (postOnly && timeInForce !== "gtc") return invalid("post_only", "only with good_til_cancelled")
  const label = textIn(params, "label") ?? ""
  if (label.length > 64) return invalid("label", "too long")
  const common = {
    _tag: "Place",
    account,
    product: textIn(params, "instrument_name") ?? "",
    side,
    amount,
    reduceOnly: flagIn(params, "reduce_only")
  } as const
  const terms = { label, type, postOnly, rejectPostOnly, connection: number } as const
  if (type === "market") {
    return answered(books.place({ ...common, type, timeInForce: timeInForce === "fok" ? "fok" : "ioc" }, terms))
  }
  if (price === undefined) return invalid("price", "missing")
  const how = postOnly ? "post-only" : timeInForce
  return answered(books.place({ ...common, type, price, timeInForce: how, moves: !rejectPostOnly }, terms))
}

/** An account's order by its id; another's is not found. */
const find = ({ account, params, session: { exchange: { books } } }: Call): OrderRecord | Refused => {
  const record = books.orders.get(textIn(params, "order_id") ?? "")
  return record?.account === account ? record : new Refused(10004)
}

const amend = (call: Call, record: OrderRecord | Refused): Value | Refused => {
  if (isLate(call)) return new Refused(13888)
  if (record instanceof Refused) return record
  // A quote is not edited as an order: https://support.deribit.com/hc/en-us/articles/36068817716637 (19 May 2026).
  if (record.quote !== undefined) return new Refused(10004)
  if (record.state !== "open") return new Refused(11044)
  const { account, params, session: { exchange: { books } } } = call
  const [postOnly, rejectPostOnly, reduceOnly] = ["post_only", "reject_post_only", "reduce_only"]
    .map((name) => params[name] === undefined ? undefined : flagIn(params, name))
  const from = record.trades.length
  return answered(
    books.amend({
      _tag: "Amend",
      account,
      orderId: record.orderId,
      price: decimalIn(params, "price"),
      amount: decimalIn(params, "amount") ?? decimalIn(params, "contracts"),
      postOnly,
      moves: rejectPostOnly === undefined ? undefined : !rejectPostOnly,
      reduceOnly
    }, { rejectPostOnly }),
    from
  )
}

const cancel = (call: Call): Value | Refused => {
  const record = find(call)
  if (record instanceof Refused) return record
  if (record.state !== "open") return new Refused(11044)
  call.session.exchange.books.cancel([record])
  return Values.order(record)
}

/** An account's orders, of an instrument, a currency, a kind, a type and a label where these are said. */
const orders = ({ account, params, session: { exchange: { books } } }: Call): ReadonlyArray<OrderRecord> => {
  const [instrument, currency = "any", kind = "any", type = "all", label] = [
    "instrument_name",
    "currency",
    "kind",
    "type",
    "label"
  ].map((name) => textIn(params, name))
  return books.of(account).filter((order) => {
    const listed = books.listed.get(order.product)
    return (instrument === undefined || order.product === instrument) &&
      (currency === "any" || listed?.currency === currency) &&
      (kind === "any" || listed?.kind === kind) &&
      (type === "all" || order.type === type) &&
      (label === undefined || order.label === label)
  })
}

/** The venue knows what is over by its label for so long; then it is history. */
const recentMillis = 1_800_000

const isRecent = ({ at }: Call, { state, updatedAt }: OrderRecord): boolean =>
  state === "open" || at - updatedAt < recentMillis

const history = (call: Call): Value => {
  const { params } = call
  const [offset = 0, count = 20] = [countIn(params, "offset"), countIn(params, "count")]
  return orders(call)
    .filter((order) => order.state !== "open" && isRecent(call, order) !== flagIn(params, "historical"))
    .filter(({ filled }) => flagIn(params, "include_unfilled") || filled.value > 0n)
    .toReversed().slice(offset, offset + count).map(Values.order)
}

const open = (call: Call): Value => orders(call).filter(({ state }) => state === "open").map(Values.order)

const cancelAll = (call: Call): Value => cancelled(call, orders(call).filter(({ state }) => state === "open"))

/** Cancels what was chosen: how many, or which. */
const cancelled = (call: Call, chosen: ReadonlyArray<OrderRecord>): Value => {
  const { books } = call.session.exchange
  const count = books.cancel(chosen)
  if (!flagIn(call.params, "detailed")) return count
  // In detail they come by instrument and type.
  const groups = Map.groupBy(chosen, ({ product, type }) => `${product} ${type}`)
  return Array.from(groups.values(), (group) => ({
    currency: books.listed.get(group[0]?.product ?? "")?.currency,
    instrument_name: group[0]?.product,
    type: group[0]?.type,
    result: group.map(Values.order)
  }))
}

const editByLabel = (call: Call): Value | Refused => {
  const [record, another] = orders(call).filter(({ state }) => state === "open")
  return another === undefined ? amend(call, record ?? new Refused(10004)) : invalid("label", "not unique")
}

const closePosition = (call: Call): Value | Refused => {
  const { account, params, session: { exchange: { books }, number } } = call
  const product = textIn(params, "instrument_name") ?? ""
  const { size } = books.position(account, product)
  if (size.value === 0n) return new Refused(10010)
  const side = size.value > 0n ? "sell" : "buy"
  const common = { _tag: "Place", account, product, side, amount: BigDecimal.abs(size), reduceOnly: true } as const
  const terms = { label: "", postOnly: false, rejectPostOnly: false, connection: number } as const
  if (textIn(params, "type") === "market") {
    return answered(books.place({ ...common, type: "market" }, { ...terms, type: "market" }))
  }
  const price = decimalIn(params, "price")
  if (price === undefined) return invalid("price", "missing")
  return answered(books.place({ ...common, type: "limit", price, timeInForce: "gtc" }, { ...terms, type: "limit" }))
}

const massQuote = (call: Call): Value | Refused => {
  const { account, params, session } = call
  if (isLate(call)) return new Refused(13888)
  // The venue says that it is an error, and not which.
  if (!session.cancelsOnDisconnect) return new Refused(11030, { reason: "cancel_on_disconnect" })
  return session.exchange.quotes.quote(account, session.number, params)
}

const cancelQuotes = (call: Call): Value | Refused => {
  const chosen = call.session.exchange.quotes.meant(call.account, call.params)
  return chosen instanceof Refused ? chosen : cancelled(call, chosen)
}

// --- accounts ------------------------------------------------------------------

/** An account's trades, of an instrument, a currency and a kind where these are said, the latest first. */
const userTrades = (call: Call): Value => {
  const { params } = call
  const count = countIn(params, "count") ?? 10
  const [from, to] = ["start_timestamp", "end_timestamp"].map((name) => countIn(params, name))
  const [first, last] = ["start_seq", "end_seq"].map((name) => countIn(params, name))
  const found = orders({ ...call, params: { ...params, type: "all" } }).flatMap(({ trades }) => trades)
    .filter(({ timestamp, trade_seq }) =>
      Number(timestamp) >= (from ?? 0) && Number(timestamp) <= (to ?? Infinity) &&
      Number(trade_seq) >= (first ?? 0) && Number(trade_seq) <= (last ?? Infinity)
    )
    .toSorted((one, other) => Number(one["trade_seq"]) - Number(other["trade_seq"]))
  // Whoever says from when they begin gets the earliest, otherwise the latest.
  const chosen = from === undefined && first === undefined ? found.slice(-count) : found.slice(0, count)
  return {
    trades: textIn(params, "sorting") === "asc" ? chosen : chosen.toReversed(),
    has_more: found.length > count
  }
}

const positions = ({ account, params, session: { exchange: { books } } }: Call): Value => {
  const [currency = "any", kind = "any"] = [textIn(params, "currency"), textIn(params, "kind")]
  return [...books.listed.values()].filter((listed) =>
    listed.kind === "future" && (currency === "any" || listed.currency === currency) &&
    (kind === "any" || listed.kind === kind) && books.position(account, listed.instrument.product).size.value !== 0n
  ).map((listed) => Values.position(books, account, listed))
}

const position = ({ account, params, session: { exchange: { books } } }: Call): Value | Refused => {
  const listed = books.listed.get(textIn(params, "instrument_name") ?? "")
  return listed === undefined ? new Refused(10020) : Values.position(books, account, listed)
}

const summary = ({ account, params, session: { exchange } }: Call): Value =>
  Values.accountSummary(
    exchange.books,
    exchange.balances(account),
    account,
    textIn(params, "currency") ?? "",
    exchange.poolsOf(account)
  )

const isOfAccount = (params: Params): boolean => textIn(params, "scope") === "account"

const cancelOnDisconnect = (isOn: boolean): Method =>
  method(({ account, params, session }) => {
    if (isOfAccount(params)) session.exchange.cancelsOnDisconnect(account, isOn)
    else session.cancelsOnDisconnect = isOn
    return "ok"
  })

// --- the market ----------------------------------------------------------------

const ticker =
  (depth?: number) => ({ params, session: { exchange: { books, isSettling } } }: Call): Value | Refused => {
    const market = books.market(textIn(params, "instrument_name") ?? "")
    if (market === undefined) return new Refused(10020)
    const levels = depth === undefined ? undefined : countIn(params, "depth") ?? depth
    return Values.ticker(books, market, isSettling ? "settlement" : "open", levels)
  }

const bookSummary = ({ params, session: { exchange: { books } } }: Call): Value | Refused => {
  const [instrument, currency, kind = "any"] = ["instrument_name", "currency", "kind"].map((name) =>
    textIn(params, name)
  )
  const listed = [...books.listed.values()].filter((one) =>
    (instrument === undefined || one.instrument.product === instrument) &&
    (currency === undefined || one.currency === currency) && (kind === "any" || one.kind === kind)
  )
  if (instrument !== undefined && listed.length === 0) return new Refused(10020)
  return listed.flatMap((one) => {
    const market = books.market(one.instrument.product)
    return market === undefined ? [] : [Values.bookSummary(market, one)]
  })
}

/** An index is the last price of what is traded in it. */
const indexPrice = ({ params, session: { exchange: { books } } }: Call): Value | Refused => {
  const name = textIn(params, "index_name")
  const listed = [...books.listed.values()].find(({ base, quote }) => `${base}_${quote}`.toLowerCase() === name)
  if (listed === undefined) return invalid("index_name", "not found")
  const price = books.lastPrice(listed.instrument.product)
  return { index_price: price, estimated_delivery_price: price }
}

/** What the venue answers over HTTP as well. */
const asListed = (name: string, missing: Refused["code"] = -32601) => ({ params, session }: Call): Value | Refused => {
  const query = Object.entries(params).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&")
  const found = session.exchange.listed(Listing.question("GET", `/api/v2/public/${name}?${query}`, ""))
  return found instanceof Listing.Answer || found === undefined ? new Refused(missing) : found
}

/** All of them, by their names. */
export const methods: ReadonlyMap<string, Method> = new Map([
  ["public/auth", method(({ at, params, session }) => session.signIn(params, at), ["grant_type"])],
  ["public/test", method(() => ({ version: "1.2.26" }))],
  ["public/hello", method(() => ({ version: "1.2.26" }), ["client_name", "client_version"])],
  [
    "public/status",
    method(({ session: { exchange } }) => ({
      locked: exchange.isMaintained ? "true" : "false",
      locked_indices: []
    }))
  ],
  ["public/get_time", method(({ at }) => at)],
  ["public/get_currencies", method(asListed("get_currencies"))],
  ["public/get_instruments", method(asListed("get_instruments"), ["currency"], "get_instruments")],
  ["public/get_instrument", method(asListed("get_instrument", 10020), ["instrument_name"])],
  ["public/get_order_book", method(ticker(5), ["instrument_name"])],
  ["public/ticker", method(ticker(), ["instrument_name"])],
  ["public/get_book_summary_by_currency", method(bookSummary, ["currency"])],
  ["public/get_book_summary_by_instrument", method(bookSummary, ["instrument_name"])],
  ["public/get_index_price", method(indexPrice, ["index_name"])],
  [
    "public/set_heartbeat",
    method(({ params, session }) => {
      const interval = countIn(params, "interval") ?? 0
      if (interval < 10) return invalid("interval", "too low")
      session.setHeartbeat(interval * 1_000)
      return "ok"
    }, ["interval"])
  ],
  [
    "public/disable_heartbeat",
    method(({ session }) => {
      session.setHeartbeat(undefined)
      return "ok"
    })
  ],
  ["private/buy", trading(place("buy"), "instrument_name")],
  ["private/sell", trading(place("sell"), "instrument_name")],
  ["private/edit", trading((call) => amend(call, find(call)), "order_id")],
  ["private/edit_by_label", trading(editByLabel, "label", "instrument_name")],
  ["private/cancel", trading(cancel, "order_id")],
  ["private/cancel_by_label", trading(cancelAll, "label")],
  ["private/cancel_all", method(cancelAll, [], "cancel_all")],
  ["private/cancel_all_by_instrument", method(cancelAll, ["instrument_name"], "cancel_all")],
  ["private/cancel_all_by_currency", method(cancelAll, ["currency"], "cancel_all")],
  ["private/mass_quote", trading(massQuote, "quote_id", "mmp_group", "quotes")],
  ["private/cancel_quotes", trading(cancelQuotes, "cancel_type")],
  [
    "private/set_mmp_config",
    method(
      ({ account, params, session: { exchange: { quotes } } }) => quotes.configure(account, params),
      ["index_name", "interval", "frozen_time"]
    )
  ],
  [
    "private/get_mmp_config",
    method(({ account, params, session: { exchange: { quotes } } }) => quotes.configured(account, params))
  ],
  [
    "private/reset_mmp",
    method(({ account, params, session: { exchange: { quotes } } }) => quotes.reset(account, params), ["index_name"])
  ],
  ["private/close_position", trading(closePosition, "instrument_name", "type")],
  ["private/get_open_orders", method(open)],
  ["private/get_open_orders_by_currency", method(open, ["currency"])],
  ["private/get_open_orders_by_instrument", method(open, ["instrument_name"])],
  [
    "private/get_order_state",
    method((call) => {
      const record = find(call)
      return record instanceof Refused ? record : Values.order(record)
    }, ["order_id"])
  ],
  [
    "private/get_order_state_by_label",
    method((call) => orders(call).filter((order) => isRecent(call, order)).map(Values.order), ["currency", "label"])
  ],
  ["private/get_order_history_by_currency", method(history, ["currency"])],
  [
    "private/get_user_trades_by_order",
    method((call) => {
      const record = find(call)
      return record instanceof Refused ? record : record.trades
    }, ["order_id"])
  ],
  ["private/get_user_trades_by_instrument", method(userTrades, ["instrument_name"])],
  ["private/get_user_trades_by_currency", method(userTrades, ["currency"])],
  ["private/get_account_summary", method(summary, ["currency"])],
  ["private/get_positions", method(positions)],
  ["private/get_position", method(position, ["instrument_name"])],
  ["private/enable_cancel_on_disconnect", cancelOnDisconnect(true)],
  ["private/disable_cancel_on_disconnect", cancelOnDisconnect(false)],
  [
    "private/get_cancel_on_disconnect",
    method(({ account, params, session }) =>
      isOfAccount(params)
        ? { scope: "account", enabled: session.exchange.isCancelledOnDisconnect(account) }
        : { scope: "connection", enabled: session.cancelsOnDisconnect }
    )
  ],
  ["private/logout", method(({ params, session }) => session.logOut(params["invalidate_token"] !== false))]
])

/** Those that the venue answers itself, once they are paid for. */
export const passedOn: ReadonlyMap<string, Values.PoolName> = new Map(
  ["public", "private"].flatMap((scope): ReadonlyArray<readonly [string, Values.PoolName]> => [
    [`${scope}/subscribe`, "subscribe"],
    [`${scope}/unsubscribe`, "non_matching"],
    [`${scope}/unsubscribe_all`, "non_matching"]
  ])
)

/** Those whose frames are written down: what they ask for changes orders. */
export const isOrderMethod = (name: string): boolean =>
  methods.get(name)?.pool === "matching" || methods.get(name)?.pool === "cancel_all"
