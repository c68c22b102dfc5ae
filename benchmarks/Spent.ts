/** What a run spends: the CPU of this process, and the time from a message to whoever wants it. */
import { WebSocket } from "ws"
import * as Rounds from "./Rounds.ts"

/** The CPU time that a run takes, in microseconds. */
export const cpu = async (run: () => Promise<unknown>): Promise<number> => {
  const begun = process.cpuUsage()
  await run()
  const spent = process.cpuUsage(begun)
  return spent.user + spent.system
}

let emittedAt = 0

/** From now on the moment is kept at which `ws` emits each message, before any listener of anybody has it. */
export const watchEmits = (): void => {
  const emit = WebSocket.prototype.emit
  WebSocket.prototype.emit = function(this: WebSocket, event: string | symbol, ...args: Array<unknown>) {
    if (event === "message") emittedAt = performance.now()
    return Reflect.apply(emit, this, [event, ...args])
  }
}

/** How late a run marks messages after `ws` has emitted them, in microseconds: the median. Needs `watchEmits`. */
export const latency = async (run: (mark: () => void) => Promise<unknown>): Promise<number> => {
  const late: Array<number> = []
  await run(() => late.push(performance.now() - emittedAt))
  return Rounds.median(late) * 1_000
}
