/** One connection to Hyperliquid: what is posted on it, and which accounts it is told of. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { GatewayLine, GatewaySession } from "../../venue/internal/mockVenue.ts"
import { type Answer, textOf } from "../../venue/Listing.ts"
import type { Changes } from "./clearedBooks.ts"
import * as Answers from "./hyperliquidAnswers.ts"
import type { HyperliquidExchange, Member } from "./hyperliquidExchange.ts"

const Subscription = Schema.Struct({
  type: Schema.Literals(["orderUpdates", "userFills", "userEvents"]),
  user: Schema.String,
  aggregateByTime: Schema.optionalKey(Schema.Boolean)
})

const Request = Schema.Union([
  Schema.Struct({
    method: Schema.Literal("post"),
    id: Schema.Int,
    request: Schema.Struct({ type: Schema.Literals(["info", "action"]), payload: Schema.Unknown })
  }),
  Schema.Struct({ method: Schema.Literals(["subscribe", "unsubscribe"]), subscription: Subscription })
])

const readRequest = Schema.decodeUnknownResult(Schema.fromJsonString(Request))

/** A connection. */
export class HyperliquidSession implements GatewaySession, Member {
  private readonly exchange: HyperliquidExchange
  private readonly line: GatewayLine
  private readonly subscribed = new Map<string, typeof Subscription.Type>()
  private isOver = false

  constructor(exchange: HyperliquidExchange, line: GatewayLine) {
    this.exchange = exchange
    this.line = line
    exchange.join(this)
  }

  receive(frame: Frame): Frame | undefined {
    if (this.isOver) return undefined
    const read = readRequest(frame)
    if (Result.isFailure(read)) return frame
    const request = read.success
    if (request.method === "post") {
      const { id, request: { payload, type } } = request
      this.exchange.post(type, JSON.stringify(payload), {
        answer: (answer) => this.answer(id, type, payload, answer),
        drop: () => this.line.drop()
      })
      return undefined
    }
    const { method, subscription } = request
    const key = `${subscription.type} ${subscription.user.toLowerCase()}`
    if (this.subscribed.has(key) !== (method === "unsubscribe")) {
      this.say({ channel: "error", data: `Already ${method}d: ${JSON.stringify(subscription)}` }, true)
      return undefined
    }
    this.say({ channel: "subscriptionResponse", data: { method, subscription } }, true)
    if (method === "unsubscribe") {
      this.subscribed.delete(key)
      return undefined
    }
    this.subscribed.set(key, subscription)
    if (subscription.type === "userFills") {
      const { user } = subscription
      const fills = this.exchange.fills(user.toLowerCase())
      this.say({ channel: "userFills", data: { isSnapshot: true, user, fills } }, false)
    }
    return undefined
  }

  ended(): void {
    this.isOver = true
    this.exchange.leave(this)
  }

  notify({ account, fills, orders }: Changes<Answers.Terms>): void {
    const executions = fills.flatMap((fill) => {
      const order = this.exchange.books.orders.get(fill.orderId)
      return order === undefined ? [] : [Answers.execution(fill, order)]
    })
    for (const { type, user } of this.subscribed.values()) {
      if (user.toLowerCase() !== account) continue
      if (type === "orderUpdates") {
        // Nobody may rely on it that those of one action come together.
        for (const order of orders) {
          this.say({ channel: "orderUpdates", data: [Answers.withStatus(order, Answers.brief)] }, false)
        }
      }
      if (executions.length === 0) continue
      if (type === "userFills") this.say({ channel: "userFills", data: { user, fills: executions } }, false)
      if (type === "userEvents") this.say({ channel: "user", data: { fills: executions } }, false)
    }
  }

  // An error is the status and the words that HTTP would have had.
  private answer(id: number, kind: "info" | "action", payload: unknown, answer: Answer): void {
    const text = textOf(answer)
    const of = typeof payload === "object" && payload !== null && "type" in payload ? payload.type : undefined
    const body = answer.status === 200
      ? Result.getOrElse(Result.try(() => JSON.parse(text) as unknown), () => text)
      : text
    const response = answer.status !== 200
      ? { type: "error", payload: `${answer.status} ${text}`.trim() }
      : { type: kind, payload: kind === "info" ? { type: of, data: body } : body }
    this.say({ channel: "post", data: { id, response } }, true)
  }

  private say(message: object, isAnswer: boolean): void {
    if (!this.isOver) this.line.send({ text: JSON.stringify(message), data: undefined }, isAnswer)
  }
}
