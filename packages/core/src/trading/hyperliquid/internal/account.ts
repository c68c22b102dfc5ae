/**
 * What is asked of an account at Hyperliquid: its orders, its executions, and
 * what it may trade.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../../codec/ExactJson.ts"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import * as Failure from "../../internal/failure.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { Amendments } from "./amendments.ts"
import * as Assets from "./assets.ts"
import type { Calls } from "./calls.ts"
import * as Orders from "./orders.ts"
import * as Wire from "./wire.ts"

/**
 * What a question weighs.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits (read 2026-11-26)
 */
const weights = { light: 2, usual: 20, role: 60 }

/** So many executions one answer has at most. */
const mostFills = 2_000

const number = (value: number | string): ExactJson.JsonNumber => new ExactJson.JsonNumber(String(value))

/**
 * An account, as it is asked about. What is said of its orders is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export class Account {
  private readonly calls: Calls
  private readonly amendments: Amendments
  private readonly slippage: Decimal.Decimal
  private account: string | undefined
  private assets: ReadonlyMap<string, Assets.Asset> = new Map()

  constructor(
    calls: Calls,
    { account, amendments, slippage }: {
      /** Whose orders are asked for, if it is not to be learned. */
      readonly account: string | undefined
      readonly amendments: Amendments
      readonly slippage: Decimal.Decimal
    }
  ) {
    this.calls = calls
    this.amendments = amendments
    this.slippage = slippage
    this.account = account
  }

  recorded(order: Orders.Order): Orders.Order {
    this.amendments.record(order)
    return order
  }

  /** Whose orders are asked for: the account that an API wallet signs for. */
  user(until: number): Effect.Effect<string, Failure.Failure> {
    return Effect.suspend(() => {
      if (this.account !== undefined) return Effect.succeed(this.account)
      const { address } = this.calls
      return this.calls.info({ type: "userRole", user: address }, Wire.Role, { until, weight: weights.role }).pipe(
        Effect.map((role) => this.account = "data" in role ? role.data.user.toLowerCase() : address)
      )
    })
  }

  /** Asks something of the account. */
  of<A>(
    type: string,
    schema: Schema.Codec<A, unknown>,
    until: number,
    more: ExactJson.JsonObject = {}
  ): Effect.Effect<A, Failure.Failure> {
    const weight = type === "orderStatus" || type.endsWith("learinghouseState") ? weights.light : weights.usual
    return Effect.flatMap(
      this.user(until),
      (user) => this.calls.info({ type, user, ...more }, schema, { until, weight })
    )
  }

  /** The order of a number, or the newest of a client id. */
  ask(id: string, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    const oid = id.startsWith("0x") ? id : number(id)
    return Effect.map(this.of("orderStatus", Wire.OrderStatus, until, { oid }), (answer) => {
      if (answer.status === "unknownOid") return []
      const { order: { order, status } } = answer
      return [this.recorded(Orders.read(order, status))]
    })
  }

  /** The last orders of the account, whatever became of them. */
  history(until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    return Effect.map(
      this.of("historicalOrders", Schema.Array(Wire.OrderWithStatus), until),
      (orders) => orders.map(({ order, status }) => this.recorded(Orders.read(order, status)))
    )
  }

  /** As `history`, of whoever may have none: what is answered otherwise does not count. */
  historyIfAny(until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    return Effect.catch(this.history(until), (failure) => {
      const isNone = failure._tag === "Refused"
        ? failure.retryAfterMillis === undefined
        : failure._tag === "Unanswered" && failure.isUnreadable === true
      return isNone ? Effect.succeed([]) : Effect.fail(failure)
    })
  }

  /** Learns which orders bore the client ids of orders before these. */
  learnHistory(orders: ReadonlyArray<Orders.Order>, until: number): Effect.Effect<void, Failure.Failure> {
    const cloids = orders.flatMap(({ cloid }) =>
      cloid === undefined || this.amendments.isComplete(cloid) ? [] : [cloid]
    )
    if (cloids.length === 0) return Effect.void
    return Effect.map(this.historyIfAny(until), () => {
      for (const cloid of cloids) this.amendments.complete(cloid)
    })
  }

  fillsFrom(
    startTime: number,
    until: number
  ): Effect.Effect<ReadonlyArray<typeof Wire.Fill.Type>, Failure.Failure> {
    const page = (from: number): Effect.Effect<ReadonlyArray<typeof Wire.Fill.Type>, Failure.Failure> =>
      Effect.flatMap(
        this.of("userFillsByTime", Schema.Array(Wire.Fill), until, { startTime: number(from) }),
        (fills) => {
          const last = fills.reduce((latest, { time }) => Math.max(latest, Timestamp.epochMillis(time)), from)
          return fills.length < mostFills || last === from
            ? Effect.succeed(fills)
            : Effect.map(page(last), (more) => [...fills, ...more])
        }
      )
    return page(Math.max(0, Math.floor(startTime)))
  }

  /** The asset of a product; `undefined` if there is none. */
  listed(product: string, until: number): Effect.Effect<Assets.Asset | undefined, Failure.Failure> {
    return Effect.suspend(() => {
      const known = this.assets.get(product)
      if (known !== undefined) return Effect.succeed(known)
      const how = { until, weight: weights.usual }
      const asked = Assets.isSpot(product)
        ? Effect.map(this.calls.info({ type: "spotMeta" }, Wire.SpotMeta, how), Assets.spots)
        : Effect.map(this.calls.info({ type: "meta" }, Wire.Meta, how), Assets.perpetuals)
      return Effect.map(asked, (found) => {
        this.assets = new Map([...this.assets, ...found])
        return found.get(product)
      })
    })
  }

  asset(product: string, until: number): Effect.Effect<Assets.Asset, string> {
    if (product.includes(":")) {
      return Effect.fail(`product ${product} is of a builder's market: those are not traded here`)
    }
    return this.listed(product, until).pipe(
      Effect.mapError(Failure.describe),
      Effect.flatMap((asset) =>
        asset === undefined
          ? Effect.fail(`product ${product} is not traded at Hyperliquid`)
          : Effect.succeed(asset)
      )
    )
  }

  marketPrice(
    asset: Assets.Asset,
    order: Pick<OrderRequest, "amount" | "reduceOnly" | "side">,
    until: number
  ): Effect.Effect<Decimal.Decimal, string> {
    const coin = asset.instrument.product
    return this.calls.info({ type: "l2Book", coin }, Wire.Book, { until, weight: weights.light }).pipe(
      Effect.mapError(Failure.describe),
      Effect.flatMap(({ levels: [bids = [], asks = []] }) => {
        const { side } = order
        const best = (side === "buy" ? asks : bids)[0]?.px
        return best === undefined
          ? Effect.fail(`a market order to ${side} finds nothing to trade with in ${coin}`)
          : Effect.succeed(Assets.marketPrice(asset, order, { best, slippage: this.slippage }))
      })
    )
  }
}
