/** Breakages of the supervision of sessions. */
import type { Breakage } from "./Breakage.ts"

const supervision = "packages/core/src/session/Supervision.ts"
const session = "packages/core/src/session/Session.ts"
const ofSupervision = "packages/testing/test/session/Supervision.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "restarts have no limit",
    file: supervision,
    original: "times.length < most",
    replacement: "times.length < Infinity",
    test: [ofSupervision, "is given up after ten restarts in a minute"]
  },
  {
    name: "restarts of long ago count",
    file: supervision,
    original: "times.filter((at) => now - at < withinMillis)",
    replacement: "times.filter(() => true)",
    test: [ofSupervision, "goes on for ever where it ends seldom"]
  },
  {
    name: "a session that is begun anew has no subscriptions",
    file: supervision,
    original: "session.subscribe([...wanted.values()])",
    replacement: "session.subscribe([])",
    test: [ofSupervision, "is begun anew where its retries are used up"]
  },
  {
    name: "a refused session is begun anew",
    file: supervision,
    original: "error instanceof AuthError",
    replacement: "error instanceof RestartsExhausted",
    test: [ofSupervision, "is not begun anew where it is refused"]
  },
  {
    name: "a state of a session is passed over",
    file: session,
    original: "      move(stateOf(to))",
    replacement: "      if (to._tag !== \"Failed\") move(stateOf(to))",
    test: [ofSupervision, "is begun anew where its retries are used up"]
  },
  {
    name: "a session that is replaced does not wait for its answers",
    file: supervision,
    original: "if (old.calls > 0) {",
    replacement: "if (old.calls < 0) {",
    test: [ofSupervision, "is replaced without a seam"]
  },
  {
    name: "what is subscribed to is not asked of the session that takes over",
    file: supervision,
    original: "session.subscribe([...wanted.values()])",
    replacement: "session.subscribe([])",
    test: [ofSupervision, "is replaced without a seam"]
  },
  {
    name: "a session that did not come up takes over",
    file: supervision,
    original: "if (!by.isUp) return false",
    replacement: "if (by.calls > 0) return false",
    test: [ofSupervision, "stays as it is where the new one does not come up"]
  },
  {
    name: "what took over is not watched",
    file: supervision,
    original: "if (member !== watched) return true",
    replacement: "if (member !== watched) return false",
    test: [ofSupervision, "stays as it is where the new one does not come up"]
  },
  {
    name: "a session that is closed leaves the one that is to take over",
    file: supervision,
    original: "next?.session.close(options) ?? Effect.void",
    replacement: "Effect.void",
    test: [ofSupervision, "that is closed while another one comes up"]
  }
]
