/** The members of a client's frame. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const readObject = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** The members of a frame that is a JSON object; none of any other. */
export const membersOf = (frame: Frame): { readonly [key: string]: unknown } =>
  Option.getOrElse(readObject(frame), () => ({}))
