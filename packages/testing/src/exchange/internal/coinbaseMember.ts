/** A connection to Coinbase Advanced Trade: whose it is, and what it is told of orders. */
import type { GatewayLine } from "../../venue/internal/mockVenue.ts"
import * as Orders from "./coinbaseOrders.ts"

/** One connection: who it is, by the token of its latest ask for the user's channel. */
export class CoinbaseMember {
  private readonly line: GatewayLine
  private readonly wallMillis: () => number
  private signedIn: string | undefined

  constructor(line: GatewayLine, wallMillis: () => number) {
    this.line = line
    this.wallMillis = wallMillis
  }

  account(): string | undefined {
    return this.signedIn
  }

  signIn(account: string | undefined): void {
    this.signedIn = account
  }

  refuse(message: string): void {
    this.line.send({ text: JSON.stringify({ type: "error", message }), data: undefined, isNumbered: false }, true)
  }

  tell(type: "snapshot" | "update", orders: ReadonlyArray<Orders.OrderRecord>): void {
    const text = JSON.stringify({
      channel: "user",
      client_id: "",
      timestamp: Orders.timeOf(this.wallMillis()),
      sequence_num: this.line.sent(),
      events: [{
        type,
        orders: orders.map(Orders.toldOf),
        positions: { perpetual_futures_positions: [], expiring_futures_positions: [] }
      }]
    })
    this.line.send({ text, data: { channel: "user", product: orders[0]?.product ?? "" } }, false)
  }
}
