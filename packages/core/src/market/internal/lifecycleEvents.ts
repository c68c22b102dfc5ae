/**
 * The events of the life of a connection, for one consumer of a feed, among what
 * was received: states, gaps, refusals, and what its own queue has shed.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Stream from "effect/Stream"
import type * as ConnectionState from "../../connection/ConnectionState.ts"
import type * as Inbox from "../../connection/Inbox.ts"
import type * as InboxItems from "../../connection/internal/inboxItems.ts"
import * as Lifecycle from "../../event/Lifecycle.ts"
import type * as MarketEvent from "../../event/MarketEvent.ts"
import * as VenueMessage from "../../event/VenueMessage.ts"
import type * as Channel from "../../value/Channel.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type * as ChannelRouter from "./channelRouter.ts"
import { GapAnnouncement } from "./gapAnnouncement.ts"
import * as InstantText from "./instantText.ts"
import { RotationAnnouncement } from "./rotationAnnouncement.ts"
import type { Dropped } from "./shedCounts.ts"

/**
 * What it takes to tell a life: whose it is, and to whom.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: string
  readonly channelsFor: ChannelRouter.ChannelRouter["channelsFor"]
  /** Whether it is nobody's business that a channel is refused. */
  readonly isUntold: (channel: Channel.Channel) => boolean
  readonly dropped: Dropped
}

type Item = Inbox.Item<MarketEvent.MarketEvent>

/**
 * Makes what tells one consumer: the events of the items of its connection.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { channelsFor, dropped, isUntold, venue }: Options
): <E>(items: Stream.Stream<Item, E>) => Stream.Stream<MarketEvent.AnyEvent, E> => {
  // What this consumer's own queue has shed, by the products and channels that it was of.
  const overflowed = ({ from, keys, rejections, to }: InboxItems.Missed): Array<MarketEvent.AnyEvent> => {
    const counts = new Map<string, { readonly of: Partial<Channel.Channel>; missing: number }>()
    const add = (of: Partial<Channel.Channel>, missing: number): void => {
      const key = `${of.channel ?? ""}\n${of.product ?? ""}`
      const before = counts.get(key)
      if (before === undefined) counts.set(key, { of, missing })
      else before.missing += missing
    }
    for (const [key = "", missing] of keys) {
      const at = key.indexOf("\n")
      for (const channel of channelsFor(key.slice(0, at), key.slice(at + 1))) add(channel, missing)
    }
    if (rejections > 0) add({}, rejections)
    const within = { from: InstantText.of(from), to: InstantText.of(to) }
    return Array.from(counts.values(), ({ missing, of }) => {
      const gap = new Lifecycle.Gap({
        venue,
        ...of,
        ...within,
        cause: "overflow",
        missing
      })
      dropped(of, missing, gap)
      return gap
    })
  }

  const moved = (transition: ConnectionState.Transition): ReadonlyArray<MarketEvent.AnyEvent> => {
    const { at, leg, merged, reason, to } = transition
    return [
      new Lifecycle.ConnectionEvent({
        venue,
        state: to._tag,
        ...(to._tag === "Connected" ? { epoch: to.epoch } : {}),
        ...("attempt" in to ? { attempt: to.attempt } : {}),
        ...("delayMillis" in to && Number.isFinite(to.delayMillis) ? { delayMillis: to.delayMillis } : {}),
        reason: merged === undefined ? reason : `${reason} (the last of ${merged} transitions)`,
        at: Timestamp.fromEpochMillis(at),
        ...(leg === undefined ? {} : { leg })
      })
    ]
  }

  // Refusals by the message that is nothing but they, and in whose place they are told.
  const refusals = new Map<MarketEvent.MarketEvent, Array<VenueMessage.VenueError>>()

  const refused = (
    { by, refused }: InboxItems.Refused<MarketEvent.MarketEvent>
  ): ReadonlyArray<VenueMessage.VenueError> => {
    const requestId = by !== undefined && "requestId" in by ? by.requestId : undefined
    const errors = refused.filter(({ channel }) => !isUntold(channel)).map(({ code, message }) =>
      new VenueMessage.VenueError({
        venue,
        ...(code === undefined ? {} : { code }),
        message,
        ...(requestId === undefined ? {} : { requestId })
      })
    )
    if (by === undefined) return errors
    refusals.set(by, [...refusals.get(by) ?? [], ...errors])
    return []
  }

  // Where the message was shed on its way, the refusals are told nevertheless.
  const told = (events: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<MarketEvent.AnyEvent> => {
    const errors = new Map<MarketEvent.AnyEvent, Array<VenueMessage.VenueError>>(refusals)
    refusals.clear()
    const replaced = events.flatMap((event) => {
      const found = errors.get(event)
      errors.delete(event)
      return found ?? [event]
    })
    return [...[...errors.values()].flat(), ...replaced]
  }

  const eventsOf = (item: Item): ReadonlyArray<MarketEvent.AnyEvent> => {
    switch (item._tag) {
      case "Batch":
        return item.messages
      case "Refused":
        return refused(item)
      case "Rejected":
        return [item.rejection]
      case "Transition":
        return moved(item)
      case "BreakerMoved":
        return [
          new Lifecycle.BreakerEvent({
            venue,
            ...(item.leg === undefined ? {} : { leg: item.leg }),
            from: item.transition.from,
            to: item.transition.to,
            ...(item.transition.openForMillis === undefined ? {} : { openForMillis: item.transition.openForMillis }),
            at: Timestamp.fromEpochMillis(item.transition.at)
          })
        ]
      case "SequenceGap":
        return [new Lifecycle.Gap({ venue, from: String(item.from), to: String(item.to), cause: "sequence" })]
      case "Overdue":
        return [
          new Lifecycle.Stale({
            venue,
            ...(item.channel.product === undefined ? {} : { product: item.channel.product }),
            channel: item.channel.channel,
            silentForMillis: item.silentForMillis
          })
        ]
      case "Announced":
        if (item.announcement instanceof RotationAnnouncement) return item.announcement.rotations
        return item.announcement instanceof GapAnnouncement ? item.announcement.gaps : []
      case "Missed":
        return overflowed(item)
    }
  }

  const toldOf = (item: Item): ReadonlyArray<MarketEvent.AnyEvent> => {
    const isPending = refusals.size > 0 && item._tag !== "Refused" && item._tag !== "Announced"
    const events = eventsOf(item)
    return isPending ? told(events) : events
  }

  // All that one pull brought, in one array: its reader has a step for each array.
  return (items) =>
    items.pipe(
      Stream.mapArray((some): readonly [ReadonlyArray<MarketEvent.AnyEvent>] => [
        some.length === 1 ? toldOf(some[0]) : some.flatMap(toldOf)
      ]),
      Stream.filter(Arr.isReadonlyArrayNonEmpty),
      Stream.flattenArray
    )
}
