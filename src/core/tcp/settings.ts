// Every limit and default of TCP, with its name. A stack may be made with others; a socket may change its own.
// Durations are milliseconds, sizes octets.
import type { CongestionChoice } from './congestion/controllers.ts'

export interface TcpSettings {
  readonly timestamps: boolean
  readonly selectiveAcks: boolean
  readonly windowScaling: boolean
  /** RFC 3168: asked for in our SYNs, agreed to in theirs, or neither. As Linux has it by default: agreed to. */
  readonly ecn: 'ask' | 'accept' | 'never'
  /** RFC 6298 §2. Differs: the least RTO is 200 ms, since every large sender (Linux, BSD) has found a second too long; it can be set to it. */
  readonly minimumRto: number
  readonly initialRto: number
  readonly maximumRto: number
  /** RFC 9293 §3.8.3: R2 as a number of retransmissions, for a SYN, a SYN-ACK, and later. */
  /** MUST-23: the least count that lasts for three minutes is 7. */
  readonly synRetries: number
  readonly synAckRetries: number
  /** SHLD-11: 15 last for a quarter of an hour. */
  readonly retries: number
  /** R1 (SHLD-10): after so many retransmissions the route is looked up anew, and the user told. */
  readonly adviceRetries: number
  /** The same for a connection that nobody holds any more. */
  readonly orphanRetries: number
  /** 0 for none: RFC 9293 §3.9.1. */
  readonly userTimeout: number
  readonly delayedAck: number
  /** The first ACKs of text, which are not delayed, since they open the peer's window (as Linux has it); 0 for none. */
  readonly quickAcks: number
  /** RFC 9293 §3.8.6.3: which second segment is acknowledged at once: a full one, or one of any size, as FreeBSD has it. */
  readonly secondSegment: 'full' | 'any'
  /** MUST-28. */
  readonly keepAliveIdle: number
  readonly keepAliveInterval: number
  readonly keepAliveProbes: number
  /** How long TIME-WAIT lasts. Differs: 60 s and not four minutes, since no segment lives two minutes today, as Linux has it. */
  readonly timeWait: number
  /** How long FIN-WAIT-2 lasts where nobody can read any more. */
  readonly finWait2: number
  readonly sendBufferInitial: number
  readonly sendBufferMost: number
  readonly receiveBufferInitial: number
  readonly receiveBufferMost: number
  /** What all buffers of the stack may hold together; from the first on they grow no more, from the second on nothing new is taken. */
  readonly memoryPressure: number
  readonly memoryMost: number
  /** Segments: RFC 6928. */
  readonly initialWindow: number
  /** Nothing below is believed of a peer's MSS option, nor of a path: each octet would cost a packet (CVE-2019-11479). */
  readonly minimumMss: number
  /** RFC 4821: shorter segments are tried where long ones seem to vanish, and longer ones again later. */
  readonly pathProbing: boolean
  readonly mostConnections: number
  readonly mostTimeWait: number
  /** Half-open requests of one listener, and of the stack. */
  readonly mostHalfOpen: number
  /** What waits for a verdict of the application, and for how long. */
  readonly mostVerdicts: number
  readonly verdictTimeout: number
  readonly synCookies: 'when-full' | 'always' | 'never'
  /** RFC 5961 §7: the time between two challenge ACKs of a connection. */
  readonly challengeInterval: number
  /** Segments out of order that one connection keeps. */
  readonly mostOutOfOrder: number
  /** Transmissions in flight of one connection. */
  readonly mostInFlight: number
  readonly nagle: 'minshall' | 'classic'
  /** Windows leave over their round trip. Linux without fq sends them at once. BBR is paced in any case. */
  readonly pacing: boolean
  /** The controller of connections that choose none. */
  readonly congestion: CongestionChoice
  /** MUST-49: of a connection that has none of its own. */
  readonly hopLimit: number
}

export const DEFAULT_SETTINGS: TcpSettings = Object.freeze({
  timestamps: true,
  selectiveAcks: true,
  windowScaling: true,
  ecn: 'accept',
  minimumRto: 200,
  initialRto: 1000,
  maximumRto: 120_000,
  synRetries: 7,
  synAckRetries: 5,
  retries: 15,
  adviceRetries: 3,
  orphanRetries: 8,
  userTimeout: 0,
  delayedAck: 40,
  quickAcks: 16,
  secondSegment: 'full',
  keepAliveIdle: 7_200_000,
  keepAliveInterval: 75_000,
  keepAliveProbes: 9,
  timeWait: 60_000,
  finWait2: 60_000,
  sendBufferInitial: 65_536,
  sendBufferMost: 4_194_304,
  receiveBufferInitial: 131_072,
  receiveBufferMost: 6_291_456,
  memoryPressure: 268_435_456,
  memoryMost: 402_653_184,
  initialWindow: 10,
  minimumMss: 48,
  pathProbing: true,
  mostConnections: 1_000_000,
  mostTimeWait: 131_072,
  mostHalfOpen: 4096,
  mostVerdicts: 1024,
  verdictTimeout: 10_000,
  synCookies: 'when-full',
  challengeInterval: 500,
  mostOutOfOrder: 4096,
  mostInFlight: 65_536,
  nagle: 'minshall',
  pacing: true,
  congestion: 'cubic',
  hopLimit: 64,
})
