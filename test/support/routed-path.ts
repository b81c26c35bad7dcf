// Three namespaces in a row, so that a narrow link can lie in the middle of a path: the client, a router, and the edge,
// which is a router too and where the TUN device of a stack belongs.
//
//   client 10.9.1.2 -- 10.9.1.1 router 10.9.2.1 == narrow == 10.9.2.2 edge 10.7.0.1 -- 10.7.0.2 the stack
import { createNamespace, type Namespace } from './namespace.ts'

export const CLIENT = { ipv4: '10.9.1.2', ipv6: 'fd00:91::2' }
export const NARROW = { ipv4: '10.9.2.2', ipv6: 'fd00:92::2' }
/** The edge, as the stack knows it. */
export const GATEWAYS = ['10.7.0.1', 'fd00:7::1']

interface End {
  namespace: Namespace
  addresses: string[]
}

export class RoutedPath {
  readonly client = createNamespace()
  readonly router = createNamespace()
  readonly edge = createNamespace()

  /** `mtu` is that of the link between router and edge. */
  static async make(mtu: number): Promise<RoutedPath> {
    const path = new RoutedPath()
    const { client, router, edge } = path
    try {
      for (const one of [router, edge]) await run(one, 'sysctl', '-qw', ...FORWARDING)
      const near = { namespace: router, addresses: ['10.9.1.1/24', 'fd00:91::1/64'] }
      await join({ namespace: client, addresses: [`${CLIENT.ipv4}/24`, `${CLIENT.ipv6}/64`] }, near, 1500)
      const far = { namespace: router, addresses: ['10.9.2.1/24', 'fd00:92::1/64'] }
      await join(far, { namespace: edge, addresses: [`${NARROW.ipv4}/24`, `${NARROW.ipv6}/64`] }, mtu)
      await route(client, 'default', '10.9.1.1')
      await route(client, 'default', 'fd00:91::1')
      await route(router, '10.7.0.0/24', NARROW.ipv4)
      await route(router, 'fd00:7::/64', NARROW.ipv6)
      await route(edge, '10.9.1.0/24', '10.9.2.1')
      await route(edge, 'fd00:91::/64', 'fd00:92::1')
      return path
    } catch (error) {
      await path.dispose()
      throw error
    }
  }

  async dispose(): Promise<void> {
    for (const one of [this.edge, this.router, this.client]) await one.dispose()
  }
}

const FORWARDING = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
let links = 0

/** A pair of Ethernet devices, one in each namespace. */
async function join(one: End, other: End, mtu: number): Promise<void> {
  const [name, peer] = [`veth${links++}`, `veth${links++}`]
  const size = ['mtu', String(mtu)]
  const { name: there } = other.namespace
  await ip(one.namespace, 'link', 'add', name, ...size, 'type', 'veth', 'peer', 'name', peer, 'netns', there, ...size)
  for (const [end, device] of [[one, name] as const, [other, peer] as const]) {
    for (const address of end.addresses) {
      const flags = address.includes(':') ? ['nodad'] : []
      await ip(end.namespace, 'address', 'add', address, 'dev', device, ...flags)
    }
    await ip(end.namespace, 'link', 'set', device, 'up')
  }
}

function route(from: Namespace, to: string, by: string): Promise<void> {
  return ip(from, by.includes(':') ? '-6' : '-4', 'route', 'add', to, 'via', by)
}

function ip(where: Namespace, ...words: string[]): Promise<void> {
  return run(where, 'ip', ...words)
}

async function run(where: Namespace, command: string, ...words: string[]): Promise<void> {
  const { code, stderr } = await where.exec(command, words)
  if (code !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr.trim()}`)
}
