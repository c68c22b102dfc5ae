/**
 * Three ways to look after a session that signs in: nobody but its maker, one
 * who begins it anew under the same handle, and a set by accounts in which the
 * end of one leaves the others alone.
 *
 * It runs on a virtual network, by the real clock: the venue goes away for a
 * while, and has no account called `mallory`.
 *
 * Run: npx -y pnpm@12 exec node examples/supervision.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import {
  ConnectError,
  Decimal,
  ExactSchema,
  JsonRpc,
  Presets,
  Reconnection,
  Session,
  Supervision,
  Transport
} from "@tickline/core"
import { VirtualNetwork } from "@tickline/testing"
import { Console, Effect, Logger, Schema } from "effect"

const url = "ws://exchange.test"

const auth = JsonRpc.method("auth", {
  params: Schema.Struct({ account: Schema.String }),
  result: Schema.String
})

const balance = JsonRpc.method("balance", {
  params: Schema.Struct({}),
  result: ExactSchema.Decimal,
  priority: "query"
})

// The dials of a session are few, so that it ends by itself when the venue is away.
const policy = { ...Presets.test, circuit: "none", retry: { ...Presets.test.retry, maxRetries: 1 } } as const

// A refused sign-in is final; whatever else fails is tried again.
const session = (account: string) =>
  Session.make(url, {
    peer: "exchange",
    signIn: ({ call }) =>
      Effect.as(call(auth, { account }), {}).pipe(
        Effect.catchTag("RpcError", ({ reason }) => Effect.fail(new ConnectError.AuthError({ detail: reason })))
      )
  })

const show = (name: string, { call }: Pick<Session.Session, "call">) =>
  Effect.matchEffect(call(balance, {}), {
    onFailure: (error) => Console.log(`  ${name}: ${error.message}`),
    onSuccess: (amount) => Console.log(`  ${name}: ${Decimal.format(amount)}`)
  })

/** The venue: it knows alice and bob. */
const serve = (host: VirtualNetwork.Host) =>
  host.onOpen((peer) =>
    peer.onMessage((frame) => {
      const { id, method, params } = JSON.parse(String(frame))
      const isKnown = method !== "auth" || params.account !== "mallory"
      peer.sendUnsafe(JSON.stringify(
        isKnown
          ? { jsonrpc: "2.0", id, result: method === "auth" ? "welcome" : 1.5 }
          : { jsonrpc: "2.0", id, error: { code: 13004, message: "invalid_credentials" } }
      ))
    })
  )

const program = Effect.gen(function*() {
  const network = yield* VirtualNetwork.make({ latency: 2 })
  const host = yield* network.serve(url)
  yield* serve(host)

  yield* Effect.gen(function*() {
    yield* Console.log("none: its maker is told")
    const alone = yield* session("alice")
    yield* alone.connect
    yield* show("alice", alone)
    const mallory = yield* session("mallory")
    yield* Effect.catch(mallory.connect, (error) => Console.log(`  mallory: ${error.message}`))

    yield* Console.log("one: begun anew where it has ended by itself")
    const one = yield* Supervision.supervise(session("alice"), { delay: "100 millis" })
    yield* Effect.sleep("50 millis")
    yield* show("alice", one)
    yield* host.otherwise({ _tag: "Refuse" })
    yield* host.drop
    yield* Effect.sleep("100 millis")
    yield* show("alice, while the venue is away", one)
    yield* host.otherwise({ _tag: "Accept" })
    yield* Effect.sleep("500 millis")
    yield* show(`alice, begun anew ${yield* one.restarts} time(s)`, one)

    yield* Console.log("a set: each by itself")
    const accounts = yield* Supervision.makeSet(session)
    const [bob, intruder] = [yield* accounts.get("bob"), yield* accounts.get("mallory")]
    yield* Effect.catch(intruder.ended, (error) => Console.log(`  mallory: ${error.message}`))
    yield* Effect.sleep("50 millis")
    yield* show("bob", bob)
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.provideService(Transport.Transport, network.transport)
  )
})

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(Logger.layer([]))))
