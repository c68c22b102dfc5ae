/**
 * Which of a feed's wanted channels an event belongs to, as the venue says it of
 * the frame that the event came in.
 *
 * @since 0.1.0
 */
import type * as Attribution from "../../connection/internal/attribution.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Topic, Venue } from "../../venue/Venue.ts"

/**
 * The routes of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Router {
  /** Routes to these channels from now on: all of them, and those that are wanted for their data. */
  readonly follow: (all: ReadonlyArray<Channel>, wanted: ReadonlyArray<Channel>) => void
  /** The channels that each event of a frame belongs to. */
  readonly attribute: Attribution.Attribute<MarketEvent>
  /** The channels that an event of this tag and product was of, or else its product, for events that are gone. */
  readonly channelsFor: (tag: string, product: string) => ReadonlyArray<Partial<Channel>>
}

const nobody: ReadonlyArray<Channel> = []
const onlyNobody: Attribution.MessageChannels = [nobody]

// What stands in the way of a route: the channels of a frame's name, each list in an array of its own as well, which
// most frames can be given as it is.
interface Routes {
  readonly all: Attribution.MessageChannels
  readonly general: Attribution.MessageChannels
  readonly byProduct: ReadonlyMap<string, Attribution.MessageChannels>
}

interface Named {
  readonly channel: Channel
  readonly product: string | undefined
}

const routesOf = (named: ReadonlyArray<Named>): Routes => {
  const general = named.filter(({ product }) => product === undefined).map(({ channel }) => channel)
  const byProduct = new Map<string, Array<Channel>>()
  for (const { channel, product } of named) {
    if (product === undefined) continue
    const channels = byProduct.get(product)
    if (channels === undefined) byProduct.set(product, [...general, channel])
    else channels.push(channel)
  }
  return {
    all: [named.map(({ channel }) => channel)],
    general: [general],
    byProduct: new Map(Array.from(byProduct, ([product, channels]) => [product, [channels]]))
  }
}

const productOf = (event: MarketEvent): string | undefined => "product" in event ? event.product : undefined

const channelsOf = (routes: Routes, topic: Topic, event: MarketEvent): Attribution.MessageChannels => {
  const product = productOf(event) ?? topic.product
  return product === undefined ? routes.all : routes.byProduct.get(product) ?? routes.general
}

// By the kind alone, for a venue that does not say more: the market data of a kind is of its channel and of those that
// are of no kind, and so is what has no event of its own.
const byKind = (venue: Venue) => {
  const { book, ticker, trade } = venue.channels
  const others: Readonly<Record<string, ReadonlyArray<string | undefined>>> = {
    Trade: [ticker, book],
    Ticker: [trade, book],
    BookSnapshot: [trade, ticker],
    BookDelta: [trade, ticker],
    PriceUpdate: [],
    Other: [trade, ticker, book]
  }
  const hasOne = new Set(Object.values(venue.channels)).size === 1
  let wanted: ReadonlyArray<Channel> = []
  let known = new Map<string, Routes>()

  return {
    follow: (channels: ReadonlyArray<Channel>): void => {
      wanted = channels
      known = new Map()
    },
    channelsOf: (tag: string, product: string | undefined): ReadonlyArray<Channel> => {
      const excluded = others[tag]
      if (excluded === undefined) return nobody
      const routes = known.get(tag) ?? routesOf(
        wanted.filter(({ channel }) => hasOne || !excluded.includes(channel))
          .map((channel) => ({ channel, product: channel.product }))
      )
      known.set(tag, routes)
      return (product === undefined ? routes.all : routes.byProduct.get(product) ?? routes.general)[0] ?? nobody
    },
    isOfKind: (tag: string): boolean => others[tag] !== undefined
  }
}

/**
 * Makes the routes of a feed of the venue, to no channel yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: Venue): Router => {
  const { topicOf, topics } = venue
  const kinds = byKind(venue)
  let followed: ReadonlyArray<Channel> = []
  // Made when the next frame comes: a thousand subscriptions in a row make it once.
  let names: ReadonlyMap<string, Routes> | undefined

  const namesOf = (channels: ReadonlyArray<Channel>): ReadonlyMap<string, Routes> => {
    const named = new Map<string, Array<Named>>()
    for (const channel of channels) {
      for (const { name, product } of topics?.(channel) ?? []) {
        const others = named.get(name)
        if (others === undefined) named.set(name, [{ channel, product }])
        else others.push({ channel, product })
      }
    }
    return new Map(Array.from(named, ([name, channels]) => [name, routesOf(channels)]))
  }

  const attribute: Router["attribute"] = topicOf === undefined
    ? (_, events) => events.map((event) => kinds.channelsOf(event._tag, productOf(event)))
    : (frame, events) => {
      const topic = topicOf(frame, events)
      names ??= namesOf(followed)
      const routes = topic === undefined ? undefined : names.get(topic.name)
      if (topic === undefined || routes === undefined) {
        return events.length === 1 ? onlyNobody : events.map(() => nobody)
      }
      const first = events[0]
      if (events.length === 1 && first !== undefined) return channelsOf(routes, topic, first)
      // A confirmation that comes with data is none itself.
      return events.map((event) => event._tag === "Subscribed" ? nobody : channelsOf(routes, topic, event)[0] ?? nobody)
    }

  return {
    follow: (all, wanted) => {
      kinds.follow(wanted)
      followed = all
      names = undefined
    },
    attribute,
    channelsFor: (tag, product) => {
      const channels = product === "" ? nobody : kinds.channelsOf(tag, product)
      return channels.length > 0 ? channels : [!kinds.isOfKind(tag) || product === "" ? {} : { product }]
    }
  }
}
