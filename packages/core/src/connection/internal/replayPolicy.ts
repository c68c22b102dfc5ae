/**
 * How a connection behaves whose transport replays a recording: it waits for
 * nothing but the recording, and nothing ends it but that.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Reconnection } from "../Reconnection.ts"

/**
 * What of a policy is left: no deadline, no heartbeat, no breaker, and every
 * failure is followed by the next dial that was recorded.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reconnection = ({ policy }: Reconnection["Service"]): Reconnection["Service"] => ({
  policy: {
    ...policy,
    connectTimeout: Duration.infinity,
    acknowledgementTimeout: Duration.infinity,
    retryInitialConnect: true,
    retry: { maxRetries: "unlimited", resetOn: "connect" },
    circuit: "none",
    heartbeat: "none"
  },
  classify: () => "retry"
})
