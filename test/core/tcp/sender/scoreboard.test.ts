// What a SACK makes of the records that it covers (RFC 2018, RFC 6675 §3).
import { expect, it } from 'vitest'
import { NO_OFFLOAD } from '../../../../src/core/environment.ts'
import { u32 } from '../../../support/packets.ts'
import { mss, type Peer, sackPermitted, TcpBench } from '../../../support/tcp-bench.ts'

/** Records are as long as what is handed to the link. */
function established(tcp4 = false) {
  const bench = new TcpBench(
    { pacing: false, congestion: 'reno' },
    { offload: { ...NO_OFFLOAD, checksum: true, tcp4 } },
  )
  const [peer, connection] = bench.accept({ synOptions: [...mss(1000), ...sackPermitted] })
  return { bench, peer, connection, flight: connection.flight }
}

function sack(peer: Peer, from: number, to: number): void {
  const edges = [from, to].flatMap((edge) => u32(peer.stackIss + edge))
  peer.send('.', { ack: 1, options: [1, 1, 5, 10, ...edges] })
}

it('a part of a record is marked, and no more', () => {
  const { bench, peer, connection, flight } = established(true)
  bench.write(connection, 5000)
  peer.heard()
  expect(flight.count).toBe(1)
  sack(peer, 2001, 3001)
  expect([flight.sacked, flight.sackedSegments, flight.count]).toEqual([1000, 1, 3])
})

it('records that are marked one after another become one', () => {
  const { bench, peer, connection, flight } = established()
  for (let segment = 0; segment < 5; segment++) {
    bench.write(connection, 1000)
    peer.heard()
  }
  expect(flight.count).toBe(5)
  sack(peer, 2001, 5001)
  expect([flight.sacked, flight.sackedSegments, flight.count]).toEqual([3000, 3, 3])
})
