/**
 * A trader that runs and is killed outright, at two exchanges that outlive it: `TICKLINE_KILLS=50` (`pnpm kills`) for
 * more of them than the suite has.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Order from "@tickline/core/trading/Order"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { freePort } from "../../FreePort.ts"
import * as Databases from "../../store/Databases.ts"
import * as TraderRig from "./TraderRig.ts"

const kills = Number(process.env["TICKLINE_KILLS"] ?? 3)

const bin = Path.join(import.meta.dirname, "../../../src/bin.ts")

interface Said {
  readonly _tag: string
  readonly exchange: string
  readonly clientId: string
  readonly tradeId?: string
  readonly side?: string
}

interface Run {
  readonly child: ChildProcess
  readonly said: () => ReadonlyArray<Said>
  readonly complaint: () => string
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** The lines that are whole: the last may be cut off by the kill. */
const linesOf = (text: string): ReadonlyArray<Said> =>
  text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))

const run = (env: Record<string, string>, ...args: ReadonlyArray<string>): Run => {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env }
  })
  const texts = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text
    })
  }
  return {
    child,
    said: () => linesOf(texts.stdout),
    complaint: () => texts.stderr,
    ended: new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })))
  }
}

const until = (is: () => boolean): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (!is()) yield* Effect.sleep(20)
  })

const serve = Effect.gen(function*() {
  const coinbase = MockCoinbaseAdvanced.make({ requestsPerSecond: 10_000 })
  const hyperliquid = MockHyperliquidExchange.make()
  const one = yield* MockServer.make({
    venue: coinbase.venue,
    rate: 60,
    seed: 7,
    products: [{ symbol: "BTC-USD", price: "43250.10", size: "0.05000000" }]
  })
  const two = yield* MockServer.make({
    venue: hyperliquid.venue,
    rate: 60,
    seed: 8,
    products: [{ symbol: "BTC", price: "43250.0", size: "0.05000" }]
  })
  return { coinbase, hyperliquid, one, two }
})

type World = Effect.Success<typeof serve>

/** Some answers are lost, some come late. */
const disturb = ({ coinbase, hyperliquid }: World, chance: Chance.Chance) => {
  const trouble = (call: string) => {
    const lost = chance.integer(2) === 0 ? "Withhold" : "Cut"
    const calls = chance.integer(2)
    return [
      ...calls > 0 ? [{ _tag: lost, call, calls, takenAfter: chance.integer(300) } as const] : [],
      { _tag: "Delay", call, calls: chance.integer(3), millis: chance.integer(150) } as const
    ]
  }
  trouble("POST orders").forEach((fault) => coinbase.fault(fault))
  trouble("order").forEach((fault) => hyperliquid.fault(fault))
}

const configOf = ({ one, two }: World, port: number, history: string): string => `
[http]
port = ${port}
[venues.coinbase]
url = "${one.url}"
products = ["BTC-USD"]
[exchanges.coinbase]
url = "${one.httpUrl}"
[exchanges.hyperliquid]
url = "${two.httpUrl}"
[symbols.hyperliquid]
"BTC-USD" = "BTC"
[history]
${history}
[trader]
products = ["BTC-USD"]
strategy = "fast"
interval = "100ms"
capital = 100000
alike = ["USDC"]
routing = "round-robin"
time_in_force = "gtc"
patience = "2s"
[trader.limits]
share = 0.01
repeat_after = "100ms"
per_hour = 1000000
per_day = 1000000
slippage = 0.0001
max_lots = 50
max_per_product = 50
`

/** Each execution once, and, of both, what is not in the other. */
const keyOf = ({ exchange, side = "", tradeId = "" }: Said): string => `${exchange} ${tradeId} ${side}`

const format = (amount: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(amount))

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`A trader that is killed: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      it.effect(
        "goes on with what is open, sends nothing twice, and its history is that of the exchanges",
        () =>
          Effect.gen(function*() {
            const database = yield* Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)
            const folder = yield* TraderRig.folder
            const world = yield* serve
            const { coinbase, hyperliquid } = world
            const isPostgres = database.address.startsWith("postgres:")
            const env = {
              ...TraderRig.env,
              TICKLINE_HYPERLIQUID_KEY: "0x0123456789012345678901234567890123456789012345678901234567890123",
              TICKLINE_STATE: folder,
              HISTORY: database.address
            }
            const config = Path.join(folder, "trader.toml")
            const history = isPostgres ? "database_env = \"HISTORY\"" : `path = "${database.address}"`
            Fs.writeFileSync(config, configOf(world, yield* Effect.promise(freePort), history))
            const storage = Effect.map(
              Layer.build(Layer.provide(SqlStorage.layer, database.client)),
              (context) => Context.get(context, Storage.Storage)
            )
            const openNow = Effect.scoped(
              Effect.flatMap(storage, (storage) => Stream.runCollect(storage.orders({ only: "open" })))
            )

            const said: Array<Said> = []
            let wereOpen = 0
            for (let seed = 1; seed <= kills; seed++) {
              const chance = Chance.make(seed)
              disturb(world, chance)
              const trader = run(env, "run", "--config", config)
              // One of three ends while it begins; the others have traded.
              const hasBegun = () => trader.complaint() !== "" || trader.child.exitCode !== null
              const hasTraded = () => trader.said().some(({ _tag }) => _tag === "Acknowledged")
              yield* Effect.timeoutOption(until(seed % 3 === 0 ? hasBegun : hasTraded), "20 seconds")
              assert.isNull(trader.child.exitCode, trader.complaint())
              yield* Effect.sleep(chance.integer(1_000))
              trader.child.kill("SIGKILL")
              yield* Effect.promise(() => trader.ended)
              said.push(...trader.said())
              wereOpen += (yield* openNow).length
            }

            // The next start says of each that was open what became of it.
            const left = yield* openNow
            const last = run(env, "run", "--config", config)
            const isReconciled = ({ value: { exchange, request } }: Storage.StoredOrder) =>
              last.said().some((event) =>
                event._tag === "Reconciled" && event.exchange === exchange && event.clientId === request.clientId
              )
            yield* Effect.timeout(
              until(() => last.complaint().includes("recovered") && left.every(isReconciled)),
              "30 seconds"
            )
            // However soon the others were killed, something is traded, and at both.
            const { address } = MockHyperliquidExchange.account
            const isFill = ({ _tag }: Said) => _tag === "Fill"
            const hasTraded = () =>
              [...said, ...last.said()].some(isFill) && coinbase.orders().length > 0 &&
              hyperliquid.orders(address).length > 0
            yield* Effect.timeout(until(hasTraded), "60 seconds")
            last.child.kill("SIGTERM")
            assert.deepStrictEqual(yield* Effect.promise(() => last.ended), { code: 0, signal: null }, last.complaint())
            said.push(...last.said())
            const halt = run(env, "halt", "--config", config)
            assert.strictEqual((yield* Effect.promise(() => halt.ended)).code, 0, halt.complaint())
            assert.deepStrictEqual((yield* openNow).map(({ value }) => value.request.clientId), [])
            if (kills > 10) assert.isAbove(wereOpen, 0)

            const fills = said.filter(({ _tag }) => _tag === "Fill").map(keyOf)
            assert.isAbove(fills.length, 0)
            assert.strictEqual(new Set(fills).size, fills.length, "no fill is printed twice")

            const history_ = yield* storage
            const stored = yield* Stream.runCollect(history_.orders())
            const decisions = yield* Stream.runCollect(history_.decisions())
            assert.notInclude(decisions.map(({ value: { kind } }) => kind), "contradiction")
            const known = new Map(stored.map(({ value }) => [`${value.exchange} ${value.request.clientId}`, value]))
            const sameAs = (order: Order.Order, filled: Decimal.Decimal, executions: number) =>
              assert.deepStrictEqual(
                [order.request.clientId, format(order.filled), order.fills.length],
                [order.request.clientId, format(filled), executions]
              )

            const sent = coinbase.received().flatMap(({ call, question }) =>
              call === "POST orders" ? [String(JSON.parse(question.body).client_order_id)] : []
            )
            assert.strictEqual(new Set(sent).size, sent.length, "none is sent twice")
            for (const { clientOrderId, fills, filled } of coinbase.orders()) {
              const order = known.get(`coinbase ${clientOrderId}`)
              assert.isDefined(order, `${clientOrderId} is stored`)
              if (order !== undefined) sameAs(order, filled, fills.length)
            }
            const there = hyperliquid.orders(address)
            assert.isAbove(there.length, 0)
            assert.strictEqual(new Set(there.map(({ clientId }) => clientId)).size, there.length, "none is there twice")
            for (const { clientId, filled, fills } of there) {
              const order = known.get(`hyperliquid ${clientId}`)
              assert.isDefined(order, `${clientId} is stored`)
              if (order !== undefined) sameAs(order, filled, fills.length)
            }

            const held = new Map((yield* history_.positions).map(({ amount, exchange }) => [exchange, amount]))
            const bitcoin = coinbase.balances().find(({ asset }) => asset === "BTC")?.total ?? Decimal.zero
            assert.strictEqual(
              format(held.get("coinbase") ?? Decimal.zero),
              format(BigDecimal.subtract(bitcoin, TraderRig.decimal("10")))
            )
            const position = hyperliquid.positions(address).find(({ product }) => product === "BTC")?.amount ??
              Decimal.zero
            assert.strictEqual(format(held.get("hyperliquid") ?? Decimal.zero), format(position))
          }),
        20_000 * (kills + 3)
      )
    })
  })
}
