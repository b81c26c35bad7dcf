// A Linux TUN device: opened or attached to, batches of packets in and out, closed. Exported by itself as
// 'tunstack/tun'; it needs nothing at run time but the addon, which is loaded when the first device is opened.
// The batches are borrowed for the length of a call.
import { type Allocate, LARGEST_PACKET, type PacketBatch } from '../core/batch.ts'
import { NO_OFFLOAD, type Offload } from '../core/environment.ts'
import { type Addon, addonFault, findAddon } from './addon.ts'
import { readOffloadHeaders, writeOffloadHeaders } from './offload-header.ts'
import { movingError, openingError, TunError } from './tun-error.ts'
import { configureTun, planOf, type TunOptions } from './tun-options.ts'

export { Checksum, PacketBatch, Segmentation } from '../core/batch.ts'
export type { Offload } from '../core/environment.ts'
export { TunError } from './tun-error.ts'
export type { TunOptions, TunRoute } from './tun-options.ts'

const READABLE = 1
const WRITABLE = 2
// TUN_F_…, as the addon returns them.
const TAKES_CHECKSUM = 0x01
const TAKES_TCP4 = 0x02
const TAKES_TCP6 = 0x04
const TAKES_UDP = 0x60
const PAGE = 4096
/** EBADFD: the device was deleted. EIO: it is down. Linux's numbers, the same on every processor that we run on. */
const DELETED = 77
const DOWN = 5

/** Throws a `TunError` that says in one sentence what is missing and how to get it. */
export function openTun(options: TunOptions = {}): TunDevice {
  const plan = planOf(options)
  if (process.platform !== 'linux')
    throw new TunError(
      'ERR_TUN_PLATFORM',
      `A TUN device needs Linux, and this is ${process.platform}: use a memory or packets link here.`,
    )
  const addon = findAddon()
  if (addon === null) throw new TunError('ERR_TUN_ADDON', addonFault())
  const name = options.name ?? ''
  let opened: ReturnType<Addon['open']>
  try {
    opened = addon.open(name, offloadNumber(options), options.netns ?? '', (options.ioUring ?? true) ? 1 : 0)
  } catch (error) {
    throw openingError(error as NodeJS.ErrnoException, options.name, options.netns)
  }
  try {
    configureTun(addon, opened.device, opened.name, options, plan)
    const facts = addon.facts(opened.device, opened.name)
    const mostJoined = (options.bigTcp ?? true) ? addon.join(opened.device) : 0
    return new TunDevice(addon, { ...opened, ...facts, mostJoined }, options.onerror ?? null)
  } catch (error) {
    addon.close(opened.device)
    throw error
  }
}

export class TunDevice {
  readonly name: string
  readonly index: number
  readonly mtu: number
  readonly queueLength: number
  /** What was agreed with the kernel, with what software does in its place; all false where the option was off. */
  readonly offload: Offload
  /** Segmentation is the addon's: the kernel gives and takes packets of the device's MTU. */
  readonly isSoftwareOffload: boolean
  /** Many packets are written with one system call. */
  readonly usesIoUring: boolean
  /** Long packets of one flow to the device's own addresses are written as one. */
  readonly usesBigTcp: boolean
  /** How many of them at most; 0 where each is by itself. @internal */
  readonly mostJoined: number
  /** Octets that a batch must keep free before every packet. */
  readonly headroom: number
  /** The longest packet that can arrive: a batch to receive into must have room for it. */
  readonly largest: number
  /** Packets that the kernel refused, which are lost. */
  refused = 0
  onerror: ((error: TunError) => void) | null
  readonly #addon: Addon
  readonly #device: number
  #ready: (() => void) | null = null
  #isClosed = false
  #isDeleted = false
  #awaitsRoom = false
  /** The error that was told last, by number; 0 since a packet went through. */
  #told = 0

  /** @internal `openTun` makes them. */
  constructor(
    addon: Addon,
    facts: ReturnType<Addon['open']> & ReturnType<Addon['facts']> & { mostJoined: number },
    onerror: ((error: TunError) => void) | null,
  ) {
    this.#addon = addon
    this.#device = facts.device
    this.name = facts.name
    this.index = facts.index
    this.mtu = facts.mtu
    this.queueLength = facts.queueLength
    this.offload = (facts.offload & TAKES_CHECKSUM) === 0 ? NO_OFFLOAD : offloadOf(facts.offload)
    this.isSoftwareOffload = facts.software === 1
    this.usesIoUring = facts.ring === 1
    this.usesBigTcp = facts.mostJoined > 0
    this.mostJoined = facts.mostJoined
    this.headroom = facts.header
    this.largest = this.offload.tcp4 ? LARGEST_PACKET : facts.mtu
    this.onerror = onerror
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Somebody has deleted the device: nothing moves any more, and `close` is all that is left. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /**
   * Calls `ready` whenever packets wait to be received, again and again until they have been, and when there is room
   * again after `transmit` had to leave some. The watch keeps the process alive until `unref` or `close`.
   */
  watch(ready: () => void): void {
    this.#assertOpen()
    this.#ready = ready
    this.#addon.watch(this.#device, (events) => this.#onEvents(events))
  }

  ref(): void {
    this.#assertOpen()
    this.#addon.hold(this.#device, 1)
  }

  unref(): void {
    this.#assertOpen()
    this.#addon.hold(this.#device, 0)
  }

  /**
   * Memory for batches to transmit, of which the kernel copies long packets fastest: what `allocate` makes, from where a page begins, since that
   * is where the kernel copies to.
   */
  aligned(allocate: Allocate): Allocate {
    return (length) => {
      const octets = allocate(length + PAGE)
      const start = PAGE - this.#addon.beyond(octets, PAGE)
      return octets.subarray(start, start + length)
    }
  }

  /** Adds what has arrived to the batch until it is full; how many packets that were. A closed device has none. */
  receive(batch: PacketBatch): number {
    if (batch.headroom < this.headroom || batch.largest < this.largest)
      throw new RangeError(`The batch needs ${this.headroom} octets of headroom and room for ${this.largest}`)
    if (this.#isClosed || this.#isDeleted) return 0
    const at = batch.reserve(batch.largest)
    if (at < 0) return 0
    const row = batch.end
    const gap = (batch.headroom + 3) & ~3
    const { bytes, offset, length, largest } = batch
    const taken = this.#addon.receive(this.#device, bytes, offset, length, row, at, gap, largest)
    if (taken < 0) {
      this.#fail(-taken, 'read')
      return 0
    }
    batch.admit(taken)
    if (this.headroom > 0) readOffloadHeaders(batch, row, row + taken)
    return taken
  }

  /**
   * Takes what is in the batch; how many packets the kernel took. What it has no room for now stays, as the last rows, and `ready` is called
   * when there is some. What it refuses (the device is down, a header makes no sense) is lost and counted in `refused`.
   */
  transmit(batch: PacketBatch): number {
    if (batch.headroom < this.headroom) throw new RangeError(`The batch needs ${this.headroom} octets of headroom`)
    if (this.#isClosed) return 0
    if (this.headroom > 0) writeOffloadHeaders(batch)
    const { bytes, offset, length } = batch
    let sent = 0
    while (batch.count > 0) {
      const taken = this.#isDeleted
        ? -DELETED
        : this.#addon.transmit(this.#device, bytes, offset, length, batch.first, batch.end)
      if (taken === 0) {
        this.#awaitsRoom = true
        this.#addon.await(this.#device, READABLE | WRITABLE)
        break
      }
      if (taken > 0) {
        this.#told = 0
        sent += taken
        batch.shift(taken)
        continue
      }
      // A device that is down or gone refuses all the rest too.
      const lost = taken === -DOWN || taken === -DELETED ? batch.count : 1
      this.refused += lost
      batch.shift(lost)
      this.#fail(-taken, 'write')
    }
    return sent
  }

  /** Lets go of device and descriptor at once; a device that was made by opening is gone. May be called again. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ready = null
    this.#addon.close(this.#device)
  }

  #onEvents(events: number): void {
    if (events < 0) {
      this.#fail(DELETED, 'poll')
      return
    }
    if (this.#awaitsRoom && events & WRITABLE) {
      this.#awaitsRoom = false
      this.#addon.await(this.#device, READABLE)
    }
    this.#ready?.()
  }

  #fail(error: number, syscall: string): void {
    if (error === DELETED) this.#isDeleted = true
    if (error === this.#told) return
    this.#told = error
    this.onerror?.(movingError(this.name, this.#addon.errorName(error), -error, syscall))
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new TunError('ERR_TUN_CLOSED', `${this.name} is closed.`)
  }
}

/** What the addon is asked for. */
function offloadNumber({ offload = true, gro = true }: TunOptions): number {
  if (offload === 'software') return gro ? 3 : 2
  return offload ? 1 : 0
}

function offloadOf(taken: number): Offload {
  return {
    checksum: true,
    tcp4: (taken & TAKES_TCP4) !== 0,
    tcp6: (taken & TAKES_TCP6) !== 0,
    udp: (taken & TAKES_UDP) === TAKES_UDP,
  }
}
