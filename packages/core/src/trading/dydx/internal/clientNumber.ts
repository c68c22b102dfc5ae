/**
 * Client ids as dYdX's chain knows them, which has numbers for them.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"

/**
 * The number that the chain knows a client id by: the client id if it is a whole
 * number below 2^32, otherwise the first four bytes of its SHA-256.
 *
 * @category getters
 * @since 0.1.0
 */
export const clientNumber = (clientId: string): number =>
  /^(0|[1-9]\d{0,9})$/.test(clientId) && Number(clientId) < 2 ** 32
    ? Number(clientId)
    : new DataView(sha256(utf8ToBytes(clientId)).buffer).getUint32(0)
