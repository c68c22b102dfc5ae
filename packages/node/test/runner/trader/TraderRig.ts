/** A trader in the runner at an exchange on loopback, with a history of its own. */
import type * as Order from "@tickline/core/trading/Order"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Sqlite from "@tickline/node/store/Sqlite"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { freePort } from "../../FreePort.ts"
import * as TestHost from "../TestHost.ts"

export const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-trader-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)

export const product = "BTC-USD"

export const env = {
  TICKLINE_COINBASE_KEY_NAME: MockCoinbaseAdvanced.simulated.keyName,
  TICKLINE_COINBASE_KEY_SECRET: MockCoinbaseAdvanced.simulated.keySecret
}

export const decimal = (text: string): Decimal.Decimal => {
  const found = Decimal.parse(text)
  if (found === undefined) throw new Error(text)
  return found
}

/** A limit order that rests far below the market. */
export const request = (clientId: string) =>
  new OrderRequest.OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount: decimal("0.01000000"),
    price: decimal("40000.00"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId
  })

export const event = {
  acknowledged: (clientId: string, orderId: string) =>
    new OrderEvent.Acknowledged({ exchange: "coinbase", clientId, orderId, status: "open", filled: Decimal.zero }),
  filled: (clientId: string, amount: string, tradeId: string) =>
    new OrderEvent.Fill({
      exchange: "coinbase",
      product,
      side: "buy",
      clientId,
      price: decimal("40000.00"),
      amount: decimal(amount),
      tradeId
    })
}

/** Uses a history as long as nobody trades with it. */
export const withHistory = <A, E>(
  path: string,
  use: (storage: Storage.Storage["Service"]) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.scoped(Effect.flatMap(
    Effect.orDie(Layer.build(Layer.provide(SqlStorage.layer, Sqlite.layer({ path })))),
    (context) => use(Context.get(context, Storage.Storage))
  ))

/** Stores an order as a process before would have: with what was said of it. */
export const stored = (path: string, clientId: string, said: ReadonlyArray<Order.Input> = []) =>
  withHistory(path, (storage) =>
    Effect.gen(function*() {
      yield* storage.intend("coinbase", request(clientId))
      for (const event of said) yield* storage.append("coinbase", clientId, event)
    }))

/** Stores what a process before would have of a position that it has opened and not closed. */
export const bought = (
  path: string,
  held: { readonly exchange: string; readonly product: string; readonly amount: string; readonly price: string }
) =>
  withHistory(path, (storage) =>
    Effect.gen(function*() {
      const { exchange } = held
      const [amount, price, clientId, side] = [decimal(held.amount), decimal(held.price), "bought", "buy"] as const
      const capital = "10000"
      yield* storage.decide({
        kind: "opening",
        reason: "",
        detail: { capital, balances: [{ exchange, asset: "USD", total: capital }], positions: [] }
      })
      yield* storage.decide({
        kind: "enter",
        reason: "",
        clientId,
        detail: {
          _tag: "Enter",
          product,
          side,
          confidence: 0.8,
          strategy: "by hand",
          price: held.price,
          at: "2026-11-25T12:00:00Z"
        }
      })
      const terms = { product: held.product, amount, price, timeInForce: "ioc" } as const
      yield* storage.intend(exchange, new OrderRequest.OrderRequest({ ...request(clientId), ...terms }))
      const ids = { exchange, clientId, orderId: "1" }
      for (
        const event of [
          new OrderEvent.Acknowledged({ ...ids, status: "filled", filled: amount }),
          new OrderEvent.Fill({ ...ids, product: held.product, side, price, amount, tradeId: "1" })
        ]
      ) yield* storage.append(exchange, clientId, event)
    }))

/** Runs a trader. */
export const start = Effect.fnUntraced(function*(
  config: string,
  environment: Record<string, string> = env,
  flags: ReadonlyArray<string> = []
) {
  const world = TestHost.make({ env: environment })
  const fiber = yield* Effect.forkChild(
    TestHost.run(world, "run", "--config", config, "--log-format", "json", ...flags),
    { startImmediately: true }
  )
  const stop = Effect.gen(function*() {
    yield* world.send("SIGTERM")
    return yield* Effect.timeout(Fiber.join(fiber), "10 seconds")
  })
  return { world, ended: Fiber.join(fiber), stop }
})

/** Halts one. */
export const halt = Effect.fnUntraced(function*(
  config: string,
  environment: Record<string, string> = env,
  flags: ReadonlyArray<string> = []
) {
  const world = TestHost.make({ env: environment })
  const code = yield* TestHost.run(world, "halt", "--config", config, "--log-format", "json", ...flags)
  return { code, objects: world.objects(), stderr: world.stderr() }
})

export interface Setting {
  /** More of `[trader]`, and of what follows it. */
  readonly trader?: string
  readonly output?: string
  readonly rate?: number
}

/** An exchange, and how a trader there is configured. */
export const make = Effect.fnUntraced(function*({ output = "", rate = 0, trader = "" }: Setting = {}) {
  const exchange = MockCoinbaseAdvanced.make()
  const server = yield* MockServer.make({
    venue: exchange.venue,
    rate,
    seed: 7,
    products: [{ symbol: product, price: "43250.10", size: "0.05000000" }]
  })
  const path = yield* folder
  const port = yield* Effect.promise(freePort)
  const config = Path.join(path, "trader.toml")
  const history = Path.join(path, "trader.sqlite")
  Fs.writeFileSync(
    config,
    `${output}
[http]
port = ${port}
[venues.coinbase]
url = "${server.url}"
products = ["${product}"]
[exchanges.coinbase]
url = "${server.httpUrl}"
[history]
path = "${history}"
[trader]
products = ["${product}"]
strategy = "fast"
interval = "200ms"
${trader}
`
  )
  /** What a page would post. */
  const post = (path: string, headers: Record<string, string>) =>
    Effect.promise(() =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers }).then(({ status }) => status)
    )
  const health = Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`)
    const page: { readonly status: string; readonly trader: { readonly state: string; readonly equity: string } } = JSON
      .parse(await response.text())
    return page
  })
  return {
    exchange,
    server,
    config,
    history,
    post,
    health,
    start: start(config),
    halt: (...flags: ReadonlyArray<string>) => halt(config, env, flags)
  }
})
