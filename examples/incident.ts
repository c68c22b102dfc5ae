/**
 * An incident becomes a test: a recording of production, here one in which a
 * change of a book was lost and the connection dropped, runs through the code
 * that runs live, and says the same every time.
 *
 * Run: npx -y pnpm@12 exec node examples/incident.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { type ConnectError, Deribit, MarketFeed, type OrderBook, Reconnection, Replay } from "@tickline/core"
import { Console, Effect, Logger, type Scope, Stream } from "effect"
import { readFileSync } from "node:fs"

/** What an application does with a book: here it counts how its states follow each other. */
export const watch = (
  feed: MarketFeed.MarketFeed["Service"],
  onState: (state: OrderBook.OrderBook["_tag"]) => void
): Effect.Effect<void, MarketFeed.UnknownChannel | ConnectError.ConnectionClosed, Scope.Scope> =>
  feed.observeBook("BTC-PERPETUAL", (book) => onState(book._tag))

/** What the application did in the recording at the path. */
export const replayed = (path: string) =>
  Effect.gen(function*() {
    const lines = readFileSync(path, "utf8").split("\n")
    const replay = yield* Replay.make(Stream.fromIterable(lines))
    return yield* replay.run(
      Effect.gen(function*() {
        const told: Array<string> = []
        const feed = yield* MarketFeed.prepare(Deribit.venue)
        yield* watch(feed, (state) => {
          if (told.at(-1) !== state) told.push(state)
        })
        yield* Effect.forkScoped(feed.connection.connect)
        yield* replay.ended
        return told
      }).pipe(Effect.provide(Reconnection.layerWithBreaker()))
    )
  })

export const incident = new URL("./recordings/incident.jsonl", import.meta.url).pathname

if (import.meta.main) {
  NodeRuntime.runMain(
    Effect.flatMap(replayed(incident), (states) => Console.log(states.join(" → "))).pipe(
      Effect.provide(Logger.layer([]))
    )
  )
}
