// What becomes of TCP when the whole stack is closed.
import { expect, it } from 'vitest'
import { State } from '../../../../src/core/tcp/state.ts'
import { TcpBench } from '../../../support/tcp-bench.ts'

it('resets every connection, also one that nobody has accepted, and listens no more', () => {
  const bench = new TcpBench()
  const [first, connection] = bench.accept()
  const second = bench.peer({ port: 4001 })
  second.send('S')
  second.heard()
  second.send('.')
  second.heard()
  bench.bench.stack.close(bench.now)
  expect(connection.state).toBe(State.closed)
  for (const peer of [first, second]) {
    const { flags, window } = peer.one()
    expect([flags, window]).toEqual(['R.', 0])
  }
  const late = bench.peer({ port: 4002 })
  late.send('S')
  expect(late.one().flags).toBe('R.')
})

it('wakes the owner of a connection that the peer resets', () => {
  const bench = new TcpBench()
  const [peer] = bench.accept()
  peer.send('.')
  bench.woken.length = 0
  peer.send('R')
  expect(bench.woken).toContain('closed')
})

it('lets go of who has listened, when the listener is closed', () => {
  const bench = new TcpBench()
  const listener = bench.listen()
  listener.owner = { wake: () => {} } as never
  bench.tcp.close(listener, bench.now)
  expect(listener.owner).toBeNull()
})
