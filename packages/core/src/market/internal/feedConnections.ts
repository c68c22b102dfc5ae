/**
 * Makes the connections of a feed: each is as the venue and the feed's options
 * have it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { BearerToken } from "../../connection/BearerToken.ts"
import * as Connection from "../../connection/Connection.ts"
import type { Announcement } from "../../connection/internal/announcement.ts"
import { internals } from "../../connection/internal/connectionInternals.ts"
import type { NamedObserver } from "../../connection/Observer.ts"
import { Reconnection } from "../../connection/Reconnection.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type * as Dialect from "../../protocol/Dialect.ts"
import type * as KeepAlive from "../../protocol/KeepAlive.ts"
import { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import { Transport } from "../../transport/Transport.ts"
import type { Channel } from "../../value/Channel.ts"
import { normalise, type Venue } from "../../venue/Venue.ts"
import type { ChannelRouter } from "./channelRouter.ts"
import * as ContinuityObserver from "./continuityObserver.ts"
import * as FeedDecoder from "./feedDecoder.ts"
import type { GapLedger } from "./gapLedger.ts"
import type { Options as LegOptions } from "./legs.ts"
import * as ReplayedDialect from "./replayedDialect.ts"
import * as SubscriptionAnswers from "./subscriptionAnswers.ts"

/**
 * What of a feed's options its connections have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly auth?: BearerToken | undefined
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  readonly keepAlive?: KeepAlive.KeepAlive<MarketEvent> | undefined
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
  readonly signing?: Dialect.Signing | undefined
}

/**
 * What all connections of a feed have in common, and who sees each batch: before
 * what is there already is taken out of it, and after.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feed {
  readonly venue: Venue
  readonly router: ChannelRouter
  readonly ledger: GapLedger
  /** Whether another connection than that of the number delivers the channel. */
  readonly isCovered: (leg: number, channel: Channel) => boolean
  /** Whether there are several connections. */
  readonly isRedundant: () => boolean
  readonly before: ReadonlyArray<NamedObserver<MarketEvent>>
  readonly after: ReadonlyArray<NamedObserver<MarketEvent>>
}

// Channels that are of one book at several depths.
const sharingOf = ({ books, topics }: Venue): Dialect.Dialect["sharing"] => {
  const depthOf = books?.depthOf
  if (depthOf === undefined) return undefined
  return (channel) => {
    const rank = depthOf(channel)
    const [topic] = topics?.(channel) ?? []
    return rank === undefined ? undefined : { name: `${topic?.name ?? ""}\n${channel.product ?? ""}`, rank }
  }
}

/**
 * Gives what makes one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { after, before, isCovered, isRedundant, ledger, router, venue }: Feed,
  { auth, headers, keepAlive = venue.keepAlive, plaintextHosts, signing }: Options
): Effect.Effect<LegOptions["connect"], never, Transport | Reconnection | CircuitBreaker> =>
  Effect.map(
    // Not its scope: a connection ends before the feed does.
    Effect.map(
      Effect.context<Transport | Reconnection | CircuitBreaker>(),
      Context.pick(Transport, Reconnection, CircuitBreaker)
    ),
    (context) => (endpoint, narrowing, inbox, leg) => {
      const given = Context.get(context, Transport)
      const transport: Transport["Service"] = { ...given, ...given.replay?.join() }
      const { replay } = transport
      const announce = (announcement: Announcement): void => inbox.offer({ _tag: "Announced", announcement })
      const frames = ContinuityObserver.ofFrames({
        venue,
        ledger,
        asked: () => made?.[internals].asked() ?? 0,
        isCovered: (channel) => isCovered(leg, channel),
        announce
      })
      const { channelsOf } = router
      const messages = ContinuityObserver.ofMessages({ venue, ledger, channelsOf, isRedundant, announce })
      let made: Connection.Connection<MarketEvent> | undefined
      return Effect.provideContext(
        Connection.make(endpoint, {
          label: venue.name,
          auth,
          headers,
          plaintextHosts,
          decode: FeedDecoder.make(venue),
          dialect: {
            subscribe: venue.subscribe,
            unsubscribe: venue.unsubscribe,
            answer: SubscriptionAnswers.make(venue),
            ...(replay === undefined ? {} : ReplayedDialect.make(venue, replay.wrote)),
            answeredAs: venue.answeredAs,
            sharing: sharingOf(venue),
            signing,
            objection: ({ channel, product }) =>
              product === undefined
                ? undefined
                : Option.getOrUndefined(Result.getFailure(normalise(venue, product, channel)))
          },
          keepAlive,
          limits: venue.limits,
          attribute: router.attribute,
          observers: [...before, ...frames, narrowing, messages, ...after],
          [internals]: { inbox, leg }
        }).pipe(Effect.tap((connection) =>
          Effect.sync(() => {
            made = connection
          })
        )),
        replay === undefined ? context : Context.add(context, Transport, transport)
      )
    }
  )
