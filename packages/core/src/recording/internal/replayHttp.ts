/**
 * An HTTP port whose answers are those of a recording.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpAnswer, HttpPort } from "../../transport/HttpPort.ts"

type Resume = (effect: Effect.Effect<HttpAnswer>) => void

const beforePath = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

const symbol = /(?:^|&)(?:symbol|pair|instrument_name)=([^&#]*)/

/**
 * What tells an answer's request: its method, its path and the symbol that it asks of.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyOf = (method: string, url: string): string => {
  const [path = "", query = ""] = url.replace(beforePath, "").split("?", 2)
  return `${method.toUpperCase()} ${path} ${symbol.exec(query)?.[1] ?? ""}`
}

/**
 * The answers of one recording. Each serves one request of its path and symbol:
 * one that is reached before it is asked for is kept, and a request that comes
 * before it waits.
 *
 * @category models
 * @since 0.1.0
 */
export class ReplayHttp {
  private readonly kept = new Map<string, Array<HttpAnswer>>()
  private readonly waiting = new Map<string, Array<Resume>>()

  /** The keys of all answers that there are. */
  private readonly recorded: ReadonlySet<string>

  constructor(recorded: ReadonlySet<string>) {
    this.recorded = recorded
  }

  readonly port: HttpPort["Service"] = {
    network: this,
    isReplay: true,
    isRecorded: (method, url) => this.recorded.has(keyOf(method, url)),
    request: ({ method, url }) =>
      Effect.callback<HttpAnswer>((resume) => {
        const key = keyOf(method, url)
        const answer = this.kept.get(key)?.shift()
        if (answer !== undefined) return resume(Effect.succeed(answer))
        const waiting = this.waiting.get(key) ?? []
        this.waiting.set(key, [...waiting, resume])
        return Effect.sync(() => {
          this.waiting.set(key, (this.waiting.get(key) ?? []).filter((one) => one !== resume))
        })
      })
  }

  /** The replay has reached an answer. */
  answer(method: string, url: string, answer: HttpAnswer): void {
    const key = keyOf(method, url)
    const [first, ...others] = this.waiting.get(key) ?? []
    if (first === undefined) {
      this.kept.set(key, [...this.kept.get(key) ?? [], answer])
      return
    }
    this.waiting.set(key, others)
    first(Effect.succeed(answer))
  }
}
