/**
 * What a trader does, for people and for what watches it: lines of the log, its
 * part of `/healthz`, and the report at the end.
 *
 * @since 0.1.0
 */
import type * as Trader from "@tickline/core/strategy/Trader"
import type { TraderEvent } from "@tickline/core/strategy/TraderEvent"
import type * as Lot from "@tickline/core/trading/Lot"
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import type * as Reconciliation from "@tickline/core/trading/Reconciliation"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { counted, type Paint } from "../Style.ts"

/** Money for people: to the hundredth, with its sign if it is a gain. */
const money = (amount: Decimal.Decimal): string => Decimal.format(BigDecimal.round(amount, { scale: 2 }))

const signed = (amount: Decimal.Decimal): string => Decimal.isPositive(amount) ? `+${money(amount)}` : money(amount)

const gainOf = ({ fees, realized }: Lot.Closed): Decimal.Decimal => BigDecimal.subtract(realized, fees)

/** How soon a refusal of the same code is told again. */
const refusalMillis = 60_000

/**
 * A trader's journal. `report` is what a run came to, as lines for people.
 *
 * @category models
 * @since 0.1.0
 */
export interface TraderJournal {
  readonly order: (event: OrderEvent.OrderEvent) => void
  readonly health: Effect.Effect<Schema.Json>
  readonly report: (paint: Paint) => Effect.Effect<string>
}

const annotationsOf = (event: TraderEvent): Readonly<Record<string, unknown>> => {
  switch (event._tag) {
    case "Entering":
    case "NotFilled":
    case "Exiting": {
      const { amount, clientId, product, side } = event.request
      return { product, side, amount: Decimal.format(amount), clientId, ...("why" in event ? { why: event.why } : {}) }
    }
    case "Opened": {
      const { amount, direction, entryPrice, exchange, product } = event.lot
      return { product, direction, amount: Decimal.format(amount), price: Decimal.format(entryPrice), exchange }
    }
    case "NotClosed":
      return { product: event.lot.product, why: event.why, detail: event.detail, againMillis: event.againMillis }
    case "Closed": {
      const { exchange, product } = event.trade
      const left = Decimal.isPositive(event.left) ? { left: Decimal.format(event.left) } : {}
      return { product, why: event.why ?? "fill", gain: signed(gainOf(event.trade)), exchange, ...left }
    }
    case "Unbookable":
      return { error: event.error.message }
    case "Broken":
      return { violations: event.violations.map(({ _tag }) => _tag).join(",") }
    case "Reconciled":
      return {
        status: event.report.status,
        compared: event.report.compared,
        ...(event.report.differences.length === 0
          ? {}
          : { differences: event.report.differences.map(differing).join("; ") })
      }
    case "Recovered":
      return { lots: event.lots, orders: event.orders }
    default:
      return "reason" in event && typeof event.reason === "string" ? { reason: event.reason } : {}
  }
}

const differing = ({ exchange, here, kind, name, there }: Reconciliation.Difference): string => {
  const said = (amount: Decimal.Decimal | undefined) => amount === undefined ? "nothing" : Decimal.format(amount)
  return `${kind} of ${name} at ${exchange}: ${said(here)} here, ${said(there)} there`
}

/** What is unlike by no more than digits needs nobody's attention. */
const lineOf = (report: Reconciliation.Report): Effect.Effect<void> => {
  switch (report.status) {
    case "Ok":
    case "Precision":
      return Effect.logDebug("accounts agree")
    case "Minor":
      return Effect.logInfo("accounts differ")
    default:
      return Effect.logError("accounts differ")
  }
}

/** Alerts are in the log already, by the trader itself. */
const lines: Readonly<Record<Exclude<TraderEvent["_tag"], "Refused" | "Reconciled">, Effect.Effect<void>>> = {
  Entering: Effect.logDebug("entering"),
  Exiting: Effect.logDebug("exiting"),
  NotFilled: Effect.logInfo("order not filled"),
  Opened: Effect.logInfo("position opened"),
  NotClosed: Effect.logWarning("position not closed"),
  Closed: Effect.logInfo("position closed"),
  Unbookable: Effect.logError("fill not booked"),
  Broken: Effect.logError("portfolio broken"),
  Recovered: Effect.logInfo("recovered"),
  Halted: Effect.logWarning("halted"),
  Cleared: Effect.logInfo("cleared"),
  Ended: Effect.logError("no more prices"),
  Raised: Effect.void,
  Lowered: Effect.void
}

/**
 * Keeps the journal of a trader until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  trader: Trader.Trader["Service"]
): Effect.fn.Return<TraderJournal, never, Scope.Scope> {
  const refusals = new Map<string, { count: number; told: number; at: number }>()
  const orders = new Map<OrderEvent.OrderEvent["_tag"], number>()
  const placed = new Set<string>()

  const refused = Effect.fnUntraced(
    function*({ code, signal: { product, side } }: Extract<TraderEvent, { _tag: "Refused" }>) {
      const now = yield* Monotonic.now
      const known = refusals.get(code) ?? { count: 0, told: 0, at: Number.NEGATIVE_INFINITY }
      refusals.set(code, known)
      known.count++
      if (now - known.at < refusalMillis) return
      const times = known.count - known.told
      known.at = now
      known.told = known.count
      yield* Effect.annotateLogs(Effect.logInfo("signal refused"), {
        code,
        product,
        side,
        ...(times > 1 ? { times } : {})
      })
    }
  )

  const take = (event: TraderEvent): Effect.Effect<void> =>
    Effect.gen(function*() {
      if (event._tag === "Refused") return yield* refused(event)
      const line = event._tag === "Reconciled" ? lineOf(event.report) : lines[event._tag]
      yield* Effect.annotateLogs(line, annotationsOf(event))
    })

  yield* Effect.forkScoped(Stream.runForEach(trader.events, take), { startImmediately: true })

  return {
    order: (event) => {
      orders.set(event._tag, (orders.get(event._tag) ?? 0) + 1)
      if (event._tag === "Acknowledged" && event.clientId !== undefined) placed.add(event.clientId)
    },
    health: Effect.gen(function*() {
      const state = yield* trader.state.current
      const { lots, quote, total } = yield* trader.portfolio
      return {
        state: state._tag,
        ...("reason" in state && state.reason !== undefined ? { reason: state.reason } : {}),
        equity: Decimal.format(total),
        quote,
        positions: Array.from(lots.values(), ({ amount, direction, entryPrice, exchange, product }) => ({
          exchange,
          product,
          direction,
          amount: Decimal.format(amount),
          entryPrice: Decimal.format(entryPrice)
        })),
        orders: Object.fromEntries(orders),
        refusals: Object.fromEntries(Array.from(refusals, ([code, { count }]) => [code, count]))
      }
    }),
    report: (paint) =>
      Effect.gen(function*() {
        const portfolio = yield* trader.portfolio
        const { drawdown, losses, trades, wins } = yield* trader.performance
        const { fees, lots, opening, quote, realized, total } = portfolio
        const gain = BigDecimal.subtract(total, opening)
        const tone = Decimal.isPositive(gain) ? "green" : gain.value === 0n ? "dim" : "red"
        const parts = [
          `${counted(placed.size, "order")}, ${counted(orders.get("Fill") ?? 0, "fill")}`,
          `since the first start: ${counted(trades, "position")} closed, ${wins} won, ${losses} lost; at worst ${
            (drawdown * 100).toFixed(2)
          } % below the highest`,
          `profit ${paint(tone, signed(gain))} ${quote} of ${money(opening)}: realized ${signed(realized)}, open ${
            signed(Portfolio.unrealized(portfolio))
          }, fees ${money(fees.get(quote) ?? Decimal.zero)}`,
          ...refusals.size === 0
            ? []
            : [`refused: ${Array.from(refusals, ([code, { count }]) => `${count} ${code}`).join(", ")}`],
          ...Array.from(lots.values(), ({ amount, direction, entryPrice, exchange, product }) =>
            `open: ${direction} ${Decimal.format(amount)} ${product} at ${exchange}, entered at ${
              Decimal.format(entryPrice)
            }`)
        ]
        return `${parts.join("\n")}\n`
      })
  }
})
