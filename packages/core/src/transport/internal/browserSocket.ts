/**
 * What is used of the WebSocket that browsers and other runtimes have.
 *
 * @since 0.1.0
 */

/**
 * What is used of a WebSocket: the standard's interface, by its shape, so that
 * the global of any runtime is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Socket {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: "open" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void
  addEventListener(type: "close", listener: (event: CloseEvent) => void): void
  removeEventListener(type: "open" | "error", listener: () => void): void
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void
  removeEventListener(type: "close", listener: (event: CloseEvent) => void): void
}

/**
 * The constructor of a WebSocket, such as the global of that name.
 *
 * @category models
 * @since 0.1.0
 */
export type SocketConstructor = new(url: string, protocols: Array<string>) => Socket

/**
 * What is used of a message event: `data` is a string, or an `ArrayBuffer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageEvent {
  readonly data: unknown
}

/**
 * What is used of a close event: the peer's code and reason, 1006 where the
 * connection broke, and whether both sides sent a close frame.
 *
 * @category models
 * @since 0.1.0
 */
export interface CloseEvent {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/**
 * The close code that a peer sees where we close with `code`. A page may send
 * 1000 and 3000 to 4999 only; the codes of the protocol in between go out as
 * 3000 more, in the range that is free for private use: 1009 as 4009.
 *
 * @category getters
 * @since 0.1.0
 */
export const sentCode = (code: number): number => code > 1000 && code < 1016 ? code + 3000 : code
