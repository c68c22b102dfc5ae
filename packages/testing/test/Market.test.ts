import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Venues from "@tickline/core/venue/Venues"
import * as Market from "@tickline/testing/Market"
import { createHash } from "node:crypto"

const options = { seed: 7, fromMillis: 1_700_000_000_000, everyMillis: 100 }
const some = (product: Market.Product, count: number, seed = 7) =>
  Market.ticks(product, { ...options, seed }).take(count).toArray()
const value = (text: string) => Decimal.parse(text)?.value ?? -1n
const decimals = (text: string) => text.split(".")[1]?.length ?? 0

describe("Market", () => {
  it("the same seed gives the same ticks, another seed others, and products do not share their chance", () => {
    const [bitcoin] = Market.products
    assert.deepStrictEqual(some(bitcoin, 200), some(bitcoin, 200))
    assert.notDeepEqual(some(bitcoin, 200), some(bitcoin, 200, 8))
    const renamed = some({ ...bitcoin, symbol: "XBT-USD" }, 200)
    assert.notDeepEqual(some(bitcoin, 200).map((tick) => tick.price), renamed.map((tick) => tick.price))
  })

  it("a step is pure: from one market it leads to one market", () => {
    const market = Market.make(Market.products[0], { seed: 7, atMillis: 5 })
    const before = Market.book(market)
    assert.deepStrictEqual(Market.next(market, 10), Market.next(market, 10))
    assert.deepStrictEqual(Market.book(market), before)
  })

  it("pinned: the first ticks of seed 7", () => {
    assert.deepStrictEqual(some(Market.products[0], 3).map(({ price, side, size }) => [price, side, size]), [
      ["43247.52", "buy", "0.02979258"],
      ["43247.52", "sell", "0.02290185"],
      ["43251.84", "buy", "0.04928639"]
    ])
  })

  const digests: Readonly<Record<string, string>> = {
    "BTC-USD": "24b2c28fab27fae1",
    "ETH-USD": "8b6f86e4c99336a3",
    "SOL-USD": "c2ea84ff910d3c94",
    "SHIB-USD": "d1e06502a0b118bd",
    "WETH-DAI": "9359386705711962"
  }
  // A recorded run is to be had again by its seed, in every release.
  const pinned: ReadonlyArray<readonly [product: Market.Product, everyMillis: number, digest: string]> = [
    ...Market.products.map((product) => [product, 100, digests[product.symbol] ?? ""] as const),
    // So cheap or so thin that every digit counts, on a clock that stands still.
    [{ symbol: "A", price: "1.0000", size: "3" }, 0, "f21f606f5358498c"],
    [{ symbol: "B", price: "100", size: "1" }, 0, "910b3fbe011cf388"]
  ]
  for (const [product, everyMillis, digest] of pinned) {
    it(`pinned: a thousand steps of ${product.symbol} and its books, by their digest`, () => {
      const hash = createHash("sha256")
      let market = Market.make(product, { seed: 7, atMillis: options.fromMillis })
      for (let n = 1; n <= 1_000; n++) {
        hash.update(JSON.stringify([market.last, Market.book(market)]))
        market = Market.next(market, options.fromMillis + n * everyMillis)
      }
      assert.strictEqual(hash.digest("hex").slice(0, 16), digest)
    })
  }

  for (const product of Market.products) {
    it(`${product.symbol}: texts exact, ids consecutive, time and sequence rising, price near its anchor`, () => {
      const ticks = some(product, 500)
      const anchor = value(product.price)
      for (const [index, tick] of ticks.entries()) {
        assert.strictEqual(tick.product, product.symbol)
        for (const price of [tick.price, tick.bid[0], tick.ask[0], tick.low, tick.high, tick.open]) {
          assert.strictEqual(decimals(price), decimals(product.price), price)
          assert.match(price, /^\d+(\.\d+)?$/)
        }
        for (const size of [tick.size, tick.bid[1], tick.ask[1], tick.volume]) {
          assert.strictEqual(decimals(size), decimals(product.size), size)
          assert.isTrue(value(size) > 0n)
        }
        assert.isTrue(value(tick.bid[0]) < value(tick.ask[0]))
        assert.strictEqual(tick.price, tick.side === "buy" ? tick.ask[0] : tick.bid[0])
        assert.isTrue(value(tick.price) * 10n > anchor * 8n && value(tick.price) * 10n < anchor * 12n)
        assert.match(tick.timestamp, /\.\d{6}Z$/)
        const last = ticks[index - 1]
        if (last === undefined) continue
        assert.strictEqual(tick.tradeId, last.tradeId + 1)
        assert.strictEqual(tick.sequence, last.sequence + tick.changes.length + 1)
        const [then, now] = [last, tick].map((each) => Timestamp.fromIso(each.timestamp))
        assert.isTrue(then !== undefined && now !== undefined && Timestamp.TimestampOrder(then, now) === -1)
      }
      assert.isAbove(new Set(ticks.map((tick) => tick.price)).size, 5)
    })

    it(`${product.symbol}: the changes lead from one book to the next`, () => {
      let market = Market.make(product, { seed: 3, atMillis: 0 })
      const sides = { buy: new Map(Market.book(market).bids), sell: new Map(Market.book(market).asks) }
      for (let n = 1; n <= 100; n++) {
        market = Market.next(market, n * 10)
        for (const [side, price, size] of market.last.changes) {
          if (value(size) === 0n) assert.isTrue(sides[side].delete(price))
          else sides[side].set(price, size)
        }
        const { asks, bids } = Market.book(market)
        assert.deepStrictEqual(new Map(bids), new Map([...sides.buy].sort(([a], [b]) => value(b) > value(a) ? 1 : -1)))
        assert.deepStrictEqual(new Map(asks), new Map([...sides.sell].sort(([a], [b]) => value(a) > value(b) ? 1 : -1)))
      }
    })
  }

  it("counts its trades from where it is told to, and moves as far as it is told to", () => {
    const [product] = Market.products
    const rangeOf = (volatility: number) => {
      const ticks = some({ ...product, volatility }, 500)
      return value(ticks.at(-1)?.high ?? "0") - value(ticks.at(-1)?.low ?? "0")
    }
    assert.isTrue(rangeOf(10) > rangeOf(1) * 5n)
    const counted = some({ ...product, firstTradeId: 1_764_000_000_000 }, 3)
    assert.deepStrictEqual(counted.map(({ tradeId }) => tradeId), [0, 1, 2].map((n) => 1_764_000_000_000 + n))
  })

  it("a client that uses floats would show other prices", () => {
    for (const product of Market.products) {
      const ticks = some(product, 200)
      assert.isTrue(ticks.some(({ price }) => String(Number(price)) !== price), product.symbol)
    }
    const wrapped = Market.products.find(({ symbol }) => symbol === "WETH-DAI")
    assert.isDefined(wrapped)
    if (wrapped !== undefined) {
      assert.isTrue(some(wrapped, 200).every(({ price }) => Number(price).toFixed(18) !== price))
    }
  })

  it("pinned: a quote by hand, its book and the trade after it, by their digest", () => {
    const hash = createHash("sha256")
    for (const product of Market.products) {
      let market = Market.make(product, { seed: 7, atMillis: 5 })
      const { ask, bid } = market.last
      market = Market.quote(market, bid[0], ask[0], 4)
      hash.update(JSON.stringify([market.last, Market.book(market)]))
      market = Market.quote(market, ask[0], product.price.replace(/^\d/, (digit) => String(Number(digit) + 3)), 1_000)
      hash.update(JSON.stringify([market.last, Market.book(market)]))
      hash.update(JSON.stringify(Market.next(market, 2_000).last))
    }
    assert.strictEqual(hash.digest("hex").slice(0, 16), "ef01f4d1796813ff")
  })

  it("a quote has a bid below its ask, room for the levels below, and no digit too many", () => {
    // Levels are a twenty-thousandth of the price apart: 5 cents.
    const market = Market.make({ symbol: "X", price: "1000.00", size: "1" }, { seed: 1, atMillis: 0 })
    const of = (bid: string, ask: string) => Market.quote(market, bid, ask, 1)
    for (const [bid, ask] of [["0.51", "0.52"], ["10", "10.1"], ["999.99", "1000"]] as const) {
      const { last } = of(bid, ask)
      assert.deepStrictEqual([Number(last.bid[0]), Number(last.ask[0])], [Number(bid), Number(ask)])
      assert.strictEqual(decimals(last.bid[0]), 2)
    }
    const refused: ReadonlyArray<readonly [bid: string, ask: string]> = [
      ["10.00", "10.00"],
      ["10.01", "10.00"],
      ["0.50", "10.00"],
      ["10.000", "11.00"],
      ["10.00", "11.000"],
      ["0.00", "1.00"],
      ["x", "1.00"]
    ]
    for (const [bid, ask] of refused) assert.throws(() => of(bid, ask), RangeError, "market X", `${bid} ${ask}`)
  })

  it("ticks as often as it is told to", () => {
    const times = Market.ticks(Market.products[0], { seed: 7, fromMillis: 1_000, everyMillis: 250 }).take(4)
    assert.deepStrictEqual(times.map(Market.millisOf).toArray(), [1_000, 1_250, 1_500, 1_750])
  })

  it("has a clock that begins after 1970, and rises where the clock stands or goes back", () => {
    let market = Market.make(Market.products[0], { seed: 7, atMillis: -1_000 })
    const times = [market.last.timestamp]
    for (const atMillis of [-5_000, -1_000]) {
      market = Market.next(market, atMillis)
      times.push(market.last.timestamp)
    }
    assert.deepStrictEqual(times, [1, 2, 3].map((micros) => `1970-01-01T00:00:00.00000${micros}Z`))
  })

  it("what a venue lists has its own symbols first, and the names besides", () => {
    const venueOf = (name: string) => Venues.get(name) ?? { name }
    const listed = (venue: string) => Market.listedBy(venueOf(venue)).map(({ symbol }) => symbol).join(" ")
    const names = "BTC-USD ETH-USD SOL-USD SHIB-USD WETH-DAI"
    assert.strictEqual(listed("coinbase"), names)
    assert.strictEqual(listed("nowhere"), names)
    assert.strictEqual(listed("kraken"), `BTC/USD ETH/USD SOL/USD SHIB/USD WETH/DAI ${names}`)
    assert.strictEqual(
      listed("binance"),
      `BTCUSDT ETHUSDT SOLUSDT SHIBUSDT WETHDAI ${names.replace(/ WETH-DAI$/, "")} WETH-DAI`
    )
    assert.strictEqual(listed("hyperliquid"), "BTC ETH SOL SHIB WETH-DAI BTC-USD ETH-USD SOL-USD SHIB-USD")
    assert.deepStrictEqual(Market.listedBy(venueOf("kraken"))[0], { ...Market.products[0], symbol: "BTC/USD" })
  })

  it("a product that is no product is refused", () => {
    const of = (price: string) => () => Market.make({ symbol: "X", price, size: "1" }, { seed: 1, atMillis: 0 })
    for (const price of ["", "0.00", "-1", "x", "1e5", "1e1"]) assert.throws(of(price), RangeError, "market X")
  })
})
