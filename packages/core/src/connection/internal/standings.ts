/**
 * Where the channels that a connection is to ask for stand.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../../protocol/Dialect.ts"
import type * as Channel from "../../value/Channel.ts"
import type { SubscriptionRefused } from "../ConnectError.ts"
import { Names } from "./asks.ts"

/**
 * Where each wanted channel stands, by its key.
 *
 * @category models
 * @since 0.1.0
 */
export class Standings {
  readonly wants = new Map<string, Channel.Channel>()
  readonly confirmed = new Set<string>()
  readonly refused = new Map<string, SubscriptionRefused>()
  // Of these, what was refused without a word: for want of an answer, or left out of one.
  readonly refusedSilently = new Set<string>()
  // What cannot be asked for, in no epoch, and whether that was told.
  readonly impossible = new Map<string, { readonly refused: SubscriptionRefused; isTold: boolean }>()

  /** The wanted channels by what answers call them. */
  readonly names: Names

  constructor(answeredAs: Dialect<never>["answeredAs"]) {
    this.names = new Names(this.wants, answeredAs)
  }

  /** A new epoch has been asked for nothing yet. */
  reset(): void {
    this.confirmed.clear()
    this.refused.clear()
    this.refusedSilently.clear()
  }
}
