/** One connection to dYdX's indexer: which subaccounts it is told of. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { GatewayLine, GatewaySession } from "../../venue/internal/mockVenue.ts"
import type { Changes } from "./clearedBooks.ts"
import type { Terms } from "./dydxAnswers.ts"
import type { DydxExchange, Member } from "./dydxExchange.ts"

const channel = "v4_subaccounts"

const readRequest = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({
  type: Schema.Literals(["subscribe", "unsubscribe"]),
  channel: Schema.Literal(channel),
  id: Schema.String
})))

/** A connection. */
export class DydxSession implements GatewaySession, Member {
  private readonly exchange: DydxExchange
  private readonly line: GatewayLine
  private readonly subscribed = new Set<string>()
  private isOver = false

  constructor(exchange: DydxExchange, line: GatewayLine) {
    this.exchange = exchange
    this.line = line
    exchange.join(this)
  }

  receive(frame: Frame): Frame | undefined {
    if (this.isOver) return undefined
    const read = readRequest(frame)
    if (Result.isFailure(read)) return frame
    const { id, type } = read.success
    if (type === "unsubscribe") {
      this.subscribed.delete(id)
      this.say({ type: "unsubscribed", channel, id }, true)
      return undefined
    }
    this.subscribed.add(id)
    const open = this.exchange.of(id).filter(({ record }) => record?.status === "open")
    const orders = open.map((order) => this.exchange.shown(order))
    this.say({ type: "subscribed", channel, id, contents: { subaccount: {}, orders } }, true)
    return undefined
  }

  ended(): void {
    this.isOver = true
    this.exchange.leave(this)
  }

  tell({ account, fills, orders }: Changes<Terms>): void {
    this.told(account, orders.map(({ terms: { id } }) => id), fills)
  }

  removed(account: string, id: string): void {
    this.told(account, [id], [])
  }

  private told(account: string, ids: ReadonlyArray<string>, fills: Changes<Terms>["fills"]): void {
    if (!this.subscribed.has(account)) return
    const contents = {
      orders: ids.flatMap((id) => {
        const order = this.exchange.orders.get(id)
        return order === undefined ? [] : [this.exchange.shown(order)]
      }),
      fills: fills.map((fill) => this.exchange.execution(fill))
    }
    this.say({ type: "channel_data", channel, id: account, version: "3.0.0", contents }, false)
  }

  private say(
    { type, ...message }: { readonly type: string; readonly [name: string]: unknown },
    isAnswer: boolean
  ): void {
    if (this.isOver) return
    const head = { type, connection_id: "00000000-0000-4000-8000-000000000000", message_id: this.line.sent() }
    this.line.send({ text: JSON.stringify({ ...head, ...message }), data: undefined }, isAnswer)
  }
}
