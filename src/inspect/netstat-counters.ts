// The counters under the names that people know from `netstat -s` and `/proc/net/snmp` (RFC 4293, RFC 4113, RFC 4022, and Linux's own),
// grouped as there. Only what counts the same thing has such a name; the rest stands under names of our own in group Tunstack.
import { Count, type CountName, Drop, type DropReason } from '../core/observer.ts'
import { State } from '../core/tcp/state.ts'
import type { PortableStack } from '../runtime/create-stack.ts'

export type CounterGroup = 'Ip' | 'IpExt' | 'Icmp' | 'Udp' | 'Tcp' | 'TcpExt' | 'Tunstack'
export type NetstatCounters = Record<CounterGroup, Record<string, number>>

/** What a name sums up. */
interface Sum {
  counts?: readonly CountName[]
  drops?: readonly DropReason[]
}

const count = (...counts: CountName[]): Sum => ({ counts })
const drop = (...drops: DropReason[]): Sum => ({ drops })

const NAMES: Record<Exclude<CounterGroup, 'Tunstack'>, Record<string, Sum>> = {
  Ip: {
    InReceives: count(Count.ipReceived),
    InHdrErrors: drop(
      Drop.truncated,
      Drop.badVersion,
      Drop.badHeaderLength,
      Drop.badTotalLength,
      Drop.badHeaderChecksum,
      Drop.badOptions,
      Drop.hopLimitExceeded,
    ),
    InAddrErrors: drop(Drop.martianDestination, Drop.notForUs),
    InUnknownProtos: drop(Drop.unknownProtocol),
    InDelivers: count(Count.ipDelivered),
    ForwDatagrams: count(Count.ipForwarded),
    OutRequests: count(Count.ipSent),
    OutDiscards: drop(Drop.outputQueueFull, Drop.repliesFull),
    OutNoRoutes: drop(Drop.outputNoRoute, Drop.noRoute),
    ReasmReqds: count(Count.fragmentsReceived),
    ReasmOKs: count(Count.reassembled),
    ReasmTimeout: drop(Drop.fragmentTimeout),
    FragCreates: count(Count.fragmentsSent),
    FragFails: drop(Drop.outputTooBig, Drop.tooBig),
  },
  IpExt: { InOctets: count(Count.ipOctetsReceived), OutOctets: count(Count.ipOctetsSent) },
  Icmp: {
    InMsgs: count(Count.icmpReceived),
    InCsumErrors: drop(Drop.icmpBadChecksum),
    InEchos: count(Count.echoRequestsReceived),
    InEchoReps: count(Count.echoRepliesReceived),
    OutMsgs: count(Count.icmpSent),
    OutErrors: count(Count.icmpErrorsSent),
    OutRateLimitHost: drop(Drop.icmpRateLimited),
    OutEchos: count(Count.echoRequestsSent),
    OutEchoReps: count(Count.echoRepliesSent),
  },
  Udp: {
    InDatagrams: count(Count.udpReceived),
    NoPorts: drop(Drop.udpNoSocket),
    InErrors: drop(Drop.udpTruncated, Drop.udpBadLength, Drop.udpBadChecksum, Drop.udpZeroPort, Drop.udpQueueFull),
    OutDatagrams: count(Count.udpSent),
    RcvbufErrors: drop(Drop.udpQueueFull),
    InCsumErrors: drop(Drop.udpBadChecksum),
  },
  Tcp: {
    ActiveOpens: count(Count.tcpActiveOpens),
    PassiveOpens: count(Count.tcpPassiveOpens),
    AttemptFails: count(Count.tcpFailedAttempts),
    EstabResets: count(Count.tcpEstablishedResets),
    InSegs: count(Count.tcpReceived),
    OutSegs: count(Count.tcpSent),
    RetransSegs: count(Count.tcpRetransmitted),
    InErrs: drop(Drop.tcpTruncated, Drop.tcpBadOffset, Drop.tcpBadChecksum, Drop.tcpZeroPort),
    OutRsts: count(Count.tcpResetsSent),
    InCsumErrors: drop(Drop.tcpBadChecksum),
  },
  TcpExt: {
    SyncookiesSent: count(Count.tcpCookiesSent),
    SyncookiesRecv: count(Count.tcpCookiesReceived),
    SyncookiesFailed: drop(Drop.tcpBadCookie),
    TW: count(Count.tcpTimeWaits),
    PAWSEstab: drop(Drop.tcpPaws),
    ListenOverflows: drop(Drop.tcpListenOverflow),
    TCPReqQFullDrop: drop(Drop.tcpSynOverflow),
    TCPTimeouts: count(Count.tcpTimeouts),
    TCPLossProbes: count(Count.tcpTailProbes),
    TCPLossProbeRecovery: count(Count.tcpTailRepairs),
    TCPSackRecovery: count(Count.tcpFastRecoveries),
    TCPDSACKRecv: count(Count.tcpDuplicateSacks),
    TCPFullUndo: count(Count.tcpRecoveriesUndone),
    TCPLossUndo: count(Count.tcpTimeoutsUndone),
    TCPChallengeACK: count(Count.tcpChallengeAcks),
    TCPKeepAlive: count(Count.tcpKeepAliveProbes),
    TCPWinProbe: count(Count.tcpWindowProbes),
  },
}

/** Every counter, zeros too, and `CurrEstab`, which is no counter but stands among them in SNMP as well. */
export function netstatCounters({ core }: PortableStack): NetstatCounters {
  const { values, drops } = core.observer.counters
  const known = new Set<number>()
  const knownDrops = new Set<number>()
  const groups: NetstatCounters = { Ip: {}, IpExt: {}, Icmp: {}, Udp: {}, Tcp: {}, TcpExt: {}, Tunstack: {} }
  for (const [group, names] of Object.entries(NAMES)) {
    for (const [name, sum] of Object.entries(names)) {
      let total = 0
      for (const row of sum.counts ?? []) {
        known.add(row)
        total += values[row]
      }
      for (const row of sum.drops ?? []) {
        knownDrops.add(row)
        total += drops[row]
      }
      groups[group as CounterGroup][name] = total
    }
  }
  // RFC 4022: ESTABLISHED or CLOSE-WAIT.
  let established = 0
  core.tcp.forEach(({ state }) => {
    if (state === State.established || state === State.closeWait) established++
  })
  groups.Tcp.CurrEstab = established
  for (const [name, row] of Object.entries(Count)) if (!known.has(row)) groups.Tunstack[capital(name)] = values[row]
  for (const [name, row] of Object.entries(Drop)) {
    if (!knownDrops.has(row)) groups.Tunstack[`Drop${capital(name)}`] = drops[row]
  }
  return groups
}

function capital(name: string): string {
  return name[0].toUpperCase() + name.slice(1)
}
