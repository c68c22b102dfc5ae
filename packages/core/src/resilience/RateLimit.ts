/**
 * Limits that hold in every rolling window, not on average: at most so much
 * cost in any so many milliseconds, for several windows at once. A log of what
 * was taken is kept, so that no burst at the edge of a window gets through; a
 * token bucket of 5 a second lets 9 through in one.
 *
 * The log is pure and synchronous: `take` admits and charges in one step, so
 * that what is charged is what is sent. `make` puts a bounded queue with
 * priorities and deadlines before it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Monotonic from "../value/Monotonic.ts"

/**
 * At most `limit` of cost in any rolling window of `windowMillis`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Window {
  readonly limit: number
  readonly windowMillis: number
}

/**
 * The cost cannot be admitted now: it would be in `retryAfterMillis`, or never
 * (`Infinity`) where it is more than a window ever admits.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  key: Schema.String,
  retryAfterMillis: Schema.Number
}) {
  override get message(): string {
    return `rate limited: ${this.key}, retry after ${this.retryAfterMillis} ms`
  }
}

/**
 * What was taken, as far as it still counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Log {
  /**
   * Admits and charges the cost at `at` (`Monotonic.now`), or says after how
   * many milliseconds it could be, charging nothing. 0 is admitted; `Infinity`
   * is never. What `spares` leaves a tenth of each limit, one at least, to what
   * does not.
   */
  readonly take: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /** As `take`, charging nothing in any case. */
  readonly waitFor: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /** What of each window's limit is left at `at`, in the windows' order. */
  readonly left: (at: number) => ReadonlyArray<number>
}

/**
 * Makes an empty log.
 *
 * A cost counts for its window's whole length and the millisecond after: the
 * clock's milliseconds are cut, so two readings that differ by the length may be
 * less than it apart.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLog = (windows: ReadonlyArray<Window>): Log => {
  const longest = Math.max(0, ...windows.map(({ windowMillis }) => windowMillis))
  // Taken costs in the order of time. `first` is where the longest window begins; before it all is forgotten.
  let times: Array<number> = []
  let costs: Array<number> = []
  let first = 0
  const begins = windows.map(() => 0)
  const sums = windows.map(() => 0)

  const expire = (at: number): void => {
    windows.forEach(({ windowMillis }, index) => {
      let begin = begins[index] ?? 0
      while (begin < times.length && at - (times[begin] ?? 0) > windowMillis) {
        sums[index] = (sums[index] ?? 0) - (costs[begin] ?? 0)
        begin++
      }
      begins[index] = begin
    })
    while (first < times.length && at - (times[first] ?? 0) > longest) first++
    if (first < 1024 || first < times.length / 2) return
    times = times.slice(first)
    costs = costs.slice(first)
    begins.forEach((begin, index) => {
      begins[index] = begin - first
    })
    first = 0
  }

  const waitFor = (at: number, cost = 1, spares = false): number => {
    expire(at)
    let wait = 0
    windows.forEach((window, index) => {
      const { windowMillis } = window
      const limit = spares && window.limit > 1 ? window.limit - Math.ceil(window.limit / 10) : window.limit
      if (cost > limit) {
        wait = Infinity
        return
      }
      let sum = sums[index] ?? 0
      for (let i = begins[index] ?? 0; sum + cost > limit && i < times.length; i++) {
        sum -= costs[i] ?? 0
        wait = Math.max(wait, Math.ceil((times[i] ?? 0) + windowMillis + 1 - at))
      }
    })
    return wait
  }

  return {
    waitFor,
    take: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait > 0) return wait
      times.push(at)
      costs.push(cost)
      windows.forEach((_, index) => {
        sums[index] = (sums[index] ?? 0) + cost
      })
      return 0
    },
    left: (at) => {
      expire(at)
      return windows.map(({ limit }, index) => limit - (sums[index] ?? 0))
    }
  }
}

/**
 * A log that admits what all of several admit: such as a connection's own and
 * that of its address.
 *
 * @category combinators
 * @since 0.1.0
 */
export const both = (logs: ReadonlyArray<Log>): Log => {
  const waitFor = (at: number, cost = 1, spares = false): number =>
    Math.max(0, ...logs.map((log) => log.waitFor(at, cost, spares)))
  return {
    waitFor,
    take: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait === 0) { for (const log of logs) log.take(at, cost) }
      return wait
    },
    left: (at) => logs.flatMap((log) => log.left(at))
  }
}

/**
 * What goes first where not all can go: an answer to a heartbeat before a
 * cancel, before an order, before a subscription, before a query.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = "heartbeat" | "cancel" | "order" | "subscribe" | "query"

/**
 * The priorities, first to last.
 *
 * @category constants
 * @since 0.1.0
 */
export const priorities: ReadonlyArray<Priority> = ["heartbeat", "cancel", "order", "subscribe", "query"]

/**
 * One wish to be admitted: its cost (1), its priority (`order`) and how long it
 * may wait at most (for ever).
 *
 * @category models
 * @since 0.1.0
 */
export interface Wish {
  readonly cost?: number | undefined
  readonly priority?: Priority | undefined
  readonly withinMillis?: number | undefined
}

/**
 * A log with a queue before it.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  /**
   * Waits to be admitted, and is charged then. Fails at once with `RateLimited`
   * where the queue is full, or where the wait would be longer than it may be
   * as far as is known; and when its time is up. Interrupted or failed, it was
   * charged nothing.
   */
  readonly acquire: (wish?: Wish | undefined) => Effect.Effect<void, RateLimited>
  readonly log: Log
  readonly waiting: () => number
}

interface Waiter {
  readonly cost: number
  readonly settle: (outcome: Effect.Effect<void, RateLimited>) => void
}

/**
 * Makes a limit whose queue holds up to `capacity` wishes (1,000 by default).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: {
  readonly key: string
  readonly windows?: ReadonlyArray<Window> | undefined
  readonly log?: Log | undefined
  readonly capacity?: number | undefined
}): Effect.fn.Return<RateLimit, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const log = options.log ?? makeLog(options.windows ?? [])
  const capacity = options.capacity ?? 1_000
  const queues = new Map<Priority, Array<Waiter>>(priorities.map((priority) => [priority, []]))
  const now = (): number => Monotonic.nowMillis(clock)
  let timer: Fiber.Fiber<void> | undefined

  const waiting = (): number => {
    let count = 0
    for (const queue of queues.values()) count += queue.length
    return count
  }

  const limited = (retryAfterMillis: number) => new RateLimited({ key: options.key, retryAfterMillis })

  const head = (): Array<Waiter> | undefined => {
    for (const priority of priorities) {
      const queue = queues.get(priority)
      if (queue !== undefined && queue.length > 0) return queue
    }
    return undefined
  }

  // Admits as many as go now, and returns after how long the next does, or `undefined` where none waits.
  const admit = (): number | undefined => {
    for (let queue = head(); queue !== undefined; queue = head()) {
      const [waiter] = queue
      if (waiter === undefined) continue
      const wait = log.take(now(), waiter.cost)
      if (wait > 0) return wait
      queue.shift()
      waiter.settle(Effect.void)
    }
    return undefined
  }

  const run: Effect.Effect<void> = Effect.suspend(() => {
    const wait = admit()
    if (wait === undefined) {
      timer = undefined
      return Effect.void
    }
    return Effect.andThen(Effect.sleep(wait), run)
  })

  const acquire = (wish: Wish = {}): Effect.Effect<void, RateLimited> =>
    Effect.suspend((): Effect.Effect<void, RateLimited> => {
      const { cost = 1, priority = "order", withinMillis = Infinity } = wish
      const queue = queues.get(priority) ?? []
      const isFirst = priorities.every((other) =>
        (queues.get(other)?.length ?? 0) === 0 || priorities.indexOf(other) > priorities.indexOf(priority)
      )
      const wait = isFirst ? log.take(now(), cost) : log.waitFor(now(), cost)
      if (isFirst && wait === 0) return Effect.void
      if (wait > withinMillis || wait === Infinity || waiting() >= capacity) return Effect.fail(limited(wait))
      const queued = Effect.callback<void, RateLimited>((settle) => {
        const waiter: Waiter = { cost, settle }
        queue.push(waiter)
        return Effect.sync(() => {
          const at = queue.indexOf(waiter)
          if (at >= 0) queue.splice(at, 1)
        })
      })
      const admitted = withinMillis === Infinity ? queued : Effect.timeoutOrElse(queued, {
        duration: withinMillis,
        orElse: () => Effect.suspend(() => Effect.fail(limited(log.waitFor(now(), cost))))
      })
      // The timer runs while somebody waits; one that was reckoned for another head is begun anew.
      const old = timer
      if (old !== undefined && !isFirst) return admitted
      // It begins when this fiber has queued.
      const begin = Effect.map(Effect.forkIn(run, scope), (fiber) => {
        timer = fiber
      })
      return Effect.andThen(old === undefined ? begin : Effect.andThen(Fiber.interrupt(old), begin), admitted)
    })

  return { acquire, log, waiting }
})

/**
 * A limit of a peer: at most `limit` of something in any rolling window, for
 * each connection or for each address. Without a window it is on how many there
 * are at once, and is not kept here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly of: "messages" | "dials" | "subscriptions"
  readonly per: "connection" | "address"
  readonly limit: number
  readonly windowMillis: number | undefined
}

/**
 * By how many milliseconds a peer's window is kept longer. It counts what
 * arrives, and what is sent a window apart arrives closer together where the
 * first was held up on the way; 100 ms is more than paths usually vary by.
 *
 * @category constants
 * @since 0.1.0
 */
export const transitMillis = 100

/**
 * The logs that keep the limits for one connection to an origin: of messages,
 * where there is a limit on them, of subscriptions, and of dials, each window
 * longer by `transitMillis`. What is per address is shared through the governor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logsOf = (
  limits: ReadonlyArray<Limit>,
  origin: string,
  governor: Governor["Service"] | undefined
): { readonly messages: Log | undefined; readonly subscriptions: Log; readonly dials: Log } => {
  const windowsOf = (of: Limit["of"], per: Limit["per"]): ReadonlyArray<Window> =>
    limits.flatMap((limit) =>
      limit.of === of && limit.per === per && limit.windowMillis !== undefined
        ? [{ limit: limit.limit, windowMillis: limit.windowMillis + transitMillis }]
        : []
    )
  const logOf = (of: Limit["of"]): ReadonlyArray<Log> => {
    const own = windowsOf(of, "connection")
    const shared = windowsOf(of, "address")
    return [
      ...(own.length === 0 ? [] : [makeLog(own)]),
      ...(shared.length === 0 ? [] : [governor?.log(`${origin} ${of}`, shared) ?? makeLog(shared)])
    ]
  }
  const messages = logOf("messages")
  return {
    messages: messages.length === 0 ? undefined : both(messages),
    subscriptions: both(logOf("subscriptions")),
    dials: both(logOf("dials"))
  }
}

/**
 * One budget for each name, shared by everybody in the process who dials or
 * sends to a host: the same windows give the same log however often they are
 * asked for, and it outlives any connection.
 *
 * @category services
 * @since 0.1.0
 */
export class Governor extends Context.Service<Governor, {
  readonly log: (key: string, windows: ReadonlyArray<Window>) => Log
}>()("@tickline/core/resilience/RateLimit/Governor") {}

/**
 * A governor with nothing taken.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerGovernor: Layer.Layer<Governor> = Layer.sync(Governor, () => makeGovernor())

/**
 * Makes a governor with nothing taken.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeGovernor = (): Governor["Service"] => {
  const logs = new Map<string, Log>()
  return {
    log: (key, windows) => {
      const known = logs.get(key)
      if (known !== undefined) return known
      const log = makeLog(windows)
      logs.set(key, log)
      return log
    }
  }
}
