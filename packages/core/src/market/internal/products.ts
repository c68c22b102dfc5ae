/**
 * The products that a feed has had messages of.
 *
 * @since 0.1.0
 */
import * as ReceivedStamp from "../../event/internal/receivedStamp.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Symbols from "../../protocol/Symbols.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"
import * as TellingLetters from "./tellingLetters.ts"

/**
 * A product: what the venue calls it, in the one text that all its messages are
 * given, its common name, and the channels that its messages were last found to
 * belong to, which holds for as long as the routes are these.
 *
 * @category models
 * @since 0.1.0
 */
export interface Product {
  readonly symbol: string
  readonly name: string | undefined
  routes: object | undefined
  channels: ReadonlyArray<Channel>
}

// So many are remembered: a peer that makes up products does not make it grow.
const mostProducts = 10_000

/**
 * The products of one feed. To look a new text up costs its hash, and a few of
 * its letters cost half of that.
 *
 * @category models
 * @since 0.1.0
 */
export class Products {
  private readonly venue: Venue
  private readonly symbols: Symbols.Symbols
  private readonly known = new Map<string, Product>()
  // Each in the place that its letters give, or beside it, and the last of those that share both: at least four times as
  // many places as products, and a power of two.
  private places: Array<Product | undefined> = [undefined, undefined, undefined, undefined]
  private letters = TellingLetters.choose([], this.places.length)
  private readonly written: ReceivedStamp.Mark = { receivedAt: undefined, product: undefined, name: undefined }

  constructor(venue: Venue, symbols: Symbols.Symbols) {
    this.venue = venue
    this.symbols = symbols
  }

  of(symbol: string): Product {
    const { places } = this
    const place = this.letters.mix(symbol) & (places.length - 1)
    const found = places[place]
    if (found?.symbol === symbol) return found
    const beside = places[place ^ 1]
    if (beside?.symbol === symbol) return beside
    const known = this.known.get(symbol)
    if (known !== undefined) this.put(known)
    return known ?? this.remember(symbol)
  }

  /** Writes on a market event its product, in the one text that the feed has of it, and its common name. Returns it. */
  mark(event: MarketEvent.MarketEvent): Product | undefined {
    if (!MarketEvent.isMarketData(event) || event.product === undefined) return undefined
    const product = this.of(event.product)
    this.written.product = product.symbol
    this.written.name = product.name
    ReceivedStamp.stamp(event, this.written)
    return product
  }

  private remember(symbol: string): Product {
    const made = this.make(symbol)
    if (this.known.size >= mostProducts) return made
    this.known.set(symbol, made)
    if (this.known.size * 4 > this.places.length) this.spread(this.places.length * 2)
    else this.put(made)
    return made
  }

  private spread(many: number): void {
    this.places = Array.from({ length: many }, () => undefined)
    this.letters = TellingLetters.choose([...this.known.keys()], many)
    for (const product of this.known.values()) this.put(product)
  }

  private put(product: Product): void {
    const { places } = this
    const place = this.letters.mix(product.symbol) & (places.length - 1)
    places[places[place] === undefined ? place : place ^ 1] = product
  }

  private make(symbol: string): Product {
    return { symbol, name: this.symbols.nameOf(this.venue, symbol), routes: undefined, channels: [] }
  }
}
