// The TUN device of a command: its options, whether they make sense together, and opening it.
// The kernel's end of the device is called the host here, the stack's end the address.
import type { Command } from 'cac'
import { parsePrefix, type TunLink, type TunRoute, tun } from '../index.ts'
import type { Options } from './options.ts'
import { Exit, exitCodeOf, say, usageError } from './output.ts'

/** One family on the device: both ends, with their prefix lengths. */
export interface Ends {
  readonly host: string
  readonly address: string
}

export interface DeviceSettings {
  readonly name: string
  readonly netns: string | null
  readonly ipv4: Ends
  /** Null: without IPv6. */
  readonly ipv6: Ends | null
  /** IPv6 was asked for by name, so that going on without it would be wrong. */
  readonly isIpv6Wanted: boolean
  readonly mtu: number
  readonly offload: boolean | 'software'
}

/** A second device has its options too, with a 2 in their names. */
type Suffix = '' | '2'

const OFFLOADS = { on: true, software: 'software', off: false } as const
const DEFAULTS = {
  '': { tun: 'tun0', host: '10.7.0.1/24', address: '10.7.0.2/24', host6: 'fd00:7::1/64', address6: 'fd00:7::2/64' },
  '2': { tun: 'tun1', host: '10.8.0.1/24', address: '10.8.0.2/24', host6: 'fd00:8::1/64', address6: 'fd00:8::2/64' },
} as const

const LEAST_MTU = 68
const LEAST_MTU_IPV6 = 1280
const LARGEST_MTU = 65_535

export function addDeviceOptions(command: Command): Command {
  const { tun: name, host, address, host6, address6 } = DEFAULTS['']
  return command
    .option('--tun <name>', 'The TUN device, made if there is none of that name', { default: name })
    .option('--host <address>', "The kernel's address on it, with its prefix length", { default: host })
    .option('--address <address>', "The stack's address on it", { default: address })
    .option('--host6 <address>', "The kernel's IPv6 address", { default: host6 })
    .option('--address6 <address>', "The stack's IPv6 address", { default: address6 })
    .option('--no-ipv6', 'IPv4 alone')
    .option('--mtu <octets>', 'The longest packet', { default: 1500 })
    .option('--netns <name>', 'Makes the device in that network namespace')
    .option(
      '--offload <on|software|off>',
      'Leaves checksums and segmentation to the kernel where it offers that, or to the addon; off: every packet is seen by itself',
      { default: 'on' },
    )
}

export function addSecondDeviceOptions(command: Command): Command {
  const { tun: name, host, address, host6, address6 } = DEFAULTS['2']
  return command
    .option('--tun2 <name>', 'With --forward: the second device', { default: name })
    .option('--host2 <address>', "The kernel's address on it", { default: host })
    .option('--address2 <address>', "The stack's address on it", { default: address })
    .option('--host2-6 <address>', "The kernel's IPv6 address on it", { default: host6 })
    .option('--address2-6 <address>', "The stack's IPv6 address on it", { default: address6 })
    .option('--netns2 <name>', 'The network namespace of the second device', { default: 'that of the first' })
    .option('--mtu2 <octets>', 'The longest packet on the second device', { default: 'that of the first' })
}

export function readDevice(options: Options, suffix: Suffix = ''): DeviceSettings {
  const defaults = DEFAULTS[suffix]
  const six = suffix === '' ? '6' : `${suffix}-6`
  const name = options.text(`tun${suffix}`) ?? defaults.tun
  if (!/^[^\s/:]{1,15}$/.test(name))
    throw usageError(`--tun${suffix} is a name of 1 to 15 characters without spaces, "/" and ":", not "${name}".`)
  const hasIpv6 = !options.isOff('ipv6')
  const ipv4 = readEnds(options, `host${suffix}`, `address${suffix}`, defaults.host, defaults.address, false)
  const isIpv6Wanted = options.text(`host${six}`) !== null || options.text(`address${six}`) !== null
  const ipv6 = hasIpv6
    ? readEnds(options, `host${six}`, `address${six}`, defaults.host6, defaults.address6, true)
    : null
  const firstMtu = options.integer('mtu', 1500, LEAST_MTU, LARGEST_MTU)
  const mtu = suffix === '' ? firstMtu : options.integer('mtu2', firstMtu, LEAST_MTU, LARGEST_MTU)
  if (mtu < LEAST_MTU_IPV6 && isIpv6Wanted)
    throw usageError(`IPv6 needs an MTU of ${LEAST_MTU_IPV6} at least, and this is ${mtu}.`)
  return {
    name,
    netns: (suffix === '' ? null : options.text('netns2')) ?? options.text('netns'),
    ipv4,
    ipv6: mtu < LEAST_MTU_IPV6 ? null : ipv6,
    isIpv6Wanted,
    mtu,
    offload: OFFLOADS[options.choice('offload', 'on', ['on', 'software', 'off'])],
  }
}

function readEnds(
  options: Options,
  hostName: string,
  addressName: string,
  defaultHost: string,
  defaultAddress: string,
  isIpv6: boolean,
): Ends {
  const host = readPrefix(hostName, options.text(hostName) ?? defaultHost, isIpv6)
  const address = readPrefix(addressName, options.text(addressName) ?? defaultAddress, isIpv6)
  const ours = parsePrefix(address)
  const theirs = parsePrefix(host)
  if (ours?.address.equals(theirs!.address))
    throw usageError(`--${hostName} and --${addressName} are two ends, and both are ${bare(address)}.`)
  if (!ours?.address.isWithin(theirs!.address, theirs!.length) || !theirs?.address.isWithin(ours.address, ours.length))
    throw usageError(`--${hostName} ${host} and --${addressName} ${address} are not in one network.`)
  return { host, address }
}

function readPrefix(name: string, text: string, isIpv6: boolean): string {
  const prefix = parsePrefix(text)
  const example = isIpv6 ? 'fd00:7::2/64' : '10.7.0.2/24'
  if (prefix === null || prefix.address.isIpv4 === isIpv6 || !text.includes('/'))
    throw usageError(
      `--${name} is ${isIpv6 ? 'an IPv6' : 'an IPv4'} address with its prefix length, like ${example}, and this is "${text}".`,
    )
  return text
}

/** Without the prefix length. */
export function bare(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/'))
}

export interface OpenedDevice {
  readonly link: TunLink
  /** As it was made: without IPv6 where the kernel has none. */
  readonly settings: DeviceSettings
}

/** Opens the device and brings it up. Where IPv6 is only our default and the kernel won't have it, goes on without. */
export function openDevice(
  settings: DeviceSettings,
  lost: (error: Error) => void,
  routes: readonly TunRoute[] = [],
): OpenedDevice {
  const { name, netns, ipv4, ipv6, mtu, offload } = settings
  const addresses = ipv6 === null ? [ipv4.host] : [ipv4.host, ipv6.host]
  try {
    const link = tun({
      name,
      ...(netns === null ? {} : { netns }),
      address: addresses,
      routes: routes.filter(({ to }) => ipv6 !== null || !to.includes(':')),
      mtu,
      offload,
      onerror: (error) => (error.code === 'EBADFD' ? lost(error) : say(`tunstack: ${error.message}`)),
    })
    return { link, settings }
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException
    const isAboutAddress = syscall === 'RTM_NEWADDR' && exitCodeOf(error) !== Exit.taken
    if (!isAboutAddress || ipv6 === null || settings.isIpv6Wanted) throw error
    const opened = openDevice({ ...settings, ipv6: null }, lost, routes)
    say(`The kernel has no IPv6 here, so ${name} has IPv4 alone.`)
    return opened
  }
}

/** The network of an end: `10.7.0.2/24` → `10.7.0.0/24`. */
export function networkOf(text: string): string {
  const prefix = parsePrefix(text)!
  const { address } = prefix
  const words = [address.word0, address.word1, address.word2, address.word3].map((word, place) => {
    const bits = Math.max(0, Math.min(32, prefix.length - place * 32))
    return bits === 0 ? 0 : word & (-1 << (32 - bits))
  })
  const network = address.copy().set(words[0], words[1], words[2], words[3])
  return `${network}/${text.slice(text.lastIndexOf('/') + 1)}`
}
