// The options of a TUN device: what may be asked for, whether it makes sense, and setting the interface up by it.
// Called by `openTun`.
import { isIP } from 'node:net'
import type { Addon } from './addon.ts'
import { TunError } from './tun-error.ts'

const QUEUE_LENGTH = 10_000
const UNCHANGED = -1

export interface TunRoute {
  /** '10.8.0.0/16', '2001:db8::/32', '0.0.0.0/0'. */
  to: string
  /** The next hop; without it, whatever is behind the device. */
  via?: string
}

export interface TunOptions {
  /** 'tun0'. One that exists is attached to (without root, where it was made for this user). Default: the next free 'tunN'. */
  name?: string
  /** A network namespace by name (/run/netns) or by path, in which the device is made. Default: this process's. */
  netns?: string
  /** The kernel's own addresses on it, each with its prefix: '10.7.0.1/24', 'fd00:7::1/64'. */
  address?: string | readonly string[]
  routes?: readonly (string | TunRoute)[]
  /** Default: what the device has, 1500 for a new one. */
  mtu?: number
  /** Packets that wait for us at most before the kernel drops. Default: 10,000, where we may set it. */
  queueLength?: number
  /** Whether to bring it up. Default: true. */
  up?: boolean
  /**
   * `true`: super-segments of up to 64 kB are left to the kernel, or, where it does not offer that, to the native addon. 'software': to
   * the addon in any case, so that the device carries nothing longer than its MTU. Checksums are left to the kernel in both cases, which
   * completes those that leave the machine. `false`: nothing is left to anybody, each packet is handled by itself. Default: true.
   */
  offload?: boolean | 'software'
  /**
   * With `offload: 'software'`: whether the kernel merges the segments that it gets from us (GRO), which makes its receive path much
   * cheaper for bulk and a little dearer for single packets. Set where we may (root). Default: true.
   */
  gro?: boolean
  /**
   * Whether to look for the next packet again for some microseconds before going to sleep, where that has paid lately: after long packets, and
   * after an answer where question and answer take turns. Answers come in half the time or less, and cost no more. Default: true.
   */
  busyPoll?: boolean
  /**
   * Whether four packets or more that leave at once are written with one system call, by io_uring, where the kernel has it (Linux 6.4) and lets
   * us use it. Default: true.
   */
  ioUring?: boolean
  /**
   * Whether super-segments of one flow to the device's own addresses, those that it has when it is opened, are written as one packet of up to
   * 512 kB (Linux 6.3 calls them BIG TCP). Default: true.
   */
  bigTcp?: boolean
  /** Is told what goes wrong while packets move: once a kind, until a packet goes through again. */
  onerror?: (error: TunError) => void
}

interface Network {
  address: string
  prefix: number
}

/** The options, checked and taken apart. */
export interface TunPlan {
  addresses: Network[]
  routes: { to: Network; via: string | null }[]
}

export function planOf(options: TunOptions): TunPlan {
  const { name, netns, mtu, queueLength, offload, gro, busyPoll, ioUring, bigTcp } = options
  if (name !== undefined && !/^[^\s/:]{1,15}$/.test(name))
    throw invalid('name', name, 'has 1 to 15 characters, none of them a space, "/" or ":"')
  if (netns !== undefined && (netns === '' || netns.includes('\0') || Buffer.byteLength(netns) > 255))
    throw invalid('netns', netns, 'is the name of a network namespace or a path to one')
  if (mtu !== undefined && !isWithin(mtu, 68, 65535)) throw invalid('mtu', mtu, 'lies between 68 and 65535')
  if (queueLength !== undefined && !isWithin(queueLength, 0, 1_000_000))
    throw invalid('queueLength', queueLength, 'lies between 0 and 1,000,000')
  if (offload !== undefined && typeof offload !== 'boolean' && offload !== 'software')
    throw invalid('offload', offload, 'is true, false or "software"')
  if (gro !== undefined && typeof gro !== 'boolean') throw invalid('gro', gro, 'is true or false')
  if (busyPoll !== undefined && typeof busyPoll !== 'boolean') throw invalid('busyPoll', busyPoll, 'is true or false')
  if (ioUring !== undefined && typeof ioUring !== 'boolean') throw invalid('ioUring', ioUring, 'is true or false')
  if (bigTcp !== undefined && typeof bigTcp !== 'boolean') throw invalid('bigTcp', bigTcp, 'is true or false')
  const addresses = typeof options.address === 'string' ? [options.address] : (options.address ?? [])
  return {
    addresses: addresses.map((text) => network('address', text)),
    routes: (options.routes ?? []).map((route) => {
      const { to, via } = typeof route === 'string' ? { to: route } : route
      if (via !== undefined && isIP(via) === 0) throw invalid('routes', via, 'goes by an IP address')
      return { to: network('routes', to), via: via ?? null }
    }),
  }
}

function network(option: string, text: string): Network {
  if (typeof text !== 'string') throw invalid(option, text, 'is text')
  const slash = text.lastIndexOf('/')
  const address = text.slice(0, slash)
  const family = slash < 0 ? 0 : isIP(address)
  const prefix = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1
  if (family === 0 || address.includes('%') || !isWithin(prefix, 0, family === 4 ? 32 : 128))
    throw invalid(option, text, 'is written as an IP address, "/" and the length of its prefix, like 10.7.0.1/24')
  return { address, prefix }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function invalid(option: string, value: unknown, rule: string): TunError {
  return new TunError(
    'ERR_INVALID_ARG_VALUE',
    `The option "${option}" of a TUN device ${rule}, and this is ${JSON.stringify(value)}.`,
  )
}

/** Milliseconds, and how many of them at most. */
const PAUSE = 1
const MOST_PAUSES = 300

/** Sets what differs from what the device has: who may only attach to it can still ask for what is so already. */
export function configureTun(addon: Addon, device: number, name: string, options: TunOptions, plan: TunPlan): void {
  let doing = `reading what ${name} is like`
  try {
    const has = addon.facts(device, name)
    if (options.mtu !== undefined && options.mtu !== has.mtu) {
      doing = `setting the MTU of ${name} to ${options.mtu}`
      addon.configure(device, options.mtu, UNCHANGED, UNCHANGED)
    }
    doing = `setting the queue length of ${name}`
    setQueueLength(addon, device, has.queueLength, options.queueLength)
    for (const { address, prefix } of plan.addresses) {
      doing = `giving ${name} the address ${address}/${prefix}`
      addon.addAddress(device, address, prefix)
    }
    doing = `bringing ${name} up`
    if ((options.up ?? true) && has.up === 0) addon.configure(device, UNCHANGED, UNCHANGED, 1)
    if (options.up ?? true) awaitAddresses(addon, device, plan.addresses)
    for (const { to, via } of plan.routes) {
      doing = `adding a route to ${to.address}/${to.prefix} by ${name}`
      addon.addRoute(device, to.address, to.prefix, via)
    }
  } catch (error) {
    const { code = '', errno, syscall } = error as NodeJS.ErrnoException
    if (errno === undefined) throw error
    const what = doing[0].toUpperCase() + doing.slice(1)
    throw new TunError(code, `${what} failed (${code}): ${adviceOf(code, syscall ?? '')}.`, errno, syscall)
  }
}

/** The kernel makes IPv6 addresses usable a moment after the device is up; without this, first packets to them are lost. */
function awaitAddresses(addon: Addon, device: number, addresses: readonly Network[]): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  let patience = MOST_PAUSES
  for (const { address, prefix } of addresses) {
    if (!address.includes(':')) continue
    while (addon.isUsable(device, address, prefix) === 0 && patience-- > 0) Atomics.wait(pause, 0, 0, PAUSE)
  }
}

function setQueueLength(addon: Addon, device: number, has: number, wanted: number | undefined): void {
  const queueLength = wanted ?? Math.max(has, QUEUE_LENGTH)
  if (queueLength === has) return
  try {
    addon.configure(device, UNCHANGED, queueLength, UNCHANGED)
  } catch (error) {
    // Nobody asked for it by name, and the device works with a shorter queue too.
    if (wanted !== undefined || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}

function adviceOf(code: string, syscall: string): string {
  if (code === 'EPERM') return 'it needs CAP_NET_ADMIN, so run as root, or have root do it beforehand with "ip"'
  if (code === 'EACCES') return 'IPv6 may be switched off there, see the sysctl net.ipv6.conf.all.disable_ipv6'
  if (code === 'EEXIST') return 'there is one already by another device'
  if (code === 'EINVAL' && syscall === 'RTM_NEWROUTE') return 'no bit of a route may stand beyond its prefix'
  if (code === 'EINVAL' && syscall === 'RTM_NEWADDR') return 'IPv6 needs an MTU of 1280 at least'
  return 'the kernel refused it'
}
