/**
 * Which status of an order may follow which.
 *
 * @since 0.1.0
 */
import { isOver, type OrderStatus } from "../OrderStatus.ts"

/**
 * The status after one that is said. What is older than the end of an order is
 * passed over, and so is an exchange that has forgotten it; an order that rested
 * and is there no more ended in a way that nobody here knows. One that
 * `wasTaken` has an id at the exchange.
 *
 * @category combinators
 * @since 0.1.0
 */
export const statusAfter = (
  status: OrderStatus,
  said: OrderStatus,
  wasTaken: boolean
): OrderStatus | "forbidden" => {
  switch (status) {
    case "pending":
    case "unknown":
      return said === "absent" && wasTaken ? "unknown" : said
    case "open":
    case "partially-filled":
      return said === "pending" ? status : said === "absent" ? "unknown" : said === "rejected" ? "forbidden" : said
    case "filled":
    case "cancelled":
    case "expired":
      return said === status || said === "absent" || !isOver(said) ? status : "forbidden"
    case "rejected":
      return said === status || said === "absent" || said === "pending" || said === "unknown" ? status : "forbidden"
    case "absent":
      return said === status || said === "unknown" ? status : "forbidden"
  }
}
