/**
 * The observers of one connection, in their order: attached to each epoch,
 * shown its batches, and told of its end. One that throws is detached.
 *
 * @since 0.1.0
 */
import type { Frame } from "../../transport/Frame.ts"
import type { Batch, EpochEnd, NamedObserver, Observer } from "../Observer.ts"
import type * as InboxItems from "./inboxItems.ts"

/**
 * An observer that threw, and what it threw.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly name: string
  readonly whenThrows: "detach" | "end"
  readonly error: unknown
}

/**
 * One that says what of a batch those behind it are shown, and the consumers:
 * all of it, a part, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface NarrowingObserver<A> extends NamedObserver<A> {
  readonly narrow: (batch: Batch<A>) => Batch<A> | undefined
}

const isNarrowing = <A>(declared: NamedObserver<A>): declared is NarrowingObserver<A> => "narrow" in declared

interface Attached<A> {
  readonly observer: Observer<A>
  /** What it narrows a batch to, in place of being shown it. */
  readonly narrow: NarrowingObserver<A>["narrow"] | undefined
  /** Absent for one of the connection's own: what it throws is a defect. */
  readonly declared: NamedObserver<A> | undefined
}

/**
 * The observers of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Observers<A> {
  /** What was thrown and is still to be told. */
  readonly faults: Array<Fault> = []
  private declared: ReadonlyArray<NamedObserver<A>>
  private attached: ReadonlyArray<Attached<A>> = []
  private epoch: number | undefined

  constructor(declared: ReadonlyArray<NamedObserver<A>>) {
    this.declared = declared
  }

  /** Attaches one more, before those declared, at once if an epoch is up. Returns what detaches it for good. */
  add(one: NamedObserver<A>): () => void {
    this.declared = [one, ...this.declared]
    if (this.epoch !== undefined) {
      const others = this.attached.filter(({ declared }) => declared !== undefined)
      this.attached = this.attached.filter(({ declared }) => declared === undefined)
      this.attachOne(one, this.epoch)
      this.attached = [...this.attached, ...others]
    }
    return () => {
      this.declared = this.declared.filter((other) => other !== one)
      this.detach(one)
    }
  }

  /** Attaches all of them to an epoch, behind the connection's own. */
  attach(epoch: number, own: ReadonlyArray<Observer<A>>): void {
    this.epoch = epoch
    this.attached = own.map((observer) => ({ observer, narrow: undefined, declared: undefined }))
    for (const one of this.declared) this.attachOne(one, epoch)
  }

  /** Shows them a batch. Returns what of it the consumers are to be shown. */
  batch(batch: Batch<A>): Batch<A> | undefined {
    const { attached } = this
    let shown: Batch<A> | undefined = batch
    for (const one of attached) {
      try {
        if (one.narrow === undefined) one.observer.batch(shown)
        else shown = one.narrow(shown)
      } catch (error) {
        this.threw(one.declared, error)
      }
      if (shown === undefined) return undefined
    }
    return shown
  }

  rejected(rejected: InboxItems.Rejected, frame: Frame): void {
    for (const { declared, observer } of this.attached) {
      try {
        observer.rejected?.(rejected, frame)
      } catch (error) {
        this.threw(declared, error)
      }
    }
  }

  /** Tells them of the epoch's end, once. */
  ended(how: EpochEnd): void {
    if (this.epoch === undefined) return
    const { attached } = this
    this.epoch = undefined
    this.attached = []
    for (const { declared, observer } of attached) {
      try {
        observer.ended(how)
      } catch (error) {
        this.threw(declared, error)
      }
    }
  }

  private attachOne(declared: NamedObserver<A>, epoch: number): void {
    try {
      this.attached = [...this.attached, {
        declared,
        narrow: isNarrowing(declared) ? declared.narrow : undefined,
        observer: declared.attach(epoch)
      }]
    } catch (error) {
      this.threw(declared, error)
    }
  }

  private detach(declared: NamedObserver<A>): void {
    this.attached = this.attached.filter((one) => one.declared !== declared)
  }

  private threw(declared: NamedObserver<A> | undefined, error: unknown): void {
    if (declared === undefined) throw error
    this.detach(declared)
    this.faults.push({ name: declared.name, whenThrows: declared.whenThrows ?? "detach", error })
  }
}
