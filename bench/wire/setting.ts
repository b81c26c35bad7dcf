// What is the same on both sides of a comparison: how long packets may be, who segments, who controls congestion, what is lost.

export type Congestion = 'bbr' | 'cubic'

export interface Setting {
  congestion: Congestion
  mtu: number
  /**
   * On: super-segments and checksums are left to the kernel (ours); TSO, GSO and GRO (the kernel's). Off: nothing longer than the MTU passes
   * the device, and the addon cuts and merges (ours); none of the three (the kernel's). None: the same, but each packet by itself on ours,
   * as it always is with loss.
   */
  offload: 'on' | 'off' | 'none'
  /** Part of the packets each way, at an impairment link. */
  loss: number
}

export const USUAL: Setting = { congestion: 'cubic', mtu: 1500, offload: 'on', loss: 0 }

export function inWords({ congestion, mtu, offload, loss }: Setting): string {
  const words = [congestion.toUpperCase(), `MTU ${mtu}`, `offload ${offload}`]
  if (loss > 0) words.push(`${loss * 100}% loss`)
  return words.join(', ')
}
