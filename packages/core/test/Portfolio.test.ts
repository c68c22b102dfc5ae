/** What a trader has, rule by rule. */
import { assert, describe, it } from "@effect/vitest"
import * as Lot from "@tickline/core/trading/Lot"
import { Fill } from "@tickline/core/trading/OrderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
/** Without trailing zeros. */
const text = (value: Decimal.Decimal | undefined) => value && Decimal.format(BigDecimal.normalize(value))

const make = (limits?: Partial<Portfolio.Limits>) =>
  Portfolio.empty({ cash: decimal("10000"), quote: "USD", ...(limits === undefined ? {} : { limits }) })

let trades = 0
const fill = (
  side: "buy" | "sell",
  amount: string,
  price: string,
  more: { fee?: string; feeAsset?: string; product?: string; exchange?: string; tradeId?: string } = {}
) =>
  new Fill({
    exchange: more.exchange ?? "here",
    product: more.product ?? "BTC-USD",
    side,
    price: decimal(price),
    amount: decimal(amount),
    tradeId: more.tradeId ?? String(++trades),
    ...(more.fee === undefined ? {} : { fee: decimal(more.fee) }),
    ...(more.feeAsset === undefined ? {} : { feeAsset: more.feeAsset })
  })

const enter = (self: Portfolio.Portfolio, id: string, entry: Fill) =>
  Result.getOrThrow(Portfolio.enter(self, id, entry, 1000))
const exit = (self: Portfolio.Portfolio, id: string, leaving: Fill) =>
  Result.getOrThrow(Portfolio.exit(self, id, leaving, 2000))
const lotOf = (self: Portfolio.Portfolio, id: string) => self.lots.get(id) ?? assert.fail(`no lot ${id}`)
const order = (id: string, amount: string, price: string, more: Partial<Portfolio.Entry> = {}) => ({
  id,
  product: "BTC-USD",
  direction: "long" as const,
  amount: decimal(amount),
  price: decimal(price),
  ...more
})
const admit = (self: Portfolio.Portfolio, entry: Portfolio.Entry) => Result.getOrThrow(Portfolio.admit(self, entry))
const refusal = (self: Portfolio.Portfolio, entry: Portfolio.Entry) =>
  Result.getOrThrow(Result.flip(Portfolio.admit(self, entry)))
const reasonOf = (result: Result.Result<unknown, Lot.Unbookable>) => Result.getOrThrow(Result.flip(result)).reason

describe("a portfolio", () => {
  it("is worth its money and its lots at the newest price, at once", () => {
    const bought = enter(make(), "a", fill("buy", "0.5", "100.0", { fee: "0.05" }))
    assert.strictEqual(text(bought.cash), "9949.95")
    assert.strictEqual(text(bought.total), "9999.95")
    const up = Portfolio.mark(bought, "BTC-USD", decimal("110"))
    assert.strictEqual(text(up.total), "10004.95")
    assert.strictEqual(text(Portfolio.unrealized(up)), "5")
    assert.strictEqual(text(Lot.value(lotOf(up, "a"), decimal("110"))), "55")
    assert.deepStrictEqual(Portfolio.violations(up), [])
    assert.strictEqual(text(bought.total), "9999.95")
  })

  it("is worth what its first lot of a product cost, whatever the price was before", () => {
    const bought = enter(Portfolio.mark(make(), "BTC-USD", decimal("500")), "a", fill("buy", "1", "100"))
    assert.strictEqual(text(bought.total), "10000")
    const more = enter(Portfolio.mark(bought, "BTC-USD", decimal("110")), "b", fill("buy", "1", "112"))
    assert.strictEqual(text(more.total), "10008")
  })

  it("sets a short's cost aside, and gains where the price falls", () => {
    const sold = enter(make(), "a", fill("sell", "2", "100"))
    assert.strictEqual(text(sold.cash), "9800")
    assert.strictEqual(text(sold.total), "10000")
    const down = Portfolio.mark(sold, "BTC-USD", decimal("90"))
    assert.strictEqual(text(down.total), "10020")
    assert.strictEqual(text(Lot.value(lotOf(down, "a"), decimal("90"))), "220")
    const { closed, portfolio, realized } = exit(down, "a", fill("buy", "2", "95"))
    assert.strictEqual(text(realized), "10")
    assert.strictEqual(text(portfolio.cash), "10010")
    assert.strictEqual(text(portfolio.total), "10010")
    assert.strictEqual(closed?.direction, "short")
    assert.deepStrictEqual(Portfolio.violations(portfolio), [])
  })

  it("closes a lot in parts, each at its share of the cost", () => {
    const one = enter(make(), "a", fill("buy", "1", "100", { fee: "0.1" }))
    const both = enter(one, "a", fill("buy", "2", "103", { fee: "0.2" }))
    assert.strictEqual(text(lotOf(both, "a").entryPrice), "102")
    const part = exit(both, "a", fill("sell", "0.5", "110", { fee: "0.05" }))
    assert.strictEqual(text(part.realized), "4")
    assert.strictEqual(part.closed, undefined)
    assert.strictEqual(text(lotOf(part.portfolio, "a").amount), "2.5")
    assert.strictEqual(text(lotOf(part.portfolio, "a").cost), "255")
    assert.strictEqual(text(lotOf(part.portfolio, "a").entryPrice), "102")
    const whole = exit(part.portfolio, "a", fill("sell", "2.5", "101"))
    assert.strictEqual(text(whole.realized), "-2.5")
    assert.strictEqual(whole.portfolio.lots.size, 0)
    assert.strictEqual(text(whole.portfolio.realized), "1.5")
    assert.strictEqual(text(whole.portfolio.total), "10001.15")
    const { closed } = whole
    assert.strictEqual(text(closed?.realized), "1.5")
    assert.strictEqual(text(closed?.fees), "0.35")
    assert.strictEqual(text(closed?.entered), "3")
    assert.deepStrictEqual([closed?.openedAt, closed?.closedAt], [1000, 2000])
    assert.deepStrictEqual(whole.portfolio.closed, [closed ?? assert.fail()])
    assert.strictEqual(whole.portfolio.trades, 1)
  })

  it("rounds no part of a cost to fewer digits than what is traded", () => {
    const bought = enter(make(), "a", fill("buy", "1", "1"))
    const { portfolio, realized } = exit(bought, "a", fill("sell", "0.25", "1"))
    assert.strictEqual(text(realized), "0")
    assert.strictEqual(text(lotOf(portfolio, "a").cost), "0.75")
    // A third of 20, to the two digits of the price.
    const uneven = enter(enter(make(), "a", fill("buy", "2", "5")), "a", fill("buy", "1", "10"))
    assert.strictEqual(text(exit(uneven, "a", fill("sell", "1", "7.00")).realized), "0.33")
    assert.strictEqual(Decimal.format(lotOf(uneven, "a").entryPrice), "6.66666667")
    assert.strictEqual(Decimal.format(lotOf(bought, "a").entryPrice), "1")
  })

  it("takes a fee in another asset from no money, and keeps it", () => {
    const bought = enter(make(), "a", fill("buy", "1", "100", { fee: "0.001", feeAsset: "BNB" }))
    assert.strictEqual(text(bought.cash), "9900")
    assert.strictEqual(text(lotOf(bought, "a").fees), "0")
    assert.deepStrictEqual([...bought.fees].map(([asset, fee]) => [asset, text(fee)]), [["BNB", "0.001"]])
    assert.deepStrictEqual(Portfolio.violations(bought), [])
  })

  it("has of spot what a fee in it has left, at the same cost", () => {
    const fee = { fee: "0.2", feeAsset: "BTC" }
    const buy = (self: Portfolio.Portfolio, entry: Fill, base?: string) =>
      Result.getOrThrow(Portfolio.enter(self, "a", entry, 1000, base))
    const bought = buy(make(), fill("buy", "1", "100", fee), "BTC")
    assert.strictEqual(text(bought.cash), "9900")
    const { amount, cost, entered, entryPrice, fees } = lotOf(bought, "a")
    assert.deepStrictEqual([amount, entered, cost, entryPrice, fees].map(text), ["0.8", "1", "100", "125", "0"])
    assert.deepStrictEqual(Portfolio.violations(bought), [])
    const { portfolio, realized } = exit(bought, "a", fill("sell", "0.8", "150"))
    assert.deepStrictEqual([text(portfolio.total), text(realized), portfolio.lots.size], ["10020", "20", 0])
    // An average has as many digits as without such a fee.
    const tiny = buy(make(), fill("buy", "1000", "0.0000012345", { ...fee, fee: "0.700000000001" }), "BTC")
    assert.strictEqual(Decimal.format(lotOf(tiny, "a").entryPrice), "0.000001235364755329")
    const all = Portfolio.enter(make(), "a", fill("buy", "1", "100", { ...fee, fee: "1" }), 1, "BTC")
    assert.match(reasonOf(all), /its fee is all of 1/)
    // What is no spot, what is sold and what is paid otherwise is as it was traded.
    for (
      const [side, base, feeAsset] of [["buy", undefined, "BTC"], ["sell", "BTC", "BTC"], [
        "buy",
        "BTC",
        "BNB"
      ]] as const
    ) {
      assert.strictEqual(text(lotOf(buy(make(), fill(side, "1", "100", { ...fee, feeAsset }), base), "a").amount), "1")
    }
  })

  for (const [side, other] of [["buy", "sell"], ["sell", "buy"]] as const) {
    it(`gives up the rest of what a ${side} has entered: its cost is lost`, () => {
      const entered = Portfolio.mark(enter(make(), "a", fill(side, "1.5", "100")), "BTC-USD", decimal("120"))
      const { portfolio: before } = exit(entered, "a", fill(other, "1.4", "100"))
      const { closed, portfolio, realized } = Portfolio.writeOff(before, "a", 3000)
      assert.deepStrictEqual([text(realized), text(closed?.realized), closed?.closedAt], ["-10", "-10", 3000])
      assert.deepStrictEqual([portfolio.lots.size, portfolio.trades, text(portfolio.total)], [0, 1, "9990"])
      assert.deepStrictEqual(Portfolio.violations(portfolio), [])
      assert.deepStrictEqual(Portfolio.writeOff(portfolio, "a", 3000).portfolio, portfolio)
    })
  }

  it("has a stop 5 % and a target 10 % from a lot's average, on the side that belongs to it", () => {
    const long = lotOf(enter(enter(make(), "a", fill("buy", "1", "100")), "a", fill("buy", "1", "200")), "a")
    assert.deepStrictEqual([text(long.stop), text(long.target)], ["142.5", "165"])
    const short = lotOf(enter(make(), "a", fill("sell", "1", "100")), "a")
    assert.deepStrictEqual([text(short.stop), text(short.target)], ["105", "90"])
    const other = { stop: decimal("0.01"), target: undefined }
    const own = lotOf(enter(make(other), "a", fill("buy", "1", "100")), "a")
    assert.deepStrictEqual([text(own.stop), own.target], ["99", undefined])
  })

  it("tells the lots whose stop or target a price reaches, the stop first", () => {
    const long = enter(make(), "long", fill("buy", "1", "100"))
    const both = enter(long, "short", fill("sell", "1", "100"))
    const at = (price: string, product = "BTC-USD") =>
      Portfolio.triggered(both, product, decimal(price)).map(({ by, lot }) => [lot.id, by])
    assert.deepStrictEqual(at("95.01"), [])
    assert.deepStrictEqual(at("95"), [["long", "stop"]])
    assert.deepStrictEqual(at("90"), [["long", "stop"], ["short", "target"]])
    assert.deepStrictEqual(at("104.99"), [])
    assert.deepStrictEqual(at("105"), [["short", "stop"]])
    assert.deepStrictEqual(at("110"), [["long", "target"], ["short", "stop"]])
    assert.deepStrictEqual(at("1", "ETH-USD"), [])
    // A lot whose target lies behind its stop.
    const odd = enter(make({ stop: decimal("-0.5"), target: decimal("0.1") }), "a", fill("buy", "1", "100"))
    assert.deepStrictEqual(Portfolio.triggered(odd, "BTC-USD", decimal("120")).map(({ by }) => by), ["stop"])
  })

  it("books a fill once, also after its lot is closed, and a late one to the lot anew", () => {
    const first = fill("buy", "1", "100")
    const bought = enter(make(), "a", first)
    assert.strictEqual(enter(bought, "a", first), bought)
    const last = fill("sell", "1", "110")
    const { portfolio } = exit(bought, "a", last)
    assert.strictEqual(enter(portfolio, "a", first), portfolio)
    assert.strictEqual(exit(portfolio, "a", last).portfolio, portfolio)
    const late = enter(portfolio, "a", fill("buy", "0.5", "100"))
    assert.strictEqual(text(lotOf(late, "a").amount), "0.5")
    assert.deepStrictEqual(Portfolio.violations(late), [])
  })

  it("refuses what belongs to no lot in such a way, and says why", () => {
    const bought = enter(make(), "a", fill("buy", "1", "100"))
    const entering = (entry: Fill) => reasonOf(Portfolio.enter(bought, "a", entry, 0))
    const leaving = (fill: Fill, id = "a") => reasonOf(Portfolio.exit(bought, id, fill, 0))
    assert.strictEqual(entering(fill("sell", "1", "100")), "a sell does not enter a long")
    assert.strictEqual(entering(fill("buy", "0", "100")), "0 at 100")
    assert.strictEqual(entering(fill("buy", "1", "-1")), "1 at -1")
    assert.strictEqual(
      entering(fill("buy", "1", "100", { exchange: "there" })),
      "it is of BTC-USD at there, the lot of BTC-USD at here"
    )
    assert.strictEqual(
      leaving(fill("sell", "1", "100", { product: "ETH-USD" })),
      "it is of ETH-USD at here, the lot of BTC-USD at here"
    )
    assert.strictEqual(leaving(fill("sell", "1.1", "100")), "1.1 of 1")
    assert.strictEqual(leaving(fill("buy", "1", "100")), "a buy does not close a long")
    assert.strictEqual(leaving(fill("sell", "0", "100")), "0 at 100")
    assert.strictEqual(leaving(fill("sell", "1", "100"), "b"), "there is no such lot")
    const error = new Lot.Unbookable({ id: "a", reason: "so\n" })
    assert.strictEqual(error.message, "a fill of lot a cannot be booked: so\\u000a")
  })

  it("keeps closed trades oldest first, those of one instant by their ids, in whatever order they were booked", () => {
    const closes = [["a", 2_000], ["b", 2_000], ["c", 1_000]] as const
    const booked = (order: ReadonlyArray<(typeof closes)[number]>) => {
      let portfolio = make({ recent: 2 })
      for (const [id] of closes) portfolio = enter(portfolio, id, fill("buy", "1", "1"))
      for (const [id, at] of order) {
        portfolio = Result.getOrThrow(Portfolio.exit(portfolio, id, fill("sell", "1", "2"), at)).portfolio
      }
      return portfolio.closed.map(({ id }) => id)
    }
    assert.deepStrictEqual(booked(closes), ["a", "b"])
    assert.deepStrictEqual(booked(closes.toReversed()), ["a", "b"])
  })

  it("keeps the latest closed trades, and counts all", () => {
    let portfolio = make({ recent: 2 })
    for (const id of ["a", "b", "c"]) {
      portfolio = exit(enter(portfolio, id, fill("buy", "1", "1")), id, fill("sell", "1", "2")).portfolio
    }
    assert.deepStrictEqual(portfolio.closed.map(({ id }) => id), ["b", "c"])
    assert.strictEqual(make().limits.recent, 100)
    assert.strictEqual(portfolio.trades, 3)
    assert.strictEqual(text(portfolio.realized), "3")
  })
})

describe("an order that is admitted", () => {
  it("sets aside what it may cost until it is filled or over", () => {
    const asked = admit(make(), order("a", "2", "100", { fee: decimal("1") }))
    assert.strictEqual(text(Portfolio.available(asked)), "9799")
    assert.strictEqual(text(asked.cash), "10000")
    assert.strictEqual(text(asked.total), "10000")
    const part = enter(asked, "a", fill("buy", "0.5", "99", { fee: "0.2" }))
    assert.strictEqual(text(part.cash), "9950.3")
    assert.strictEqual(text(Portfolio.available(part)), "9799.55")
    assert.strictEqual(text(Portfolio.available(Portfolio.release(part, "a"))), "9950.3")
    const whole = enter(part, "a", fill("buy", "1.5", "100"))
    assert.strictEqual(whole.entries.size, 0)
    assert.strictEqual(Portfolio.release(whole, "a"), whole)
  })

  it("gives its lot the product's name, whatever the exchange's symbol", () => {
    const asked = admit(make(), order("a", "1", "100"))
    const bought = enter(asked, "a", fill("buy", "1", "100", { product: "XBTUSD" }))
    const { product, symbol } = lotOf(bought, "a")
    assert.deepStrictEqual([product, symbol], ["BTC-USD", "XBTUSD"])
    assert.strictEqual(text(Portfolio.mark(bought, "BTC-USD", decimal("101")).total), "10001")
  })

  it("is of at most 5 lots, 3 of a product, open entries among them", () => {
    let portfolio = make()
    for (const id of ["a", "b"]) portfolio = enter(portfolio, id, fill("buy", "1", "1"))
    portfolio = admit(portfolio, order("c", "1", "1"))
    assert.deepStrictEqual(
      refusal(portfolio, order("d", "1", "1")),
      { _tag: "LotsOfProduct", product: "BTC-USD", count: 4, most: 3 }
    )
    for (const id of ["d", "e"]) portfolio = admit(portfolio, order(id, "1", "1", { product: "ETH-USD" }))
    assert.deepStrictEqual(
      refusal(portfolio, order("f", "1", "1", { product: "ETH-USD" })),
      { _tag: "Lots", count: 6, most: 5 }
    )
    // Its own lot counts once.
    assert.isTrue(Result.isSuccess(Portfolio.admit(portfolio, order("a", "1", "1"))))
    assert.isTrue(
      Result.isSuccess(Portfolio.admit(Portfolio.release(portfolio, "e"), order("f", "1", "1", { product: "ETH-USD" })))
    )
  })

  it("exposes at most 0.8 of the total, lots and open entries together, at their marks", () => {
    const half = Portfolio.mark(enter(make(), "a", fill("buy", "50", "100")), "BTC-USD", decimal("120"))
    // 6,000 of 11,000 are in the lot.
    assert.approximately(Portfolio.exposure(half), 6 / 11, 1e-12)
    const eth = { product: "ETH-USD" }
    const asked = admit(half, order("b", "20", "100", eth))
    assert.isTrue(Result.isSuccess(Portfolio.admit(asked, order("c", "8", "100", eth))))
    const refused = refusal(asked, order("c", "8.0001", "100", eth))
    assert.strictEqual(refused._tag, "Exposure")
  })

  it("of a short, or below the mark, counts at the mark", () => {
    const marked = Portfolio.mark(make(), "BTC-USD", decimal("110"))
    for (const direction of ["long", "short"] as const) {
      const asked = admit(marked, order("a", "10", "100", { direction }))
      assert.strictEqual(text(Portfolio.available(asked)), "8900")
    }
  })

  it("needs the money that it may cost", () => {
    const all = make({ maxExposure: decimal("10") })
    const refused = refusal(all, order("a", "100", "100", { fee: decimal("0.01") }))
    assert.strictEqual(refused._tag === "Cash" ? text(refused.cash) : refused._tag, "-0.01")
    const asked = admit(all, order("a", "100", "100"))
    assert.strictEqual(refusal(asked, order("b", "0.001", "1"))._tag, "Cash")
  })

  it("has an amount and a price above zero", () => {
    assert.strictEqual(refusal(make(), order("a", "0", "1"))._tag, "Terms")
    assert.strictEqual(refusal(make(), order("a", "1", "0"))._tag, "Terms")
  })
})

describe("what does not hold of a portfolio", () => {
  const bought = enter(make(), "a", fill("buy", "1", "100"))
  const tagsOf = (portfolio: Portfolio.Portfolio) => Portfolio.violations(portfolio).map(({ _tag }) => _tag)

  it("is an exposure that a price made too large: told, and no error", () => {
    const large = enter(make(), "a", fill("sell", "70", "100"))
    assert.deepStrictEqual(tagsOf(large), [])
    const up = Portfolio.mark(large, "BTC-USD", decimal("115"))
    assert.deepStrictEqual(tagsOf(up), ["Exposure"])
    assert.strictEqual(text(up.total), "8950")
    const nothing = Portfolio.mark(enter(make(), "a", fill("sell", "100", "100")), "BTC-USD", decimal("200"))
    assert.strictEqual(text(nothing.total), "0")
    assert.strictEqual(Portfolio.exposure(nothing), Infinity)
    assert.deepStrictEqual(tagsOf(nothing), ["Exposure"])
    const ruined = Portfolio.mark(large, "BTC-USD", decimal("300"))
    assert.strictEqual(Portfolio.exposure(ruined), Infinity)
    assert.deepStrictEqual(tagsOf(ruined), ["Exposure"])
  })

  it("is named, whatever it is", () => {
    const [violation] = Portfolio.violations({ ...bought, total: decimal("1") })
    assert.strictEqual(violation?._tag === "Total" ? text(violation.expected) : violation?._tag, "10000")
    assert.deepStrictEqual(tagsOf({ ...bought, opening: decimal("1") }), ["Total"])
    assert.deepStrictEqual(tagsOf({ ...bought, realized: decimal("1") }), ["Total"])
    assert.deepStrictEqual(tagsOf(enter(make(), "a", fill("buy", "101", "100"))), ["Cash", "Exposure"])
    const one = enter(make({ maxExposure: decimal("1") }), "a", fill("buy", "9999", "1"))
    assert.deepStrictEqual(tagsOf(one), [])
    assert.deepStrictEqual(tagsOf(enter(one, "a", fill("buy", "1", "1"))), [])
    const lots = (count: number, product: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => index).reduce(
        (self, index) => enter(self, String(index), fill("buy", "1", "1", { product: product(index) })),
        make()
      )
    assert.deepStrictEqual(tagsOf(lots(6, (index) => `product ${index}`)), ["Lots"])
    assert.deepStrictEqual(tagsOf(lots(4, () => "BTC-USD")), ["LotsOfProduct"])
    const lot = lotOf(bought, "a")
    const withLot = (terms: Partial<Lot.Lot>) => tagsOf({ ...bought, lots: new Map([["a", { ...lot, ...terms }]]) })
    assert.deepStrictEqual(withLot({ entryPrice: decimal("0") }), ["Terms"])
    assert.include(withLot({ amount: decimal("0") }), "Terms")
  })
})
