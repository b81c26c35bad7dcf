// The discard protocol (RFC 863): what comes is thrown away, and counted.
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'

export const DISCARD_PORT = 9

export interface Discarded {
  datagrams: number
  octets: number
}

export function discardDatagrams(endpoint: UdpEndpoint): Discarded {
  const discarded = { datagrams: 0, octets: 0 }
  endpoint.onReadable = () => {
    for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
      discarded.datagrams++
      discarded.octets += datagram.length
    }
  }
  return discarded
}
