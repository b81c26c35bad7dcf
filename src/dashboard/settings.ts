// What an experiment can be set to, within which limits, and the settings that are worth a click.

export interface Settings {
  /** Percent of the packets that carry data, and of the acknowledgments. */
  readonly loss: number
  readonly ackLoss: number
  /** Percent that falls behind. */
  readonly reorder: number
  /** Milliseconds, one way. */
  readonly delay: number
  /** Mbit/s, both ways. */
  readonly rate: number
  /** Packets that the bottleneck holds. */
  readonly queue: number
  readonly controller: Controller
  readonly sack: boolean
  /** Octets that the server sends. */
  readonly size: number
  readonly seed: number
}

export const CONTROLLERS = ['cubic', 'reno', 'bbr'] as const
export type Controller = (typeof CONTROLLERS)[number]

export const DEFAULTS: Settings = {
  loss: 1,
  ackLoss: 0,
  reorder: 0,
  delay: 25,
  rate: 10,
  queue: 50,
  controller: 'cubic',
  sack: true,
  size: 1_000_000,
  seed: 1,
}

/** A setting that is a number: the slider goes from 0 to 1, even steps for some, even ratios for others. */
export interface Range {
  readonly name: keyof Settings & ('loss' | 'ackLoss' | 'reorder' | 'delay' | 'rate' | 'queue' | 'size')
  readonly label: string
  readonly from: number
  readonly to: number
  readonly grows: 'evenly' | 'by ratio'
  readonly show: (value: number) => string
}

const percent = (value: number) => (value === 0 ? 'none' : `${value} %`)

export const RANGES: readonly Range[] = [
  { name: 'loss', label: 'Loss', from: 0, to: 20, grows: 'evenly', show: percent },
  { name: 'delay', label: 'Delay, one way', from: 1, to: 500, grows: 'by ratio', show: (value) => `${value} ms` },
  { name: 'rate', label: 'Rate', from: 0.1, to: 100, grows: 'by ratio', show: (value) => `${value} Mbit/s` },
  {
    name: 'queue',
    label: 'Queue',
    from: 1,
    to: 1000,
    grows: 'by ratio',
    show: (value) => `${value} packet${value === 1 ? '' : 's'}`,
  },
  { name: 'size', label: 'Size', from: 1000, to: 10_000_000, grows: 'by ratio', show: shortOctets },
]

export const MORE_RANGES: readonly Range[] = [
  { name: 'ackLoss', label: 'Loss of ACKs', from: 0, to: 50, grows: 'evenly', show: percent },
  { name: 'reorder', label: 'Reordering', from: 0, to: 20, grows: 'evenly', show: percent },
]

export function shortOctets(value: number): string {
  if (value >= 1e6) return `${value / 1e6} MB`
  return value >= 1000 ? `${value / 1000} kB` : `${value} octets`
}

/** Two digits are all that a slider can be set to. */
export function valueAt({ from, to, grows }: Range, place: number): number {
  const value = grows === 'evenly' ? from + (to - from) * place : from * (to / from) ** place
  if (grows === 'evenly') return Math.round(value * 10) / 10
  return Number(value.toPrecision(value >= 100 || value < 10 ? 2 : 3))
}

export function placeOf({ from, to, grows }: Range, value: number): number {
  const place = grows === 'evenly' ? (value - from) / (to - from) : Math.log(value / from) / Math.log(to / from)
  return Math.min(1, Math.max(0, place))
}

export interface Preset {
  readonly name: string
  readonly what: string
  readonly settings: Partial<Settings>
}

export const PRESETS: readonly Preset[] = [
  { name: 'Clean', what: 'Slow start, and nothing goes wrong', settings: { loss: 0, size: 300_000, queue: 200 } },
  { name: 'Lossy', what: 'One packet in fifty is lost', settings: { loss: 2, size: 1_000_000 } },
  {
    name: 'Full queue',
    what: 'The sender fills the bottleneck until it spills',
    settings: { loss: 0, rate: 4, queue: 20, size: 1_500_000 },
  },
  {
    name: 'Bloated',
    what: 'A queue so long that everything waits in it',
    settings: { loss: 0, rate: 2, queue: 500, delay: 10, size: 1_500_000 },
  },
  {
    name: 'Satellite',
    what: '270 ms each way',
    settings: { loss: 0.1, delay: 270, rate: 20, queue: 400, size: 3_000_000 },
  },
  {
    name: 'Reordered',
    what: 'Packets overtake each other',
    settings: { loss: 0, reorder: 5, size: 600_000, queue: 200 },
  },
  { name: 'No SACK', what: 'Three losses, told of one at a time', settings: { loss: 3, sack: false, size: 400_000 } },
]
