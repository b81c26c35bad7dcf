// What a claim about garbage is: a call that handles so many packets, and the octets of heap it may leave behind for each.

export interface GarbageClaim {
  name: string
  /** Octets of heap a packet must stay below. */
  below: number
  /** Makes the call that is measured; called once. */
  prepare(): GarbageCall
}

export interface GarbageCall {
  packets: number
  call(): void
  /** How many packets the calls so far have really been answered or delivered: a measurement of nothing proves nothing. */
  handled(): number
}
