// Commands in backticks, which other interpreters hand to a shell: the sysctls among them become settings, a few say something about the
// link, and all others are named and make the script unsupported. No shell ever sees them.
import type { TcpSettings } from '../core/tcp/settings.ts'
import { Unsupported } from './script.ts'

export interface Effect {
  readonly tcp: Partial<TcpSettings>
  /** Whether the link takes packets; null where the command says nothing of it. */
  readonly linkTakes: boolean | null
}

type Sysctl = (value: string) => Partial<TcpSettings>

const isOn = (value: string) => Number(value) !== 0
const seconds = (value: string) => Number(value) * 1000
/** What we have no choice in: fine as long as the script wants what is so. */
const always =
  (...fine: string[]): Sysctl =>
  (value) => {
    if (!fine.includes(value)) throw new Unsupported(`${value} is a value that there is no setting for`)
    return {}
  }
/** It changes how an implementation works inside, and nothing that a peer could tell. */
const inside: Sysctl = () => ({})

function controller(value: string): Partial<TcpSettings> {
  if (value !== 'reno' && value !== 'newreno' && value !== 'cubic' && value !== 'bbr') {
    throw new Unsupported(`there is no congestion control "${value}"`)
  }
  return { congestion: value === 'newreno' ? 'reno' : value }
}

function ecn(value: string): Partial<TcpSettings> {
  if (value === '0') return { ecn: 'never' }
  if (value === '1') return { ecn: 'ask' }
  if (value === '2') return { ecn: 'accept' }
  throw new Unsupported(`an ECN mode ${value} does not exist`)
}

/** `4096 131072 6291456`: Linux halves what it is given for its own bookkeeping. */
function receiveBuffer(value: string): Partial<TcpSettings> {
  const [, initial, most] = value.split(/\s+/).map(Number)
  return { receiveBufferInitial: initial >> 1, receiveBufferMost: most >> 1 }
}

function sendBuffer(value: string): Partial<TcpSettings> {
  const [, initial, most] = value.split(/\s+/).map(Number)
  return { sendBufferInitial: initial, sendBufferMost: most }
}

const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'net.ipv4.tcp_timestamps': (value) => ({ timestamps: isOn(value) }),
  'net.ipv4.tcp_sack': (value) => ({ selectiveAcks: isOn(value) }),
  'net.ipv4.tcp_window_scaling': (value) => ({ windowScaling: isOn(value) }),
  'net.ipv4.tcp_ecn': ecn,
  'net.ipv4.tcp_syn_retries': (value) => ({ synRetries: Number(value) }),
  'net.ipv4.tcp_synack_retries': (value) => ({ synAckRetries: Number(value) }),
  'net.ipv4.tcp_retries1': (value) => ({ adviceRetries: Number(value) }),
  'net.ipv4.tcp_retries2': (value) => ({ retries: Number(value) }),
  'net.ipv4.tcp_orphan_retries': (value) => ({ orphanRetries: Number(value) || 8 }),
  'net.ipv4.tcp_fin_timeout': (value) => ({ finWait2: seconds(value) }),
  'net.ipv4.tcp_keepalive_time': (value) => ({ keepAliveIdle: seconds(value) }),
  'net.ipv4.tcp_keepalive_intvl': (value) => ({ keepAliveInterval: seconds(value) }),
  'net.ipv4.tcp_keepalive_probes': (value) => ({ keepAliveProbes: Number(value) }),
  'net.ipv4.tcp_rto_min_us': (value) => ({ minimumRto: Number(value) / 1000 }),
  'net.ipv4.tcp_rto_max_ms': (value) => ({ maximumRto: Number(value) }),
  'net.ipv4.tcp_rmem': receiveBuffer,
  'net.ipv4.tcp_wmem': sendBuffer,
  'net.ipv4.tcp_congestion_control': controller,
  'net.ipv4.tcp_max_syn_backlog': (value) => ({ mostHalfOpen: Number(value) }),
  'net.ipv4.tcp_min_snd_mss': (value) => ({ minimumMss: Number(value) }),
  'net.ipv4.tcp_mtu_probing': (value) => ({ pathProbing: isOn(value) }),
  'net.ipv4.tcp_invalid_ratelimit': (value) => ({ challengeInterval: Number(value) }),
  'net.ipv4.tcp_syncookies': (value) => ({
    synCookies: value === '0' ? 'never' : value === '1' ? 'when-full' : 'always',
  }),
  'net.ipv4.tcp_dsack': always('1'),
  'net.ipv4.tcp_early_retrans': always('3'),
  'net.ipv4.tcp_recovery': always('1'),
  'net.ipv4.tcp_frto': always('1', '2'),
  'net.ipv4.tcp_reordering': always('3'),
  'net.ipv4.tcp_slow_start_after_idle': always('1'),
  'net.ipv4.tcp_rfc1337': always('1'),
  'net.ipv4.tcp_abort_on_overflow': always('0'),
  'net.ipv4.tcp_fastopen': always('0'),
  'net.ipv4.tcp_tso_win_divisor': inside,
  'net.ipv4.tcp_min_tso_segs': inside,
  'net.ipv4.tcp_autocorking': inside,
  'net.ipv4.tcp_no_metrics_save': inside,
  'net.ipv4.tcp_moderate_rcvbuf': inside,
  'net.ipv4.tcp_limit_output_bytes': inside,
  'net.ipv4.tcp_adv_win_scale': inside,
  'net.ipv4.tcp_max_tw_buckets': (value) => ({ mostTimeWait: Number(value) }),
  'net.ipv4.ip_default_ttl': (value) => ({ hopLimit: Number(value) }),
  'net.ipv4.tcp_pacing_ss_ratio': always('200'),
  'net.ipv4.tcp_shrink_window': always('0'),
  'net.ipv4.tcp_workaround_signed_windows': always('0'),
  'net.ipv4.tcp_stdurg': always('1'),
  'net.ipv4.tcp_challenge_ack_limit': inside,
  'net.ipv4.tcp_retrans_collapse': inside,
  'net.ipv4.tcp_low_latency': inside,
  'net.ipv4.tcp_backlog_ack_defer': inside,
  'net.ipv4.tcp_pacing_ca_ratio': inside,
  'net.core.rmem_max': inside,
  'net.core.wmem_max': inside,
  'net.core.netdev_max_backlog': inside,
  'net.core.somaxconn': inside,
  'net.inet.tcp.delayed_ack': (value) => (isOn(value) ? {} : { delayedAck: 0, quickAcks: 0x7fffffff }),
  'net.inet.tcp.delacktime': (value) => ({ delayedAck: Number(value) }),
  'net.inet.tcp.rfc1323': (value) => ({ timestamps: isOn(value), windowScaling: isOn(value) }),
  'net.inet.tcp.sack.enable': (value) => ({ selectiveAcks: isOn(value) }),
  'net.inet.tcp.ecn.enable': (value) => ecn(value),
  'net.inet.tcp.syncookies': (value) => ({ synCookies: isOn(value) ? 'when-full' : 'never' }),
  'net.inet.tcp.initcwnd_segments': (value) => ({ initialWindow: Number(value) }),
  'net.inet.tcp.rexmit_min': (value) => ({ minimumRto: Number(value) }),
  'net.inet.tcp.rexmit_initial': (value) => ({ initialRto: Number(value) }),
  'net.inet.tcp.msl': (value) => ({ timeWait: 2 * Number(value) }),
  'net.inet.tcp.cc.algorithm': controller,
  'net.inet.tcp.pmtud_blackhole_detection': (value) => ({ pathProbing: isOn(value) }),
  'net.inet.tcp.keepidle': (value) => ({ keepAliveIdle: Number(value) }),
  'net.inet.tcp.keepintvl': (value) => ({ keepAliveInterval: Number(value) }),
  'net.inet.tcp.keepcnt': (value) => ({ keepAliveProbes: Number(value) }),
  'net.inet.tcp.finwait2_timeout': (value) => ({ finWait2: Number(value) }),
  'net.inet.tcp.syncache.rexmtlimit': (value) => ({ synAckRetries: Number(value) }),
  'net.inet.tcp.recvspace': (value) => ({ receiveBufferInitial: Number(value) }),
  'net.inet.tcp.recvbuf_max': (value) => ({ receiveBufferMost: Number(value) }),
  'net.inet.tcp.sendspace': (value) => ({ sendBufferInitial: Number(value) }),
  'net.inet.tcp.sendbuf_max': (value) => ({ sendBufferMost: Number(value) }),
  'net.inet.tcp.rfc3042': always('1'),
  'net.inet.tcp.rfc6675_pipe': always('1'),
  'net.inet.tcp.do_prr': always('1'),
  'net.inet.tcp.drop_synfin': always('1'),
  'net.inet.tcp.insecure_rst': always('0'),
  'net.inet.tcp.insecure_syn': always('0'),
  'net.inet.tcp.insecure_ack': always('0'),
  'net.inet.tcp.blackhole': always('0'),
  'net.inet.tcp.path_mtu_discovery': always('1'),
  'net.inet.tcp.tolerate_missing_ts': always('1'),
  'net.inet.tcp.log_debug': inside,
  'net.inet.tcp.tso': inside,
  'net.inet.tcp.hostcache.purgenow': inside,
  'net.inet.tcp.minmss': (value) => ({ minimumMss: Number(value) }),
}

/** What the commands between a pair of backticks come to. `mayPrepare`: nothing has happened yet, so that settings may still be made. */
export function settingsOf(commands: string, mayPrepare: boolean): Effect {
  let tcp: Partial<TcpSettings> = {}
  let linkTakes: boolean | null = null
  for (const command of commands.split(/\n|;|&&/).map((one) => one.replace(/(?:^|\s)#.*$/, '').trim())) {
    if (command === '' || command === 'true' || command === ':') continue
    const effect = effectOf(command)
    tcp = { ...tcp, ...effect.tcp }
    linkTakes = effect.linkTakes ?? linkTakes
  }
  if (!mayPrepare && Object.keys(tcp).length > 0) {
    throw new Unsupported(`a stack's settings can't change while it runs: ${commands.trim()}`)
  }
  return { tcp, linkTakes }
}

/** The settings that Google's suite and the kernel's begin with, which are ours. */
export function isDefaults(command: string): boolean {
  return /^(?:\.{1,2}\/)*(?:\w+\/)*defaults\.sh$/.test(command)
}

/** At the end of a script, when its stack is gone. */
const RESTORE = /^\/tmp\/sysctl_restore_\$\{PPID\}\.sh$/
/** The script's link has no offload. */
const OFFLOAD = /^ethtool -K tun\d+ (?:(?:tso|gso|gro|lro) (?:on|off)\s*)+$/

function effectOf(command: string): Effect {
  if (isDefaults(command) || RESTORE.test(command) || OFFLOAD.test(command)) return { tcp: {}, linkTakes: null }
  const written = /^(?:\.{1,2}\/)*(?:common\/)?set_sysctls\.py\s+(.*)$/.exec(command)
  if (written !== null)
    return { tcp: readAll(written[1].replaceAll('/proc/sys/', '').replaceAll('/', '.')), linkTakes: null }
  const sysctl = /^sysctl\s+(.*)$/.exec(command)
  if (sysctl !== null) return { tcp: readAll(sysctl[1]), linkTakes: null }
  if (/^tc qdisc add dev tun\d+ root pfifo limit 0$/.test(command)) return { tcp: {}, linkTakes: false }
  if (/^tc qdisc del(?:ete)? dev tun\d+ root(?:\s+2>\s*\/dev\/null)?$/.test(command))
    return { tcp: {}, linkTakes: true }
  throw new Unsupported(`the command "${command}" is not known`)
}

function readAll(text: string): Partial<TcpSettings> {
  let settings: Partial<TcpSettings> = {}
  const words = text.replace(/(?:^|\s)-\w+(?=\s|$)/g, ' ').replace(/[>|].*$/, '')
  for (const [, name, quoted, bare] of words.matchAll(/([\w.]+)\s*=\s*(?:["']([^"']*)["']|(\S+))/g)) {
    const sysctl = Object.hasOwn(SYSCTLS, name) ? SYSCTLS[name] : undefined
    if (sysctl === undefined) throw new Unsupported(`the sysctl ${name} is not known`)
    settings = { ...settings, ...sysctl((quoted ?? bare).trim()) }
  }
  return settings
}
