// An ICMP error that has arrived, in the transports' terms: what kind it is and what of a packet of ours it quotes.
// Filled by ip/icmp-input, shown by the stack to the transport, which says whether it really sent that packet.
import { Address } from './address.ts'

export const IcmpErrorKind = {
  networkUnreachable: 0,
  hostUnreachable: 1,
  protocolUnreachable: 2,
  portUnreachable: 3,
  prohibited: 4,
  tooBig: 5,
  timeExceeded: 6,
  parameterProblem: 7,
} as const

/** An error about a packet that claims to be ours: borrowed. Whoever finds the socket checks the claim. */
export class IcmpError {
  /** A value of `IcmpErrorKind`. */
  kind = 0
  type = 0
  code = 0
  /** With `tooBig`: what fits; 0 where the router did not say. */
  mtu = 0
  /** Who sent the error. */
  readonly from = new Address()
  protocol = 0
  /** As the quoted packet had them: its source is us. */
  readonly source = new Address()
  readonly destination = new Address()
  sourcePort = 0
  destinationPort = 0
  /** The four octets after the ports: TCP's sequence number, an echo's identifier and number in ports' place. */
  sequence = 0
  /** Of the quoted packet as it was sent, by its own header. */
  packetLength = 0
}
