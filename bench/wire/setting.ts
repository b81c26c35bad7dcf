// What is the same on both sides of a comparison: how long packets may be, who segments, who controls congestion, what is lost.

export type Congestion = 'bbr' | 'cubic'

export interface Setting {
  congestion: Congestion
  mtu: number
  /** Super-segments and checksums left to the kernel (ours), TSO, GSO and GRO (the kernel's). */
  offload: boolean
  /** Part of the packets each way, at an impairment link. */
  loss: number
}

export const USUAL: Setting = { congestion: 'cubic', mtu: 1500, offload: true, loss: 0 }

export function inWords({ congestion, mtu, offload, loss }: Setting): string {
  const words = [congestion.toUpperCase(), `MTU ${mtu}`, `offload ${offload ? 'on' : 'off'}`]
  if (loss > 0) words.push(`${loss * 100}% loss`)
  return words.join(', ')
}
