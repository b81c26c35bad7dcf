// What the third ACK has settled, from a half-open request's record or from a SYN cookie: a connection is made of it.
// Filled by opening/listen, read by opening/handshake. Borrowed: one a stack.
import { Address } from '../../ip/address.ts'

export class Opened {
  readonly local = new Address()
  readonly remote = new Address()
  localPort = 0
  remotePort = 0
  irs = 0
  iss = 0
  mss = 0
  options = 0
  sndShift = 0
  rcvShift = 0
  tsRecent = 0
  tsOffset = 0
  /** Microseconds; 0 where the SYN-ACK was sent twice. */
  roundTrip = 0
  isRepeated = false
}
