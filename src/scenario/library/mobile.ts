// A phone on a train: for more than a second the network holds every packet, later it loses all of them for two.
import type { Scenario } from '../scenario.ts'

export const mobile: Scenario = {
  title: 'A mobile network that pauses',
  about:
    'A transfer over 20 Mbit/s and 60 ms. After 3 s the network holds every packet for 1.2 s and then delivers them all: the timer has expired for nothing, which acknowledgments that were already on their way show (RFC 5682, RFC 4015), ' +
    'and the window is given back. After 7 s everything is lost for 2 s, as in a tunnel: the timer backs off, and what the next try costs is the time until it expires.',
  length: 14_000,
  hosts: { server: {}, phone: {} },
  links: [
    {
      between: ['server', 'phone'],
      both: { rate: 20, delay: 30, queue: 1500 },
      changes: [
        // At this rate a packet of 1,500 octets takes 1.2 s, and those behind it wait.
        { at: 3000, forward: { rate: 0.01 } },
        { at: 4100, forward: { rate: 20 } },
        { at: 7000, cut: 'both' },
        { at: 9000, heal: 'both' },
      ],
    },
  ],
  flows: [{ name: 'cubic', from: 'server', to: 'phone' }],
  plots: ['goodput', 'window', 'rtt'],
}
