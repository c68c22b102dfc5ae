/** Breakages of books that are kept of single orders, and of what is signed to have them. */
import type { Breakage } from "./Breakage.ts"

const signing = "packages/core/src/session/CoinbaseExchangeSigning.ts"
const subscriptions = "packages/core/src/connection/internal/subscriptions.ts"
const connection = "packages/core/src/connection/Connection.ts"
const endpoint = "packages/core/src/transport/Endpoint.ts"
const resting = "packages/core/src/market/internal/restingOrders.ts"
const book = "packages/core/src/market/internal/book.ts"
const books = "packages/core/src/market/internal/books.ts"
const keeper = "packages/core/src/market/internal/bookKeeper.ts"
const ofOrders = "packages/testing/test/OrderBooksOfOrders.test.ts"
const atRest = "at each quiet moment"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "an ask is written unsigned",
    file: subscriptions,
    original: "this.options.dialect?.signing?.sign(ask) ?? ask.text",
    replacement: "ask.text",
    test: [ofOrders, "an ask is signed when it is written"]
  },
  {
    name: "a key is shown to who needs none",
    file: signing,
    original: "!channels.some(({ channel }) => signed.has(channel))",
    replacement: "channels.length === 0",
    test: [ofOrders, "an ask is signed when it is written"]
  },
  {
    name: "every ask is signed with the time of the first",
    file: signing,
    original: "const { venueMillis = () => clock.currentTimeMillisUnsafe() } = options",
    replacement: "const madeAt = clock.currentTimeMillisUnsafe()\n  const { venueMillis = () => madeAt } = options",
    test: [ofOrders, "an ask is signed when it is written"]
  },
  {
    name: "what a peer repeats of a key is read",
    file: connection,
    original: "{ secrets: options.dialect.signing.secrets }",
    replacement: "{}",
    test: [ofOrders, "shows the key"]
  },
  {
    name: "a key travels in the clear",
    file: endpoint,
    original: "[...request.protocols, ...request.secrets ?? []]",
    replacement: "request.protocols",
    test: [ofOrders, "does not travel"]
  },
  {
    name: "a level is its newest order",
    file: resting,
    original: "size: BigDecimal.sum(sum.size, size)",
    replacement: "size",
    test: [ofOrders, "the venue's own, to the digit"]
  },
  {
    name: "an order that is done takes its level with it",
    file: resting,
    original: "if (sum === undefined || sum.count <= 1) {",
    replacement: "if (sum !== undefined) {",
    test: [ofOrders, "the venue's own, to the digit"]
  },
  {
    name: "a trade does not shrink the order that it was with",
    file: resting,
    original: "known && BigDecimal.subtract(known.size, change.size)",
    replacement: "known?.size",
    test: [ofOrders, "the venue's own, to the digit"]
  },
  {
    name: "a change of an order is passed over",
    file: resting,
    original: "if (known === undefined) return none\n",
    replacement: "if (known === undefined || change._tag === \"Changed\") return none\n",
    test: [ofOrders, "the venue's own, to the digit"]
  },
  {
    name: "messages of orders that change nothing are not counted",
    file: resting,
    original: "if (change._tag === \"Nothing\") return none",
    replacement: "if (change._tag === \"Nothing\") return undefined",
    test: [ofOrders, "the venue's own, to the digit"]
  },
  {
    name: "the numbers of single orders are not looked at",
    file: books,
    original: "const continuity = isOfOrders ? \"delta\" : this.venue.continuity",
    replacement: "const continuity = this.venue.continuity",
    test: [ofOrders, "a message that is lost is a gap"]
  },
  {
    name: "orders outlive the break of their book",
    file: book,
    original: "if (!this.begin(event)) return false",
    replacement: "this.levels.clear()\n    this.at = Digits.toInteger(event.sequence)",
    test: [ofOrders, atRest]
  },
  {
    name: "a book of orders that breaks is subscribed to again",
    file: keeper,
    original: "name !== venue.books?.orders?.channel &&",
    replacement: "",
    test: [ofOrders, "stays subscribed"]
  }
]
