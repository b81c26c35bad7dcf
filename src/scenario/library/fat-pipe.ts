// One transfer over a long, fast and clean path: slow start, its end, and a full pipe.
import type { Scenario } from '../scenario.ts'

export const fatPipe: Scenario = {
  title: 'A clean fat pipe',
  about:
    'One transfer over 200 Mbit/s and 80 ms with nothing wrong. The window doubles each round trip until the round trip grows (HyStart++), ' +
    'then it climbs slowly to what the path holds, and nothing is ever lost.',
  length: 5000,
  hosts: { sender: {}, receiver: {} },
  links: [{ between: ['sender', 'receiver'], both: { rate: 200, delay: 40, queue: 2000 } }],
  flows: [{ name: 'cubic', from: 'sender', to: 'receiver' }],
  plots: ['window', 'goodput'],
}
