/**
 * How a peer shows that a connection is alive.
 *
 * @since 0.1.0
 */
import * as Period from "../value/Period.ts"

/**
 * How a peer shows that it is alive where it has nothing else to say: any
 * message does as well. Times are milliseconds.
 *
 * - `Protocol`: it answers WebSocket pings, as RFC 6455 has it
 * - `Application`: it answers a ping of its own dialect; `isPong` knows the answer
 * - `Server`: it sends something by itself, a beat if nothing else, at least
 *   every `withinMillis`
 * - `Requested`: asked by `enable`, it beats or tests us at least every
 *   `withinMillis`; `answer` gives the reply to a message that is such a test
 * - `None`: nothing is asked and nothing expected
 *
 * @category models
 * @since 0.1.0
 */
export type KeepAlive<A> =
  | { readonly _tag: "Protocol" }
  | { readonly _tag: "None" }
  | {
    readonly _tag: "Application"
    readonly everyMillis: number
    readonly ping: (id: number) => string
    readonly isPong: (message: A) => boolean
  }
  | { readonly _tag: "Server"; readonly withinMillis: number }
  | {
    readonly _tag: "Requested"
    readonly withinMillis: number
    readonly enable: (id: number) => string
    readonly answer: (message: A, id: number) => string | undefined
  }

/**
 * How a peer shows that it is alive, for people: `pings, 30 s`.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = <A>(keepAlive: KeepAlive<A>): string => {
  switch (keepAlive._tag) {
    case "Protocol":
      return "protocol pings"
    case "Application":
      return `pings, ${Period.format(keepAlive.everyMillis)}`
    case "Server":
      return `its beats, ${Period.format(keepAlive.withinMillis)}`
    case "Requested":
      return `beats on request, ${Period.format(keepAlive.withinMillis)}`
    case "None":
      return "nothing"
  }
}
