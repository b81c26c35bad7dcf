// What a host's programs hold: where they listen, and what should have been let go of when a test ends. Endpoints are found in the stack, everything else
// is asked of the host's residents.

import { Endpoint } from '../runtime/endpoint.ts'
import { ListenEndpoint } from '../runtime/listen-endpoint.ts'
import { stateName } from '../runtime/state-name.ts'
import { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import type { Host } from './host.ts'
import type { Held } from './resident.ts'

/** `nameOf` turns an address into the name of the host that has it. */
export function heldBy(host: Host, nameOf: (address: string) => string): Held[] {
  if (!host.isUp) return []
  const held: Held[] = []
  const add = (kind: Held['kind'], what: string) => held.push({ host: host.name, kind, what })
  const { tcp, udp } = host.stack.core
  tcp.forEachListener(({ owner, localPort }) => {
    if (owner instanceof ListenEndpoint) add('server', `listens on port ${localPort}`)
  })
  tcp.forEach(({ owner, state, localPort, remoteAddress, remotePort }) => {
    if (!(owner instanceof Endpoint)) return
    add('socket', `from port ${localPort} to ${nameOf(remoteAddress.toString())}:${remotePort}, ${stateName(state)}`)
  })
  for (const { owner, isBound, localPort } of udp.sockets) {
    if (owner instanceof UdpEndpoint && isBound) add('socket', `for datagrams to port ${localPort}`)
  }
  for (const resident of host.residents) held.push(...(resident.held?.() ?? []))
  return held
}

/** The addresses at which a host's programs listen for TCP connections to that port. */
export function listensAt(host: Host, port: number): string[] {
  const found: string[] = []
  if (!host.isUp) return found
  host.stack.core.tcp.forEachListener(({ localAddress, localPort }) => {
    if (localPort === port) found.push(localAddress.toString())
  })
  return found
}

/** Null where nothing is held. */
export function describeLeaks(held: readonly Held[]): string | null {
  if (held.length === 0) return null
  const count = held.length === 1 ? 'One thing is' : `${held.length} things are`
  const lines = held.map(({ host, kind, what }) => `  ${host}: a ${kind} ${what}`)
  return [`${count} still held at the end; close ${kindsOf(held)} before the test ends:`, ...lines].join('\n')
}

const ENDS: Record<Held['kind'], string> = {
  socket: 'sockets with end() or destroy()',
  server: 'servers with close()',
  timer: 'timers with clearTimeout() or clearInterval()',
}

function kindsOf(held: readonly Held[]): string {
  return [...new Set(held.map(({ kind }) => ENDS[kind]))].join(', ')
}
