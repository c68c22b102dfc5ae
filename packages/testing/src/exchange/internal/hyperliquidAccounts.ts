/** Who may sign at Hyperliquid, and with which nonces. */
import * as Signing from "@tickline/core/trading/hyperliquid/HyperliquidSigning"

/** An account: its address, what it has, the API wallets that sign for it, and the vaults that it leads. */
export interface Account {
  readonly address: string
  readonly balances?: Readonly<Record<string, string>> | undefined
  readonly agents?: ReadonlyArray<string> | undefined
  readonly vaults?: ReadonlyArray<{ readonly address: string; readonly balances: Readonly<Record<string, string>> }>
  /** Default: 20. */
  readonly leverage?: number | undefined
}

/** What came to `/exchange`: an action with what is signed with it. */
export interface Envelope {
  readonly action: Signing.Action & { readonly type: string }
  readonly nonce: number
  readonly signature: Signing.Signature
  readonly vaultAddress?: string | null | undefined
  readonly expiresAfter?: number | null | undefined
}

/** So many nonces of a signer are remembered, and how far they may be from the time. */
const nonces = { kept: 100, behindMillis: 2 * 86_400_000, aheadMillis: 86_400_000 }

const figure = /^\d+\.\d*0$|^\d+\.$/

/** The venue reads figures and writes them anew before it hashes them: without the zeros at their end. */
const asRead = (value: unknown, name?: string): unknown => {
  if (typeof value === "string") {
    return (name === "p" || name === "s" || name === "triggerPx") && figure.test(value)
      ? value.replace(/\.?0*$/, "")
      : value
  }
  if (Array.isArray(value)) return value.map((item) => asRead(item))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asRead(member, name)]))
}

export class Accounts {
  private readonly network: Signing.Network
  private readonly accounts: ReadonlyMap<string, Account>
  private readonly agents: ReadonlyMap<string, string>
  private readonly vaults: ReadonlyMap<string, string>
  private readonly used = new Map<string, Array<number>>()

  constructor(accounts: ReadonlyArray<Account>, network: Signing.Network) {
    this.network = network
    this.accounts = new Map(accounts.map((account) => [account.address.toLowerCase(), account]))
    this.agents = new Map(
      accounts.flatMap(({ address, agents = [] }) =>
        agents.map((agent) => [agent.toLowerCase(), address.toLowerCase()] as const)
      )
    )
    this.vaults = new Map(
      accounts.flatMap(({ address, vaults = [] }) =>
        vaults.map((vault) => [vault.address.toLowerCase(), address.toLowerCase()] as const)
      )
    )
  }

  /** The address for which an action is done, or why it is not, in the venue's words. */
  admit(
    { action, expiresAfter, nonce, signature, vaultAddress }: Envelope,
    at: number
  ): { readonly user: string } | string {
    const vault = vaultAddress ?? undefined
    const read = asRead(action)
    const signer = Signing.signerOf(read as Signing.Action, signature, {
      nonce,
      vault,
      expiresAfter: expiresAfter ?? undefined,
      network: this.network
    })
    const owner = signer === undefined ? undefined : this.agents.get(signer) ?? signer
    if (signer === undefined || owner === undefined || !this.accounts.has(owner)) {
      return `User or API Wallet ${signer ?? "0x"} does not exist.`
    }
    if (vault !== undefined && this.vaults.get(vault.toLowerCase()) !== owner) {
      return `Vault not registered: ${vault}`
    }
    const refused = this.spend(signer, nonce, at)
    if (refused !== undefined) return refused
    if (typeof expiresAfter === "number" && at > expiresAfter) return "Action expired."
    return { user: vault?.toLowerCase() ?? owner }
  }

  /** Who an address is. */
  role(address: string): object {
    const of = address.toLowerCase()
    const user = this.agents.get(of)
    if (user !== undefined) return { role: "agent", data: { user } }
    return { role: this.vaults.has(of) ? "vault" : this.accounts.has(of) ? "user" : "missing" }
  }

  // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/nonces-and-api-wallets (read 2026-11-26)
  private spend(signer: string, nonce: number, at: number): string | undefined {
    const used = this.used.get(signer) ?? []
    const [lowest = 0] = used
    if (nonce <= at - nonces.behindMillis || nonce >= at + nonces.aheadMillis) {
      return `Invalid nonce: ${nonce} is too far from now`
    }
    if (used.includes(nonce)) return `Invalid nonce: duplicate nonce ${nonce}`
    if (used.length >= nonces.kept && nonce < lowest) return `Invalid nonce: ${nonce} is too low`
    this.used.set(signer, [...used, nonce].toSorted((one, other) => one - other).slice(-nonces.kept))
    return undefined
  }
}
