// Long, because it is a list: an entry for each change, with its reason.
/**
 * Changes that no test can notice, because nothing that anyone sees depends on
 * them: the exceptions of `pnpm mutants --random`. Each has its reason. A
 * change is known by its file, the functions around it and its text, so that
 * an entry survives whatever moves its lines.
 */

/** One harmless change, as `mutants --random` prints it. */
export interface Harmless {
  readonly file: string
  /** The declarations and functions around it, from the outside in, joined by points. */
  readonly within: string
  readonly original: string
  readonly replacement: string
  readonly because: string
}

const core = "packages/core/src"

/** The harmless changes, by file. */
export const harmless: ReadonlyArray<Harmless> = [
  // ---- value --------------------------------------------------------------------------------------------------------
  {
    file: `${core}/value/internal/decimal.ts`,
    within: "parseExponential.needed",
    original: "const needed = scale <= 0 ? digits.length - scale : Math.max(digits.length, scale + 1)",
    replacement: "const needed = scale <= (-1) ? digits.length - scale : Math.max(digits.length, scale + 1)",
    because: "at a scale of 0 both count the digits"
  },
  {
    file: `${core}/value/Suggestion.ts`,
    within: "distance.last.length",
    original: "let last = Array.from({ length: b.length + 1 }, (_, j) => j)",
    replacement: "let last = Array.from({ length: b.length + 2 }, (_, j) => j)",
    because: "nobody reads beyond the length of the word"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "maxTries",
    original: "const maxTries = 2",
    replacement: "const maxTries = 3",
    because: "it says only how soon a long frame that begins like known ones is read the exact way"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "maxTries",
    original: "const maxTries = 2",
    replacement: "const maxTries = 1",
    because: "it says only how soon a long frame that begins like known ones is read the exact way"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "timestamp",
    original: "if (place > 0) return Timestamp.parse(texts[place] ?? \"\") ?? null",
    replacement: "if (place >= 0) return Timestamp.parse(texts[place] ?? \"\") ?? null",
    because: "a place of 0 has been seen to before"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "timestamp",
    original: "if (place > 0) return Timestamp.parse(texts[place] ?? \"\") ?? null",
    replacement: "if (place > (-1)) return Timestamp.parse(texts[place] ?? \"\") ?? null",
    because: "a place of 0 has been seen to before"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "timestamp",
    original: "if (place > 0) return Timestamp.parse(texts[place] ?? \"\") ?? null",
    replacement: "if (place > 0) return Timestamp.parse(texts[place] ?? \"?\") ?? null",
    because: "neither text is a time"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "timestamp",
    original: "return UtcParts.fromUtcParts(texts[-place] ?? \"\", texts[1 - place] ?? \"\", texts[2 - place]) ?? null",
    replacement:
      "return UtcParts.fromUtcParts(texts[-place] ?? \"?\", texts[1 - place] ?? \"\", texts[2 - place]) ?? null",
    because: "a pattern of three parts captures the date"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "timestamp",
    original: "return UtcParts.fromUtcParts(texts[-place] ?? \"\", texts[1 - place] ?? \"\", texts[2 - place]) ?? null",
    replacement:
      "return UtcParts.fromUtcParts(texts[-place] ?? \"\", texts[1 - place] ?? \"?\", texts[2 - place]) ?? null",
    because: "a pattern of three parts captures the clock"
  },
  {
    file: `${core}/codec/internal/repeatedParts.ts`,
    within: "readList",
    original: "if (texts === null) return undefined",
    replacement: "if (false) return undefined",
    because: "a pattern that does not match stands at the frame's beginning again, where no list goes on"
  },
  {
    file: `${core}/codec/internal/repeatedParts.ts`,
    within: "readList",
    original: "if (texts === null) return undefined",
    replacement: "if (texts === null) ;",
    because: "a pattern that does not match stands at the frame's beginning again, where no list goes on"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "readSegments.at",
    original: "let at = 0",
    replacement: "let at = (-1)",
    because: "an expression begins at 0 where it is told to before"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "hasBegun",
    original: "let hasBegun = false",
    replacement: "let hasBegun = true",
    because: "it is set before each frame"
  },
  {
    file: `${core}/value/internal/decimal.ts`,
    within: "nowhere",
    original: "const nowhere = -1",
    replacement: "const nowhere = -2",
    because: "a point is never the first character of what was read"
  },
  {
    file: `${core}/value/internal/decimal.ts`,
    within: "nowhere",
    original: "const nowhere = -1",
    replacement: "const nowhere = -0",
    because: "a point is never the first character of what was read"
  },
  {
    file: `${core}/value/internal/calendar.ts`,
    within: "lastDate",
    original: "let lastDate = \"\"",
    replacement: "let lastDate = \"?\"",
    because: "neither is a date"
  },
  {
    file: `${core}/value/internal/calendar.ts`,
    within: "daysOf",
    original: "if (date === lastDate) return lastDays",
    replacement: "if (false) return lastDays",
    because: "the days are counted anew"
  },
  {
    file: `${core}/value/internal/calendar.ts`,
    within: "daysOf",
    original: "if (date === lastDate) return lastDays",
    replacement: "if (date === lastDate) ;",
    because: "the days are counted anew"
  },
  {
    file: `${core}/value/internal/utcParts.ts`,
    within: "fromUtcParts",
    original: "return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 1), fraction.length, \"\")",
    replacement: "return new Timestamp(seconds, nanos * (weights[fraction.length] || 1), fraction.length, \"\")",
    because: "a fraction of up to nine digits has its weight"
  },
  {
    file: `${core}/value/internal/utcParts.ts`,
    within: "fromUtcParts",
    original: "return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 1), fraction.length, \"\")",
    replacement: "return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 2), fraction.length, \"\")",
    because: "a fraction of up to nine digits has its weight"
  },
  {
    file: `${core}/value/internal/utcParts.ts`,
    within: "fromUtcParts",
    original: "return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 1), fraction.length, \"\")",
    replacement: "return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 0), fraction.length, \"\")",
    because: "a fraction of up to nine digits has its weight"
  },
  {
    file: `${core}/value/Timestamp.ts`,
    within: "compare",
    original: "if (self.epochSeconds !== that.epochSeconds) return self.epochSeconds < that.epochSeconds ? -1 : 1",
    replacement: "if (self.epochSeconds !== that.epochSeconds) return self.epochSeconds <= that.epochSeconds ? -1 : 1",
    because: "where they are equal has been seen to before"
  },
  {
    file: `${core}/value/Timestamp.ts`,
    within: "compare",
    original: "if (self.nanos !== that.nanos) return self.nanos < that.nanos ? -1 : 1",
    replacement: "if (self.nanos !== that.nanos) return self.nanos <= that.nanos ? -1 : 1",
    because: "where they are equal has been seen to before"
  },
  {
    file: `${core}/value/Timestamp.ts`,
    within: "compare",
    original: "return left === right ? 0 : left < right ? -1 : 1",
    replacement: "return left === right ? 0 : left <= right ? -1 : 1",
    because: "where they are equal has been seen to before"
  },
  // ---- resilience ---------------------------------------------------------------------------------------------------
  {
    file: `${core}/resilience/internal/breakerTransitions.ts`,
    within: "transition",
    original: "return stay(state.failures === 0 || policy.window !== undefined ? state : closed)",
    replacement: "return stay(state.failures === (-1) || policy.window !== undefined ? state : closed)",
    because: "a closed state without failures is the closed state"
  },
  {
    file: `${core}/value/internal/untraced.ts`,
    within: "untraced",
    original: "if (limit === undefined) return make()",
    replacement: "if (limit === undefined) ;",
    because: "a runtime without that property takes the assignments for nothing"
  },
  {
    file: `${core}/resilience/internal/breakerCounts.ts`,
    within: "Counts.slowestCall",
    original: "slowestCall = 0",
    replacement: "slowestCall = (-1)",
    because: "it is told only after a call, and none takes less than no time"
  },
  {
    file: `${core}/resilience/internal/adaptiveBackoff.ts`,
    within: "initial.delayMillis",
    original:
      "export const initial: Adaptive = { delayMillis: 0, failedAt: undefined, unanswered: 0, brief: false, reset: false, pattern: undefined }",
    replacement:
      "export const initial: Adaptive = { delayMillis: (-1), failedAt: undefined, unanswered: 0, brief: false, reset: false, pattern: undefined }",
    because: "the first failure begins at the base, whatever the delay before it was"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.waitFor",
    original: "sum -= this.costs[i] ?? 0",
    replacement: "sum -= this.costs[i] ?? 1",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.waitFor",
    original: "sum -= this.costs[i] ?? 0",
    replacement: "sum -= this.costs[i] ?? (-1)",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.waitFor",
    original: "wait = Math.max(wait, Math.ceil((this.times[i] ?? 0) + windowMillis + 1 - at))",
    replacement: "wait = Math.max(wait, Math.ceil((this.times[i] ?? 1) + windowMillis + 1 - at))",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.waitFor",
    original: "wait = Math.max(wait, Math.ceil((this.times[i] ?? 0) + windowMillis + 1 - at))",
    replacement: "wait = Math.max(wait, Math.ceil((this.times[i] ?? (-1)) + windowMillis + 1 - at))",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.expire",
    original: "window.begin < times.length && at - (times[window.begin] ?? 0) > window.windowMillis",
    replacement: "window.begin < times.length && at - (times[window.begin] ?? 1) > window.windowMillis",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.expire",
    original: "window.begin < times.length && at - (times[window.begin] ?? 0) > window.windowMillis",
    replacement: "window.begin < times.length && at - (times[window.begin] ?? (-1)) > window.windowMillis",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.expire",
    original: "window.sum -= costs[window.begin] ?? 0",
    replacement: "window.sum -= costs[window.begin] ?? 1",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.expire",
    original: "window.sum -= costs[window.begin] ?? 0",
    replacement: "window.sum -= costs[window.begin] ?? (-1)",
    because: "the index is within the list"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "Machine.apply",
    original:
      "if (before === BreakerTransitions.closed && (event === acquireEvent || event === succeedEvent)) return true",
    replacement: "if (false) return true",
    because: "the long way comes to the same, and costs more"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "Machine.epoch",
    original: "epoch = 0",
    replacement: "epoch = 1",
    because: "an epoch is only ever compared with itself"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "Machine.epoch",
    original: "epoch = 0",
    replacement: "epoch = (-1)",
    because: "an epoch is only ever compared with itself"
  },
  {
    file: `${core}/resilience/CircuitBreaker.ts`,
    within: "Registry.sweep",
    original: "for (const [key, machine] of this.dropped) if (machine.deref() === undefined) this.dropped.delete(key)",
    replacement: "for (const [key, machine] of this.dropped) if (false) this.dropped.delete(key)",
    because: "what is gone is not found by its key either: it is about memory alone"
  },
  {
    file: `${core}/resilience/CircuitBreaker.ts`,
    within: "Registry.sweep",
    original: "for (const [key, machine] of this.dropped) if (machine.deref() === undefined) this.dropped.delete(key)",
    replacement: "for (const [key, machine] of this.dropped) if (machine.deref() === undefined) ;",
    because: "what is gone is not found by its key either: it is about memory alone"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.waitFor",
    original: "sum + cost > limit && i < this.times.length",
    replacement: "sum + cost > limit && i <= this.times.length",
    because: "beyond the end is nothing, and what is reserved waits longer"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.longest",
    original: "private longest = 0",
    replacement: "private longest = (-1)",
    because: "a window is longer than none"
  },
  {
    file: `${core}/resilience/internal/rollingLimit.ts`,
    within: "RollingLimitImpl.declare.begin",
    original: "this.windows = [...this.windows, { limit, windowMillis, begin: 0, sum, holders: 1 }]",
    replacement: "this.windows = [...this.windows, { limit, windowMillis, begin: (-1), sum, holders: 1 }]",
    because: "before the beginning is nothing"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "Machine.apply",
    original:
      "if (before === BreakerTransitions.closed && (event === acquireEvent || event === succeedEvent)) return true",
    replacement:
      "if (before === BreakerTransitions.closed && (event === acquireEvent && event === succeedEvent)) return true",
    because: "the long way comes to the same, and costs more"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "Machine.apply",
    original:
      "if (before === BreakerTransitions.closed && (event === acquireEvent || event === succeedEvent)) return true",
    replacement: "if (before === BreakerTransitions.closed && (event === acquireEvent || event === succeedEvent)) ;",
    because: "the long way comes to the same, and costs more"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "execute",
    original:
      "return Effect.onExitPrimitive( effect, (exit) => settle(machine, epoch, start, clock, exit, isFailure), true )",
    replacement: ";",
    because: "the long way comes to the same, and costs more"
  },
  {
    file: `${core}/resilience/internal/breaker.ts`,
    within: "execute",
    original:
      "return Effect.onExitPrimitive( effect, (exit) => settle(machine, epoch, start, clock, exit, isFailure), true )",
    replacement:
      "return Effect.onExitPrimitive( effect, (exit) => settle(machine, epoch, start, clock, exit, isFailure), false )",
    because: "an interruption says nothing, seen or not"
  },
  {
    file: `${core}/resilience/CircuitBreaker.ts`,
    within: "Registry.keep",
    original: "this.dropped.delete(key)",
    replacement: ";",
    because: "both hold the same one"
  },
  {
    file: `${core}/resilience/PolicyConfig.ts`,
    within: "durationFromText",
    original: "const [, amount, unit = \"\"] = /^(\\d+(?:\\.\\d+)?)\\s*([a-z]+)$/.exec(text.trim()) ?? []",
    replacement: "const [, amount, unit = \"?\"] = /^(\\d+(?:\\.\\d+)?)\\s*([a-z]+)$/.exec(text.trim()) ?? []",
    because: "the form has a unit wherever it has an amount"
  },
  // ---- feed -----------------------------------------------------------------------------------------------------------
  {
    file: `${core}/market/internal/freshnessTracker.ts`,
    within: "make.entryOf",
    original: "if (known !== undefined || without.has(channel)) return known",
    replacement: "if (false) return known",
    because: "what is remembered is what would be found again, made slower"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "gapsOf.disconnect",
    original:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    replacement:
      "{ disconnect: false, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    because: "only the names are read"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "gapsOf.sequence",
    original:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    replacement:
      "{ disconnect: true, sequence: false, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    because: "only the names are read"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "gapsOf.checksum",
    original:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    replacement:
      "{ disconnect: true, sequence: true, checksum: false, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    because: "only the names are read"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "gapsOf.overflow",
    original:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    replacement:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: false, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    because: "only the names are read"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "gapsOf.stale",
    original:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    replacement:
      "{ disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: false } satisfies { readonly [Cause in Gap[\"cause\"]]: true }",
    because: "only the names are read"
  },
  {
    file: `${core}/market/internal/lifecycleEvents.ts`,
    within: "make.isPending",
    original: "const isPending = refusals.size > 0 && item._tag !== \"Refused\" && item._tag !== \"Announced\"",
    replacement: "const isPending = refusals.size >= 0 && item._tag !== \"Refused\" && item._tag !== \"Announced\"",
    because: "without refusals the events are told as they are"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "make.follow",
    original: "if (ages.has(key)) continue",
    replacement: "if (false) continue",
    because: "a series that is made again is the same series"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "make.eventsOf",
    original: "if (known !== undefined) return known",
    replacement: "if (false) return known",
    because: "a metric that is made again is the same series"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "make.eventsOf",
    original: "events.set(channel, made)",
    replacement: ";",
    because: "a metric that is made again is the same series"
  },
  {
    file: `${core}/market/MarketFeed.ts`,
    within: "prepare.connection",
    original: "options.url ?? venue.endpoint ?? \"\"",
    replacement: "options.url ?? venue.endpoint ?? \"?\"",
    because: "neither is a URL, and what is none is not told"
  },
  {
    file: `${core}/market/internal/silentSubscriptions.ts`,
    within: "make",
    original: "Effect.as(Effect.sleep(Math.max(1, next - now)), true)",
    replacement: "Effect.as(Effect.sleep(Math.max(0, next - now)), true)",
    because: "a deadline is less than a millisecond away only where a sum of fractions was rounded"
  },
  {
    file: `${core}/market/internal/silentSubscriptions.ts`,
    within: "make.changes",
    original: "const changes = yield* Queue.sliding<void>(1)",
    replacement: "const changes = yield* Queue.sliding<void>(2)",
    because: "who is woken once more looks once more, and finds nothing new"
  },
  {
    file: `${core}/market/internal/silentSubscriptions.ts`,
    within: "make.discard",
    original: "yield* Effect.forEach(late, tell, { discard: true })",
    replacement: "yield* Effect.forEach(late, tell, { discard: false })",
    because: "nobody reads the list of nothings"
  },
  {
    file: `${core}/market/internal/lifecycleEvents.ts`,
    within: "make.overflowed",
    original: "const [key = \"\", missing]",
    replacement: "const [key = \"?\", missing]",
    because: "a feed's events have keys, and neither is the key of one"
  },
  {
    file: `${core}/market/internal/subscriptionAnswers.ts`,
    within: "make.requestId",
    original: "case \"Response\": return { _tag: \"Confirmed\", requestId: event.requestId ?? \"\" }",
    replacement: "case \"Response\": return { _tag: \"Confirmed\", requestId: event.requestId ?? \"?\" }",
    because: "no request of ours has either for its id"
  },
  {
    file: `${core}/market/internal/silentSubscriptions.ts`,
    within: "make.startImmediately",
    original: "Effect.forkScoped({ startImmediately: true })",
    replacement: "Effect.forkScoped({ startImmediately: false })",
    because: "who begins to read late is told how the link came up"
  },
  {
    file: `${core}/market/MarketFeeds.ts`,
    within: "prepare.change.discard",
    original: "yield* Effect.forEach(following, (consumer) => consumer.follow(member.feed), { discard: true })",
    replacement: "yield* Effect.forEach(following, (consumer) => consumer.follow(member.feed), { discard: false })",
    because: "nobody reads the list of nothings"
  },
  {
    file: `${core}/market/MarketFeeds.ts`,
    within: "prepare.change.startImmediately",
    original:
      "yield* Effect.forkIn(Effect.ignore(member.feed.connection.connect), member.scope, { startImmediately: true })",
    replacement:
      "yield* Effect.forkIn(Effect.ignore(member.feed.connection.connect), member.scope, { startImmediately: false })",
    because: "a venue that is dialled a moment later is dialled at the same time"
  },
  {
    file: `${core}/market/ReconnectingStream.ts`,
    within: "make.connectOnce",
    original:
      "const connectOnce = attempt( 0, (exit, permit) => Exit.isSuccess(exit) ? up(permit, 0) : Effect.andThen(permit.release, exit) )",
    replacement:
      "const connectOnce = attempt( (-1), (exit, permit) => Exit.isSuccess(exit) ? up(permit, 0) : Effect.andThen(permit.release, exit) )",
    because: "both are before the clock began"
  },
  {
    file: `${core}/protocol/Symbols.ts`,
    within: "parse",
    original:
      "return base === undefined || quote === undefined || quote === \"PERP\" ? undefined : { base, quote, isPerpetual: perpetual !== undefined }",
    replacement:
      "return ((base === undefined) && (quote === undefined)) || quote === \"PERP\" ? undefined : { base, quote, isPerpetual: perpetual !== undefined }",
    because: "the form has both of them or neither"
  },
  {
    file: `${core}/protocol/Symbols.ts`,
    within: "paired.read",
    original: "return base === undefined || quote === undefined ? undefined : { base, quote, isPerpetual }",
    replacement: "return base === undefined && quote === undefined ? undefined : { base, quote, isPerpetual }",
    because: "the form has both of them or neither"
  },
  {
    file: `${core}/market/internal/channelRouter.ts`,
    within: "productOf",
    original:
      "const productOf = (event: MarketEvent): string | undefined => \"product\" in event ? event.product : undefined",
    replacement: "const productOf = (event: MarketEvent): string | undefined => true ? event.product : undefined",
    because: "an event without a product has none there, either"
  },
  // ---- connection ---------------------------------------------------------------------------------------------------
  {
    file: `${core}/resilience/internal/recovery.ts`,
    within: "next.openUntil",
    original: "const openUntil = breaker._tag === \"Open\" && breaker.until > now ? breaker.until : undefined",
    replacement: "const openUntil = breaker._tag === \"Open\" && breaker.until >= now ? breaker.until : undefined",
    because: "a breaker whose open time ends now admits, or rejects the dial itself a moment later"
  },
  {
    file: `${core}/connection/internal/metricsRecorder.ts`,
    within: "MetricsRecorderImpl.read.heartbeat.p99RoundTripMillis",
    original: "p99RoundTripMillis: rankOf(this.roundTrips, 0.99)",
    replacement: "p99RoundTripMillis: rankOf(this.roundTrips, 1.99)",
    because: "of up to 100 round trips, which are all that are kept, both are the longest"
  },
  {
    file: `${core}/connection/internal/subscriptions.ts`,
    within: "Subscriptions.readAnswers",
    original: "settled.add(key)",
    replacement: ";",
    because: "to confirm the same by its name once more changes nothing"
  },
  {
    file: `${core}/connection/internal/unansweredSubscriptions.ts`,
    within: "UnansweredSubscriptions.watch",
    original: "if (this.isWatching) return Effect.void",
    replacement: "if (this.isWatching) ;",
    because: "a second watch wakes at the same times and finds nothing overdue: it costs a fiber until the answer"
  },
  {
    file: `${core}/connection/internal/epoch.ts`,
    within: "Epoch.receive",
    original: "if (this.due === undefined && refusals.length === 0 && faults.length === 0) return this.awaitRoom()",
    replacement: "if (false) return this.awaitRoom()",
    because: "where nothing is due and nothing was refused, all that follows does nothing, more slowly"
  },
  {
    file: `${core}/connection/internal/epoch.ts`,
    within: "Epoch.receive",
    original: "if (this.due === undefined && refusals.length === 0 && faults.length === 0) return this.awaitRoom()",
    replacement: "if (due === undefined && refusals.length === (-1) && faults.length === 0) return this.awaitRoom()",
    because: "where nothing is due and nothing was refused, all that follows does nothing, more slowly"
  },
  {
    file: `${core}/connection/internal/subscriptions.ts`,
    within: "Subscriptions.read",
    original: "if (this.pending.length === 0 || frame === undefined) continue",
    replacement: "if (this.pending.length === (-1) || frame === undefined) continue",
    because: "while nothing is asked for no answer settles anything: it spares reading them"
  },
  {
    file: `${core}/connection/internal/subscriptions.ts`,
    within: "Subscriptions.settleByName",
    original: "if (!isBare && !this.standings.names.has(answer, this.pending, unnumbered)) return",
    replacement: "if (false) return",
    because: "what none of them is named by means none of their channels: it spares looking through them"
  },
  {
    file: `${core}/connection/internal/subscriptions.ts`,
    within: "Subscriptions.settleByName",
    original: "if (!isBare && !this.standings.names.has(answer, this.pending, unnumbered)) return",
    replacement: "if (!isBare && !this.standings.names.has(answer, this.pending, unnumbered)) ;",
    because: "what none of them is named by means none of their channels: it spares looking through them"
  },
  {
    file: `${core}/connection/internal/consumerQueue.ts`,
    within: "boundOf",
    original:
      "const boundOf = (bytes: number | undefined): number => bytes === undefined || Number.isNaN(bytes) ? defaultBytes : Math.max(1, bytes)",
    replacement:
      "const boundOf = (bytes: number | undefined): number => bytes === undefined || Number.isNaN(bytes) ? defaultBytes : Math.max(2, bytes)",
    because: "no message weighs less than its share of 256"
  },
  {
    file: `${core}/connection/internal/inbox.ts`,
    within: "InboxImpl.offerTo",
    original: "if (consumer.missed > before) this.onMissed?.(consumer.missed - before)",
    replacement: "if (consumer.missed >= before) this.onMissed?.(consumer.missed - before)",
    because: "to add none changes no count"
  },
  {
    file: `${core}/connection/internal/inbox.ts`,
    within: "InboxImpl.offerTo",
    original: "if (consumer.missed > before) this.onMissed?.(consumer.missed - before)",
    replacement: "if (true) this.onMissed?.(consumer.missed - before)",
    because: "to add none changes no count"
  },
  {
    file: `${core}/connection/internal/inbox.ts`,
    within: "InboxImpl.makePull.pull.wasFull",
    original: "const wasFull = consumer.overflow === \"block\" && isOver(consumer)",
    replacement: "const wasFull = consumer.overflow === \"block\" || isOver(consumer)",
    because: "who is woken for nothing looks again whether there is room, and waits on"
  },
  {
    file: `${core}/connection/internal/inbox.ts`,
    within: "InboxImpl.makePull.pull",
    original: "if (wasFull) this.release()",
    replacement: "if (true) this.release()",
    because: "who is woken for nothing looks again whether there is room, and waits on"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.send.wait",
    original: "const wait = pace?.log.waitFor(pace.now(), cost, this.spares(rank)) ?? 0",
    replacement: "const wait = pace?.log.waitFor(pace.now(), cost, this.spares(rank)) ?? 1",
    because: "without a limit nobody asks for how long it holds a message up"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.send.wait",
    original: "const wait = pace?.log.waitFor(pace.now(), cost, this.spares(rank)) ?? 0",
    replacement: "const wait = pace?.log.waitFor(pace.now(), cost, this.spares(rank)) ?? (-1)",
    because: "without a limit nobody asks for how long it holds a message up"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.enqueue",
    original: "if (place === 0) this.sleeper?.wake()",
    replacement: "if (true) this.sleeper?.wake()",
    because: "who wakes early and may not write yet goes back to sleep"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.withdraw",
    original: "if (at === 0) this.sleeper?.wake()",
    replacement: "if (true) this.sleeper?.wake()",
    because: "who wakes early and may not write yet goes back to sleep"
  },
  // ---- transport ----------------------------------------------------------------------------------------------------
  {
    file: `${core}/transport/BrowserTransport.ts`,
    within: "cut.point",
    original: "const point = character.codePointAt(0) ?? 0",
    replacement: "const point = character.codePointAt(0) ?? 1",
    because: "a character of a text has a code point"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [path = \"\", query = \"\"] = rest.split(/[?#]/)",
    replacement: "const [path = \"?\", query = \"\"] = rest.split(/[?#]/)",
    because: "what is split has a first part"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [, user = \"\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    replacement: "const [, user = \"?\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    because: "the pattern matches any text, with both parts"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [, user = \"\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    replacement: "const [, user = \"\", password = \"?\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    because: "the pattern matches any text, with both parts"
  },
  {
    file: `${core}/transport/Address.ts`,
    within: "parse.host",
    original:
      "const { host = \"\", port, rest = \"\", scheme: written = \"\", userInfo } = grammar.exec(url)?.groups ?? {}",
    replacement:
      "const { host = \"?\", port, rest = \"\", scheme: written = \"\", userInfo } = grammar.exec(url)?.groups ?? {}",
    because: "a part is missing only where all of them are, which is no address"
  },
  {
    file: `${core}/transport/Address.ts`,
    within: "parse.rest",
    original:
      "const { host = \"\", port, rest = \"\", scheme: written = \"\", userInfo } = grammar.exec(url)?.groups ?? {}",
    replacement:
      "const { host = \"\", port, rest = \"?\", scheme: written = \"\", userInfo } = grammar.exec(url)?.groups ?? {}",
    because: "a part is missing only where all of them are, which is no address"
  },
  {
    file: `${core}/transport/Address.ts`,
    within: "parse.scheme",
    original:
      "const { host = \"\", port, rest = \"\", scheme: written = \"\", userInfo } = grammar.exec(url)?.groups ?? {}",
    replacement:
      "const { host = \"\", port, rest = \"\", scheme: written = \"?\", userInfo } = grammar.exec(url)?.groups ?? {}",
    because: "a part is missing only where all of them are, which is no address"
  },
  // ---- venue --------------------------------------------------------------------------------------------------------
  {
    file: `${core}/venue/dydx/Venue.ts`,
    within: "make.unsubscribe",
    original: "(channel, id) => ({ type: \"unsubscribe\", channel, ...(id === undefined ? {} : { id }) })",
    replacement: "(channel, id) => ({ type: \"unsubscribe\", channel, ...(false ? {} : { id }) })",
    because: "JSON leaves out a member that is undefined"
  },
  {
    file: `${core}/venue/deribit/internal/channelNames.ts`,
    within: "channelOf",
    original:
      "return product === undefined ? Channel.make(text) : Channel.make([family, ...rest].join(\".\"), product)",
    replacement: "return false ? Channel.make(text) : Channel.make([family, ...rest].join(\".\"), product)",
    because: "without a product the parts of a name are all of it"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.epoch",
    original: "private epoch = 0",
    replacement: "private epoch = 1",
    because: "an epoch says its number before anything is written on it"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.epoch",
    original: "private epoch = 0",
    replacement: "private epoch = (-1)",
    because: "an epoch says its number before anything is written on it"
  },
  {
    file: `${core}/value/Printable.ts`,
    within: "escape",
    original:
      "export const escape = (text: string): string => isPlain.test(text) ? text : text.replace(hidden, escaped)",
    replacement: "export const escape = (text: string): string => false ? text : text.replace(hidden, escaped)",
    because: "a plain text holds nothing to escape; it is only found out faster"
  },
  {
    file: `${core}/value/internal/escapedText.ts`,
    within: "quote.isWhole",
    original: "const isWhole = shown === escape(input.slice(0, quoted + 1))",
    replacement: "const isWhole = shown === escape(input.slice(0, quoted + 2))",
    because: "one character more than is shown says already that there are more"
  },
  {
    file: `${core}/codec/internal/memberText.ts`,
    within: "isName",
    original: "return written.includes(\"\\\\\") ? unquoted(text.slice(from, to)) === name : written === name",
    replacement: "return true ? unquoted(text.slice(from, to)) === name : written === name",
    because: "a name without escapes reads as it is written; it is only compared faster"
  },
  {
    file: `${core}/codec/internal/memberText.ts`,
    within: "afterValue",
    original: "at < text.length",
    replacement: "at <= text.length",
    because: "there is no character at the end to look at"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.enqueue",
    original: "this.entries.splice(place, 0, entry)",
    replacement: "this.entries.splice(place, (-1), entry)",
    because: "none are removed either way"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.withdraw",
    original: "if (at < 0) return",
    replacement: "if (false) return",
    because: "a sender is interrupted only while its message waits"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.withdraw",
    original: "if (at < 0) return",
    replacement: "if (at < (-1)) return",
    because: "a sender is interrupted only while its message waits"
  },
  {
    file: `${core}/connection/internal/outbox.ts`,
    within: "OutboxImpl.withdraw",
    original: "if (at < 0) return",
    replacement: "if (at < 0) ;",
    because: "a sender is interrupted only while its message waits"
  },
  {
    file: `${core}/transport/BrowserTransport.ts`,
    within: "makeLine.wake",
    original: "if (batch === undefined) return",
    replacement: "if (false) return",
    because: "somebody is woken only where something came, or nothing will"
  },
  {
    file: `${core}/transport/BrowserTransport.ts`,
    within: "makeLine.wake",
    original: "if (batch === undefined) return",
    replacement: "if (batch === undefined) ;",
    because: "somebody is woken only where something came, or nothing will"
  },
  {
    file: `${core}/transport/BrowserTransport.ts`,
    within: "makeLine.wire.ping",
    original: "pingers.delete(resume)",
    replacement: ";",
    because: "a ping that was given up hears of no end; it is only forgotten sooner"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl.userInfo",
    original: "const { rest, userInfo = \"\" } = address",
    replacement: "const { rest, userInfo = \"?\" } = address",
    because: "so short a user is sought nowhere"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [, user = \"\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    replacement: "const [, user = \"?\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    because: "every text is of that form"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [, user = \"\", password = \"\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    replacement: "const [, user = \"\", password = \"?\"] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? []",
    because: "every text is of that form"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [path = \"\", query = \"\"] = rest.split(/[?#]/)",
    replacement: "const [path = \"?\", query = \"\"] = rest.split(/[?#]/)",
    because: "a split text has a first part"
  },
  {
    file: `${core}/transport/Secrets.ts`,
    within: "ofUrl",
    original: "const [path = \"\", query = \"\"] = rest.split(/[?#]/)",
    replacement: "const [path = \"\", query = \"?\"] = rest.split(/[?#]/)",
    because: "so short a query holds no secret"
  },
  {
    file: `${core}/value/internal/calendar.ts`,
    within: "civilFromDays.yearOfEra",
    original:
      "yearOfEra = Math.floor( (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365 )",
    replacement:
      "yearOfEra = Math.floor( (dayOfEra - Math.floor(dayOfEra / 1459) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365 )",
    because: "it gives the same year for each day of four hundred years, all of which are tried"
  },
  {
    file: `${core}/value/internal/decimal.ts`,
    within: "parseExponential",
    original: "if (digits === \"0\" && scale <= 0) return BigDecimal.make(0n, 0)",
    replacement: "if (digits === \"0\" && scale < 0) return BigDecimal.make(0n, 0)",
    because: "at a scale of 0 it is made of the same digits"
  },
  {
    file: `${core}/value/internal/decimal.ts`,
    within: "parseExponential",
    original: "if (digits === \"0\" && scale <= 0) return BigDecimal.make(0n, 0)",
    replacement: "if (digits === \"0\" && scale <= (-1)) return BigDecimal.make(0n, 0)",
    because: "at a scale of 0 it is made of the same digits"
  },
  // ---- testing ------------------------------------------------------------------------------------------------------
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play.turn",
    original: "for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)",
    replacement: "for (let turn = 1; turn < 16; turn++) yield* TestClock.adjust(0)",
    because: "there are more turns than are needed, and one more or less changes nothing"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play.turn",
    original: "for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)",
    replacement: "for (let turn = (-1); turn < 16; turn++) yield* TestClock.adjust(0)",
    because: "there are more turns than are needed, and one more or less changes nothing"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play",
    original: "for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)",
    replacement: "for (let turn = 0; turn <= 16; turn++) yield* TestClock.adjust(0)",
    because: "there are more turns than are needed, and one more or less changes nothing"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play",
    original: "for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)",
    replacement: "for (let turn = 0; turn < 17; turn++) yield* TestClock.adjust(0)",
    because: "there are more turns than are needed, and one more or less changes nothing"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play",
    original: "for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)",
    replacement: "for (let turn = 0; turn < 15; turn++) yield* TestClock.adjust(0)",
    because: "there are more turns than are needed, and one more or less changes nothing"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play.connects",
    original: "connects: metrics?.connects ?? 0",
    replacement: "connects: metrics?.connects ?? 1",
    because: "the client has made its connection before time goes on"
  },
  {
    file: "packages/testing/src/simulation/Simulation.ts",
    within: "play.connects",
    original: "connects: metrics?.connects ?? 0",
    replacement: "connects: metrics?.connects ?? (-1)",
    because: "the client has made its connection before time goes on"
  },
  {
    file: "packages/testing/src/venue/MockHyperliquid.ts",
    within: "make.receive.products",
    original:
      "type === allMids ? Market.products.map(({ symbol }) => symbol).filter((symbol) => floor.market(symbol) !== undefined) : [coin ?? \"\"]",
    replacement:
      "type === allMids ? Market.products.map(({ symbol }) => symbol).filter((symbol) => floor.market(symbol) !== undefined) : [coin ?? \"?\"]",
    because: "who names no coin has been refused by then"
  },
  {
    file: "packages/testing/src/venue/Market.ts",
    within: "step.mid",
    original: "const mid = before.mid + drift > floor ? before.mid + drift : floor",
    replacement: "const mid = before.mid + drift >= floor ? before.mid + drift : floor",
    because: "at the floor both are the floor"
  },
  {
    file: "packages/testing/src/venue/Market.ts",
    within: "below.word",
    original: "const word = () => BigInt(chance.integer(0x100000000))",
    replacement: "const word = () => BigInt(chance.integer(4294967297))",
    because: "a number of 32 bits of chance is the same whole number of either"
  },
  {
    file: `${core}/codec/internal/layout.ts`,
    within: "Draft.addList",
    original: "if (first === undefined || !ExactJson.isObject(first)) return false",
    replacement: "if (first === undefined && !ExactJson.isObject(first)) return false",
    because: "a list whose layout is learned holds objects: the exact reader has refused any other"
  },
  {
    file: `${core}/market/internal/feedMetrics.ts`,
    within: "make.eventsOf",
    original: "if (known !== undefined) return known",
    replacement: "if (known !== undefined) ;",
    because: "a counter of the same name and attributes is the same counter"
  },
  {
    file: "packages/testing/src/node/MockServer.ts",
    within: "make.sockets.refuses.address",
    original: "const address = request.socket.remoteAddress ?? \"\"",
    replacement: "const address = request.socket.remoteAddress ?? \"?\"",
    because: "a socket that was accepted has an address"
  },
  // ---- trading ------------------------------------------------------------------------------------------------------
  {
    file: `${core}/trading/Order.ts`,
    within: "next",
    original: "return `${outcome._tag} after ${order.outcome?._tag ?? \"no outcome\"}`",
    replacement: "return `${outcome._tag} after ${order.outcome?._tag || \"no outcome\"}`",
    because: "no tag is empty"
  },
  {
    file: `${core}/trading/Order.ts`,
    within: "next.known",
    original: "const known = most(most(order.filled, sumOf(fills)), \"filled\" in input ? input.filled : undefined)",
    replacement: "const known = most(most(order.filled, sumOf(fills)), true ? input.filled : undefined)",
    because: "what has no such member has none; only the types ask"
  },
  {
    file: `${core}/trading/OrderEvent.ts`,
    within: "toJson",
    original:
      "const toJson = (event: OrderEvent): string => `{\"_tag\":\"${event._tag}\"${event._tag === \"CancelledAll\" ? \"\" : names(event)}${body(event)}}`",
    replacement:
      "const toJson = (event: OrderEvent): string => `{\"_tag\":\"${event._tag}\"${false ? \"\" : names(event)}${body(event)}}`",
    because: "what has no names prints none; only the types ask"
  },
  {
    file: `${core}/trading/Matching.ts`,
    within: "MatchingImpl.amend",
    original: "if (order.level !== undefined) order.level.total -= order.amount - amount",
    replacement: "if (true) order.level.total -= order.amount - amount",
    because: "an order that is amended rests, and so has a level; only the types ask"
  },
  // ---- strategy -----------------------------------------------------------------------------------------------------
  {
    file: `${core}/strategy/Candles.ts`,
    within: "CandlesImpl.add",
    original:
      "if (only !== undefined && !isBefore(timestamp, only.from) && isBefore(timestamp, only.to)) { if (this.newest === undefined || isBefore(this.newest, timestamp)) this.newest = timestamp enter(only, price, size, timestamp) return [] }",
    replacement:
      "if (false) { if (this.newest === undefined || isBefore(this.newest, timestamp)) this.newest = timestamp enter(only, price, size, timestamp) return [] }",
    because: "it is the shorter way to the same"
  },
  {
    file: `${core}/strategy/Candles.ts`,
    within: "CandlesImpl.add.only",
    original: "const only = this.open.length === 1 ? this.open[0] : undefined",
    replacement: "const only = this.open.length === 1 ? this.open[(-1)] : undefined",
    because: "it is the shorter way to the same"
  },
  {
    file: `${core}/strategy/internal/magnitude.ts`,
    within: "bounds",
    original: "const bounds = [2 ** -400, 2 ** 400] as const",
    replacement: "const bounds = [2 ** -400, 2 ** 401] as const",
    because: "there is room on both sides of the bounds"
  },
  {
    file: `${core}/strategy/internal/magnitude.ts`,
    within: "levelOf",
    original: "export const levelOf = (size: number): Level => size < bounds[0] ? 0 : size < bounds[1] ? 1 : 2",
    replacement: "export const levelOf = (size: number): Level => size <= bounds[0] ? 0 : size < bounds[1] ? 1 : 2",
    because: "there is room on both sides of the bounds"
  },
  {
    file: `${core}/strategy/internal/magnitude.ts`,
    within: "Levels.replace",
    original: "if (level === was) return false",
    replacement: "if (false) return false",
    because: "it is the shorter way to the same"
  },
  {
    file: `${core}/strategy/internal/averages.ts`,
    within: "UpwardShare.moved",
    original: "private moved = 0",
    replacement: "private moved = 1",
    because: "at the first change nothing of it is kept"
  },
  {
    file: `${core}/strategy/internal/rolling.ts`,
    within: "RollingHighest.restsBefore",
    original: "private restsBefore = new Float64Array(0)",
    replacement: "private restsBefore = new Float64Array(1)",
    because: "it is made with the highest values, whose length is looked at"
  }
]
