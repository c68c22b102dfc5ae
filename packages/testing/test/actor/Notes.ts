/** What the tests of actors have in common: one that keeps what it is told, and can be made to fail. */
import * as ActorMessage from "@tickline/core/actor/ActorMessage"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

export class Note extends ActorMessage.Class<Note>()("Note", { sender: Schema.String, number: Schema.Finite }) {}
export class Noted extends ActorMessage.Class<Noted>()("Noted", {}, { reply: Schema.Array(Note) }) {}
export class Crash extends ActorMessage.Class<Crash>()("Crash", {}) {}
export class Refuse extends ActorMessage.Class<Refuse>()("Refuse", { why: Schema.String }, { error: Refused }) {}
export class Work extends ActorMessage.Class<Work>()("Work", { millis: Schema.Finite }) {}

export const note = (number: number, sender = "one") => new Note({ sender, number })

/** Keeps what it is told; also refuses, crashes and takes its time, as it is asked. */
export const notes = Behaviour.make("Notes", {
  messages: [Note, Noted, Crash, Refuse, Work],
  initial: Effect.sync((): ReadonlyArray<Note> => []),
  handle: {
    Note: (kept, message) => Effect.succeed([...kept, message]),
    Noted: (kept) => Effect.succeed(Behaviour.reply(kept, kept)),
    Crash: () => Effect.die(new Error("broken")),
    Refuse: (_, { why }) => new Refused({ why }),
    Work: (kept, { millis }) => Effect.as(Effect.sleep(millis), kept)
  }
})

export const numbers = (kept: ReadonlyArray<Note>) => kept.map(({ number }) => number)
export const byNote = ({ number, sender }: Note) => ({ number, sender })

/** For what logs its crashes. */
export const quiet = Effect.provideService(References.MinimumLogLevel, "None")
