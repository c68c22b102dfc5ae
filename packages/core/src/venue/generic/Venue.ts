/**
 * A server of one's own that speaks the generic price message: subscribe with
 * `{"type":"subscribe","product_ids":[…]}`, acknowledged by
 * `{"type":"subscribed","product_ids":[…]}`, then one price a frame.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, frameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { priceUpdate } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, VenueError } from "../../event/VenueMessage.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Wire from "../internal/wire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"
import * as PriceMessage from "./PriceMessage.ts"

const name = "generic"

type Events = ReadonlyArray<MarketEvent>

const readAcknowledgement = Wire.reader({
  product_ids: Wire.optional(Schema.Array(Schema.NonEmptyString))
})

const readError = Wire.reader({
  code: Wire.optional(Wire.Id),
  message: Wire.optional(Schema.String)
})

/** The frames that are no price, by the text of their `type`. */
const control = (type: string, frame: ExactJson.JsonObject): Events | FrameRejected | undefined => {
  switch (type) {
    case "subscribed":
    case "unsubscribed": {
      const it = readAcknowledgement(name, frame)
      if (isFrameRejected(it)) return it
      const confirm = type === "subscribed" ? subscribed : unsubscribed
      const products = it.product_ids ?? []
      return products.length === 0
        ? [confirm({ venue: name })]
        : products.map((product) => confirm({ venue: name, product }))
    }
    case "error": {
      const it = readError(name, frame)
      if (isFrameRejected(it)) return it
      const code = Wire.present(it.code)
      const message = Wire.present(it.message)
      return [
        new VenueError({
          venue: name,
          ...(code === undefined ? {} : { code }),
          ...(message === undefined ? {} : { message })
        })
      ]
    }
    case "heartbeat":
    case "ping":
    case "pong":
      return [heartbeat({ venue: name, kind: type })]
    default:
      return undefined
  }
}

const makePlan = (rules: PriceMessage.Rules): Layout.Plan<Events> => {
  const { price: priceNames, product: productNames, timestamp: timestampNames } = rules.fieldMap
  const wanted = [...productNames, ...priceNames, ...timestampNames]
  const firstPrice = productNames.length
  const firstTimestamp = firstPrice + priceNames.length
  /** The first of several wanted members that the layout has, or `from` where it has none. */
  const placeOf = (members: Layout.Members, from: number, to: number): number => {
    for (let i = from; i < to; i++) if (members.places[i] !== 0) return i
    return from
  }
  return {
    wanted,
    times: timestampNames,
    tables: [],
    pinned: ["type"],
    build: (members) => {
      const product = Layout.text(members, placeOf(members, 0, firstPrice))
      const text = Layout.text(members, placeOf(members, firstPrice, firstTimestamp))
      const timestamp = Layout.timestamp(members, placeOf(members, firstTimestamp, wanted.length))
      if (!product || text === undefined || timestamp === null) return undefined
      const price = Decimal.parse(text)
      if (price === undefined || !Decimal.isPositive(price)) return undefined
      if (rules.maxDecimalPlaces !== undefined && price.scale > rules.maxDecimalPlaces) return undefined
      return [priceUpdate({ venue: name, product, price, timestamp })]
    }
  }
}

const makeDecode = (rules: PriceMessage.Rules): Decode => {
  const layouts = Layout.make<Events>()
  const plan = makePlan(rules)
  const parts = plan.wanted
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = layouts.read(frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    const type = Object.hasOwn(json, "type") ? json["type"] : undefined
    if (typeof type === "string" && !rules.fieldMap.price.some((part) => Object.hasOwn(json, part))) {
      const events = control(type, json)
      if (events !== undefined) return events
      // A message of another kind; one that has any part of a price message is a bad price message.
      if (!parts.some((part) => Object.hasOwn(json, part))) return [other({ venue: name, kind: type })]
    }
    const result = PriceMessage.fromObject(json, rules)
    if (Result.isFailure(result)) {
      const { field, message, reason } = result.failure
      return frameRejected(name, reason, field, message)
    }
    const { price, product, timestamp } = result.success
    layouts.learn(frame, json, plan)
    return [priceUpdate({ venue: name, product, price, timestamp })]
  }
}

const request = (type: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const products = new Set<string>()
  for (const { product } of channels) if (product !== undefined) products.add(product)
  return products.size === 0
    ? []
    : [{ text: JSON.stringify({ type, product_ids: [...products] }), channels, requestId: undefined }]
}

const prices: Topic = { name: "price" }

/**
 * Makes the venue for a server with rules of its own. A venue has no clock: the
 * rules on age and skew are not applied here (`PriceMessage.validateTimestamp`
 * applies them).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (rules: PriceMessage.Rules = PriceMessage.strict): Venue => ({
  name,
  title: "Generic price messages",
  endpoint: undefined,
  documentation: "README.md",
  prices: "either",
  continuity: "none",
  heartbeat: "none",
  keepAlive: { _tag: "Protocol" },
  limits: "those of the server",
  rates: [],
  sessionMillis: undefined,
  // The server knows one stream of prices a product, by whatever name it is asked for.
  channels: { trade: "price", ticker: "price" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  decode: makeDecode(rules),
  topics: ({ product }) => [{ name: "price", product }],
  topicOf: (_, events) => events[0]?._tag === "PriceUpdate" ? prices : undefined,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  isQuiet: () => false
})

/**
 * The generic venue with the founding documents' rules.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
