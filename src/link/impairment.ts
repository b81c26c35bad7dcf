// What can be wrong with a path, one way: the settings that a user gives, their defaults and their limits.
// Milliseconds, fractions of all packets, Mbit/s, packets and octets.

export interface BurstLoss {
  /** The fraction of all packets that is lost in bursts. */
  fraction: number
  /** How many packets a burst takes on average. */
  length: number
}

/** Everything is optional, and what isn't named stays as it was. */
export interface Impairment {
  /** Every packet takes so many milliseconds. */
  delay?: number
  /** Up to so many milliseconds more or less, evenly drawn. The order of packets is kept; `reorder` changes it. */
  jitter?: number
  /** The fraction of packets that is lost, each by itself. */
  loss?: number
  /** Loss in bursts, beside `loss`: a Gilbert model, which loses everything while it is in its bad state. */
  burstLoss?: BurstLoss | null
  /** The fraction of packets that falls behind those sent after it, by `reorderDelay`. */
  reorder?: number
  /** Milliseconds; half the delay unless said otherwise, and at least one. */
  reorderDelay?: number | null
  /** The fraction of packets that arrives twice. */
  duplicate?: number
  /** The fraction of packets that arrives with one burst of fewer than 16 flipped bits, which a checksum always catches. */
  corrupt?: number
  /** The fraction of packets that allow it (RFC 3168) that arrives with a congestion mark. */
  mark?: number
  /** Mbit/s at which packets leave one after the other; Infinity for no limit. */
  rate?: number
  /** Packets that wait behind the one that is leaving, when there is a rate: 1,000 unless said otherwise. The tail is dropped. */
  queue?: number
  /** Packets longer than this vanish without a word. */
  mtu?: number
}

export type ImpairmentSettings = Required<Impairment>

/** The same impairment in both directions, or one for each of two that are named. */
export type EachWay<Direction extends string> = Impairment | { readonly [Each in Direction]?: Impairment }

/** A path with nothing wrong. `impair(UNIMPAIRED)` puts everything right. */
export const UNIMPAIRED: Readonly<ImpairmentSettings> = Object.freeze({
  delay: 0,
  jitter: 0,
  loss: 0,
  burstLoss: null,
  reorder: 0,
  reorderDelay: null,
  duplicate: 0,
  corrupt: 0,
  mark: 0,
  rate: Number.POSITIVE_INFINITY,
  queue: 1000,
  mtu: Number.POSITIVE_INFINITY,
})

/** The settings with the changes made; throws a RangeError of one sentence for what can't be. */
export function change(settings: ImpairmentSettings, changes: Impairment): ImpairmentSettings {
  const changed = { ...settings }
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in UNIMPAIRED)) {
      throw new RangeError(`there is no impairment '${name}'; there are ${Object.keys(UNIMPAIRED).join(', ')}`)
    }
    if (value !== undefined) Object.assign(changed, { [name]: value })
  }
  check(changed)
  return changed
}

/** Throws a RangeError of one sentence for what can't be. */
export function checkImpairment(impairment: Impairment): void {
  change(UNIMPAIRED, impairment)
}

function check(settings: ImpairmentSettings): void {
  milliseconds('delay', settings.delay)
  milliseconds('jitter', settings.jitter)
  if (settings.reorderDelay !== null) milliseconds('reorderDelay', settings.reorderDelay)
  fraction('loss', settings.loss)
  fraction('reorder', settings.reorder)
  fraction('duplicate', settings.duplicate)
  fraction('corrupt', settings.corrupt)
  fraction('mark', settings.mark)
  if (settings.burstLoss !== null) {
    fraction('burstLoss.fraction', settings.burstLoss.fraction)
    if (!(settings.burstLoss.length >= 1)) {
      throw new RangeError(`burstLoss.length must be at least one packet, not ${settings.burstLoss.length}`)
    }
  }
  if (!(settings.rate > 0)) throw new RangeError(`rate must be more than 0 Mbit/s, not ${settings.rate}`)
  if (!(settings.queue >= 0)) throw new RangeError(`queue must be a number of packets, not ${settings.queue}`)
  if (!(settings.mtu >= 68)) throw new RangeError(`mtu must be at least 68 octets, not ${settings.mtu}`)
}

function milliseconds(name: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new RangeError(`${name} must be a number of milliseconds, not ${value}`)
  }
}

function fraction(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be a fraction from 0 to 1, not ${value}`)
}

/** Whether packets may pass untouched. */
export function isClear(settings: ImpairmentSettings): boolean {
  return (
    settings.delay === 0 &&
    settings.jitter === 0 &&
    settings.loss === 0 &&
    settings.burstLoss === null &&
    settings.reorder === 0 &&
    settings.duplicate === 0 &&
    settings.corrupt === 0 &&
    settings.mark === 0 &&
    settings.rate === Number.POSITIVE_INFINITY &&
    settings.mtu === Number.POSITIVE_INFINITY
  )
}

/** What is said for each of two directions; nothing is an impairment without settings. */
export function eachWay<One extends string, Other extends string>(
  impairments: EachWay<One | Other>,
  one: One,
  other: Other,
): Record<One | Other, Impairment> {
  const said = impairments as { [name: string]: Impairment | undefined }
  const names = Object.keys(said)
  const isNamed = names.includes(one) || names.includes(other)
  const stray = isNamed ? names.find((name) => name !== one && name !== other) : undefined
  if (stray !== undefined) {
    throw new RangeError(`'${stray}' stands beside '${one}' and '${other}'; put it into one of them`)
  }
  const both = isNamed ? {} : (impairments as Impairment)
  return { [one]: said[one] ?? both, [other]: said[other] ?? both } as Record<One | Other, Impairment>
}
