// What comes in SYN-SENT and is no answer to the SYN (RFC 9293 §3.10.7.3).
import { expect, it } from 'vitest'
import { State } from '../../../../src/core/tcp/state.ts'
import { TcpBench } from '../../../support/tcp-bench.ts'

it('neither SYN nor RST: it is dropped, whatever it acknowledges', () => {
  const bench = new TcpBench()
  const peer = bench.peer()
  const connection = bench.connect(peer)
  peer.heard()
  peer.send('.', { seq: 1, ack: 1 })
  expect([peer.lines(), connection.state, bench.bench.drops('tcpUnacceptable')]).toEqual([[], State.synSent, 1])
  peer.send('S.')
  expect([peer.lines(), connection.state]).toEqual([['. 1:1(0) ack 1'], State.established])
})
