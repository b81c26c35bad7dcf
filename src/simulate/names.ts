// What names stand for in a simulated network, and what each host's resolver makes of it: it answers, is slow, fails or lies.
// Nothing is cached: whoever looks a name up again gets what holds then. Asked by `host.resolver.resolve`, and in Node by `dns`.
import type { Time } from '../core/environment.ts'
import { parseAddress } from '../core/ip/address.ts'

/**
 * How looking up a name fails. `NXDOMAIN`: there is no such name (Node says ENOTFOUND). `SERVFAIL`: the name server could not find out, so that
 * one may ask again (EAI_AGAIN). `timeout`: nobody answers, which is told after the resolver's `timeout` (EAI_AGAIN too).
 */
export type NameFailure = 'NXDOMAIN' | 'SERVFAIL' | 'timeout'

/** What comes of a question, and after how many milliseconds. */
export interface NameAnswer {
  readonly delay: number
  readonly failure: NameFailure | null
  /** In the order in which they shall be tried; empty where it failed. */
  readonly addresses: readonly string[]
}

export class NameError extends Error {
  readonly failure: NameFailure

  constructor(name: string, failure: NameFailure) {
    super(`'${name}' can't be resolved: ${WORDS[failure]}`)
    this.name = 'NameError'
    this.failure = failure
  }
}

const WORDS: Record<NameFailure, string> = {
  NXDOMAIN: 'there is no such name (NXDOMAIN); name a host so, or say what it stands for with network.names.set',
  SERVFAIL: 'the name server could not find out (SERVFAIL)',
  timeout: 'no name server answers',
}

/** Milliseconds after which a question that nobody answers has failed. */
const PATIENCE = 5000

/** The names of a network: those of its hosts, and those that were set. */
export class Names {
  readonly #set = new Map<string, readonly string[]>()
  readonly #ofHost: (name: string) => readonly string[] | null
  readonly #tell: (text: string) => void

  constructor(ofHost: (name: string) => readonly string[] | null, tell: (text: string) => void) {
    this.#ofHost = ofHost
    this.#tell = tell
  }

  /**
   * What a name stands for from now on, for everybody: addresses, or hosts by their names. A name of a host may be pointed elsewhere too, as one
   * does to move clients to another server.
   */
  set(name: string, ...targets: readonly string[]): void {
    const addresses = targets.flatMap((target) => this.#addresses(target))
    if (addresses.length === 0) throw new TypeError(`'${name}' must stand for at least one address or host`)
    this.#set.set(canonicalName(name), addresses)
    this.#tell(`the name ${name} stands for ${targets.join(', ')} now`)
  }

  /** The name stands for what it stood for before `set`: its host, or nothing. */
  unset(name: string): void {
    if (this.#set.delete(canonicalName(name))) this.#tell(`the name ${name} stands for what it did at first`)
  }

  /** Null for a name that nobody has. */
  find(name: string): readonly string[] | null {
    return this.#set.get(canonicalName(name)) ?? this.#ofHost(canonicalName(name))
  }

  #addresses(target: string): readonly string[] {
    if (parseAddress(target) !== null) return [target]
    const found = this.find(target)
    if (found === null) throw new Error(`'${target}' is neither an IP address nor the name of a host`)
    return found
  }
}

interface Rule {
  readonly failure: NameFailure | null
  readonly addresses: readonly string[]
}

/** One host's resolver. What is said of no name in particular holds for all names. */
export class Resolver {
  /** Milliseconds until an answer comes: 0 unless said otherwise. */
  delay = 0
  /** Milliseconds until a question that nobody answers has failed: 5,000 unless said otherwise. */
  timeout = PATIENCE
  readonly #names: Names
  readonly #time: Time
  readonly #tell: (text: string) => void
  readonly #failed: (name: string, text: string) => void
  readonly #rules = new Map<string, Rule>()

  /** `tell` is told what a test does to it, `failed` what that leads to. */
  constructor(
    names: Names,
    time: Time,
    tell: (text: string) => void,
    failed: (name: string, text: string) => void = () => {},
  ) {
    this.#names = names
    this.#time = time
    this.#tell = tell
    this.#failed = failed
  }

  /** From now on looking up the name (every name, if none is given) fails. Connections that stand are not touched. */
  fail(failure: NameFailure, name?: string): void {
    if (!(failure in WORDS)) {
      throw new TypeError(`a resolver fails with ${Object.keys(WORDS).join(', ')}, not with '${failure}'`)
    }
    this.#rules.set(keyOf(name), { failure, addresses: [] })
    this.#tell(`looking up ${name ?? 'names'} fails: ${failure}`)
  }

  /** From now on the name stands for these addresses here, whatever they are: an entry that is out of date, or a forged one. */
  lie(name: string, ...addresses: readonly string[]): void {
    for (const one of addresses) if (parseAddress(one) === null) throw new TypeError(`'${one}' is not an IP address`)
    this.#rules.set(keyOf(name), { failure: null, addresses })
    this.#tell(`the resolver says that ${name} is ${addresses.join(', ')}`)
  }

  /** It answers, and tells the truth, again: of that name, or of all. */
  heal(name?: string): void {
    if (name === undefined) this.#rules.clear()
    else this.#rules.delete(keyOf(name))
    this.#tell(`looking up ${name ?? 'names'} works again`)
  }

  /** What comes of looking it up now. Whoever asks waits for `delay` by itself. An address is its own answer. */
  answer(name: string, family: 0 | 4 | 6 = 0): NameAnswer {
    if (parseAddress(name) !== null) return { delay: 0, failure: null, addresses: [name] }
    const rule = this.#rules.get(keyOf(name)) ?? this.#rules.get(EVERY)
    const found = rule ?? { failure: null, addresses: this.#names.find(name) ?? [] }
    if (found.failure !== null || found.addresses.length === 0) {
      this.#failed(name, `'${name}' can't be resolved: ${WORDS[found.failure ?? 'NXDOMAIN']}`)
    }
    if (found.failure === 'timeout') return { delay: this.timeout, failure: 'timeout', addresses: [] }
    const addresses = found.addresses.filter((one) => family === 0 || (family === 6) === one.includes(':'))
    const failure = found.failure ?? (addresses.length === 0 ? 'NXDOMAIN' : null)
    return { delay: this.delay, failure, addresses: failure === null ? addresses : [] }
  }

  /** Looks a name up in the host's time. A failure is a `NameError`. */
  resolve(name: string, family: 0 | 4 | 6 = 0): Promise<readonly string[]> {
    const { delay, failure, addresses } = this.answer(name, family)
    return new Promise((resolve, reject) => {
      this.#time.after(delay, () => {
        if (failure === null) resolve(addresses)
        else reject(new NameError(name, failure))
      })
    })
  }
}

const EVERY = '*'

function keyOf(name: string | undefined): string {
  return name === undefined ? EVERY : canonicalName(name)
}

/** By what a host is found: its name must be one that can be looked up. */
export function hostKey(name: string): string {
  if (typeof name === 'string' && name !== '' && parseAddress(name) === null) return canonicalName(name)
  throw new TypeError(`a host needs a name, not ${JSON.stringify(name)}`)
}

/** Names are the same in capitals and in small letters, as in DNS. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
