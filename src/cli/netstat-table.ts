// What `tunstack netstat` prints: the sockets of a stack as a table, with a line of TCP's figures below each where asked for, and
// the summary with the counters.
import type { NetstatCounters, SocketView } from '../index.ts'

export interface Snapshot {
  readonly pid: number
  readonly sockets: SocketView[]
  readonly counters: NetstatCounters
}

export interface TableOptions {
  readonly timers: boolean
  readonly info: boolean
  /** The name of a port; null where it shall stand as a number. */
  readonly portName: (port: number, protocol: 'tcp' | 'udp') => string | null
}

const HEADINGS = ['Proto', 'Recv-Q', 'Send-Q', 'Local Address', 'Foreign Address', 'State', 'PID/Owner']
const RIGHT = new Set([1, 2])

export function table(sockets: readonly SocketView[], pid: number, options: TableOptions): string[] {
  const headings = options.timers ? [...HEADINGS, 'Timer'] : HEADINGS
  const rows = sockets.map((socket) => cells(socket, pid, options))
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column].length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join(' ')
      .trimEnd()
  const lines = [line(headings)]
  for (const [place, row] of rows.entries()) {
    lines.push(line(row))
    if (options.info && sockets[place].info !== null) lines.push(`\t ${figures(sockets[place])}`)
  }
  return lines
}

function cells(socket: SocketView, pid: number, { timers, portName }: TableOptions): string[] {
  const { protocol, family, state, localAddress, localPort, remoteAddress, remotePort } = socket
  const end = (address: string, port: number) => {
    const name = port === 0 ? '*' : (portName(port, protocol) ?? String(port))
    return address.includes(':') ? `[${address}]:${name}` : `${address}:${name}`
  }
  const row = [
    family === 'IPv6' ? `${protocol}6` : protocol,
    String(socket.receiveQueue),
    String(socket.sendQueue),
    end(localAddress, localPort),
    end(remoteAddress ?? (family === 'IPv6' ? '::' : '0.0.0.0'), remotePort),
    state === 'UNCONNECTED' ? '' : state,
    socket.owner === null ? '-' : `${pid}/${socket.owner}`,
  ]
  if (timers) row.push(timerOf(socket))
  return row
}

function timerOf({ timer }: SocketView): string {
  if (timer === null) return 'off (0.00/0/0)'
  return `${timer.name} (${(timer.in / 1000).toFixed(2)}/${timer.retransmits}/${timer.probes})`
}

/** In the words of `ss -i`, for those who have learnt to read it. */
function figures({ info }: SocketView): string {
  if (info === null) return ''
  const milliseconds = (microseconds: number) => Number((microseconds / 1000).toFixed(3))
  const words = [
    info.timestamps ? 'ts' : '',
    info.selectiveAcks ? 'sack' : '',
    info.congestionControl,
    info.windowScaling ? `wscale:${info.sendScale},${info.receiveScale}` : '',
    `rto:${milliseconds(info.rto)}`,
    info.backoff > 0 ? `backoff:${info.backoff}` : '',
    `rtt:${milliseconds(info.rtt)}/${milliseconds(info.rttVariance)}`,
    `mss:${info.sendMss}`,
    `pmtu:${info.pathMtu}`,
    `rcvmss:${info.receiveMss}`,
    `cwnd:${info.sendCwnd}`,
    info.slowStartThreshold < 2 ** 30 ? `ssthresh:${Math.floor(info.slowStartThreshold / info.sendMss)}` : '',
    `bytes_acked:${info.octetsAcked}`,
    info.octetsRetransmitted > 0 ? `bytes_retrans:${info.octetsRetransmitted}` : '',
    `bytes_received:${info.octetsReceived}`,
    `segs_out:${info.segmentsOut}`,
    `segs_in:${info.segmentsIn}`,
    info.pacingRate > 0 ? `pacing_rate:${Math.round(info.pacingRate * 8)}bps` : '',
    info.applicationLimited ? 'app_limited' : '',
    info.unacked > 0 ? `unacked:${info.unacked}` : '',
    info.sacked > 0 ? `sacked:${info.sacked}` : '',
    info.lost > 0 ? `lost:${info.lost}` : '',
    info.totalRetransmits > 0 ? `retrans:${info.retransmitted}/${info.totalRetransmits}` : '',
    info.duplicateSacks > 0 ? `dsack_dups:${info.duplicateSacks}` : '',
    `rcv_space:${info.receiveSpace}`,
    `minrtt:${milliseconds(info.minimumRtt)}`,
  ]
  return words.filter((word) => word !== '').join(' ')
}

/** How many of each, and every counter that is not zero. */
export function summary({ pid, sockets, counters }: Snapshot): string[] {
  const tcp = sockets.filter(({ protocol }) => protocol === 'tcp')
  const states = new Map<string, number>()
  for (const { state } of tcp) states.set(state, (states.get(state) ?? 0) + 1)
  const udp = sockets.length - tcp.length
  const counted = [...states].map(([state, many]) => `${state} ${many}`).join(', ')
  const lines = [`Process ${pid}: ${tcp.length} of TCP${counted === '' ? '' : ` (${counted})`}, ${udp} of UDP`]
  for (const [group, values] of Object.entries(counters)) {
    const shown = Object.entries(values).filter(([, value]) => value !== 0)
    if (shown.length === 0) continue
    lines.push(`${group}:`)
    for (const [name, value] of shown) lines.push(`    ${name}: ${value}`)
  }
  return lines
}
