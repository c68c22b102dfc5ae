/**
 * What mock exchanges have in common that are asked over HTTP: routes to answers,
 * what was asked, and what goes wrong with it. An exchange has one `HttpExchange`,
 * and its gateway's `ask` is that one's:
 *
 * ```ts
 * const http = new HttpExchange({
 *   after: host.after,
 *   wallMillis: host.wallMillis,
 *   routes: [
 *     { call: "POST orders", method: "POST", path: "/api/v3/brokerage/orders", answer: (question) => … },
 *     { call: "GET order", method: "GET", path: "/api/v3/brokerage/orders/historical/{id}", answer: (_, [id]) => … },
 *     // Where one path serves many calls, the call is named by what is asked.
 *     { call: ({ body }) => actionOf(body), method: "POST", path: "/exchange", answer: … }
 *   ],
 *   told: () => tellChangesOnTheSocket()
 * })
 * const gateway = { open, move, ask: (question, reply) => http.ask(question, reply) }
 * http.fault({ _tag: "Withhold", call: "POST orders" })
 * ```
 *
 * A call that comes over a socket goes through `carry` itself, so that the same
 * faults strike it: `http.carry(call, question, () => answer, { answer, drop })`.
 *
 * Such a mock is a `MockVenue`: `MockVenue.serve` has it on the virtual network,
 * its HTTP at the same host, and `MockServer` on one port for HTTP and WebSocket.
 */
import * as Chance from "../../Chance.ts"
import type { HttpReply } from "../../venue/internal/mockVenue.ts"
import { Answer, type Question, textOf } from "../../venue/Listing.ts"

/**
 * What goes wrong with the next calls (1 by default) of a name, or of any name
 * where none is said:
 *
 * - `Withhold`, `Cut`: no answer comes, or the connection is cut in its place.
 *   `takenAfter` says in how many milliseconds the call is carried out: at once by
 *   default, never if it is `Infinity`
 * - `Delay`: carried out at once, so that what it does is told, and answered after
 *   so many milliseconds
 * - `Late`: carried out, and answered, after so many milliseconds
 * - `Malform`: carried out, and its answer is half of what it should be
 * - `Answer`: not carried out, but answered with this: a status such as 429, with
 *   headers such as `retry-after`
 */
export type CallFault =
  & { readonly call?: string | undefined; readonly calls?: number | undefined }
  & (
    | { readonly _tag: "Withhold" | "Cut"; readonly takenAfter?: number | undefined }
    | { readonly _tag: "Delay" | "Late"; readonly millis: number }
    | { readonly _tag: "Malform" }
    | {
      readonly _tag: "Answer"
      readonly status: number
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly body?: string | undefined
    }
  )

/** A call as it came: when in epoch milliseconds, its name, and what was asked. */
export interface ReceivedCall {
  readonly at: number
  readonly call: string
  readonly question: Question
}

/**
 * How a call of a method and a path is answered. A path's `{parts}` are handed
 * over in their order, decoded.
 */
export interface Route {
  readonly call: string | ((question: Question) => string)
  readonly method: string
  readonly path: string
  readonly answer: (question: Question, parts: ReadonlyArray<string>) => Answer
}

/** What an exchange gives. `told` is called after each call that was carried out: what has changed is to be told. */
export interface Options {
  readonly after: (millis: number, run: () => void) => void
  readonly wallMillis: () => number
  readonly routes: ReadonlyArray<Route>
  readonly told?: (() => void) | undefined
  readonly seed?: number | undefined
}

/** The body of an answer of a server in trouble. */
const unavailable = new Answer(503, { error: "unavailable", message: "Service Unavailable" })

const half = (answer: Answer): Answer => {
  const text = textOf(answer)
  return new Answer(answer.status, undefined, answer.headers, text.slice(0, text.length >>> 1))
}

const pattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "([^/]+)")}/?$`)

/** The HTTP side of a mock exchange. */
export class HttpExchange {
  readonly received: Array<ReceivedCall> = []
  private readonly options: Options
  private readonly routes: ReadonlyArray<Route & { readonly pattern: RegExp }>
  private readonly chance: Chance.Chance
  private faults: Array<{ readonly fault: CallFault; left: number }> = []
  private failing = 0

  constructor(options: Options) {
    this.options = options
    this.routes = options.routes.map((route) => ({ ...route, pattern: pattern(route.path) }))
    this.chance = Chance.make(options.seed ?? 0)
  }

  /** Has the next calls go wrong; the faults of a call strike in the order in which they were given. */
  fault(fault: CallFault): void {
    this.faults.push({ fault, left: fault.calls ?? 1 })
  }

  /**
   * Has a share of all calls answered with 503 from now on, 0 for none: half of them are carried out all the same. Which
   * ones is by the seed.
   */
  fail(share: number): void {
    this.failing = share
  }

  /** Answers a question that has a route: now, later or never. `false` if it has none. */
  ask(question: Question, reply: HttpReply): boolean {
    for (const { answer, call, method, pattern } of this.routes) {
      const found = method === question.method ? pattern.exec(question.path) : null
      if (found === null) continue
      const parts = found.slice(1).map((part) => decodeURIComponent(part))
      this.carry(typeof call === "string" ? call : call(question), question, () => answer(question, parts), reply)
      return true
    }
    return false
  }

  /** Carries a call out as what goes wrong with it has it. */
  carry(call: string, question: Question, run: () => Answer, reply: HttpReply): void {
    const { after, told = () => undefined } = this.options
    this.received.push({ at: this.options.wallMillis(), call, question })
    const fault = this.faultOf(call)
    if (fault === undefined && this.failing > 0 && this.chance.happens(this.failing)) {
      if (this.chance.happens(0.5)) run()
      reply.answer(unavailable)
      return told()
    }
    switch (fault?._tag) {
      case "Answer": {
        const { body = "", headers, status } = fault
        return reply.answer(new Answer(status, undefined, headers, body))
      }
      case "Cut":
      case "Withhold": {
        const take = () => {
          run()
          told()
        }
        const { takenAfter = 0 } = fault
        if (takenAfter === 0) take()
        else if (takenAfter < Infinity) after(takenAfter, take)
        if (fault._tag === "Cut") reply.drop()
        return
      }
      case "Late":
        return after(fault.millis, () => {
          reply.answer(run())
          told()
        })
      case "Delay": {
        const answer = run()
        told()
        return after(fault.millis, () => reply.answer(answer))
      }
      default: {
        const answer = run()
        reply.answer(fault === undefined ? answer : half(answer))
        return told()
      }
    }
  }

  private faultOf(call: string): CallFault | undefined {
    const found = this.faults.find(({ fault }) => fault.call === undefined || fault.call === call)
    if (found === undefined) return undefined
    found.left--
    this.faults = this.faults.filter(({ left }) => left > 0)
    return found.fault
  }
}
