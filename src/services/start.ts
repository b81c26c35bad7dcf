// Starts the small services on their ports, for both families: what `tunstack serve --services` runs.
import type { PortableStack } from '../runtime/create-stack.ts'
import { CHARGEN_PORT, generateDatagrams } from './chargen.ts'
import { DAYTIME_PORT, tellDaytime } from './daytime.ts'
import { DISCARD_PORT, type Discarded, discardDatagrams } from './discard.ts'
import { ECHO_PORT, echoDatagrams } from './echo.ts'

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
