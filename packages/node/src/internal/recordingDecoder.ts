/**
 * The bytes of a recording, whatever it is compressed with.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import { Readable } from "node:stream"
import * as Zlib from "node:zlib"

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const isZstd = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd

/** As many bytes as tell how a recording is compressed. */
const tellingBytes = 4

const chunkSize = 256 * 1024

async function* after(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  while (true) {
    const next = await rest.next()
    if (next.done === true) return
    yield next.value
  }
}

async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const compressed = Readable.from(bytes, { objectMode: false })
  const gunzip = Zlib.createGunzip({ chunkSize })
  compressed.on("error", (cause) => gunzip.destroy(cause))
  yield* compressed.pipe(gunzip)
}

/** Writes to a decoder until its input ends or it has come to its end; gives what it did not read. */
const feed = async (
  decoder: Zlib.ZstdDecompress,
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>
): Promise<Uint8Array | undefined> => {
  for (let chunk = first;;) {
    const before = decoder.bytesWritten
    await new Promise<void>((resolve, reject) => decoder.write(chunk, (error) => error ? reject(error) : resolve()))
    const read = decoder.bytesWritten - before
    if (read < chunk.length) return chunk.subarray(read)
    const next = await source.next()
    if (next.done === true) {
      decoder.end()
      return undefined
    }
    chunk = next.value
  }
}

/** Node reads one frame of zstd and passes over those behind it, such as of files that were put together. */
async function* unzstd(first: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let rest: Uint8Array | undefined = first; rest !== undefined;) {
    const decoder = Zlib.createZstdDecompress({ chunkSize })
    const fed = feed(decoder, rest, source)
    // Where the source fails the reader is told by the decoder; where the decoder does, by itself.
    fed.catch((cause) => decoder.destroy(cause))
    yield* decoder
    rest = await fed
  }
}

/**
 * The bytes, decompressed where their first ones are those of gzip or of zstd.
 * Where compressed ones end in the middle of a block, `torn` is called with the
 * reason, and may throw it.
 *
 * @category decoding
 * @since 0.1.0
 */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  torn: (cause: unknown) => void
): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]()
  let first: Uint8Array = new Uint8Array()
  // A pipe may hand over the bytes that tell it one by one.
  while (first.length < tellingBytes) {
    const next = await source.next()
    if (next.done === true) break
    first = Buffer.concat([first, next.value])
  }
  if (first.length === 0) return
  try {
    if (isGzip(first)) yield* gunzipped(after(first, source))
    else if (isZstd(first)) yield* unzstd(first, source)
    else yield* after(first, source)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR")) throw cause
    torn(cause)
  }
}
