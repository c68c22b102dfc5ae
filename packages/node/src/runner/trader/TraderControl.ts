/**
 * How a running trader is halted and cleared over the pages of its process, by
 * `tickline halt`.
 *
 * Only this machine may ask, or whoever shows the token that both have in
 * `TICKLINE_TOKEN`. A page in a browser may not, whatever it posts to loopback: a
 * request bears a header that no browser sends elsewhere without asking first, and
 * that question is refused.
 *
 * @since 0.1.0
 */
import { OrderUpdate } from "@tickline/core/trading/OrderEvent"
import { isLoopback } from "@tickline/core/transport/Endpoint"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Buffer } from "node:buffer"
import { createHash, timingSafeEqual } from "node:crypto"
import { RunFailed } from "../RunnerError.ts"

/**
 * What became of orders when a trader was halted: those that were cancelled, those
 * that are open still, and why an exchange could not be asked.
 *
 * @category models
 * @since 0.1.0
 */
export class Halted extends Schema.Class<Halted>("Halted")({
  cancelled: Schema.Array(OrderUpdate),
  open: Schema.Array(OrderUpdate),
  failures: Schema.Array(Schema.String)
}) {}

/**
 * What can be asked of a trader.
 *
 * @category models
 * @since 0.1.0
 */
export interface Control {
  readonly halt: Effect.Effect<Halted, RunFailed>
  readonly clear: Effect.Effect<void, RunFailed>
}

/**
 * Where a trader is asked.
 *
 * @category constants
 * @since 0.1.0
 */
export const paths = { halt: "/trader/halt", clear: "/trader/clear" } as const

const header = "tickline-command"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

// The digests are of one length, whatever is shown.
const isToken = (shown: string | undefined, token: Redacted.Redacted<string>): boolean =>
  timingSafeEqual(digest(shown ?? ""), digest(`Bearer ${Redacted.value(token)}`))

/** An address of IPv4 may be written as one of IPv6. */
const isOfThisMachine = (address: string | undefined): boolean =>
  address !== undefined && isLoopback(address.replace(/^::ffff:/i, ""))

const say = (status: number, text: string) => HttpServerResponse.text(`${text}\n`, { status })

const admitted = <E>(
  token: Redacted.Redacted<string> | undefined,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E>
) =>
  Effect.gen(function*() {
    const { headers, remoteAddress } = yield* HttpServerRequest.HttpServerRequest
    if (headers[header] === undefined) return say(403, `a command has the header ${header}`)
    if (!isOfThisMachine(Option.getOrUndefined(remoteAddress))) {
      if (token === undefined) return say(403, "from another machine a command needs TICKLINE_TOKEN, here and there")
      if (!isToken(headers["authorization"], token)) return say(401, "this is not the token in TICKLINE_TOKEN here")
    }
    return yield* answer
  })

const encode = Schema.encodeSync(Schema.fromJsonString(Halted))

/**
 * The routes. While there is no trader yet they answer 503.
 *
 * @category layers
 * @since 0.1.0
 */
export const routes = (
  control: Effect.Effect<Control | undefined>,
  token: Redacted.Redacted<string> | undefined
): Layer.Layer<never, never, HttpRouter.HttpRouter> => {
  const route = (path: HttpRouter.PathInput, carryOut: (control: Control) => Effect.Effect<string, RunFailed>) =>
    HttpRouter.add(
      "POST",
      path,
      admitted(
        token,
        Effect.flatMap(control, (found) =>
          found === undefined
            ? Effect.succeed(say(503, "the trader is not ready yet"))
            : Effect.match(carryOut(found), {
              onFailure: ({ message }) => say(500, message),
              onSuccess: (body) => HttpServerResponse.text(body, { contentType: "application/json" })
            }))
      )
    )
  return Layer.mergeAll(
    route(paths.halt, ({ halt }) => Effect.map(halt, encode)),
    route(paths.clear, ({ clear }) => Effect.as(clear, "{}\n"))
  )
}

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Halted))

/**
 * Nobody answers there.
 *
 * @category errors
 * @since 0.1.0
 */
export class TraderNotReached extends Schema.TaggedError<TraderNotReached>()("TraderNotReached", {
  url: Schema.String
}) {
  override get message(): string {
    return `nobody answers at ${this.url}`
  }
}

/**
 * Where the pages of a process are that listens so.
 *
 * @category getters
 * @since 0.1.0
 */
export const addressOf = ({ host, port }: { readonly host: string; readonly port: number }): string => {
  // What listens on all addresses listens on loopback.
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`
}

/** Cancelling asks every exchange, for a minute at most. */
const patience = "90 seconds"

const post = (url: string, token: Redacted.Redacted<string> | undefined) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, {
        method: "POST",
        signal,
        redirect: "error",
        headers: {
          [header]: "1",
          // It goes to no one who cannot be asked without it.
          ...(token === undefined || isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, "$1"))
            ? {}
            : { authorization: `Bearer ${Redacted.value(token)}` })
        }
      })
      return { status: response.status, text: await response.text() }
    },
    catch: () => new TraderNotReached({ url })
  })

/**
 * Asks a running trader, and gives what it answers; nothing of `clear`.
 *
 * @category running
 * @since 0.1.0
 */
export const ask = Effect.fnUntraced(function*(
  address: string,
  command: keyof typeof paths,
  token: Redacted.Redacted<string> | undefined
): Effect.fn.Return<Halted, TraderNotReached | RunFailed> {
  const url = `${address}${paths[command]}`
  const { status, text } = yield* Effect.timeoutOrElse(post(url, token), {
    duration: patience,
    orElse: () => Effect.fail(new TraderNotReached({ url }))
  })
  const said = text.slice(0, 200).trim()
  if (status === 503 || status === 404) return yield* new TraderNotReached({ url })
  if (status !== 200) return yield* new RunFailed({ detail: `${url} answers ${status}: ${said}` })
  if (command === "clear") return new Halted({ cancelled: [], open: [], failures: [] })
  return yield* Effect.mapError(
    decode(text),
    () => new RunFailed({ detail: `${url}: its answer cannot be read: ${said}` })
  )
})
