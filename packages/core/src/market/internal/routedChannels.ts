/**
 * A list of channels, as the router hands it out: the same object for message
 * after message.
 *
 * @since 0.1.0
 */
import { ChannelList } from "../../connection/internal/messageChannels.ts"
import type { FreshnessEntry } from "./freshnessEntry.ts"
import type { LedgerEntry } from "./ledgerEntry.ts"

/**
 * The wanted channels that messages of a topic and product belong to and, if
 * that is one channel, what the feed keeps of it: it is not looked up for each
 * message.
 *
 * @category models
 * @since 0.1.0
 */
export class RoutedChannels extends ChannelList {
  /** What the first of them is called: to ask it itself is to fetch it from memory, where there are a thousand. */
  name: string | undefined = undefined
  freshness: FreshnessEntry | undefined = undefined
  ledger: LedgerEntry | undefined = undefined
}
