/**
 * Methods of the connection and its session.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import * as Method from "../Method.ts"
import { Authenticated } from "../Schemas.ts"
import * as Lenient from "./lenient.ts"
import { maybe, none, Ok } from "./parameters.ts"

// In seconds; the venue refuses less.
const Interval = ExactSchema.Integer.check(Schema.isGreaterThanOrEqualTo(10))

const Version = Schema.Struct({ version: Schema.String })

const Scope = Schema.Literals(["connection", "account"])

const scoped = { params: Schema.Struct({ scope: maybe(Scope) }), result: Ok, kind: "session" } as const

const asked = { state: maybe(Schema.String), scope: maybe(Schema.String) }

const Channels = Schema.Array(Schema.String)

const channels = { params: Schema.Struct({ channels: Channels }), result: Channels, kind: "subscribe" } as const

/**
 * Signing in, heartbeats, cancel-on-disconnect and the venue's own state.
 *
 * @category constants
 * @since 0.1.0
 */
export const connection = {
  auth: Method.make("public/auth", {
    kind: "session",
    params: Schema.Union([
      Schema.Struct({
        grant_type: Schema.Literal("client_credentials"),
        client_id: Schema.String,
        client_secret: Lenient.Secret,
        ...asked
      }),
      Schema.Struct({
        grant_type: Schema.Literal("client_signature"),
        client_id: Schema.String,
        timestamp: ExactSchema.Millis,
        signature: Schema.String,
        nonce: maybe(Schema.String),
        data: maybe(Schema.String),
        ...asked
      }),
      Schema.Struct({
        grant_type: Schema.Literal("refresh_token"),
        refresh_token: Lenient.Secret,
        ...asked
      })
    ]),
    result: Authenticated
  }),
  logout: Method.make("private/logout", {
    kind: "session",
    params: Schema.Struct({ invalidate_token: maybe(Schema.Boolean) }),
    // The venue closes the connection instead of answering.
    result: Lenient.Json
  }),
  hello: Method.make("public/hello", {
    kind: "session",
    params: Schema.Struct({ client_name: Schema.String, client_version: Schema.String }),
    result: Version
  }),
  test: Method.make("public/test", {
    kind: "heartbeat",
    params: Schema.Struct({ expected_result: maybe(Schema.Literal("exception")) }),
    result: Version
  }),
  setHeartbeat: Method.make("public/set_heartbeat", {
    kind: "session",
    params: Schema.Struct({ interval: Interval }),
    result: Ok
  }),
  disableHeartbeat: Method.make("public/disable_heartbeat", { kind: "session", params: none, result: Ok }),
  enableCancelOnDisconnect: Method.make("private/enable_cancel_on_disconnect", scoped),
  disableCancelOnDisconnect: Method.make("private/disable_cancel_on_disconnect", scoped),
  getCancelOnDisconnect: Method.make("private/get_cancel_on_disconnect", {
    kind: "query",
    params: scoped.params,
    result: Schema.Struct({ enabled: Schema.Boolean, scope: ExactSchema.optional(Scope) })
  }),
  status: Method.make("public/status", {
    kind: "query",
    params: none,
    result: Schema.Struct({
      locked: Lenient.Locked,
      locked_indices: ExactSchema.optional(Schema.Array(Schema.String)),
      locked_currencies: ExactSchema.optional(Schema.Array(Schema.String))
    })
  }),
  getTime: Method.make("public/get_time", { kind: "query", params: none, result: ExactSchema.Millis })
}

/**
 * Subscribing to channels: public ones, and those of the account.
 *
 * @category constants
 * @since 0.1.0
 */
export const subscriptions = {
  subscribe: Method.make("public/subscribe", { ...channels, pool: "subscribe" }),
  unsubscribe: Method.make("public/unsubscribe", channels),
  unsubscribeAll: Method.make("public/unsubscribe_all", { kind: "subscribe", params: none, result: Ok }),
  subscribePrivate: Method.make("private/subscribe", {
    kind: "subscribe",
    pool: "subscribe",
    params: Schema.Struct({ channels: Channels, label: maybe(Schema.String) }),
    result: Channels
  }),
  unsubscribePrivate: Method.make("private/unsubscribe", channels),
  unsubscribeAllPrivate: Method.make("private/unsubscribe_all", { kind: "subscribe", params: none, result: Ok })
}
