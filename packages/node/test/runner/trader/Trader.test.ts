/** `tickline run` with a trader, and `tickline halt`: what they print, how they exit, and what reached the exchange. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import * as NodeHttp from "@tickline/node/NodeHttp"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import * as TraderRig from "./TraderRig.ts"

const network = Layer.mergeAll(NodeTransport.layer, NodeHttp.layer, Reconnection.layerWithBreaker(Presets.fast))

/** Places an order at the exchange as a process before would have. */
const placed = (url: string, clientId: string) =>
  Effect.gen(function*() {
    const { keyName, keySecret } = MockCoinbaseAdvanced.simulated
    const orders = yield* CoinbaseAdvanced.make({ url, keyName, keySecret: Redacted.make(keySecret) })
    const [outcome] = yield* Stream.runCollect(orders.place(TraderRig.request(clientId)))
    return outcome?._tag === "Acknowledged" ? outcome.orderId ?? "" : assert.fail(outcome?._tag)
  }).pipe(Effect.scoped, Effect.provide(network))

const eager = "[trader.limits]\nrepeat_after = \"200ms\"\nper_hour = 1000\nper_day = 1000"

describe.concurrent("tickline run with a trader", { timeout: 60_000 }, () => {
  it.live("prints the events of its orders, each stored before it is sent, and a report at the end", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make({ rate: 50, trader: `capital = 10000\n${eager}` })
      const { stop, world } = yield* rig.start
      yield* world.printed(/"Fill"[^]*"status":"filled"/)
      const { trader } = yield* rig.health
      assert.strictEqual(trader.state, "Trading")
      assert.match(trader.equity, /^\d+\.\d+$/)
      assert.strictEqual(yield* stop, 0)
      for (const { _tag } of world.objects()) {
        assert.include(["Acknowledged", "Fill", "OrderUpdate", "Rejected", "NotSent"], _tag)
      }
      assert.match(world.stderr(), /^\d+ orders?, \d+ fills?$/m)
      assert.match(world.stderr(), /^profit [+-]?\d+\.\d\d USD of 10000.00: /m)
      const database = new DatabaseSync(rig.history, { readOnly: true })
      const rows = database.prepare("SELECT client_id, at FROM tickline_orders").all()
      database.close()
      const sent = rig.exchange.orders()
      assert.isAbove(sent.length, 0)
      for (const { clientOrderId, createdAt } of sent) {
        const row = rows.find(({ client_id }) => client_id === clientOrderId)
        assert.isAtMost(Date.parse(String(row?.["at"])), createdAt)
      }
    }))

  it.live("says what became of each order that was not known to be over, and repeats no fill", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const orderId = yield* placed(rig.server.httpUrl, "rests")
      yield* TraderRig.stored(rig.history, "rests", [TraderRig.event.acknowledged("rests", orderId)])
      yield* TraderRig.stored(rig.history, "lost")
      const done = "00000000-0000-4000-8000-00000000dead"
      yield* TraderRig.stored(rig.history, "done", [
        TraderRig.event.acknowledged("done", done),
        TraderRig.event.filled("done", "0.01", "1")
      ])
      const { stop, world } = yield* rig.start
      // Each order is asked for by itself: whose answer comes first nobody knows.
      yield* world.printed(/"Reconciled".*"rests"/)
      yield* world.printed(/"Reconciled".*"lost"/)
      assert.strictEqual(yield* stop, 0)
      const named = { exchange: "coinbase" }
      assert.sameDeepMembers(world.objects().filter(({ _tag }) => _tag !== "OrderUpdate"), [
        { _tag: "OutcomeUnknown", ...named, clientId: "lost", reason: "the process that placed it has ended" },
        { _tag: "Reconciled", ...named, clientId: "rests", orderId, status: "open", filled: "0" },
        { _tag: "Reconciled", ...named, clientId: "lost", status: "absent" }
      ])
      // What rests is cancelled when it is stopped.
      assert.deepInclude(world.objects().at(-1), { _tag: "OrderUpdate", clientId: "rests", status: "cancelled" })
      assert.strictEqual(rig.exchange.orders("rests")[0]?.status, "CANCELLED")
    }))

  it.live("leaves what rests when it is stopped, if that is said", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make({ trader: "on_stop = \"leave\"" })
      const orderId = yield* placed(rig.server.httpUrl, "rests")
      yield* TraderRig.stored(rig.history, "rests", [TraderRig.event.acknowledged("rests", orderId)])
      const { stop, world } = yield* rig.start
      yield* world.printed(/"Reconciled"/)
      assert.strictEqual(yield* stop, 0)
      assert.strictEqual(rig.exchange.orders("rests")[0]?.status, "OPEN")
    }))

  it.live("one history is traded with by one process", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const first = yield* rig.start
      yield* first.world.said(/"recovered"/)
      const second = yield* rig.start
      assert.strictEqual(yield* second.stop, 1)
      assert.match(second.world.stderr(), /tickline: .*trader\.sqlite is in use: another process trades with it/)
      assert.strictEqual(yield* first.stop, 0)
      const third = yield* rig.start
      yield* third.world.said(/"recovered"/)
      assert.strictEqual(yield* third.stop, 0)
    }))

  it.live("stdout has market events too, or nothing, where the file says so", () =>
    Effect.gen(function*() {
      const both = yield* TraderRig.make({ rate: 50, output: "[output]\nstdout = \"ndjson\"", trader: eager })
      const one = yield* both.start
      yield* one.world.printed(/"Trade"[^]*"Fill"/)
      assert.strictEqual(yield* one.stop, 0)
      const none = yield* TraderRig.make({ rate: 50, output: "[output]\nstdout = \"none\"", trader: eager })
      const other = yield* none.start
      yield* other.world.said(/"position opened"/)
      assert.strictEqual(yield* other.stop, 0)
      assert.strictEqual(other.world.stdout(), "")
    }))

  it.live("ends with 1 when it has no prices any more, whatever other venues do", () =>
    Effect.gen(function*() {
      const folder = yield* TraderRig.folder
      const config = `${folder}/trader.toml`
      Fs.writeFileSync(
        config,
        `[simulation]
[venues.coinbase]
url = "ws://127.0.0.1:1"
products = ["BTC-USD"]
[venues.coinbase.reconnection]
max_retries = 1
[venues.kraken]
products = ["BTC-USD"]
[exchanges.paper]
venue = "kraken"
[history]
path = "${folder}/trader.sqlite"
[trader]
products = ["BTC-USD"]
`
      )
      const { ended, world } = yield* TraderRig.start(config, {})
      assert.strictEqual(yield* ended, 1)
      assert.match(
        world.stderr(),
        /tickline: the prices of the trader have ended: .*connection refused: ECONNREFUSED 127.0.0.1:1$/m
      )
    }))

  it.live("closes on paper what the process before it bought there", () =>
    Effect.gen(function*() {
      const folder = yield* TraderRig.folder
      const [config, history] = [`${folder}/trader.toml`, `${folder}/trader.sqlite`]
      Fs.writeFileSync(
        config,
        `[simulation]
[venues.kraken]
products = ["BTC-USD"]
[exchanges.paper]
venue = "kraken"
balance = { USD = 10_000 }
[history]
path = "${history}"
[trader]
products = ["BTC-USD"]
`
      )
      yield* TraderRig.bought(history, { exchange: "paper", product: "BTC/USD", amount: "0.1", price: "60000.00" })
      const { stop, world } = yield* TraderRig.start(config, {})
      yield* world.said(/"position (not )?closed"/)
      assert.strictEqual(yield* stop, 0)
      assert.notInclude(world.stderr(), "position not closed")
      const fills = world.objects().filter(({ _tag }) => _tag === "Fill")
      assert.isAbove(fills.length, 0)
      for (const fill of fills) assert.deepInclude(fill, { exchange: "paper", product: "BTC/USD", side: "sell" })
    }))

  it.live("SIGHUP changes its output, and not what it trades", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make({ rate: 50 })
      const { stop, world } = yield* rig.start
      yield* world.said(/"recovered"/)
      const text = Fs.readFileSync(rig.config, "utf8")
      Fs.writeFileSync(rig.config, text.replace("\"fast\"", "\"momentum\""))
      yield* world.hangup
      yield* world.said(/not reloaded.*trader: expected what it was when it began/)
      Fs.writeFileSync(rig.config, text.replace("products = [\"BTC-USD\"]", "products = [\"BTC-USD\", \"ETH-USD\"]"))
      yield* world.hangup
      yield* world.said(/not reloaded.*venues: expected what it was when it began/)
      assert.notInclude(world.stdout(), "\"Trade\"")
      Fs.writeFileSync(rig.config, `[output]\nstdout = "ndjson"\n${text}`)
      yield* world.hangup
      yield* world.printed(/"Trade"/)
      assert.strictEqual(yield* stop, 0)
    }))

  it.live("venues are simulated without a trader too, for as long as that is said", () =>
    Effect.gen(function*() {
      const folder = yield* TraderRig.folder
      const config = `${folder}/simulated.toml`
      Fs.writeFileSync(config, "[simulation]\nrate = 100\n[venues.kraken]\nproducts = [\"BTC-USD\"]\n")
      const { ended, world } = yield* TraderRig.start(config, {}, ["--duration", "2s"])
      assert.strictEqual(yield* ended, 0)
      assert.include(world.objects().map(({ _tag }) => _tag), "Trade")
    }))

  it.live("without a key of its exchange it exits with 2 and names the variable", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const { ended, world } = yield* TraderRig.start(rig.config, {})
      assert.strictEqual(yield* ended, 2)
      assert.match(world.stderr(), /TICKLINE_COINBASE_KEY_NAME in the environment: expected the exchange's key/)
    }))
})

describe.concurrent("tickline halt", { timeout: 60_000 }, () => {
  it.live("cancels everything of a trader that runs, which places nothing more until it is cleared", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make({ rate: 50, trader: eager })
      const orderId = yield* placed(rig.server.httpUrl, "rests")
      yield* TraderRig.stored(rig.history, "rests", [TraderRig.event.acknowledged("rests", orderId)])
      const first = yield* rig.start
      yield* first.world.printed(/"Reconciled"[^]*"Fill"/)
      // Somebody placed this one by hand.
      yield* placed(rig.server.httpUrl, "by-hand")
      const halted = yield* rig.halt()
      assert.strictEqual(halted.code, 0)
      const cancelled = halted.objects.find(({ clientId }) => clientId === "rests")
      assert.deepInclude(cancelled, {
        _tag: "OrderUpdate",
        product: "BTC-USD",
        side: "buy",
        orderId,
        status: "cancelled"
      })
      yield* first.world.printed(/"OrderUpdate".*"rests".*"cancelled"/)
      yield* first.world.printed(/"OrderUpdate".*"by-hand".*"cancelled"/)
      // Each once.
      const told = first.world.objects().filter(({ _tag, status }) => _tag === "OrderUpdate" && status === "cancelled")
      const ids = told.map(({ clientId }) => clientId).filter((id) => id === "rests" || id === "by-hand")
      assert.deepStrictEqual(ids.toSorted(), ["by-hand", "rests"])
      const sent = rig.exchange.orders().length
      // Halting again is done already.
      assert.deepStrictEqual(yield* Effect.map(rig.halt(), ({ code, objects }) => [code, objects]), [0, []])
      yield* first.world.said(/ERR_NOT_TRADING/)
      assert.strictEqual((yield* rig.health).trader.state, "Halted")
      assert.strictEqual((yield* rig.health).status, "up")
      assert.strictEqual(yield* first.stop, 0)

      const second = yield* rig.start
      yield* second.world.said(/halted, until it is cleared[^]*ERR_NOT_TRADING/)
      assert.strictEqual(rig.exchange.orders().length, sent)
      assert.strictEqual((yield* rig.halt("--clear")).code, 0)
      yield* second.world.printed(/"Acknowledged"/)
      assert.strictEqual(yield* second.stop, 0)
    }))

  it.live("tells of what others placed also where it is cancelled before it has been seen", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const { stop, world } = yield* rig.start
      yield* world.said(/"recovered"/)
      const listing = "GET orders/historical/batch"
      // It compares once it has recovered, with one listing of what is open and one of what will be.
      const hasCompared = Effect.sync(() => rig.exchange.received().filter(({ call }) => call === listing).length >= 2)
      yield* Effect.repeat(hasCompared, { schedule: Schedule.spaced("5 millis"), until: (has) => has })
      yield* placed(rig.server.httpUrl, "by-hand")
      rig.exchange.fault({ _tag: "Late", call: listing, millis: 500 })
      const halted = yield* rig.halt()
      assert.deepStrictEqual(halted.objects.map(({ _tag, clientId, status }) => [_tag, clientId, status]), [
        ["OrderUpdate", "by-hand", "cancelled"]
      ])
      yield* world.printed(/"OrderUpdate".*"by-hand".*"cancelled"/)
      assert.strictEqual(yield* stop, 0)
    }))

  it.live("where none runs it cancels at the exchange, and the next one is halted", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make({ rate: 50, trader: eager })
      const orderId = yield* placed(rig.server.httpUrl, "rests")
      yield* TraderRig.stored(rig.history, "rests", [TraderRig.event.acknowledged("rests", orderId)])
      // Somebody placed this one by hand.
      yield* placed(rig.server.httpUrl, "by-hand")
      const halted = yield* rig.halt()
      assert.strictEqual(halted.code, 0)
      assert.deepStrictEqual(halted.objects.map(({ _tag, clientId, status }) => [_tag, clientId, status]), [
        ["OrderUpdate", "rests", "cancelled"],
        ["OrderUpdate", "by-hand", "cancelled"]
      ])
      assert.deepStrictEqual(rig.exchange.orders().map(({ status }) => status), ["CANCELLED", "CANCELLED"])
      assert.strictEqual((yield* rig.halt()).code, 0)
      const { stop, world } = yield* rig.start
      yield* world.said(/halted, until it is cleared/)
      assert.strictEqual(yield* stop, 0)
      assert.strictEqual((yield* rig.halt("--clear")).code, 0)
      const again = yield* rig.start
      yield* again.world.printed(/"Acknowledged"/)
      assert.notInclude(again.world.stderr(), "halted")
      assert.strictEqual(yield* again.stop, 0)
    }))

  it.live("exits with 1 where what is open cannot be cancelled, and says so", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const orderId = yield* placed(rig.server.httpUrl, "rests")
      yield* TraderRig.stored(rig.history, "rests", [TraderRig.event.acknowledged("rests", orderId)])
      yield* rig.server.stop
      const halted = yield* rig.halt()
      assert.strictEqual(halted.code, 1)
      assert.deepStrictEqual(halted.objects, [])
      assert.match(halted.stderr, /1 order open still/)
      assert.match(halted.stderr, /"not cancelled"/)
    }))

  it.live("a page in a browser cannot halt it", () =>
    Effect.gen(function*() {
      const rig = yield* TraderRig.make()
      const { stop, world } = yield* rig.start
      yield* world.said(/"recovered"/)
      const command = { "tickline-command": "1" }
      assert.strictEqual(yield* rig.post("/trader/halt", {}), 403)
      assert.strictEqual(yield* rig.post("/trader/clear", {}), 403)
      assert.strictEqual(yield* rig.post("/healthz", command), 405)
      assert.strictEqual((yield* rig.health).trader.state, "Trading")
      assert.strictEqual(yield* rig.post("/trader/halt", command), 200)
      assert.strictEqual((yield* rig.health).trader.state, "Halted")
      assert.strictEqual(yield* stop, 0)
    }))

  it.live("a file that cannot be read, or has no trader, is exit 2", () =>
    Effect.gen(function*() {
      const missing = yield* TraderRig.halt("/nowhere/trader.toml", {})
      assert.deepStrictEqual([missing.code, missing.objects], [2, []])
      assert.match(missing.stderr, /--config "\/nowhere\/trader.toml": expected a file that can be read/)
      const none = yield* TraderRig.halt(`${import.meta.dirname}/../../../../../deploy/tickline.toml`, {})
      assert.strictEqual(none.code, 2)
      assert.match(none.stderr, /trader in .*tickline\.toml: expected \[trader\]/)
    }))
})
