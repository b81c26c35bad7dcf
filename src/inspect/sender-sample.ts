// What a sender knows of itself at a moment, in the few figures that are drawn over time.
import type { TcpInfo } from '../core/tcp/tcp-info.ts'

export interface SenderSample {
  readonly at: number
  /** Octets; `threshold` is null while there is none. */
  readonly cwnd: number
  readonly threshold: number | null
  readonly inFlight: number
  /** Milliseconds, null before the first measurement. */
  readonly smoothed: number | null
  readonly least: number | null
  readonly timeout: number
}

const NO_THRESHOLD = 0x7fff_ffff

export function sampleOf(at: number, info: TcpInfo): SenderSample {
  const { unacked, sacked, lost, retransmitted, sendMss, rtt, minimumRtt, slowStartThreshold } = info
  return {
    at,
    cwnd: info.congestionWindow,
    threshold: slowStartThreshold >= NO_THRESHOLD ? null : slowStartThreshold,
    inFlight: Math.max(0, unacked - sacked - lost + retransmitted) * sendMss,
    smoothed: rtt === 0 ? null : rtt / 1000,
    least: minimumRtt === 0 ? null : minimumRtt / 1000,
    timeout: info.rto / 1000,
  }
}
