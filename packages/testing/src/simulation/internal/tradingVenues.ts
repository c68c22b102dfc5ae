/** The venues of a day of traders: mocks that trade, on one virtual network, each with its markets and an account a trader. */
import type { Reconnection } from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Symbols from "@tickline/core/protocol/Symbols"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as Signer from "@tickline/core/session/Signer"
import type * as Clearing from "@tickline/core/trading/Clearing"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import * as DydxExchange from "@tickline/core/trading/dydx/DydxExchange"
import * as DydxSigning from "@tickline/core/trading/dydx/DydxSigning"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as HyperliquidExchange from "@tickline/core/trading/hyperliquid/HyperliquidExchange"
import * as HyperliquidSigning from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import type { NonceStore } from "@tickline/core/trading/NonceStore"
import type { HttpPort } from "@tickline/core/transport/HttpPort"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import type { Venue as ClientVenue } from "@tickline/core/venue/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { CallFault } from "../../exchange/internal/httpExchange.ts"
import * as MockCoinbaseAdvanced from "../../exchange/MockCoinbaseAdvanced.ts"
import * as MockDydxExchange from "../../exchange/MockDydxExchange.ts"
import * as MockHyperliquidExchange from "../../exchange/MockHyperliquidExchange.ts"
import type * as VirtualNetwork from "../../network/VirtualNetwork.ts"
import type * as Market from "../../venue/Market.ts"
import * as MockVenue from "../../venue/MockVenue.ts"
import type { Product, Venue } from "./tradingDay.ts"

/** An order as the exchange has it. */
export interface Held {
  readonly orderId: string
  /** As we gave it, where the exchange keeps that. */
  readonly clientId: string | undefined
  readonly isOpen: boolean
  readonly filled: Decimal.Decimal
}

/** What a trader's account has at an exchange, by the exchange's own records. */
export interface Account {
  readonly balances: ReadonlyArray<Clearing.Balance>
  readonly positions: ReadonlyArray<Clearing.Position>
  readonly orders: ReadonlyArray<Held>
}

type Needs = Scope.Scope | Transport | HttpPort | NonceStore | Reconnection | CircuitBreaker

/** A venue: what a trader's process has of it, what goes wrong with it, and what it knows of accounts. */
export interface Site {
  readonly name: Venue
  readonly served: MockVenue.Served
  /** Its products by their names. */
  readonly symbols: Readonly<{ [Name in Product]: string }>
  readonly feed: Effect.Effect<MarketFeed.MarketFeed["Service"], never, Needs>
  readonly exchange: (trader: number) => Effect.Effect<Exchange["Service"], never, Needs>
  readonly account: (trader: number) => Account
  readonly fault: (fault: CallFault) => void
  readonly fail: (share: number) => void
  readonly silence: (isOn: boolean) => void
  readonly lose: (isOn: boolean) => void
  /** Moves a market: its best prices are around so many ten thousandths of where it began, and somebody trades. */
  readonly move: (product: Product, level: number) => Effect.Effect<void>
}

/** What each account begins with. */
const fortune = "100000.00"

/** As the venues write them: those of Hyperliquid have five significant digits. */
const markets: Readonly<Record<"BTC-USD" | "ETH-USD" | "SOL-USD", Omit<Market.Product, "symbol">>> = {
  "BTC-USD": { price: "43250.00", size: "4.0000", levels: 2 },
  "ETH-USD": { price: "2280.50", size: "80.000", levels: 2 },
  "SOL-USD": { price: "98.730", size: "1800.00", levels: 2 }
}

const products = ["BTC-USD", "ETH-USD", "SOL-USD"] as const

const named = { "BTC-USD": "BTC-USD", "ETH-USD": "ETH-USD", "SOL-USD": "SOL-USD" } as const

const coins = { "BTC-USD": "BTC", "ETH-USD": "ETH", "SOL-USD": "SOL" } as const

// Half of what is between bid and ask, in hundred thousandths, and how far a venue's prices are from the others'.
const halfSpread = 10n
const apart: Readonly<{ [Name in Venue]: bigint }> = { coinbase: 0n, hyperliquid: 10n, dydx: -15n }

const quoteAt = ({ price }: Pick<Market.Product, "price">, level: number, venue: Venue): readonly [string, string] => {
  const { scale, value } = Decimal.parse(price) ?? Decimal.zero
  const at = (of: bigint) => Decimal.format(BigDecimal.make((value * of) / 100_000n, scale))
  const middle = 100_000n + BigInt(level) * 10n + apart[venue]
  return [at(middle - halfSpread), at(middle + halfSpread)]
}

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

// Keys of no value.
const secretOf = (trader: number): Uint8Array => new Uint8Array(32).fill(trader + 1)
const coinbaseKey = (trader: number) => ({
  keyName: `organizations/tickline/apiKeys/trader${trader + 1}`,
  keySecret: Base64.encode(secretOf(trader))
})
const hexKey = (trader: number) =>
  `0x${Array.from(secretOf(trader), (byte) => byte.toString(16).padStart(2, "0")).join("")}`
const mnemonicOf = (trader: number) =>
  `${MockDydxExchange.mnemonic.split(" ").slice(0, 11).join(" ")} trader${trader + 1}`

/** Serves the three of them to so many traders. */
export const make = Effect.fnUntraced(function*(
  network: VirtualNetwork.VirtualNetwork,
  seed: number,
  traders: number
): Effect.fn.Return<{ readonly [Name in Venue]: Site }> {
  const listed = (symbols: Readonly<{ [Name in Product]: string }>) =>
    products.map((product) => ({ ...markets[product], symbol: symbols[product] }))
  const siteOf = (
    name: Venue,
    served: MockVenue.Served,
    symbols: Site["symbols"],
    client: ClientVenue
  ): Pick<Site, "feed" | "move" | "name" | "served" | "symbols"> => ({
    name,
    served,
    symbols,
    feed: Effect.suspend(() =>
      MarketFeed.make(client, { url: served.url, symbols: Symbols.make({ [client.name]: symbols }) })
    ).pipe(Effect.orDie),
    move: (product, level) => {
      const [bid, ask] = quoteAt(markets[product], level, name)
      return Effect.andThen(served.quote(symbols[product], bid, ask), served.trade(symbols[product]))
    }
  })

  const coinbase = MockCoinbaseAdvanced.make({
    accounts: numbers(traders).map((trader) => ({ ...coinbaseKey(trader), balances: { USD: fortune } })),
    seed
  })
  // Its beat of every second, to each connection, would be most of what a day costs.
  const slow = { ...coinbase.venue, heartbeatMillis: 25_000 }
  const coinbaseServed = yield* MockVenue.serve(network, "wss://coinbase.test", slow, {
    products: listed(named),
    seed
  })
  const wallets = numbers(traders).map((trader) =>
    HyperliquidSigning.addressOf(Result.getOrThrow(Signer.secp256k1(Redacted.make(hexKey(trader)))))
  )
  const walletOf = (trader: number): string => wallets[trader] ?? ""
  const hyperliquid = MockHyperliquidExchange.make({
    accounts: wallets.map((address) => ({ address, balances: { USDC: fortune } })),
    seed
  })
  const hyperliquidServed = yield* MockVenue.serve(network, "wss://hyperliquid.test/ws", hyperliquid.venue, {
    products: listed(coins),
    seed
  })
  const addresses = numbers(traders).map((trader) =>
    Result.getOrThrow(DydxSigning.wallet(Redacted.make(mnemonicOf(trader)))).address
  )
  const subaccountOf = (trader: number): string => `${addresses[trader] ?? ""}/0`
  const dydx = MockDydxExchange.make({
    accounts: addresses.map((address) => ({ address, subaccounts: { 0: fortune } }))
  })
  const dydxServed = yield* MockVenue.serve(network, "wss://dydx.test/v4/ws", dydx.venue, {
    products: listed(named),
    seed
  })

  return {
    coinbase: {
      ...siteOf("coinbase", coinbaseServed, named, Coinbase.venue),
      exchange: (trader) => {
        const { keyName, keySecret } = coinbaseKey(trader)
        const options = { keyName, keySecret: Redacted.make(keySecret), url: "https://coinbase.test" }
        return Effect.orDie(CoinbaseAdvanced.make(options))
      },
      account: (trader) => {
        const { keyName } = coinbaseKey(trader)
        return {
          balances: coinbase.balances(keyName),
          positions: [],
          orders: coinbase.orders().flatMap(({ account, clientOrderId, filled, orderId, status }) =>
            account === keyName && status !== "FAILED"
              ? [{ orderId, clientId: clientOrderId, filled, isOpen: status === "OPEN" || status === "CANCEL_QUEUED" }]
              : []
          )
        }
      },
      fault: coinbase.fault,
      fail: coinbase.fail,
      silence: coinbase.silence,
      lose: () => undefined
    },
    hyperliquid: {
      ...siteOf("hyperliquid", hyperliquidServed, coins, Hyperliquid.venue),
      exchange: (trader) =>
        Effect.orDie(
          HyperliquidExchange.make({ key: Redacted.make(hexKey(trader)), url: "https://hyperliquid.test" })
        ),
      account: (trader) => ({
        balances: hyperliquid.balances(walletOf(trader)),
        positions: hyperliquid.positions(walletOf(trader)),
        orders: hyperliquid.orders(walletOf(trader)).map(({ clientId, filled, orderId, status }) => ({
          orderId,
          clientId,
          filled,
          isOpen: status === "open"
        }))
      }),
      fault: hyperliquid.fault,
      fail: hyperliquid.fail,
      silence: hyperliquid.silence,
      lose: () => undefined
    },
    dydx: {
      ...siteOf("dydx", dydxServed, named, Dydx.venue),
      exchange: (trader) =>
        Effect.orDie(DydxExchange.make({
          mnemonic: Redacted.make(mnemonicOf(trader)),
          url: "https://dydx.test",
          nodeUrl: "https://dydx.test"
        })),
      account: (trader) => ({
        balances: dydx.balances(subaccountOf(trader)),
        positions: dydx.positions(subaccountOf(trader)),
        orders: dydx.orders(subaccountOf(trader)).map(({ filled, id, status }) => ({
          orderId: id,
          clientId: undefined,
          filled,
          isOpen: status === "open"
        }))
      }),
      fault: dydx.fault,
      // Some of what is asked of the chain is not answered in time.
      fail: (share) => {
        if (share > 0) dydx.fault({ _tag: "Answer", calls: Math.ceil(share * 20), status: 503 })
      },
      silence: dydx.silence,
      lose: dydx.lose
    }
  }
})
