/**
 * dYdX v4 as a gateway: what is asked goes to the indexer, what changes something
 * to a node of the chain, in a transaction of its own.
 *
 * @see https://docs.dydx.xyz/concepts/trading/limit-orderbook (read 2026-11-26)
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type * as PubSub from "effect/PubSub"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import type { OrderName } from "../../Exchange.ts"
import { Balance, Position } from "../../Holdings.ts"
import * as Instrument from "../../Instrument.ts"
import { describe, type Failure, unanswered, unsent } from "../../internal/failure.ts"
import type { Attempt, Gateway, Notice, Sending } from "../../internal/gateway.ts"
import type { Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import { isOver } from "../../OrderStatus.ts"
import * as Signing from "../DydxSigning.ts"
import type { Asking } from "./asking.ts"
import { clientNumber } from "./clientNumber.ts"
import * as Orders from "./orders.ts"
import * as Schemas from "./schemas.ts"

type DydxOrder = Orders.DydxOrder

/** So many blocks a transaction may take, and an order that does not rest may live: of the twenty that the chain allows. */
const patience = 10

/** How soon it is looked again whether an order is cancelled. */
const pollMillis = 250

/** So many orders or executions one answer has at most. */
const mostListed = 1_000

/** The chain's code for a sequence that is not the next. */
const wrongSequence = 32

/** How long a transaction of ours may not show in the account's sequence. */
const settlingMillis = 10_000

/**
 * What the gateway is made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly wallet: Signing.Wallet
  readonly subaccountNumber: number
  /** Base URLs. */
  readonly indexer: string
  readonly node: string
  readonly slippage: Decimal.Decimal
  readonly clientMetadata: number
  /** How long an order rests at most. */
  readonly restsForSeconds: number
  readonly asking: Asking
  readonly notices: Effect.Effect<PubSub.Subscription<Notice<DydxOrder>>, never, Scope.Scope>
}

const queryOf = (query: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`])
    .join("&")

const orNone = <A>(asked: Effect.Effect<A, Failure>): Effect.Effect<A | undefined, Failure> =>
  Effect.catch(
    asked,
    (failure) => failure._tag === "Refused" && failure.code === "404" ? Effect.undefined : Effect.fail(failure)
  )

/**
 * Order entry at dYdX.
 *
 * @category models
 * @since 0.1.0
 */
export class DydxGateway implements Gateway<DydxOrder> {
  readonly exchange = Orders.exchange
  // The chain knows them as numbers, which may be used again.
  readonly hasUniqueClientIds = false
  readonly tellsFills = true
  readonly begin = Effect.void
  readonly isOver = Effect.succeed(false)
  readonly lacks = Orders.lacking
  readonly isOf = Orders.isOf
  readonly update: (order: DydxOrder) => OrderUpdate
  // Private to the runtime as well: an inspection would show what signs.
  readonly #setting: Setting
  private readonly names = new Map<number, string>()
  /** What a node has taken and the indexer has not shown yet, and the last block that may have it. */
  private readonly taken = new Map<string, { readonly order: DydxOrder; readonly lastBlock: number }>()
  private readonly turns = Semaphore.makeUnsafe(1)
  private sequence: { readonly next: bigint; readonly until: number } | undefined

  constructor(setting: Setting) {
    this.#setting = setting
    this.update = Orders.toUpdate((clientId) => this.names.get(clientId) ?? String(clientId))
  }

  readonly now = (): number => this.#setting.asking.now()

  readonly wallMillis = (): number => this.#setting.asking.wallMillis()

  get health(): Gateway<DydxOrder>["health"] {
    return this.#setting.asking.health
  }

  private ask<A>(
    schema: Schema.Codec<A, unknown>,
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    until: number
  ): Effect.Effect<A, Failure> {
    const { asking, indexer } = this.#setting
    const written = queryOf(query)
    return asking.get(schema, `${indexer}/v4/${path}${written === "" ? "" : `?${written}`}`, until)
  }

  /** Which subaccount is asked about. */
  private get subject() {
    const { subaccountNumber, wallet: { address } } = this.#setting
    return { address, subaccountNumber }
  }

  private market(product: string, until: number): Effect.Effect<Orders.Market, Failure> {
    return this.ask(Schemas.Markets, "perpetualMarkets", { ticker: product }, until).pipe(
      Effect.flatMap(({ markets }): Effect.Effect<Orders.Market, Failure> => {
        const market = markets[product]
        return market === undefined
          ? Effect.fail({ _tag: "Refused", reason: "there is no such market", code: "404" })
          : Effect.succeed(Orders.marketOf(market))
      })
    )
  }

  instrument(product: string, until: number): Effect.Effect<Instrument.Instrument, Failure> {
    return Effect.map(this.market(product, until), ({ instrument }) => instrument)
  }

  place(request: OrderRequest, sending: Sending): Effect.Effect<Attempt<DydxOrder>, string> {
    const { clientId, product } = request
    const { clientMetadata, slippage, subaccountNumber, wallet } = this.#setting
    return this.market(product, sending.until).pipe(
      Effect.mapError((failure) =>
        failure._tag === "Refused" ? `product ${product}: ${describe(failure)}` : failure.reason
      ),
      Effect.flatMap((market) => {
        const objection = Instrument.objection(market.instrument, request)
        const placing = Orders.placing(request, market, {
          owner: wallet.address,
          subaccountNumber,
          slippage,
          clientMetadata
        })
        if (objection !== undefined || typeof placing === "string") return Effect.fail(objection ?? String(placing))
        const { orderId, terms } = placing
        const id = Signing.indexerId(orderId)
        this.names.set(orderId.clientId, clientId)
        let lastBlock = 0
        const send = this.transact(sending, ({ height, seconds }) => {
          lastBlock = height + patience
          const goodTil = orderId.orderFlags === Orders.resting
            ? { goodTilBlockTime: seconds + this.#setting.restsForSeconds }
            : { goodTilBlock: lastBlock }
          return {
            message: Signing.placing({ ...terms, ...goodTil }),
            isCounted: orderId.orderFlags === Orders.resting,
            result: { ...placing.order, orderId: id, goodTil }
          }
        })
        return Effect.succeed({
          send: Effect.map(send, (order) => {
            this.taken.set(id, { order, lastBlock })
            return { order, fills: [] }
          }),
          find: (until: number) => this.find({ orderId: id }, until),
          // Until the indexer has seen the last block that may have it.
          mayStillCome: (until: number) => Effect.map(this.height(until), (height) => height <= lastBlock)
        })
      })
    )
  }

  private height(until: number): Effect.Effect<number, Failure> {
    return Effect.map(this.ask(Schemas.Height, "height", {}, until), ({ height }) => Number(height))
  }

  amend(): Effect.Effect<Attempt<DydxOrder>, string> {
    return Effect.fail("dYdX has no amendments: cancel the order, and place another")
  }

  // The chain only begins to cancel: what becomes of that is asked until it is over.
  cancel({ orderId }: { readonly orderId: string }, sending: Sending): Effect.Effect<DydxOrder, Failure> {
    const { until } = sending
    const cancelled: Effect.Effect<DydxOrder, Failure> = Effect.flatMap(this.order(orderId, until), (
      order
    ): Effect.Effect<DydxOrder, Failure> => {
      if (order.status === "cancelled") return Effect.succeed(order)
      if (isOver(order.status)) return Effect.fail({ _tag: "Refused", reason: `the order is ${order.status}` })
      return this.now() + pollMillis < until
        ? Effect.delay(cancelled, pollMillis)
        : Effect.fail(unanswered("not known to be cancelled by the deadline"))
    })
    return Effect.flatMap(Effect.mapError(this.order(orderId, until), this.unwritten), (order) => {
      if (isOver(order.status)) return cancelled
      const { goodTil, ...named } = order
      const { address: owner, subaccountNumber } = this.subject
      // It stands as long as the order.
      const message = ({ height }: Block) =>
        Signing.cancelling({
          ...(goodTil ?? { goodTilBlock: height + patience }),
          orderId: { ...named, owner, subaccountNumber }
        })
      return Effect.andThen(
        this.transact(sending, (block) => ({
          message: message(block),
          isCounted: order.orderFlags === Orders.resting,
          result: undefined
        })),
        cancelled
      )
    })
  }

  /** Each by itself. */
  cancelAll(): Effect.Effect<ReadonlyArray<DydxOrder>, Failure> {
    return Effect.succeed([])
  }

  private order(orderId: string, until: number): Effect.Effect<DydxOrder, Failure> {
    return Effect.map(this.ask(Schemas.Order, `orders/${encodeURIComponent(orderId)}`, {}, until), Orders.ofIndexer)
  }

  private listed(
    query: Readonly<Record<string, string | number | undefined>>,
    until: number
  ): Effect.Effect<ReadonlyArray<DydxOrder>, Failure> {
    const all = { ...this.subject, ...query, limit: mostListed, returnLatestOrders: "true" }
    return Effect.map(
      this.ask(Schemas.Orders, "orders", all, until),
      (orders) => orders.map(Orders.ofIndexer).toReversed()
    )
  }

  find(name: OrderName, until: number): Effect.Effect<ReadonlyArray<DydxOrder>, Failure> {
    if (name.orderId !== undefined) {
      return Effect.map(orNone(this.order(name.orderId, until)), (order) => order === undefined ? [] : [order])
    }
    const number = clientNumber(name.clientId)
    this.names.set(number, name.clientId)
    return Effect.map(this.listed({}, until), (orders) => orders.filter(({ clientId }) => clientId === number))
  }

  // What a node has taken may never come into a block: then it is over.
  findEver(name: OrderName, until: number): Effect.Effect<ReadonlyArray<DydxOrder>, Failure> {
    const taken = this.taken.get(name.orderId ?? "")
    if (taken === undefined) return this.find(name, until)
    return Effect.flatMap(this.height(until), (height) =>
      Effect.map(this.find(name, until), (found) => {
        if (found.length > 0) this.taken.delete(taken.order.orderId)
        return found.length > 0 || height <= taken.lastBlock ? found : [{ ...taken.order, status: "expired" }]
      }))
  }

  open(product: string | undefined, until: number): Effect.Effect<ReadonlyArray<DydxOrder>, Failure> {
    return Effect.map(
      this.listed({ ticker: product, status: "OPEN,BEST_EFFORT_OPENED,BEST_EFFORT_CANCELED,UNTRIGGERED" }, until),
      (orders) => orders.filter(({ status }) => !isOver(status))
    )
  }

  private executions(
    query: Readonly<Record<string, string | number | undefined>>,
    since: Timestamp.Timestamp | undefined,
    until: number
  ): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    const page = (
      before: string | undefined,
      known: ReadonlyArray<typeof Schemas.Fill.Type>
    ): Effect.Effect<ReadonlyArray<typeof Schemas.Fill.Type>, Failure> =>
      Effect.flatMap(
        this.ask(
          Schemas.Fills,
          "fills",
          { ...this.subject, ...query, limit: mostListed, createdBeforeOrAt: before },
          until
        ),
        ({ fills }) => {
          const all = [...new Map([...known, ...fills].map((fill) => [fill.id, fill])).values()]
          const oldest = fills.at(-1)?.createdAt
          const isEnough = oldest === undefined || fills.length < mostListed || all.length === known.length ||
            (since !== undefined && Timestamp.TimestampOrder(oldest, since) < 0)
          return isEnough ? Effect.succeed(all) : page(Timestamp.format(oldest), all)
        }
      )
    return Effect.map(page(undefined, []), (fills) =>
      Orders.toFills(
        fills.filter(({ createdAt }) => since === undefined || Timestamp.TimestampOrder(createdAt, since) >= 0)
      ))
  }

  fills(
    { orderId, product }: { readonly orderId: string; readonly product: string },
    until: number
  ): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return Effect.map(
      this.executions({ market: product, marketType: "PERPETUAL" }, undefined, until),
      (fills) => fills.filter((fill) => fill.orderId === orderId)
    )
  }

  fillsSince(since: Timestamp.Timestamp, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return this.executions({}, since, until)
  }

  notices(): Effect.Effect<PubSub.Subscription<Notice<DydxOrder>>, never, Scope.Scope> {
    return this.#setting.notices
  }

  balances(until: number): Effect.Effect<ReadonlyArray<Balance>, Failure> {
    const { address, subaccountNumber } = this.subject
    return Effect.map(
      Effect.all([
        this.ask(Schemas.Subaccount, `addresses/${address}/subaccountNumber/${subaccountNumber}`, {}, until),
        this.ask(Schemas.Assets, "assetPositions", this.subject, until)
      ], { concurrency: "unbounded" }),
      ([{ subaccount }, { positions }]) =>
        positions.map(({ side, size, symbol }) =>
          new Balance({
            exchange: Orders.exchange,
            asset: symbol,
            available: subaccount.freeCollateral,
            total: side === "SHORT" && size.value > 0n ? BigDecimal.negate(size) : size
          })
        )
    )
  }

  positions(until: number): Effect.Effect<ReadonlyArray<Position>, Failure> {
    return Effect.map(
      this.ask(Schemas.Positions, "perpetualPositions", { ...this.subject, status: "OPEN" }, until),
      ({ positions }) =>
        positions.map(({ entryPrice, market, size }) =>
          new Position({
            exchange: Orders.exchange,
            product: market,
            amount: size,
            ...(entryPrice === undefined || entryPrice === null ? {} : { averagePrice: entryPrice })
          })
        )
    )
  }

  // --- transactions --------------------------------------------------------------

  private block(until: number): Effect.Effect<Block, Failure> {
    const { asking, node } = this.#setting
    return Effect.map(
      asking.get(Schemas.Block, `${node}/cosmos/base/tendermint/v1beta1/blocks/latest`, until),
      ({ block: { header } }) => ({
        chainId: header.chain_id,
        height: Number(header.height),
        seconds: Math.floor(Timestamp.epochMillis(header.time) / 1_000)
      })
    )
  }

  private account(until: number): Effect.Effect<{ readonly number: bigint; readonly sequence: bigint }, Failure> {
    const { asking, node, wallet: { address } } = this.#setting
    return orNone(asking.get(Schemas.Account, `${node}/cosmos/auth/v1beta1/accounts/${address}`, until)).pipe(
      Effect.flatMap((found) =>
        found === undefined
          ? Effect.fail(unsent(`the chain has no account ${address}`))
          : Effect.succeed({
            number: BigInt(found.account.account_number),
            sequence: BigInt(found.account.sequence)
          })
      )
    )
  }

  /** Writes a transaction of one message, after those before it. What does not rest is not counted by the account's sequence. */
  private transact<A>(
    sending: Sending,
    write: (block: Block) => { readonly message: Signing.Message; readonly isCounted: boolean; readonly result: A }
  ): Effect.Effect<A, Failure> {
    const { asking, node, wallet } = this.#setting
    const { until } = sending
    return this.turns.withPermits(1)(Effect.gen({ self: this }, function*() {
      const [block, account] = yield* Effect.mapError(
        Effect.all([this.block(until), this.account(until)], { concurrency: "unbounded" }),
        this.unwritten
      )
      const { isCounted, message, result } = write(block)
      // What was written just now may not show yet.
      const own = this.sequence !== undefined && this.now() < this.sequence.until ? this.sequence.next : 0n
      const sequence = own > account.sequence ? own : account.sequence
      const transaction = Signing.sign(wallet, message, {
        chainId: block.chainId,
        accountNumber: account.number,
        sequence,
        timeoutHeight: block.height + patience
      })
      const { tx_response: { code, codespace, raw_log } } = yield* asking.post(
        Schemas.Broadcast,
        `${node}/cosmos/tx/v1beta1/txs`,
        { tx_bytes: Base64.encode(transaction), mode: "BROADCAST_MODE_SYNC" },
        sending
      )
      if (code === 0) {
        if (isCounted) this.sequence = { next: sequence + 1n, until: this.now() + settlingMillis }
        return result
      }
      if (code === wrongSequence) this.sequence = undefined
      const reason = raw_log === undefined || raw_log === null || raw_log === "" ? `refused with ${code}` : raw_log
      return yield* Effect.fail<Failure>({
        _tag: "Refused",
        reason,
        code: codespace === undefined || codespace === null || codespace === "" ? String(code) : `${codespace} ${code}`
      })
    }))
  }

  // What has not been written is not sent, whatever it waited for.
  private readonly unwritten = (failure: Failure): Failure =>
    failure._tag === "Unsent" ? failure : unsent(describe(failure))
}

/** The newest block: its chain, its number and its time. */
interface Block {
  readonly chainId: string
  readonly height: number
  readonly seconds: number
}
