/** The rules of a venue, and what becomes of clients that do not keep them. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Enforcement from "../../venue/Enforcement.ts"
import type { Line } from "./line.ts"
import type { Arrival, Rule } from "./model.ts"

/** Bytes of what clients sent that are kept for a test to look at. */
const keptBound = 64 * 1_048_576

const reasons: Readonly<Record<Rule, string>> = {
  messages: "too many messages",
  subscribe: "no subscription",
  pong: "no pong",
  test: "test request not answered",
  idle: "inactive",
  session: "session limit"
}

/** How one client keeps the rules. */
export interface Client {
  readonly line: Line
  /** What it owes, by rule, and when it is due. */
  readonly debts: Map<Rule, number>
  readonly messages: Enforcement.Counter
  readonly subscriptions: Enforcement.Counter
  /** The payload of the ping whose pong is owed. */
  pinged: string | undefined
}

/** Which clocks are read, and what is told. */
export interface Options {
  readonly enforcement: Enforcement.Enforcement
  readonly now: () => number
  readonly wallMillis: () => number
  readonly onEnforced: (line: Line, rule: Rule) => void
}

export class Rules {
  readonly enforcement: Enforcement.Enforcement
  private readonly options: Options
  private readonly arrived: Array<Arrival> = []
  private arrivedBytes = 0
  private readonly byAddress = {
    messages: new Map<string, Enforcement.Counter>(),
    subscriptions: new Map<string, Enforcement.Counter>(),
    dials: new Map<string, Enforcement.Counter>()
  }

  constructor(options: Options) {
    this.options = options
    this.enforcement = options.enforcement
  }

  /** A client that has just come. */
  admit(line: Line): Client {
    const { session, subscribeWithin } = this.enforcement
    const debts = new Map<Rule, number>()
    if (subscribeWithin !== undefined) debts.set("subscribe", this.options.now() + subscribeWithin)
    if (session !== undefined) debts.set("session", this.options.now() + session)
    return {
      line,
      debts,
      messages: this.counter("messages", "connection"),
      subscriptions: this.counter("subscriptions", "connection"),
      pinged: undefined
    }
  }

  /** Whether an address with so many connections may have one more now. It counts as a dial where it may. */
  admitsDial(address: string, connections: number): boolean {
    const { connections: most = Number.POSITIVE_INFINITY } = this.enforcement
    return connections < most && this.ofAddress(address, "dials").admits(this.options.now())
  }

  /** The latest 100,000 frames of clients, within 64 MiB, those that were refused included. */
  arrivals(): ReadonlyArray<Arrival> {
    return [...this.arrived]
  }

  /**
   * Whether a client's frame is heard. One more than the limits allow is not, and has its consequence: an error, which
   * `say` sends, and a close frame.
   */
  hears(client: Client, kind: Arrival["kind"], frame: Frame, say: (text: string) => void): boolean {
    const { enforcement } = this
    const { line } = client
    this.keep({
      connection: line.id,
      at: this.options.wallMillis(),
      kind,
      text: typeof frame === "string" ? frame : ""
    })
    if (kind !== "message" && !enforcement.countsPings) return true
    if (!line.isOpen()) return false
    const counters = [client.messages, this.ofAddress(line.address, "messages")]
    if (kind === "message" && enforcement.isSubscription?.(frame) === true) {
      counters.push(client.subscriptions, this.ofAddress(line.address, "subscriptions"))
    }
    const at = this.options.now()
    if (counters.every((counter) => counter.admits(at))) return true
    const { close, error } = enforcement.excess
    if (error !== undefined) say(error(frame))
    this.enforce(client, "messages", close)
    return false
  }

  /** A test was sent: its answer is owed. */
  tested({ debts }: Client): void {
    const { tests } = this.enforcement
    if (tests !== undefined && !debts.has("test")) debts.set("test", this.options.now() + tests.within)
  }

  /** Sends a ping, whose pong is owed where the venue insists on it. */
  ping(client: Client): void {
    const { pings } = this.enforcement
    const payload = String(this.options.wallMillis())
    client.line.ws.ping(payload)
    if (pings === undefined || client.debts.has("pong")) return
    client.pinged = payload
    client.debts.set("pong", this.options.now() + pings.within)
  }

  /** A pong came. */
  pong(client: Client, payload: string): void {
    if (payload !== client.pinged) return
    client.pinged = undefined
    client.debts.delete("pong")
  }

  /** Whether anything here is due by the clock. */
  isTimed(): boolean {
    const { idle, pings, session, subscribeWithin, tests } = this.enforcement
    return [idle, pings, session, subscribeWithin, tests].some((rule) => rule !== undefined)
  }

  /** Does what is overdue to a client. */
  collect(client: Client): void {
    const { debts, line } = client
    const at = this.options.now()
    if (line.isSilent) return
    for (const [rule, due] of debts) {
      if (due > at) continue
      this.enforce(client, rule, { code: 1008, reason: reasons[rule] })
      break
    }
    const { idle } = this.enforcement
    if (idle !== undefined && at - line.sentAt >= idle) {
      line.sentAt = at
      this.enforce(client, "idle", { code: 1000, reason: reasons.idle })
    }
  }

  private enforce({ debts, line }: Client, rule: Rule, close: Enforcement.Excess["close"]): void {
    this.options.onEnforced(line, rule)
    debts.clear()
    if (close !== undefined) line.ws.close(close.code, close.reason)
  }

  private counter(of: Enforcement.Limit["of"], per: Enforcement.Limit["per"]): Enforcement.Counter {
    return Enforcement.makeCounter(
      this.enforcement.limits.filter((limit) => limit.of === of && limit.per === per)
    )
  }

  private ofAddress(address: string, of: Enforcement.Limit["of"]): Enforcement.Counter {
    const counters = this.byAddress[of]
    const known = counters.get(address)
    if (known !== undefined) return known
    const fresh = this.counter(of, "address")
    counters.set(address, fresh)
    return fresh
  }

  private keep(arrival: Arrival): void {
    this.arrivedBytes += arrival.text.length
    while (this.arrived.length >= 100_000 || (this.arrived.length > 0 && this.arrivedBytes > keptBound)) {
      this.arrivedBytes -= this.arrived.shift()?.text.length ?? 0
    }
    this.arrived.push(arrival)
  }
}
