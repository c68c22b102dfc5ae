/**
 * What is checked before a signal becomes an order, and what order it becomes.
 *
 * `check` goes through the checks in their order and gives the first that
 * refuses, with its figures; or the order's terms, and the state in which it
 * counts. It is one step without clock and chance: whoever makes it atomic can
 * check several signals at once.
 *
 * Times are milliseconds since 1970. What is admitted is an `Admission`, which is
 * plain data: after a restart `remember` makes the state of those that were kept.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Side } from "../event/MarketData.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Instrument from "./Instrument.ts"
import { orderSize } from "./internal/orderSize.ts"
import { OrderRequest, type TimeInForce } from "./OrderRequest.ts"
import * as Portfolio from "./Portfolio.ts"

/**
 * What is allowed.
 *
 * - `products`: those that may be traded, by name. Default: none
 * - `confidence`: the least of a signal. Default: 0.7
 * - `repeatAfter`: how long the same product, side and confidence is the same
 *   signal. Default: 5 minutes
 * - `perHour`, `perDay`: how many orders. Default: 10 and 50
 * - `share`: of the portfolio's total, for one order. Default: 0.1
 * - `maxExposure`, `leverage`: an order has at most the available money × the
 *   lesser of them. Default: 0.8 and 1
 * - `minimumAmount`, `minimumValue`, `maximumValue`: of one order, the values in
 *   the portfolio's currency. Default: 0.0001, 100 and no maximum
 * - `signalAge`, `priceAge`: from which on they are stale. Default: 30 seconds and
 *   5 seconds
 * - `slippage`: how far beyond the price an order may be filled, as a share of it.
 *   Default: 0.002
 * - `timeInForce`: of the order. Default: `ioc`
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly products: ReadonlyArray<string>
  readonly confidence: number
  readonly repeatAfter: Duration.Input
  readonly perHour: number
  readonly perDay: number
  readonly share: Decimal.Decimal
  readonly maxExposure: Decimal.Decimal
  readonly leverage: Decimal.Decimal
  readonly minimumAmount: Decimal.Decimal
  readonly minimumValue: Decimal.Decimal
  readonly maximumValue: Decimal.Decimal | undefined
  readonly signalAge: Duration.Input
  readonly priceAge: Duration.Input
  readonly slippage: Decimal.Decimal
  readonly timeInForce: TimeInForce
}

/**
 * The limits that hold where none are said.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits: Limits = {
  products: [],
  confidence: 0.7,
  repeatAfter: "5 minutes",
  perHour: 10,
  perDay: 50,
  share: BigDecimal.make(1n, 1),
  maxExposure: BigDecimal.make(8n, 1),
  leverage: BigDecimal.make(1n, 0),
  minimumAmount: BigDecimal.make(1n, 4),
  minimumValue: BigDecimal.make(100n, 0),
  maximumValue: undefined,
  signalAge: "30 seconds",
  priceAge: "5 seconds",
  slippage: BigDecimal.make(2n, 3),
  timeInForce: "ioc"
}

/**
 * A signal that became an order, under the order's client id. One that
 * `isWithdrawn` came to nothing: it counts as an order, and may be given again.
 *
 * @category models
 * @since 0.1.0
 */
export class Admission extends Schema.Class<Admission>("Admission")({
  id: Schema.NonEmptyString,
  product: Schema.NonEmptyString,
  side: Side,
  confidence: Schema.Finite,
  at: Schema.Finite,
  isWithdrawn: Schema.optionalKey(Schema.Boolean)
}) {}

/**
 * What checks depend on: the portfolio, and what was admitted within a day, oldest
 * first.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly portfolio: Portfolio.Portfolio
  readonly admissions: ReadonlyArray<Admission>
}

/**
 * What a signal is checked with: the order's client id, the rules of what would
 * be traded, the newest price and when it was heard, and what is available at the
 * exchange by asset, as far as it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly id: string
  readonly signal: {
    readonly product: string
    readonly side: Side | "hold"
    readonly confidence: number
    readonly at: number
  }
  readonly instrument: Instrument.Instrument
  readonly price: Decimal.Decimal
  readonly pricedAt: number
  readonly balances?: ReadonlyMap<string, Decimal.Decimal> | undefined
  readonly now: number
}

/**
 * Why a signal becomes no order, with the figures, in the order of the checks.
 * What an order would break of the portfolio's invariants is among them.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | { readonly _tag: "Repeated"; readonly id: string; readonly ageMillis: number }
  | { readonly _tag: "NotAllowed"; readonly product: string }
  | { readonly _tag: "OtherCurrency"; readonly asset: string; readonly quote: string }
  | { readonly _tag: "Confidence"; readonly confidence: number; readonly least: number }
  | { readonly _tag: "Hold" }
  | { readonly _tag: "PerHour" | "PerDay"; readonly count: number; readonly most: number; readonly waitMillis: number }
  | {
    readonly _tag: "TooSmall"
    readonly amount: Decimal.Decimal
    readonly value: Decimal.Decimal
    readonly minimumAmount: Decimal.Decimal
    readonly minimumValue: Decimal.Decimal
  }
  | { readonly _tag: "StaleSignal" | "StalePrice"; readonly ageMillis: number; readonly mostMillis: number }
  | Exclude<Portfolio.Violation, { readonly _tag: "Total" }>
  | {
    readonly _tag: "Balance"
    readonly asset: string
    readonly needed: Decimal.Decimal
    readonly available: Decimal.Decimal
  }
  | { readonly _tag: "NoPrice"; readonly price: Decimal.Decimal; readonly tick: Decimal.Decimal }

/**
 * A signal that becomes no order. What is recoverable may pass if it is tried
 * again soon.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refused {
  readonly reason: Reason
  readonly code: string
  readonly severity: "Minor" | "Major" | "Critical"
  readonly isRecoverable: boolean
}

/**
 * A signal that becomes an order: what to ask for, and the state in which it
 * counts and its money is set aside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Admitted {
  readonly request: OrderRequest
  readonly admission: Admission
  readonly state: State
}

const kinds: Readonly<Record<Reason["_tag"], readonly [code: string, severity: Refused["severity"]]>> = {
  Repeated: ["ERR_DUPLICATE_SIGNAL", "Minor"],
  NotAllowed: ["ERR_SYMBOL_NOT_WHITELISTED", "Major"],
  OtherCurrency: ["ERR_CURRENCY", "Major"],
  Confidence: ["ERR_LOW_CONFIDENCE", "Minor"],
  Hold: ["ERR_HOLD", "Minor"],
  PerHour: ["ERR_HOURLY_LIMIT", "Major"],
  PerDay: ["ERR_DAILY_LIMIT", "Major"],
  TooSmall: ["ERR_ORDER_TOO_SMALL", "Minor"],
  StaleSignal: ["ERR_STALE_SIGNAL", "Minor"],
  StalePrice: ["ERR_STALE_PRICE", "Major"],
  Terms: ["ERR_INVALID_ORDER", "Major"],
  Lots: ["ERR_POSITION_LIMIT", "Major"],
  LotsOfProduct: ["ERR_SYMBOL_POSITION_LIMIT", "Major"],
  Exposure: ["ERR_EXPOSURE_LIMIT", "Major"],
  Cash: ["ERR_INSUFFICIENT_BALANCE", "Critical"],
  Balance: ["ERR_INSUFFICIENT_BALANCE", "Critical"],
  NoPrice: ["ERR_INVALID_ORDER", "Major"]
}

const refused = (reason: Reason): Result.Result<never, Refused> => {
  const [code, severity] = kinds[reason._tag]
  return Result.fail({ reason, code, severity, isRecoverable: reason._tag === "StalePrice" })
}

const hour = 3_600_000
const day = 24 * hour

/**
 * The state after an admission, without what is older than a day by then.
 *
 * @category combinators
 * @since 0.1.0
 */
export const remember = (self: State, admission: Admission): State => ({
  ...self,
  admissions: [...self.admissions.filter(({ at }) => admission.at - at < day), admission]
})

/**
 * The state after an order came to nothing: nothing is set aside for it, and its
 * signal may be given again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withdraw = (self: State, id: string): State => ({
  portfolio: Portfolio.release(self.portfolio, id),
  admissions: self.admissions.map((admission) =>
    admission.id === id ? new Admission({ ...admission, isWithdrawn: true }) : admission
  )
})

const repeated = ({ repeatAfter }: Limits, self: State, { now, signal }: Input): Reason | undefined => {
  const before = self.admissions.findLast(({ at, confidence, isWithdrawn, product, side }) =>
    isWithdrawn !== true && product === signal.product && side === signal.side && confidence === signal.confidence &&
    now - at < Duration.toMillis(repeatAfter)
  )
  return before && { _tag: "Repeated", id: before.id, ageMillis: now - before.at }
}

const tooOften = (
  _tag: "PerHour" | "PerDay",
  self: State,
  { now }: Input,
  most: number,
  within: number
): Reason | undefined => {
  const recent = self.admissions.filter(({ at }) => now - at < within)
  const [first] = recent.slice(-most)
  if (recent.length < most) return undefined
  return { _tag, count: recent.length, most, waitMillis: within - now + (first?.at ?? now) }
}

const tooOld = (_tag: "StaleSignal" | "StalePrice", at: number, { now }: Input, most: Duration.Input) => {
  const mostMillis = Duration.toMillis(most)
  return now - at < mostMillis ? undefined : { _tag, ageMillis: now - at, mostMillis } as const
}

/** The legal price that is furthest in an order's favour of being filled, within the slippage. */
const limitPrice = ({ slippage }: Limits, { instrument, price }: Input, side: Side): Decimal.Decimal | undefined => {
  const beyond = BigDecimal.multiply(price, slippage)
  const bound = side === "buy" ? BigDecimal.sum(price, beyond) : BigDecimal.subtract(price, beyond)
  const illegal = Instrument.checkPrice(instrument, bound)
  const legal = illegal === undefined ? bound : side === "buy" ? illegal.below : illegal.above
  return legal && Instrument.checkPrice(instrument, legal) === undefined ? legal : undefined
}

/** What the exchange has too little of for an order: of spot what it gives away, otherwise its margin, with the fees. */
const lacking = (
  { leverage }: Limits,
  { balances, instrument }: Input,
  { amount, fee = Decimal.zero, price }: Portfolio.Entry,
  side: Side
): Reason | undefined => {
  const { base, feeAsset } = instrument
  const value = BigDecimal.multiply(amount, price)
  const margin = Exact.divide(value, base === undefined ? leverage : BigDecimal.make(1n, 0), value.scale)
  const [asset, needed] = base !== undefined && side === "sell"
    ? [base, amount]
    : [feeAsset, BigDecimal.sum(margin, fee)]
  const available = balances?.get(asset)
  return available === undefined || BigDecimal.isLessThanOrEqualTo(needed, available)
    ? undefined
    : { _tag: "Balance", asset, needed, available }
}

/**
 * Whether a signal becomes an order, and which. A buy enters a long, a sell a
 * short, by a limit order at the price and the slippage.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = (limits: Limits, self: State, input: Input): Result.Result<Admitted, Refused> => {
  const { id, instrument, now, price, signal } = input
  const { confidence, product, side } = signal
  const { portfolio: { quote } } = self
  const { feeAsset, valuation } = instrument
  const before = repeated(limits, self, input)
  if (before !== undefined) return refused(before)
  if (!limits.products.includes(product)) return refused({ _tag: "NotAllowed", product })
  if (feeAsset !== quote || valuation === "inverse") return refused({ _tag: "OtherCurrency", asset: feeAsset, quote })
  if (!(confidence >= limits.confidence)) {
    return refused({ _tag: "Confidence", confidence, least: limits.confidence })
  }
  if (side === "hold") return refused({ _tag: "Hold" })
  const often = tooOften("PerHour", self, input, limits.perHour, hour) ??
    tooOften("PerDay", self, input, limits.perDay, day)
  if (often !== undefined) return refused(often)
  if (!Decimal.isPositive(price)) return refused({ _tag: "Terms", id, amount: Decimal.zero, price })
  const limit = limitPrice(limits, input, side)
  const worst = BigDecimal.max(price, limit ?? price)
  const amount = orderSize(limits, self.portfolio, input, limit)
  if ("_tag" in amount) return refused(amount)
  const old = tooOld("StaleSignal", signal.at, input, limits.signalAge) ??
    tooOld("StalePrice", input.pricedAt, input, limits.priceAge)
  if (old !== undefined) return refused(old)
  const fees = (["maker", "taker"] as const).map((liquidity) => Instrument.fee(instrument, liquidity, worst, amount))
  const fee = fees.reduce((one, other) => BigDecimal.max(one, other), Decimal.zero)
  const entry = { id, product, direction: side === "buy" ? "long" : "short", amount, price: worst, fee } as const
  const portfolio = Portfolio.admit(self.portfolio, entry)
  if (Result.isFailure(portfolio)) return refused(portfolio.failure)
  const lack = lacking(limits, input, entry, side)
  if (lack !== undefined) return refused(lack)
  if (limit === undefined) return refused({ _tag: "NoPrice", price, tick: instrument.tick })
  const admission = new Admission({ id, product, side, confidence, at: now })
  const { timeInForce } = limits
  return Result.succeed({
    request: new OrderRequest({
      product,
      side,
      type: "limit",
      amount,
      price: limit,
      timeInForce,
      reduceOnly: false,
      clientId: id
    }),
    admission,
    state: remember({ ...self, portfolio: portfolio.success }, admission)
  })
}
