/** Deribit's errors by their numbers. https://docs.deribit.com/articles/errors (read 2026-11-26) */
import * as Instrument from "@tickline/core/trading/Instrument"
import type { Refusal } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import type { Value } from "./wireJson.ts"

const messages = {
  10004: "order_not_found",
  10009: "not_enough_funds",
  10010: "already_closed",
  10020: "invalid_or_unsupported_instrument",
  10021: "invalid_amount",
  10023: "invalid_price",
  10028: "too_many_requests",
  10031: "invalid_args_for_instrument",
  10041: "settlement_in_progress",
  10043: "price_wrong_tick",
  11030: "other_reject",
  11044: "not_open_order",
  11051: "system_maintenance",
  11054: "post_only_reject",
  13004: "invalid_credentials",
  13009: "unauthorized",
  13888: "timed_out",
  [-32602]: "Invalid params",
  [-32601]: "Method not found"
} as const

/** A call that is refused. */
export class Refused {
  readonly code: keyof typeof messages
  readonly data: Value

  constructor(code: keyof typeof messages, data?: Value) {
    this.code = code
    this.data = data
  }

  /** As the answer says it. */
  toValue(): Value {
    return { code: this.code, message: messages[this.code], data: this.data }
  }
}

/** A parameter that is wrong. */
export const invalid = (param: string, reason: string): Refused => new Refused(-32602, { param, reason })

/** What the matching engine refused, in the venue's words. */
export const ofMatching = (refusal: Refusal): Refused => {
  switch (refusal._tag) {
    case "UnknownProduct":
      return new Refused(10020, { reason: refusal.product })
    case "UnknownOrder":
      return new Refused(10004, { reason: refusal.orderId })
    case "Illegal": {
      const reason = Instrument.describe(refusal)
      return refusal.member === "amount"
        ? new Refused(10021, { reason })
        : new Refused(refusal.rule === "tick" && Decimal.isPositive(refusal.value) ? 10043 : 10023, { reason })
    }
    case "BelowFilled":
      return new Refused(10021, { reason: "not more than what is filled" })
    case "TooLate":
      return new Refused(13888)
    case "NotReducing":
      return new Refused(11030, { reason: "reduce_only" })
    case "WouldTrade":
      return new Refused(11054)
    case "NotFillable":
      return new Refused(11030, { reason: "fill_or_kill" })
    case "InsufficientFunds":
      return new Refused(10009)
  }
}
