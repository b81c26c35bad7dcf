// RFC 9293 §3.4.1, §3.5 and §3.9.1.1: initial sequence numbers, handshakes of every kind, and what OPEN takes and refuses.

import { describe, expect, it } from 'vitest'
import { type Address, parseAddress } from '../../../../src/core/ip/address.ts'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { TcpResult } from '../../../../src/core/tcp/tcp.ts'
import { simulate } from '../../../../src/simulate/network.ts'
import { Bench, prefixes, tcpPacket } from '../../../support/packets.ts'
import { seeded } from '../../../support/seeded.ts'
import { mss, TcpBench } from '../../../support/tcp-bench.ts'

const address = (text: string) => parseAddress(text) as Address

/** The sequence number of the SYN that a new connection from port 9000 sends. */
function issOf(bench: TcpBench, port: number): number {
  const peer = bench.peer({ port })
  const connection = bench.connect(peer, { localPort: 9000 })
  peer.one()
  const { stackIss } = peer
  connection.abort(bench.now)
  return stackIss
}

describe('initial sequence numbers (RFC 9293 §3.4.1)', () => {
  it('MUST-8: rise by one every four microseconds', () => {
    const bench = new TcpBench()
    const first = issOf(bench, 4000)
    bench.wait(1)
    expect((issOf(bench, 4000) - first) | 0).toBe(250)
    bench.wait(3_600_000)
    expect((issOf(bench, 4000) - first) | 0).toBe((250 * 3_600_001) | 0)
  })

  it('MUST-8: so do those of passive opens', () => {
    const bench = new TcpBench()
    bench.listen()
    const isses = [0, 1].map(() => {
      const peer = bench.peer()
      peer.send('S')
      peer.one()
      peer.send('R', { seq: 1 })
      bench.wait(10)
      return peer.stackIss
    })
    expect((isses[1] - isses[0]) | 0).toBe(2500)
  })

  it('SHLD-1, MUST-9: differ from tuple to tuple by what nobody can compute who has not the key', () => {
    const sixteen = Array.from({ length: 16 }, (_, port) => port + 4000)
    const isses = sixteen.map((port) => issOf(new TcpBench(), port))
    const steps = new Set(isses.slice(1).map((iss, at) => (iss - isses[at]) | 0))
    expect(steps.size).toBe(15)
    // The same tuple at the same time under another key.
    const keys = sixteen.map((seed) => {
      const { stack } = new Bench({ random: seeded(seed) })
      return stack.tcp.shared.sequences.choose(0, address('10.0.0.2'), 9000, address('10.0.0.1'), 80)
    })
    expect(new Set(keys).size).toBe(16)
  })
})

describe('simultaneous opens (RFC 9293 §3.5, figure 7)', () => {
  it('MUST-10: two SYNs that cross make one connection', () => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    expect(peer.lines()).toEqual(['S 0:0(0)'])
    peer.send('S')
    expect(connection.state).toBe(State.synReceived)
    expect(peer.lines()).toEqual(['S. 0:0(0) ack 1'])
    peer.send('S.', { seq: 0, ack: 1 })
    expect(connection.state).toBe(State.established)
    expect(bench.woken).toContain('open')
    expect(peer.lines()).toEqual([])
    bench.write(connection, 5)
    expect(peer.lines().at(-1)).toBe('P. 1:6(5) ack 1')
  })

  it('MUST-10: what else comes then is answered from SND.NXT, where the other end takes it', () => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    peer.heard()
    peer.send('S')
    peer.heard()
    peer.send('S', { seq: 0 })
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    expect(connection.state).toBe(State.synReceived)
  })

  it('an old segment with a wrong acknowledgment is answered by the reset alone', () => {
    const bench = new TcpBench()
    const peer = bench.peer({ synOptions: [...mss(1460), 4, 2] })
    bench.connect(peer)
    peer.heard()
    peer.send('S')
    peer.heard()
    peer.send('.', { seq: -99, ack: 0, data: 1460 })
    expect(peer.lines()).toEqual(['R 0:0(0)'])
  })

  it('MUST-10: of two stacks that open at once, both are open after a round trip and a half', () => {
    const network = simulate({ seed: 3 })
    const hosts = [network.host('one', ['10.0.0.1']), network.host('other', ['10.0.0.2'])]
    network.link(hosts[0], hosts[1], { delay: 50 })
    const [one, other] = hosts.map(({ stack }, at) =>
      stack.connect({ address: `10.0.0.${2 - at}`, port: 7000, localPort: 7000 }),
    )
    network.advance(160)
    expect([one.isOpen, other.isOpen]).toEqual([true, true])
    expect(hosts.map(({ stack }) => stack.counters().counts.tcpSent)).toEqual([2, 2])
    network.close()
  })

  it('MUST-10: a lost SYN-ACK of one is sent again, and text with the last ACK is taken', () => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    peer.heard()
    peer.send('S')
    peer.heard()
    bench.wait(1000)
    expect(peer.lines()).toEqual(['S. 0:0(0) ack 1'])
    peer.send('P.', { ack: 1, data: 4 })
    expect(connection.state).toBe(State.established)
    expect(connection.readable).toBe(4)
  })
})

describe('SYN-RECEIVED (RFC 9293 §3.5)', () => {
  it('MUST-11: a reset after a passive open leads back to LISTEN, and nobody is told', () => {
    const bench = new TcpBench()
    const listener = bench.listen()
    const peer = bench.peer()
    peer.send('S')
    peer.heard()
    expect(bench.tcp.requestCount).toBe(1)
    peer.send('R')
    expect(bench.tcp.requestCount).toBe(0)
    expect(listener.accepted.count).toBe(0)
    expect(bench.woken).toEqual([])
    const [, connection] = bench.accept({ port: 4001 })
    expect(connection.state).toBe(State.established)
  })

  it('MUST-11, MUST-12: after an active one it ends the connection, and the user is told', () => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    peer.heard()
    peer.send('S')
    peer.heard()
    peer.send('R')
    expect(connection.isOver).toBe(true)
    expect(connection.reason).toBe(Reason.refused)
    expect(bench.woken).toContain('closed')
  })
})

describe('passive opens (RFC 9293 §3.9.1.1)', () => {
  it('MUST-41: make a listener or an error, and leave what is there alone', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    const first = bench.listener
    expect(bench.tcp.listen({ localAddress: address('::'), localPort: 80 })).toBe(null)
    expect(bench.tcp.result).toBe(TcpResult.addressInUse)
    expect(bench.tcp.listen({ localAddress: address('10.0.0.99'), localPort: 81 })).toBe(null)
    expect(bench.tcp.result).toBe(TcpResult.addressNotAvailable)
    expect(first?.isClosed).toBe(false)
    peer.send('P.', { data: 3 })
    expect(connection.readable).toBe(3)
    bench.accept({ port: 4001 })
  })

  it('keep what came on a connection that is reset before anybody has accepted it', () => {
    const bench = new TcpBench()
    const listener = bench.listen()
    const peers = [bench.peer({ port: 4000 }), bench.peer({ port: 4001 })]
    for (const peer of peers) {
      peer.send('S')
      peer.heard()
      peer.send('.')
      peer.send('P.', { data: [1, 2, 3] })
      peer.send('R.')
    }
    expect([bench.tcp.connectionCount, listener.accepted.count]).toEqual([0, 2])
    const accepted = listener.accepted.shift()
    expect([accepted?.reason, accepted?.isAtEnd]).toEqual([Reason.reset, false])
    expect(accepted?.read(9, bench.now)).toEqual(Uint8Array.of(1, 2, 3))
    expect(accepted?.isAtEnd).toBe(true)
    // Nobody will accept the other.
    expect(bench.tcp.shared.slabs.held).toBeGreaterThan(0)
    bench.tcp.close(listener, bench.now)
    expect(bench.tcp.shared.slabs.held).toBe(0)
  })

  it('MUST-42: succeed while connections of the same port are in SYN-SENT and SYN-RECEIVED', () => {
    const bench = new TcpBench()
    const silent = bench.peer({ port: 7 })
    const opening = bench.connect(silent, { localPort: 80 })
    silent.heard()
    bench.listen()
    const asking = bench.peer({ port: 8 })
    asking.send('S')
    expect(asking.one().flags).toBe('S.')
    const another = bench.tcp.listen({ localAddress: address('::'), localPort: 81 })
    expect(another).not.toBe(null)
    const [, accepted] = bench.accept({ port: 9 })
    expect(accepted.state).toBe(State.established)
    expect(opening.state).toBe(State.synSent)
    silent.send('S.')
    expect(opening.state).toBe(State.established)
  })

  it('MUST-43: wait at the address that was asked for, and bind the one that was called', () => {
    const bench = new TcpBench({}, { addresses: prefixes('10.0.0.2/24', '10.0.0.3/24') })
    bench.listen({ localAddress: address('10.0.0.3') })
    const wrong = bench.peer({ port: 5000 })
    wrong.send('S')
    expect(wrong.one().flags).toBe('R.')
    const [, connection] = bench.accept({ to: '10.0.0.3' })
    expect(connection.localAddress.toString()).toBe('10.0.0.3')
    bench.listen({ localPort: 90 })
    const any = bench.peer({ stackPort: 90 })
    any.send('S')
    expect(any.one().ip.from).toBe('10.0.0.2')
  })
})

describe('active opens (RFC 9293 §3.9.1.1)', () => {
  it('MUST-43: leave from the address that was asked for', () => {
    const bench = new TcpBench({}, { addresses: prefixes('10.0.0.2/24', '10.0.0.3/24') })
    const peer = bench.peer({ to: '10.0.0.3' })
    bench.connect(peer, { localAddress: address('10.0.0.3') })
    expect(peer.one().ip.from).toBe('10.0.0.3')
  })

  it('MUST-44: ask IP for an address where none is given', () => {
    const bench = new TcpBench({}, { addresses: prefixes('192.168.7.1/24', '10.0.0.2/24') })
    const peer = bench.peer()
    const connection = bench.connect(peer)
    expect(connection.localAddress.toString()).toBe('10.0.0.2')
    expect(peer.one().ip.from).toBe('10.0.0.2')
  })

  it('MUST-45: keep the address that the connection has, though IP would choose another by now', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    const other = bench.bench.add({ name: 'other', addresses: prefixes('172.16.0.1/24') })
    bench.bench.stack.addRoute(prefixes('10.0.0.1/32')[0], other)
    bench.write(connection, 5)
    const packets = bench.bench.sent(other)
    expect(packets.length).toBe(1)
    expect([...packets[0].subarray(12, 16)]).toEqual([10, 0, 0, 2])
    bench.deliver(peer.packet('.', { ack: 6 }))
    expect(connection.unacknowledged).toBe(0)
  })

  it.each(['224.0.0.5', '255.255.255.255', '10.0.0.255', '0.0.0.0', '::', 'ff02::1', 'ff0e::5'])(
    'MUST-46: refuse %s, to which nobody can be connected',
    (text) => {
      const bench = new TcpBench()
      expect(bench.tcp.connect({ remoteAddress: address(text), remotePort: 80 }, 0)).toBe(null)
      expect(bench.tcp.result).toBe(TcpResult.invalid)
      expect(bench.bench.sent()).toEqual([])
      expect(bench.tcp.connectionCount).toBe(0)
    },
  )
})

describe('whose SYNs are heard (RFC 9293 §3.9.2.3)', () => {
  it.each(['224.0.0.1', '255.255.255.255', '10.0.0.255'])('MUST-57: none to a group: %s', (to) => {
    const bench = new TcpBench()
    bench.listen()
    for (const flags of ['S', 'S.', '.', 'P.', 'F.', 'R']) bench.deliver(tcpPacket([1], { to, flags }))
    expect(bench.bench.sent()).toEqual([])
    expect(bench.tcp.requestCount).toBe(0)
    expect(bench.bench.drops('tcpToGroup')).toBe(6)
  })

  it('MUST-57: none to a group of IPv6', () => {
    const bench = new TcpBench()
    bench.listen()
    bench.deliver(tcpPacket([], { from: 'fd00::1', to: 'ff02::1', flags: 'S' }))
    expect(bench.bench.sent()).toEqual([])
    expect(bench.tcp.requestCount).toBe(0)
  })

  it.each(['224.0.0.5', '255.255.255.255', '10.0.0.255', '0.0.0.0', '127.0.0.1', '240.0.0.1', '10.0.0.2'])(
    'MUST-63: none from %s, whom no answer reaches',
    (from) => {
      const bench = new TcpBench()
      bench.listen()
      for (const flags of ['S', '.', 'P.']) bench.deliver(tcpPacket([], { from, flags }))
      expect(bench.bench.sent()).toEqual([])
      expect(bench.tcp.requestCount).toBe(0)
    },
  )

  it.each(['ff02::5', '::', '::1', 'fd00::2'])('MUST-63: none from %s', (from) => {
    const bench = new TcpBench()
    bench.listen()
    bench.deliver(tcpPacket([], { from, to: 'fd00::2', flags: 'S' }))
    expect(bench.bench.sent()).toEqual([])
    expect(bench.tcp.requestCount).toBe(0)
  })
})

describe('data injection (RFC 9293 §3.10.7.4, RFC 5961 §5)', () => {
  it('MAY-12: text whose acknowledgment is older than any window is not taken, but challenged', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: mss(1460), window: 1000 })
    peer.send('P.', { data: 5, seq: 1, ack: -100_000 })
    expect(connection.readable).toBe(0)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
  })

  it('MAY-12: nor is text that acknowledges what was never sent', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    peer.send('P.', { data: 5, seq: 1, ack: 2 })
    expect(connection.readable).toBe(0)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
  })
})
