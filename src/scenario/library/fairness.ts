// Four controllers come one after the other to one bottleneck.
import type { Scenario } from '../scenario.ts'

const senders = [
  { name: 'cubic', controller: 'cubic', start: 0 },
  { name: 'second cubic', controller: 'cubic', start: 5000 },
  { name: 'reno', controller: 'reno', start: 10_000 },
  { name: 'bbr', controller: 'bbr', start: 15_000 },
] as const

export const fairness: Scenario = {
  title: 'Who gets how much of a bottleneck',
  about:
    'Four transfers share 40 Mbit/s and 40 ms, with a queue of a round trip. Every five seconds one more comes. Those of one kind come to equal shares; what reno and BBR get beside CUBIC depends on the queue.',
  length: 60_000,
  hosts: {
    ...Object.fromEntries(senders.map(({ name }) => [`${name} sender`, {}])),
    router: { router: true },
    receiver: {},
  },
  links: [
    { between: ['router', 'receiver'], both: { rate: 40, delay: 10, queue: 133 } },
    ...senders.map(({ name }) => ({
      between: [`${name} sender`, 'router'] as const,
      both: { rate: 1000, delay: 10 },
    })),
  ],
  flows: senders.map(({ name, controller, start }) => ({
    name,
    controller,
    start,
    from: `${name} sender`,
    to: 'receiver',
  })),
  plots: ['goodput', 'queue'],
}
