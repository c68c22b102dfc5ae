/** What a history comes to at exchanges that ended with their process. */
import { assert, describe, it } from "@effect/vitest"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Venues from "@tickline/core/venue/Venues"
import * as EphemeralAccounts from "@tickline/node/runner/trader/EphemeralAccounts"
import * as Effect from "effect/Effect"
import { decimal } from "./TraderRig.ts"

const exchange = "paper"

const order = (clientId: string, product = "BTC/USD") =>
  new OrderRequest.OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount: decimal("0.5"),
    price: decimal("100.00"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId
  })

const acknowledged = (clientId: string) =>
  new OrderEvent.Acknowledged({ exchange, clientId, orderId: `id-${clientId}`, status: "open", filled: Decimal.zero })

const fill = (
  clientId: string,
  amount: string,
  terms: Partial<ConstructorParameters<typeof OrderEvent.Fill>[0]> = {}
) =>
  new OrderEvent.Fill({
    exchange,
    product: "BTC/USD",
    side: "buy",
    clientId,
    price: decimal("100.00"),
    amount: decimal(amount),
    tradeId: `${clientId}-${amount}`,
    ...terms
  })

const venue = Venues.get("kraken") ?? Venues.all[0]!

const settled = (storage: Storage.Storage["Service"]) =>
  Effect.map(
    EphemeralAccounts.settle(storage, new Set([exchange])),
    (said) => said.map((event) => JSON.parse(OrderEvent.toJson(event)))
  )

const written = (amounts: Readonly<Record<string, Decimal.Decimal>>) =>
  Object.fromEntries(Object.entries(amounts).map(([asset, amount]) => [asset, Decimal.format(amount)]))

describe("accounts that end with their process", () => {
  it.effect("end the orders that were open, once, and leave those of other exchanges", () =>
    Effect.gen(function*() {
      const storage = yield* Storage.Storage
      for (const id of ["silent", "open", "part", "told"]) yield* storage.intend(exchange, order(id))
      yield* storage.intend("coinbase", order("elsewhere"))
      for (const id of ["open", "part", "told"]) yield* storage.append(exchange, id, acknowledged(id))
      yield* storage.append(exchange, "part", fill("part", "0.2"))
      yield* storage.append(
        exchange,
        "told",
        new OrderEvent.OrderUpdate({ exchange, clientId: "told", status: "partially-filled", filled: decimal("0.3") })
      )
      const cancelled = { _tag: "Reconciled", exchange, status: "cancelled" }
      const said = yield* settled(storage)
      assert.deepStrictEqual(
        said.filter(({ _tag }) => _tag === "Reconciled"),
        [
          { _tag: "Reconciled", exchange, clientId: "silent", status: "absent" },
          { ...cancelled, clientId: "open", orderId: "id-open", filled: "0" },
          { ...cancelled, clientId: "part", orderId: "id-part", filled: "0.2" },
          { ...cancelled, clientId: "told", orderId: "id-told", filled: "0.3" }
        ].map(({ _tag, clientId, exchange, filled, orderId, status }: Record<string, string | undefined>) => ({
          _tag,
          exchange,
          clientId,
          ...(orderId === undefined ? {} : { orderId }),
          status,
          ...(filled === undefined ? {} : { filled })
        }))
      )
      // What was told of and whose own line was not stored.
      const fills = said.filter(({ _tag }) => _tag === "Fill")
      assert.deepStrictEqual(fills.map(({ amount, clientId, price }) => [clientId, amount, price]), [[
        "told",
        "0.3",
        "100.00"
      ]])
      assert.deepStrictEqual(yield* settled(storage), [])
      const { status } = (yield* storage.order("coinbase", { clientId: "elsewhere" })) ?? {}
      assert.strictEqual(status, "pending")
    }).pipe(Effect.provide(MemoryStorage.layer)))

  it.effect("begin again with what their fills came to, to the last digit", () =>
    Effect.gen(function*() {
      const storage = yield* Storage.Storage
      yield* storage.intend(exchange, order("one"))
      yield* storage.append(exchange, "one", acknowledged("one"))
      yield* storage.append(exchange, "one", fill("one", "0.2", { fee: decimal("0.0123"), feeAsset: "USD" }))
      yield* storage.append(exchange, "one", fill("one", "0.3"))
      const now = yield* EphemeralAccounts.balanceOf(storage, { exchange, venue, balance: { USD: decimal("1000") } })
      assert.deepStrictEqual(written(now), { USD: "949.9877", BTC: "0.5" })
      const other = yield* EphemeralAccounts.balanceOf(storage, {
        exchange: "coinbase",
        venue,
        balance: { USD: decimal("5") }
      })
      assert.deepStrictEqual(written(other), { USD: "5" })
    }).pipe(Effect.provide(MemoryStorage.layer)))

  it.effect("cannot take up a position in a derivative", () =>
    Effect.gen(function*() {
      const storage = yield* Storage.Storage
      const deribit = Venues.get("deribit") ?? venue
      yield* storage.intend(exchange, order("one", "BTC-PERPETUAL"))
      yield* storage.append(exchange, "one", acknowledged("one"))
      yield* storage.append(exchange, "one", fill("one", "0.2", { product: "BTC-PERPETUAL" }))
      const error = yield* Effect.flip(EphemeralAccounts.balanceOf(storage, { exchange, venue: deribit, balance: {} }))
      assert.match(error.message, /a position of 0\.2 BTC-PERPETUAL at paper/)
    }).pipe(Effect.provide(MemoryStorage.layer)))
})
