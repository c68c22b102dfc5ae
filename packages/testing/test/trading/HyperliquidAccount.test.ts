import { assert, describe, it } from "@effect/vitest"
import * as Signer from "@tickline/core/session/Signer"
import * as Signing from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { decimal, give, pass } from "./Desk.ts"
import { address, cloid, market, mine, otherAddress, otherKey, request, rest, withDesk } from "./HyperliquidDesk.ts"

const agent = Redacted.make(`0x${"7".repeat(64)}`)
const agentAddress = Signing.addressOf(Result.getOrThrow(Signer.secp256k1(agent)))
const vault = `0x${"ab".repeat(20)}`

const mock: MockHyperliquidExchange.Options = {
  accounts: [{
    ...MockHyperliquidExchange.account,
    agents: [agentAddress],
    vaults: [{ address: vault, balances: { USDC: "5000" } }]
  }, { address: otherAddress, balances: { USDC: "1000" } }]
}

const shown = (
  amounts: ReadonlyArray<
    { readonly total: Decimal.Decimal; readonly available: Decimal.Decimal; readonly asset: string }
  >
) =>
  amounts.map(({ asset, available, total }) =>
    `${asset} ${Number(Decimal.format(available))} of ${Number(Decimal.format(total))}`
  )

describe("An account at Hyperliquid", () => {
  it.effect("of an API wallet is asked for, once", () =>
    withDesk(({ bodies, calls, exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        assert.strictEqual(exchange.orders(address).length, 1)
        assert.strictEqual((yield* give(orders.status({ clientId: mine }))).events.length, 1)
        assert.strictEqual((yield* give(orders.open())).events.length, 1)
        assert.strictEqual(calls("userRole"), 1)
        assert.strictEqual(bodies("order")[0]?.vaultAddress, undefined)
      }), { key: agent, mock }))

  it.effect("that is named is not asked for", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        assert.strictEqual((yield* give(orders.open())).events.length, 1)
        assert.strictEqual(calls("userRole"), 0)
      }), { key: agent, account: address.toUpperCase().replace("0X", "0x"), mock }))

  it.effect("of a vault is traded for by whoever leads it", () =>
    withDesk(({ bodies, calls, exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        assert.deepStrictEqual([exchange.orders(address).length, exchange.orders(vault).length], [0, 1])
        assert.strictEqual(bodies("order")[0]?.vaultAddress, vault)
        assert.strictEqual((yield* give(orders.open())).events.length, 1)
        assert.strictEqual(calls("userRole"), 0)
        assert.deepStrictEqual(shown(yield* orders.balances()), ["USDC 4979.82 of 5000"])
      }), { vault, mock }))

  it.effect("of another is not traded for", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [`Rejected clientId=${mine} reason=Vault not registered: ${vault}`])
        assert.strictEqual(exchange.orders(vault).length, 0)
      }), { key: Redacted.make(otherKey), vault, mock }))

  it.effect("has what the exchange says: balances and positions, to the last digit", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(market({ product: "SOL", amount: decimal("10") })))
        yield* give(
          orders.place(market({ product: "PURR/USDC", side: "sell", amount: decimal("100"), clientId: cloid("b") }))
        )
        const [position, ...others] = yield* orders.positions()
        assert.deepStrictEqual([position?.product, Decimal.format(position?.amount ?? Decimal.zero), others], [
          "SOL",
          "10.0",
          []
        ])
        assert.isDefined(position?.averagePrice)
        const balances = new Map((yield* orders.balances()).map((balance) => [balance.asset, balance]))
        const purr = exchange.balances(address).find(({ asset }) => asset === "PURR")
        assert.strictEqual(Number(Decimal.format(balances.get("PURR")?.total ?? Decimal.zero)), 99_900)
        assert.strictEqual(Number(Decimal.format(purr?.total ?? Decimal.zero)), 99_900)
        assert.isDefined(balances.get("USDC"))
        const spot = yield* orders.instrument("PURR/USDC")
        assert.deepStrictEqual([spot.base, spot.feeAsset, Decimal.format(spot.lot)], ["PURR", "USDC", "1"])
        const none = yield* Effect.flip(orders.instrument("NONE"))
        assert.deepStrictEqual([none.reason, none.detail], ["Refused", "no product NONE"])
      })
    ))

  it.effect("has its socket beside what is asked, at the same host and port", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const orders = yield* desk.again({ url: `${rest}/` })
        yield* orders.connect
        yield* pass("1 second")
        assert.strictEqual(desk.served.host.dials.length, 1)
        assert.strictEqual((yield* give(orders.place(request()))).events[0]?._tag, "Acknowledged")
        const below = yield* desk.again({ url: `${rest}/below` })
        yield* below.connect
        yield* pass("1 second")
        assert.strictEqual(desk.served.host.dials.length, 2)
      })
    ))

  it.effect("is answering, or is not", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* orders.health.current)._tag, "Idle")
        yield* orders.connect
        yield* pass("1 second")
        assert.strictEqual((yield* orders.health.current)._tag, "Live")
        yield* served.host.otherwise({ _tag: "Refuse" })
        for (const peer of served.host.peers()) yield* peer.drop
        yield* pass("1 second")
        assert.strictEqual((yield* orders.health.current)._tag, "Down")
      })
    ))

  it.effect("keeps its socket alive, which the venue ends after a minute of silence", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        yield* orders.connect
        yield* pass("1 second")
        const pings: Array<string> = []
        for (const peer of served.host.peers()) peer.onMessage((frame) => void pings.push(String(frame)))
        yield* pass("28 seconds")
        assert.deepStrictEqual(pings, [])
        yield* pass("2 seconds")
        assert.deepStrictEqual(pings, ["{\"method\":\"ping\"}"])
        yield* pass("5 minutes")
        assert.strictEqual(served.host.dials.length, 1)
        assert.strictEqual((yield* orders.health.current)._tag, "Live")
      })
    ))

  it.effect("signs with no nonce twice, over a restart and with a clock that is behind", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        // What is kept is beyond the clock, as after a restart with a clock that was set back.
        let last = 1_800_000_000_500
        const store: NonceStore.NonceStore["Service"] = { next: () => Effect.sync(() => ++last) }
        for (const digit of ["1", "2"]) {
          const orders = yield* Effect.provideService(desk.again(), NonceStore.NonceStore, store)
          const placed = yield* give(orders.place(request({ clientId: cloid(digit) })))
          assert.match(placed.lines().join(), /^Acknowledged/)
        }
        assert.deepStrictEqual(desk.bodies("order").map(({ nonce }) => nonce), [1_800_000_000_501, 1_800_000_000_502])
        // The venue itself refuses one that it has seen.
        const stuck = { next: () => Effect.succeed(1_800_000_000_502) }
        const orders = yield* Effect.provideService(desk.again(), NonceStore.NonceStore, stuck)
        assert.deepStrictEqual((yield* give(orders.place(request()))).lines(), [
          `Rejected clientId=${mine} reason=Invalid nonce: duplicate nonce 1800000000502`
        ])
      })
    ))

  it.effect("sends nothing past its deadline, however long a nonce is waited for", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const posted = () => desk.bodies("order").length
        const nonces = [Effect.never, Effect.as(Effect.sleep("2 seconds"), 1_800_000_000_000)]
        for (const next of nonces) {
          const orders = yield* Effect.provideService(desk.again(), NonceStore.NonceStore, { next: () => next })
          const placed = yield* give(orders.place(request(), { deadline: "2 seconds" }))
          yield* pass("2 seconds")
          assert.deepStrictEqual(placed.lines(), [`NotSent clientId=${mine} reason=not written by the deadline`])
        }
        yield* pass("1 minute")
        assert.strictEqual(posted(), 0)
      })
    ))
})
