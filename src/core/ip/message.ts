// What the IP header of an outgoing message says, and messages that wait to be cut into fragments.
// Written by ip/output, kept by interfaces.
import type { Octets } from '../batch.ts'
import { Address } from './address.ts'

export const DEFAULT_HOP_LIMIT = 64

/** A message that goes out in fragments: its transport octets, and how far it has got. */
export interface Oversized extends Octets {
  readonly header: PacketHeader
  readonly length: number
  readonly nextHop: Address
  readonly identification: number
  readonly packetLimit: number
  sent: number
}

/** What the IP header says. */
export class PacketHeader {
  readonly source = new Address()
  readonly destination = new Address()
  protocol = 0
  hopLimit = DEFAULT_HOP_LIMIT
  trafficClass = 0
  flowLabel = 0

  assign(other: PacketHeader): this {
    this.source.assign(other.source)
    this.destination.assign(other.destination)
    this.protocol = other.protocol
    this.hopLimit = other.hopLimit
    this.trafficClass = other.trafficClass
    this.flowLabel = other.flowLabel
    return this
  }
}
