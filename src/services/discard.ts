// The discard protocol (RFC 863): what comes is thrown away, and counted.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'

export const DISCARD_PORT = 9

export interface Discarded {
  datagrams: number
  connections: number
  octets: number
}

export function discardDatagrams(endpoint: UdpEndpoint, discarded: Discarded): void {
  endpoint.onReadable = () => {
    for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
      discarded.datagrams++
      discarded.octets += datagram.length
    }
  }
}

export function discardStream(endpoint: Endpoint, discarded: Discarded): void {
  const take = (_: Uint8Array, __: number, length: number) => {
    discarded.octets += length
    return length
  }
  discarded.connections++
  endpoint.onReadable = () => {
    endpoint.look(take)
    if (endpoint.isAtEnd) endpoint.finish()
  }
}
