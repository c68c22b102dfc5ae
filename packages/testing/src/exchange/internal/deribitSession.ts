/** One connection to Deribit: who is signed in on it, its heartbeats, and what becomes of its orders when it ends. */
import type { Frame } from "@tickline/core/transport/Frame"
import type { GatewayLine, GatewaySession } from "../../venue/internal/mockVenue.ts"
import { Refused } from "./deribitErrors.ts"
import type { DeribitExchange, Member, Test } from "./deribitExchange.ts"
import { type Caller, isOrderMethod, type Method, methods, passedOn } from "./deribitMethods.ts"
import type { Grant } from "./tokens.ts"
import { type Params, type Request, requestOf, textIn, type Value, write } from "./wireJson.ts"

/** After so long without a message a connection is ended. */
const idleMillis = 600_000

/** A connection. */
export class DeribitSession implements GatewaySession, Caller, Member {
  readonly exchange: DeribitExchange
  readonly number: number
  cancelsOnDisconnect = false
  private readonly line: GatewayLine
  private grant: Grant | undefined
  private isOver = false
  private heardAt: number
  private heartbeat: object | undefined
  private test: Test | undefined

  constructor(exchange: DeribitExchange, line: GatewayLine) {
    this.exchange = exchange
    this.number = exchange.nextConnection()
    this.line = line
    this.heardAt = exchange.now()
    exchange.join(this)
    this.endIfIdle(idleMillis)
  }

  account(): string | undefined {
    return this.grant?.account
  }

  channels(): Iterable<string> {
    return this.isOver ? [] : this.line.session().channels.keys()
  }

  notify(channel: string, data: Value): void {
    if (this.exchange.faultOf("subscription")?._tag === "Withhold") return
    this.send(`{"jsonrpc":"2.0","method":"subscription","params":${write({ channel, data })}}`, false)
  }

  receive(frame: Frame): Frame | undefined {
    if (this.isOver) return undefined
    const at = this.exchange.now()
    this.heardAt = at
    const request = typeof frame === "string" ? requestOf(frame) : undefined
    if (request === undefined) return frame
    const { method, params } = request
    if (isOrderMethod(method)) {
      this.exchange.received.push({
        at,
        connection: this.number,
        method,
        label: textIn(params, "label"),
        orderId: textIn(params, "order_id"),
        text: String(frame)
      })
    }
    if (this.exchange.isMaintained && method !== "public/status") return this.refuse(request, new Refused(11051))
    const known = methods.get(method)
    const pool = known?.pool ?? passedOn.get(method)
    const grant = this.grantOf(params, at)
    // What is not known costs as what is.
    if (!this.exchange.credits.take(grant?.account ?? "", pool ?? "non_matching", at)) {
      this.refuse(request, new Refused(10028))
      return this.end(true)
    }
    if (method.startsWith("private/") && grant === undefined) {
      return this.refuse(request, new Refused(13009, this.grant && { reason: "invalid_token", param: "access_token" }))
    }
    if (passedOn.has(method)) return grant === undefined ? frame : asPrivate(String(frame), method)
    if (known === undefined) return this.refuse(request, new Refused(-32601))
    if (method === "public/test" && this.test !== undefined) {
      this.test.answeredAt = at
      this.test = undefined
    }
    this.carryOut(request, known, grant)
    return undefined
  }

  ended(): void {
    this.end(true)
  }

  /** Signs in on this connection. */
  signIn(params: Params, at: number): Value | Refused {
    const grant = this.exchange.tokens.signIn(params, this.number, at)
    if (grant instanceof Refused) return grant
    if (this.grant === undefined) this.cancelsOnDisconnect ||= this.exchange.isCancelledOnDisconnect(grant.account)
    this.grant = grant
    return {
      access_token: grant.accessToken,
      token_type: "bearer",
      expires_in: Math.round((grant.expiresAt - at) / 1_000),
      refresh_token: grant.refreshToken,
      scope: [grant.scope, ...grant.connection === undefined ? [] : ["connection"], "trade:read_write"]
        .filter((part) => part !== "").join(" "),
      state: grant.state,
      enabled_features: []
    }
  }

  /** Ends the connection, which keeps its orders. There is no answer. */
  logOut(revokes: boolean): undefined {
    if (revokes && this.grant !== undefined) this.exchange.tokens.revoke(this.grant)
    this.end(false)
  }

  /** Tests the client every so many milliseconds, or no more. */
  setHeartbeat(millis: number | undefined): void {
    const heartbeat = {}
    this.heartbeat = millis === undefined ? undefined : heartbeat
    this.test = undefined
    if (millis === undefined) return
    const beat = (): void => {
      if (this.isOver || this.heartbeat !== heartbeat) return
      for (const type of ["heartbeat", "test_request"]) {
        const text = write({ jsonrpc: "2.0", method: "heartbeat", params: { type } })
        this.line.send({ text, data: undefined, beat: true }, false)
      }
      this.expectAnswer({ connection: this.number, sentAt: this.exchange.now(), answeredAt: undefined })
      this.line.after(millis, beat)
    }
    this.line.after(millis, beat)
  }

  private expectAnswer(test: Test): void {
    this.test = test
    this.exchange.tests.push(test)
    this.line.after(this.exchange.testMillis, () => {
      if (this.test === test) this.end(true)
    })
  }

  private grantOf(params: Params, at: number): Grant | undefined {
    const token = textIn(params, "access_token") ?? this.grant?.accessToken
    return token === undefined ? undefined : this.exchange.tokens.find(token, at)
  }

  private carryOut(request: Request, called: Method, grant: Grant | undefined): void {
    const fault = this.exchange.faultOf(request.method)
    const run = (): Value | Refused => this.resultOf(request, called, grant)
    if (fault?._tag === "Cut" || fault?._tag === "Withhold") {
      const { takenAfter = 0 } = fault
      if (takenAfter === 0) run()
      if (fault._tag === "Cut") {
        this.line.drop()
        this.end(true)
      }
      if (takenAfter > 0 && takenAfter < Infinity) {
        this.line.after(takenAfter, () => {
          run()
          this.exchange.tellChanges()
        })
      }
    } else {
      const result = run()
      if (fault?._tag === "Delay") this.line.after(fault.millis, () => this.say(request, result))
      else this.say(request, result)
    }
    this.exchange.tellChanges()
  }

  private resultOf({ params }: Request, { answer, pool, takes }: Method, grant: Grant | undefined) {
    const isTrading = pool === "matching" || pool === "cancel_all"
    const missing = takes.find((name) => params[name] === undefined)
    if (missing !== undefined) return new Refused(-32602, { param: missing, reason: "missing" })
    if (isTrading && this.exchange.isSettling) return new Refused(10041)
    return answer({ session: this, params, account: grant?.account ?? "", at: this.exchange.now() })
  }

  private say(request: Request, result: Value | Refused): void {
    if (result instanceof Refused) this.refuse(request, result)
    else if (result !== undefined) this.answer(request, { result })
  }

  private refuse(request: Request, refused: Refused): undefined {
    this.answer(request, { error: refused.toValue() })
  }

  private answer({ id }: Request, body: { readonly [name: string]: Value }): void {
    const micros = this.exchange.now() * 1_000
    const times = write({ ...body, usIn: micros, usOut: micros, usDiff: 0, testnet: false })
    this.send(`{"jsonrpc":"2.0",${id === undefined ? "" : `"id":${id},`}${times.slice(1)}`, true)
  }

  private send(text: string, isAnswer: boolean): void {
    if (!this.isOver) this.line.send({ text, data: undefined }, isAnswer)
  }

  // A connection ends once, whoever ends it.
  private end(cancels: boolean): undefined {
    if (this.isOver) return
    this.isOver = true
    this.exchange.leave(this, cancels && this.cancelsOnDisconnect)
    this.line.close(1000, "")
  }

  private endIfIdle(after: number): void {
    this.line.after(after, () => {
      if (this.isOver) return
      const left = this.heardAt + idleMillis - this.exchange.now()
      if (left > 0) this.endIfIdle(left)
      else this.end(true)
    })
  }
}

/** A subscription of somebody who has signed in: to private channels as well, and to raw ones. */
const asPrivate = (frame: string, method: string): string =>
  frame.replace(JSON.stringify(method), JSON.stringify(method.replace("public/", "private/")))
