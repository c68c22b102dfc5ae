/**
 * Which consumers want the messages of which channel and product. A message is
 * looked up by what it belongs to: what it costs does not grow with the number
 * of consumers that want others.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Frame from "../../transport/Frame.ts"
import * as Channel from "../../value/Channel.ts"
import type * as Inbox from "../Inbox.ts"
import type { Batch } from "../Observer.ts"
import { ChannelList } from "./messageChannels.ts"

/**
 * What a routed consumer wants: the messages that belong to a channel and are of
 * a kind; if the channel is of all products, those of one of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Want<A, B extends A> {
  readonly channel: Channel.Channel
  readonly product?: string | undefined
  readonly is: (message: A) => message is B
}

/**
 * The end of a route: what gathers, of the batch at hand, the messages that one
 * consumer wants, and hands them over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Destination<A> {
  readonly channel: Channel.Channel
  readonly product: string | undefined
  /** Takes a message and its bytes if it wants it. Returns whether it is the first that it takes of the batch. */
  readonly take: (message: A, bytes: number) => boolean
  /** Hands over what it has taken. */
  readonly flush: (batch: Inbox.Batch<A>) => void
}

// The destinations of one channel: those that want all of it, and those that want a product.
interface Route<A> {
  whole: ReadonlyArray<Destination<A>>
  readonly byProduct: Map<string, ReadonlyArray<Destination<A>>>
}

// What was found by a list of channels, which saves making keys for every message.
class Found<A> {
  readonly since: object
  readonly routes: ReadonlyArray<Route<A>>

  constructor(since: object, routes: ReadonlyArray<Route<A>>) {
    this.since = since
    this.routes = routes
  }
}

const nowhere: ReadonlyArray<never> = []

/**
 * Makes the destination of a consumer: `handOver` is given a batch of what it
 * wants.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeDestination = <A, B extends A>(
  { channel, is, product }: Want<A, B>,
  handOver: (batch: Inbox.Batch<B>) => void
): Destination<A> => {
  let messages: Array<B> = []
  let total = 0
  return {
    channel,
    product,
    take: (message, bytes) => {
      if (!is(message)) return false
      total += bytes
      return messages.push(message) === 1
    },
    flush: ({ at, epoch }) => {
      const found = messages
      const bytes = Math.ceil(total)
      messages = []
      total = 0
      if (Arr.isArrayNonEmpty(found)) handOver({ _tag: "Batch", epoch, at, messages: found, bytes })
    }
  }
}

/**
 * The routes of one connection. `productOf` reads the product of a message, for
 * channels that are of all products.
 *
 * @category models
 * @since 0.1.0
 */
export class Routes<A> {
  private readonly byChannel = new Map<string, Route<A>>()
  // Stands for the time since a destination came or went: what lists of channels remember holds for as long. At first it
  // is an object that is there already, since most connections have no routes. A list that nobody wants has found no more
  // than it: of a thousand each is known at once.
  private unchanged: object = this.byChannel
  private readonly productOf: (message: A) => string | undefined
  // Those that have taken something of the batch at hand.
  private touched: Array<Destination<A>> = []

  constructor(productOf: (message: A) => string | undefined = () => undefined) {
    this.productOf = productOf
  }

  add(destination: Destination<A>): void {
    const { channel, product } = destination
    const key = Channel.key(channel)
    const route = this.byChannel.get(key) ?? { whole: nowhere, byProduct: new Map() }
    if (product === undefined) route.whole = [...route.whole, destination]
    else route.byProduct.set(product, [...route.byProduct.get(product) ?? nowhere, destination])
    this.byChannel.set(key, route)
    this.unchanged = {}
  }

  remove(destination: Destination<A>): void {
    const { channel, product } = destination
    const key = Channel.key(channel)
    const route = this.byChannel.get(key)
    if (route === undefined) return
    const without = (all: ReadonlyArray<Destination<A>>) => all.filter((other) => other !== destination)
    if (product === undefined) route.whole = without(route.whole)
    else route.byProduct.set(product, without(route.byProduct.get(product) ?? nowhere))
    if (product !== undefined && route.byProduct.get(product)?.length === 0) route.byProduct.delete(product)
    if (route.whole.length + route.byProduct.size === 0) this.byChannel.delete(key)
    this.unchanged = {}
  }

  /** Hands the messages of a batch to those that want them, each charged with its own bytes. */
  deliver(batch: Batch<A>): void {
    const { channels, frames, messages, starts } = batch
    if (channels === undefined || this.byChannel.size === 0) return
    let frame = -1
    let end = 0
    let bytes = 0
    let last: ReadonlyArray<Channel.Channel> | undefined
    let routes: ReadonlyArray<Route<A>> = nowhere
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]
      const of = channels[i]
      if (message === undefined || of === undefined) continue
      if (of !== last) {
        last = of
        routes = this.routesOf(of)
      }
      if (routes.length === 0) continue
      while (i >= end) {
        frame++
        end = starts[frame + 1] ?? messages.length
        bytes = Frame.size(frames[frame] ?? "") / (end - (starts[frame] ?? 0))
      }
      for (const route of routes) this.follow(route, message, bytes)
    }
    const { touched } = this
    if (touched.length === 0) return
    this.touched = []
    for (const destination of touched) destination.flush(batch)
  }

  /** Hands those messages of a batch to a destination that it wants, of a batch that was kept for it. */
  deliverTo(destination: Destination<A>, batch: Inbox.Batch<A>): void {
    const key = Channel.key(destination.channel)
    const bytes = batch.bytes / batch.messages.length
    batch.messages.forEach((message, index) => {
      if (batch.channels?.[index]?.some((channel) => Channel.key(channel) === key) !== true) return
      if (destination.product !== undefined && this.productOf(message) !== destination.product) return
      destination.take(message, bytes)
    })
    destination.flush(batch)
  }

  private follow({ byProduct, whole }: Route<A>, message: A, bytes: number): void {
    for (const destination of whole) {
      if (destination.take(message, bytes)) this.touched.push(destination)
    }
    if (byProduct.size === 0) return
    const product = this.productOf(message)
    if (product === undefined) return
    for (const destination of byProduct.get(product) ?? nowhere) {
      if (destination.take(message, bytes)) this.touched.push(destination)
    }
  }

  private routesOf(channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Route<A>> {
    const list = channels instanceof ChannelList ? channels : undefined
    const found = list?.found
    if (found === this.unchanged) return nowhere
    if (this.isCurrent(found)) return found.routes
    const routes: Array<Route<A>> = []
    for (const channel of channels) {
      const route = this.byChannel.get(Channel.key(channel))
      if (route !== undefined) routes.push(route)
    }
    if (list !== undefined) list.found = routes.length === 0 ? this.unchanged : new Found(this.unchanged, routes)
    return routes
  }

  private isCurrent(found: object | undefined): found is Found<A> {
    return found instanceof Found && found.since === this.unchanged
  }
}
