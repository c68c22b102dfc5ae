/**
 * The account of a run: whether everything that a venue sent was delivered, was
 * a duplicate, or was lost in a gap that the client was told of.
 *
 * It is drawn up from three lists made by different hands: what the mock logged
 * as sent, what came out at the consumer's end, and the gaps that were declared
 * in between. A copy that is missing must lie inside a declared gap twice over:
 * by its time, and by its place, between the neighbours that did arrive.
 *
 * @since 0.1.0
 */

/**
 * A message as its sender logged it: which (`id` is unique per product, but for
 * copies), and when, in epoch milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sent {
  readonly product: string
  readonly id: string
  readonly at: number
}

/**
 * A message as it arrived. `place` is its position in the consumer's stream,
 * counted over messages and gaps alike.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received extends Sent {
  readonly place: number
}

/**
 * A gap as it was declared; open at an end that is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeclaredGap {
  readonly product: string
  readonly from: number | undefined
  readonly to: number | undefined
  readonly place: number
}

/**
 * What the account is drawn up from. `transitMillis` is how long a message may
 * be under way: a gap's bounds are times of receipt, a sender's log has times of
 * sending.
 *
 * @category models
 * @since 0.1.0
 */
export interface Books {
  readonly sent: ReadonlyArray<Sent>
  readonly received: ReadonlyArray<Received>
  readonly gaps: ReadonlyArray<DeclaredGap>
  readonly transitMillis: number
}

/**
 * The account of one product. `isBalanced`: `sent` is `delivered` and
 * `duplicates` and `lost`, nothing was lost outside the declared gaps, and
 * nothing arrived that was never sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface DemoReport {
  readonly product: string
  /** Copies sent since the one that arrived first. */
  readonly sent: number
  readonly delivered: number
  readonly duplicates: number
  /** Copies lost inside declared gaps. */
  readonly lost: number
  /** Copies lost in silence. */
  readonly unexplained: ReadonlyArray<Sent>
  /** Copies that arrived and were never sent. */
  readonly unknown: ReadonlyArray<Received>
  readonly isBalanced: boolean
}

interface Copy extends Sent {
  /** Its place in the stream, where it arrived. */
  place: number | undefined
}

/** Matches an arrival with the latest copy that had been sent by then. */
const matchCopy = (copies: ReadonlyArray<Copy> | undefined, arrival: Received): Copy | undefined => {
  let found: Copy | undefined
  for (const copy of copies ?? []) if (copy.place === undefined && copy.at <= arrival.at) found = copy
  return found
}

const accountOf = (product: string, books: Books): DemoReport => {
  const { transitMillis } = books
  const copies: Array<Copy> = []
  const byId = new Map<string, Array<Copy>>()
  for (const { at, id, product: of } of books.sent) {
    if (of !== product) continue
    const copy: Copy = { product, id, at, place: undefined }
    copies.push(copy)
    const known = byId.get(id)
    if (known === undefined) byId.set(id, [copy])
    else known.push(copy)
  }

  const unknown: Array<Received> = []
  let first: Copy | undefined
  for (const arrival of books.received) {
    if (arrival.product !== product) continue
    const copy = matchCopy(byId.get(arrival.id), arrival)
    if (copy === undefined) {
      unknown.push(arrival)
      continue
    }
    copy.place = arrival.place
    first ??= copy
  }

  // What was sent before the first arrival was sent before anybody listened.
  const window = first === undefined ? [] : copies.slice(copies.indexOf(first))
  const gaps = books.gaps.filter((gap) => gap.product === product)
  const arrived = window.filter((copy) => copy.place !== undefined)
  const delivered = new Set(arrived.map(({ id }) => id))

  const unexplained: Array<Sent> = []
  let duplicates = arrived.length - delivered.size
  let lost = 0
  let before = -Infinity
  for (const [index, copy] of window.entries()) {
    if (copy.place !== undefined) {
      before = copy.place
      continue
    }
    const after = window.slice(index + 1).find(({ place }) => place !== undefined)?.place ?? Infinity
    const isDeclared = gaps.some(({ from = -Infinity, place, to = Infinity }) =>
      before < place && place < after && from - transitMillis <= copy.at && copy.at <= to + transitMillis
    )
    if (isDeclared) lost++
    // One that is there already is passed over.
    else if (delivered.has(copy.id)) duplicates++
    else unexplained.push({ product, id: copy.id, at: copy.at })
  }
  return {
    product,
    sent: window.length,
    delivered: delivered.size,
    duplicates,
    lost,
    unexplained,
    unknown,
    isBalanced: unexplained.length === 0 && unknown.length === 0 && window.length === delivered.size + duplicates + lost
  }
}

/**
 * Draws up the accounts, one for each product that was sent or received, in the
 * order of their first appearance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const draw = (books: Books): ReadonlyArray<DemoReport> => {
  const products = new Set([...books.sent, ...books.received].map(({ product }) => product))
  return [...products].map((product) => accountOf(product, books))
}
