/**
 * The single orders of Coinbase Exchange's channel `full`, and their snapshot.
 *
 * Each message of a product but `activate` has a number, one more than that of the
 * one before. An order rests from `open` on; what is said of one that does not
 * rest is passed over. `change` may name a new price, and `done` may then name
 * another one than `open` did, so an order is known by its id alone.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#full-channel (read 2026-11-26)
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-book (read 2026-11-26)
 * @since 0.1.0
 */
import * as Decoder from "../../../codec/Decoder.ts"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import * as Decimal from "../../../value/Decimal.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { Order, OrderChange, OrderMessage, OrderSnapshot } from "../../Orders.ts"
import type { OrderChannel } from "../../Venue.ts"

const venue = "coinbase-exchange"

const numbered = {
  product_id: Message.text,
  sequence: Message.id,
  time: Message.optional(Message.iso)
}

const side = Message.word({ buy: "bids", sell: "asks" })

const message = (
  { product_id, sequence, time }: Message.View<typeof numbered>,
  change: OrderChange
): ReadonlyArray<OrderMessage> => [
  { _tag: "OrderMessage", product: product_id, sequence, timestamp: time, change }
]

const received = Message.make(
  { type: Message.pinned("received"), ...numbered },
  (view) => message(view, { _tag: "Nothing" })
)

const opened = Message.make(
  {
    type: Message.pinned("open"),
    ...numbered,
    order_id: Message.text,
    side,
    price: Message.decimal,
    remaining_size: Message.decimal
  },
  (view) =>
    message(view, {
      _tag: "Opened",
      order: { id: view.order_id, side: view.side, price: view.price, size: view.remaining_size }
    })
)

const matched = Message.make(
  { type: Message.pinned("match"), ...numbered, maker_order_id: Message.text, size: Message.decimal },
  (view) => message(view, { _tag: "Matched", id: view.maker_order_id, size: view.size })
)

/** That of a market order has funds and no size. */
const changed = Message.make(
  {
    type: Message.pinned("change"),
    ...numbered,
    order_id: Message.text,
    new_size: Message.optional(Message.decimalIfAny),
    new_price: Message.optional(Message.decimalIfAny)
  },
  (view) =>
    message(
      view,
      view.new_size === undefined
        ? { _tag: "Nothing" }
        : { _tag: "Changed", id: view.order_id, size: view.new_size, price: view.new_price }
    )
)

const done = Message.make(
  { type: Message.pinned("done"), ...numbered, order_id: Message.text },
  (view) => message(view, { _tag: "Done", id: view.order_id })
)

const kinds = new Map<string, Message.Message<OrderMessage>>([
  ["received", received],
  ["open", opened],
  ["match", matched],
  ["change", changed],
  ["done", done]
])

/** The orders of one side, each a price, a size and an id; a book has a hundred thousand. */
const readSide = (
  json: ExactJson.JsonObject,
  name: Order["side"],
  orders: Array<Order>
): Rejection.FrameRejected | undefined => {
  const rows = json[name]
  if (!Array.isArray(rows)) return Rejection.unexpected(venue, [name], "an array", rows)
  for (const [index, row] of rows.entries()) {
    const [price, size, id] = Array.isArray(row) ? row : []
    const [read, left] = [price, size].map((text) => typeof text === "string" ? Decimal.parse(text) : undefined)
    if (read === undefined || left === undefined || typeof id !== "string" || id === "") {
      return Rejection.unexpected(venue, [name, index], "a price, a size and the id of an order", row)
    }
    orders.push({ id, side: name, price: read, size: left })
  }
  return undefined
}

const numbers = Message.make({ sequence: Message.id }, ({ sequence }) => [sequence])

const readSnapshot = (body: string): OrderSnapshot | Rejection.FrameRejected => {
  const json = TradeList.parse(venue, body)
  if (Rejection.isFrameRejected(json)) return json
  if (!ExactJson.isObject(json)) return Rejection.unexpected(venue, [], "an object", json)
  const read = numbers.read(venue, json, [])
  if (Rejection.isFrameRejected(read)) return read
  const [sequence = ""] = read
  const orders: Array<Order> = []
  return readSide(json, "bids", orders) ?? readSide(json, "asks", orders) ?? { _tag: "OrderSnapshot", sequence, orders }
}

/** Orders of a product may be some hundred thousand, of 80 bytes each. */
const mostBytes = 64 * 1024 * 1024

/**
 * How its orders are read.
 *
 * @category venues
 * @since 0.1.0
 */
export const orders: OrderChannel = {
  channel: "full",
  decode: Decoder.make<OrderMessage>(venue, (frame) => {
    const type = Decoder.nameOf(venue, frame, "type")
    return Rejection.isFrameRejected(type) ? type : kinds.get(type) ?? []
  }),
  request: (product) => ({ path: `/products/${encodeURIComponent(product)}/book?level=3`, weight: 1, mostBytes }),
  read: readSnapshot
}
