/**
 * The fast way through what dYdX sends most: updates of trades and of books, one
 * or a batch of them, whose elements differ from one to the next.
 *
 * @since 0.1.0
 */
import { readStrings } from "../../../codec/internal/bookFormats.ts"
import type * as Scanner from "../../../codec/internal/scanner.ts"
import { bookDelta, type Level, trade } from "../../../event/MarketData.ts"
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"

const venue = "dydx"

const quote = 34
const comma = 44
const opening = 91
const closing = 93
const end = 125

type ScanContents = (scanner: Scanner.Scanner, product: string, sequence: string, events: Array<MarketEvent>) => boolean

/** `{"bids":[…],"asks":[…]}`, either or both, in either order. */
const scanOrderbook: ScanContents = (scanner, product, sequence, events) => {
  let bids: ReadonlyArray<Level> | undefined
  let asks: ReadonlyArray<Level> | undefined
  if (!scanner.word("{\"")) return false
  do {
    if (scanner.word("bids\":")) {
      bids = readStrings(scanner, false)
      if (bids === undefined) return false
    } else if (scanner.word("asks\":")) {
      asks = readStrings(scanner, false)
      if (asks === undefined) return false
    } else {
      return false
    }
  } while (scanner.word(",\""))
  if (!scanner.code(end)) return false
  events.push(
    bookDelta({ venue, product, bids: bids ?? [], asks: asks ?? [], sequence })
  )
  return true
}

/** One trade: members whose values are all strings, in any order. */
const scanTrade = (scanner: Scanner.Scanner, product: string, sequence: string): MarketEvent | undefined => {
  let id: string | undefined
  let price: Decimal.Decimal | undefined
  let size: Decimal.Decimal | undefined
  let side: "buy" | "sell" | undefined
  let createdAt: Timestamp.Timestamp | undefined
  if (!scanner.code(123)) return undefined
  do {
    if (scanner.word("\"id\":")) {
      if (!scanner.string() || scanner.from === scanner.to) return undefined
      id = scanner.slice()
    } else if (scanner.word("\"price\":")) {
      price = scanner.decimal()
      if (price === undefined) return undefined
    } else if (scanner.word("\"size\":")) {
      size = scanner.decimal()
      if (size === undefined) return undefined
    } else if (scanner.word("\"side\":")) {
      if (!scanner.string()) return undefined
      side = scanner.is("BUY") ? "buy" : scanner.is("SELL") ? "sell" : undefined
      if (side === undefined) return undefined
    } else if (scanner.word("\"createdAt\":")) {
      if (!scanner.string()) return undefined
      createdAt = Timestamp.fromIso(scanner.slice())
      if (createdAt === undefined) return undefined
    } else if (!scanner.string() || !scanner.word(":") || !scanner.string()) {
      return undefined
    }
  } while (scanner.code(comma))
  if (!scanner.code(end) || price === undefined || size === undefined || side === undefined) return undefined
  return trade({ venue, product, price, size, side, tradeId: id, timestamp: createdAt, sequence })
}

/** `{"trades":[…]}`. */
const scanTrades: ScanContents = (scanner, product, sequence, events) => {
  if (!scanner.word("{\"trades\":[")) return false
  do {
    const event = scanTrade(scanner, product, sequence)
    if (event === undefined) return false
    events.push(event)
  } while (scanner.code(comma))
  return scanner.word("]}")
}

/**
 * Reads an update of trades or of a book as the indexer writes it; `undefined`
 * where the exact way must.
 *
 * @category decoding
 * @since 0.1.0
 */
export const scan = (scanner: Scanner.Scanner) => (frame: string): ReadonlyArray<MarketEvent> | undefined => {
  scanner.begin(frame)
  if (!scanner.word("{\"type\":\"channel_")) return undefined
  const isBatch = scanner.word("batch_data")
  if (!isBatch && !scanner.word("data")) return undefined
  if (!scanner.word("\",\"connection_id\":") || !scanner.string() || !scanner.word(",\"message_id\":")) return undefined
  if (scanner.integer() === undefined) return undefined
  const sequence = scanner.slice()
  if (!scanner.word(",\"id\":") || !scanner.string() || scanner.from === scanner.to) return undefined
  const product = scanner.slice()
  if (!scanner.word(",\"channel\":\"v4_")) return undefined
  const scanContents = scanner.word("orderbook") ? scanOrderbook : scanner.word("trades") ? scanTrades : undefined
  if (scanContents === undefined || !scanner.code(quote)) return undefined
  if (!scanner.word(",\"version\":") || !scanner.string() || !scanner.word(",\"contents\":")) return undefined
  const events: Array<MarketEvent> = []
  if (isBatch) {
    if (!scanner.code(opening)) return undefined
    do {
      if (!scanContents(scanner, product, sequence, events)) return undefined
    } while (scanner.code(comma))
    if (!scanner.code(closing)) return undefined
  } else if (!scanContents(scanner, product, sequence, events)) {
    return undefined
  }
  return scanner.code(end) && scanner.isAtEnd() ? events : undefined
}
