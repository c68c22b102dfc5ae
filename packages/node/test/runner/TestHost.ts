/** A world for the runner that lives in memory. */
import { assert } from "@effect/vitest"
import { Host, OutputClosed, type Signal, type Sink } from "@tickline/node/runner/Host"
import * as Runner from "@tickline/node/runner/Runner"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

// Every run in this process looks at its stdin; one process of the runner's own has one run.
process.stdin.setMaxListeners(0)

export interface TestHost {
  readonly host: Host["Service"]
  readonly stdout: () => string
  readonly stderr: () => string
  /** The objects on stdout, one a line. */
  readonly objects: () => ReadonlyArray<Record<string, unknown>>
  readonly send: (signal: Signal) => Effect.Effect<void>
  readonly hangup: Effect.Effect<void>
  /** Completes when stdout matches. */
  readonly printed: (pattern: RegExp) => Effect.Effect<void>
  /** Completes when stderr matches. */
  readonly said: (pattern: RegExp) => Effect.Effect<void>
}

export interface Options {
  readonly env?: Record<string, string>
  readonly stdin?: string | ReadonlyArray<Uint8Array>
  readonly terminal?: boolean
  /** How wide the terminal is; 80 by default. */
  readonly columns?: number
  /** The reader of stdout leaves after so many writes. */
  readonly closesAfter?: number
}

export const make = (options: Options = {}): TestHost => {
  const signal = Deferred.makeUnsafe<Signal>()
  const hangups = Effect.runSync(Queue.unbounded<void>())
  const waiting = new Set<
    { readonly of: "stdout" | "stderr"; readonly pattern: RegExp; readonly done: Deferred.Deferred<void> }
  >()
  const texts = { stdout: "", stderr: "" }
  const closed = Deferred.makeUnsafe<void>()
  let writes = 0
  const add = (name: "stdout" | "stderr", text: string): boolean => {
    if (name === "stdout" && writes++ >= (options.closesAfter ?? Infinity)) {
      Deferred.doneUnsafe(closed, Effect.void)
      return false
    }
    texts[name] += text
    for (const waiter of waiting) {
      if (waiter.pattern.test(texts[waiter.of])) {
        waiting.delete(waiter)
        Deferred.doneUnsafe(waiter.done, Effect.void)
      }
    }
    return true
  }
  const sink = (name: "stdout" | "stderr"): Sink => ({
    isTerminal: options.terminal ?? false,
    hasColor: false,
    size: () => ({ columns: options.columns ?? 80, rows: 24 }),
    write: (data) =>
      Effect.suspend(() => add(name, String(data)) ? Effect.void : Effect.fail(new OutputClosed({ output: name }))),
    writeUnsafe: (text) => void add(name, text),
    flushed: Effect.void,
    closed: name === "stdout" ? Deferred.await(closed) : Effect.never
  })
  const matched = (of: "stdout" | "stderr", pattern: RegExp) =>
    Effect.suspend(() => {
      if (pattern.test(texts[of])) return Effect.void
      const done = Deferred.makeUnsafe<void>()
      waiting.add({ of, pattern, done })
      return Deferred.await(done)
    })
  const stdin = async function*() {
    const { stdin = "" } = options
    for (const chunk of typeof stdin === "string" ? [Buffer.from(stdin)] : stdin) yield chunk
  }
  return {
    host: {
      env: options.env ?? {},
      stdin: { isTerminal: false, bytes: stdin },
      stdout: sink("stdout"),
      stderr: sink("stderr"),
      signal: Deferred.await(signal),
      hangups: Stream.fromQueue(hangups)
    },
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    objects: () => texts.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
    send: (name) => Effect.asVoid(Deferred.succeed(signal, name)),
    hangup: Effect.asVoid(Queue.offer(hangups, undefined)),
    printed: (pattern) => matched("stdout", pattern),
    said: (pattern) => matched("stderr", pattern)
  }
}

/** Runs the arguments in the world, with metrics of its own; gives the exit code. */
export const run = (world: TestHost, ...args: ReadonlyArray<string>): Effect.Effect<number> =>
  Runner.run(args, "0.1.0").pipe(
    Effect.provideService(Host, world.host),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

/** Runs the arguments until something was seen, however long a busy machine takes; they end well then. */
export const runUntil = Effect.fnUntraced(function*(
  world: TestHost,
  seen: Effect.Effect<void>,
  ...args: ReadonlyArray<string>
) {
  const running = yield* Effect.forkChild(run(world, ...args))
  yield* seen
  yield* world.send("SIGTERM")
  assert.strictEqual(yield* Fiber.join(running), 0)
})
