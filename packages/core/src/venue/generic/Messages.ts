/**
 * What a server of one's own sends: prices, whose members have names of their
 * own, and frames of a `type` that confirm, refuse or show life.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Decoder from "../../codec/Decoder.ts"
import type * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { priceUpdate } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, venueError } from "../../event/VenueMessage.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as PriceMessage from "./PriceMessage.ts"

const venue = "generic"

type Events = ReadonlyArray<MarketEvent>

const acknowledgements = Message.make(
  { type: Message.pinned("subscribed", "unsubscribed"), product_ids: Message.optional(Message.texts) },
  ({ product_ids = [], type }) => {
    const confirm = type === "subscribed" ? subscribed : unsubscribed
    return product_ids.length === 0
      ? [confirm({ venue })]
      : product_ids.map((product) => confirm({ venue, product }))
  },
  { rare: true }
)

/** Products that are all named need no schema; a hostile megabyte of them would take it more than 50 ms. */
const acknowledged = (type: string, products: unknown): Events | undefined => {
  if ((type !== "subscribed" && type !== "unsubscribed") || !Array.isArray(products) || products.length === 0) {
    return undefined
  }
  const confirm = type === "subscribed" ? subscribed : unsubscribed
  const names = products.filter((product): product is string => typeof product === "string" && product !== "")
  return names.length < products.length ? undefined : names.map((product) => confirm({ venue, product }))
}

const errors = Message.make(
  { type: Message.pinned("error"), code: Message.optional(Message.id), message: Message.optional(Message.string) },
  ({ code, message }) => [venueError({ venue, code, message })],
  { rare: true }
)

const heartbeats = Message.make(
  { type: Message.pinned("heartbeat", "ping", "pong") },
  ({ type }) => [heartbeat({ venue, kind: type })],
  { rare: true }
)

/** The frames that are no price, by the text of their `type`. */
const kinds: ReadonlyMap<string, Message.Message<MarketEvent>> = new Map<string, Message.Message<MarketEvent>>([
  ["subscribed", acknowledgements],
  ["unsubscribed", acknowledgements],
  ["error", errors],
  ["heartbeat", heartbeats],
  ["ping", heartbeats],
  ["pong", heartbeats]
])

/** The layout of prices: of several names of a part the first that the layout has counts. */
const makePlan = (rules: PriceMessage.Rules): Layout.Plan<Events> => {
  const { price: priceNames, product: productNames, timestamp: timestampNames } = rules.fieldMap
  const wanted = [...productNames, ...priceNames, ...timestampNames]
  const firstPrice = productNames.length
  const firstTimestamp = firstPrice + priceNames.length
  const placeOf = (members: Layout.Members, from: number, to: number): number => {
    for (let i = from; i < to; i++) if (members.places[i] !== 0) return i
    return from
  }
  return {
    wanted,
    times: timestampNames,
    pinned: ["type"],
    build: (members) => {
      const product = Layout.text(members, placeOf(members, 0, firstPrice))
      const text = Layout.text(members, placeOf(members, firstPrice, firstTimestamp))
      const timestamp = Layout.timestamp(members, placeOf(members, firstTimestamp, wanted.length))
      if (!product || text === undefined || timestamp === null) return undefined
      const price = Decimal.parse(text)
      if (price === undefined || !Decimal.isPositive(price)) return undefined
      if (rules.maxDecimalPlaces !== undefined && price.scale > rules.maxDecimalPlaces) return undefined
      return [priceUpdate({ venue, product, price, timestamp })]
    }
  }
}

const read = (rules: PriceMessage.Rules, message: ExactJson.JsonObject): Events | Rejection.FrameRejected => {
  const result = PriceMessage.fromObject(message, rules)
  if (Result.isFailure(result)) {
    const { field, message, reason } = result.failure
    return Rejection.frameRejected(venue, reason, field, message)
  }
  const { price, product, timestamp } = result.success
  return [priceUpdate({ venue, product, price, timestamp })]
}

/** A price: its parts go by the names that the rules give them, and its values by the rules. */
const prices = (rules: PriceMessage.Rules): Message.Message<MarketEvent> => {
  const plan = makePlan(rules)
  const { price, product, timestamp } = rules.fieldMap
  const sample = {
    [product[0] ?? ""]: "BTC-USD",
    [price[0] ?? ""]: "43250.10",
    [timestamp[0] ?? ""]: "2026-11-25T12:00:00Z"
  }
  const self: Message.Message<MarketEvent> = {
    read: (_, message) => read(rules, message),
    plan: () => plan,
    sample: JSON.stringify(sample),
    within: () => self
  }
  return self
}

/**
 * The kinds of messages that the server sends, and the decoder of its frames,
 * by the rules of its prices.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  rules: PriceMessage.Rules
): {
  readonly messages: ReadonlyArray<Message.Message<MarketEvent>>
  readonly decode: Decoder.Decode<MarketEvent>
} => {
  const price = prices(rules)
  const parts = Object.values(rules.fieldMap).flat()
  const has = (frame: ExactJson.JsonObject, names: ReadonlyArray<string>): boolean =>
    names.some((name) => Object.hasOwn(frame, name))
  const decode = Decoder.make<MarketEvent>(venue, (frame) => {
    const type = Object.hasOwn(frame, "type") ? frame["type"] : undefined
    if (typeof type !== "string" || has(frame, rules.fieldMap.price)) return price
    // A message of another kind; one that has any part of a price message is a bad price message.
    return acknowledged(type, frame["product_ids"]) ?? kinds.get(type) ??
      (has(frame, parts) ? price : [other({ venue, kind: type })])
  })
  return { messages: [price, acknowledgements, errors, heartbeats], decode }
}
