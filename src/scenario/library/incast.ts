// Many answer one at the same moment through a switch with a short queue, as in a data centre.
import type { Scenario } from '../scenario.ts'

const WORKERS = 32
const names = Array.from({ length: WORKERS }, (_, place) => `worker ${place + 1}`)

export const incast: Scenario = {
  title: 'Incast',
  about:
    `${WORKERS} workers send 256 kB each to one client at the same moment, through a switch with a queue of 64 packets and 1 Gbit/s behind it. Their first windows alone are five times the queue. ` +
    'Whoever loses the last packets of a window has nothing that tells of it but a probe of the tail or the timer, and the link idles meanwhile.',
  length: 800,
  hosts: { client: {}, switch: { router: true }, ...Object.fromEntries(names.map((name) => [name, {}])) },
  links: [
    { between: ['switch', 'client'], both: { rate: 1000, delay: 0.02, queue: 64 } },
    ...names.map((name) => ({ between: [name, 'switch'] as const, both: { rate: 1000, delay: 0.02, queue: 1000 } })),
  ],
  flows: names.map((from) => ({ name: 'worker', from, to: 'client', size: 262_144, start: 1 })),
  plots: ['goodput', 'queue'],
}
