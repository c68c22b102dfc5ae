/**
 * The folder in which the runner keeps what must survive a restart: the nonces of
 * signers, and which client ids mean what. Never a secret.
 *
 * It holds a database of SQLite, `tickline.db`, of its owner alone. Several
 * processes may use it at the same time; the system takes the locks of one that
 * was killed away with it.
 *
 * @since 0.1.0
 */
import type { NonceStore } from "@tickline/core/trading/NonceStore"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import type { Storage } from "@tickline/core/trading/Storage"
import type { NewerSchema, StorageError } from "@tickline/core/trading/StorageError"
import * as Printable from "@tickline/core/value/Printable"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Sqlite from "./Sqlite.ts"

/**
 * The folder cannot be made, or what is in it not opened.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateNotKept extends Schema.TaggedError<StateNotKept>()("StateNotKept", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`cannot keep state in ${this.path}: ${this.detail}`)
  }
}

/**
 * Where state is kept if nobody says where: `TICKLINE_STATE`, otherwise
 * `tickline` in `XDG_STATE_HOME`, otherwise `~/.local/state/tickline`. As the XDG
 * specification has it, an `XDG_STATE_HOME` that is not absolute does not count.
 *
 * @category constructors
 * @since 0.1.0
 */
export const location: Config.Config<string> = Config.all({
  state: Config.option(Config.NonEmptyString("TICKLINE_STATE")),
  home: Config.option(Config.String("XDG_STATE_HOME"))
}).pipe(Config.map(({ home, state }) =>
  Option.getOrElse(state, () => {
    const base = Option.filter(home, Path.isAbsolute)
    return Path.join(Option.getOrElse(base, () => Path.join(Os.homedir(), ".local", "state")), "tickline")
  })
))

const database = (path: string): Layer.Layer<Storage | NonceStore, StateNotKept | NewerSchema | StorageError> => {
  const failed = (cause: unknown) =>
    new StateNotKept({ path, detail: cause instanceof Error ? cause.message : String(cause) })
  const made = Effect.try({ try: () => Fs.mkdirSync(path, { recursive: true, mode: 0o700 }), catch: failed })
  const opened = Effect.mapError(Sqlite.make({ path: Path.join(path, "tickline.db") }), failed)
  return SqlStorage.layer.pipe(
    Layer.provide(Layer.effect(SqlClient.SqlClient, Effect.andThen(made, opened))),
    Layer.provide(Reactivity.layer)
  )
}

/**
 * What is kept in a folder, which is made where there is none. Default:
 * `location`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: { readonly path?: string | undefined } = {}
): Layer.Layer<Storage | NonceStore, StateNotKept | NewerSchema | StorageError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(options.path === undefined ? location : Effect.succeed(options.path), database))
