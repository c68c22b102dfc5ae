/**
 * A method of Deribit: a JSON-RPC method with the pool of limits that its calls
 * draw from, and with the schemas of what is sent and answered, which a server
 * that answers it reads as well.
 *
 * **Example** (one that is not among `Methods`)
 *
 * ```ts
 * const getMargins = Method.make("private/get_margins", {
 *   kind: "query",
 *   params: Schema.Struct({
 *     instrument_name: Schema.String,
 *     amount: ExactSchema.Decimal,
 *     price: ExactSchema.Decimal
 *   }),
 *   result: Schema.Struct({ buy: ExactSchema.Decimal, sell: ExactSchema.Decimal })
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { Json, JsonObject } from "../../codec/ExactJson.ts"
import * as JsonRpc from "../JsonRpc.ts"
import * as Credits from "./Credits.ts"

/**
 * What a call is for, which says how urgent it is and how long it may take.
 *
 * - `heartbeat`: the answer to a `test_request`, before all else
 * - `cancel`: takes orders or quotes back
 * - `order`: places or changes them; it is written within a second or not at all
 * - `session`: signs in, or sets what the session does
 * - `subscribe`: of channels
 * - `query`: asks only
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "heartbeat" | "cancel" | "order" | "session" | "subscribe" | "query"

/**
 * A method of Deribit, typed both ways. `cost` is in credits, of a limit on
 * messages that counts those; what the matching engine counts, in requests, is
 * free of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Method<Params, Result> extends JsonRpc.Method<Params, Result> {
  readonly kind: Kind
  readonly pool: Credits.Pool
  readonly params: Schema.Codec<Params, JsonObject>
  readonly result: Schema.Codec<Result, Json>
}

const options: { readonly [K in Kind]: JsonRpc.MethodOptions } = {
  heartbeat: { priority: "heartbeat", timeout: "5 seconds" },
  cancel: { priority: "cancel", timeout: "5 seconds" },
  order: { priority: "order", timeout: "5 seconds", deadline: "1 second" },
  session: { priority: "order", timeout: "10 seconds" },
  subscribe: { priority: "subscribe", timeout: "10 seconds" },
  query: { priority: "query", timeout: "10 seconds" }
}

/**
 * Declares a method. What places, changes or cancels draws from the pool
 * `matching` where nothing else is said, and what does not from `requests`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Params, Result>(
  name: string,
  { kind, params, pool = kind === "order" || kind === "cancel" ? "matching" : "requests", result }: {
    readonly kind: Kind
    readonly pool?: Credits.Pool | undefined
    readonly params: Schema.Codec<Params, JsonObject>
    readonly result: Schema.Codec<Result, Json>
  }
): Method<Params, Result> => ({
  ...JsonRpc.method(name, { ...options[kind], cost: Credits.costs[pool], params, result }),
  kind,
  pool,
  params,
  result
})
