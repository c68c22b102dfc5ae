/**
 * The workings of a router: which exchanges can take an order, giving it to one
 * after the other, and following what was taken.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectError } from "../../connection/ConnectError.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import { type Exchange, ExchangeError } from "../Exchange.ts"
import type { Instrument } from "../Instrument.ts"
import * as Order from "../Order.ts"
import { type OrderEvent, type OrderUpdate, type Outcome, OutcomeUnknown } from "../OrderEvent.ts"
import * as OrderRequest from "../OrderRequest.ts"
import { NotRouted, RouteCause } from "../RouteError.ts"
import type { ExchangeState, Options, Placement, PlaceOptions, Ranking, Route, Update } from "../Routing.ts"
import * as RoutingStrategy from "../RoutingStrategy.ts"
import type { Storage } from "../Storage.ts"
import type { ClientIdInUse, StorageError } from "../StorageError.ts"
import {
  causeOf,
  heldBack,
  isNothing,
  notWanted,
  type Part,
  reasonOf,
  renamed,
  routeName,
  type Sender,
  symbolOf
} from "./routedOrder.ts"
import { split } from "./splitter.ts"

/** What is known of an exchange's answers. */
interface Answers {
  latencyMillis: number | undefined
  /** Until when it asked to be left alone, on the monotonic clock. */
  patientUntil: number
}

/** How much the latest answer counts in the average. */
const weight = 0.2

const standardDeadline = Duration.seconds(5)

/** A client id of the form that every exchange takes. */
const anyClientId = `0x${"0".repeat(32)}`

/** How long until it is asked for again what became of an order. */
const unknownPause = Duration.seconds(5)

/** How many events a reader may be behind. */
const mostEvents = 16_384

const isUnavailable = ({ reason }: RouteCause): boolean => reason === "Unavailable" || reason === "NotSent"

/**
 * A router's workings.
 *
 * @category models
 * @since 0.1.0
 */
export class Router implements Sender {
  readonly recovered: Effect.Effect<void>
  readonly updates: Effect.Effect<Stream.Stream<Update>, never, Scope.Scope>
  readonly events: Stream.Stream<OrderEvent>
  private readonly options: Options
  private readonly storage: Storage["Service"]
  private readonly scope: Scope.Scope
  private readonly clock: Clock.Clock
  private readonly published: PubSub.PubSub<Update>
  private readonly answers = new Map<string, Answers>()
  private readonly instruments = new Map<string, Instrument>()
  private readonly parts = new Map<string, Array<Part>>()
  private readonly unwound = new Map<string, ReadonlyArray<Part>>()
  private readonly placing = new Map<string, Deferred.Deferred<Placement, NotRouted | StorageError>>()
  // Cancels are counted: each is of what was given before it. Of each order the last one, and under `undefined` of all.
  private cancels = 0
  private readonly cancelled = new Map<string | undefined, number>()
  private turn = 0

  private constructor(
    options: Options,
    storage: Storage["Service"],
    made: {
      readonly scope: Scope.Scope
      readonly clock: Clock.Clock
      readonly published: PubSub.PubSub<Update>
      readonly recovered: Deferred.Deferred<void>
    }
  ) {
    this.options = options
    this.storage = storage
    this.scope = made.scope
    this.clock = made.clock
    this.published = made.published
    this.updates = Effect.map(PubSub.subscribe(made.published), Stream.fromSubscription)
    this.events = Stream.map(Stream.fromPubSub(made.published), ({ event }) => event)
    this.recovered = Deferred.await(made.recovered)
    for (const route of options.routes) {
      this.answers.set(routeName(route), { latencyMillis: undefined, patientUntil: 0 })
    }
  }

  static make = Effect.fnUntraced(function*(
    options: Options,
    storage: Storage["Service"]
  ): Effect.fn.Return<Router, StorageError, Scope.Scope> {
    const recovered = yield* Deferred.make<void>()
    const router = new Router(options, storage, {
      scope: yield* Effect.scope,
      clock: yield* Clock.Clock,
      published: yield* PubSub.sliding<Update>(mostEvents),
      recovered
    })
    yield* Effect.forEach(options.routes, ({ exchange }) => Effect.forkScoped(exchange.connect), { discard: true })
    yield* router.recover(recovered)
    return router
  })

  /** The parts of an order, as far as this process has placed or recovered them. */
  partsOf(clientId: string): ReadonlyArray<Part> {
    return this.parts.get(clientId) ?? []
  }

  readonly nameOf = (exchange: string, symbol: string): string =>
    this.routeOf(exchange)?.symbols?.nameOf(symbol) ?? symbol

  readonly openAt = (exchange: Exchange["Service"]): Effect.Effect<ReadonlyArray<OrderUpdate>, ExchangeError> =>
    Effect.flatMap(Stream.runCollect(exchange.open()), (events) => {
      const failed = events.find((event) => event._tag !== "OrderUpdate")
      return failed === undefined
        ? Effect.succeed(events.filter((event) => event._tag === "OrderUpdate"))
        : Effect.fail(
          new ExchangeError({
            exchange: exchange.name,
            reason: failed._tag === "Rejected" ? "Refused" : "Unreachable",
            detail: "reason" in failed ? failed.reason : failed._tag
          })
        )
    })

  settled(clientId: string): Effect.Effect<ReadonlyArray<Order.Order>> {
    return Effect.suspend(() => {
      const parts = this.partsOf(clientId)
      return Effect.as(
        Effect.forEach(parts, ({ done }) => Deferred.await(done), { discard: true }),
        parts
      )
    }).pipe(Effect.map((parts) => parts.map(({ order }) => order)))
  }

  get states(): Effect.Effect<ReadonlyArray<ExchangeState>> {
    return Effect.forEach(this.options.routes, (route) =>
      Effect.map(route.exchange.health.current, (health) => {
        const exchange = routeName(route)
        const reason = reasonOf(health) ?? this.patienceOf(exchange)
        const { latencyMillis } = this.answers.get(exchange) ?? {}
        return { exchange, health, isAvailable: reason === undefined, reason, latencyMillis }
      }))
  }

  private now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  private patienceOf(exchange: string): string | undefined {
    const left = (this.answers.get(exchange)?.patientUntil ?? 0) - this.now()
    return left > 0 ? `it asked to be left alone for ${Math.ceil(left)} ms more` : undefined
  }

  /** Whether a route can take an order now: as a candidate, or why not. */
  private readonly candidate = Effect.fnUntraced(function*(
    this: Router,
    route: Route,
    request: OrderRequest.OrderRequest
  ): Effect.fn.Return<RoutingStrategy.Candidate | RouteCause> {
    const { acceptsUnverified = false, book, exchange, fees } = route
    const name = routeName(route)
    const cause = (reason: RouteCause["reason"], detail: string) => new RouteCause({ exchange: name, reason, detail })
    const reason = reasonOf(yield* exchange.health.current) ?? this.patienceOf(name)
    if (reason !== undefined) return cause("Unavailable", reason)
    const product = symbolOf(route, request.product)
    if (product === undefined) return cause("NotListed", `it has no ${request.product}`)
    const lacking = exchange.lacks({ ...request, product, clientId: anyClientId })
    if (lacking !== undefined) return cause("Unsupported", lacking)
    const { latencyMillis } = this.answers.get(name) ?? {}
    if (book === undefined) return { exchange: name, fees, book: undefined, latencyMillis }
    const now = yield* book(product)
    return now?._tag === "Live" || (acceptsUnverified && now?._tag === "Unverified")
      ? { exchange: name, fees, book: now, latencyMillis }
      : cause("Unavailable", `its book of ${product} is not live`)
  })

  readonly candidates = (request: OrderRequest.OrderRequest): Effect.Effect<ReadonlyArray<RoutingStrategy.Candidate>> =>
    Effect.map(this.rank(request, RoutingStrategy.split), ({ candidates }) => candidates)

  readonly rank = Effect.fnUntraced(function*(
    this: Router,
    request: OrderRequest.OrderRequest,
    strategy: RoutingStrategy.RoutingStrategy = this.options.strategy
  ): Effect.fn.Return<Ranking> {
    const usable: Array<RoutingStrategy.Candidate> = []
    const causes: Array<RouteCause> = []
    for (const route of this.options.routes) {
      const found = yield* this.candidate(route, request)
      if (!(found instanceof RouteCause)) usable.push(found)
      else if (RoutingStrategy.mayUse(RoutingStrategy.of(strategy, request.product), found.exchange)) causes.push(found)
    }
    return { candidates: RoutingStrategy.rank(strategy, request, usable, this.turn), causes }
  }).bind(this)

  readonly instrument = (route: Route, product: string): Effect.Effect<Instrument, ExchangeError> =>
    Effect.suspend(() => {
      const key = `${routeName(route)} ${product}`
      const known = this.instruments.get(key)
      return known !== undefined
        ? Effect.succeed(known)
        : Effect.tap(
          route.exchange.instrument(product),
          (instrument) => Effect.sync(() => this.instruments.set(key, instrument))
        )
    })

  readonly instrumentAt = (exchange: string, name: string): Effect.Effect<Instrument, ExchangeError> => {
    const route = this.routeOf(exchange)
    const product = route === undefined ? undefined : symbolOf(route, name)
    return route === undefined || product === undefined
      ? Effect.fail(new ExchangeError({ exchange, reason: "Refused", detail: `it has no ${name}` }))
      : this.instrument(route, product)
  }

  readonly routeOf = (exchange: string): Route | undefined =>
    this.options.routes.find((route) => routeName(route) === exchange)

  readonly decide = (
    kind: string,
    clientId: string,
    reason: string,
    exchange?: string
  ): Effect.Effect<void, StorageError> => this.storage.decide({ kind, clientId, reason, exchange })

  readonly send = Effect.fnUntraced(function*(
    this: Router,
    route: Route,
    request: OrderRequest.OrderRequest,
    { deadline, isWanted, of }: Parameters<Sender["send"]>[2]
  ): Effect.fn.Return<Part, ClientIdInUse | StorageError> {
    const { exchange } = route
    const name = routeName(route)
    const millis = Duration.toMillis(deadline)
    const due = Timestamp.fromEpochMillis(Math.ceil((yield* Clock.currentTimeMillis) + millis))
    const intent = yield* this.storage.intend(name, request, { asked: of, due })
    let writtenAt: number | undefined
    const commands = !intent.isNew
      ? exchange.resume(intent.order, { due })
      : isWanted()
      ? exchange.place(request, { deadline, follow: true, onWrite: () => void (writtenAt = this.now()) })
      : Stream.succeed(heldBack(name, request))
    return yield* this.follow({ due, route, of: of.clientId, order: intent.order }, commands, (outcome) => {
      const answers = this.answers.get(name)
      if (answers === undefined || outcome._tag === "OutcomeUnknown" || outcome._tag === "Reconciled") return
      if (writtenAt !== undefined) {
        const took = this.now() - writtenAt
        answers.latencyMillis = (answers.latencyMillis ?? took) * (1 - weight) + took * weight
      }
      if (outcome._tag === "Rejected" && outcome.retryAfterMillis !== undefined) {
        answers.patientUntil = this.now() + outcome.retryAfterMillis
      }
    })
  }).bind(this)

  private follow(
    { due, of, order, route }: Pick<Part, "of" | "order" | "route"> & { readonly due: Timestamp.Timestamp },
    commands: Stream.Stream<OrderEvent, ConnectError>,
    onOutcome: (outcome: Outcome) => void
  ): Effect.Effect<Part> {
    const part: Part = {
      route,
      of,
      order,
      outcome: Deferred.makeUnsafe(),
      done: Deferred.makeUnsafe()
    }
    this.parts.set(of, [...this.partsOf(of), part])
    const { clientId } = order.request
    let last = order.outcome
    const name = routeName(route)
    const take = Effect.fnUntraced(function*(this: Router, said: OrderEvent) {
      if (said._tag === "CancelledAll") return
      const event = renamed(said, name)
      if (Order.allows(part.order, event)) part.order = Order.transition(part.order, event)
      // What was said is true, whether or not it can be stored now.
      yield* Effect.catch(
        Effect.asVoid(this.storage.append(name, clientId, event)),
        ({ message }) => Effect.annotateLogs(Effect.logError(`not stored: ${message}`), { clientId })
      )
      const update: Update = { of, order: part.order, event }
      this.options.observe?.(update)
      yield* PubSub.publish(this.published, update)
      if (event._tag === "Fill" || event._tag === "OrderUpdate") return
      last = event
      onOutcome(event)
      if (event._tag !== "OutcomeUnknown") Deferred.doneUnsafe(part.outcome, Effect.succeed(event))
    }).bind(this)
    // Whoever follows it may fail in a way that nobody foresaw: then nobody knows, and it is asked for.
    const failed = (defect: unknown): Effect.Effect<boolean> => {
      const reason = `following it failed: ${defect instanceof Error ? defect.message : String(defect)}`
      return Effect.logError(reason).pipe(
        Effect.annotateLogs({ clientId }),
        Effect.andThen(
          last === undefined ? take(new OutcomeUnknown({ exchange: name, clientId, reason })) : Effect.void
        ),
        Effect.as(true)
      )
    }
    const run = (commands: Stream.Stream<OrderEvent, ConnectError>): Effect.Effect<void, ConnectError> =>
      Stream.runForEach(commands, take).pipe(
        Effect.as(false),
        Effect.catchDefect(failed),
        Effect.flatMap((isBroken) => {
          const isUnknown = last?._tag === "OutcomeUnknown"
          if (!isUnknown && !isBroken) return Effect.void
          // Whoever waits for it is told that nobody knows; it is asked for until somebody does.
          if (isUnknown && last !== undefined) Deferred.doneUnsafe(part.outcome, Effect.succeed(last))
          return Effect.delay(Effect.suspend(() => run(route.exchange.resume(part.order, { due }))), unknownPause)
        })
      )
    const followed = run(commands).pipe(
      Effect.catch(({ message }) =>
        Effect.annotateLogs(Effect.logError(`not followed any more: ${message}`), { clientId })
      ),
      Effect.ensuring(Effect.sync(() => {
        const { exchange } = part.order
        const outcome = last ?? new OutcomeUnknown({ exchange, clientId, reason: "nothing was heard of it" })
        Deferred.doneUnsafe(part.outcome, Effect.succeed(outcome))
        Deferred.doneUnsafe(part.done, Effect.void)
      }))
    )
    return Effect.as(Effect.forkIn(followed, this.scope, { startImmediately: true }), part)
  }

  readonly place = (
    request: OrderRequest.OrderRequest,
    options: PlaceOptions = {}
  ): Effect.Effect<Placement, NotRouted | ClientIdInUse | StorageError> =>
    Effect.gen({ self: this }, function*() {
      const { clientId } = request
      const { cancels } = this
      const isWanted = () => [undefined, clientId].every((of) => (this.cancelled.get(of) ?? 0) <= cancels)
      const claim = yield* this.storage.claim(request)
      const running = this.placing.get(clientId)
      if (running !== undefined) return yield* Deferred.await(running)
      if (!claim.isFirst) {
        const taken = claim.orders.filter(({ status }) => status !== "absent" && status !== "rejected")
        if (taken.length > 0) return this.placement(request, taken, [])
      }
      const placed = yield* Deferred.make<Placement, NotRouted | StorageError>()
      this.placing.set(clientId, placed)
      const isAgain = claim.orders.length > 0
      // It goes on if whoever waits for it goes: what was sent has to be followed.
      yield* Effect.forkIn(
        this.route(request, options, isAgain, isWanted).pipe(
          Effect.ensuring(Effect.sync(() => this.placing.delete(clientId))),
          Effect.catchTag("ClientIdInUse", (error) => Effect.die(error)),
          Effect.exit,
          Effect.tap((exit) => Deferred.done(placed, exit))
        ),
        this.scope,
        { startImmediately: true }
      )
      return yield* Deferred.await(placed)
    })

  /** Nothing of an order that has been given by now, or of any, is sent any more. Gives whether it is being routed. */
  cancelRouting(clientId?: string): boolean {
    this.cancelled.set(clientId, ++this.cancels)
    return clientId !== undefined && this.placing.has(clientId)
  }

  private placement(
    request: OrderRequest.OrderRequest,
    parts: ReadonlyArray<Order.Order>,
    causes: ReadonlyArray<RouteCause>
  ): Placement {
    const unwound = this.unwound.get(request.clientId) ?? []
    return {
      request,
      parts,
      unwound: unwound.map(({ order }) => order),
      causes,
      isDegraded: causes.some(isUnavailable)
    }
  }

  private readonly route = Effect.fnUntraced(function*(
    this: Router,
    request: OrderRequest.OrderRequest,
    options: PlaceOptions,
    isAgain: boolean,
    isWanted: () => boolean
  ): Effect.fn.Return<Placement, NotRouted | ClientIdInUse | StorageError> {
    const { clientId } = request
    const strategy = RoutingStrategy.of(options.strategy ?? this.options.strategy, request.product)
    const fallback = options.fallback ?? this.options.fallback ?? "not-taken"
    const deadline = Duration.fromInputUnsafe(options.deadline ?? this.options.deadline ?? standardDeadline)
    const { candidates, causes } = yield* this.rank(request, strategy)
    this.turn++
    const reasons = causes.map(({ detail, exchange }) => `${exchange}: ${detail}`)
    yield* this.decide(
      "route",
      clientId,
      [`${strategy._tag}: ${candidates.map(({ exchange }) => exchange).join(", ") || "none"}`, ...reasons].join("; ")
    )
    if (strategy._tag === "Split" && request.timeInForce !== "post-only") {
      const { causes: met, parts, unwound } = yield* split(this, request, { deadline, candidates, isWanted })
      this.unwound.set(clientId, unwound)
      const all = [...causes, ...met]
      if (parts.length === 0) return yield* new NotRouted({ clientId, causes: all })
      return this.placement(request, parts.map(({ order }) => order), all)
    }
    const passed = [...causes]
    let last: RouteCause | undefined
    let isFirst = !isAgain
    for (const { exchange } of candidates) {
      const route = this.routeOf(exchange)
      const product = route === undefined ? undefined : symbolOf(route, request.product)
      if (route === undefined || product === undefined) continue
      if (!isWanted()) {
        passed.push(notWanted(exchange))
        break
      }
      if (last !== undefined) yield* this.decide("fallback", clientId, last.detail, last.exchange)
      const own = new OrderRequest.OrderRequest({ ...request, product })
      // An id that an exchange has seen means that order there, and not every exchange takes every form of one.
      const child = isFirst && route.exchange.lacks(own) === undefined
        ? own
        : new OrderRequest.OrderRequest({ ...own, clientId: yield* OrderRequest.clientId })
      isFirst = false
      const part = yield* this.send(route, child, { of: request, deadline, isWanted })
      const outcome = yield* Deferred.await(part.outcome)
      if (!isNothing(outcome)) return this.placement(request, [part.order], passed)
      passed.push(last = causeOf(exchange, outcome))
      const mayGoOn = fallback === "not-taken" || (fallback === "not-sent" && outcome._tag === "NotSent")
      if (!mayGoOn || last.reason === "Cancelled") break
    }
    return yield* new NotRouted({ clientId, causes: passed })
  }).bind(this)

  /** Goes on with what may still be at an exchange. */
  private recover(recovered: Deferred.Deferred<void>): Effect.Effect<void, StorageError> {
    return Stream.runCollect(this.storage.orders({ only: "unsettled" })).pipe(
      Effect.flatMap((found) =>
        Effect.forEach(found, ({ due, of, value: order }) => {
          const route = this.routeOf(order.exchange)
          if (route === undefined) {
            return Effect.as(
              Effect.annotateLogs(Effect.logWarning("an order is open at an exchange that has no route"), {
                exchange: order.exchange,
                clientId: order.request.clientId
              }),
              []
            )
          }
          const commands = route.exchange.resume(order, { due })
          return Effect.map(this.follow({ due, route, of, order }, commands, () => undefined), (part) => {
            // Its outcome was known before.
            if (order.outcome !== undefined && order.outcome._tag !== "OutcomeUnknown") {
              Deferred.doneUnsafe(part.outcome, Effect.succeed(order.outcome))
            }
            return [part]
          })
        })
      ),
      Effect.flatMap((parts) =>
        Effect.forkIn(
          Effect.forEach(parts.flat(), ({ outcome }) => Deferred.await(outcome), { discard: true }).pipe(
            Effect.andThen(Deferred.succeed(recovered, undefined))
          ),
          this.scope
        )
      ),
      Effect.asVoid
    )
  }
}
