/** Hyperliquid's accounts and orders: what is left when a connection ends, and what is asked over HTTP. */
import type { Network } from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import { venue } from "@tickline/core/venue/hyperliquid/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { instruments } from "../../venue/internal/instruments.ts"
import type { GatewayHost, HttpReply } from "../../venue/internal/mockVenue.ts"
import { Answer, type Question } from "../../venue/Listing.ts"
import type * as Market from "../../venue/Market.ts"
import { type Changes, ClearedBooks } from "./clearedBooks.ts"
import { type CallFault, HttpExchange, type ReceivedCall } from "./httpExchange.ts"
import { type Account, Accounts } from "./hyperliquidAccounts.ts"
import { Actions, type Listed } from "./hyperliquidActions.ts"
import * as Answers from "./hyperliquidAnswers.ts"

/** How an exchange is made. */
export interface Settings {
  readonly accounts: ReadonlyArray<Account>
  readonly network: Network
  readonly seed: number | undefined
}

/** A connection, as far as others have to do with it. */
export interface Member {
  readonly notify: (changes: Changes<Answers.Terms>) => void
}

/** So many orders or executions one answer has at most. */
const mostListed = 2_000

const Envelope = Schema.Struct({
  action: Schema.Record(Schema.String, Schema.Unknown),
  nonce: Schema.Int,
  signature: Schema.Struct({ r: Schema.String, s: Schema.String, v: Schema.Literals([27, 28]) }),
  vaultAddress: Schema.optionalKey(Schema.NullOr(Schema.String)),
  expiresAfter: Schema.optionalKey(Schema.NullOr(Schema.Int))
})

const readEnvelope = Schema.decodeUnknownResult(Schema.fromJsonString(Envelope))

const Info = Schema.Struct({
  type: Schema.String,
  user: Schema.optionalKey(Schema.String),
  coin: Schema.optionalKey(Schema.String),
  oid: Schema.optionalKey(Schema.Union([Schema.Int, Schema.String])),
  startTime: Schema.optionalKey(Schema.Int),
  endTime: Schema.optionalKey(Schema.NullOr(Schema.Int))
})

const readInfo = Schema.decodeUnknownResult(Schema.fromJsonString(Info))

const nameOf = ({ body }: Question): string => {
  const read = Result.try(() =>
    JSON.parse(body) as { readonly type?: unknown; readonly action?: { readonly type?: unknown } }
  )
  const { action, type } = Result.isSuccess(read) && typeof read.success === "object" && read.success !== null
    ? read.success
    : {}
  return String(action?.type ?? type ?? "")
}

const unreadable = new Answer(
  422,
  undefined,
  { "content-type": "text/plain" },
  "Failed to deserialize the JSON body into the target type"
)

/** Perpetuals and spot pairs have fees of their own. */
const fees = {
  perpetual: new Fees({ maker: BigDecimal.make(15n, 5), taker: BigDecimal.make(45n, 5), digits: 6 }),
  spot: new Fees({ maker: BigDecimal.make(4n, 4), taker: BigDecimal.make(7n, 4), digits: 8 })
}

const firstSpot = 10_000
/** An amount has so many decimals at most, so that a price has one. */
const mostDecimals = 5

/** What is listed: the products with a quote are of the spot market. */
const list = (host: GatewayHost): ReadonlyMap<number, Listed & { readonly instrument: Instrument }> => {
  const listed = instruments({ atMillis: 0, markets: host.markets(), trades: () => [] }, venue.symbols)
  const found = new Map<number, Listed & { readonly instrument: Instrument }>()
  let [perpetuals, spots] = [0, 0]
  for (const { base, isPerpetual, priceScale, quote, sizeScale, symbol } of listed) {
    const id = isPerpetual ? perpetuals++ : firstSpot + spots++
    const instrument = new Instrument({
      product: symbol,
      tick: BigDecimal.make(1n, priceScale),
      lot: BigDecimal.make(1n, sizeScale),
      fees: fees[isPerpetual ? "perpetual" : "spot"],
      feeAsset: isPerpetual ? "USDC" : quote,
      ...(isPerpetual ? {} : { base })
    })
    found.set(id, { id, product: symbol, szDecimals: Math.min(sizeScale, mostDecimals), isPerpetual, instrument })
  }
  return found
}

interface Opened {
  readonly host: GatewayHost
  readonly assets: ReturnType<typeof list>
  readonly books: ClearedBooks<Answers.Terms>
  readonly actions: Actions
  readonly http: HttpExchange
}

export class HyperliquidExchange {
  isSilent = false
  private readonly settings: Settings
  private readonly accounts: Accounts
  private readonly members = new Set<Member>()
  private opened: Opened | undefined

  constructor(settings: Settings) {
    this.settings = settings
    this.accounts = new Accounts(settings.accounts, settings.network)
  }

  /** Opens it on the server that serves it: there is one. */
  open(server: GatewayHost): void {
    if (this.opened !== undefined) throw new Error("this exchange is served already")
    // It says the time in whole milliseconds.
    const host = { ...server, wallMillis: () => Math.floor(server.wallMillis()) }
    const assets = list(host)
    const books = new ClearedBooks<Answers.Terms>(host, [...assets.values()].map(({ instrument }) => instrument))
    for (const { address, balances = {}, leverage = 20, vaults = [] } of this.settings.accounts) {
      for (const account of [{ address, balances }, ...vaults]) {
        const user = account.address.toLowerCase()
        for (const [asset, text] of Object.entries(account.balances)) {
          books.clearing.deposit(user, asset, Decimal.parse(text) ?? Decimal.zero)
        }
        books.clearing.setLeverage(user, BigDecimal.make(BigInt(leverage), 0))
      }
    }
    const http = new HttpExchange({
      after: host.after,
      wallMillis: host.wallMillis,
      seed: this.settings.seed,
      routes: [
        { call: nameOf, method: "POST", path: "/exchange", answer: ({ body }) => this.act(body) },
        { call: nameOf, method: "POST", path: "/info", answer: ({ body }) => this.answer(body) ?? unreadable }
      ],
      told: () => this.notify()
    })
    this.opened = { host, assets, books, actions: new Actions(books, assets, host), http }
  }

  /** The market has moved, whoever moves it: orders may have traded with it. */
  move(market: Market.Market): void {
    this.books.quote(market)
    this.notify()
  }

  join(member: Member): void {
    this.members.add(member)
  }

  leave(member: Member): void {
    this.members.delete(member)
  }

  get books(): ClearedBooks<Answers.Terms> {
    return this.serving().books
  }

  get received(): ReadonlyArray<ReceivedCall> {
    return this.serving().http.received
  }

  fault(fault: CallFault): void {
    this.serving().http.fault(fault)
  }

  fail(share: number): void {
    this.serving().http.fail(share)
  }

  /** Takes what is asked over HTTP; what is none of its own is the listing's. */
  ask(question: Question, reply: HttpReply): boolean {
    const isOwn = question.method === "POST" &&
      (question.path === "/exchange" || (question.path === "/info" && this.answer(question.body) !== undefined))
    return isOwn && this.serving().http.ask(question, reply)
  }

  /** Takes what is posted on a socket, with the faults of what is asked over HTTP. */
  post(kind: string, body: string, reply: HttpReply): void {
    const path = kind === "action" ? "/exchange" : "/info"
    const question: Question = { method: "POST", target: path, path, query: new Map(), headers: {}, body }
    const run = () => kind === "action" ? this.act(body) : this.answer(body) ?? unreadable
    this.serving().http.carry(nameOf(question), question, run, reply)
  }

  /** Notifies all connections of what has changed. */
  notify(): void {
    for (const changes of this.books.taken()) {
      if (!this.isSilent) { for (const member of this.members) member.notify(changes) }
    }
  }

  /** The executions of an account, oldest first. */
  fills(user: string, from = 0, to = Infinity): ReadonlyArray<object> {
    return this.books.fillsOf(user).filter(({ at }) => at >= from && at <= to).flatMap((fill) => {
      const order = this.books.orders.get(fill.orderId)
      return order === undefined ? [] : [Answers.execution(fill, order)]
    })
  }

  private serving(): Opened {
    if (this.opened === undefined) throw new Error("this exchange is not served yet")
    return this.opened
  }

  private act(body: string): Answer {
    const read = readEnvelope(body)
    if (Result.isFailure(read)) return unreadable
    const { actions, host } = this.serving()
    const { action } = read.success
    const { type } = action
    if (typeof type !== "string") return unreadable
    const admitted = this.accounts.admit(
      // What JSON held can be hashed, but for fractions, which nobody has signed.
      { ...read.success, action: action as never },
      host.wallMillis()
    )
    if (typeof admitted === "string") return new Answer(200, { status: "err", response: admitted })
    const done = actions.carryOut(admitted.user, action, () => this.notify())
    return done === undefined ? unreadable : new Answer(200, done)
  }

  // What is asked of accounts; `undefined` if it is none of that.
  private answer(body: string): Answer | undefined {
    const read = readInfo(body)
    if (Result.isFailure(read)) return undefined
    const { books, host } = this.serving()
    const { coin = "", endTime, oid, startTime, type } = read.success
    const user = read.success.user?.toLowerCase() ?? ""
    const orders = () => books.of(user)
    const found = (): unknown => {
      switch (type) {
        case "meta":
          return {
            universe: this.listed(true).map(({ product, szDecimals }) => ({
              name: product,
              szDecimals,
              maxLeverage: 40,
              marginTableId: 1
            })),
            marginTables: [[1, { description: "", marginTiers: [{ lowerBound: "0.0", maxLeverage: 40 }] }]],
            collateralToken: 0
          }
        case "spotMeta":
          return this.spotMeta()
        case "l2Book": {
          const level = ([price, amount]: readonly [Decimal.Decimal, Decimal.Decimal]) => ({
            px: Answers.figure(price),
            sz: Answers.figure(amount),
            n: 1
          })
          const levels = (side: "buy" | "sell") => books.clearing.books.levels(coin, side, 20).map(level)
          return books.market(coin) === undefined
            ? null
            : { coin, time: host.wallMillis(), levels: [levels("buy"), levels("sell")] }
        }
        case "userRole":
          return this.accounts.role(user)
        case "openOrders":
        case "frontendOpenOrders": {
          const show = type === "openOrders" ? Answers.brief : Answers.whole
          return orders().filter(({ status }) => status === "open").map(show)
        }
        case "orderStatus": {
          const order = orders().findLast(({ clientId, orderId }) =>
            typeof oid === "string" && oid.startsWith("0x") ? clientId === oid : orderId === String(oid)
          )
          return order === undefined
            ? { status: "unknownOid" }
            : { status: "order", order: Answers.withStatus(order, Answers.whole) }
        }
        case "historicalOrders":
          return orders().toReversed().slice(0, mostListed).map((order) => Answers.withStatus(order, Answers.whole))
        case "userFills":
          return this.fills(user).toReversed().slice(0, mostListed)
        case "userFillsByTime":
          return this.fills(user, startTime, endTime ?? Infinity).slice(0, mostListed)
        case "clearinghouseState":
          return Answers.clearinghouse(books.clearing.balance(user, "USDC"), books.clearing.positions(user), {
            at: host.wallMillis(),
            leverage: this.settings.accounts.find(({ address }) => address.toLowerCase() === user)?.leverage ?? 20,
            priceOf: (product) => books.lastPrice(product)
          })
        case "spotClearinghouseState":
          return {
            // The dollar is that of the perpetuals' account.
            balances: books.clearing.balances(user).filter(({ asset }) => asset !== "USDC").map(
              ({ asset, held, total }, index) => ({
                coin: asset,
                token: index + 1,
                total: Answers.figure(total),
                hold: Answers.figure(held),
                entryNtl: "0.0"
              })
            )
          }
        default:
          return undefined
      }
    }
    const value = found()
    return value === undefined ? undefined : new Answer(200, value)
  }

  private listed(isPerpetual: boolean): ReadonlyArray<Listed & { readonly instrument: Instrument }> {
    return [...this.serving().assets.values()].filter((listed) => listed.isPerpetual === isPerpetual)
  }

  private spotMeta(): object {
    const pairs = this.listed(false)
    const names = ["USDC", ...new Set(pairs.map(({ instrument: { base = "" } }) => base))]
    const decimals = new Map(pairs.map(({ instrument: { base = "" }, szDecimals }) => [base, szDecimals]))
    return {
      universe: pairs.map(({ id, instrument: { base = "", feeAsset }, product }) => ({
        name: product,
        index: id - firstSpot,
        tokens: [names.indexOf(base), names.indexOf(feeAsset)],
        isCanonical: true
      })),
      tokens: names.map((name, index) => ({
        name,
        szDecimals: decimals.get(name) ?? 8,
        weiDecimals: 8,
        index,
        tokenId: `0x${index.toString(16).padStart(32, "0")}`,
        isCanonical: true,
        evmContract: null,
        fullName: null,
        deployerTradingFeeShare: "0.0"
      }))
    }
  }
}
