/**
 * JSON-RPC 2.0 over a connection: calls and their results, errors and
 * notifications, exact to the digit.
 *
 * Each call ends in exactly one way: with its result, with the peer's error, or
 * with the truth about why there is neither, as `Requests` has it. A method is
 * declared once and is typed both ways.
 *
 * **Example** (a method, and a call of it)
 *
 * ```ts
 * const getTime = JsonRpc.method("public/get_time", {
 *   params: Schema.Struct({}),
 *   result: ExactSchema.Millis,
 *   priority: "query"
 * })
 *
 * const program = Effect.gen(function*() {
 *   const connection = yield* Connection.connect(url, { decode: JsonRpc.decode("deribit") })
 *   const rpc = yield* JsonRpc.make(connection)
 *   return yield* rpc.call(getTime, {})
 * })
 * ```
 *
 * @see https://www.jsonrpc.org/specification
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ExactJson from "../codec/ExactJson.ts"
import * as JsonText from "../codec/internal/jsonText.ts"
import * as JsonWriter from "../codec/internal/jsonWriter.ts"
import * as RejectionWords from "../codec/internal/rejectionWords.ts"
import * as Rejection from "../codec/Rejection.ts"
import type { ConnectError, NotSent, OutboxFull } from "../connection/ConnectError.ts"
import type { Connection } from "../connection/Connection.ts"
import type { ConsumerOptions, ConsumerOverflow } from "../connection/Inbox.ts"
import { internals } from "../connection/internal/connectionInternals.ts"
import type { Accepted, Message as OutgoingMessage, SendOptions } from "../connection/Outbox.ts"
import * as Requests from "../connection/Requests.ts"
import type { InvalidCost, RateLimited } from "../resilience/RollingLimit.ts"
import type { Frame } from "../transport/Frame.ts"
import * as MetricAttributes from "../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../value/internal/sessionMetricDefinitions.ts"
import * as Printable from "../value/Printable.ts"

// --- messages ------------------------------------------------------------------

/**
 * What the peer sends: the result of a call, the error of one, or something that
 * nobody asked for. An error without an id is of a call that the peer could not
 * read. A call of the peer's own is a notification with an id.
 *
 * @category models
 * @since 0.1.0
 */
export type Message =
  | { readonly _tag: "Result"; readonly id: string; readonly result: ExactJson.Json }
  | {
    readonly _tag: "Error"
    readonly id: string | undefined
    readonly code: string
    readonly reason: string
    readonly data: ExactJson.Json | undefined
  }
  | {
    readonly _tag: "Notification"
    readonly id: string | undefined
    readonly method: string
    readonly params: ExactJson.Json | undefined
  }

/**
 * The id that a message answers; none where it answers nothing.
 *
 * @category getters
 * @since 0.1.0
 */
export const idOf = (message: Message): string | undefined => message._tag === "Notification" ? undefined : message.id

const textOf = (json: ExactJson.Json | undefined): string | undefined =>
  typeof json === "string" ? json : json instanceof ExactJson.JsonNumber ? json.text : undefined

const readError = (peer: string, id: string | undefined, error: ExactJson.Json): Message | Rejection.FrameRejected => {
  if (!ExactJson.isObject(error)) return Rejection.unexpected(peer, ["error"], "object", error)
  const { code, data, message = "" } = error
  if (!(code instanceof ExactJson.JsonNumber)) return Rejection.unexpected(peer, ["error", "code"], "number", code)
  if (typeof message !== "string") return Rejection.unexpected(peer, ["error", "message"], "string", message)
  return { _tag: "Error", id, code: code.text, reason: message, data }
}

const read = (peer: string, json: ExactJson.JsonObject): Message | Rejection.FrameRejected => {
  const { error = null, id = null, jsonrpc, method, params, result } = json
  if (jsonrpc !== "2.0") return Rejection.unexpected(peer, ["jsonrpc"], "2.0", jsonrpc)
  const ownId = textOf(id)
  if (ownId === undefined && id !== null) return Rejection.unexpected(peer, ["id"], "string | number", id)
  if (method !== undefined) {
    if (typeof method !== "string") return Rejection.unexpected(peer, ["method"], "string", method)
    return { _tag: "Notification", id: ownId, method, params }
  }
  if (error !== null) {
    return result === undefined || result === null
      ? readError(peer, ownId, error)
      : Rejection.unexpected(peer, ["error"], "no error beside a result", error)
  }
  if (result === undefined) return Rejection.unknownMessage(peer, "method, result or error")
  return ownId === undefined
    ? Rejection.unexpected(peer, ["id"], "string | number", id)
    : { _tag: "Result", id: ownId, result }
}

/**
 * Reads a frame of the peer that is so called in rejections. A batch is refused:
 * nobody asks for several things at once, so no answer comes in one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (peer: string) => (frame: Frame): ReadonlyArray<Message> | Rejection.FrameRejected => {
  if (typeof frame !== "string") return Rejection.frameRejected(peer, ...RejectionWords.binary(frame))
  const json = ExactJson.parse(frame)
  if (json instanceof ExactJson.Malformed) {
    return Rejection.frameRejected(peer, ...RejectionWords.malformed(frame, json))
  }
  if (Array.isArray(json)) {
    return Rejection.frameRejected(
      peer,
      "NotAnObject",
      undefined,
      "a batch of JSON-RPC messages, which nobody asked for"
    )
  }
  if (!ExactJson.isObject(json)) return Rejection.frameRejected(peer, ...RejectionWords.notAnObject(json))
  const message = read(peer, json)
  return Rejection.isFrameRejected(message) ? message : [message]
}

const isNumber = /^(?:0|[1-9]\d{0,14})$/

/**
 * The text of a call: by its parameters' names where they are an object, by
 * their positions where they are a list. Without an id it is a notification. An
 * id of digits is written as a number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = (
  id: string | undefined,
  method: string,
  params?: ExactJson.JsonObject | ReadonlyArray<ExactJson.Json> | undefined
): string =>
  `{"jsonrpc":"2.0",${id === undefined ? "" : `"id":${isNumber.test(id) ? id : JsonWriter.write(id)},`}"method":` +
  `${JsonWriter.write(method)}${params === undefined ? "" : `,"params":${JsonWriter.write(params)}`}}`

// --- errors --------------------------------------------------------------------

/**
 * The peer's error: the call was not carried out, for this reason. `code` is the
 * text of its number, `data` what the peer says besides, numbers as their texts.
 *
 * @category errors
 * @since 0.1.0
 */
export class RpcError extends Schema.TaggedError<RpcError>()("RpcError", {
  method: Schema.String,
  id: Schema.String,
  code: Schema.String,
  reason: Schema.String,
  data: Schema.optionalKey(Schema.Unknown)
}) {
  override get message(): string {
    const { code, data, method, reason } = this
    const more = data === undefined || data === null ? "" : ` (${JSON.stringify(data)})`
    return Printable.escape(Printable.cut(`${method} refused with ${code}: ${reason}${more}`, 300))
  }
}

/**
 * The call was carried out, and its result is not what its method declares:
 * `field` names the first bad path.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnreadableResult extends Schema.TaggedError<UnreadableResult>()("UnreadableResult", {
  method: Schema.String,
  id: Schema.String,
  field: Schema.optionalKey(Schema.String),
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`${this.method} answered what cannot be read: ${this.detail}`)
  }
}

/**
 * The parameters are not what the method declares. Nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidParams extends Schema.TaggedError<InvalidParams>()("InvalidParams", {
  method: Schema.String,
  field: Schema.optionalKey(Schema.String),
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`not a call of ${this.method}: ${this.detail}`)
  }
}

/**
 * How a call ends without its result.
 *
 * @category models
 * @since 0.1.0
 */
export type CallError = Requests.RequestError | RpcError | UnreadableResult | InvalidParams

// --- methods -------------------------------------------------------------------

type Encoded = ExactJson.JsonObject | ReadonlyArray<ExactJson.Json>

/**
 * A method of a peer, typed both ways.
 *
 * @category models
 * @since 0.1.0
 */
export interface Method<Params, Result> extends MethodOptions {
  readonly name: string
  readonly encode: (params: Params) => Result.Result<Encoded, SchemaIssue.Issue>
  readonly decode: (result: ExactJson.Json) => Result.Result<Result, SchemaIssue.Issue>
}

/**
 * How calls of a method are sent where a call itself says nothing else: see
 * `Requests.RequestOptions`.
 *
 * @category models
 * @since 0.1.0
 */
export type MethodOptions = Pick<Requests.RequestOptions, "cost" | "deadline" | "priority" | "timeout">

/**
 * Declares a method: its parameters, by name or by position, and its result.
 * Numbers are exact with the schemas of `ExactSchema`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const method = <Params, Result>(
  name: string,
  { params, result, ...options }: MethodOptions & {
    readonly params: Schema.Codec<Params, Encoded>
    readonly result: Schema.Codec<Result, unknown>
  }
): Method<Params, Result> => ({
  ...options,
  name,
  encode: SchemaParser.encodeUnknownResult(params),
  decode: SchemaParser.decodeUnknownResult(result)
})

// --- calls ---------------------------------------------------------------------

/**
 * How a call is sent; see `Requests.RequestOptions`. `onWrite` is called with its
 * id in the step that writes it: whoever counts calls counts those that went out.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions extends Requests.RequestOptions {
  readonly onWrite?: ((id: string) => void) | undefined
}

/**
 * The calls of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonRpc {
  /**
   * Calls a method and waits for its result. The options of the call come before those of its method. Where a message
   * has to be made in the turn in which it is written, such as one that is signed, `params` is a function; what it gives
   * wrongly is a defect.
   */
  readonly call: <Params, Result>(
    method: Method<Params, Result>,
    params: Params | (() => Params),
    options?: CallOptions | undefined
  ) => Effect.Effect<Result, CallError>
  /** Sends a notification, which has no answer. */
  readonly notify: <Params>(
    method: Method<Params, unknown>,
    params: Params,
    options?: SendOptions | undefined
  ) => Effect.Effect<Accepted, InvalidParams | NotSent | OutboxFull | RateLimited | InvalidCost>
  /** What the peer sends without being asked. */
  readonly notifications: (
    options?: ConsumerOptions | undefined
  ) => Stream.Stream<Extract<Message, { readonly _tag: "Notification" }>, ConnectError | ConsumerOverflow>
  /** Answers to calls that were given up, or that nobody made, with their ids. A reader more than 64 behind loses the oldest. */
  readonly unmatched: Stream.Stream<Exclude<Message, { readonly _tag: "Notification" }>>
  /** How many calls wait for their answers. */
  readonly pending: Effect.Effect<number>
}

const isMaker = <Params>(params: Params | (() => Params)): params is () => Params => typeof params === "function"

const isAnswer = (message: Message): message is Exclude<Message, { readonly _tag: "Notification" }> =>
  message._tag !== "Notification"

const isNotification = (message: Message): message is Extract<Message, { readonly _tag: "Notification" }> =>
  message._tag === "Notification"

const encode = <Params>(
  { encode, name }: Method<Params, unknown>,
  params: Params
): Result.Result<Encoded, InvalidParams> =>
  Result.mapError(encode(params), (issue) => {
    const [, field, detail] = RejectionWords.invalid(null, issue)
    return new InvalidParams({ method: name, ...(field === undefined ? {} : { field }), detail })
  })

const resultOf = <A>(
  { decode, name }: Method<never, A>,
  id: string,
  answer: Message
): Effect.Effect<A, RpcError | UnreadableResult> => {
  if (answer._tag === "Error") {
    const { code, data, reason } = answer
    return Effect.fail(
      new RpcError({ method: name, id, code, reason, ...(data === undefined ? {} : { data: JsonText.plain(data) }) })
    )
  }
  const result = answer._tag === "Result" ? answer.result : null
  const read = decode(result)
  if (Result.isSuccess(read)) return Effect.succeed(read.success)
  const [, field, detail] = RejectionWords.invalid(result, read.failure, ["result"])
  return Effect.fail(
    new UnreadableResult({ method: name, id, ...(field === undefined ? {} : { field }), detail })
  )
}

const durationOf = (input: Duration.Input | undefined): Duration.Duration | undefined =>
  input === undefined ? undefined : Duration.fromInputUnsafe(input)

const known = new WeakMap<object, MethodOptions>()

/** How a method's calls are sent, its durations read once and not with each call. */
const optionsOf = (method: Method<never, unknown>): MethodOptions => {
  const found = known.get(method)
  if (found !== undefined) return found
  const { cost, deadline, priority, timeout } = method
  const options = { cost, deadline: durationOf(deadline), priority, timeout: durationOf(timeout) }
  known.set(method, options)
  return options
}

/** What is sent: a text, or what makes it in the turn in which it is written. */
const messageOf = <Params>(
  method: Method<Params, unknown>,
  id: string,
  params: Params | (() => Params),
  onWrite: CallOptions["onWrite"]
): Result.Result<OutgoingMessage, InvalidParams> => {
  if (isMaker(params)) {
    return Result.succeed(() => {
      onWrite?.(id)
      return text(id, method.name, Result.getOrThrowWith(encode(method, params()), identity))
    })
  }
  return Result.map(encode(method, params), (encoded) => {
    const made = text(id, method.name, encoded)
    return onWrite === undefined ? made : () => {
      onWrite(id)
      return made
    }
  })
}

/**
 * Makes the calls of a connection whose frames are read by `decode`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  connection: Connection<Message>
): Effect.fn.Return<JsonRpc, never, Scope.Scope> {
  const requests = yield* Requests.make(connection, idOf)
  const { correlator } = connection[internals]
  const series = MetricAttributes.add(yield* Effect.context<never>(), { connection: connection.label })
  MetricDefinitions.rpcErrors.valueUnsafe(series)
  return {
    call: <Params, A>(
      method: Method<Params, A>,
      params: Params | (() => Params),
      { onWrite, ...options }: CallOptions = {}
    ) =>
      Effect.suspend((): Effect.Effect<A, CallError> => {
        const id = String(correlator.take(1))
        const message = messageOf(method, id, params, onWrite)
        if (Result.isFailure(message)) return Effect.fail(message.failure)
        const { cost, deadline, priority, timeout } = optionsOf(method)
        return Effect.flatMap(
          requests.request(id, message.success, { cost, deadline, priority, timeout, ...options }),
          (answer) => {
            if (answer._tag === "Error") MetricDefinitions.rpcErrors.updateUnsafe(1, series)
            return resultOf(method, id, answer)
          }
        )
      }),
    notify: (method, params, options) =>
      Effect.flatMap(
        Effect.fromResult(encode(method, params)),
        (encoded) => connection.send(text(undefined, method.name, encoded), options)
      ),
    notifications: (options) => Stream.filter(connection.messages(options), isNotification),
    unmatched: Stream.filter(requests.unmatched, isAnswer),
    pending: requests.pending
  }
})
