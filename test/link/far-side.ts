// The other side of a link that is, or is wrapped around, one end of a memory pair.
import { PacketBatch } from '../../src/core/batch.ts'
import type { Link } from '../../src/core/environment.ts'
import { ManualTime } from '../support/manual-time.ts'
import { type Harness, put, taken } from './conformance.ts'

export function farSide(
  [near, far]: readonly [Link, Link],
  wrap: (link: Link) => Link,
): Harness & { time: ManualTime } {
  const time = new ManualTime()
  const outgoing = new PacketBatch({ largest: far.mtu })
  far.open(() => {}, time)
  return {
    link: wrap(near),
    time,
    send(packet) {
      put(outgoing, packet)
      far.transmit(outgoing)
    },
    received() {
      const packets: Uint8Array[] = []
      const incoming = new PacketBatch({ largest: far.mtu })
      for (far.receive(incoming); incoming.count > 0; far.receive(incoming)) {
        packets.push(...taken(incoming))
        incoming.clear()
      }
      return packets
    },
  }
}
