/**
 * A server of one's own that speaks the generic price message: subscribe with
 * `{"type":"subscribe","product_ids":[…]}`, acknowledged by
 * `{"type":"subscribed","product_ids":[…]}`, then one price a frame.
 *
 * @since 0.1.0
 */
import * as Dialect from "../../protocol/Dialect.ts"
import type { Channel } from "../../value/Channel.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Venue } from "../Venue.ts"
import * as Messages from "./Messages.ts"
import * as PriceMessage from "./PriceMessage.ts"

const name = "generic"

const request = (type: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const products = new Set<string>()
  for (const { product } of channels) if (product !== undefined) products.add(product)
  return products.size === 0
    ? []
    : [{ text: JSON.stringify({ type, product_ids: [...products] }), channels, requestId: undefined }]
}

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
  keepAlive: { _tag: "Protocol" },
  limits: [],
  sessionMillis: undefined,
  // The server knows one stream of prices a product, by whatever name it is asked for.
  channels: { trade: "price", ticker: "price" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  ...Messages.make(rules),
  topics: ({ product }) => [{ name: "price", product }],
  topicOf: topicByKind({ PriceUpdate: "price" }),
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  isQuiet: () => false
})

/**
 * The generic venue with the usual rules, `PriceMessage.strict`.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
