// A stack at a glance, for a page that is brought up to date every second: its sockets as short rows, how many of each state, and what
// the counters say. Costs little where there are many connections: only so many become rows.
import type { Address } from '../core/ip/address.ts'
import { Count } from '../core/observer.ts'
import type { PortableStack } from '../runtime/create-stack.ts'
import { type StateName, stateName } from '../runtime/state-name.ts'
import { connections, type SocketView } from './connections.ts'

export interface SocketRow {
  /** `10.7.0.2:80~10.7.0.1:40312`; of UDP it begins with `udp `. */
  readonly key: string
  readonly protocol: 'tcp' | 'udp'
  readonly state: StateName
  readonly local: string
  /** `*` where there is no peer. */
  readonly remote: string
  readonly owner: string | null
  readonly receiveQueue: number
  readonly sendQueue: number
  /** Of a connection, since its beginning: what the peer has acknowledged, and what has come. */
  readonly octetsOut: number
  readonly octetsIn: number
  /** Milliseconds, and octets; 0 while there is none. */
  readonly rtt: number
  readonly cwnd: number
  readonly retransmissions: number
}

export interface Overview {
  /** Milliseconds of the stack's clock. */
  readonly now: number
  readonly rows: readonly SocketRow[]
  /** Rows above those that are listed. */
  readonly left: number
  /** Of TCP, TIME-WAIT and half-open requests among them. */
  readonly states: Readonly<Record<string, number>>
  readonly counters: {
    readonly packetsIn: number
    readonly packetsOut: number
    readonly octetsIn: number
    readonly octetsOut: number
    readonly retransmissions: number
    readonly dropped: number
  }
}

const MOST_ROWS = 200

export function overview(stack: PortableStack, most = MOST_ROWS): Overview {
  const views = connections(stack, { info: true, most })
  const states = countStates(stack)
  const all = Object.values(states).reduce((sum, count) => sum + count, 0)
  const listed = views.filter(({ protocol }) => protocol === 'tcp').length
  const { counters } = stack.core.observer
  return {
    now: stack.driver.time.now(),
    rows: views.map(rowOf),
    left: Math.max(0, all - listed),
    states,
    counters: {
      packetsIn: counters.get(Count.ipReceived),
      packetsOut: counters.get(Count.ipSent),
      octetsIn: counters.get(Count.ipOctetsReceived),
      octetsOut: counters.get(Count.ipOctetsSent),
      retransmissions: counters.get(Count.tcpRetransmitted),
      dropped: counters.drops.reduce((sum, count) => sum + count, 0),
    },
  }
}

/** How a page and a server call one connection. */
export function connectionKey(local: string, localPort: number, remote: string, remotePort: number): string {
  return `${placeOf(local, localPort)}~${placeOf(remote, remotePort)}`
}

export function placeOf(address: Address | string, port: number): string {
  const text = String(address)
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`
}

function rowOf(view: SocketView): SocketRow {
  const { protocol, state, owner, receiveQueue, sendQueue, info } = view
  const local = placeOf(view.localAddress, view.localPort)
  const remote = view.remoteAddress === null ? '*' : placeOf(view.remoteAddress, view.remotePort)
  return {
    key: `${protocol === 'udp' ? 'udp ' : ''}${local}~${remote}`,
    protocol,
    state,
    local,
    remote,
    owner,
    receiveQueue,
    sendQueue,
    octetsOut: info?.octetsAcked ?? 0,
    octetsIn: info?.octetsReceived ?? 0,
    rtt: (info?.rtt ?? 0) / 1000,
    cwnd: info?.congestionWindow ?? 0,
    retransmissions: info?.totalRetransmits ?? 0,
  }
}

/** Sockets of TCP by state, listeners, half-open requests and TIME-WAIT records among them. */
export function countStates({ core }: PortableStack): Record<string, number> {
  const states: Record<string, number> = {}
  const add = (state: StateName, count = 1) => {
    if (count > 0) states[state] = (states[state] ?? 0) + count
  }
  core.tcp.forEachListener(() => add('LISTEN'))
  core.tcp.forEachRequest(() => add('SYN-RECEIVED'))
  core.tcp.forEach(({ state }) => {
    add(stateName(state))
  })
  add('TIME-WAIT', core.tcp.timeWaitCount)
  return states
}
