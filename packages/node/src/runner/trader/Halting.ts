/**
 * `tickline halt`: everything is cancelled, and a trader places nothing more until
 * it is cleared. A trader that runs is asked over its pages; where none does, it is
 * done here.
 *
 * @since 0.1.0
 */
import * as Order from "@tickline/core/trading/Order"
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import type * as Routing from "@tickline/core/trading/Routing"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import type { StorageError } from "@tickline/core/trading/StorageError"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../../NodeTransport.ts"
import { Host, type OutputClosed } from "../Host.ts"
import type { Format } from "../Output.ts"
import * as Policy from "../Policy.ts"
import { exitCodes, RunFailed, Unsuccessful, UsageError } from "../RunnerError.ts"
import * as ServiceConfig from "../ServiceConfig.ts"
import { counted } from "../Style.ts"
import * as Token from "../Token.ts"
import * as History from "./History.ts"
import * as OrderOutput from "./OrderOutput.ts"
import * as OtherOrders from "./OtherOrders.ts"
import * as TraderControl from "./TraderControl.ts"
import * as Trading from "./Trading.ts"

/**
 * Which trader, and whether it is cleared in place of being halted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The file of its configuration. */
  readonly config: string
  readonly clear: boolean
  readonly format: Format
}

/** How long it is tried until nothing is open, or until a trader that begins or ends has done so. */
const mostMillis = 10_000
const pause = "500 millis"

const failed = ({ message }: { readonly message: string }): RunFailed => new RunFailed({ detail: message })

const isHalted = (storage: Storage["Service"]): Effect.Effect<boolean, StorageError> =>
  Effect.map(Stream.runCollect(storage.decisions()), (decisions) => {
    const last = decisions.findLast(({ value: { kind } }) => kind === "halt" || kind === "clear")
    return last?.value.kind === "halt"
  })

/** Cancels everything at exchanges that are not of this process, and finds out what became of what was open there. */
const cancelAll = Effect.fnUntraced(function*(
  routes: ReadonlyArray<Routing.Route>,
  storage: Storage["Service"]
): Effect.fn.Return<TraderControl.Halted, StorageError, Scope.Scope> {
  const cancelled: Array<OrderEvent.OrderUpdate> = []
  if (routes.length === 0) return new TraderControl.Halted({ cancelled, open: [], failures: [] })
  const observe = ({ event, order }: Routing.Update) => {
    if (event._tag === "OrderUpdate" && event.status === "cancelled") cancelled.push(Order.toUpdate(order))
  }
  const router = yield* Effect.provideService(
    OrderRouter.make({ routes, strategy: RoutingStrategy.priority(), observe }),
    Storage,
    storage
  )
  const before = yield* OtherOrders.open(router)
  const said: Array<OrderEvent.OrderEvent> = []
  const attempt = Effect.gen(function*() {
    said.push(...yield* Stream.runCollect(router.cancelAll))
    const { byExchange, failures } = yield* Effect.catch(
      router.open,
      ({ failures }) => Effect.succeed({ byExchange: new Map<string, never>(), failures })
    )
    const known = yield* Trading.openOrders(storage)
    return { open: [...byExchange.values()].flat(), failures, known }
  })
  const until = (yield* Monotonic.now) + mostMillis
  const { failures, known, open } = yield* Effect.repeat(attempt, {
    schedule: Schedule.spaced(pause),
    while: ({ failures, known, open }) =>
      Effect.map(
        Monotonic.now,
        (now) => now < until && (open.length > 0 || failures.length > 0 || known.length > 0)
      )
  })
  const places = new Set(routes.map(({ name }) => name))
  const unknown = known.filter(({ value }) => places.has(value.exchange))
  return new TraderControl.Halted({
    cancelled: [
      ...cancelled,
      ...yield* OtherOrders.cancelled(routes, [...before, ...OtherOrders.named(said)], cancelled)
    ],
    open: open.length > 0 ? open : unknown.map(({ value }) => Order.toUpdate(value)),
    failures: failures.map(({ message }) => message)
  })
})

/** Halts or clears a trader that does not run. */
const here = Effect.fnUntraced(function*(
  service: ServiceConfig.ServiceConfig,
  opened: Trading.Opened,
  { clear }: Options,
  env: Host["Service"]["env"]
): Effect.fn.Return<TraderControl.Halted, UsageError | RunFailed, Scope.Scope | Transport> {
  const { said, storage } = opened
  const wasHalted = yield* Effect.mapError(isHalted(storage), failed)
  const decided = (kind: "halt" | "clear", reason: string) => Effect.mapError(storage.decide({ kind, reason }), failed)
  if (clear) {
    if (wasHalted) yield* decided("clear", "cleared")
    return new TraderControl.Halted({ cancelled: [], open: [], failures: [] })
  }
  if (!wasHalted) yield* decided("halt", "halted by command, while it did not run")
  const ended: Array<OrderEvent.OrderUpdate> = []
  // What was open at an exchange that has ended with its process.
  for (const { _tag, clientId = "", exchange } of said) {
    if (_tag !== "Reconciled") continue
    const order = yield* Effect.mapError(storage.order(exchange, { clientId }), failed)
    if (order?.status === "cancelled") ended.push(Order.toUpdate(order))
  }
  const routes = yield* Trading.routesOf({ service, opened, env, served: new Map() })
  const halted = yield* Effect.mapError(cancelAll(routes, storage), failed)
  return new TraderControl.Halted({ ...halted, cancelled: [...ended, ...halted.cancelled] })
})

const halting = Effect.fnUntraced(function*(options: Options) {
  const { env, stderr, stdout } = yield* Host
  const text = yield* Policy.readFile(options.config)
  const service = yield* Effect.mapError(ServiceConfig.parse(text, env), (error) => error.in(options.config))
  const { http, trader } = service
  if (trader === undefined) {
    return yield* new UsageError({ key: "trader", expected: "[trader], to halt it" }).in(options.config)
  }
  const token = yield* Token.read(env, Token.variable)

  const command = options.clear ? "clear" : "halt"
  // Whoever has the history is asked; where nobody has it, nobody trades.
  const once = Effect.gen(function*() {
    const opened = yield* Effect.result(Trading.open(trader))
    if (Result.isSuccess(opened)) return yield* here(service, opened.success, options, env)
    if (opened.failure._tag !== "HistoryInUse") return yield* opened.failure
    if (http === undefined || http.port === 0) {
      return yield* new RunFailed({
        detail: "a trader runs with this history, and [http] has no fixed port to ask it at"
      })
    }
    return yield* TraderControl.ask(TraderControl.addressOf(http), command, token)
  }).pipe(Effect.scoped)
  const { cancelled, failures, open } = yield* Effect.retry(once, {
    schedule: Schedule.upTo(Schedule.spaced(pause), { duration: mostMillis }),
    while: ({ _tag }) => _tag === "TraderNotReached"
  }).pipe(
    Effect.catchTag(
      "TraderNotReached",
      ({ message }) =>
        Effect.fail(new RunFailed({ detail: `a trader runs with ${History.nameOf(trader.history)}, and ${message}` }))
    )
  )

  const output = yield* OrderOutput.make({ format: options.format, isSilent: () => false, stdout })
  cancelled.forEach(output.say)
  yield* output.end
  if (options.clear) return stderr.writeUnsafe("cleared\n")
  const left = open.length === 0 ? "none is open" : `${counted(open.length, "order")} open still`
  stderr.writeUnsafe(`halted: ${counted(cancelled.length, "order")} cancelled, ${left}\n`)
  for (const { clientId = "", exchange, orderId = "", status } of open) {
    yield* Effect.annotateLogs(Effect.logError("open"), { exchange, clientId, orderId, status })
  }
  for (const failure of failures) yield* Effect.annotateLogs(Effect.logError("not cancelled"), { error: failure })
  if (open.length > 0 || failures.length > 0) return yield* new Unsuccessful({ code: exitCodes.failed })
})

/**
 * Runs the command.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  options: Options
): Effect.Effect<void, UsageError | RunFailed | Unsuccessful | OutputClosed, Host> =>
  Effect.flatMap(Host, ({ signal }) =>
    Effect.raceFirst(
      Effect.scoped(halting(options)),
      Effect.flatMap(signal, (name) =>
        Effect.fail(new RunFailed({ detail: `ended by ${name}: what is open is not known` })))
    )).pipe(Effect.provide(NodeTransport.layer))
