/** Why Coinbase Advanced Trade refuses something, in its words. */
import * as Instrument from "@tickline/core/trading/Instrument"
import type { Refusal } from "@tickline/core/trading/MatchingEvent"
import { Answer } from "../../venue/Listing.ts"

/** What the venue answers to what it does not carry out, besides what each call says of itself. */
export const fault = (status: number, error: string, message: string, code: number): Answer =>
  new Answer(status, { error, code, message, details: [] })

export const unauthorized = new Answer(
  401,
  undefined,
  { "content-type": "text/plain; charset=utf-8" },
  "Unauthorized\n"
)

export const notFound = (message: string): Answer => fault(404, "NOT_FOUND", message, 5)

export const invalid = (message: string): Answer => fault(400, "INVALID_ARGUMENT", message, 3)

/** @see https://docs.cdp.coinbase.com/coinbase-app/api-architecture/rate-limiting (read 2026-11-26) */
export const tooMany = (retryAfterSeconds: number): Answer =>
  new Answer(429, { errors: [{ id: "rate_limit_exceeded", message: "Too many requests" }] }, {
    "retry-after": String(retryAfterSeconds)
  })

/** Why an order is not taken: its reason, that of the preview, and words. */
export interface Reason {
  readonly error: string
  readonly preview: string
  readonly message: string
}

const unknownPreview = "UNKNOWN_PREVIEW_FAILURE_REASON"

/** A reason of the venue's with its words. */
export const reason = (error: string, message: string, preview = unknownPreview): Reason => ({
  error,
  preview,
  message
})

/** Why the engine refuses an order. */
export const reasonOf = (refusal: Refusal): Reason => {
  switch (refusal._tag) {
    case "UnknownProduct":
      return reason("INVALID_PRODUCT_ID", `no product ${refusal.product}`)
    case "UnknownOrder":
      return reason("INVALID_REQUEST", `no order ${refusal.orderId}`)
    case "InsufficientFunds":
      return reason("INSUFFICIENT_FUND", "Insufficient balance in source account", "PREVIEW_INSUFFICIENT_FUND")
    case "WouldTrade":
      return reason(
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "Post only limit orders should not be immediately matched",
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"
      )
    case "NotFillable":
      return reason("INVALID_NO_LIQUIDITY", "No liquidity", "PREVIEW_INVALID_NO_LIQUIDITY")
    case "Illegal": {
      const message = Instrument.describe(refusal)
      if (refusal.member === "price") {
        return reason("INVALID_PRICE_PRECISION", message, "PREVIEW_INVALID_PRICE_PRECISION")
      }
      return refusal.rule === "lot"
        ? reason("INVALID_SIZE_PRECISION", message, "PREVIEW_INVALID_SIZE_PRECISION")
        : reason(
          "UNKNOWN_FAILURE_REASON",
          message,
          refusal.rule === "minimum" ? "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL" : "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"
        )
    }
    default:
      return reason("COMMANDER_REJECTED_NEW_ORDER", "the engine refuses the order")
  }
}

/** The answer to an order that is not taken. */
export const notPlaced = ({ error, message, preview }: Reason, order_configuration?: unknown): Answer =>
  new Answer(200, {
    success: false,
    error_response: {
      error,
      message,
      error_details: "",
      preview_failure_reason: preview,
      new_order_failure_reason: error
    },
    ...(order_configuration === undefined ? {} : { order_configuration })
  })

/** The answer to an edit that is not taken. */
export const notEdited = (edit_failure_reason: string, preview_failure_reason = unknownPreview): Answer =>
  new Answer(200, { success: false, errors: [{ edit_failure_reason, preview_failure_reason }] })

/** Why the engine refuses an edit. */
export const editReasonOf = (refusal: Refusal): Answer => {
  switch (refusal._tag) {
    case "BelowFilled":
      return notEdited("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
    case "UnknownOrder":
      return notEdited("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
    case "Illegal":
      return notEdited(refusal.member === "price" ? "INVALID_EDITED_PRICE" : "INVALID_EDITED_SIZE")
    default:
      return notEdited("UNKNOWN_EDIT_ORDER_FAILURE_REASON", reasonOf(refusal).preview)
  }
}
