/**
 * A list of channels, as the router hands it out: the same object for message
 * after message.
 *
 * @since 0.1.0
 */
import { ChannelList } from "../../connection/internal/messageChannels.ts"
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
  /** The channel of the first of them: two fetches from memory less than to ask that for it. */
  channel: string | undefined = undefined
  /** The place of its figures of freshness, which is valid while `heard` is the tracker's own. */
  figures = 0
  heard: object | undefined = undefined
  ledger: LedgerEntry | undefined = undefined
}
