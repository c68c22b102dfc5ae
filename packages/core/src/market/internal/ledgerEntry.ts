/**
 * What a feed's ledger keeps of a product and channel.
 *
 * @since 0.1.0
 */
import * as Lifecycle from "../../event/Lifecycle.ts"
import type { Trade } from "../../event/MarketData.ts"
import type { Entry, Live } from "../Ledger.ts"
import { NumberRanges } from "./numberRanges.ts"
import { RecentIds } from "./recentIds.ts"

// How many gaps are kept, and how many times in which it was live.
const most = 1_000

/**
 * What a gap is made of.
 *
 * @category models
 * @since 0.1.0
 */
export type GapMembers = ConstructorParameters<typeof Lifecycle.Gap>[0]

/**
 * Numbers that did not come, and in which gap they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Loss extends Pick<Lifecycle.Gap, "cause" | "from"> {
  readonly first: number
  readonly last: number
}

/**
 * The account of one product and channel.
 *
 * @category models
 * @since 0.1.0
 */
export class LedgerEntry {
  // What each message asks for and changes stands first, where one fetch from memory brings all of it.
  /** The numbers of its messages that have come, if these count one by one, and in which gaps the others are. */
  numbers = new NumberRanges()
  /** The ids of its messages that have come, if they are no more than that. */
  private ids: RecentIds | undefined = undefined
  /** The member by which its trades count one by one; not looked for yet where undefined. */
  tradeNumber: "tradeId" | "sequence" | "none" | undefined = undefined
  received = 0
  /** What of the batch at hand it has received, which is not with the consumers yet. */
  arriving = 0
  handedOn = 0
  /** The gap of a drop of which numbers may still show how much it holds. */
  unmeasured: Lifecycle.Gap | undefined = undefined
  readonly channel: string
  readonly product: string | undefined
  isWanted: boolean
  /** Whether the peer has refused it, and has not confirmed it since. */
  isRefused = false
  /** Whether it is a book that somebody keeps: its gaps end when that is whole. */
  isKept = false
  /** Whether that is whole. */
  isWhole = false
  /** Its gap that has not ended. */
  open: Lifecycle.Gap | undefined = undefined
  /** How many hold the end of a drop's gap back, and when it was confirmed since that began. */
  holds = 0
  confirmedAt: number | undefined = undefined
  /** Since when it is live, on the monotonic clock; undefined while it is not. */
  liveSince: number | undefined = undefined
  liveMillis = 0
  /** When it was live, the last of it perhaps still. */
  live: ReadonlyArray<Live> = []
  duplicates = 0
  dropped = 0
  rejected = 0
  gaps: ReadonlyArray<Lifecycle.Gap> = []
  losses: Array<Loss> = []
  /** The number of the last ticker. */
  lastSequence: string | undefined = undefined
  /** Its last trade, by what the venue numbers them by, or as they came. */
  lastTrade: Trade | undefined = undefined

  constructor(channel: string, product: string | undefined, isWanted: boolean) {
    this.channel = channel
    this.product = product
    this.isWanted = isWanted
  }

  /** A gap has begun or ended. What has come to its end takes the place of what was begun. */
  enter(gap: Lifecycle.Gap): void {
    const others = this.gaps.filter(({ cause, from, to }) =>
      to !== undefined || cause !== gap.cause || from !== gap.from
    )
    this.gaps = [...others, gap].slice(-most)
  }

  /** More is known of a gap. */
  amend(
    { cause, from }: Pick<Lifecycle.Gap, "cause" | "from">,
    change: (gap: Lifecycle.Gap) => GapMembers
  ): void {
    this.gaps = this.gaps.map((gap) => {
      if (gap.cause !== cause || gap.from !== from) return gap
      const amended = new Lifecycle.Gap(change(gap))
      if (this.open === gap) this.open = amended
      return amended
    })
  }

  /** Whether a message with the id, which is no more than that, has come already; from now on it has. */
  hasCome(id: string): boolean {
    return (this.ids ??= new RecentIds()).add(id)
  }

  /** Numbers are missing, in a gap. */
  lose({ cause, first, from, last }: Loss): void {
    this.losses = [...this.losses, { cause, first, last, ...(from === undefined ? {} : { from }) }].slice(-most)
  }

  /** It is live from this instant on, or no longer. */
  became(isLive: boolean, at: string): void {
    const last = this.live.at(-1)
    this.live = isLive || last === undefined
      ? [...this.live, { from: at, to: undefined }].slice(-most)
      : [...this.live.slice(0, -1), { from: last.from, to: at }]
  }

  /** Whoever asks for it later has had nothing of it. */
  forget(): void {
    this.unmeasured = undefined
    this.numbers = new NumberRanges()
    this.losses = []
    this.ids = undefined
    this.lastSequence = undefined
    this.lastTrade = undefined
  }

  /** What was received is not handed on yet: it counts when it is. */
  postpone(): void {
    this.received--
    this.arriving--
  }

  /** So many are handed on that waited, or were fetched. */
  deliver(messages: number): void {
    this.received += messages
    this.handedOn += messages
  }

  /** So many of what was fetched are there already. */
  repeat(messages: number): void {
    this.received += messages
    this.duplicates += messages
  }

  /** Its account, at a time on the monotonic clock. */
  read(now: number): Entry {
    const { channel, dropped, duplicates, gaps, handedOn, live, liveMillis, liveSince, product, received, rejected } =
      this
    const delivered = handedOn - dropped
    return {
      channel,
      product,
      liveMillis: Math.round(liveMillis + (liveSince === undefined ? 0 : now - liveSince)),
      received,
      delivered,
      duplicates,
      dropped,
      rejected,
      live,
      gaps,
      isBalanced: delivered >= 0 && received === delivered + duplicates + dropped
    }
  }
}
