// A page over HTTP/1.1 and over HTTP/2, on one connection each, over paths that lose packets.
import type { Scenario } from '../scenario.ts'

const page = [
  { name: 'picture', size: 600_000 },
  { name: 'small', size: 30_000, count: 6 },
]
const path = (server: string, client: string) => ({
  between: [server, client] as const,
  both: { rate: 10, delay: 40, queue: 100 },
  forward: { loss: 0.01 },
})

export const headOfLine: Scenario = {
  title: 'HTTP/1.1 beside HTTP/2',
  about:
    'Head-of-line blocking. A page of one large and six small resources, on one connection over 10 Mbit/s and 80 ms, which loses one packet in 100. Over HTTP/1.1 the large one goes first and the small ones wait for it, each also for the one before it and for a round trip. ' +
    'Over HTTP/2 all are asked for at once, and their frames take turns: the small ones are there long before the large one. But TCP delivers in order: one lost packet stops every response that is open, not the one alone that it belonged to (the column "longest stall").',
  length: 4000,
  hosts: { 'server 1': {}, 'client 1': {}, 'server 2': {}, 'client 2': {} },
  links: [path('server 1', 'client 1'), path('server 2', 'client 2')],
  flows: [
    { http: '1.1', client: 'client 1', server: 'server 1', resources: page },
    { http: '2', client: 'client 2', server: 'server 2', resources: page },
  ],
  plots: ['responses'],
}
