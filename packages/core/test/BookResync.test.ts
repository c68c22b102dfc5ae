import { assert, describe, it } from "@effect/vitest"
import * as Channel from "@tickline/core/value/Channel"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as BookResync from "../src/market/internal/bookResync.ts"

const bookOf = (product: string, ...channels: ReadonlyArray<string>): BookResync.Subscribed => ({
  by: new Map(channels.map((name) => [`${name} ${product}`, { channel: Channel.make(name, product) }]))
})

/** What was asked for and when, in seconds, until a time. */
const askedFor = (
  books: ReadonlyArray<BookResync.Subscribed>,
  isWanted: (book: BookResync.Subscribed, now: number) => boolean,
  waitMillis: number
) =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    let now = 0
    const resubscribe = (channels: ReadonlyArray<Channel.Channel>) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        asked.push(`${at / 1_000} ${channels.map(({ channel, product }) => `${channel}/${product}`).join(" ")}`)
      })
    yield* Effect.forkChild(
      BookResync.resync(books, { resubscribe, isWanted: (book) => isWanted(book, now) }, waitMillis),
      { startImmediately: true }
    )
    for (; now < 300; now++) yield* TestClock.adjust("1 second")
    return asked
  })

describe("BookResync", () => {
  it.effect("asks after so long, and again after twice as long each time, up to a minute", () =>
    Effect.gen(function*() {
      const asked = yield* askedFor([bookOf("A", "book")], () => true, BookResync.firstWaitMillis)
      assert.deepStrictEqual(asked, ["10", "30", "70", "130", "190", "250"].map((at) => `${at} book/A`))
    }))

  it.effect("asks at once for what is broken, and then as usual", () =>
    Effect.gen(function*() {
      const asked = yield* askedFor([bookOf("A", "book")], () => true, 0)
      assert.deepStrictEqual(asked.slice(0, 3), ["0 book/A", "10 book/A", "30 book/A"])
    }))

  it.effect("asks for each channel that has such a book, and only while it is wanted", () =>
    Effect.gen(function*() {
      const [one, other] = [bookOf("A", "book10", "book100"), bookOf("B", "book10")]
      const asked = yield* askedFor([one, other], (book, now) => now < (book === one ? 40 : 20), 10_000)
      assert.deepStrictEqual(asked, ["10 book10/A book100/A book10/B", "30 book10/A book100/A"])
    }))
})
