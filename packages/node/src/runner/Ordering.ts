/**
 * `tickline order`: one command at an exchange, what is said of it, and the exit
 * code that says the same.
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { AmbiguousClientId, CommandOptions, Exchange, OrderName } from "@tickline/core/trading/Exchange"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as NodeHttp from "../NodeHttp.ts"
import * as NodeTransport from "../NodeTransport.ts"
import { type Making, type OrderExchange, policy } from "./exchange/OrderExchange.ts"
import { Host, type OutputClosed } from "./Host.ts"
import * as OrderLines from "./OrderLines.ts"
import type { Format } from "./Output.ts"
import { jsonLine } from "./Output.ts"
import * as Policy from "./Policy.ts"
import { exitCodes, RunFailed, Unsuccessful, UsageError } from "./RunnerError.ts"
import { paint as makePaint } from "./Style.ts"

/**
 * What is done.
 *
 * @category models
 * @since 0.1.0
 */
export type Task =
  | {
    readonly _tag: "Place"
    readonly terms: ConstructorParameters<typeof OrderRequest>[0]
    readonly follow: boolean
  }
  | {
    readonly _tag: "Amend"
    readonly name: OrderName
    readonly terms: { readonly price: Decimal.Decimal | undefined; readonly amount: Decimal.Decimal | undefined }
  }
  | { readonly _tag: "Cancel" | "Status"; readonly name: OrderName }
  | { readonly _tag: "CancelAll" | "List"; readonly product: string | undefined }

/**
 * What is done, where, and until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly task: Task
  readonly format: Format
  /** What events call the exchange, and how it is made. */
  readonly name: string
  readonly state: string | undefined
  readonly make: (making: Making) => ReturnType<OrderExchange<{}>["make"]>
  /** When the command began, on the monotonic clock, and how long it has from then. */
  readonly startedAt: number
  readonly deadline: Duration.Duration
}

type Failure = RunFailed | UsageError

const ambiguous = ({ clientId, orderIds }: AmbiguousClientId): UsageError =>
  new UsageError({
    key: "--client-id",
    value: clientId,
    expected: `the client id of one order, which ${orderIds.length} bear: ${orderIds.join(", ")}`
  })

const commandOf = (
  exchange: Exchange["Service"],
  task: Task,
  options: CommandOptions
): Stream.Stream<OrderEvent.OrderEvent, Failure> => {
  switch (task._tag) {
    case "Place": {
      const { clientId, timeInForce, type } = task.terms
      if (type === "market" && timeInForce === "post-only") {
        const reason = "a market order cannot be post-only"
        return Stream.make(new OrderEvent.NotSent({ exchange: exchange.name, clientId, reason }))
      }
      return Stream.mapError(
        exchange.place(new OrderRequest(task.terms), { ...options, follow: task.follow }),
        ({ message }) => new RunFailed({ detail: message })
      )
    }
    case "Amend":
      return exchange.amend(task.name, task.terms, options).pipe(
        // The order is as it was: its reconciliation says how, and the log says why.
        Stream.catchTag("NotAmended", ({ message }) => Stream.fromEffectDrain(Effect.logWarning(message))),
        Stream.mapError(ambiguous)
      )
    case "Cancel":
      return Stream.mapError(exchange.cancel(task.name, options), ambiguous)
    case "CancelAll":
      return exchange.cancelAll({ ...options, product: task.product })
    case "Status":
      return exchange.status(task.name, options)
    case "List":
      return exchange.open({ ...options, product: task.product })
  }
}

/** What has been said of a command so far. */
class Outcomes {
  private readonly task: Task
  // What is not known, by the ids that it was said with.
  private readonly unknown = new Set<string>()
  private hasFailed = false
  private hasOutcome = false

  constructor(task: Task) {
    this.task = task
  }

  observe(event: OrderEvent.OrderEvent): void {
    if (this.task._tag !== "CancelAll" || event._tag === "CancelledAll" || event._tag === "NotSent") {
      this.hasOutcome = true
    }
    switch (event._tag) {
      case "OutcomeUnknown":
        this.unknown.add(event.orderId ?? event.clientId ?? "")
        break
      case "NotSent":
      case "Rejected":
        this.hasFailed = true
        break
      case "Reconciled":
        this.unknown.delete(event.orderId ?? "")
        this.unknown.delete(event.clientId ?? "")
        if (event.status === "absent" || event.status === "rejected") this.hasFailed = true
        break
      case "OrderUpdate":
        if (event.status === "absent") this.hasFailed = true
        break
      case "CancelledAll":
        this.unknown.delete("")
        break
    }
  }

  /** Whether nothing has been said that a signal may end it with. */
  get isOpen(): boolean {
    return !this.hasOutcome && this.unknown.size === 0
  }

  get code(): number {
    return this.unknown.size > 0 ? exitCodes.unknown : this.hasFailed ? exitCodes.failed : exitCodes.done
  }
}

const idsOf = (task: Task): { readonly clientId?: string; readonly orderId?: string } => {
  switch (task._tag) {
    case "Place":
      return { clientId: task.terms.clientId }
    case "CancelAll":
    case "List":
      return {}
    default:
      return task.name.orderId === undefined ? { clientId: task.name.clientId } : { orderId: task.name.orderId }
  }
}

/**
 * Runs the command: until its outcome or, if it is followed, until the order is
 * over. A signal ends it: before its outcome as `OutcomeUnknown`, or as `NotSent`
 * where nothing has left yet.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  options: Options
): Effect.Effect<void, UsageError | RunFailed | OutputClosed | Unsuccessful, Host> =>
  Effect.gen(function*() {
    const { env, signal, stdout } = yield* Host
    const { deadline, format, make, name: exchangeName, startedAt, state, task } = options
    const reconnection = yield* Policy.overEnvironment(policy, env)
    const outcomes = new Outcomes(task)
    const paint = makePaint(stdout.hasColor)
    let isWritten = false

    const print = (event: OrderEvent.OrderEvent): Effect.Effect<void, OutputClosed> => {
      outcomes.observe(event)
      return stdout.write(
        format === "ndjson" ? jsonLine(OrderEvent.toJson(event), stdout) : `${OrderLines.line(paint, event)}\n`
      )
    }

    const carryOut = Effect.gen(function*() {
      const exchange = yield* make({ env, follows: task._tag === "Place" && task.follow, state })
      const left = Duration.toMillis(deadline) - ((yield* Monotonic.now) - startedAt)
      yield* Stream.runForEach(
        commandOf(exchange, task, {
          deadline: Math.max(0, left),
          onWrite: () => {
            isWritten = true
          }
        }),
        print
      )
    })

    const stopped = Effect.flatMap(signal, (name) => {
      if (!outcomes.isOpen) return Effect.void
      const ids = { exchange: exchangeName, ...idsOf(task), reason: `ended by ${name}` }
      return print(isWritten ? new OrderEvent.OutcomeUnknown(ids) : new OrderEvent.NotSent(ids))
    })

    yield* Effect.scoped(Effect.raceAllFirst([carryOut, stopped, stdout.closed])).pipe(
      Effect.provide(Layer.mergeAll(NodeTransport.layer, NodeHttp.layer, Reconnection.layerWithBreaker(reconnection)))
    )
    if (outcomes.code !== exitCodes.done) return yield* new Unsuccessful({ code: outcomes.code })
  })
