/** dYdX's chain and its indexer: accounts, the transactions that are given to a node, and what the indexer says of them. */
import * as Signing from "@tickline/core/trading/dydx/DydxSigning"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import type { Place } from "@tickline/core/trading/MatchingCommand"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { instruments } from "../../venue/internal/instruments.ts"
import type { GatewayHost, HttpReply } from "../../venue/internal/mockVenue.ts"
import { Answer, type Listing, numberIn, type Question } from "../../venue/Listing.ts"
import type * as Market from "../../venue/Market.ts"
import { type Changes, ClearedBooks, type FillRecord } from "./clearedBooks.ts"
import * as Answers from "./dydxAnswers.ts"
import * as Transactions from "./dydxTransactions.ts"
import { type CallFault, HttpExchange, type ReceivedCall } from "./httpExchange.ts"

/** An account: its address, and what its subaccounts have of USDC, by their numbers. */
export interface Account {
  readonly address: string
  readonly subaccounts?: Readonly<Record<number, string>> | undefined
  /** Default: 20. */
  readonly leverage?: number | undefined
}

/** How an exchange is made. */
export interface Settings {
  readonly accounts: ReadonlyArray<Account>
  readonly chainId: string
  /** What the indexer lists. */
  readonly listing: Listing | undefined
}

/** A connection, as far as others have to do with it. */
export interface Member {
  readonly tell: (changes: Changes<Answers.Terms>) => void
  readonly removed: (account: string, id: string) => void
}

const asset = "USDC"
const blockMillis = 1_000
const resting = 64
/** So many blocks ahead an order may live that does not rest. */
const mostBlocks = 20

/** @see https://docs.dydx.xyz/concepts/trading/rewards/fees (read 2026-11-26) */
const fees = new Fees({ maker: BigDecimal.make(1n, 4), taker: BigDecimal.make(5n, 4), digits: 6 })

/** The digits of USDC there. */
const quoteScale = 6

const readBroadcast = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ tx_bytes: Schema.String, mode: Schema.Literal("BROADCAST_MODE_SYNC") }))
)

/** Why a transaction is refused. */
class Refused {
  readonly codespace: string
  readonly code: number
  readonly log: string

  constructor(codespace: string, code: number, log: string) {
    this.codespace = codespace
    this.code = code
    this.log = log
  }
}

const refusedByOrders = (log: string): Refused => new Refused("clob", 1, log)

export class DydxExchange {
  isSilent = false
  /** Whether transactions are taken, and never come into a block. */
  losesTransactions = false
  readonly orders = new Map<string, Answers.Order>()
  readonly books: ClearedBooks<Answers.Terms>
  readonly http: HttpExchange
  private readonly host: GatewayHost
  private readonly settings: Settings
  private readonly listed: ReadonlyArray<Answers.Listed>
  /** Of each address the next one that a node takes, and the one that the blocks have come to. */
  private readonly sequences = new Map<string, bigint>()
  private readonly committed = new Map<string, bigint>()
  private readonly members = new Set<Member>()

  constructor(host: GatewayHost, settings: Settings) {
    this.host = host
    this.settings = settings
    this.listed = instruments({ atMillis: 0, markets: host.markets(), trades: () => [] }).map(
      ({ priceScale, sizeScale, symbol }) => ({
        symbol,
        instrument: new Instrument({
          product: symbol,
          tick: BigDecimal.make(1n, priceScale),
          lot: BigDecimal.make(1n, sizeScale),
          fees,
          feeAsset: asset
        })
      })
    )
    this.books = new ClearedBooks(host, this.listed.map(({ instrument }) => instrument))
    for (const { address, leverage = 20, subaccounts = {} } of settings.accounts) {
      for (const [number, amount] of Object.entries(subaccounts)) {
        const account = `${address}/${number}`
        this.books.clearing.deposit(account, asset, Decimal.parse(amount) ?? Decimal.zero)
        this.books.clearing.setLeverage(account, BigDecimal.make(BigInt(leverage), 0))
      }
    }
    const get = (path: string, answer: (question: Question, parts: ReadonlyArray<string>) => unknown) => ({
      call: `GET ${path}`,
      method: "GET",
      path,
      answer: (question: Question, parts: ReadonlyArray<string>) => {
        const body = answer(question, parts)
        return body instanceof Answer ? body : new Answer(200, body)
      }
    })
    const notFound = (msg: string) => new Answer(404, { errors: [{ msg }] })
    this.http = new HttpExchange({
      after: host.after,
      wallMillis: host.wallMillis,
      told: () => this.tell(),
      routes: [
        get("/v4/perpetualMarkets", (question) => this.markets(question)),
        get("/v4/height", () => ({ height: String(this.height), time: Answers.timeOf(host.wallMillis()) })),
        get("/v4/orders", ({ query }) => this.list(query)),
        get("/v4/orders/{id}", (_, [id = ""]) => {
          const order = this.orders.get(id)
          return order === undefined ? notFound(`Unable to find order id ${id}`) : this.shown(order)
        }),
        get("/v4/fills", ({ query }) => this.fills(query)),
        get("/v4/assetPositions", ({ query }) => {
          const { total } = this.books.clearing.balance(accountIn(query), asset)
          return { positions: [{ symbol: asset, side: "LONG", size: Decimal.format(total), assetId: "0" }] }
        }),
        get("/v4/perpetualPositions", ({ query }) => ({
          positions: this.books.clearing.positions(accountIn(query)).map(({ amount, averagePrice, product }) => ({
            market: product,
            status: "OPEN",
            side: amount.value > 0n ? "LONG" : "SHORT",
            size: Decimal.format(amount),
            entryPrice: averagePrice && Decimal.format(averagePrice)
          }))
        })),
        get("/v4/addresses/{address}/subaccountNumber/{number}", (_, [address = "", number = ""]) => {
          const { available, total } = this.books.clearing.balance(`${address}/${number}`, asset)
          return {
            subaccount: {
              address,
              subaccountNumber: Number(number),
              equity: Decimal.format(total),
              freeCollateral: Decimal.format(available)
            }
          }
        }),
        get("/cosmos/base/tendermint/v1beta1/blocks/latest", () => ({
          block: {
            header: {
              chain_id: settings.chainId,
              height: String(this.height),
              time: Answers.timeOf(this.height * blockMillis)
            }
          }
        })),
        get("/cosmos/auth/v1beta1/accounts/{address}", (_, [address = ""]) => {
          const number = this.numberOf(address)
          return number === undefined
            ? new Answer(404, { code: 5, message: `rpc error: code = NotFound desc = account ${address} not found` })
            : {
              account: {
                "@type": "/cosmos.auth.v1beta1.BaseAccount",
                address,
                account_number: String(number),
                sequence: String(this.committed.get(address) ?? 0n)
              }
            }
        }),
        {
          call: "POST /cosmos/tx/v1beta1/txs",
          method: "POST",
          path: "/cosmos/tx/v1beta1/txs",
          answer: ({ body }) => this.broadcast(body)
        }
      ]
    })
  }

  get height(): number {
    return Math.floor(this.host.wallMillis() / blockMillis)
  }

  get received(): ReadonlyArray<ReceivedCall> {
    return this.http.received
  }

  fault(fault: CallFault): void {
    this.http.fault(fault)
  }

  ask(question: Question, reply: HttpReply): boolean {
    return this.http.ask(question, reply)
  }

  move(market: Market.Market): void {
    this.books.quote(market)
    this.tell()
  }

  join(member: Member): void {
    this.members.add(member)
  }

  leave(member: Member): void {
    this.members.delete(member)
  }

  /** The orders of a subaccount, newest first. */
  of(account: string): ReadonlyArray<Answers.Order> {
    return [...this.orders.values()].toReversed().filter(({ terms: { message: { orderId } } }) =>
      `${orderId.owner}/${orderId.subaccountNumber}` === account
    )
  }

  private tell(): void {
    for (const changes of this.books.taken()) {
      if (!this.isSilent) { for (const member of this.members) member.tell(changes) }
    }
  }

  private numberOf(address: string): bigint | undefined {
    const at = this.settings.accounts.findIndex((account) => account.address === address)
    return at < 0 ? undefined : BigInt(at + 1)
  }

  // --- what a node is given --------------------------------------------------------

  private broadcast(body: string): Answer {
    const read = readBroadcast(body)
    const bytes = Result.isSuccess(read) ? Base64.decode(read.success.tx_bytes) : undefined
    const decoded = bytes === undefined || Result.isFailure(bytes)
      ? undefined
      : Result.try(() => Transactions.decode(bytes.success))
    if (decoded === undefined || Result.isFailure(decoded)) {
      return new Answer(400, { code: 3, message: "tx parse error" })
    }
    const refused = this.take(decoded.success)
    const { code, codespace, log } = refused ?? { code: 0, codespace: "", log: "" }
    return new Answer(200, { tx_response: { code, codespace, raw_log: log, txhash: "0".repeat(64), height: "0" } })
  }

  // Checks a transaction as a node does before it is in a block.
  private take(
    { isSignedFor, message, publicKey, sequence, timeoutHeight }: Transactions.Transaction
  ): Refused | undefined {
    const { orderId } = message
    const { owner } = orderId
    const number = this.numberOf(owner)
    if (number === undefined) return new Refused("sdk", 9, `account ${owner} does not exist: unknown address`)
    const { chainId } = this.settings
    const expected = this.sequences.get(owner) ?? 0n
    if (Signing.addressOf(publicKey) !== owner || !isSignedFor(chainId, number)) {
      return new Refused(
        "sdk",
        4,
        `signature verification failed; please verify account number (${number}), sequence (${expected}) and ` +
          `chain-id (${chainId}): unauthorized`
      )
    }
    if (timeoutHeight !== 0 && timeoutHeight < this.height) return new Refused("sdk", 30, "tx timeout height")
    const isStateful = orderId.orderFlags === resting
    if (isStateful && sequence !== expected) {
      return new Refused(
        "sdk",
        32,
        `account sequence mismatch, expected ${expected}, got ${sequence}: incorrect account sequence`
      )
    }
    const refused = message._tag === "Place" ? this.objection(message) : this.objectionToCancel(message)
    if (refused !== undefined) return refused
    const carryOut = () => message._tag === "Place" ? this.place(message) : this.cancel(message)
    const isLost = this.losesTransactions
    if (!isStateful) return isLost ? undefined : carryOut()
    // What rests is in the chain's state, from the next block on.
    this.sequences.set(owner, expected + 1n)
    this.host.after(blockMillis - this.host.wallMillis() % blockMillis, () => {
      if (isLost) {
        this.sequences.set(owner, this.committed.get(owner) ?? 0n)
        return
      }
      this.committed.set(owner, expected + 1n)
      carryOut()
      this.tell()
    })
    return undefined
  }

  private objection(message: Answers.Terms["message"]): Refused | undefined {
    const { goodTilBlock, goodTilBlockTime, orderId, quantums, reduceOnly, subticks, timeInForce } = message
    const market = this.listed[orderId.clobPairId]
    if (market === undefined) return refusedByOrders(`Invalid clob pair id ${orderId.clobPairId}`)
    const isStateful = orderId.orderFlags === resting
    if (!isStateful && orderId.orderFlags !== 0) return refusedByOrders(`invalid order flag ${orderId.orderFlags}`)
    const { height } = this
    if (isStateful ? goodTilBlockTime * 1_000 <= height * blockMillis : goodTilBlock < height) {
      return refusedByOrders("GoodTil is in the past")
    }
    if (!isStateful && goodTilBlock > height + mostBlocks) {
      return refusedByOrders(`The GoodTilBlock ${goodTilBlock} exceeds the current blockHeight plus ${mostBlocks}`)
    }
    if (quantums % 10n ** BigInt(Answers.unitsOfStep.amount) !== 0n || quantums === 0n) {
      return refusedByOrders(`Order Quantums ${quantums} must be a multiple of the ClobPair's StepBaseQuantums`)
    }
    if (subticks % 10n ** BigInt(Answers.unitsOfStep.price) !== 0n || subticks === 0n) {
      return refusedByOrders(`Order subticks ${subticks} must be a multiple of the ClobPair's SubticksPerTick`)
    }
    if (timeInForce > 2) return refusedByOrders("Fill-or-kill has been deprecated")
    if (isStateful && timeInForce === 1) return refusedByOrders("Stateful orders cannot require immediate execution")
    if (reduceOnly && timeInForce !== 1) {
      return refusedByOrders("Reduce-only is currently only supported for IOC orders")
    }
    const before = this.orders.get(Signing.indexerId(orderId))
    return before?.record?.status === "open" ? refusedByOrders("An order with this id already exists") : undefined
  }

  private objectionToCancel({ orderId }: Transactions.Message): Refused | undefined {
    return this.orders.get(Signing.indexerId(orderId))?.record?.status === "open"
      ? undefined
      : refusedByOrders("Order to cancel does not exist")
  }

  private place(message: Answers.Terms["message"]): Refused | undefined {
    const { goodTilBlock, goodTilBlockTime, orderId, quantums, reduceOnly, side, subticks, timeInForce } = message
    const market = this.listed[orderId.clobPairId]
    if (market === undefined) return undefined
    const terms: Answers.Terms = { id: Signing.indexerId(orderId), message }
    const { instrument: { lot, tick }, symbol } = market
    const command: Place = {
      _tag: "Place",
      account: `${orderId.owner}/${orderId.subaccountNumber}`,
      product: symbol,
      side,
      type: "limit",
      amount: BigDecimal.make(quantums / 10n ** BigInt(Answers.unitsOfStep.amount), lot.scale),
      price: BigDecimal.make(subticks / 10n ** BigInt(Answers.unitsOfStep.price), tick.scale),
      timeInForce: timeInForce === 1 ? "ioc" : timeInForce === 2 ? "post-only" : "gtc",
      reduceOnly,
      selfTrade: "cancel-maker",
      validUntil: orderId.orderFlags === resting ? goodTilBlockTime * 1_000 : (goodTilBlock + 1) * blockMillis
    }
    const placed = this.books.place(command, { terms })
    if (!("_tag" in placed)) {
      this.orders.set(terms.id, { terms, record: placed, removed: undefined })
      return undefined
    }
    const reason = placed._tag === "WouldTrade"
      ? "ORDER_REMOVAL_REASON_POST_ONLY_WOULD_CROSS_MAKER_ORDER"
      : "ORDER_REMOVAL_REASON_UNDERCOLLATERALIZED"
    // What rests was taken already: it is taken out again.
    if (orderId.orderFlags === resting) {
      this.orders.set(terms.id, { terms, record: undefined, removed: reason })
      if (!this.isSilent) { for (const member of this.members) member.removed(command.account, terms.id) }
    }
    return refusedByOrders(`${placed._tag}: the order would leave the subaccount undercollateralized, or not reduce it`)
  }

  private cancel({ orderId }: Transactions.Message): undefined {
    const { record } = this.orders.get(Signing.indexerId(orderId)) ?? {}
    if (record !== undefined) this.books.cancel([record])
  }

  // --- what the indexer says -------------------------------------------------------

  /** The markets that are listed, in the units in which the chain counts. */
  private markets(question: Question): unknown {
    const floor = { atMillis: this.host.wallMillis(), markets: this.host.markets(), trades: () => [] }
    const listed = this.settings.listing?.(question, floor)
    // As `MockDydx` writes it: markets by their names.
    const { markets } = listed as { readonly markets: Readonly<Record<string, object>> }
    return {
      markets: Object.fromEntries(
        Object.entries(markets).map(([symbol, listed]) => {
          const { lot, tick } = this.books.instruments.get(symbol) ?? { lot: Decimal.zero, tick: Decimal.zero }
          const atomicResolution = -(lot.scale + Answers.unitsOfStep.amount)
          return [symbol, {
            ...listed,
            atomicResolution,
            quantumConversionExponent: atomicResolution + quoteScale - tick.scale - Answers.unitsOfStep.price,
            stepBaseQuantums: 10 ** Answers.unitsOfStep.amount,
            subticksPerTick: 10 ** Answers.unitsOfStep.price
          }]
        })
      )
    }
  }

  /** An order, as the indexer shows it. */
  shown(order: Answers.Order): object {
    const market = this.listed[order.terms.message.orderId.clobPairId]
    return Answers.order(order, market, this.host.wallMillis())
  }

  /** An execution, as the indexer shows it. */
  execution(fill: FillRecord): object {
    return Answers.execution(fill, this.books.orders.get(fill.orderId)?.terms.id)
  }

  private list(query: ReadonlyMap<string, string>): unknown {
    const wanted = query.get("status")?.split(",")
    const ticker = query.get("ticker")
    return this.of(accountIn(query)).map((order) => this.shown(order) as { status: string; ticker: string })
      .filter((order) => (wanted?.includes(order.status) ?? true) && (ticker === undefined || order.ticker === ticker))
      .slice(0, Math.min(numberIn(query, "limit") ?? 1_000, 1_000))
  }

  private fills(query: ReadonlyMap<string, string>): unknown {
    const market = query.get("market")
    const before = Timestamp.parse(query.get("createdBeforeOrAt") ?? "")
    const until = before === undefined ? Infinity : Timestamp.epochMillis(before)
    return {
      fills: this.books.fillsOf(accountIn(query)).toReversed()
        .filter(({ at, product }) => at <= until && (market === undefined || product === market))
        .slice(0, Math.min(numberIn(query, "limit") ?? 1_000, 1_000))
        .map((fill) => this.execution(fill))
    }
  }
}

const accountIn = (query: ReadonlyMap<string, string>): string =>
  `${query.get("address") ?? ""}/${query.get("subaccountNumber") ?? "0"}`
