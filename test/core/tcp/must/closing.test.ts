// RFC 9293 §3.5.3 and §3.6: resets, closes, half closes and TIME-WAIT.
import { describe, expect, it } from 'vitest'
import { Wake } from '../../../../src/core/tcp/control-block.ts'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { mss, stamps, TcpBench } from '../../../support/tcp-bench.ts'

describe('the end, and who is told of it (RFC 9293 §3.6)', () => {
  it('MUST-12: a FIN is told as the end of what comes', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('F.')
    expect(bench.woken).toEqual(['end'])
    expect(connection.isAtEnd).toBe(true)
    expect(connection.isOver).toBe(false)
    connection.finish(bench.now)
    expect(peer.lines()).toEqual(['F. 1:1(0) ack 2'])
    peer.send('.')
    expect(bench.woken).toContain('closed')
    expect(connection.reason).toBe(Reason.none)
  })

  it('MUST-12: a reset is told as an abort', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('R')
    expect(bench.woken).toEqual(['closed'])
    expect(connection.reason).toBe(Reason.reset)
    expect(connection.wakes & Wake.end).toBe(0)
    expect(peer.lines()).toEqual([])
  })

  it('SHLD-2: a reset may carry text', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('R.', { data: 100 })
    expect(connection.reason).toBe(Reason.reset)
    expect(connection.readable).toBe(0)
  })

  it('SHLD-2: one with text is no more believed than another where its place is not RCV.NXT', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('R.', { seq: 50, data: 100 })
    expect(connection.state).toBe(State.established)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
  })
})

describe('half-duplex closes (RFC 9293 §3.6.1)', () => {
  it('MAY-1, SHLD-3: text that was not read is lost, and a reset says so', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('P.', { data: 100 })
    peer.heard()
    connection.abandon(bench.now)
    expect(peer.lines()).toEqual(['R. 1:1(0) ack 101'])
    expect(bench.tcp.connectionCount).toBe(0)
  })

  it('MAY-1, SHLD-3: so does one for text that comes after the close', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    connection.abandon(bench.now)
    expect(peer.lines()).toEqual(['F. 1:1(0) ack 1'])
    peer.send('.')
    expect(connection.state).toBe(State.finWait2)
    peer.send('P.', { data: 100 })
    expect(peer.lines()).toEqual(['R. 2:2(0) ack 1'])
    expect(bench.tcp.connectionCount).toBe(0)
  })

  it('goes on receiving where only the sending half is closed', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    connection.finish(bench.now)
    peer.heard()
    peer.send('P.', { data: 100 })
    peer.send('F.')
    expect(connection.readable).toBe(100)
    expect(bench.tcp.timeWaitCount).toBe(1)
  })
})

/** A connection that the stack has closed first. */
function inTimeWait(bench: TcpBench, stamped = false) {
  const options = stamped ? { synOptions: [...mss(1460), ...stamps(500, 0)], clock: 500 } : {}
  const [peer, connection] = bench.accept(options)
  connection.finish(bench.now)
  peer.heard()
  peer.send('.')
  peer.send('F.')
  expect(peer.lines()).toEqual(['. 2:2(0) ack 2'])
  expect(bench.tcp.timeWaitCount).toBe(1)
  return peer
}

describe('TIME-WAIT (RFC 9293 §3.6.1)', () => {
  it('MUST-13: lasts two maximum segment lifetimes after an active close', () => {
    const bench = new TcpBench({ timeWait: 240_000 })
    inTimeWait(bench)
    bench.wait(239_999)
    expect(bench.tcp.timeWaitCount).toBe(1)
    bench.wait(2)
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('MUST-13: follows a simultaneous close, too, and begins anew with every FIN', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.finish(bench.now)
    peer.heard()
    peer.send('F.', { ack: 1 })
    expect(connection.state).toBe(State.closing)
    expect(peer.lines()).toEqual(['. 2:2(0) ack 2'])
    peer.send('.')
    expect(bench.tcp.timeWaitCount).toBe(1)
    bench.wait(50_000)
    peer.send('F.', { seq: 1 })
    expect(peer.lines()).toEqual(['. 2:2(0) ack 2'])
    bench.wait(59_000)
    expect(bench.tcp.timeWaitCount).toBe(1)
    bench.wait(1001)
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('does not follow a passive close', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    peer.send('F.')
    connection.finish(bench.now)
    peer.heard()
    peer.send('.')
    expect(connection.isOver).toBe(true)
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('MAY-2: a new SYN with a larger sequence number opens again, with a larger one of ours', () => {
    const bench = new TcpBench()
    const old = inTimeWait(bench)
    bench.wait(10)
    const peer = bench.peer({ port: old.port, iss: old.iss + 100 })
    peer.send('S')
    expect(peer.one().flags).toBe('S.')
    expect((peer.stackIss - (old.stackIss + 2)) | 0).toBeGreaterThan(0)
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('MAY-2: an old duplicate SYN does not: the record stays and answers where it stands', () => {
    const bench = new TcpBench()
    const old = inTimeWait(bench)
    old.send('S', { seq: -200 })
    expect(old.lines()).toEqual(['. 2:2(0) ack 2'])
    expect(bench.tcp.timeWaitCount).toBe(1)
    expect(bench.tcp.requestCount).toBe(0)
  })

  it('SHLD-4: a later timestamp opens again, whatever the sequence number', () => {
    const bench = new TcpBench()
    const old = inTimeWait(bench, true)
    bench.wait(10)
    old.send('S', { seq: -5000, options: [...mss(1460), ...stamps(100, 0)] })
    expect(old.one().flags).toBe('.')
    old.send('S', { seq: -5000, options: [...mss(1460), ...stamps(900, 0)] })
    expect(old.one().flags).toBe('S.')
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('SHLD-4: our own open may take its place after a second, where both sides have timestamps', () => {
    const bench = new TcpBench()
    const old = inTimeWait(bench, true)
    const open = () => bench.connect(old, { localPort: 80 })
    bench.tcp.close(bench.listener as never, bench.now)
    expect(open).toThrow()
    bench.wait(1500)
    const connection = open()
    expect(old.one().flags).toBe('S')
    expect(connection.state).toBe(State.synSent)
    expect(bench.tcp.timeWaitCount).toBe(0)
  })

  it('is not cut short by a reset (RFC 1337)', () => {
    const bench = new TcpBench()
    const old = inTimeWait(bench)
    old.send('R')
    expect(bench.tcp.timeWaitCount).toBe(1)
    expect(old.lines()).toEqual([])
  })
})
