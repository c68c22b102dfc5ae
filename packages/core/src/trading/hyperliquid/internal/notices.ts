/**
 * What the socket says of an account's orders, and when that may have had a gap.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { NamedObserver } from "../../../connection/Observer.ts"
import type { Notice } from "../../internal/gateway.ts"
import { isOver } from "../../OrderStatus.ts"
import { channels, type Message } from "./messages.ts"
import * as Orders from "./orders.ts"

const gap: Notice<Orders.Order> = { _tag: "Gap" }

const last = channels[channels.length - 1]

/**
 * An order of ours that is cancelled may have been amended: what stands in its
 * place has another number and the same client id, and has to be asked for.
 */
const mayBeReplaced = ({ cloid, status }: Orders.Order): boolean =>
  cloid !== undefined && isOver(status) && status === "cancelled"

/**
 * The notices of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notices {
  readonly observer: NamedObserver<Message>
  readonly hub: PubSub.PubSub<Notice<Orders.Order>>
}

/**
 * Makes the notices of a connection, which they observe. `told` is shown each
 * order. There is a gap where the channels are confirmed, which they are on each
 * epoch, and where something cannot be read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (told: (order: Orders.Order) => void): Effect.Effect<Notices> =>
  Effect.map(PubSub.unbounded<Notice<Orders.Order>>(), (hub) => {
    const publish = (notice: Notice<Orders.Order>) => void PubSub.publishUnsafe(hub, notice)
    const receive = (message: Message): void => {
      switch (message._tag) {
        case "Orders": {
          const orders = message.orders.map(({ order, status }) => Orders.read(order, status))
          orders.forEach(told)
          const certain = orders.filter((order) => !mayBeReplaced(order))
          if (certain.length > 0) publish({ _tag: "Changes", orders: certain, fills: [] })
          if (certain.length < orders.length) publish(gap)
          return
        }
        case "Fills":
          // What is old is asked for, if somebody wants it.
          if (!message.isSnapshot) publish({ _tag: "Changes", orders: [], fills: message.fills.map(Orders.toFill) })
          return
        case "Unreadable":
          return publish(gap)
        case "Confirmed":
          if (message.channel === last) publish(gap)
          return
      }
    }
    return {
      hub,
      observer: {
        name: "orders",
        attach: () => ({ batch: ({ messages }) => messages.forEach(receive), ended: () => {} })
      }
    }
  })
