/**
 * Processes that place orders and are killed outright: `TICKLINE_KILLS=50` (`pnpm kills`) for more of them than the suite
 * has.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Databases from "./Databases.ts"

const kills = Number(process.env["TICKLINE_KILLS"] ?? 2)

const placer = fileURLToPath(new URL("./OrderPlacer.ts", import.meta.url))

/** Runs a process: until so many milliseconds after something holds, or until it ends by itself. */
const run = (args: ReadonlyArray<string>, killed?: { readonly after: () => boolean; readonly millis: number }) =>
  Effect.promise(() =>
    new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [placer, ...args], { stdio: ["ignore", "ignore", "pipe"] })
      let complaint = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaint += text
      })
      const looking = setInterval(() => {
        if (killed?.after() !== true) return
        clearInterval(looking)
        setTimeout(() => child.kill("SIGKILL"), killed.millis)
      }, 5)
      child.on("close", (code, signal) => {
        clearInterval(looking)
        if (killed === undefined ? code === 0 : signal === "SIGKILL") resolve()
        else reject(new Error(`it ended with ${code}: ${complaint}`))
      })
    })
  )

const pool = { capacity: 100_000, perSecond: 100_000, cost: 1 }
const pools = { matching: pool, cancel_all: pool, non_matching: pool, subscribe: pool }

/** An exchange of its own, on which the market moves. */
const serve = Effect.gen(function*() {
  const exchange = MockDeribitExchange.make({ pools })
  const products = [{ symbol: "BTC-PERPETUAL", price: "43250.0", size: "1000" }]
  const { url } = yield* MockServer.make({ venue: exchange.venue, rate: 50, products })
  return { exchange, url }
})

/** Some answers are lost, some come late. */
const disturb = (exchange: MockDeribitExchange.MockDeribitExchange, chance: Chance.Chance) => {
  for (const method of ["private/buy", "private/sell"]) {
    const lost = chance.integer(2) === 0 ? "Withhold" : "Cut"
    const calls = chance.integer(3)
    if (calls > 0) exchange.fault({ _tag: lost, method, calls, takenAfter: chance.integer(300) })
    exchange.fault({ _tag: "Delay", method, millis: chance.integer(100), calls: chance.integer(4) })
  }
}

/** What was sent to an exchange, by our ids. */
const sentTo = (exchange: MockDeribitExchange.MockDeribitExchange) =>
  exchange.received().flatMap(({ label = "none", method }) =>
    method === "private/buy" || method === "private/sell" ? [label] : []
  )

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`Orders of a process that is killed: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      it.effect("are all known and reconciled, and none is at an exchange twice", () =>
        Effect.gen(function*() {
          const database = yield* Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)
          const [one, two] = [yield* serve, yield* serve]
          const addresses = [database.address, one.url, two.url]
          for (let seed = 1; seed <= kills; seed++) {
            const chance = Chance.make(seed)
            disturb(one.exchange, chance)
            disturb(two.exchange, chance)
            const isAway = seed % 5 === 0
            one.exchange.maintenance(isAway)
            // Each is sent two more, however slow the machine is.
            const due = [one, two].map(({ exchange }) => sentTo(exchange).length + 2)
            const after = () =>
              [one, two].every(({ exchange }, i) =>
                (isAway && exchange === one.exchange) || sentTo(exchange).length >= (due[i] ?? 0)
              )
            yield* run([...addresses, "place", `${seed}`], { after, millis: chance.integer(1_200) })
          }
          one.exchange.maintenance(false)
          yield* run([...addresses, "settle", "0"])

          const storage = Context.get(
            yield* Layer.build(Layer.provide(SqlStorage.layer, database.client)),
            Storage.Storage
          )
          const stored = yield* Stream.runCollect(storage.orders())
          const positions = yield* storage.positions
          for (const [route, { exchange }] of [["one", one], ["two", two]] as const) {
            const orders = new Map(
              stored.flatMap(({ value }) => value.exchange === route ? [[value.request.clientId, value]] : [])
            )
            const sent = sentTo(exchange)
            assert.isAbove(sent.length, kills)
            assert.strictEqual(new Set(sent).size, sent.length, "none is sent twice")
            for (const label of sent) assert.isTrue(orders.has(label), `${label} is stored`)
            for (const [clientId, order] of orders) {
              const [there, ...others] = exchange.orders(clientId)
              assert.deepStrictEqual(others, [])
              const state = order.status === "rejected" ? "absent" : order.status
              assert.deepStrictEqual(
                [state, Decimal.format(order.filled), order.fills.length],
                there === undefined
                  ? ["absent", "0", 0]
                  : [there.state, Decimal.format(there.filled), there.trades.length],
                clientId
              )
            }
            const position = positions.find((position) => position.exchange === route)?.amount ?? Decimal.zero
            const held = exchange.holdings("AMANDA").positions.get("BTC-PERPETUAL") ?? Decimal.zero
            assert.strictEqual(Decimal.format(position), Decimal.format(held))
          }
          // What was asked for once is not filled twice, wherever.
          const filled = Map.groupBy(stored, ({ of }) => of)
          for (const [clientId, parts] of filled) {
            const asked = parts.find(({ value }) => value.request.clientId === clientId)?.value.amount
            const sum = parts.reduce((sum, { value }) => BigDecimal.sum(sum, value.filled), Decimal.zero)
            assert.isTrue(asked !== undefined && BigDecimal.isLessThanOrEqualTo(sum, asked), clientId)
          }
          const kinds = (yield* Stream.runCollect(storage.decisions())).map(({ value }) => value.kind)
          assert.include(kinds, "route")
          assert.notInclude(kinds, "contradiction")
        }), 20_000 * (kills + 2))
    })
  })
}
