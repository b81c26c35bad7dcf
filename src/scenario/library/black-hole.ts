// In the middle of a transfer the path begins to swallow long packets without a word.
import type { Scenario } from '../scenario.ts'

export const blackHole: Scenario = {
  title: 'A black hole for long packets',
  about:
    'A transfer over 20 Mbit/s and 40 ms. After 3 s a router that says nothing passes packets of 1,400 octets at most, as behind a tunnel whose ICMP messages are filtered. ' +
    'The sender sees losses that smaller packets do not share, tries shorter segments (RFC 4821, RFC 8899), finds what passes, and goes on.',
  length: 12_000,
  hosts: { sender: {}, receiver: {} },
  links: [
    {
      between: ['sender', 'receiver'],
      both: { rate: 20, delay: 20, queue: 200 },
      changes: [{ at: 3000, forward: { mtu: 1400 } }],
    },
  ],
  flows: [{ name: 'cubic', from: 'sender', to: 'receiver' }],
  plots: ['goodput', 'window'],
}
