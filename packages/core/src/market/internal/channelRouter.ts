/**
 * Which of a feed's wanted channels an event belongs to, as the venue says it of
 * the frame that the event came in. It is told with its product, which is looked
 * up for both.
 *
 * @since 0.1.0
 */
import type * as MessageChannels from "../../connection/internal/messageChannels.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import * as ChannelKey from "../../value/Channel.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"
import { type Product, Products } from "./products.ts"
import { RoutedChannels } from "./routedChannels.ts"

/**
 * The routes of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelRouter {
  /** Routes to these channels as well: all of them, and those that are wanted for their data. */
  readonly follow: (all: ReadonlyArray<Channel>, wanted: ReadonlyArray<Channel>) => void
  /** Routes to these no longer. */
  readonly unfollow: (channels: ReadonlyArray<Channel>) => void
  /** The channels that each event of a frame belongs to. Market events are given their product as the feed knows it. */
  readonly attribute: MessageChannels.Attribute<MarketEvent>
  /** The channels of what is known by a name and, if it has one, a product. */
  readonly channelsOf: (name: string, product: string | undefined) => ReadonlyArray<Channel>
  /** The channels that an event of this tag and product was of, or else its product, for events that are gone. */
  readonly channelsFor: (tag: string, product: string) => ReadonlyArray<Partial<Channel>>
}

const nobody: ReadonlyArray<Channel> = []

interface Named {
  readonly channel: Channel
  readonly product: string | undefined
}

const noneNamed: ReadonlyArray<Named> = []

// By its place, since a list of a class of its own takes several times as long to push to.
const channelsIn = (...all: ReadonlyArray<Iterable<Named>>): RoutedChannels => {
  const channels = new RoutedChannels()
  let place = 0
  for (const named of all) for (const { channel } of named) channels[place++] = channel
  channels.channel = channels[0]?.channel
  return channels
}

// The channels of a frame's name. Each list is the same one until one of its channels comes or goes: a change costs the
// same however many there are.
class Routes {
  private readonly named = new Map<string, Named>()
  private readonly general = new Map<string, Named>()
  // Most products have one channel of a name, and a map for each of them would be most of what is kept of it.
  private readonly byProduct = new Map<string, ReadonlyArray<Named>>()
  private lists = new Map<string | undefined, RoutedChannels>()
  private every: RoutedChannels | undefined
  // What a product remembers of them holds until they change.
  private version = {}
  private readonly products: Products

  constructor(products: Products) {
    this.products = products
  }

  get isEmpty(): boolean {
    return this.named.size === 0
  }

  add(channel: Channel, product: string | undefined): void {
    const key = `${ChannelKey.key(channel)}\n${product ?? ""}`
    if (this.named.has(key)) return
    const one = { channel, product }
    this.changed(product)
    this.named.set(key, one)
    if (product === undefined) this.general.set(key, one)
    else {
      // Its messages are given the text of who asked for it, which is looked up by at once.
      this.products.of(product)
      this.byProduct.set(product, [...this.byProduct.get(product) ?? noneNamed, one])
    }
  }

  remove(channel: Channel, product: string | undefined): void {
    const key = `${ChannelKey.key(channel)}\n${product ?? ""}`
    const one = this.named.get(key)
    if (one === undefined) return
    this.changed(product)
    this.named.delete(key)
    this.general.delete(key)
    if (product === undefined) return
    const others = this.byProduct.get(product)?.filter((other) => other !== one) ?? noneNamed
    if (others.length === 0) this.byProduct.delete(product)
    else this.byProduct.set(product, others)
  }

  get all(): RoutedChannels {
    return this.every ??= channelsIn(this.named.values())
  }

  /** Those of a product and of all products; if it has none of its own, those of all. */
  of(product: Product): ReadonlyArray<Channel> {
    if (product.routes === this.version) return product.channels
    product.routes = this.version
    return product.channels = this.lists.get(product.symbol) ?? this.find(product.symbol)
  }

  /** Those of a product by its text, or of all of them. */
  ofAny(product: string | undefined): ReadonlyArray<Channel> {
    return product === undefined ? this.all : this.of(this.products.of(product))
  }

  private find(product: string): RoutedChannels {
    const own = this.byProduct.get(product)
    const name = own === undefined ? undefined : product
    const general = name === undefined ? this.lists.get(name) : undefined
    if (general !== undefined) return general
    const made = channelsIn(this.general.values(), own ?? noneNamed)
    this.lists.set(name, made)
    return made
  }

  private changed(product: string | undefined): void {
    this.every = undefined
    this.version = {}
    if (product === undefined) this.lists = new Map()
    else this.lists.delete(product)
  }
}

const productOf = (event: MarketEvent): string | undefined => "product" in event ? event.product : undefined

// By the kind alone, for a venue that does not say more: the market data of a kind is of its channel and of those that
// are of no kind, and so is what has no event of its own.
const byKind = (venue: Venue, products: Products) => {
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
  const kinds = Object.entries(others).map(([tag, excluded]) => ({ tag, excluded, routes: new Routes(products) }))
  const routesOf = new Map(kinds.map(({ routes, tag }) => [tag, routes]))

  return {
    follow: (channels: ReadonlyArray<Channel>): void => {
      for (const channel of channels) {
        for (const { excluded, routes } of kinds) {
          if (hasOne || !excluded.includes(channel.channel)) routes.add(channel, channel.product)
        }
      }
    },
    unfollow: (channels: ReadonlyArray<Channel>): void => {
      for (const channel of channels) for (const { routes } of kinds) routes.remove(channel, channel.product)
    },
    channelsOf: (tag: string, product: string | undefined): ReadonlyArray<Channel> => {
      const routes = routesOf.get(tag)
      return routes === undefined ? nobody : routes.ofAny(product)
    },
    isOfKind: (tag: string): boolean => routesOf.has(tag)
  }
}

/**
 * Makes the routes of a feed of the venue, to no channel yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: Venue, products = new Products(venue, Symbols.byRule)): ChannelRouter => {
  const { topicOf, topics } = venue
  // Most venues say it of each frame: what is of which kind is seldom asked for.
  const data = new Map<string, Channel>()
  let made: ReturnType<typeof byKind> | undefined
  const kinds = (): ReturnType<typeof byKind> => {
    if (made !== undefined) return made
    made = byKind(venue, products)
    made.follow([...data.values()])
    return made
  }
  const names = new Map<string, Routes>()
  // That of a frame with one message, as most are.
  const single = [nobody]
  const only = (channels: ReadonlyArray<Channel>): MessageChannels.MessageChannels => {
    single[0] = channels
    return single
  }

  const attribute: ChannelRouter["attribute"] = topicOf === undefined
    ? (_, events) =>
      events.map((event) => {
        products.mark(event)
        return kinds().channelsOf(event._tag, productOf(event))
      })
    : (frame, events) => {
      const topic = topicOf(frame, events)
      const routes = topic === undefined ? undefined : names.get(topic.name)
      const ofEvent = (event: MarketEvent): ReadonlyArray<Channel> => {
        const product = products.mark(event)
        if (routes === undefined) return nobody
        return product === undefined ? routes.ofAny(productOf(event) ?? topic?.product) : routes.of(product)
      }
      const first = events[0]
      if (events.length === 1 && first !== undefined) return only(ofEvent(first))
      // A confirmation that comes with data is none itself.
      return events.map((event) => event._tag === "Subscribed" ? nobody : ofEvent(event))
    }

  return {
    follow: (all, wanted) => {
      for (const channel of wanted) data.set(ChannelKey.key(channel), channel)
      made?.follow(wanted)
      for (const channel of all) {
        for (const { name, product } of topics?.(channel) ?? []) {
          const routes = names.get(name) ?? new Routes(products)
          routes.add(channel, product)
          names.set(name, routes)
        }
      }
    },
    unfollow: (channels) => {
      for (const channel of channels) data.delete(ChannelKey.key(channel))
      made?.unfollow(channels)
      for (const channel of channels) {
        for (const { name, product } of topics?.(channel) ?? []) {
          const routes = names.get(name)
          routes?.remove(channel, product)
          if (routes?.isEmpty === true) names.delete(name)
        }
      }
    },
    attribute,
    channelsOf: (name, product) => {
      const routes = names.get(name)
      return routes === undefined ? nobody : routes.ofAny(product)
    },
    channelsFor: (tag, product) => {
      const channels = product === "" ? nobody : kinds().channelsOf(tag, product)
      return channels.length > 0 ? channels : [!kinds().isOfKind(tag) || product === "" ? {} : { product }]
    }
  }
}
