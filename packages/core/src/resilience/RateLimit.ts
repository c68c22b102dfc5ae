/**
 * Limits that hold in every rolling window, not on average: at most so much
 * cost in any so many milliseconds, for several windows at once. A log of what
 * was taken is kept, so that no burst at the edge of a window gets through; a
 * token bucket of 5 a second lets 9 through in one.
 *
 * The log is pure and synchronous: `take` admits and charges in one step, so
 * that what is charged is what is sent; `reserve` admits what is spent later.
 * `make` puts a bounded queue with priorities and deadlines before it. The
 * `Governor` shares the logs of an address among all who dial it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Monotonic from "../value/Monotonic.ts"

/**
 * At most `limit` of cost, a finite number of 1 or more, in any rolling window
 * of `windowMillis`, a finite number above 0.
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
 * (`Infinity`) where it is more than a window ever admits, or the limit's scope
 * has closed.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  key: Schema.String,
  retryAfterMillis: Schema.Number
}) {
  override get message(): string {
    return this.retryAfterMillis === Infinity
      ? `rate limited: ${this.key} never admits this`
      : `rate limited: ${this.key}, retry after ${this.retryAfterMillis} ms`
  }
}

/**
 * A cost that is not a finite number of 0 or more, such as that of a `cost`
 * function that divided by zero. Nothing was charged and nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidCost extends Schema.TaggedError<InvalidCost>()("InvalidCost", {
  key: Schema.String,
  cost: Schema.Number
}) {
  override get message(): string {
    return `rate limit of ${this.key}: expected a cost that is a finite number of 0 or more, got ${this.cost}`
  }
}

/**
 * A limit that nothing could keep: its `limit` is not a finite number of 1 or
 * more, or its `windowMillis` not a finite number above 0.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidLimit extends Schema.TaggedError<InvalidLimit>()("InvalidLimit", {
  limit: Schema.Number,
  windowMillis: Schema.Number
}) {
  override get message(): string {
    return "rate limit: expected a finite limit of 1 or more in a finite window above 0 ms, " +
      `got ${this.limit} in ${this.windowMillis} ms`
  }
}

/**
 * Whether a number can be a cost: finite, and 0 or more.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isCost = (cost: number): boolean => Number.isFinite(cost) && cost >= 0

// The first of the windows that nothing could keep.
const invalid = (windows: ReadonlyArray<Window>): InvalidLimit | undefined => {
  for (const { limit, windowMillis } of windows) {
    const isKept = Number.isFinite(limit) && limit >= 1 && Number.isFinite(windowMillis) && windowMillis > 0
    if (!isKept) return new InvalidLimit({ limit, windowMillis })
  }
  return undefined
}

/**
 * A cost that was admitted before it is known when it is spent: it counts in
 * every window until it is. Of its two ends the first counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reservation {
  /** It is spent at `at`, and counts from then on. */
  readonly use: (at: number) => void
  /** It will not be spent: nothing was charged. */
  readonly release: () => void
}

/**
 * What was taken, as far as it still counts. A cost that is no cost (see
 * `isCost`) is never admitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface RollingLimit {
  /**
   * Admits and charges the cost at `at` (`Monotonic.now`), or says after how
   * many milliseconds it could be, charging nothing. 0 is admitted; `Infinity`
   * is never. What `spares` leaves a tenth of each limit, one at least, to what
   * does not.
   */
  readonly take: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /**
   * As `take`, for what is spent later: gives the reservation instead of 0. Who
   * waits for what is reserved waits as if it were spent now.
   */
  readonly reserve: (at: number, cost?: number | undefined, spares?: boolean | undefined) => Reservation | number
  /** As `take`, charging nothing in any case. */
  readonly waitFor: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /** What of each window's limit is left at `at`, in the windows' order. */
  readonly left: (at: number) => ReadonlyArray<number>
}

// A window as a ledger keeps it: what of its costs is in it, and how many declared it.
interface Kept extends Window {
  begin: number
  sum: number
  holders: number
}

class RollingLimitImpl implements RollingLimit {
  private windows: ReadonlyArray<Kept> = []
  // Costs in the order of time, one entry a millisecond, as far back as the longest window reaches.
  private readonly times: Array<number> = []
  private readonly costs: Array<number> = []
  private longest = 0
  private reserved = 0

  /** Keeps these windows too, what was taken before included, until each is withdrawn. */
  declare(windows: ReadonlyArray<Window>): void {
    for (const { limit, windowMillis } of windows) {
      const known = this.windows.find((kept) => kept.limit === limit && kept.windowMillis === windowMillis)
      if (known !== undefined) {
        known.holders++
        continue
      }
      const sum = this.costs.reduce((sum, cost) => sum + cost, 0)
      this.windows = [...this.windows, { limit, windowMillis, begin: 0, sum, holders: 1 }]
      this.longest = Math.max(this.longest, windowMillis)
    }
  }

  withdraw(windows: ReadonlyArray<Window>): void {
    for (const { limit, windowMillis } of windows) {
      const known = this.windows.find((kept) => kept.limit === limit && kept.windowMillis === windowMillis)
      if (known !== undefined) known.holders--
    }
    // What was taken goes on to count for the longest of them all the same: its windows may be declared again.
    this.windows = this.windows.filter(({ holders }) => holders > 0)
  }

  /** Whether nobody holds it and nothing of it counts any more. */
  isForgotten(at: number): boolean {
    if (this.windows.length > 0) return false
    this.expire(at)
    return this.times.length === 0
  }

  waitFor(at: number, cost = 1, spares = false): number {
    if (!isCost(cost)) return Infinity
    this.expire(at)
    let wait = 0
    for (const window of this.windows) {
      const { windowMillis } = window
      const limit = spares ? Math.max(1, window.limit - Math.ceil(window.limit / 10)) : window.limit
      if (cost > limit) return Infinity
      let sum = window.sum + this.reserved
      for (let i = window.begin; sum + cost > limit && i < this.times.length; i++) {
        sum -= this.costs[i] ?? 0
        wait = Math.max(wait, Math.ceil((this.times[i] ?? 0) + windowMillis + 1 - at))
      }
      if (this.reserved > 0 && sum + cost > limit) wait = Math.max(wait, Math.ceil(windowMillis + 1))
    }
    return wait
  }

  take(at: number, cost = 1, spares = false): number {
    const wait = this.waitFor(at, cost, spares)
    if (wait === 0) this.charge(at, cost)
    return wait
  }

  reserve(at: number, cost = 1, spares = false): Reservation | number {
    const wait = this.waitFor(at, cost, spares)
    if (wait > 0) return wait
    this.reserved += cost
    let isOpen = true
    const end = (): boolean => {
      const was = isOpen
      if (was) this.reserved -= cost
      isOpen = false
      return was
    }
    return {
      use: (usedAt) => {
        if (end()) this.charge(usedAt, cost)
      },
      release: () => void end()
    }
  }

  left(at: number): ReadonlyArray<number> {
    this.expire(at)
    return this.windows.map(({ limit, sum }) => limit - sum - this.reserved)
  }

  private charge(at: number, cost: number): void {
    if (cost === 0) return
    const last = this.times.at(-1)
    const isSameMillisecond = last !== undefined && Math.floor(at) === Math.floor(last)
    const slot = isSameMillisecond ? this.times.length - 1 : this.times.length
    // What is within one millisecond counts until the last of it has left.
    this.times[slot] = at
    this.costs[slot] = (this.costs[slot] ?? 0) + cost
    for (const window of this.windows) window.sum += cost
  }

  private expire(at: number): void {
    const { costs, times } = this
    for (const window of this.windows) {
      while (window.begin < times.length && at - (times[window.begin] ?? 0) > window.windowMillis) {
        window.sum -= costs[window.begin] ?? 0
        window.begin++
      }
      // Sums of fractions drift.
      if (window.begin === times.length) window.sum = 0
    }
    const kept = times.findIndex((then) => at - then <= this.longest)
    const gone = kept < 0 ? times.length : kept
    times.splice(0, gone)
    costs.splice(0, gone)
    for (const window of this.windows) window.begin -= gone
  }
}

/**
 * Makes an empty log. Windows that nothing could keep are a defect, the
 * `InvalidLimit` that `make` and a connection fail with.
 *
 * A cost counts for its window's whole length and the millisecond after: to a
 * peer that counts in whole milliseconds two that are the length apart are
 * within one window.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeRollingLimit = (windows: ReadonlyArray<Window>): RollingLimit => {
  const error = invalid(windows)
  if (error !== undefined) throw error
  const ledger = new RollingLimitImpl()
  ledger.declare(windows)
  return ledger
}

/**
 * A log that admits what all of several admit: such as a connection's own and
 * that of its address.
 *
 * @category combinators
 * @since 0.1.0
 */
export const combine = (logs: ReadonlyArray<RollingLimit>): RollingLimit => {
  const waitFor = (at: number, cost = 1, spares = false): number =>
    isCost(cost) ? Math.max(0, ...logs.map((log) => log.waitFor(at, cost, spares))) : Infinity
  return {
    waitFor,
    take: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait === 0) { for (const log of logs) log.take(at, cost) }
      return wait
    },
    reserve: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait > 0) return wait
      const reserved = logs.map((log) => log.reserve(at, cost)).filter((one) => typeof one !== "number")
      return {
        use: (usedAt) => {
          for (const one of reserved) one.use(usedAt)
        },
        release: () => {
          for (const one of reserved) one.release()
        }
      }
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
   * as far as is known; and when its time is up, or the limit's scope closes.
   * Interrupted or failed, it was charged nothing.
   */
  readonly acquire: (wish?: Wish | undefined) => Effect.Effect<void, RateLimited | InvalidCost>
  readonly log: RollingLimit
  readonly waiting: () => number
}

interface Waiter {
  readonly cost: number
  readonly priority: Priority
  readonly settle: (outcome: Effect.Effect<void, RateLimited>) => void
}

/**
 * A sleep that can be cut short: `wake` ends it, or the next one where nobody
 * sleeps, so that none is missed. One at a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sleeper {
  readonly sleep: (millis: number) => Effect.Effect<void>
  readonly wake: () => void
}

/**
 * Makes a sleep that can be cut short.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSleeper = (): Sleeper => {
  let resume: ((effect: Effect.Effect<void>) => void) | undefined
  let isWoken = false
  const woken = Effect.callback<void>((callback) => {
    if (isWoken) {
      isWoken = false
      return callback(Effect.void)
    }
    resume = callback
    return Effect.sync(() => {
      resume = undefined
    })
  })
  return {
    sleep: (millis) => Effect.raceFirst(woken, Effect.sleep(millis)),
    wake: () => {
      const callback = resume
      resume = undefined
      isWoken = callback === undefined
      callback?.(Effect.void)
    }
  }
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
  readonly log?: RollingLimit | undefined
  readonly capacity?: number | undefined
}): Effect.fn.Return<RateLimit, InvalidLimit, Scope.Scope> {
  const { capacity = 1_000, key, windows = [] } = options
  const error = invalid(windows)
  if (error !== undefined) return yield* error
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const fork = Effect.runForkWith(yield* Effect.context())
  const log = options.log ?? makeRollingLimit(windows)
  const queues = new Map(priorities.map((priority) => [priority, new Set<Waiter>()]))
  const now = (): number => Monotonic.nowMillis(clock)
  const sleeper = makeSleeper()
  let isRunning = false
  let isClosed = false

  const waiting = (): number => {
    let count = 0
    for (const queue of queues.values()) count += queue.size
    return count
  }

  const limited = (retryAfterMillis: number) => new RateLimited({ key, retryAfterMillis })

  const head = (): Waiter | undefined => {
    for (const queue of queues.values()) {
      const [waiter] = queue
      if (waiter !== undefined) return waiter
    }
    return undefined
  }

  // Admits as many as go now, and returns after how long the next does, or `undefined` where none waits.
  const admit = (): number | undefined => {
    for (let waiter = head(); waiter !== undefined; waiter = head()) {
      const wait = log.take(now(), waiter.cost)
      if (wait > 0) return wait
      queues.get(waiter.priority)?.delete(waiter)
      waiter.settle(Effect.void)
    }
    return undefined
  }

  // Runs while somebody waits.
  const run: Effect.Effect<void> = Effect.suspend(() => {
    const wait = admit()
    if (wait !== undefined) return Effect.andThen(sleeper.sleep(wait), run)
    isRunning = false
    return Effect.void
  })

  // Who comes to the head does not wait for as long as another had to: whoever comes or leaves has it looked at again.
  const enqueue = (waiter: Waiter): void => {
    queues.get(waiter.priority)?.add(waiter)
    if (isRunning) return sleeper.wake()
    isRunning = true
    Fiber.runIn(fork(run), scope)
  }

  const leave = (waiter: Waiter): void => {
    queues.get(waiter.priority)?.delete(waiter)
    sleeper.wake()
  }

  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => {
      isClosed = true
      for (const queue of queues.values()) {
        const left = [...queue]
        queue.clear()
        for (const { settle } of left) settle(Effect.fail(limited(Infinity)))
      }
    })
  )

  const acquire = (wish: Wish = {}): Effect.Effect<void, RateLimited | InvalidCost> =>
    Effect.suspend((): Effect.Effect<void, RateLimited | InvalidCost> => {
      const { cost = 1, priority = "order", withinMillis = Infinity } = wish
      if (!isCost(cost)) return Effect.fail(new InvalidCost({ key, cost }))
      if (isClosed) return Effect.fail(limited(Infinity))
      const before = head()
      const isFirst = before === undefined || priorities.indexOf(before.priority) > priorities.indexOf(priority)
      const wait = isFirst ? log.take(now(), cost) : log.waitFor(now(), cost)
      if (isFirst && wait === 0) return Effect.void
      if (wait > withinMillis || wait === Infinity || waiting() >= capacity) return Effect.fail(limited(wait))
      const queued = Effect.callback<void, RateLimited>((settle) => {
        const waiter: Waiter = { cost, priority, settle }
        enqueue(waiter)
        return Effect.sync(() => leave(waiter))
      })
      return withinMillis === Infinity ? queued : Effect.timeoutOrElse(queued, {
        duration: withinMillis,
        orElse: () => Effect.suspend(() => Effect.fail(limited(log.waitFor(now(), cost))))
      })
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

// Charges 1 for each, whatever it costs of other limits, and spares nothing.
const counting = (log: RollingLimit): RollingLimit => ({
  take: (at) => log.take(at),
  reserve: (at) => log.reserve(at),
  waitFor: (at) => log.waitFor(at),
  left: (at) => log.left(at)
})

/**
 * The logs that keep the limits of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Of messages, absent where nothing limits them. */
  readonly messages: RollingLimit | undefined
  /** Of what asks for subscriptions, each of which counts 1, and of messages; absent where nothing limits either. */
  readonly asks: RollingLimit | undefined
  readonly dials: RollingLimit
}

/**
 * The logs of a connection without limits.
 *
 * @category constants
 * @since 0.1.0
 */
export const unlimited: Limits = { messages: undefined, asks: undefined, dials: combine([]) }

/**
 * The logs that keep the limits for one connection to an address, each window
 * longer by `transitMillis`, until the scope ends. Those per address are shared
 * through the `Governor` with all who dial it in the same network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const limitsOf = Effect.fnUntraced(function*(
  limits: ReadonlyArray<Limit>,
  address: string,
  network?: object | undefined
): Effect.fn.Return<Limits, InvalidLimit, Scope.Scope> {
  const { share } = yield* Governor
  const logOf = Effect.fnUntraced(function*(
    of: Limit["of"]
  ): Effect.fn.Return<ReadonlyArray<RollingLimit>, InvalidLimit, Scope.Scope> {
    const windowsOf = (per: Limit["per"]): ReadonlyArray<Window> =>
      limits.flatMap((limit) =>
        limit.of === of && limit.per === per && limit.windowMillis !== undefined
          ? [{ limit: limit.limit, windowMillis: limit.windowMillis }]
          : []
      )
    const longer = (windows: ReadonlyArray<Window>): ReadonlyArray<Window> =>
      windows.map(({ limit, windowMillis }) => ({ limit, windowMillis: windowMillis + transitMillis }))
    const own = windowsOf("connection")
    const shared = windowsOf("address")
    const error = invalid([...own, ...shared])
    if (error !== undefined) return yield* error
    return [
      ...(own.length === 0 ? [] : [makeRollingLimit(longer(own))]),
      ...(shared.length === 0 ? [] : [yield* share(`${address} ${of}`, longer(shared), network)])
    ]
  })
  const messages = yield* logOf("messages")
  const asks = [...messages, ...(yield* logOf("subscriptions")).map(counting)]
  return {
    messages: messages.length === 0 ? undefined : combine(messages),
    asks: asks.length === 0 ? undefined : combine(asks),
    dials: combine(yield* logOf("dials"))
  }
})

/**
 * Keeps one budget for each key, such as an address, for everybody who dials or
 * sends to it. What was taken outlives who took it, until its windows have
 * passed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Governor {
  /**
   * The budget of a key. While the scope lives, all who share the key are
   * judged by these windows too, what was taken before included. `network` is
   * the network in which the key is an address, `Transport.network`.
   */
  readonly share: (
    key: string,
    windows: ReadonlyArray<Window>,
    network?: object | undefined
  ) => Effect.Effect<RollingLimit, never, Scope.Scope>
}

// So many keys are kept before it is looked which of them are forgotten.
const keptKeys = 256

/**
 * Makes a governor with nothing taken: one budget for each key, whatever the
 * network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeGovernor = (): Governor => {
  const ledgers = new Map<string, RollingLimitImpl>()
  let sweepAt = keptKeys

  const sweep = (at: number): void => {
    for (const [key, ledger] of ledgers) if (ledger.isForgotten(at)) ledgers.delete(key)
    sweepAt = Math.max(keptKeys, 2 * ledgers.size)
  }

  const ledgerOf = (key: string, at: number): RollingLimitImpl => {
    const known = ledgers.get(key)
    if (known !== undefined) return known
    if (ledgers.size >= sweepAt) sweep(at)
    const ledger = new RollingLimitImpl()
    ledgers.set(key, ledger)
    return ledger
  }

  return {
    share: (key, windows) =>
      Effect.acquireRelease(
        Effect.clockWith((clock) =>
          Effect.sync(() => {
            const ledger = ledgerOf(key, Monotonic.nowMillis(clock))
            ledger.declare(windows)
            return ledger
          })
        ),
        (ledger) => Effect.sync(() => ledger.withdraw(windows))
      )
  }
}

/**
 * A governor that shares nothing: each connection keeps the limits per address
 * for itself alone.
 *
 * @category constants
 * @since 0.1.0
 */
export const unshared: Governor = { share: (_, windows) => Effect.sync(() => makeRollingLimit(windows)) }

// A governor for each network; where a transport names none, for each clock. So those of the live clock are one, and a
// test, which has a clock of its own, shares with no other.
const makePerNetwork = (): Governor => {
  const governors = new WeakMap<object, Governor>()
  const governorOf = (network: object): Governor => {
    const known = governors.get(network)
    if (known !== undefined) return known
    const governor = makeGovernor()
    governors.set(network, governor)
    return governor
  }
  return {
    share: (key, windows, network) => Effect.clockWith((clock) => governorOf(network ?? clock).share(key, windows))
  }
}

/**
 * Who keeps the limits per address. By default they are shared by all that dial
 * an address in one network: by the whole process where the transport names
 * none, by those of one `TestClock` in tests, and by those of one
 * `VirtualNetwork`. Provide `makeGovernor()` to share otherwise, `unshared` to
 * share nothing.
 *
 * @category services
 * @since 0.1.0
 */
export const Governor: Context.Reference<Governor> = Context.Reference("@tickline/core/resilience/RateLimit/Governor", {
  defaultValue: makePerNetwork
})

/**
 * A governor of its own, with nothing taken.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerGovernor: Layer.Layer<never> = Layer.sync(Governor, makeGovernor)
