// TCP through a TUN device with the kernel's TCP as the peer: whole, whatever the kernel can or can't, and under a flood of SYNs.
import type { Claim } from './claim.ts'
import { kernelOpens, type Round, type Switch, weOpen } from './kernel-tcp.ts'
import { claim as synFlood } from './syn-flood.ts'

const KERNELS: [string, Switch[]][] = [
  ['a kernel', []],
  ['a kernel without SACK', ['tcp_sack']],
  ['a kernel without timestamps', ['tcp_timestamps']],
  ['a kernel without window scaling', ['tcp_window_scaling']],
  ['a kernel without any of the three', ['tcp_sack', 'tcp_timestamps', 'tcp_window_scaling']],
]

function echoClaim(kernel: string, without: Switch[], offload: boolean): Claim {
  return {
    name: `${kernel}, ${offload ? 'with' : 'without'} offload: 160 MB echoed over eight connections at once, opened by either side, in both families`,
    bar: 'every octet, and the end, four times',
    async measure() {
      const rounds = [...(await kernelOpens(without, offload)), ...(await weOpen(without, offload))]
      const faults = rounds.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`))
      return {
        figure: [...rounds.map(figureOf), ...faults].join(', '),
        holds: faults.length === 0 && rounds.length === 4,
      }
    },
  }
}

/** Throughput is what goes one way; as much comes back meanwhile. */
function figureOf({ name, octets, milliseconds, retransmissions }: Round): string {
  const rate = ((octets * 8) / milliseconds / 1e6).toFixed(2)
  return `${name} ${rate} Gbit/s each way${retransmissions === 0 ? '' : ` (${retransmissions} sent again)`}`
}

export const claims: Claim[] = [
  ...KERNELS.flatMap(([kernel, without]) => [true, false].map((offload) => echoClaim(kernel, without, offload))),
  synFlood,
]
