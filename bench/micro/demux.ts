// Whose segment it is, among 1, 1,000 and 100,000 connections, asked in no order that a cache would like.
import { Address } from '../../src/core/ip/address.ts'
import { type Connected, Demux } from '../../src/core/tcp/demux.ts'
import { TupleHash } from '../../src/core/tcp/tuple-hash.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import type { Measured, Suite } from './suite.ts'

const LOOK_UPS = 1_000
const OURS = new Address().setIpv4(0x0a070002)
const PORT = 443

function among(connections: number, areThere: boolean): Measured {
  return {
    handles: () => ({ 'look-ups': LOOK_UPS }),
    prepare() {
      const random = new SeededRandom(connections)
      const table = new Demux<Connected>(new TupleHash(random))
      const peers: Connected[] = []
      for (let number = 0; number < connections; number++) {
        const peer = stranger(number)
        peers.push(peer)
        table.add(peer)
      }
      const asked: Connected[] = []
      for (let number = 0; number < LOOK_UPS; number++) {
        const chosen = (random.int32() >>> 0) % connections
        asked.push(areThere ? peers[chosen] : stranger(connections + chosen))
      }
      return () => {
        let found = 0
        for (const { remoteAddress, remotePort } of asked) {
          if (table.find(OURS, PORT, remoteAddress, remotePort) !== null) found++
        }
        if (found !== (areThere ? LOOK_UPS : 0)) throw new Error(`${found} of ${LOOK_UPS} connections were found`)
      }
    },
  }
}

function stranger(number: number): Connected {
  const remoteAddress = new Address().setIpv4(0x0b000000 + (number >>> 4))
  return { localAddress: OURS, localPort: PORT, remoteAddress, remotePort: 1_024 + (number & 15) * 4_001 }
}

export const demux: Suite = {
  'among 1 connection': among(1, true),
  'among 1,000 connections': among(1_000, true),
  'among 100,000 connections': among(100_000, true),
  'a stranger, among 100,000 connections': among(100_000, false),
}
