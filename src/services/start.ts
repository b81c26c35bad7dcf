// Starts the small services on their ports, over UDP and TCP, and iperf3's server, for both families: what `tunstack serve --services` runs.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { CHARGEN_PORT, chargenRounds, generateDatagrams, generateStream } from './chargen.ts'
import { Clients, type Serve } from './clients.ts'
import { DAYTIME_PORT, tellDaytime, tellDaytimeOnce } from './daytime.ts'
import { DISCARD_PORT, type Discarded, discardDatagrams, discardStream } from './discard.ts'
import { ECHO_PORT, echoDatagrams, echoStream } from './echo.ts'
import { Iperf3Server } from './iperf3.ts'

export interface Services {
  readonly discarded: Discarded
  /** Those who are being served over TCP now. */
  readonly clients: number
  close(): void
}

export interface ServicesOptions {
  /** Clients over TCP that each service has at a time; others wait. */
  mostClients?: number
}

export function startServices(stack: PortableStack, options: ServicesOptions = {}): Services {
  const discarded = { datagrams: 0, connections: 0, octets: 0 }
  const datagrams = startDatagrams(stack, discarded)
  const streams = startStreams(stack, discarded, options)
  const iperf3 = new Iperf3Server(stack)
  return {
    discarded,
    get clients() {
      return streams.reduce((sum, { count }) => sum + count, 0)
    },
    close() {
      for (const one of datagrams) one.close()
      for (const one of streams) one.close()
      iperf3.close()
    },
  }
}

function startDatagrams(stack: PortableStack, discarded: Discarded): UdpEndpoint[] {
  const open = (name: string, port: number) => {
    const endpoint = stack.openUdp({ ipv6: true })
    endpoint.name = name
    endpoint.bind(port)
    return endpoint
  }
  const endpoints = [
    open('echo', ECHO_PORT),
    open('discard', DISCARD_PORT),
    open('daytime', DAYTIME_PORT),
    open('chargen', CHARGEN_PORT),
  ]
  const [echo, discard, daytime, chargen] = endpoints
  echoDatagrams(echo)
  discardDatagrams(discard, discarded)
  tellDaytime(daytime, () => stack.driver.time.wall())
  generateDatagrams(chargen, stack.random)
  return endpoints
}

function startStreams(stack: PortableStack, discarded: Discarded, { mostClients }: ServicesOptions): Clients[] {
  const rounds = chargenRounds()
  const services: [string, number, Serve][] = [
    ['echo', ECHO_PORT, echoStream],
    ['discard', DISCARD_PORT, (endpoint) => discardStream(endpoint, discarded)],
    ['daytime', DAYTIME_PORT, (endpoint, letGo) => tellDaytimeOnce(endpoint, stack.driver.time, letGo)],
    ['chargen', CHARGEN_PORT, (endpoint) => generateStream(endpoint, rounds)],
  ]
  return services.map(([name, port, serve]) => new Clients(stack.listen({ port, name }), serve, mostClients))
}
