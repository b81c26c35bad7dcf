// Starts the small services on their ports, for both families: what `tunstack serve --services` runs.
import type { PortableStack } from '../runtime/create-stack.ts'
import { CHARGEN_PORT, generateDatagrams } from './chargen.ts'
import { DAYTIME_PORT, tellDaytime } from './daytime.ts'
import { DISCARD_PORT, type Discarded, discardDatagrams } from './discard.ts'
import { ECHO_PORT, echoDatagrams } from './echo.ts'
import {
  type DiscardedStreams,
  discardConnections,
  echoConnections,
  generateConnections,
  tellDaytimeConnections,
} from './tcp.ts'

export interface UdpServices {
  readonly discarded: Discarded
  close(): void
}

export function startUdpServices(stack: PortableStack): UdpServices {
  const open = (port: number) => {
    const endpoint = stack.openUdp({ ipv6: true })
    endpoint.bind(port)
    return endpoint
  }
  const endpoints = [ECHO_PORT, DISCARD_PORT, DAYTIME_PORT, CHARGEN_PORT].map(open)
  const [echo, discard, daytime, chargen] = endpoints
  echoDatagrams(echo)
  tellDaytime(daytime, () => stack.driver.time.wall())
  generateDatagrams(chargen, stack.random)
  const discarded = discardDatagrams(discard)
  return { discarded, close: () => endpoints.forEach((endpoint) => void endpoint.close()) }
}

export interface TcpServices {
  readonly discarded: DiscardedStreams
  close(): void
}

export function startTcpServices(stack: PortableStack): TcpServices {
  const listeners = [ECHO_PORT, DISCARD_PORT, DAYTIME_PORT, CHARGEN_PORT].map((port) => stack.listen({ port }))
  const [echo, discard, daytime, chargen] = listeners
  echoConnections(echo)
  tellDaytimeConnections(daytime, () => stack.driver.time.wall())
  generateConnections(chargen)
  const discarded = discardConnections(discard)
  return { discarded, close: () => listeners.forEach((listener) => void listener.close()) }
}
