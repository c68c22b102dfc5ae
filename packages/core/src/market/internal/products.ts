/**
 * The products that a feed has had messages of.
 *
 * @since 0.1.0
 */
import type { MessageChannels } from "../../connection/internal/messageChannels.ts"
import type * as Symbols from "../../protocol/Symbols.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * A product: its common name, and the channels that its messages were last found
 * to belong to, which holds for as long as the routes are these.
 *
 * @category models
 * @since 0.1.0
 */
export interface Product {
  readonly name: string | undefined
  routes: object | undefined
  channels: MessageChannels
}

// So many are remembered: a peer that makes up products does not make it grow.
const mostProducts = 10_000

/**
 * The products of one feed. To look a new text up costs its hash: whoever asks
 * for the product of the message at hand once more is spared it.
 *
 * @category models
 * @since 0.1.0
 */
export class Products {
  private readonly venue: Venue
  private readonly symbols: Symbols.Symbols
  private readonly known = new Map<string, Product>()
  // Most events are of the product of the one before, and to compare two texts is cheaper than to find one: the more so
  // if they are the same text, of the same message.
  private last: Product
  private lastSymbol = ""

  constructor(venue: Venue, symbols: Symbols.Symbols) {
    this.venue = venue
    this.symbols = symbols
    this.last = this.make("")
  }

  of(symbol: string): Product {
    if (symbol === this.lastSymbol) return this.last
    this.lastSymbol = symbol
    return this.last = this.known.get(symbol) ?? this.remember(symbol)
  }

  private remember(symbol: string): Product {
    const made = this.make(symbol)
    if (this.known.size < mostProducts) this.known.set(symbol, made)
    return made
  }

  private make(symbol: string): Product {
    return { name: this.symbols.nameOf(this.venue, symbol), routes: undefined, channels: [] }
  }
}
