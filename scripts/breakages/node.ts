/** Breakages of `packages/node`. */
import type { Breakage } from "./Breakage.ts"

const ofRunnerSecrets = "packages/node/test/runner/Secrets.test.ts"
const ofLadder = "packages/node/test/runner/Ladder.test.ts"
const ofTransport = "packages/node/test/NodeTransport.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // the rules of the house
  {
    name: "any pong will do",
    file: "packages/node/src/internal/socketWire.ts",
    original: "this.pongs.find((one) => one.payload === payload)",
    replacement: "this.pongs[0]",
    test: [ofTransport, "a ping completes on the pong with its own payload only"]
  },
  {
    name: "a lone message waits for its read to end",
    file: "packages/node/src/internal/socketWire.ts",
    original: "return this._receiver?._bufferedBytes === 0",
    replacement: "return false",
    test: [ofTransport, "a lone message is with its reader before its event is over"]
  },
  {
    name: "messages of one read come one by one",
    file: "packages/node/src/internal/socketWire.ts",
    original: "return this._receiver?._bufferedBytes === 0",
    replacement: "return true",
    test: [ofTransport, "those of one read are one batch"]
  },
  // secrets
  {
    name: "every ping is answered, however many pongs wait",
    file: "packages/node/src/internal/socketWire.ts",
    original: "if (this.isAnswering) this.unanswered = new Uint8Array(data)\n    else this.answer(data)",
    replacement: "this.answer(data)",
    test: [ofTransport, "a flood of pings"]
  },
  // whose the data is
  {
    name: "a price that is cut is not marked",
    file: "packages/node/src/runner/internal/digits.ts",
    original: "`${after.slice(0, digits.fraction - 1)}…`",
    replacement: "after.slice(0, digits.fraction)",
    test: ["packages/node/test/runner/Board.test.ts", "market, trade: no line is too long, no venue is lost"]
  },
  {
    name: "a venue for which there is no line is not told",
    file: "packages/node/src/runner/BoardLayout.ts",
    original: "  if (given.isCrowded) {",
    replacement: "  if (given.isCrowded && given.shown.length === 0) {",
    test: ["packages/node/test/runner/Board.test.ts", "says how many venues there is no line for"]
  },
  {
    name: "the table remembers every product whole",
    file: "packages/node/src/runner/Board.ts",
    original: "if (of.rows.size >= 2 * mostRows) {",
    replacement: "if (of.rows.size < 0) {",
    test: ["packages/node/test/runner/Board.test.ts", "draws 200,000 within milliseconds"]
  },
  {
    name: "the ladder keeps the levels of a book that is whole no more",
    file: "packages/node/src/runner/Ladder.ts",
    original: "      entry.book = book\n",
    replacement: "      if (isWhole) entry.book = book\n",
    test: [ofLadder, "shows no level of a book that is not whole"]
  },
  {
    name: "the ladder learns of a break when it is drawn next but one",
    file: "packages/node/src/runner/internal/streamViews.ts",
    original: "OrderBook.isWhole(book) ? undefined : ladder.update(place, book)",
    replacement: "undefined",
    test: ["packages/node/test/runner/LadderBreaks.test.ts", "shows no level from the moment"]
  },
  {
    name: "the ladder shows a book that is refused",
    file: "packages/node/src/runner/Ladder.ts",
    original: "const whole = refusal === undefined && book",
    replacement: "const whole = book",
    test: [ofLadder, "shows no level of a book that is not whole"]
  },
  {
    name: "the ladder goes on when the run is over",
    file: "packages/node/src/runner/Ladder.ts",
    original: "if (entry === undefined || ended !== undefined) return",
    replacement: "if (entry === undefined) return",
    test: [ofLadder, "stays as it was at the end of the run"]
  },
  {
    name: "the ladder takes any gap of a product for one of its book",
    file: "packages/node/src/runner/Ladder.ts",
    original: "(entry.book !== undefined && event.channel !== entry.book.channel)",
    replacement: "false",
    test: [ofLadder, "tells gaps of one book beside it"]
  },
  {
    name: "a level that was too deep to be seen is marked as new",
    file: "packages/node/src/runner/internal/ladderLevels.ts",
    original: "if (old === undefined) return isCut ? undefined",
    replacement: "if (old === undefined) return false ? undefined",
    test: [ofLadder, "marks levels that are new, grown or shrunk"]
  },
  {
    name: "bars are not to scale",
    file: "packages/node/src/runner/internal/ladderLevels.ts",
    original: "Number(part * 10_000n / whole) / 10_000",
    replacement: "Math.sqrt(Number(part * 10_000n / whole) / 10_000)",
    test: [ofLadder, "draws the bars to scale"]
  },
  {
    name: "levels of which the method says nothing look proven",
    file: "packages/node/src/runner/internal/ladderLevels.ts",
    original: "isProven: index < proven",
    replacement: "isProven: proven > 0",
    test: [ofLadder, "dims those of which the method says nothing"]
  },
  {
    name: "books for which there is no line are passed over",
    file: "packages/node/src/runner/internal/ladderLayout.ts",
    original: "...(hidden === 0 || lines === 0 ? []",
    replacement: "...(hidden >= 0 ? []",
    test: [ofLadder, "shows each book, in a line at least"]
  },
  {
    name: "in one narrow line a book that is not proven looks as one that is",
    file: "packages/node/src/runner/internal/ladderPanel.ts",
    original: "isRoomy || panel.state === \"Live\" ? [...prices, state]",
    replacement: "true ? [...prices, state]",
    test: [ofLadder, "of books in every state, 40 × 20"]
  },
  {
    name: "a book is shown as a table of frames",
    file: "packages/node/src/runner/Streaming.ts",
    original: "kinds.includes(\"book\") && targets.some",
    replacement: "kinds.includes(\"ticker\") && targets.some",
    test: ["packages/node/test/runner/Streaming.ladder.test.ts", "kraken: the book with its state"]
  },
  {
    name: "the closing of the connections empties the ladder",
    file: "packages/node/src/runner/Streaming.ts",
    original: "      view.over()\n",
    replacement: "",
    test: ["packages/node/test/runner/Streaming.ladder.test.ts", "kraken: the book with its state"]
  },
  {
    name: "a venue stands as the connection of which was heard last",
    file: "packages/node/src/runner/internal/venueHealth.ts",
    original: "legs.findLast(({ state }) => state === \"Connected\") ?? legs.at(-1)",
    replacement: "legs.at(-1)",
    test: ["packages/node/test/runner/Board.test.ts", "is up while one of its connections is"]
  },
  {
    name: "completions know no venue",
    file: "packages/node/src/runner/Completion.ts",
    original: "  venue: venues,\n",
    replacement: "",
    test: ["packages/node/test/runner/Completion.test.ts", "bash completes commands, venues"]
  },
  {
    name: "a terminal of another size is drawn over as if it had the old one",
    file: "packages/node/src/runner/Screen.ts",
    original: "isResized ? home + clearBelow : drawn > 0",
    replacement: "drawn > 0",
    test: ["packages/node/test/runner/Screen.test.ts", "is drawn anew on a terminal of another size"]
  },
  {
    name: "NDJSON on a terminal holds what a peer sent, raw",
    file: "packages/node/src/runner/Output.ts",
    original: "isTerminal ? Printable.escape(json) : json",
    replacement: "isTerminal ? json : json",
    test: ["packages/node/test/runner/Printable.test.ts", "ndjson on a terminal is the same JSON"]
  },
  // What leaves the process
  {
    name: "what was dropped on the way to stdout is told to nobody",
    file: "packages/node/src/runner/OutputQueue.ts",
    original: "for (const [key, span] of chunk.spans) lose(loss, key, span)",
    replacement: "",
    test: ["packages/node/test/runner/OutputQueue.test.ts", "keeps the life of the connections, with the gaps"]
  },
  {
    name: "a full disk is a reader that has gone",
    file: "packages/node/src/runner/Host.ts",
    original: "goneCodes.has(error.code)",
    replacement: "error.code !== undefined",
    test: ["packages/node/test/runner/Process.test.ts", "stdout on a full disk"]
  },
  {
    name: "the last of a recording may be lost",
    file: "packages/node/src/runner/Streaming.ts",
    original: "yield* Effect.mapError(recorder.finish, Recorders.unwritten)",
    replacement: "",
    test: ["packages/node/test/runner/Process.test.ts", "the last of a recording that does not fit"]
  },
  {
    name: "a failed dial is a drop",
    file: "packages/node/src/runner/Tally.ts",
    original: "} else if (up.delete(key) && state !== \"Closing\") {",
    replacement: "} else if (state === \"Reconnecting\") {",
    test: ["packages/node/test/runner/Streaming.test.ts", "counts a drop only of a link that was up"]
  },
  {
    name: "one refusal ends the run",
    file: "packages/node/src/runner/Refusals.ts",
    original: "refused.size === asked.length",
    replacement: "refused.size > 0",
    test: ["packages/node/test/runner/Streaming.test.ts", "the rest goes on, wherever it stands"]
  },
  // secrets of a configuration, and who may read the pages
  {
    name: "the value of an unknown key is quoted",
    file: "packages/node/src/runner/internal/tables.ts",
    original: "`${path}${key}`,\n      undefined,",
    replacement: "`${path}${key}`,\n      table[key],",
    test: [ofRunnerSecrets, "shows no secret, and ends with 2"]
  },
  {
    name: "frames are recorded with the secrets in them",
    file: "packages/core/src/recording/internal/wireRecorder.ts",
    original: "mask: Secrets.maskOf(request),",
    replacement: "mask: undefined,",
    test: [ofRunnerSecrets, "finds it masked on stdout"]
  },
  {
    name: "a foreign host is answered",
    file: "packages/node/src/runner/Guard.ts",
    original: "!isAnswered(headers[\"host\"], place)",
    replacement: "!isAnswered(undefined, place)",
    test: [ofRunnerSecrets, "answer to loopback names"]
  },
  {
    name: "what stdout did not take was delivered",
    file: "packages/node/src/runner/LedgerLines.ts",
    original: "const delivered = entry.delivered - unwritten",
    replacement: "const delivered = entry.delivered",
    test: ["packages/node/test/runner/Ledger.test.ts", "have what stdout did not take"]
  },
  // limits shared by processes
  {
    name: "a Redis that lost its data admits a whole new budget",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "  since = now + lease\n",
    replacement: "  since = 0\n",
    test: ["packages/node/test/RedisGovernor.processes.test.ts", "never exceed a limit in any window"]
  },
  {
    name: "a Redis that was restarted with old data is trusted",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "if epoch[1] ~= run or since == nil",
    replacement: "if since == nil",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "counts as full, for a window"]
  },
  {
    name: "an admission counts from when Redis gave it",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "local latest = now + lease",
    replacement: "local latest = now",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "admits what the log of one process does"]
  },
  {
    name: "a clock that is set back ends windows early",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "if last[2] ~= nil then now = math.max(now, tonumber(last[2]) - lease) end",
    replacement: "",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "forgets nothing because its clock is set back"]
  },
  {
    name: "a log from a clock that was ahead is kept for as long",
    file: "packages/node/src/internal/admissionScript.ts",
    original: " or isAhead then",
    replacement: "then",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "forgets nothing because its clock is set back"]
  },
  {
    name: "only the windows of whoever asks are judged",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "local kept = tonumber(ARGV[i + 1]) + ${keptMillis}",
    replacement: "local kept = -1",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "judges by the windows of all processes"]
  },
  {
    name: "what is out of every window stays in Redis",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "redis.call(\"ZREMRANGEBYSCORE\", logKey, \"-inf\", \"(\" .. text(now - longest))",
    replacement: "",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "admits what the log of one process does"]
  },
  {
    name: "a log stays in Redis for ever",
    file: "packages/node/src/internal/admissionScript.ts",
    original: "  redis.call(\"PEXPIRE\", logKey, math.ceil(longest + 2 * lease))\n",
    replacement: "",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "admits what the log of one process does"]
  },
  {
    name: "an admission never lapses",
    file: "packages/node/src/internal/redisLimit.ts",
    original: "one.until > at && one.cost >= cost",
    replacement: "one.cost >= cost",
    test: ["packages/node/test/RedisGovernor.test.ts", "spends nothing that was admitted longer"]
  },
  {
    name: "a dial is made by an admission that has lapsed",
    file: "packages/node/src/internal/redisLimit.ts",
    original: "if (typeof admission !== \"number\" && admission.until > now) return",
    replacement: "if (typeof admission !== \"number\") return",
    test: ["packages/node/test/RedisGovernor.test.ts", "admits anew what was reserved"]
  },
  {
    name: "everybody who waits asks Redis",
    file: "packages/node/src/internal/redisLimit.ts",
    original: "this.line(spares).turns.withPermit(this.awaitAdmission(cost, spares))",
    replacement: "this.awaitAdmission(cost, spares)",
    test: ["packages/node/test/RedisGovernor.test.ts", "asks again after the time that Redis names"]
  },
  {
    name: "what comes for who was interrupted is lost",
    file: "packages/node/src/internal/redisLimit.ts",
    original: "yield* Effect.flatMap(Effect.forkIn(this.ask(cost, spares), this.link.scope), Fiber.join)",
    replacement: "yield* this.ask(cost, spares)",
    test: ["packages/node/test/RedisGovernor.test.ts", "keeps what comes for who was interrupted"]
  },
  {
    name: "a governor that fails closed fails open",
    file: "packages/node/src/internal/redisLink.ts",
    original: "return this.options.fails === \"open\" && ",
    replacement: "return ",
    test: ["packages/node/test/RedisGovernor.test.ts", "sends nothing while Redis is away"]
  },
  {
    name: "what was spent while Redis was away is not charged",
    file: "packages/node/src/internal/redisLimit.ts",
    original: "    this.spent += cost\n",
    replacement: "",
    test: ["packages/node/test/RedisGovernor.test.ts", "that fails open keeps the limits by itself"]
  },
  {
    name: "a Redis that answers too late is there",
    file: "packages/node/src/internal/redisLink.ts",
    original: "return this.late < mostLate",
    replacement: "return this.late < Infinity",
    test: ["packages/node/test/RedisGovernor.test.ts", "takes no answer for a second"]
  },
  {
    name: "a lost connection to Redis is seen when somebody asks",
    file: "packages/node/src/internal/redisLink.ts",
    original: "yield* Effect.raceFirst(Deferred.await(failed), lost)",
    replacement: "yield* Deferred.await(failed)",
    test: ["packages/node/test/RedisGovernor.script.test.ts", "is asked over a connection that is made again"]
  },
  {
    name: "a virtual network shares its limits over Redis",
    file: "packages/node/src/RedisGovernor.ts",
    original: "if (network !== undefined) return own",
    replacement: "",
    test: ["packages/node/test/RedisGovernor.test.ts", "leaves the limits of a network within the process"]
  },
  {
    name: "a service keeps its limits by itself, whatever the file says",
    file: "packages/node/src/runner/Service.ts",
    original: "shared?.governor ?? (yield* Governor.Governor)",
    replacement: "yield* Governor.Governor",
    test: ["packages/node/test/runner/Service.test.ts", "shares its limits over Redis"]
  },
  {
    name: "the exporters lose their client as soon as they are there",
    file: "packages/node/src/runner/Telemetry.ts",
    original: "Layer.provide(Otlp.layerFromConfig(), Layer.merge(form[1], layerUndici))",
    replacement:
      "Layer.effectContext(Effect.provide(Layer.build(Otlp.layerFromConfig()), Layer.merge(form[1], layerUndici)))",
    test: ["packages/node/test/runner/Telemetry.test.ts", "exports its metrics"]
  },
  {
    name: "a collector that does not answer holds up the end of a run",
    file: "packages/node/src/runner/Telemetry.ts",
    original: "OTEL_EXPORTER_OTLP_TIMEOUT: \"1000\"",
    replacement: "OTEL_EXPORTER_OTLP_TIMEOUT: \"4000\"",
    test: ["packages/node/test/runner/Telemetry.test.ts", "ends within two seconds"]
  },
  {
    name: "a variable of OpenTelemetry that cannot be read is a bug",
    file: "packages/node/src/runner/Telemetry.ts",
    original: "defect instanceof Config.ConfigError",
    replacement: "defect instanceof RangeError",
    test: ["packages/node/test/runner/Telemetry.test.ts", "says which variable is wrong"]
  },
  {
    name: "the page of health is not told of the governor",
    file: "packages/node/src/runner/Service.ts",
    original: "Health.page(feeds.all, { governor, ",
    replacement: "Health.page(feeds.all, { ",
    test: ["packages/node/test/runner/Service.test.ts", "shares its limits over Redis"]
  }
]
