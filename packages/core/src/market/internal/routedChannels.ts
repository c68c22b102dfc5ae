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
  freshness: FreshnessEntry | undefined = undefined
  ledger: LedgerEntry | undefined = undefined
}
