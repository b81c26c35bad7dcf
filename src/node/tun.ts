// A TUN device as a link of the stack. The device is opened at once, since its MTU and its offload say what the link
// is like, and throws there if it can't be; the driver's `open` begins to watch it, and packets wait in its queue till
// then. The watch does not keep the process alive: that is the driver's to decide.
import type { Allocate, PacketBatch } from '../core/batch.ts'
import type { Link, Offload } from '../core/environment.ts'
import { openTun, type TunDevice, type TunOptions } from './tun-device.ts'

export type { TunOptions } from './tun-device.ts'

/** Opens or attaches to a TUN device. Throws a `TunError` that says in one sentence what is missing and how to get it. */
export function tun(options: TunOptions = {}): TunLink {
  return new TunLink(openTun(options), options.busyPoll ?? true)
}

export class TunLink implements Link {
  readonly medium = 'ip'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly mergesInBatch: boolean
  readonly busyPoll: boolean
  readonly burst: number | undefined
  /** Its name, its errors, its counters. */
  readonly device: TunDevice

  constructor(device: TunDevice, busyPoll: boolean) {
    this.device = device
    this.mtu = device.mtu
    this.headroom = device.headroom
    this.offload = device.offload
    this.mergesInBatch = device.isSoftwareOffload
    this.busyPoll = busyPoll
    this.burst = device.usesBigTcp ? device.mostJoined : undefined
  }

  open(wake: () => void): void {
    this.device.watch(wake)
    this.device.unref()
  }

  close(): void {
    this.device.close()
  }

  aligned(allocate: Allocate): Allocate {
    return this.device.aligned(allocate)
  }

  receive(batch: PacketBatch): void {
    this.device.receive(batch)
  }

  transmit(batch: PacketBatch): void {
    this.device.transmit(batch)
  }
}
