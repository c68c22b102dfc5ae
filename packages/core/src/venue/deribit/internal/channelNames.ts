/**
 * Names of channels at Deribit, which have family, instrument and interval in
 * one word, and the channels that they mean.
 *
 * @see https://docs.deribit.com/subscriptions (read 2026-11-21)
 * @since 0.1.0
 */
import * as Channel from "../../../value/Channel.ts"

/** Families of channels whose name goes on with an instrument. */
const ofInstrument = new Set(["ticker", "incremental_ticker", "quote", "book", "perpetual", "chart.trades"])

/** Families that are named in two words. */
const twoWords = new Set(["block_rfq", "chart", "instrument", "markprice", "user"])

/**
 * A channel's name in its parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Name {
  readonly family: string
  /** The instrument, where the family has one. */
  readonly product: string | undefined
  /** What follows: interval, group, depth. */
  readonly rest: ReadonlyArray<string>
}

/** No name of a channel has more words. */
const mostWords = 8

/**
 * The parts of a channel's name, as the venue writes it.
 *
 * @category getters
 * @since 0.1.0
 */
export const parseName = (text: string): Name => {
  const words = text.split(".", mostWords)
  const [head = ""] = words
  const own = twoWords.has(head) && words.length > 1 ? 2 : 1
  const family = own === 1 ? head : `${head}.${words[1] ?? ""}`
  const first = words[own]
  const rest = words.slice(own + 1)
  // `trades.BTC-PERPETUAL.raw` is of an instrument, `trades.future.BTC.raw` of a kind and a currency.
  const hasProduct = first !== undefined && first !== "" && (
    ofInstrument.has(family) || (family === "trades" && rest.length === 1)
  )
  return hasProduct
    ? { family, product: first, rest }
    : { family, product: undefined, rest: first === undefined ? rest : [first, ...rest] }
}

/**
 * The channel as the house names it: what the venue calls it, less the product.
 *
 * @category getters
 * @since 0.1.0
 */
export const channelOf = (text: string): Channel.Channel => {
  const { family, product, rest } = parseName(text)
  return product === undefined ? Channel.make(text) : Channel.make([family, ...rest].join("."), product)
}

/**
 * The channel as the venue names it.
 *
 * @category getters
 * @since 0.1.0
 */
export const nameOf = ({ channel, product }: Channel.Channel): string => {
  if (product === undefined) return channel
  const { family } = parseName(channel)
  return `${family}.${product}${channel.slice(family.length)}`
}
