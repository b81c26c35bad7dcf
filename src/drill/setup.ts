// What a script runs on: the flags, header comments, profile and sysctls of the script become settings of the stack. A profile only turns
// knobs that are documented where the settings are declared; what a script asks for and does not exist makes it unsupported.
import { type Address, parseAddress } from '../core/ip/address.ts'
import { DEFAULT_SETTINGS, type TcpSettings } from '../core/tcp/settings.ts'
import { type Script, Unsupported } from './script.ts'
import { isDefaults, settingsOf } from './sysctls.ts'

export type Like = 'linux' | 'freebsd'

export interface Setup {
  readonly like: Like
  readonly isIpv6: boolean
  /** Sockets are IPv6's, packets are IPv4's. */
  readonly isMapped: boolean
  readonly mtu: number
  /** Microseconds. */
  readonly tolerance: number
  readonly stampTick: number
  readonly strictOptions: boolean
  /** Packets that nobody expected when the script ends are no failure. */
  readonly ignoreSurplus: boolean
  readonly local: Address
  readonly remote: Address
  readonly prefix: number
  readonly gateway: Address
  readonly bindPort: number
  readonly connectPort: number
  readonly tcp: Partial<TcpSettings>
}

/** The initial window that scripts suppose is never more than a SYN can say, and the shift 8; bursts leave at once. */
const COMMON = {
  receiveBufferInitial: 65_535,
  receiveBufferMost: 65_535 << 8,
  pacing: false,
  minimumRto: 200,
  delayedAck: 40,
  // Neither looks for black holes unless it is told to.
  pathProbing: false,
}
const PROFILES: Readonly<Record<Like, Partial<TcpSettings>>> = {
  linux: COMMON,
  // FreeBSD has no quick ACKs, and counts segments.
  freebsd: { ...COMMON, quickAcks: 0, secondSegment: 'any' },
}
const VERSIONS = new Set(['ipv4', 'ipv6', 'ipv4-mapped-ipv6'])
const DEFAULT_TOLERANCE = 4000
const ADDRESSES = {
  ipv4: { local: '192.168.0.1', remote: '192.0.2.1', gateway: '192.168.0.2', prefix: 16 },
  ipv6: { local: 'fd3d:a0b:17d6::1', remote: '2001:db8::1', gateway: 'fd3d:a0b:17d6:8888::1', prefix: 32 },
}

/** Flags that say how other programs of this kind run, and mean nothing here. */
const WITHOUT_MEANING = new Set([
  'verbose',
  'non_fatal',
  'dry_run',
  'speed',
  // Time does not fray here.
  'tolerance_percent',
  'mss',
  'netmask_ip',
  'use_expect',
  'send_omit_free',
])
const KNOWN = new Set([
  'ip_version',
  'tolerance_usecs',
  'tcp_ts_tick_usecs',
  'mtu',
  'local_ip',
  'remote_ip',
  'gateway_ip',
  'bind_port',
  'connect_port',
])

/** `path` may be empty. */
export function likeOf(script: Script, path: string): Like {
  const said = script.knobs.get('like')
  if (said === 'linux' || said === 'freebsd') return said
  const parents = path.split(/[/\\]/).slice(0, -1)
  if (parents.some((name) => /^freebsd/i.test(name) || name.toLowerCase() === 'bsd')) return 'freebsd'
  return /freebsd/i.test(script.firstComment) ? 'freebsd' : 'linux'
}

export function setUp(script: Script, like: Like, isStrict: boolean): Setup {
  const { flags, knobs } = script
  for (const name of flags.keys()) {
    if (name === 'init_scripts' && isDefaults(flags.get(name) ?? '')) continue
    if (!KNOWN.has(name) && !WITHOUT_MEANING.has(name)) throw new Unsupported(`the flag --${name} is not known`)
  }
  const version = flags.get('ip_version') ?? 'ipv4'
  if (!VERSIONS.has(version)) throw new Unsupported(`--ip_version=${version} is not known`)
  const isIpv6 = version === 'ipv6'
  const addresses = isIpv6 ? ADDRESSES.ipv6 : ADDRESSES.ipv4
  const commands = leadingCommands(script)
  return {
    like,
    isIpv6,
    isMapped: version === 'ipv4-mapped-ipv6',
    mtu: integer(flags, 'mtu', 1500),
    tolerance: integer(flags, 'tolerance_usecs', DEFAULT_TOLERANCE),
    stampTick: integer(flags, 'tcp_ts_tick_usecs', 0),
    strictOptions: knobs.get('options') === 'strict',
    ignoreSurplus: (knobs.get('surplus') ?? (isStrict ? 'failure' : 'ignored')) === 'ignored',
    local: address(flags, 'local_ip', addresses.local),
    remote: address(flags, 'remote_ip', addresses.remote),
    prefix: addresses.prefix,
    gateway: address(flags, 'gateway_ip', addresses.gateway),
    bindPort: integer(flags, 'bind_port', 8080),
    connectPort: integer(flags, 'connect_port', 8080),
    tcp: { ...PROFILES[like], ...commands, ...readKnobs(knobs) },
  }
}

/** The commands before anything happens: what they set, the stack begins with. */
function leadingCommands(script: Script): Partial<TcpSettings> {
  let settings: Partial<TcpSettings> = {}
  for (const event of script.events) {
    if (event.kind !== 'command') break
    settings = { ...settings, ...settingsOf(event.command, true).tcp }
  }
  return settings
}

function integer(flags: ReadonlyMap<string, string>, name: string, byDefault: number): number {
  const text = flags.get(name)
  if (text === undefined) return byDefault
  if (!/^\d+$/.test(text)) throw new Unsupported(`--${name}=${text} is no number`)
  return Number(text)
}

function address(flags: ReadonlyMap<string, string>, name: string, byDefault: string): Address {
  const parsed = parseAddress(flags.get(name) ?? byDefault)
  if (parsed === null) throw new Unsupported(`--${name}=${flags.get(name)} is no address`)
  return parsed
}

/** What `// tunstack:` lines may say beside the names of TCP's settings. */
const OWN_KNOBS = new Set(['like', 'options', 'surplus'])

/** Settings of TCP by their own names: numbers, true and false, or one of their words. */
function readKnobs(knobs: ReadonlyMap<string, string>): Partial<TcpSettings> {
  const settings: Record<string, unknown> = {}
  for (const [name, text] of knobs) {
    if (OWN_KNOBS.has(name)) continue
    const byDefault = Object.hasOwn(DEFAULT_SETTINGS, name) ? DEFAULT_SETTINGS[name as keyof TcpSettings] : undefined
    if (byDefault === undefined) throw new Unsupported(`there is no setting "${name}"`)
    settings[name] = readKnob(name, text, typeof byDefault)
  }
  return settings as Partial<TcpSettings>
}

function readKnob(name: string, text: string, type: string): unknown {
  if (type === 'number' && /^\d+(\.\d+)?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (type === 'string') return text
  throw new Unsupported(`the setting "${name}" can't be "${text}"`)
}
