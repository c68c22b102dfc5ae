/** Breakages of the credits of sessions at Deribit. */
import type { Breakage } from "./Breakage.ts"

const deribit = "packages/core/src/session/deribit"
const ofShares = "packages/testing/test/session/DeribitCredits.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a call waits for credits beyond its deadline",
    file: `${deribit}/DeribitSession.ts`,
    original: "until: begun + deadline }",
    replacement: "until: begun + 60_000 + 0 * deadline }",
    test: [ofShares, "not sent after its deadline"]
  },
  {
    name: "a call that waits for credits outlives its epoch",
    file: `${deribit}/internal/creditGate.ts`,
    original: "Deferred.doneUnsafe(this.over, Effect.fail(new NotSent({ reason: \"EpochEnded\" })))",
    replacement: "void NotSent",
    test: [ofShares, "not sent on another epoch"]
  },
  {
    name: "what is on its way counts as read",
    file: `${deribit}/internal/creditGate.ts`,
    original: "this.unread.push({ id, pool, owner: this.owner })",
    replacement: "void id\n    this.owner.spend(pool)",
    test: [ofShares, "what a link holds up"]
  },
  {
    name: "an answer says nothing of the calls before its own",
    file: `${deribit}/internal/creditGate.ts`,
    original: "findLastIndex((call) => call.id === id) + 1",
    replacement: "findLastIndex((call) => call.id === id) * 0",
    test: [ofShares, "what a link holds up"]
  },
  {
    name: "answers to tests are not counted",
    file: `${deribit}/internal/countedMessages.ts`,
    original: "count(answer(message, id), id)",
    replacement: "answer(message, id)",
    test: [ofShares, "answers to tests count"]
  },
  {
    name: "nothing is left for answers to tests",
    file: `${deribit}/internal/sharedCredits.ts`,
    original: "before, sessions: this.sessions }",
    replacement: "before, sessions: 0 }",
    test: [ofShares, "two sessions of one account"]
  },
  {
    name: "each session has the credits of its account for itself",
    file: `${deribit}/DeribitSession.ts`,
    original: "`${venue.name} ${clientId}`",
    replacement: "`${venue.name} ${clientId} ${random.nextIntUnsafe()}`",
    test: [ofShares, "two sessions of one account"]
  },
  {
    name: "each session has the credits of its address for itself",
    file: `${deribit}/DeribitSession.ts`,
    original: "ledger.share(Address.origin(url), network)",
    replacement: "ledger.share(`${Address.origin(url)} ${random.nextIntUnsafe()}`, network)",
    test: [ofShares, "the credits of their address"]
  }
]
