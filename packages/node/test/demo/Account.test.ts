import { assert, describe, it } from "@effect/vitest"
import * as Account from "@tickline/node/demo/Account"

const sent = (...ats: ReadonlyArray<number>): ReadonlyArray<Account.Sent> =>
  ats.map((at) => ({ product: "A", id: String(at), at }))

/** What arrived, each 1 ms after it was sent, at the places 10, 20, 30, …; a gap can stand between. */
const received = (...ids: ReadonlyArray<number>): ReadonlyArray<Account.Received> =>
  ids.map((id, index) => ({ product: "A", id: String(id), at: id + 1, place: (index + 1) * 10 }))

const gap = (from: number | undefined, to: number | undefined, place: number): Account.DeclaredGap => ({
  product: "A",
  from,
  to,
  place
})

const draw = (books: Partial<Account.Books>) => {
  const [account] = Account.draw({ sent: [], received: [], gaps: [], transitMillis: 0, ...books })
  assert.isDefined(account)
  return account
}

const figures = ({ delivered, duplicates, lost, sent, unexplained, unknown }: Account.DemoReport) => ({
  sent,
  delivered,
  duplicates,
  lost,
  unexplained: unexplained.map(({ id }) => id),
  unknown: unknown.map(({ id }) => id)
})

describe("the account", () => {
  it("balances where everything arrives", () => {
    const account = draw({ sent: sent(1, 2, 3), received: received(1, 2, 3) })
    assert.isTrue(account.isBalanced)
    assert.deepStrictEqual(figures(account), {
      sent: 3,
      delivered: 3,
      duplicates: 0,
      lost: 0,
      unexplained: [],
      unknown: []
    })
  })

  it("begins with the first that arrives: what was sent before nobody listened to", () => {
    assert.deepStrictEqual(figures(draw({ sent: sent(1, 2, 3), received: received(2, 3) })).sent, 2)
  })

  it("balances where what is lost lies inside a declared gap", () => {
    const account = draw({ sent: sent(1, 5, 6, 9), received: received(1, 9), gaps: [gap(2, 8, 15)] })
    assert.isTrue(account.isBalanced)
    assert.deepStrictEqual([account.sent, account.delivered, account.lost], [4, 2, 2])
  })

  it("does not balance where something is lost in silence", () => {
    const account = draw({ sent: sent(1, 5, 9), received: received(1, 9) })
    assert.isFalse(account.isBalanced)
    assert.deepStrictEqual(figures(account).unexplained, ["5"])
  })

  it("does not balance where the gap was declared at another time", () => {
    for (const [from, to] of [[6, 8], [2, 4]]) {
      const account = draw({ sent: sent(1, 5, 9), received: received(1, 9), gaps: [gap(from, to, 15)] })
      assert.deepStrictEqual(figures(account).unexplained, ["5"], `${from} to ${to}`)
    }
  })

  it("does not balance where the gap was declared at another place, whatever its times say", () => {
    for (const place of [5, 25]) {
      const account = draw({ sent: sent(1, 5, 9), received: received(1, 9), gaps: [gap(2, 8, place)] })
      assert.deepStrictEqual(figures(account).unexplained, ["5"], `place ${place}`)
    }
  })

  it("does not take another product's gap", () => {
    const account = draw({ sent: sent(1, 5, 9), received: received(1, 9), gaps: [{ ...gap(2, 8, 15), product: "B" }] })
    assert.isFalse(account.isBalanced)
  })

  it("allows for what a message is under way", () => {
    const books = { sent: sent(1, 5, 9), received: received(1, 9), gaps: [gap(6, 8, 15)] }
    assert.isFalse(draw(books).isBalanced)
    assert.isTrue(draw({ ...books, transitMillis: 1 }).isBalanced)
  })

  it("takes a gap without an end for one that is still open", () => {
    const account = draw({ sent: sent(1, 5, 9), received: received(1), gaps: [gap(2, undefined, 15)] })
    assert.isTrue(account.isBalanced)
    assert.strictEqual(account.lost, 2)
  })

  it("counts a second copy as a duplicate, and does not balance on one that was sent once", () => {
    const twice = draw({ sent: sent(1, 2, 2, 3), received: received(1, 2, 2, 3) })
    assert.isTrue(twice.isBalanced)
    assert.deepStrictEqual([twice.sent, twice.delivered, twice.duplicates], [4, 3, 1])
    const once = draw({ sent: sent(1, 2, 3), received: received(1, 2, 2, 3) })
    assert.isFalse(once.isBalanced)
    assert.deepStrictEqual(figures(once).unknown, ["2"])
  })

  it("knows a copy that was lost in a gap from the copy that greets after it", () => {
    // 5 is lost while down; on coming back the venue greets with it once more, at 8.
    const account = draw({
      sent: [...sent(1, 5), { product: "A", id: "5", at: 8 }, ...sent(9)],
      received: [
        { product: "A", id: "1", at: 2, place: 10 },
        { product: "A", id: "5", at: 8, place: 20 },
        { product: "A", id: "9", at: 9, place: 30 }
      ],
      gaps: [gap(2, 7, 15)]
    })
    assert.isTrue(account.isBalanced)
    assert.deepStrictEqual([account.sent, account.delivered, account.duplicates, account.lost], [4, 3, 0, 1])
  })

  it("draws one account for each product", () => {
    const accounts = Account.draw({
      sent: [{ product: "B", id: "1", at: 1 }, ...sent(1, 2)],
      received: [...received(1, 2), { product: "B", id: "1", at: 1, place: 1 }],
      gaps: [],
      transitMillis: 0
    })
    assert.deepStrictEqual(accounts.map(({ delivered, product }) => [product, delivered]), [["B", 1], ["A", 2]])
  })
})
