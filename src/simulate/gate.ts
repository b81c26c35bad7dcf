// Between a host's stack and the network's clock and links: shut while the whole machine stands still, so that alarms ring late
// and packets wait where a device would queue them. After each turn of the stack somebody may look at what has happened.
import type { PacketBatch } from '../core/batch.ts'
import type { Alarm, Link, Offload, Time } from '../core/environment.ts'
import type { VirtualClock } from './clock.ts'

export class Gate {
  readonly #clock: VirtualClock
  readonly #afterTurn: () => void
  #until = 0

  constructor(clock: VirtualClock, afterTurn: () => void) {
    this.#clock = clock
    this.#afterTurn = afterTurn
  }

  /** Nothing passes before that time. */
  shut(until: number): void {
    this.#until = until
  }

  alarm(callback: () => void): Alarm {
    const alarm = this.#clock.alarm(() => {
      if (this.#until > this.#clock.now()) alarm.arm(this.#until)
      else this.#turn(callback)
    })
    return alarm
  }

  /** What wakes a stack: once when the gate opens, however often it was asked for meanwhile. */
  waker(wake: () => void): () => void {
    const late = this.alarm(wake)
    return () => {
      if (this.#until > this.#clock.now()) late.arm(this.#until)
      else this.#turn(wake)
    }
  }

  #turn(callback: () => void): void {
    callback()
    this.#afterTurn()
  }
}

/** A link whose packets wake nobody while the gate is shut. */
export class GatedLink implements Link {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly mergesInBatch: boolean | undefined
  readonly #link: Link
  readonly #gate: Gate

  constructor(link: Link, gate: Gate) {
    this.#link = link
    this.#gate = gate
    this.medium = link.medium
    this.mtu = link.mtu
    this.headroom = link.headroom
    this.offload = link.offload
    this.mergesInBatch = link.mergesInBatch
  }

  open(wake: () => void, time: Time): void {
    this.#link.open(this.#gate.waker(wake), time)
  }

  close(): void {
    this.#link.close()
  }

  receive(batch: PacketBatch): void {
    this.#link.receive(batch)
  }

  transmit(batch: PacketBatch): void {
    this.#link.transmit(batch)
  }
}
