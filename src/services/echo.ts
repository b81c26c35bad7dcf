// The echo protocol (RFC 862): what comes goes back.
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
