/** Breakages of the heartbeat of a connection. */
import type { Breakage } from "./Breakage.ts"

const heartbeat = "packages/core/src/connection/internal/heartbeat.ts"
const own = "packages/core/test/Heartbeat.test.ts"
const ofConsumers = "packages/testing/test/connection/Consumers.test.ts"
const ofKeepAlive = "packages/testing/test/connection/KeepAlive.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a heartbeat goes on after the beat in which it was cancelled",
    file: heartbeat,
    original: "if (goesOn && !this.isOver) this.rest()",
    replacement: "if (goesOn) this.rest()",
    test: [own, "rests before each beat"]
  },
  {
    name: "a heartbeat that rests is not cancelled",
    file: heartbeat,
    original: "    this.resting?.cancel()\n",
    replacement: "",
    test: [own, "rests before each beat"]
  },
  {
    name: "an epoch that is over leaves its heartbeat at rest",
    file: "packages/core/src/connection/internal/epoch.ts",
    original: "    this.beats?.cancel()\n",
    replacement: "",
    test: [own, "of a connection that is closed"]
  },
  {
    name: "a heartbeat that never rests does so first",
    file: heartbeat,
    original: "if (heartbeat.restMillis > 0) beats.rest()\n  else beats.beat()",
    replacement: "beats.rest()",
    test: [own, "rests before each beat"]
  },
  {
    name: "a stall of ours is told as a dead peer",
    file: heartbeat,
    original: "if (options.isStalled()) {",
    replacement: "if (options.timeoutMillis < 0) {",
    test: [ofConsumers, "a consumer that stands still"]
  },
  {
    name: "what came in before a ping answers it",
    file: heartbeat,
    original: "options.lastReceivedAt() > begun ||",
    replacement: "options.lastReceivedAt() > 0 ||",
    test: [ofKeepAlive, "data from before a ping does not answer it"]
  },
  {
    name: "data does not stand for a pong",
    file: heartbeat,
    original: "options.lastReceivedAt() > begun || ",
    replacement: "",
    test: [ofKeepAlive, "Protocol: a link whose answers and beats fail to come"]
  }
]
