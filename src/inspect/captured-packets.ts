// What a capture file has in it: interfaces, and packets with their times. Filled by the two readers, read by explain.

export interface CapturedInterface {
  /** Empty where the file does not say. */
  readonly name: string
  /** LINKTYPE_…, of tcpdump.org's list. */
  readonly linkType: number
}

export interface CapturedPacket {
  /** From 1 on, as Wireshark counts. */
  readonly number: number
  /** A place in `interfaces`. */
  readonly face: number
  /** Milliseconds since the first packet of the file. */
  readonly time: number
  /** What was kept of it; a view of the file. */
  readonly octets: Uint8Array
  /** Octets that it had. */
  readonly length: number
  readonly comment: string | null
  /** This package wrote it, and its comments. */
  readonly isOurs: boolean
}

export interface Capture {
  readonly interfaces: readonly CapturedInterface[]
  readonly packets: readonly CapturedPacket[]
  /** Nanoseconds since 1970 of the first packet; null where no packet has a time. */
  readonly beginning: bigint | null
  /** Why reading ended before the file did; null where it did not. */
  readonly problem: string | null
}

/** Packets as they are found, and their times from the first one on. */
export class PacketList {
  readonly interfaces: CapturedInterface[] = []
  /** Of those that are added next. */
  isOurs = false
  readonly #packets: CapturedPacket[] = []
  #beginning: bigint | null = null
  #latest = 0

  /** `nanoseconds` since 1970; null where the file does not say: it counts as that of the packet before. */
  add(face: number, nanoseconds: bigint | null, octets: Uint8Array, length: number, comment: string | null): void {
    if (nanoseconds !== null) {
      this.#beginning ??= nanoseconds
      this.#latest = Number(nanoseconds - this.#beginning) / 1e6
    }
    const number = this.#packets.length + 1
    const whole = Math.max(length, octets.length)
    this.#packets.push({ number, face, time: this.#latest, octets, length: whole, comment, isOurs: this.isOurs })
  }

  end(problem: string | null): Capture {
    return { interfaces: this.interfaces, packets: this.#packets, beginning: this.#beginning, problem }
  }
}
