// Every socket of a stack as a row for people: what `netstat` and `ss` show of the kernel's. Made when asked for, nothing is kept.
// Used by `stack.connections()`, and through it by the control socket and `tunstack netstat`.
import { Address } from '../core/ip/address.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { type TcpInfo, tcpInfo } from '../core/tcp/tcp-info.ts'
import { Timer } from '../core/tcp/timers.ts'
import type { UdpSocket } from '../core/udp/socket.ts'
import type { PortableStack } from '../runtime/create-stack.ts'
import { type StateName, stateName } from '../runtime/state-name.ts'

/** What a socket waits for next, by the names of `netstat -o`. */
export interface TimerView {
  name: 'on' | 'keepalive' | 'timewait' | 'probe'
  /** Milliseconds from now. */
  in: number
  retransmits: number
  probes: number
}

export interface SocketView {
  /** Of a TCP connection, as in its events; null of anything else. */
  number: number | null
  protocol: 'tcp' | 'udp'
  /** An IPv6 listener hears IPv4 too, unless it says otherwise. */
  family: 'IPv4' | 'IPv6'
  state: StateName
  /** `0.0.0.0` or `::` for every address. */
  localAddress: string
  /** 0 for every port. */
  localPort: number
  /** Null where there is no peer. */
  remoteAddress: string | null
  remotePort: number
  /** Unread octets; connections that nobody has accepted, for a listener. */
  receiveQueue: number
  /** Octets that the peer has not acknowledged; how many may wait to be accepted, for a listener. */
  sendQueue: number
  /** The server, service or kind of socket that it belongs to; null where it has no name. */
  owner: string | null
  timer: TimerView | null
  /** Of a TCP connection, where asked for. */
  info: TcpInfo | null
}

export interface ConnectionsOptions {
  /** With everything that TCP knows of each connection. */
  info?: boolean
  /** So many of each kind at most: no more are made. */
  most?: number
}

/** TCP's listeners, requests, connections and TIME-WAIT records, then UDP's sockets; by local port within each kind. */
export function connections(stack: PortableStack, options: ConnectionsOptions = {}): SocketView[] {
  const { info = false, most = Number.POSITIVE_INFINITY } = options
  const now = stack.driver.time.now()
  const kinds = [
    listeners(stack),
    requests(stack),
    established(stack, now, info, most),
    timeWaits(stack, now, most),
    datagrams(stack),
  ]
  return kinds.flatMap((views) => views.sort((a, b) => a.localPort - b.localPort || a.remotePort - b.remotePort))
}

function listeners({ core }: PortableStack): SocketView[] {
  const views: SocketView[] = []
  core.tcp.forEachListener(({ localAddress, localPort, accepted, backlog, owner }) => {
    const sockets = { receiveQueue: accepted.count, sendQueue: backlog, owner: owner?.name ?? null }
    views.push({ ...view('tcp', 'LISTEN', localAddress, localPort), ...sockets })
  })
  return views
}

function requests({ core }: PortableStack): SocketView[] {
  const views: SocketView[] = []
  core.tcp.forEachRequest((local, localPort, remote, remotePort) => {
    views.push({ ...view('tcp', 'SYN-RECEIVED', local, localPort), ...peer(remote, remotePort) })
  })
  return views
}

function established({ core }: PortableStack, now: number, withInfo: boolean, most: number): SocketView[] {
  const views: SocketView[] = []
  core.tcp.forEach((connection) => {
    if (views.length >= most) return
    const { number, state, localAddress, localPort, remoteAddress, remotePort } = connection
    const { receiveBuffer, unacknowledged } = connection
    const owner = core.tcp.listenerOf(connection)?.owner?.name ?? connection.owner?.name ?? null
    views.push({
      ...view('tcp', stateName(state), localAddress, localPort),
      ...peer(remoteAddress, remotePort),
      number,
      receiveQueue: receiveBuffer?.readable ?? 0,
      sendQueue: unacknowledged,
      owner,
      timer: timerOf(connection, now),
      info: withInfo ? tcpInfo(connection, now) : null,
    })
  })
  return views
}

/** Which of its deadlines matters most to who looks, as `netstat -o` chooses. */
function timerOf(connection: Connection, now: number): TimerView | null {
  const { shared, timersRow, timeouts, persist } = connection
  const counts = { retransmits: timeouts, probes: persist?.unanswered ?? 0 }
  for (const [name, timer] of [
    ['on', Timer.retransmission],
    ['probe', Timer.persist],
    ['keepalive', Timer.keepAlive],
  ] as const) {
    const at = shared.timers.get(timersRow, timer)
    if (at !== Number.POSITIVE_INFINITY) return { name, in: Math.max(0, at - now), ...counts }
  }
  return null
}

function timeWaits({ core }: PortableStack, now: number, most: number): SocketView[] {
  const { timeWait } = core.tcp.shared
  const local = new Address()
  const remote = new Address()
  const views: SocketView[] = []
  timeWait.forEach((row) => {
    if (views.length >= most) return
    timeWait.addresses(row, local, remote)
    views.push({
      ...view('tcp', 'TIME-WAIT', local, timeWait.localPort(row)),
      ...peer(remote, timeWait.remotePort(row)),
      timer: { name: 'timewait', in: timeWait.left(row, now), retransmits: 0, probes: 0 },
    })
  })
  return views
}

function datagrams({ core }: PortableStack): SocketView[] {
  return [...core.udp.sockets]
    .filter(({ isBound, isConnected }) => isBound || isConnected)
    .map((socket: UdpSocket) => ({
      ...view('udp', socket.isConnected ? 'ESTABLISHED' : 'UNCONNECTED', socket.local, socket.localPort),
      ...(socket.isConnected ? peer(socket.remote, socket.remotePort) : {}),
      receiveQueue: socket.received.octets,
      sendQueue: socket.outgoing.waiting.octets,
      owner: socket.owner?.name ?? null,
    }))
}

function view(protocol: 'tcp' | 'udp', state: StateName, local: Address, localPort: number): SocketView {
  return {
    number: null,
    protocol,
    family: local.isIpv4 ? 'IPv4' : 'IPv6',
    state,
    localAddress: local.toString(),
    localPort,
    remoteAddress: null,
    remotePort: 0,
    receiveQueue: 0,
    sendQueue: 0,
    owner: null,
    timer: null,
    info: null,
  }
}

function peer(remote: Address, remotePort: number): Pick<SocketView, 'remoteAddress' | 'remotePort'> {
  return { remoteAddress: remote.toString(), remotePort }
}
