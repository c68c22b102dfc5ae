/**
 * Traders at an exchange in trouble, in real time over real sockets: what
 * `ExchangeSimulation` plays on the virtual network. The exchange is a process of
 * its own, so that the heap that is measured is the traders'. It fails if a rule
 * does not hold, if the heap is not flat after the first minute, or if a handle is
 * left at the end.
 *
 *     node scripts/soak.ts [--minutes 10] [--seed 1]
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Decimal from "@tickline/core/value/Decimal"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Chance from "@tickline/testing/Chance"
import type * as FaultPlan from "@tickline/testing/FaultPlan"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import process from "node:process"
import { parseArgs } from "node:util"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Rules from "../packages/testing/src/simulation/internal/exchangeRules.ts"
import * as Trader from "../packages/testing/src/simulation/internal/trader.ts"
import * as World from "../packages/testing/src/simulation/internal/tradingWorld.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    exchange: { type: "boolean", default: false }
  }
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
const lastsMillis = minutes * 60_000
const product = { symbol: "BTC-PERPETUAL", price: "43250.0", size: "1000" }
const names = ["trader1", "trader2", "trader3"]
const accounts = ["ACCOUNT1", "ACCOUNT2"].map((clientId) => ({ clientId, clientSecret: `secret of ${clientId}` }))
const accountOf = (i: number) => accounts[i % accounts.length] ?? { clientId: "", clientSecret: "" }

// They trade until a minute before the end, and all comes to rest by then.
const trading = names.map(() => [{ from: 3_000, to: Math.max(20_000, lastsMillis - 60_000) }])
const world = World.make(seed, Duration.millis(lastsMillis), names.length, trading)

const traderOf = (path: string): string => new URLSearchParams(path.slice(path.indexOf("?"))).get("trader") ?? ""

/** What the exchange has seen, as its process says it: decimals as texts. */
interface Seen {
  readonly links: ReadonlyArray<Rules.Link>
  readonly strikes: ReadonlyArray<FaultPlan.Strike>
  readonly spent: ReadonlyArray<string>
  readonly holdings: ReadonlyArray<{
    readonly clientId: string
    readonly orders: ReadonlyArray<
      & Omit<Rules.Holdings["orders"][number], "amount" | "filled" | "price">
      & { readonly amount: string; readonly filled: string; readonly price: string | undefined }
    >
    readonly positions: ReadonlyArray<readonly [string, string]>
  }>
}

// --- the exchange ----------------------------------------------------------------

const commandsIn: Readonly<Record<string, string>> = {
  "private/buy": "label",
  "private/sell": "label",
  "private/edit": "order_id",
  "private/cancel": "order_id",
  "private/cancel_all": ""
}

const asReal = (action: FaultPlan.Action): Parameters<MockServer.MockServer["inject"]>[0] => {
  switch (action._tag) {
    case "Close":
    case "Drop":
    case "Garbage":
    case "Refuse":
    case "Silent":
    case "Status":
      return action
    default:
      return { _tag: "Drop" }
  }
}

const serve = Effect.gen(function*() {
  const exchange = MockDeribitExchange.make({
    accounts: accounts.map((account) => ({ ...account, balances: { BTC: "10.00000000" }, pools: world.pools })),
    tokenMillis: world.tokenMillis
  })
  const server = yield* MockServer.make({ venue: exchange.venue, products: [product], seed, rate: 1 })
  const begun = Date.now()
  const paths = new Map<number, string>()
  const ended = new Map<number, number>()
  const strikes: Array<FaultPlan.Strike> = []
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(server.nextConnection, (connection) => {
    paths.set(connection.id, connection.path)
    return Effect.forkScoped(Effect.map(connection.ended, () => void ended.set(connection.id, Date.now())))
  })))
  const at = (millis: number) => Effect.suspend(() => Effect.sleep(Math.max(0, begun + millis - Date.now())))
  for (const [i, plan] of world.faults.entries()) {
    for (const { action, atMillis } of plan) {
      const strike = Effect.suspend(() => {
        const own = server.connections().find(({ path }) => traderOf(path) === names[i])
        const real = asReal(action)
        strikes.push({ at: Date.now(), action: real, connections: own === undefined ? [] : [own.id] })
        return own === undefined ? Effect.void : server.inject(real, own.id)
      })
      yield* Effect.forkScoped(Effect.andThen(at(atMillis), strike))
    }
  }
  for (const { at: millis, what } of world.incidents) {
    const happen = Effect.sync(() => {
      if (what._tag === "Fault") exchange.fault(what.fault)
      else if (what._tag === "Maintenance") exchange.maintenance(what.isOn)
      else exchange.settlement(what.isOn)
    })
    yield* Effect.forkScoped(Effect.andThen(at(millis), happen))
  }
  process.send?.({ url: server.url })
  yield* Effect.callback<void>((resume) => void process.once("message", () => resume(Effect.void)))
  const arrivals = Map.groupBy(server.arrivals(), ({ connection }) => connection)
  const tests = Map.groupBy(exchange.tests(), ({ connection }) => connection)
  const links = Array.from(paths, ([connection, path]): Rules.Link => ({
    trader: traderOf(path),
    connection,
    endedAt: ended.get(connection),
    heard: (arrivals.get(connection) ?? []).flatMap(({ at, kind, text }) => {
      if (kind !== "message") return []
      const { method, params = {} } = JSON.parse(text)
      const key = commandsIn[method]
      return key === undefined ? [] : [{ at, method, key: String(params[key] ?? "") }]
    }),
    // One that has just been sent has a second to be answered.
    tests: (tests.get(connection) ?? []).flatMap(({ answeredAt, sentAt }) =>
      answeredAt === undefined && sentAt > Date.now() - 1_000 ? [] : [{ at: sentAt, answeredAt }]
    )
  }))
  const seen: Seen = {
    links,
    strikes,
    spent: Rules.spent(exchange.credits(), world.pools),
    holdings: accounts.map(({ clientId }) => {
      const { orders, positions } = exchange.holdings(clientId)
      return {
        clientId,
        orders: orders.map(({ amount, createdAt, filled, label, price, state, trades }) => ({
          label,
          state,
          createdAt,
          amount: Decimal.format(amount),
          filled: Decimal.format(filled),
          price: price === undefined ? undefined : Decimal.format(price),
          trades: trades.map(({ trade_id }) => ({ trade_id }))
        })),
        positions: Array.from(positions, ([name, size]) => [name, Decimal.format(size)] as const)
      }
    })
  }
  process.send?.(seen)
  yield* Effect.callback<void>((resume) => void process.once("message", () => resume(Effect.void)))
}).pipe(Effect.scoped)

// --- the traders -----------------------------------------------------------------

const told = <A extends object>(child: ChildProcess, is: (message: object) => message is A): Promise<A> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => {
      if (typeof message === "object" && is(message)) resolve(message)
    })
    child.once("exit", (code) => reject(new Error(`the exchange ended with ${code}`)))
  })

const isAddress = (message: object): message is { readonly url: string } => "url" in message
const isSeen = (message: object): message is Seen => "links" in message

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

// What objects take. Compiled code grows for as long as the engine finds something to compile better.
const heap = (): number => {
  collect()
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => /^(?:new|old|large_object|new_large_object)_space$/.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0)
}
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MiB`
const decimal = (text: string) => Decimal.parse(text) ?? Decimal.zero

/** What the heap may grow by after the first minute, besides what the traders remember. */
const mostGrowth = 1_048_576

const trade = Effect.gen(function*() {
  const child = fork(import.meta.filename, [...process.argv.slice(2), "--exchange"])
  const { url } = yield* Effect.promise(() => told(child, isAddress))
  const chance = Chance.make(seed)
  const begun = Date.now()
  const live = new Map<string, number>()
  const scope = yield* Scope.make()
  const traders = yield* Effect.forEach(names, (name, i) =>
    Trader.make({
      name,
      account: accountOf(i).clientId,
      secret: Redacted.make(accountOf(i).clientSecret),
      url: `${url}/?trader=${name}`,
      product: product.symbol,
      price: 86_500,
      periods: (trading[i] ?? []).map(({ from, to }) => ({ from: begun + from, to: begun + to })),
      chance: chance.fork(name),
      cancelOnDisconnect: i === 1,
      now: () => Date.now(),
      connection: () => live.get(name),
      note: (event, detail) => {
        if (event === "session" && typeof detail["epoch"] === "number") {
          live.set(String(detail["trader"]), detail["epoch"])
        }
      }
    }).pipe(
      Effect.orDie,
      Effect.provide([Reconnection.layerWithBreaker(world.policy), NodeTransport.layer]),
      Scope.provide(scope)
    ))
  for (const { run } of traders) yield* Effect.forkIn(Scope.provide(run, scope), scope)

  const samples: Array<readonly [minute: number, bytes: number]> = []
  for (let minute = 1; minute <= minutes; minute++) {
    yield* Effect.sleep("1 minute")
    samples.push([minute, heap()])
    console.log(`${minute} min: heap ${mebibytes(samples.at(-1)?.[1] ?? 0)}`)
  }
  const states = yield* Effect.forEach(traders, ({ session }) => session.state.current)
  const isQuiet = traders.every((trader) => trader.isQuiet())
  const seen = yield* Effect.promise(() => {
    const answer = told(child, isSeen)
    child.send("report")
    return answer
  })
  const violations: Array<string> = [...seen.spent]
  for (const [i, { _tag }] of states.entries()) {
    if (_tag !== "Live") violations.push(`${names[i]} is ${_tag} at the end`)
  }
  if (!isQuiet) violations.push("all is not quiet at the end")
  for (const trader of traders) {
    // Its epochs are its connections, in their order.
    const links = seen.links.filter((link) => link.trader === trader.name)
      .toSorted((one, other) => one.connection - other.connection)
    const strikes = seen.strikes.map((strike) => ({
      ...strike,
      connections: strike.connections.map((id) => links.findIndex(({ connection }) => connection === id) + 1)
    }))
    const own = links.map((link, at) => ({ ...link, connection: at + 1 }))
    violations.push(
      ...trader.violations,
      ...own.flatMap((link) => Rules.unanswered(link, strikes)),
      ...Rules.commands(trader, own, strikes, 1_000),
      ...Rules.outcomes(trader)
    )
  }
  for (const { clientId, orders, positions } of seen.holdings) {
    const records = orders.map((order) => ({
      ...order,
      amount: decimal(order.amount),
      filled: decimal(order.filled),
      price: order.price === undefined ? undefined : decimal(order.price)
    }))
    violations.push(...Rules.holdings(
      clientId,
      traders.filter(({ account }) => account === clientId),
      { orders: records, positions: new Map(positions.map(([name, size]) => [name, decimal(size)])) },
      Date.now() - begun
    ))
  }
  const commands = traders.flatMap((trader) => [...trader.commands])
  const outcomes = Object.entries(Object.groupBy(commands, ({ outcome = "none" }) => outcome))
    .map(([outcome, some = []]) => `${some.length} ${outcome}`)
  const tests = seen.links.reduce((sum, link) => sum + link.tests.length, 0)
  console.log(
    `${commands.length} commands (${
      outcomes.join(", ")
    }), ${seen.links.length} connections, ${seen.strikes.length} faults, ${tests} tests`
  )
  const before = heap()
  for (const trader of traders) trader.forget()
  const remembered = before - heap()
  const growth = (samples.at(-1)?.[1] ?? 0) - (samples[0]?.[1] ?? 0) - remembered
  console.log(
    `the heap grew by ${mebibytes(growth)} after the first minute, besides ${mebibytes(remembered)} of records`
  )
  if (growth > mostGrowth) violations.push(`the heap grew by ${mebibytes(growth)}`)

  yield* Scope.close(scope, Exit.void)
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  child.send("end")
  yield* Effect.promise(() => gone)
  return violations
})

if (values.exchange) {
  await Effect.runPromise(Effect.provide(serve, Logger.layer([])))
  process.disconnect()
} else {
  const before = process.getActiveResourcesInfo().toSorted()
  const violations = await Effect.runPromise(Effect.provide(trade, Logger.layer([])))
  // A process that has ended is let go of a moment later.
  await new Promise((resolve) => setTimeout(resolve, 200))
  const left = process.getActiveResourcesInfo().toSorted().filter((name) => name !== "Immediate")
  console.log(`handles at the end: ${left.join(", ") || "none"}, at the beginning: ${before.join(", ") || "none"}`)
  if (left.length > before.length) violations.push(`handles are left: ${left.join(", ")}`)
  for (const violation of violations) console.error(violation)
  console.log(violations.length === 0 ? "all rules hold" : `${violations.length} violations`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
