/**
 * `tickline order hyperliquid`.
 *
 * @since 0.1.0
 */
import * as NonceStore from "@tickline/core/trading/NonceStore"
import { StorageError } from "@tickline/core/trading/StorageError"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Flag from "effect/cli/Flag"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { switchFlag } from "../internal/flags.ts"
import { UsageError } from "../RunnerError.ts"
import * as OrderExchange from "./OrderExchange.ts"

const isShare = (decimal: Decimal.Decimal): boolean =>
  decimal.value >= 0n && BigDecimal.isLessThan(decimal, BigDecimal.make(1n, 0))

const flags = {
  url: OrderExchange.urlFlag(
    "url",
    "What comes before /info and /exchange, such as http://127.0.0.1:9001 of a simulated exchange"
  ),
  wsUrl: OrderExchange.urlFlag("ws-url", "Its socket; by default that of the same host and port, with the path /ws"),
  live: OrderExchange.liveFlag,
  testnet: switchFlag("testnet", "Sign for the test network; with --live, send to it"),
  slippage: Flag.String("slippage").pipe(
    Flag.filterMap(
      (text) => Option.filter(Option.fromUndefinedOr(Decimal.parse(text)), isShare),
      () => "a share of the price below 1, such as 0.05"
    ),
    Flag.withMetavar("decimal"),
    Flag.withDescription("How far from the other side's best price a market order may trade; 0.05 by default"),
    Flag.optional
  )
}

const key = "TICKLINE_HYPERLIQUID_KEY"

/** Nonces that survive a restart. The folder is opened with the first: what only asks needs none. */
const nonces = (
  { env, state: path }: OrderExchange.Making
): Effect.Effect<NonceStore.NonceStore["Service"], never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const set = Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
    )
    const opened = yield* Effect.cached(
      Effect.promise(() => import("../../store/StateDirectory.ts")).pipe(
        Effect.flatMap(({ layer }) => Layer.buildWithScope(layer({ path }), scope)),
        Effect.map((context) => Context.get(context, NonceStore.NonceStore)),
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: set })),
        Effect.mapError((cause) => new StorageError({ operation: "open the state", isRetryable: false, cause }))
      )
    )
    return { next: (signer) => Effect.flatMap(opened, (store) => store.next(signer)) }
  })

/**
 * Hyperliquid.
 *
 * @category constants
 * @since 0.1.0
 */
export const hyperliquid: OrderExchange.OrderExchange<typeof flags> = {
  name: "hyperliquid",
  description:
    "Orders at Hyperliquid, with the private key in TICKLINE_HYPERLIQUID_KEY; TICKLINE_HYPERLIQUID_ACCOUNT " +
    "is the account of an API wallet, TICKLINE_HYPERLIQUID_VAULT the vault that is traded for",
  example: {
    command: "tickline order hyperliquid place --url http://127.0.0.1:9001 --product BTC --side buy " +
      "--amount 0.01 --price 40000 --follow",
    description: "A limit order at a simulated exchange, until it is over"
  },
  clientId: {
    accepts: (text) => /^0x[0-9a-f]{32}$/.test(text),
    expected: "0x and 32 lower-case hexadecimal digits"
  },
  flags,
  make: Effect.fnUntraced(function*(flags, making) {
    const url = yield* OrderExchange.addressOf(flags, "http")
    const socketUrl = Option.isNone(flags.wsUrl)
      ? undefined
      : yield* OrderExchange.checkedUrl("--ws-url", flags.wsUrl.value, "ws")
    const secret = yield* OrderExchange.keyPart(making, key)
    const HyperliquidExchange = yield* Effect.promise(() =>
      import("@tickline/core/trading/hyperliquid/HyperliquidExchange")
    )
    const store = yield* nonces(making)
    return yield* HyperliquidExchange.make({
      key: secret,
      account: OrderExchange.optionalValue(making, "TICKLINE_HYPERLIQUID_ACCOUNT"),
      vault: OrderExchange.optionalValue(making, "TICKLINE_HYPERLIQUID_VAULT"),
      ...(flags.testnet ? HyperliquidExchange.testnet : HyperliquidExchange.live),
      ...(url === undefined ? {} : { url }),
      socketUrl,
      slippage: Option.getOrUndefined(flags.slippage)
    }).pipe(
      Effect.provideService(NonceStore.NonceStore, store),
      Effect.mapError((error) =>
        new UsageError({
          key: error._tag === "InvalidAddress" ? `TICKLINE_HYPERLIQUID_${error.member.toUpperCase()}` : key,
          source: "the environment",
          expected: error.message
        })
      )
    )
  })
}
