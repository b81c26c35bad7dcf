// One transfer over a long, fast and clean path: slow start, its end, a full queue and a full pipe.
import type { Scenario } from '../scenario.ts'

/** Buffers of the usual size would be the limit, and not the path. */
const LARGE = 16_777_216

export const fatPipe: Scenario = {
  title: 'A clean fat pipe',
  about:
    'One transfer over 200 Mbit/s and 80 ms that loses nothing by itself. The window doubles each round trip until the round trip grows (HyStart++), then it grows more slowly until the queue runs over. ' +
    'It falls to seven tenths of what was in flight and climbs along its cubic. The link is never idle: what goodput lacks while a hole is repaired waits behind it, and comes at once.',
  length: 5000,
  hosts: { sender: { tcp: { sendBufferMost: LARGE } }, receiver: { tcp: { receiveBufferMost: LARGE } } },
  links: [{ between: ['sender', 'receiver'], both: { rate: 200, delay: 40, queue: 2000 } }],
  flows: [{ name: 'cubic', from: 'sender', to: 'receiver' }],
  plots: ['window', 'goodput'],
}
