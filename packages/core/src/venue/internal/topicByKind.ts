/** By what the data of a frame is known, where it shows in the events that the frame was read to. */
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Topic } from "../Venue.ts"

/** What was read of a frame: a topic, if it has a name. */
interface Read {
  readonly name?: string | undefined
  readonly product?: string | undefined
}

const isTopic = (read: Read): read is Topic => read.name !== undefined

/**
 * By the kind of a frame's event: a name that the wire has for all of the kind, or what reads it of their frame. Of
 * several events the last is looked at: the first may confirm what the others are of.
 */
export const topicByKind = (
  names: Readonly<Partial<Record<MarketEvent["_tag"], string | ((frame: Frame) => Read)>>>
): (frame: Frame, events: ReadonlyArray<MarketEvent>) => Topic | undefined => {
  const topics = new Map(
    Object.entries(names).map(([tag, naming]) => [tag, typeof naming === "string" ? { name: naming } : naming])
  )
  return (frame, events) => {
    const last = events[events.length - 1]
    const topic = last === undefined ? undefined : topics.get(last._tag)
    if (typeof topic !== "function") return topic
    const read = topic(frame)
    return isTopic(read) ? read : undefined
  }
}
