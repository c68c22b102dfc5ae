/**
 * What a session's connection asks and answers by itself, which draws from the
 * credits as calls do, and how far the venue has read.
 *
 * @since 0.1.0
 */
import type { NamedObserver } from "../../../connection/Observer.ts"
import type { Dialect } from "../../../protocol/Dialect.ts"
import type { KeepAlive } from "../../../protocol/KeepAlive.ts"
import { idOf, type Message } from "../../JsonRpc.ts"
import type * as Credits from "../Credits.ts"
import type { CreditGate } from "./creditGate.ts"
import * as Dialects from "./dialect.ts"

/**
 * The dialect, whose asks are counted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dialect = (gate: CreditGate): Dialect<Message> => {
  const { subscribe, unsubscribe } = Dialects.dialect
  const count = (ask: typeof subscribe, pool: Credits.Pool): typeof subscribe => (channels, id) => {
    const asks = ask(channels, id)
    for (const one of asks) if (typeof one === "object" && "text" in one) gate.written(one.requestId ?? "", pool)
    return asks
  }
  return { ...Dialects.dialect, subscribe: count(subscribe, "subscribe"), unsubscribe: count(unsubscribe, "requests") }
}

/**
 * The heartbeat, whose answers are counted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keepAlive = (gate: CreditGate): KeepAlive<Message> => {
  const { answer, enable } = Dialects.keepAlive
  const count = <Text extends string | undefined>(text: Text, id: number): Text => {
    if (text !== undefined) gate.written(`${id}`, "requests")
    return text
  }
  return {
    ...Dialects.keepAlive,
    enable: (id) => count(enable(id), id),
    answer: (message, id) => count(answer(message, id), id)
  }
}

/**
 * Looks at the answers: each shows how far the venue has read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const observer = (gate: CreditGate): NamedObserver<Message> => ({
  name: "credits",
  attach: () => {
    gate.begin()
    return {
      batch: ({ messages }) => {
        for (const message of messages) {
          const id = idOf(message)
          if (id !== undefined) gate.answered(id)
        }
      },
      ended: () => gate.end()
    }
  }
})
