/**
 * Faults as values, and the text in which a person writes them:
 * `kind[=argument]@offset[/every]`. Pure; what a fault does to a socket is the
 * matter of the mock server, to a virtual link of the virtual network.
 *
 * Offsets count from the opening of the first connection and run on across
 * reconnects, so that `drop@3s/10s` drops at 3 s, 13 s, 23 s whatever the
 * client did in between, and a `status` at 13 s meets the dial that follows the
 * drop at 13 s. A fault that strikes connections strikes all that are open.
 *
 * | text | what happens |
 * | --- | --- |
 * | `drop` | TCP reset |
 * | `close=CODE` | a close frame with the code |
 * | `refuse`, `refuse=N` | the next dial, or the next N, are cut before the handshake |
 * | `hang` | the next dial is accepted by TCP and never upgraded |
 * | `status=CODE`, `status=CODE;retry-after=S` | the next upgrade is answered with it |
 * | `silent` | the connection stays open, sends nothing and answers nothing, pings included |
 * | `garbage` | a text frame that is no message |
 * | `binary` | a binary frame |
 * | `slow=MS` | from then on every frame of the connection arrives so much later |
 * | `fragment` | the next data frame comes in fragments |
 * | `duplicate` | the next data frame comes twice |
 * | `reorder` | the next data frame comes after the one that follows it |
 * | `lose` | the next data frame does not come |
 * | `corrupt` | the next data frame's checksum or sequence number is wrong |
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * What a fault does. `Refuse.dials` is how many dials, `Slow.millis` how much
 * later, `Status.retryAfterSeconds` the answer's `Retry-After`.
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Close"; readonly code: number }
  | { readonly _tag: "Refuse"; readonly dials: number }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Status"; readonly status: number; readonly retryAfterSeconds: number | undefined }
  | { readonly _tag: "Silent" }
  | { readonly _tag: "Garbage" }
  | { readonly _tag: "Binary" }
  | { readonly _tag: "Slow"; readonly millis: number }
  | { readonly _tag: "Fragment" }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "Reorder" }
  | { readonly _tag: "Lose" }
  | { readonly _tag: "Corrupt" }

/**
 * A fault and its times in milliseconds: the first, counted from the opening of
 * the first connection, and the distance between repetitions, if there are any.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly action: Action
  readonly atMillis: number
  readonly everyMillis: number | undefined
}

/**
 * A fault spec that cannot be read: the whole text, its part that is wrong, and
 * what was expected there.
 *
 * @category errors
 * @since 0.1.0
 */
export class FaultSpecError extends Schema.TaggedError<FaultSpecError>()("FaultSpecError", {
  spec: Schema.String,
  part: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `fault ${JSON.stringify(this.spec)}: ${JSON.stringify(this.part)} where ${this.expected} was expected`
  }
}

type Read = (argument: string | undefined) => Action | undefined

const bare = (action: Action): Read => (argument) => argument === undefined ? action : undefined

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined

/** The codes an endpoint may send: RFC 6455 §7.4 and the IANA registry up to 1014. */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)

const grammar: Readonly<Record<string, { readonly expected: string; readonly read: Read }>> = {
  drop: { expected: "no argument", read: bare({ _tag: "Drop" }) },
  close: {
    expected: "close=CODE with a code that may be sent, 1000 to 1014 or 3000 to 4999",
    read: (argument) => {
      const code = whole(argument)
      return code !== undefined && isCloseCode(code) ? { _tag: "Close", code } : undefined
    }
  },
  refuse: {
    expected: "refuse, or refuse=N with the number of dials",
    read: (argument) => {
      const dials = argument === undefined ? 1 : whole(argument)
      return dials !== undefined && dials > 0 ? { _tag: "Refuse", dials } : undefined
    }
  },
  hang: { expected: "no argument", read: bare({ _tag: "Hang" }) },
  status: {
    expected: "status=CODE or status=CODE;retry-after=S with a status of 200 to 599 and whole seconds",
    read: (argument) => {
      const match = /^(\d{3})(?:;retry-after=(\d{1,9}))?$/.exec(argument ?? "")
      const status = whole(match?.[1])
      return status !== undefined && status >= 200 && status <= 599
        ? { _tag: "Status", status, retryAfterSeconds: whole(match?.[2]) }
        : undefined
    }
  },
  silent: { expected: "no argument", read: bare({ _tag: "Silent" }) },
  garbage: { expected: "no argument", read: bare({ _tag: "Garbage" }) },
  binary: { expected: "no argument", read: bare({ _tag: "Binary" }) },
  slow: {
    expected: "slow=MS with whole milliseconds",
    read: (argument) => {
      const millis = whole(argument)
      return millis === undefined ? undefined : { _tag: "Slow", millis }
    }
  },
  fragment: { expected: "no argument", read: bare({ _tag: "Fragment" }) },
  duplicate: { expected: "no argument", read: bare({ _tag: "Duplicate" }) },
  reorder: { expected: "no argument", read: bare({ _tag: "Reorder" }) },
  lose: { expected: "no argument", read: bare({ _tag: "Lose" }) },
  corrupt: { expected: "no argument", read: bare({ _tag: "Corrupt" }) }
}

/**
 * The kinds, as they are written.
 *
 * @category constants
 * @since 0.1.0
 */
export const kinds: ReadonlyArray<string> = Object.keys(grammar)

const units = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000], ["ms", 1]] as const

const unitMillis: ReadonlyMap<string, number> = new Map(units)

const readMillis = (text: string): number | undefined => {
  const unit = unitMillis.get(text.replace(/^\d+(?:\.\d+)?/, ""))
  const millis = unit === undefined
    ? Option.getOrUndefined(Option.map(readLong(text), Duration.toMillis))
    : Math.round(Number.parseFloat(text) * unit)
  return millis !== undefined && Number.isFinite(millis) && millis >= 0 ? millis : undefined
}

/** Effect's own way to write a duration is a template type; any text is tried. */
const readLong = (text: string): Option.Option<Duration.Duration> => Duration.fromInput(text as Duration.Input)

const aDuration = "a duration such as 3s, 500ms or \"20 seconds\""

/**
 * Reads a fault spec.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (spec: string): Result.Result<Fault, FaultSpecError> => {
  const refuse = (part: string, expected: string) => Result.fail(new FaultSpecError({ spec, part, expected }))
  const [, kind = "", argument, offset, every] = /^([^=@]*)(?:=([^@]*))?(?:@([^/]*)(?:\/(.*))?)?$/.exec(spec) ?? []
  const rule = Object.hasOwn(grammar, kind) ? grammar[kind] : undefined
  if (rule === undefined) return refuse(kind === "" ? spec : kind, `one of ${kinds.join(", ")}`)
  const action = rule.read(argument)
  if (action === undefined) return refuse(argument === undefined ? kind : `${kind}=${argument}`, rule.expected)
  if (offset === undefined) return refuse(spec, `@ and ${aDuration} after the kind`)
  const atMillis = readMillis(offset)
  if (atMillis === undefined) return refuse(offset, aDuration)
  if (every === undefined) return Result.succeed({ action, atMillis, everyMillis: undefined })
  const everyMillis = readMillis(every)
  if (everyMillis === undefined || everyMillis === 0) return refuse(every, `${aDuration}, longer than nothing`)
  return Result.succeed({ action, atMillis, everyMillis })
}

const writeMillis = (millis: number): string => {
  const [unit, size] = units.slice(1, -1).find(([, size]) => millis % size === 0) ?? ["ms", 1]
  return millis === 0 ? "0s" : `${millis / size}${unit}`
}

/**
 * An action as a spec writes it, without its times.
 *
 * @category encoding
 * @since 0.1.0
 */
export const formatAction = (action: Action): string => {
  switch (action._tag) {
    case "Close":
      return `close=${action.code}`
    case "Refuse":
      return action.dials === 1 ? "refuse" : `refuse=${action.dials}`
    case "Status":
      return action.retryAfterSeconds === undefined
        ? `status=${action.status}`
        : `status=${action.status};retry-after=${action.retryAfterSeconds}`
    case "Slow":
      return `slow=${action.millis}`
    default:
      return action._tag.toLowerCase()
  }
}

/**
 * The fault as a spec that `parse` reads back.
 *
 * @category encoding
 * @since 0.1.0
 */
export const format = ({ action, atMillis, everyMillis }: Fault): string =>
  `${formatAction(action)}@${writeMillis(atMillis)}${everyMillis === undefined ? "" : `/${writeMillis(everyMillis)}`}`

/**
 * The next instant, in milliseconds after the first opening, at which faults
 * strike after the given one, and what strikes then in the order given; or
 * `undefined` where nothing more does. Ask after -1 for the first.
 *
 * @category getters
 * @since 0.1.0
 */
export const next = <A = Action>(
  faults: ReadonlyArray<Omit<Fault, "action"> & { readonly action: A }>,
  afterMillis: number
): { readonly atMillis: number; readonly actions: ReadonlyArray<A> } | undefined => {
  let atMillis = Infinity
  let actions: Array<A> = []
  for (const fault of faults) {
    const due = nextOf(fault, afterMillis)
    if (due < atMillis) {
      atMillis = due
      actions = []
    }
    if (due === atMillis) actions.push(fault.action)
  }
  return atMillis === Infinity ? undefined : { atMillis, actions }
}

const nextOf = ({ atMillis, everyMillis = Infinity }: Omit<Fault, "action">, afterMillis: number): number => {
  if (atMillis > afterMillis) return atMillis
  return atMillis + (Math.floor((afterMillis - atMillis) / everyMillis) + 1) * everyMillis
}
