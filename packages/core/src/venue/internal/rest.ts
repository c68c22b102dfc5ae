/**
 * Where the REST interface of a venue is.
 *
 * @since 0.1.0
 */
import * as Address from "../../transport/Address.ts"
import type { Venue } from "../Venue.ts"

/**
 * The base of a venue's REST interface, for who dials it at `url`: the venue's
 * own, or, if that is another host than the venue's own endpoint, the same host
 * and port over http or https. `undefined` if nothing is asked there.
 *
 * @category getters
 * @since 0.1.0
 */
export const restAt = (venue: Venue, url: string): string | undefined => {
  if (venue.rest === undefined) return undefined
  const origin = Address.origin(url)
  return venue.endpoint !== undefined && origin === Address.origin(venue.endpoint)
    ? venue.rest.endpoint
    : origin.replace(/^ws/, "http")
}
