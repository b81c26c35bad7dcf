// What the stack asks of the world: a clock, randomness, one alarm, and links that carry packets.
// Only interfaces stand here; Node, a browser and the simulator each bring their own.
// A `PacketBatch` handed to a link is borrowed: it is valid until the call returns.
import type { Allocate, PacketBatch } from './batch.ts'

/** Read by the driver alone. */
export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): number
  /** The date, in milliseconds since 1970. */
  wall(): number
}

export interface Random {
  /** A number from -2^31 to 2^31 - 1. */
  int32(): number
}

/** One call of the driver at that time (of `Clock.now`); a time that has passed means as soon as can be; Infinity means none. */
export interface Alarm {
  arm(at: number): void
}

export interface Environment {
  readonly clock: Clock
  readonly random: Random
  alarm(callback: () => void): Alarm
}

/** What the driver hands to links and endpoints in place of the clock. */
export interface Time {
  now(): number
  wall(): number
  /** Calls back once after so many milliseconds; the returned function cancels it. */
  after(milliseconds: number, callback: () => void): () => void
}

/** What a link does for the stack, so that the stack needn't. */
export interface Offload {
  /** Completes a partial transport checksum on the way out, and vouches for those that come in. */
  readonly checksum: boolean
  /** Cuts a TCP super-segment into segments; arriving ones may come merged. */
  readonly tcp4: boolean
  readonly tcp6: boolean
  /** Cuts a UDP super-datagram. */
  readonly udp: boolean
}

export const NO_OFFLOAD: Offload = { checksum: false, tcp4: false, tcp6: false, udp: false }

export interface Link {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  /** Octets that stay free before every packet, for the header that the link must put there. */
  readonly headroom: number
  readonly offload: Offload
  /** Packets are merged as they are put into a batch: one that has room for one packet gets short ones. */
  readonly mergesInBatch?: boolean | undefined
  /** Packets come while a turn runs, as a kernel's do: it may look for them again before it ends. */
  readonly busyPoll?: boolean | undefined
  /** How many of the longest packets a turn sends at most: more than four where the link moves them together. */
  readonly burst?: number | undefined
  /** Memory for the packets that it is to take, out of what `allocate` makes: where it copies them fastest from. */
  readonly aligned?: ((allocate: Allocate) => Allocate) | undefined
  /** `wake` asks for a turn: something has arrived, or there is room again. */
  open(wake: () => void, time: Time): void
  close(): void
  /** Adds what has arrived to the batch, until it is full. */
  receive(batch: PacketBatch): void
  /** Takes what is in the batch (`batch.shift`); what can't be taken now stays. */
  transmit(batch: PacketBatch): void
}
