/**
 * What a recording is of: the channels and products of its frames, in the
 * venue's own names.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Tape from "@tickline/core/recording/Tape"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Channel from "@tickline/core/value/Channel"
import { type ChannelKind, channelOf, type Venue } from "@tickline/core/venue/Venue"

type Header = Extract<Tape.Entry, { readonly _tag: "Header" }>

const kinds: Readonly<Partial<Record<MarketEvent.MarketEvent["_tag"], ChannelKind>>> = {
  Trade: "trade",
  Ticker: "ticker",
  PriceUpdate: "ticker",
  BookSnapshot: "book",
  BookDelta: "book"
}

const isKind = (name: string): name is ChannelKind => name === "trade" || name === "ticker" || name === "book"

/**
 * A channel that was recorded, and the kind of its data if that has a name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorded {
  readonly channel: Channel.Channel
  readonly kind: ChannelKind | undefined
}

/**
 * The channels of one connection of a recording, found frame by frame.
 *
 * @category models
 * @since 0.1.0
 */
export class RecordedChannels {
  private readonly venue: Venue
  private readonly found = new Map<string, Recorded>()
  // By the name on the wire and the product: most frames are of what was there before.
  private readonly known = new Set<string>()

  constructor(venue: Venue) {
    this.venue = venue
  }

  /** Whether the header says what there is, that of books included if that is asked for. */
  isDeclared(header: Header | undefined, asksForBooks: boolean): boolean {
    if (header === undefined || header.products.length === 0) return false
    return asksForBooks
      ? header.channels.some((named) => this.kindOf(named) === "book")
      : header.channels.length > 0
  }

  /** A frame that came in. */
  add(frame: Frame): void {
    const { venue } = this
    const events = venue.decode(frame)
    if ("_tag" in events) return
    const topic = venue.topicOf?.(frame, events)
    for (const event of events) {
      if (event._tag === "Subscribed" && event.channel !== undefined) this.addAnswered(event.channel, event.product)
      const kind = kinds[event._tag]
      if (kind === undefined && (event._tag !== "Other" || topic === undefined)) continue
      const product = ("product" in event ? event.product : undefined) ?? topic?.product
      const name = topic?.name ?? (kind === undefined ? "" : venue.channels[kind] ?? "")
      const key = `${name}\n${product ?? ""}\n${kind ?? ""}`
      if (name === "" || this.known.has(key)) continue
      this.known.add(key)
      this.put(this.channelOf(name, product, kind), kind)
    }
  }

  /** All of them, or what the header says of itself, if it does. */
  wanted(header: Header | undefined): ReadonlyArray<Recorded> {
    const all = [...this.found.values()]
    if (header === undefined || header.products.length === 0 || header.channels.length === 0) return all
    return header.channels.flatMap((named) =>
      header.products.flatMap((product): ReadonlyArray<Recorded> => {
        const declared = this.declared(named, product)
        const matching = all.filter((one) => this.isOf(one, named, declared))
        if (matching.length === 0) return [{ channel: declared, kind: this.kindOf(named) }]
        // Of a frame that names no product the header knows whose it is, if it has one.
        return header.products.length > 1 ? matching : matching.map(({ channel, kind }) => ({
          channel: channel.product === undefined ? declared : channel,
          kind
        }))
      })
    )
  }

  private declared(named: string, product: string): Channel.Channel {
    const { venue } = this
    // A channel's name may have its product in it.
    if (named.includes(product)) return Channel.make(named)
    const name = isKind(named) ? venue.channels[named] ?? named : named
    return channelOf(venue, name, product)
  }

  private kindOf(named: string): ChannelKind | undefined {
    if (isKind(named)) return named
    const { books, channels: { book, ticker, trade } } = this.venue
    if (named === trade) return "trade"
    if (named === ticker) return "ticker"
    return named === book || named === books?.orders?.channel ? "book" : undefined
  }

  private isOf({ channel, kind }: Recorded, named: string, declared: Channel.Channel): boolean {
    if (declared.product !== undefined && channel.product !== undefined && declared.product !== channel.product) {
      return false
    }
    if (kind === named || channel.channel === named) return true
    const names = this.namesOf(declared)
    return this.namesOf(channel).some((name) => names.includes(name))
  }

  private namesOf(channel: Channel.Channel): ReadonlyArray<string> {
    return (this.venue.topics?.(channel) ?? [{ name: channel.channel }]).map(({ name }) => name)
  }

  // What is asked for only to be kept alive is not wanted for its data.
  private addAnswered(named: string, product: string | undefined): void {
    const { venue } = this
    const beats = venue.keepAlive.channels?.(product === undefined ? [] : [product]) ?? []
    if (beats.some(({ channel }) => channel === named)) return
    const names = Object.values(venue.channels)
    const name = names.find((one) => one === named) ?? names.find((one) => venue.answeredAs?.(one) === named) ?? named
    const kind = this.kindOf(name)
    this.put(product === undefined ? Channel.make(name) : channelOf(venue, name, product), kind)
  }

  private put(channel: Channel.Channel, kind: ChannelKind | undefined): void {
    const key = Channel.key(channel)
    const before = this.found.get(key)
    if (before === undefined || before.kind === undefined) this.found.set(key, { channel, kind })
  }

  // The channel whose data is known by a name: that of the kind, or one that is called as the name is without its product.
  private channelOf(name: string, product: string | undefined, kind: ChannelKind | undefined): Channel.Channel {
    const { venue } = this
    if (product === undefined) return Channel.make(name)
    const usual = kind === undefined ? undefined : venue.channels[kind]
    const candidates = [
      ...(usual === undefined ? [] : [usual]),
      name,
      name.replace(`.${product}`, ""),
      name.replace(`${product.toLowerCase()}@`, "")
    ]
    const channels = candidates.map((one) => channelOf(venue, one, product))
    return channels.find((one) => this.namesOf(one).includes(name)) ?? Channel.make(name)
  }
}
