/** Breakages of the room `recording` of core, and of the files that node makes of it. */
import type { Breakage } from "./Breakage.ts"

const wires = "packages/core/src/recording/internal/wireRecorder.ts"
const queue = "packages/core/src/recording/internal/lineQueue.ts"
const file = "packages/node/src/RecordingFile.ts"
const reading = "packages/node/src/runner/Recording.ts"

const ofRecorder = "packages/testing/test/Recorder.test.ts"
const ofFile = "packages/node/test/RecordingFile.test.ts"
const ofRunner = "packages/node/test/runner/Recorded.test.ts"

const replayPolicy = "packages/core/src/connection/internal/replayPolicy.ts"
const ofReplay = "packages/node/test/runner/Replay.test.ts"
const ofChaos = "packages/testing/test/Replay.test.ts"
const ofLines = "packages/core/test/Replay.test.ts"
const lines = "packages/core/src/recording/internal/lineReader.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // replays
  {
    name: "a dial of a replay has a deadline",
    file: replayPolicy,
    original: "    connectTimeout: Duration.infinity,\n",
    replacement: "",
    test: [ofReplay, "a dial that takes long"]
  },
  {
    name: "an answer to a replay has a deadline",
    file: replayPolicy,
    original: "    acknowledgementTimeout: Duration.infinity,\n",
    replacement: "",
    test: [ofReplay, "waits for no answer to what was asked"]
  },
  {
    name: "a replay is asked for a pong",
    file: replayPolicy,
    original: "    heartbeat: \"none\"\n",
    replacement: "    heartbeat: policy.heartbeat\n",
    test: [ofReplay, "hours of silence"]
  },
  {
    name: "a breaker opens in a replay",
    file: "packages/core/src/connection/Connection.ts",
    original: "replay === undefined ? breakers.get(origin) : CircuitBreaker.make(\"none\", { key: origin })",
    replacement: "breakers.get(origin)",
    test: [ofReplay, "a dial that takes long"]
  },
  {
    name: "a replay that is silent is dialled anew",
    file: "packages/core/src/market/internal/silentSubscriptions.ts",
    original: "if (connection[internals].replay !== undefined) return Effect.void",
    replacement: "",
    test: [ofReplay, "a dial that takes long"]
  },
  {
    name: "an answer to somebody else counts for nothing",
    file: "packages/core/src/market/internal/replayedDialect.ts",
    original: "requestId === undefined || !wrote(text)",
    replacement: "requestId === undefined",
    test: [ofReplay, "an answer with an id of somebody else's"]
  },
  {
    name: "the end of a recording is a break of its books",
    file: "packages/core/src/market/internal/bookKeeper.ts",
    original: "if (_tag !== \"Closed\") {",
    replacement: "{",
    test: [ofReplay, "kraken: the books are those that were"]
  },
  {
    name: "a close of ours at the end is a drop",
    file: "packages/core/src/recording/internal/replayLeg.ts",
    original: "if (next === undefined && isInOrder(close))",
    replacement: "if (next === undefined && isInOrder(close) && close.code === undefined)",
    test: [ofReplay, "a close of ours at the end is no gap"]
  },
  {
    name: "a last close in good order is a drop if the peer closed",
    file: "packages/core/src/recording/internal/replayLeg.ts",
    original: "  isOurs(close) || (close.clean !== false && (close.code === undefined || close.code === 1000))\n",
    replacement: "  isOurs(close)\n",
    test: [ofReplay, "a last close in good order"]
  },
  {
    name: "each connection of a replay has an account of its own",
    file: "packages/node/src/runner/LedgerLines.ts",
    original: "Map.groupBy(accounts, ({ venue }) => venue)",
    replacement: "Map.groupBy(accounts, (account) => account)",
    test: [ofReplay, "of books on several connections"]
  },
  {
    name: "a line that is too long is told after what follows it",
    file: "packages/node/src/runner/Replaying.ts",
    original: "if (tooLong.size > 0) rejected += tellTooLong(running, venue.name, replay.position().line)",
    replacement: "",
    test: [ofReplay, "a line that is too long"]
  },
  {
    name: "what names no product is of none in a replay",
    file: "packages/node/src/runner/RecordedChannels.ts",
    original: "channel: channel.product === undefined ? declared : channel,",
    replacement: "channel,",
    test: [ofReplay, "Binance: a partial book that names no product"]
  },
  {
    name: "a book that names no product is of none",
    file: "packages/core/src/market/internal/books.ts",
    original: " ?? this.options.onlyOf?.(channel) ?? \"\"",
    replacement: " ?? \"\"",
    test: [ofReplay, "Binance: a partial book that names no product"]
  },
  {
    name: "an answer that is reached early is lost",
    file: "packages/core/src/recording/internal/replayHttp.ts",
    original: "if (answer !== undefined) return resume(Effect.succeed(answer))",
    replacement: "",
    test: [ofReplay, "an answer serves one request"]
  },
  {
    name: "the wait before a dial is the policy's",
    file: "packages/core/src/connection/internal/dialler.ts",
    original: "const recorded = this.parts.replay?.redial()",
    replacement: "const recorded = undefined as ReturnType<NonNullable<Parts<A>[\"replay\"]>[\"redial\"]> | undefined",
    test: [ofReplay, "dials that failed are told as they were"]
  },
  {
    name: "what came together is replayed one by one",
    file: "packages/core/src/recording/Replay.ts",
    original: "if (turns === \"line\" || (turns === \"moment\" && entry.at === undefined)) this.hand(turns)",
    replacement: "this.hand(turns)",
    test: [ofChaos, "coinbase"]
  },
  {
    name: "a line that is not of the usual layout is not read exactly",
    file: lines,
    original: "    const read = Tape.parse(text, line)\n",
    replacement: "    const read = this.before === undefined ? Tape.parse(text, line) : undefined\n",
    test: [ofLines, "each line says what it says"]
  },
  {
    name: "what follows the text of a usual line is passed over",
    file: lines,
    original: "const frame: string = JSON.parse(text.slice(this.start.length - 1, -1))",
    replacement:
      "const frame: string = JSON.parse(/^\"(?:[^\"\\\\]|\\\\.)*\"/.exec(text.slice(this.start.length - 1))?.[0] ?? \"\")",
    test: [ofLines, "each line says what it says"]
  },
  {
    name: "a layout is learned of a line that has more",
    file: lines,
    original: "    if (this.frame(text) === undefined) this.before = undefined\n",
    replacement: "",
    test: [ofLines, "each line says what it says"]
  },
  {
    name: "a time that is none counts as the one before",
    file: lines,
    original: "    if (at === undefined) return false\n",
    replacement: "",
    test: [ofLines, "each line says what it says"]
  },
  {
    name: "who sleeps in a replay is not told what came before",
    file: "packages/core/src/recording/Replay.ts",
    original: " && !this.clock.wakes(this.nextMillis)",
    replacement: "",
    test: [ofLines, "who sleeps wakes in time"]
  },
  {
    name: "a wire comes up before all was asked for",
    file: "packages/core/src/recording/internal/replayLeg.ts",
    original: "dial?.received === 0 ? dial.written : Infinity",
    replacement: "Infinity",
    test: [ofChaos, "coinbase"]
  },
  {
    name: "what one connection has seen counts as seen by another",
    file: "packages/core/src/connection/internal/messageChannels.ts",
    original: "if (this.seenAfter === changes) return false",
    replacement: "if (this.seenAfter !== undefined) return false",
    test: [ofReplay, "of a feed that had two connections"]
  },
  // secrets
  {
    name: "frames that came in are recorded with the secrets in them",
    file: wires,
    original: "mask.frame(frame)\n      if (",
    replacement: "frame\n      if (",
    test: [ofRecorder, "writes no secret"]
  },
  {
    name: "our own frames are recorded with their tokens",
    file: wires,
    original: "RecordingMask.maskSent(masked)",
    replacement: "masked",
    test: [ofRecorder, "writes no secret"]
  },
  {
    name: "a token that the venue issues is recorded",
    file: wires,
    original: "JSON.stringify(RecordingMask.maskIssued(masked))",
    replacement: "JSON.stringify(masked)",
    test: [ofRecorder, "writes no secret"]
  },
  {
    name: "the URL of a request is recorded with its signature",
    file: wires,
    original: "url: RecordingMask.maskUrl(request.url),\n            status",
    replacement: "url: request.url,\n            status",
    test: [ofRecorder, "writes answers over HTTP"]
  },
  {
    name: "the header says the URL with its secrets",
    file: "packages/core/src/recording/Recorder.ts",
    original: "{ url: maskUrl(header.url) }",
    replacement: "{}",
    test: [ofRecorder, "begins with the header"]
  },
  // bounds
  {
    name: "what waits for a recording has no bound",
    file: queue,
    original: "!this.hasFailed && !this.isFull",
    replacement: "!this.hasFailed",
    test: [ofRecorder, "leaves out frames and answers"]
  },
  {
    name: "what a recording left out is not in the ledger",
    file: "packages/core/src/market/MarketFeed.ts",
    original: "leftOut?.(venue.name) ?? 0",
    replacement: "0",
    test: [ofRecorder, "enters what it left out in the ledger"]
  },
  {
    name: "a small bound is full before anything is written",
    file: queue,
    original: "Math.min(manyCharacters, options.bytes / 2)",
    replacement: "manyCharacters",
    test: [ofRecorder, "enters what it left out in the ledger"]
  },
  {
    name: "a recording that blocks does not",
    file: wires,
    original: "isBlocking ? queue.room : Effect.void\n    }))",
    replacement: "Effect.void\n    }))",
    test: [ofRecorder, "blocks by choice"]
  },
  {
    name: "a recording is flushed when it ends only",
    file: queue,
    original: "if (left <= 0) yield* sink.flush",
    replacement: "",
    test: [ofRecorder, "flushes within the interval"]
  },
  {
    name: "a recording is flushed every nine seconds",
    file: "packages/core/src/recording/Recorder.ts",
    original: "Duration.seconds(1)",
    replacement: "Duration.seconds(9)",
    test: ["packages/node/test/runner/Kills.test.ts", "reads, and has all but the last second"]
  },
  // what a line says
  {
    name: "a connection that comes back is another one in its recording",
    file: wires,
    original: "free: () => taken.delete(number)",
    replacement: "free: () => {}",
    test: [ofRecorder, "writes the life of a connection"]
  },
  {
    name: "the leg of a dial is not looked at",
    file: wires,
    original: "let number = by?.leg ?? 1",
    replacement: "let number = 1",
    test: [ofRecorder, "names the connections of a feed by their legs"]
  },
  {
    name: "whether our closing was answered is not waited for",
    file: wires,
    original: " || (asked !== undefined && clean === undefined)",
    replacement: "",
    test: [ofRecorder, "writes the life of a connection"]
  },
  {
    name: "why a dial failed is recorded in words only",
    file: wires,
    original: "clean: false, failure: reason }",
    replacement: "clean: false }",
    test: [ofRunner, "a replay has the states and the reasons"]
  },
  {
    name: "answers over HTTP are not recorded by stream",
    file: "packages/node/src/runner/Streaming.ts",
    original: "Layer.effect(HttpPort, Effect.map(HttpPort, recorder.http)).pipe(Layer.provide(LazyHttp.layer))",
    replacement: "LazyHttp.layer",
    test: [ofRunner, "the answer over HTTP is there"]
  },
  {
    name: "a recording that is moved while a service runs is passed over",
    file: "packages/node/src/runner/Recorders.ts",
    original: "!isSame(begun.recordings, recordings)",
    replacement: "begun === undefined",
    test: [ofRunner, "records each venue in files of its own"]
  },
  // files
  {
    name: "the next file begins without a header",
    file,
    original: ", Effect.andThen(write([header]))",
    replacement: "",
    test: [ofFile, "goes on in the next numbered file"]
  },
  {
    name: "a flush completes no block of zstd",
    file: "packages/node/src/internal/recordingEncoder.ts",
    original: "Zlib.constants.ZSTD_e_flush",
    replacement: "Zlib.constants.ZSTD_e_continue",
    test: [ofFile, "a.jsonl.zst: what was flushed"]
  },
  {
    name: "of files of zstd that were put together the first is read",
    file: "packages/node/src/internal/recordingDecoder.ts",
    original: "if (read < chunk.length) return chunk.subarray(read)",
    replacement: "if (read < chunk.length) return undefined",
    test: [ofFile, "a.jsonl.zst: files that were put together"]
  },
  {
    name: "what cannot be decompressed is an empty recording",
    file: reading,
    original: "if (isFirst) throw cause",
    replacement: "",
    test: [ofFile, "one that is damaged is no recording"]
  },
  {
    name: "the half of a line that a kill left is a line",
    file: reading,
    original: "(isTorn || (isRecorded && rest > 0)) && !isWhole(last)",
    replacement: "isTorn && rest < 0",
    test: [ofFile, "a.jsonl: cut anywhere"]
  },
  {
    name: "a recording of single orders is said to be of levels",
    file: "packages/node/src/runner/Streaming.ts",
    original: "options.kinds : [bookChannel]",
    replacement: "options.kinds : [\"book\"]",
    test: ["packages/node/test/runner/Books.test.ts", "holds nothing of the key"]
  }
]
