// TCP on bad paths: goodput beside the kernel's, through the same troubles, with the same controller. Ten pairs of runs, taken in turns.
// SECONDS=… has each run last longer or shorter, PAIRS=… has more or fewer of them.
import type { Impairment } from '../../src/index.ts'
import type { Claim } from './claim.ts'
import type { Switch } from './kernel-tcp.ts'
import { type Control, Paths } from './recovery-path.ts'

const MILLISECONDS = Number(process.env.SECONDS ?? 4) * 1000
const PAIRS = Number(process.env.PAIRS ?? 10)
const BAR = 0.95

interface Trouble {
  name: string
  impairment: Impairment
}

const LOSS: Trouble = { name: '20 ms and 1% loss each way', impairment: { delay: 10, loss: 0.01 } }
const TROUBLES: Trouble[] = [
  LOSS,
  { name: '20 ms and 3% reordering each way', impairment: { delay: 10, reorder: 0.03 } },
  { name: '100 ms clean', impairment: { delay: 50 } },
  { name: '20 ms and 10 Mbit/s behind a queue of 1,000 packets', impairment: { delay: 10, rate: 10, queue: 1000 } },
]

function compare({ name, impairment }: Trouble, control: Control, peer: string, without: Switch[] = []): Claim {
  return {
    name: `${control}, ${name}, to ${peer}: goodput beside the kernel's, ${PAIRS} pairs of ${MILLISECONDS / 1000} s`,
    bar: `the median at least ${BAR} of the kernel's`,
    async measure() {
      const paths = await Paths.open(control, MILLISECONDS - 200, without)
      try {
        paths.impair(impairment)
        const [theirs, ours]: [number[], number[]] = [[], []]
        for (let seed = 1; seed <= PAIRS; seed++) {
          theirs.push(await paths.kernel(seed, MILLISECONDS))
          ours.push(await paths.ours(seed, MILLISECONDS))
        }
        const ratio = median(ours) / median(theirs)
        const { tcpRetransmitted = 0, tcpTimeouts = 0 } = paths.counters()
        return {
          figure: `${ratio.toFixed(2)}: ours ${range(ours)}, the kernel's ${range(theirs)} Mbit/s, ${tcpRetransmitted} sent again, ${tcpTimeouts} timeouts`,
          holds: ratio >= BAR,
        }
      } finally {
        await paths.close()
      }
    },
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function range(values: number[]): string {
  return `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`
}

const CONTROLS: Control[] = ['cubic', 'bbr']

export const claims: Claim[] = [
  ...CONTROLS.flatMap((control) => TROUBLES.map((trouble) => compare(trouble, control, 'a kernel'))),
  compare(LOSS, 'cubic', 'a kernel without SACK', ['tcp_sack']),
  compare(LOSS, 'cubic', 'a kernel without timestamps', ['tcp_timestamps']),
]
