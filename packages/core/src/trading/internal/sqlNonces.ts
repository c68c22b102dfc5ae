/**
 * Nonces that are kept in a database.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { NonceStore } from "../NonceStore.ts"
import * as SqlFailure from "./sqlFailure.ts"

/** A process takes the numbers of so many milliseconds at once, so that most nonces write nothing. */
const block = 10_000

/** The numbers that are this process's: after `last`, and below `until`. */
interface Lease {
  last: number
  until: number
}

/**
 * Nonces over a database. What is left of a lease goes back with the scope; of a
 * process that was killed it stays unused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient
): Effect.fn.Return<NonceStore["Service"], never, Scope.Scope> {
  const leases = new Map<string, Lease>()
  const semaphore = yield* Semaphore.make(1)

  // The lease begins after all that were ever given away, or now if that is later.
  const renew = (signer: string, now: number) =>
    Effect.map(
      sql<{ readonly until: string }>`INSERT INTO tickline_nonces (signer, leased_until)
        VALUES (${signer}, ${now + block})
        ON CONFLICT (signer) DO UPDATE SET leased_until = ${block} +
          CASE WHEN tickline_nonces.leased_until > ${now} THEN tickline_nonces.leased_until ELSE ${now} END
        RETURNING CAST(leased_until AS TEXT) AS until`,
      ([row]) => {
        const until = Number(row?.until)
        const lease = { last: until - block - 1, until }
        leases.set(signer, lease)
        return lease
      }
    )

  const taken = ({ last, until }: Lease, now: number): number | undefined => {
    const nonce = Math.max(now, last + 1)
    return nonce < until ? nonce : undefined
  }

  yield* Effect.addFinalizer(() =>
    Effect.forEach(
      leases,
      ([signer, { last, until }]) =>
        sql`UPDATE tickline_nonces SET leased_until = ${last + 1} WHERE signer = ${signer} AND leased_until = ${until}`
    ).pipe(SqlFailure.of("give nonces back"), Effect.ignore({ log: "Warn" }))
  )

  return {
    next: (signer) =>
      semaphore.withPermit(Effect.gen(function*() {
        // A clock may tell parts of a millisecond.
        const now = Math.floor(yield* Clock.currentTimeMillis)
        let lease = leases.get(signer)
        let nonce = lease === undefined ? undefined : taken(lease, now)
        if (lease === undefined || nonce === undefined) {
          lease = yield* SqlFailure.of("lease nonces")(renew(signer, now))
          nonce = lease.last + 1
        }
        lease.last = nonce
        return nonce
      }))
  }
})
