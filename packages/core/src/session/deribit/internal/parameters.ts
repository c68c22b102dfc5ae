/**
 * Parameters that many of Deribit's methods share.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import { Kind } from "./enumerations.ts"

/**
 * None.
 *
 * @category schemas
 * @since 0.1.0
 */
export const none = Schema.Struct({})

/**
 * What is answered where there is nothing else to say.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Ok = Schema.Literal("ok")

/**
 * A parameter that may be left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const maybe = <S extends Schema.Constraint>(schema: S): Schema.optionalKey<S> => Schema.optionalKey(schema)

/**
 * How many of something are asked for or allowed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Count = ExactSchema.Integer.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))

/**
 * A duration of the market-maker protection, in seconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Seconds = ExactSchema.Integer.check(Schema.isBetween({ minimum: 0, maximum: 3_600 }))

/**
 * The instrument that is meant.
 *
 * @category schemas
 * @since 0.1.0
 */
export const instrument = { instrument_name: Schema.String }

/**
 * The currency that is meant.
 *
 * @category schemas
 * @since 0.1.0
 */
export const currency = { currency: Schema.String }

/**
 * The kind of instruments, where only one is meant.
 *
 * @category schemas
 * @since 0.1.0
 */
export const kind = { kind: maybe(Kind) }

/**
 * The subaccount that is meant, for a main account.
 *
 * @category schemas
 * @since 0.1.0
 */
export const subaccount = { subaccount_id: maybe(ExactSchema.Integer) }

/**
 * How what is cancelled is answered, and whether quotes stay frozen.
 *
 * @category schemas
 * @since 0.1.0
 */
export const cancelling = { detailed: maybe(Schema.Boolean), freeze_quotes: maybe(Schema.Boolean) }
