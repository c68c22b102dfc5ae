/** The number that a venue gives each frame of a connection. */
import { memberText } from "../../codec/internal/memberText.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Digits from "../../value/internal/digits.ts"

/** By the member of that name: most events have it as their sequence, and of the others the frame is looked at. */
export const numbered = (name: string) => (frame: Frame, [first]: ReadonlyArray<MarketEvent>): number | undefined => {
  const read = first !== undefined && "sequence" in first ? first.sequence : undefined
  return Digits.toSafe(read ?? (typeof frame === "string" ? memberText(frame, name) : undefined))
}
