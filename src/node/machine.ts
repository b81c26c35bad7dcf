// What this machine has of what a TUN device needs, and what to do about what it lacks: for `tunstack doctor`, and for
// programs and tests that want to know beforehand. Nothing is changed: the one device that is opened to try it stands in
// a namespace of its own and is gone at once.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { NO_OFFLOAD, type Offload } from '../core/environment.ts'
import { addonFault, addonPath, findAddon } from './addon.ts'

export type CheckName = 'node' | 'system' | 'addon' | 'device' | 'privilege' | 'namespaces' | 'offload' | 'ipv6'

export interface MachineCheck {
  readonly name: CheckName
  /** `unknown`: not tried, for want of something else. */
  readonly state: 'ok' | 'lacking' | 'unknown'
  /** In words: what was found. */
  readonly found: string
  /** In words: what to do; empty where nothing need be done. */
  readonly remedy: string
}

export interface Machine {
  readonly checks: readonly MachineCheck[]
  /** A TUN device can be made here by this process. */
  readonly canOpenTun: boolean
  /** One can be made in a user and network namespace of its own, which needs no root. */
  readonly canOpenPrivateTun: boolean
}

const OLDEST_NODE = [20, 19]
const CAP_NET_ADMIN = 12
const PROBE_TIMEOUT = 10_000
/** A namespace in which an ordinary user is root. */
const PRIVATE = ['--user', '--map-root-user', '--net']

export function examineMachine(): Machine {
  const node = checkNode()
  const system = checkSystem()
  const addon = checkAddon()
  const device = checkDevice()
  const privilege = checkPrivilege()
  const needed = [node, system, addon, device]
  const mayTry = needed.every(isFine)
  const privately = mayTry ? probe(PRIVATE) : null
  const namespaces = checkNamespaces(privately)
  const tried = privately?.offload != null || !isFine(privilege) || !mayTry ? privately : probe(['--net'])
  return {
    checks: [...needed, privilege, namespaces, checkOffload(tried), checkIpv6()],
    canOpenTun: mayTry && isFine(privilege),
    canOpenPrivateTun: privately?.offload != null,
  }
}

function check(name: CheckName, isOk: boolean, found: string, remedy: string): MachineCheck {
  return { name, state: isOk ? 'ok' : 'lacking', found, remedy: isOk ? '' : remedy }
}

function fine(name: CheckName, found: string): MachineCheck {
  return { name, state: 'ok', found, remedy: '' }
}

function untried(name: CheckName, found: string): MachineCheck {
  return { name, state: 'unknown', found, remedy: '' }
}

function isFine({ state }: MachineCheck): boolean {
  return state === 'ok'
}

function checkNode(): MachineCheck {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  const isNew = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
  return check('node', isNew, `Node ${process.versions.node}`, `Install Node ${OLDEST_NODE.join('.')} or newer.`)
}

function checkSystem(): MachineCheck {
  const found = `${process.platform} ${release()} on ${process.arch}`
  const remedy = 'A TUN device needs Linux: use a memory or packets link here, or run tunstack in a virtual machine.'
  return check('system', process.platform === 'linux', found, remedy)
}

function checkAddon(): MachineCheck {
  if (findAddon() === null) return check('addon', false, 'the native addon is not there', addonFault())
  return fine('addon', `the native addon was loaded from ${addonPath()}`)
}

function checkDevice(): MachineCheck {
  const path = '/dev/net/tun'
  if (!existsSync(path)) {
    const remedy = 'Load it with "modprobe tun", or start the container with "--device /dev/net/tun".'
    return check('device', false, `${path} is missing`, remedy)
  }
  try {
    closeSync(openSync(path, 'r+'))
    return fine('device', `${path} is there and may be opened`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const remedy = `Run as root, or have root allow it with "chmod 666 ${path}".`
    return check('device', false, `${path} is there and may not be opened by this user (${code})`, remedy)
  }
}

function checkPrivilege(): MachineCheck {
  const isGranted = hasCapability(CAP_NET_ADMIN)
  const user = process.getuid?.() === 0 ? 'root' : `the user ${process.getuid?.() ?? 'here'}`
  const found = isGranted ? `${user} may make network devices` : `${user} lacks CAP_NET_ADMIN`
  const remedy =
    'Run as root, or in a container with "--cap-add NET_ADMIN", or have root make a device for you with "ip tuntap add dev tun0 mode tun user $USER vnet_hdr".'
  return check('privilege', isGranted, found, remedy)
}

function hasCapability(number: number): boolean {
  try {
    const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
    return ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n
  } catch {
    return false
  }
}

interface Probe {
  /** What was agreed with the kernel; null where no device could be opened. */
  readonly offload: Offload | null
  /** Why not. */
  readonly fault: string
}

/** Opens a device in a namespace of its own. */
function probe(namespaces: string[]): Probe {
  const script = `import { openTun } from ${JSON.stringify(new URL('./tun-device.js', import.meta.url).href)}
    const device = openTun()
    console.log(JSON.stringify(device.isSoftwareOffload ? ${JSON.stringify(NO_OFFLOAD)} : device.offload))
    device.close()`
  const { stdout, stderr, error } = spawnSync(
    'unshare',
    [...namespaces, process.execPath, '--input-type=module', '--eval', script],
    { encoding: 'utf8', timeout: PROBE_TIMEOUT },
  )
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException
    return { offload: null, fault: code === 'ENOENT' ? 'the command unshare is missing' : error.message }
  }
  try {
    return { offload: JSON.parse(stdout) as Offload, fault: '' }
  } catch {
    const reason = /^TunError: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim().split('\n')[0] ?? ''
    return { offload: null, fault: reason }
  }
}

function checkNamespaces(privately: Probe | null): MachineCheck {
  if (privately === null) return untried('namespaces', 'not tried, for want of what stands above')
  if (privately.offload !== null) {
    return fine('namespaces', 'a user namespace can have a TUN device of its own, without root')
  }
  const found = `no user namespace with a TUN device can be had (${privately.fault})`
  const remedy =
    'Only for use without root: install util-linux, and allow it with "sysctl kernel.unprivileged_userns_clone=1" and "kernel.apparmor_restrict_unprivileged_userns=0" where the system has these.'
  return check('namespaces', false, found, remedy)
}

function checkOffload(tried: Probe | null): MachineCheck {
  const offload = tried?.offload ?? null
  if (offload === null) return untried('offload', 'not tried, since no TUN device could be opened for it')
  const taken = Object.entries(offload).filter(([, isTaken]) => isTaken)
  if (taken.length === 0)
    return check('offload', false, 'the kernel offers no offload', 'It works without, only slower.')
  return fine('offload', `the kernel takes ${taken.map(([name]) => NAMES[name as keyof Offload]).join(', ')}`)
}

const NAMES: Record<keyof Offload, string> = {
  checksum: 'checksums',
  tcp4: 'TCP segmentation',
  tcp6: 'TCP segmentation over IPv6',
  udp: 'UDP segmentation',
}

function checkIpv6(): MachineCheck {
  const path = '/proc/sys/net/ipv6/conf/all/disable_ipv6'
  const isOn = existsSync(path) && readFileSync(path, 'utf8').trim() === '0'
  const found = isOn ? 'the kernel has IPv6' : 'the kernel has no IPv6, or it is switched off'
  return check(
    'ipv6',
    isOn,
    found,
    'It works with IPv4 alone; switch it on with "sysctl net.ipv6.conf.all.disable_ipv6=0".',
  )
}
