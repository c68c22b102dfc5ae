/**
 * Which products are not in continuous trading, as a venue has said it on one
 * connection.
 *
 * @since 0.1.0
 */
import type { Frame } from "../../transport/Frame.ts"
import type { Trading } from "../../venue/Venue.ts"

interface Said {
  readonly status: string
  readonly until: number
}

// What is said of all products has no name.
const everything = ""

/**
 * What a venue has said on one connection. Times are monotonic milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class TradingStatuses {
  /** When the next of them ends by itself. */
  lapsesAt = Infinity
  private readonly trading: Trading
  // Of what is not in continuous trading, by its name.
  private readonly said = new Map<string, Said>()

  constructor(trading: Trading) {
    this.trading = trading
  }

  /** The venue's word for how a product trades, if that is not continuously. */
  of(product: string): string | undefined {
    const { said, trading } = this
    if (said.size === 0) return undefined
    const own = said.get(product)?.status
    if (own !== undefined) return own
    const group = trading.groupOf?.(product)
    return (group === undefined ? undefined : said.get(group)?.status) ?? said.get(everything)?.status
  }

  /** Reads what a frame without market data says. Returns whether it says something. */
  read(frame: Frame, now: number): boolean {
    const statuses = this.trading.read(frame)
    for (const { isContinuous, lastsMillis = Infinity, of = everything, status } of statuses) {
      if (isContinuous) this.said.delete(of)
      else this.said.set(of, { status, until: now + lastsMillis })
    }
    if (statuses.length > 0) this.schedule()
    return statuses.length > 0
  }

  /** Forgets what was not said again in time. */
  lapse(now: number): void {
    for (const [of, { until }] of this.said) if (until <= now) this.said.delete(of)
    this.schedule()
  }

  private schedule(): void {
    this.lapsesAt = Infinity
    for (const { until } of this.said.values()) this.lapsesAt = Math.min(this.lapsesAt, until)
  }
}
