// A queue of a second before a slow link: a transfer fills it, and a page has to wait behind it. Beside it the same with BBR.
import type { Scenario, ScenarioFlow } from '../scenario.ts'

const PATIENT = { receiveBufferInitial: 4_194_304 }

const path = (one: string, other: string) => ({
  between: [one, other] as const,
  both: { rate: 10, delay: 15, queue: 850 },
})
const page = (name: string, server: string, client: string): ScenarioFlow => ({
  name,
  http: '1.1',
  client,
  server,
  start: 10_000,
  resources: [{ name: 'small', size: 15_000, count: 3 }],
})

export const bufferbloat: Scenario = {
  title: 'Bufferbloat',
  about:
    'A transfer over 10 Mbit/s and 30 ms, before which a queue holds a second of packets. CUBIC fills it, since nothing is lost before it is full, and a page of three small resources ' +
    'that somebody asks for after ten seconds waits in it each time. The same on a path of its own with BBR, which keeps the queue short.',
  length: 20_000,
  // A receiver that tunes its window to what it is given would keep the queue short by itself.
  hosts: { 'server a': {}, 'client a': { tcp: PATIENT }, 'server b': {}, 'client b': { tcp: PATIENT } },
  links: [path('server a', 'client a'), path('server b', 'client b')],
  flows: [
    { name: 'cubic', controller: 'cubic', from: 'server a', to: 'client a' },
    { name: 'bbr', controller: 'bbr', from: 'server b', to: 'client b' },
    page('page beside cubic', 'server a', 'client a'),
    page('page beside bbr', 'server b', 'client b'),
  ],
  plots: ['rtt', 'queue'],
}
