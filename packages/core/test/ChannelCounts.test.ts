import { assert, it } from "@effect/vitest"
import * as Channel from "@tickline/core/value/Channel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ChannelCounts from "../src/market/internal/channelCounts.ts"

it.effect("asks for a channel when its first consumer comes, and gives it up when its last one leaves", () =>
  Effect.gen(function*() {
    const calls: Array<string> = []
    const record = (what: string) => (channels: ReadonlyArray<Channel.Channel>) =>
      Effect.sync(() => void calls.push(`${what} ${channels.map(({ channel }) => channel).join()}`))
    const subscriptions = ChannelCounts.make({ subscribe: record("subscribe"), unsubscribe: record("unsubscribe") })
    const want = Effect.fnUntraced(function*(...names: ReadonlyArray<string>) {
      const scope = yield* Scope.make()
      yield* Scope.provide(subscriptions.want(names.map((name) => Channel.make(name))), scope)
      return Scope.close(scope, Exit.void)
    })
    const counts = Effect.map(subscriptions.counts, (counts) => Object.fromEntries(counts))
    const first = yield* want("a", "b")
    const second = yield* want("b", "c")
    const third = yield* want("b")
    assert.deepStrictEqual(yield* counts, { a: 1, b: 3, c: 1 })
    yield* first
    yield* second
    assert.deepStrictEqual(yield* counts, { b: 1 })
    yield* third
    assert.deepStrictEqual(yield* counts, {})
    assert.deepStrictEqual(calls, [
      "subscribe a,b",
      "subscribe c",
      "subscribe ",
      "unsubscribe a",
      "unsubscribe c",
      "unsubscribe b"
    ])
  }))
