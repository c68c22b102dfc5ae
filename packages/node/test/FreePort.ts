/** A port for a server that has to be told one, and may be told it again later. */
import * as Net from "node:net"

/**
 * Below those that a system takes for whoever connects (from 32768 on Linux): a client that tries to reach a server
 * that is down would take one of these itself.
 */
const [first, count] = [20_000, 12_000]

// Those of a process that runs beside it begin elsewhere.
let given = (process.pid * 61) % count

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = Net.createServer().on("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/** One at which nobody listens, another each time. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < count; tries++) {
    const port = first + given
    given = (given + 1) % count
    if (await isFree(port)) return port
  }
  throw new Error("all ports are taken")
}
