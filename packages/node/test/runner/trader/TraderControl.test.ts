/** Who may halt a trader over the pages of its process, and what the command makes of the answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Metrics from "@tickline/node/runner/Metrics"
import { RunFailed } from "@tickline/node/runner/RunnerError"
import * as TraderControl from "@tickline/node/runner/trader/TraderControl"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Os from "node:os"
import { freePort } from "../../FreePort.ts"

/** An address of this machine that is not loopback, which stands for another machine. */
const outside = Object.values(Os.networkInterfaces()).flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address

const token = Redacted.make("the-token")

const halted = new TraderControl.Halted({ cancelled: [], open: [], failures: ["kraken: away"] })

const serve = Effect.fnUntraced(function*(
  setting: { readonly token?: Redacted.Redacted<string>; readonly control?: TraderControl.Control | undefined } = {}
) {
  let halts = 0
  const control = "control" in setting ? setting.control : {
    halt: Effect.sync(() => {
      halts++
      return halted
    }),
    clear: Effect.fail(new RunFailed({ detail: "the disk is full" }))
  }
  const port = yield* Effect.promise(freePort)
  yield* Metrics.serve(
    { host: "0.0.0.0", port, key: "http.port", posts: Object.values(TraderControl.paths) },
    TraderControl.routes(Effect.succeed(control), setting.token)
  )
  const post = (host: string, headers: Record<string, string>) =>
    Effect.promise(() =>
      fetch(`http://${host}:${port}${TraderControl.paths.halt}`, { method: "POST", headers }).then(({ status }) =>
        status
      )
    )
  return { post, port, halts: () => halts }
})

const command = { "tickline-command": "1" }
const bearing = (text: string) => ({ ...command, authorization: `Bearer ${text}` })

describe("control of a trader", () => {
  it.live.skipIf(outside === undefined)(
    "from another machine needs the token that both have",
    () =>
      Effect.gen(function*() {
        const host = outside ?? ""
        const open = yield* serve()
        assert.strictEqual(yield* open.post(host, command), 403)
        assert.strictEqual(yield* open.post(host, bearing("the-token")), 403)
        const { halts, port, post } = yield* serve({ token })
        assert.deepStrictEqual(
          yield* Effect.forEach(
            [command, bearing(""), bearing("the-tokens"), bearing("the-token")],
            (headers) => post(host, headers)
          ),
          [401, 401, 401, 200]
        )
        assert.strictEqual(halts(), 1)
        const ask = (token?: Redacted.Redacted<string>) =>
          TraderControl.ask(TraderControl.addressOf({ host, port }), "halt", token)
        assert.deepStrictEqual(yield* ask(token), halted)
        const refused = yield* Effect.flip(ask())
        assert.match(refused.message, /answers 401: this is not the token/)
      })
  )

  it.live("on this machine needs the command's header alone", () =>
    Effect.gen(function*() {
      const { halts, port, post } = yield* serve({ token })
      assert.strictEqual(yield* post("127.0.0.1", {}), 403)
      assert.strictEqual(halts(), 0)
      assert.deepStrictEqual(
        yield* TraderControl.ask(TraderControl.addressOf({ host: "0.0.0.0", port }), "halt", token),
        halted
      )
      assert.strictEqual(halts(), 1)
    }))

  it.live("says why it could not be done, and whether anybody is there", () =>
    Effect.gen(function*() {
      const { port } = yield* serve()
      const ask = (port: number, command: "halt" | "clear") =>
        Effect.flip(TraderControl.ask(`http://127.0.0.1:${port}`, command, undefined))
      const failed = yield* ask(port, "clear")
      assert.strictEqual(failed._tag, "RunFailed")
      assert.match(failed.message, /answers 500: the disk is full/)
      const early = yield* serve({ control: undefined })
      assert.strictEqual((yield* ask(early.port, "halt"))._tag, "TraderNotReached")
      assert.strictEqual((yield* ask(yield* Effect.promise(freePort), "halt"))._tag, "TraderNotReached")
    }))

  it("an address of all is asked at loopback", () => {
    assert.deepStrictEqual(
      ["0.0.0.0", "::", "::1", "127.0.0.1", "trader.test"].map((host) => TraderControl.addressOf({ host, port: 1 })),
      ["http://127.0.0.1:1", "http://[::1]:1", "http://[::1]:1", "http://127.0.0.1:1", "http://trader.test:1"]
    )
  })
})
