// The names that assertions may use: Linux's tcpi_… answered from `tcpInfo`, and its constants. What does not exist here is not known.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { Lookup } from './expression.ts'

type Info = ReturnType<Endpoint['info']>

const CONSTANTS: Readonly<Record<string, number>> = {
  TCP_CA_Open: 0,
  TCP_CA_Disorder: 1,
  TCP_CA_CWR: 2,
  TCP_CA_Recovery: 3,
  TCP_CA_Loss: 4,
  TCP_ESTABLISHED: 1,
  TCP_SYN_SENT: 2,
  TCP_SYN_RECV: 3,
  TCP_FIN_WAIT1: 4,
  TCP_FIN_WAIT2: 5,
  TCP_TIME_WAIT: 6,
  TCP_CLOSE: 7,
  TCP_CLOSE_WAIT: 8,
  TCP_LAST_ACK: 9,
  TCP_LISTEN: 10,
  TCP_CLOSING: 11,
  TCPI_OPT_TIMESTAMPS: 1,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_WSCALE: 4,
  TCPI_OPT_ECN: 8,
  TCP_INFINITE_SSTHRESH: 0x7fffffff,
}

/** RFC 6675's DupThresh, which does not move here: RACK (RFC 8985) sees reordering by time. */
const DUPLICATE_THRESHOLD = 3
const LARGEST = 0x7fffffff

const FIGURES: Readonly<Record<string, (info: Info) => number>> = {
  tcpi_state: (info) => info.state,
  tcpi_ca_state: (info) => info.congestionState,
  tcpi_retransmits: (info) => info.retransmits,
  tcpi_probes: (info) => info.probes,
  tcpi_backoff: (info) => info.backoff,
  tcpi_options: (info) =>
    Number(info.timestamps) | (Number(info.selectiveAcks) << 1) | (Number(info.windowScaling) << 2),
  tcpi_snd_wscale: (info) => info.sendScale,
  tcpi_rcv_wscale: (info) => info.receiveScale,
  tcpi_rto: (info) => info.rto,
  tcpi_snd_mss: (info) => info.sendMss,
  tcpi_rcv_mss: (info) => info.receiveMss,
  tcpi_advmss: (info) => info.offeredMss,
  tcpi_pmtu: (info) => info.pathMtu,
  tcpi_unacked: (info) => info.unacked,
  tcpi_sacked: (info) => info.sacked,
  tcpi_lost: (info) => info.lost,
  tcpi_retrans: (info) => info.retransmitted,
  tcpi_last_data_sent: (info) => info.lastDataSent,
  tcpi_last_data_recv: (info) => info.lastDataReceived,
  tcpi_last_ack_recv: (info) => info.lastAckReceived,
  tcpi_rtt: (info) => info.rtt,
  tcpi_rttvar: (info) => info.rttVariance,
  tcpi_min_rtt: (info) => info.minimumRtt,
  tcpi_rcv_rtt: (info) => info.receiveRtt,
  tcpi_snd_cwnd: (info) => info.sendCwnd,
  tcpi_snd_ssthresh: ({ slowStartThreshold, sendMss }) =>
    slowStartThreshold >= LARGEST ? LARGEST : Math.floor(slowStartThreshold / sendMss),
  tcpi_reordering: () => DUPLICATE_THRESHOLD,
  tcpi_rcv_space: (info) => info.receiveSpace,
  tcpi_snd_wnd: (info) => info.sendWindow,
  tcpi_rcv_wnd: (info) => info.receiveWindow,
  tcpi_total_retrans: (info) => info.totalRetransmits,
  tcpi_pacing_rate: (info) => info.pacingRate,
  tcpi_bytes_acked: (info) => info.octetsAcked,
  tcpi_bytes_received: (info) => info.octetsReceived,
  tcpi_bytes_retrans: (info) => info.octetsRetransmitted,
  tcpi_segs_out: (info) => info.segmentsOut,
  tcpi_segs_in: (info) => info.segmentsIn,
  tcpi_data_segs_out: (info) => info.dataSegmentsOut,
  tcpi_data_segs_in: (info) => info.dataSegmentsIn,
  tcpi_notsent_bytes: (info) => info.notSentOctets,
  tcpi_rcv_ooopack: (info) => info.outOfOrder,
  tcpi_dsack_dups: (info) => info.duplicateSacks,
  tcpi_delivered: (info) => info.delivered,
}

/** A socket without a connection has a state and nothing else. */
export function figures(info: Info | null, state: number): Lookup {
  return (name) => {
    if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name]
    if (name === 'tcpi_state' && info === null) return state
    if (!Object.hasOwn(FIGURES, name)) return undefined
    return info === null ? 0 : FIGURES[name](info)
  }
}
