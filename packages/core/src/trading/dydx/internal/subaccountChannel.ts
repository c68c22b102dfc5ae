/**
 * What dYdX's indexer tells of a subaccount's orders and executions over its
 * socket, and when that may have had a gap.
 *
 * @see https://docs.dydx.xyz/indexer-client/websockets (read 2026-11-26)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as SchemaParser from "effect/SchemaParser"
import * as ExactJson from "../../../codec/ExactJson.ts"
import type { FrameRejected } from "../../../codec/Rejection.ts"
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import * as SubscriptionAnswers from "../../../market/internal/subscriptionAnswers.ts"
import type { Frame } from "../../../transport/Frame.ts"
import * as Channel from "../../../value/Channel.ts"
import * as Dydx from "../../../venue/dydx/Venue.ts"
import type { Notice } from "../../internal/gateway.ts"
import * as PrivateChannel from "../../internal/privateChannel.ts"
import * as Orders from "./orders.ts"
import * as Schemas from "./schemas.ts"

type Told = Notice<Orders.DydxOrder>

// As it happens, and not collected.
const venue = Dydx.make({ batched: false })

const name = "v4_subaccounts"

const gap: Told = { _tag: "Gap" }

const readTold = SchemaParser.decodeUnknownResult(Schemas.Told)

/** What has changed. Of an order that is not told as a whole it has to be asked for. */
const changes = (contents: ExactJson.Json | undefined): ReadonlyArray<Told> => {
  const told = readTold(contents)
  if (Result.isFailure(told)) return [gap]
  const { fills, orders } = told.success
  const whole = (orders ?? []).flatMap((order) => "size" in order ? [Orders.ofIndexer(order)] : [])
  return [
    { _tag: "Changes", orders: whole, fills: Orders.toFills(fills ?? []) },
    ...(whole.length < (orders ?? []).length ? [gap] : [])
  ]
}

const decode = (frame: Frame): ReadonlyArray<Told | MarketEvent> | FrameRejected => {
  const parsed = typeof frame === "string" ? ExactJson.parse(frame) : null
  const json = parsed instanceof ExactJson.Malformed || !ExactJson.isObject(parsed) ? undefined : parsed
  if (json?.["channel"] === name && json["type"] === "channel_data") return changes(json["contents"])
  return venue.decode(frame)
}

const answerOf = SubscriptionAnswers.make(venue)

const isOfOrders = (said: Told | MarketEvent): said is Told =>
  said._tag === "Changes" || said._tag === "Gap" || said._tag === "Over"

/**
 * Makes the notices of a subaccount.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (url: string, address: string, subaccountNumber: number) =>
  PrivateChannel.make<Orders.DydxOrder, Told | MarketEvent>(url, {
    label: "dydx subaccount",
    decode,
    dialect: {
      subscribe: venue.subscribe,
      unsubscribe: venue.unsubscribe,
      answer: (said, frame) => isOfOrders(said) ? undefined : answerOf(said, frame)
    },
    keepAlive: { _tag: "Protocol" },
    limits: venue.limits
  }, {
    channels: [Channel.make(name, `${address}/${subaccountNumber}`)],
    notice: (said) => isOfOrders(said) ? said : said._tag === "Subscribed" ? gap : undefined
  })
