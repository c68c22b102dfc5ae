/**
 * The mock of the generic venue: the generic price message,
 * `{"product_id":"BTC-USD","price":"45000.50","timestamp":"…"}`, with a
 * `sequence` that is consecutive per product.
 *
 * @since 0.1.0
 */
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as MockVenue from "./MockVenue.ts"

/** The one channel of a venue that has no channels. */
const channel = "price"

const Request = Schema.fromJsonString(Schema.Struct({
  type: Schema.Literals(["subscribe", "unsubscribe"]),
  product_ids: Schema.Array(Schema.NonEmptyString)
}))

const readRequest = Schema.decodeUnknownResult(Request)

const error = (message: string): MockVenue.Outgoing => MockVenue.notice({ type: "error", message })

/**
 * Makes the mock. `prices` is how a price is written: a JSON string (the
 * default), a JSON number with all its digits, or by turns.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: { readonly prices?: "string" | "number" | "alternating" | undefined } = {}
): MockVenue.MockVenue => {
  const priceMessage = (product: string, price: string, timestamp: string, sequence?: number) => {
    const asNumber = options.prices === "number" || (options.prices === "alternating" && (sequence ?? 0) % 2 === 1)
    // A number is written digit by digit: `JSON.stringify` would have to read it first.
    const text = `{"product_id":${JSON.stringify(product)},"price":${asNumber ? price : JSON.stringify(price)},` +
      `"timestamp":"${timestamp}"${sequence === undefined ? "" : `,"sequence":${sequence}`}}`
    return { text, data: { channel, product } }
  }
  return {
    name: "generic",
    heartbeatMillis: undefined,
    receive: (session, frame, floor) => {
      const refuse = (message: string) => ({ session, replies: [error(message)] })
      const request = readRequest(frame)
      if (Result.isFailure(request)) {
        return refuse("expected {\"type\":\"subscribe\"|\"unsubscribe\",\"product_ids\":[…]}")
      }
      const { product_ids, type } = request.success
      const unknown = product_ids.find((product) => floor.market(product) === undefined)
      if (unknown !== undefined) return refuse(`unknown product ${unknown}`)
      return type === "subscribe"
        ? {
          session: MockVenue.follow(session, channel, product_ids),
          replies: [MockVenue.notice({ type: "subscribed", product_ids })]
        }
        : {
          session: MockVenue.unfollow(session, channel, product_ids),
          replies: [MockVenue.notice({ type: "unsubscribed", product_ids })]
        }
    },
    publish: (session, tick) =>
      !tick.isQuote && MockVenue.follows(session, channel, tick.product)
        ? [priceMessage(tick.product, tick.price, tick.timestamp, tick.tradeId)]
        : [],
    heartbeat: () => [],
    price: (product, price, atMillis) =>
      priceMessage(product, price, Timestamp.format(Timestamp.fromEpochMillis(atMillis))),
    corrupt: MockVenue.breakSequence
  }
}
