/**
 * The command `tickline order`: an exchange, what is done there, and its flags.
 *
 * @since 0.1.0
 */
import type { OrderName } from "@tickline/core/trading/Exchange"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { coinbase } from "./exchange/CoinbaseOrders.ts"
import { deribit } from "./exchange/DeribitOrders.ts"
import { dydx } from "./exchange/DydxOrders.ts"
import { hyperliquid } from "./exchange/HyperliquidOrders.ts"
import type { OrderExchange } from "./exchange/OrderExchange.ts"
import { paper } from "./exchange/PaperOrders.ts"
import { durationFlag, running, switchFlag } from "./internal/flags.ts"
import type * as Ordering from "./Ordering.ts"
import { UsageError } from "./RunnerError.ts"

const product = Flag.String("product").pipe(
  Flag.withDescription("Product, by the exchange's own symbol")
)

const decimal = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => Option.filter(Option.fromUndefinedOr(Decimal.parse(text)), Decimal.isPositive),
      () => "a decimal number above zero, such as 0.05"
    ),
    Flag.withMetavar("decimal"),
    Flag.withDescription(description)
  )

/** How long a command has, and where what outlives it is kept. */
const given = {
  deadline: durationFlag(
    "deadline",
    "How long it has, from its start until its answer is there; 5 s by default"
  ).pipe(Flag.withDefault(Duration.seconds(5))),
  state: Flag.String("state").pipe(
    Flag.withMetavar("folder"),
    Flag.withDescription(
      "Where what must survive a restart is kept; by default TICKLINE_STATE or ~/.local/state/tickline"
    ),
    Flag.optional
  )
}

const nameOf = (
  { clientId, order }: { readonly order: Option.Option<string>; readonly clientId: Option.Option<string> }
): Effect.Effect<OrderName, UsageError> => {
  if (Option.isSome(order) === Option.isSome(clientId)) {
    return Effect.fail(new UsageError({ key: "--order, --client-id", expected: "one of the two" }))
  }
  return Effect.succeed(
    Option.isSome(order) ? { orderId: order.value } : { clientId: Option.getOrElse(clientId, () => "") }
  )
}

const terms = {
  price: decimal("price", "Price").pipe(Flag.optional),
  amount: decimal("amount", "Whole new amount, what is filled included").pipe(Flag.optional)
}

/** The commands of an exchange. */
const commandsOf = <const Flags extends Command.Command.Config>(exchange: OrderExchange<Flags>) => {
  const clientId = (description: string) =>
    Flag.String("client-id").pipe(
      Flag.filterMap(
        (text) => exchange.clientId.accepts(text) ? Option.some(text) : Option.none(),
        () => exchange.clientId.expected
      ),
      Flag.withMetavar("id"),
      Flag.withDescription(description),
      Flag.optional
    )

  const byName = {
    order: Flag.String("order").pipe(
      Flag.withMetavar("id"),
      Flag.withDescription("The order, by the exchange's id"),
      Flag.optional
    ),
    clientId: clientId("The order, by the id that it was placed with")
  }

  const run = <E>(
    { account, deadline, state }: {
      readonly account: Command.Command.Config.InferValue<Flags>
      readonly deadline: Duration.Duration
      readonly state: Option.Option<string>
    },
    task: Effect.Effect<Ordering.Task, E>
  ) =>
    running(({ format }) =>
      Effect.gen(function*() {
        const startedAt = yield* Monotonic.now
        const given = yield* task
        const Ordering = yield* Effect.promise(() => import("./Ordering.ts"))
        yield* Ordering.run({
          task: given,
          format,
          startedAt,
          deadline,
          name: exchange.name,
          state: Option.getOrUndefined(state),
          make: (making) => exchange.make(account, making)
        })
      })
    )

  const placing = Command.make(
    "place",
    {
      product,
      side: Flag.Literals("side", ["buy", "sell"]).pipe(Flag.withDescription("buy or sell")),
      amount: decimal(
        "amount",
        "Amount in the base asset; of inverse instruments in US dollars, as the exchange has it"
      ),
      price: decimal("price", "Price of a limit order").pipe(Flag.optional),
      type: Flag.Literals("type", OrderRequest.OrderType.literals).pipe(
        Flag.withDefault<OrderRequest.OrderType>("limit"),
        Flag.withDescription("limit, the default, or market")
      ),
      tif: Flag.Literals("tif", OrderRequest.TimeInForce.literals).pipe(
        Flag.withDefault<OrderRequest.TimeInForce>("gtc"),
        Flag.withDescription("How long it stands: gtc, the default, ioc, fok or post-only")
      ),
      reduceOnly: switchFlag("reduce-only", "Only to reduce a position"),
      clientId: clientId("Our id of the order; one is made by default"),
      follow: switchFlag("follow", "Go on with its fills and updates until it is over"),
      ...given,
      account: exchange.flags
    },
    (flags) =>
      run(
        flags,
        Effect.gen(function*(): Effect.fn.Return<Ordering.Task, UsageError> {
          const { amount, follow, product, reduceOnly, side, tif: timeInForce, type } = flags
          const price = Option.getOrUndefined(flags.price)
          if ((price === undefined) === (type === "limit")) {
            return yield* new UsageError({
              key: "--price",
              expected: type === "limit" ? "a price, of a limit order" : "none, of a market order"
            })
          }
          const clientId = Option.isSome(flags.clientId) ? flags.clientId.value : yield* OrderRequest.clientId
          return {
            _tag: "Place",
            follow,
            terms: {
              product,
              side,
              type,
              amount,
              ...(price === undefined ? {} : { price }),
              timeInForce,
              reduceOnly,
              clientId
            }
          }
        })
      )
  ).pipe(
    Command.withDescription("Place an order, and say what became of it"),
    Command.withExamples([exchange.example])
  )

  const amending = Command.make(
    "amend",
    { ...byName, ...terms, ...given, account: exchange.flags },
    (flags) =>
      run(
        flags,
        Effect.gen(function*(): Effect.fn.Return<Ordering.Task, UsageError> {
          const [price, amount] = [Option.getOrUndefined(flags.price), Option.getOrUndefined(flags.amount)]
          if (price === undefined && amount === undefined) {
            return yield* new UsageError({ key: "--price, --amount", expected: "at least one of the two" })
          }
          return { _tag: "Amend", name: yield* nameOf(flags), terms: { price, amount } }
        })
      )
  ).pipe(Command.withDescription("Change an order's price or amount; what is not named stays"))

  const oneOrder = { ...byName, ...given, account: exchange.flags }

  const cancelling = Command.make(
    "cancel",
    oneOrder,
    (flags) => run(flags, Effect.map(nameOf(flags), (name): Ordering.Task => ({ _tag: "Cancel", name })))
  ).pipe(Command.withDescription("Cancel an order"))

  const status = Command.make(
    "status",
    oneOrder,
    (flags) => run(flags, Effect.map(nameOf(flags), (name): Ordering.Task => ({ _tag: "Status", name })))
  ).pipe(Command.withDescription("How an order stands"))

  const ofProduct = { product: product.pipe(Flag.optional), ...given, account: exchange.flags }

  const cancellingAll = Command.make("cancel-all", ofProduct, (flags) => {
    const task = { _tag: "CancelAll", product: Option.getOrUndefined(flags.product) } as const
    return run(flags, Effect.succeed(task))
  }).pipe(Command.withDescription("Cancel all orders, or those of a product"))

  const list = Command.make("list", ofProduct, (flags) => {
    const task = { _tag: "List", product: Option.getOrUndefined(flags.product) } as const
    return run(flags, Effect.succeed(task))
  }).pipe(Command.withDescription("The orders that are not over"))

  return Command.make(exchange.name).pipe(
    Command.withDescription(exchange.description),
    Command.withSubcommands(
      exchange.placesOnly === true ? [placing] : [placing, amending, cancelling, cancellingAll, status, list]
    )
  )
}

/**
 * The command.
 *
 * @category constants
 * @since 0.1.0
 */
export const order = Command.make("order").pipe(
  Command.withDescription("Order entry: one outcome for each command, and an exit code that says the same"),
  Command.withSubcommands([
    commandsOf(deribit),
    commandsOf(coinbase),
    commandsOf(hyperliquid),
    commandsOf(dydx),
    commandsOf(paper)
  ])
)
