/** Breakages of requests, and of what becomes of an answer that is late. */
import type { Breakage } from "./Breakage.ts"

const requests = "packages/core/src/connection/Requests.ts"
const lateAnswers = "packages/core/src/connection/internal/lateAnswers.ts"
const ofRequests = "packages/testing/test/Requests.test.ts"
const ofCorrelation = "packages/testing/test/connection/Correlation.test.ts"
const ofBounds = "packages/testing/test/connection/NeverStale.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a second request takes the place of the first",
    file: requests,
    original: "if (!correlator.wait(id, \"request\")) return",
    replacement: "if (!correlator.wait(id, \"request\") && id === \"\") return",
    test: [ofRequests, "refuses a live id the second time"]
  },
  {
    name: "pending requests outlive their connection",
    file: requests,
    original: "ended: drop",
    replacement: "ended: () => {}",
    test: [ofRequests, "says that the outcome is unknown"]
  },
  {
    name: "a request has its time anew for its answer",
    file: requests,
    original: "begun(this.until)",
    replacement: "begun(this.until + 1_000)",
    test: [ofBounds, "is not sent where it cannot be written in its time"]
  },
  {
    name: "a request's deadline is its timeout",
    file: requests,
    original: "Math.min(wholly, Duration.toMillis(deadline))",
    replacement: "wholly",
    test: [ofBounds, "is not sent where it cannot be written in its time"]
  },
  {
    name: "a request that is due first waits for the timer of another",
    file: requests,
    original: "if (until >= firesAt) return",
    replacement: "if (firesAt < Infinity) return",
    test: [ofRequests, "has one timer with all others"]
  },
  {
    name: "the timer of requests outlives them",
    file: requests,
    original: "        timer?.interruptUnsafe()\n        detach()",
    replacement: "        detach()",
    test: [ofRequests, "has one timer with all others"]
  },
  {
    name: "a request whose end comes before it is waited for waits for ever",
    file: requests,
    original: "if (this.answer !== undefined) return resume(this.answer)",
    replacement: "",
    test: ["packages/testing/test/interleavings/Requests.test.ts", "A request ends once"]
  },
  {
    name: "a late answer to a subscription is taken for one to a request",
    file: lateAnswers,
    original: "if (kind !== undefined && kind !== \"request\") return",
    replacement: "",
    test: [ofCorrelation, "that is late is known for what it was"]
  },
  {
    name: "a reader of late answers loses what it has room for",
    file: lateAnswers,
    original: "mostUnread = 64",
    replacement: "mostUnread = 63",
    test: [ofRequests, "keeps 64 unmatched answers"]
  },
  {
    name: "late answers are told to their newest reader only",
    file: lateAnswers,
    original: "if (this.told !== undefined) return this.told",
    replacement: "",
    test: [ofCorrelation, "that is late is told to each reader"]
  },
  {
    name: "late answers are waited for when none can come",
    file: lateAnswers,
    original: "this.isClosed = true",
    replacement: "",
    test: ["packages/testing/test/connection/Closing.test.ts", "requests are not sent"]
  },
  {
    name: "a late answer is not counted",
    file: lateAnswers,
    original: "this.metrics.unmatched()",
    replacement: "",
    test: ["packages/testing/test/session/SessionMetrics.test.ts", "say how it came up"]
  }
]
