/**
 * How a connection to Deribit is kept alive: the venue asks for a sign of life,
 * and is answered.
 *
 * @since 0.1.0
 */
import type { MarketEvent } from "../../../event/MarketEvent.ts"
import type { KeepAlive } from "../../../protocol/KeepAlive.ts"
import { rpc } from "./subscribing.ts"

/**
 * How often the venue asks for a sign of life, in seconds; it takes no less than
 * 10.
 *
 * @category constants
 * @since 0.1.0
 */
export const heartbeatSeconds = 30

/** Requests that keep alive are numbered from here on: no answer to one is taken for that of a subscription. */
const firstKeepAlive = 1_000_000_000

/**
 * The venue asks for a sign of life every so many seconds, and is answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keepAlive = (seconds: number): KeepAlive<MarketEvent> => ({
  _tag: "Requested",
  withinMillis: seconds * 1_000,
  enable: (id) => rpc(firstKeepAlive + id, "public/set_heartbeat", { interval: seconds }),
  answer: (event, id) =>
    event._tag === "Heartbeat" && event.kind === "testRequest"
      ? rpc(firstKeepAlive + id, "public/test", {})
      : undefined
})
