// Names on a stack. The kernel's resolver is never asked behind anybody's back: without a resolver of the user's own there are literals,
// `localhost` and the stack's table of hosts, and everything else is ENOTFOUND. `'system'` is `dns.lookup`, on purpose.
// `lookup` has the shape of `dns.lookup`, and is the default one of everything on the stack.
import dns from 'node:dns'
import { isIP } from 'node:net'
import { invalidArgValue, lookupException } from './errors.ts'

export interface LookupAddress {
  address: string
  family: number
}

/** Addresses of a name, in the order in which they shall be tried. `dns.promises.lookup` is one. */
export type Resolver = (
  hostname: string,
  options: { family: 0 | 4 | 6; all: true },
) => Promise<readonly (string | LookupAddress)[] | string | LookupAddress>

export interface LookupOptions {
  family?: number | string | null
  all?: boolean
  hints?: number
}

export type LookupCallback = (
  error: Error | null,
  address?: string | LookupAddress[],
  family?: number,
  hostname?: string,
) => void

type SystemCallback = (error: Error | null, addresses: LookupAddress[]) => void

export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void

export interface NameOptions {
  /** Without one only literals, `localhost` and `hosts` resolve. */
  resolver?: Resolver | 'system'
  /** Names and their addresses. */
  hosts?: Readonly<Record<string, string | readonly string[]>>
}

const HINTS = dns.ADDRCONFIG | dns.ALL | dns.V4MAPPED
/** As they are asked for by number, for every datagram. */
const OF_FAMILY: Readonly<Record<number, LookupOptions>> = { 4: { family: 4 }, 6: { family: 6 } }
const LOCALHOST = ['127.0.0.1', '::1']

export class Names {
  readonly #hosts = new Map<string, readonly string[]>()
  readonly #resolver: Resolver | null
  /** What no table knows is `dns.lookup`'s affair, as it stands when it is asked. */
  readonly #isSystem: boolean

  constructor({ resolver, hosts = {} }: NameOptions) {
    this.#isSystem = resolver === 'system'
    this.#resolver = resolver === 'system' ? null : (resolver ?? null)
    for (const [name, addresses] of Object.entries(hosts)) {
      const list = typeof addresses === 'string' ? [addresses] : addresses
      for (const one of list) if (isIP(one) === 0) throw new TypeError(`'${one}' is not an IP address`)
      this.#hosts.set(canonical(name), list)
    }
  }

  /** `dns.lookup`: the options may be left out. */
  readonly lookup = (hostname: string, given: LookupOptions | number | LookupCallback, last?: LookupCallback): void => {
    const options =
      typeof given === 'function' ? {} : typeof given === 'number' ? (OF_FAMILY[given] ?? { family: given }) : given
    const { family = 0, hints = 0 } = options
    if (![0, 4, 6, null, 'IPv4', 'IPv6'].includes(family)) {
      throw invalidArgValue('options.family', family, 'must be one of: 0, 4, 6')
    }
    if ((hints & ~HINTS) !== 0) throw invalidArgValue('hints', hints)
    const callback = (typeof given === 'function' ? given : last) as LookupCallback
    if (this.#isSystem && this.#table(hostname) === null) {
      dns.lookup(hostname, options as dns.LookupAllOptions, callback as SystemCallback)
      return
    }
    // As `dns.lookup`: a literal is what it is, whatever family was asked for.
    const literal = isIP(hostname)
    if (literal !== 0) {
      if (options.all) process.nextTick(callback, null, [{ address: hostname, family: literal }])
      else process.nextTick(callback, null, hostname, literal)
      return
    }
    this.#find(hostname, familyOf(options.family)).then(
      (found) => process.nextTick(answer, found, options, callback, hostname),
      (error) => process.nextTick(callback, error),
    )
  }

  async #find(hostname: string, family: 0 | 4 | 6): Promise<LookupAddress[]> {
    const known = this.#table(hostname)
    if (known !== null) return known.map(withFamily).filter((one) => family === 0 || one.family === family)
    if (this.#resolver === null) return []
    const found = await this.#resolver(hostname, { family, all: true })
    return (Array.isArray(found) ? found : [found]).map(withFamily)
  }

  #table(hostname: string): readonly string[] | null {
    const name = canonical(hostname)
    // RFC 6761 §6.3: localhost never leaves the host.
    const isLocal = name === 'localhost' || name.endsWith('.localhost')
    return this.#hosts.get(name) ?? (isLocal ? LOCALHOST : null)
  }
}

function answer(found: LookupAddress[], options: LookupOptions, callback: LookupCallback, hostname: string): void {
  if (found.length === 0) callback(lookupException('ENOTFOUND', hostname))
  else if (options.all) callback(null, found)
  else callback(null, found[0].address, found[0].family)
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function familyOf(family: LookupOptions['family']): 0 | 4 | 6 {
  if (family === 4 || family === 'IPv4') return 4
  return family === 6 || family === 'IPv6' ? 6 : 0
}

function withFamily(one: string | LookupAddress): LookupAddress {
  return typeof one === 'string' ? { address: one, family: isIP(one) } : one
}
