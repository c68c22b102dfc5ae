/**
 * The state of one order book after a frame that touched it, as the runner
 * prints it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Timestamp from "../value/Timestamp.ts"
import { Level } from "./MarketData.ts"

/**
 * An order book's state. `bids` and `asks` are its best levels, best first, and
 * empty unless it is `Live` or `Unverified`; `sequence`, `checksum` and
 * `timestamp` are those of the frame; `tradingStatus` is the venue's word for how
 * the product trades while that is not continuously; `cause` is why it is `Gapped`.
 *
 * @category models
 * @since 0.1.0
 */
export class Book extends Schema.TaggedClass<Book>()("Book", {
  venue: Schema.String,
  product: Schema.String,
  state: Schema.Literals(["Syncing", "Live", "Unverified", "Gapped"]),
  bids: Schema.Array(Level),
  asks: Schema.Array(Level),
  sequence: Schema.optionalKey(Schema.String),
  checksum: Schema.optionalKey(Schema.String),
  timestamp: Schema.optionalKey(Timestamp.FromText),
  tradingStatus: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.Literals(["sequence", "checksum", "crossed", "disconnect"])),
  reason: Schema.optionalKey(Schema.String)
}) {}
