// The echo protocol (RFC 862): what comes goes back.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { isLoopProne } from './loops.ts'

export const ECHO_PORT = 7

export function echoDatagrams(endpoint: UdpEndpoint): void {
  endpoint.onReadable = () => {
    for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
      if (isLoopProne(datagram.sourcePort)) continue
      endpoint.reply(datagram, datagram, datagram.offset, datagram.length)
    }
  }
}

/** A client that doesn't read is not read from either: nothing is kept but what the two buffers hold. */
export function echoStream(endpoint: Endpoint): void {
  const take = (bytes: Uint8Array<ArrayBuffer>, start: number, length: number) =>
    endpoint.send(bytes, start, start + length)
  const echo = () => {
    endpoint.look(take)
    if (endpoint.isAtEnd) endpoint.finish()
  }
  endpoint.onReadable = echo
  endpoint.onWritable = echo
}
