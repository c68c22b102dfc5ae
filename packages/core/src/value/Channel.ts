/**
 * What a consumer asks a venue for: a channel by the venue's own name, of one
 * product where the channel has products.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A channel of a venue, of one product where it has products. Both names are
 * the venue's own, as sent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Channel = Schema.Struct({
  channel: Schema.NonEmptyString,
  product: Schema.optionalKey(Schema.NonEmptyString)
})

/**
 * A channel of a venue, of one product where it has products.
 *
 * @category models
 * @since 0.1.0
 */
export type Channel = typeof Channel.Type

/**
 * Makes a channel.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (channel: string, product?: string | undefined): Channel =>
  product === undefined ? { channel } : { channel, product }

/**
 * A text that is the same for two channels exactly when they are the same, for
 * use as a map's key. A newline, which no venue's name holds, parts the names.
 *
 * @category getters
 * @since 0.1.0
 */
export const key = (self: Channel): string =>
  self.product === undefined ? self.channel : `${self.channel}\n${self.product}`
