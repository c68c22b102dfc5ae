/**
 * What is said of orders, one line an event, for people.
 *
 * @since 0.1.0
 */
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { pad, type Paint } from "./Style.ts"

const tones = {
  Acknowledged: "green",
  Rejected: "red",
  NotSent: "yellow",
  OutcomeUnknown: "yellow",
  Reconciled: "green",
  Fill: "cyan",
  OrderUpdate: "cyan",
  CancelledAll: "green"
} as const

/**
 * An event as one line, without the line feed.
 *
 * @category getters
 * @since 0.1.0
 */
export const line = (paint: Paint, event: OrderEvent.OrderEvent): string => {
  const text = (label: string, value: string | undefined) =>
    value === undefined ? "" : `${paint("dim", label)} ${Printable.escape(value)}`
  const decimal = (label: string, value: Decimal.Decimal | undefined) =>
    text(label, value === undefined ? undefined : Decimal.format(value))
  const side = (value: "buy" | "sell" | undefined) =>
    value === undefined ? "" : paint(value === "buy" ? "green" : "red", value)
  const status = (value: string) => paint("bold", value)
  const members = (): ReadonlyArray<string> => {
    switch (event._tag) {
      case "Acknowledged":
      case "Reconciled":
        return [status(event.status), decimal("filled", event.filled)]
      case "Rejected":
        return [Printable.escape(event.reason), text("code", event.code)]
      case "NotSent":
      case "OutcomeUnknown":
        return [Printable.escape(event.reason)]
      case "Fill":
        return [
          side(event.side),
          `${Decimal.format(event.amount)} @ ${paint("bold", Decimal.format(event.price))}`,
          Printable.escape(event.product),
          decimal("fee", event.fee),
          event.feeAsset === undefined ? "" : Printable.escape(event.feeAsset),
          text("trade", event.tradeId),
          event.timestamp === undefined ? "" : paint("dim", Timestamp.format(event.timestamp).slice(11))
        ]
      case "OrderUpdate":
        return [
          status(event.status),
          side(event.side),
          event.product === undefined ? "" : Printable.escape(event.product),
          decimal("amount", event.amount),
          decimal("price", event.price),
          decimal("filled", event.filled),
          decimal("remaining", event.remaining),
          decimal("average", event.averagePrice)
        ]
      case "CancelledAll":
        return [String(event.count)]
    }
  }
  // Those of an execution are those of the outcome before it.
  const ids = event._tag === "CancelledAll" || event._tag === "Fill"
    ? []
    : [text("order", event.orderId), text("client", event.clientId)]
  const parts = [paint(tones[event._tag], pad(event._tag, 14)), ...members(), ...ids]
  return parts.filter((part) => part !== "").join(" ")
}
