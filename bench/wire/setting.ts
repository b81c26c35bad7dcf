// What is the same on both sides of a comparison: how long packets may be, who segments, who controls congestion, what is lost.

export type Congestion = 'bbr' | 'cubic'

export interface Setting {
  congestion: Congestion
  mtu: number
  /**
   * On: super-segments and checksums are left to the kernel (ours); TSO, GSO and GRO (the kernel's). Off: nothing longer than the MTU passes
   * the device; the addon cuts and merges, and the kernel merges what it gets (ours); none of the three (the kernel's). No-gro: the same,
   * but the kernel merges nothing on ours either. None: each packet by itself on ours, as it always is with loss.
   */
  offload: 'on' | 'off' | 'no-gro' | 'none'
  /** Part of the packets each way, at an impairment link. */
  loss: number
}

export const USUAL: Setting = { congestion: 'cubic', mtu: 1500, offload: 'on', loss: 0 }

export function inWords({ congestion, mtu, offload, loss }: Setting): string {
  const words = [congestion.toUpperCase(), `MTU ${mtu}`, `offload ${offload}`]
  if (loss > 0) words.push(`${loss * 100}% loss`)
  return words.join(', ')
}
