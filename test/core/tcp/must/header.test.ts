// RFC 9293 §3.1, §3.2 and §3.7.1: the header, its checksum, its options, and the MSS that one of them agrees.
import { describe, expect, it } from 'vitest'
import { transportChecksumIsRight } from '../../../support/packets.ts'
import { mss, pattern, sackPermitted, scale, stamps, TcpBench } from '../../../support/tcp-bench.ts'

const V6 = { from: 'fd00::1' }

describe('the window field (RFC 9293 §3.1)', () => {
  it('MUST-1: is an unsigned number: 40,000 is no negative window', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ window: 40_000 })
    expect(connection.sndWnd).toBe(40_000)
    bench.write(connection, 1000)
    expect(peer.lines()).toEqual(['P. 1:1001(1000) ack 1'])
  })

  it('MUST-1, REC-1: scaled by 14, a window of a gigabyte is kept whole and sent into', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: [...mss(1460), ...scale(14)] })
    peer.send('.', { window: 65_535 })
    expect(connection.sndWnd).toBe(65_535 * 2 ** 14)
    bench.write(connection, 1000)
    expect(peer.lines()).toEqual(['P. 1:1001(1000) ack 1'])
  })
})

describe('the checksum (RFC 9293 §3.1)', () => {
  it.each([{}, V6])('MUST-2: is right in every kind of segment sent %o', (family) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept(family)
    bench.write(connection, 777)
    peer.send('P.', { data: 100 })
    const text = peer.heard()
    expect(text.length).toBeGreaterThan(0)
    connection.abort(bench.now)
    const reset = peer.one()
    expect(reset.flags).toBe('R.')
    const stranger = bench.peer({ ...family, port: 5000 })
    stranger.send('S')
    const answer = stranger.one()
    expect([...text, reset, answer].every((one) => transportChecksumIsRight(one.packet))).toBe(true)
  })

  it.each([{}, V6])('MUST-3: a segment with a wrong one is dropped in silence %o', (family) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept(family)
    peer.send('P.', { data: 100, seq: 1, raw: { tcpChecksum: 0x1234 } })
    bench.wait(1000)
    expect(peer.lines()).toEqual([])
    expect(connection.readable).toBe(0)
    expect(bench.bench.drops('tcpBadChecksum')).toBe(1)
  })
})

describe('options (RFC 9293 §3.1, §3.2)', () => {
  it('MUST-4: end of list, no operation and MSS are understood', () => {
    const bench = new TcpBench()
    const [, connection] = bench.accept({ synOptions: [1, 1, ...mss(900), 0, 0] })
    expect(connection.mss).toBe(900)
    const [, other] = bench.accept({ port: 4001, synOptions: [1, 0, 0, 0, ...mss(900)] })
    expect(other.mss).toBe(536)
  })

  it('MUST-5: come in any segment: SYN, ACK, text, FIN and RST', () => {
    const bench = new TcpBench()
    const options = [1, ...stamps(1, 0), 1]
    const [peer, connection] = bench.accept({ synOptions: [...mss(1460), ...sackPermitted] })
    peer.send('.', { options: [...options, 5, 10, 0, 0, 0, 0, 0, 0, 0, 1] })
    peer.send('P.', { data: 10, options: [...mss(400)] })
    expect(connection.mss).toBe(1460)
    expect(connection.readable).toBe(10)
    peer.send('F.', { options })
    expect(peer.lines().at(-1)).toBe('. 1:1(0) ack 12')
    peer.send('R', { options })
    expect(connection.isOver).toBe(true)
  })

  it('MUST-6, MUST-68: one that is not known is passed over by its length, whatever it is', () => {
    const bench = new TcpBench()
    for (let kind = 6; kind < 256; kind++) {
      if (kind === 8) continue
      const [, connection] = bench.accept({ port: kind + 4000, synOptions: [kind, 5, 2, 4, 9, ...mss(1000)] })
      expect(connection.mss).toBe(1000)
      connection.abort(bench.now)
    }
  })

  it.each([
    ['zero', [254, 0]],
    ['one', [254, 1]],
    ['beyond the header', [254, 40]],
    ['missing at the end', [1, 1, 1, 254]],
    ['not its own', [2, 3, 5, 1]],
    ['of zero in a known one', [8, 0, 0, 0]],
  ])('MUST-7: a length that is illegal (%s) harms nobody', (_name, octets) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: [...mss(1000), ...octets] })
    expect(connection.mss).toBe(1000)
    peer.send('P.', { data: 10, options: octets })
    expect(connection.readable).toBe(10)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 11'])
  })

  it('MUST-64: begin at any octet', () => {
    for (let shift = 0; shift < 8; shift++) {
      const bench = new TcpBench()
      const synOptions = [...Array(shift).fill(1), ...mss(1111), ...scale(3), ...stamps(77, 0)]
      const [peer, connection] = bench.accept({ synOptions, clock: 100 })
      expect(connection.mss).toBe(1111 - 12)
      expect(connection.sndShift).toBe(3)
      peer.send('P.', { data: 1, options: [...Array(shift).fill(1), ...stamps(1234, peer.echo)] })
      expect(peer.heard().at(-1)?.stamps?.[1]).toBe(1234)
    }
  })

  it('MUST-68, MUST-69: those sent have lengths, and nothing but zeros follows an end of list', () => {
    for (const bits of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const bench = new TcpBench({
        timestamps: (bits & 1) !== 0,
        selectiveAcks: (bits & 2) !== 0,
        windowScaling: (bits & 4) !== 0,
      })
      const synOptions = [...mss(1460), ...sackPermitted, ...stamps(5, 0), ...scale(2)]
      const peer = bench.peer({ synOptions, clock: 5 })
      const connection = bench.connect(peer)
      const syn = peer.one()
      peer.send('S.')
      bench.write(connection, 10)
      peer.send('P.', { seq: 11, data: 10 })
      const heard = [syn, ...peer.heard()]
      expect(heard.length).toBeGreaterThan(1)
      for (const { options } of heard) {
        expect(options.length % 4).toBe(0)
        const rest = afterEnd(options)
        expect(rest.every((octet) => octet === 0)).toBe(true)
      }
    }
  })
})

/** What stands behind the end of the list; throws where an option has no right length. */
function afterEnd(options: number[]): number[] {
  let at = 0
  while (at < options.length && options[at] !== 0) {
    if (options[at] === 1) at++
    else if (options[at + 1] < 2 || at + options[at + 1] > options.length) throw new Error('a wrong length')
    else at += options[at + 1]
  }
  return options.slice(at)
}

describe('the maximum segment size (RFC 9293 §3.7.1)', () => {
  it.each([
    [{}, 1460],
    [V6, 1440],
  ])(
    'MUST-14, SHLD-5, MAY-3, MUST-67: is offered in SYN and SYN-ACK, as large as can be received %o',
    (family, size) => {
      const bench = new TcpBench()
      bench.listen()
      const client = bench.peer(family)
      client.send('S')
      expect(client.one().mss).toBe(size)
      const server = bench.peer({ ...family, port: 7 })
      bench.connect(server)
      expect(server.one().mss).toBe(size)
    },
  )

  it('MUST-67: is never more than an IP packet can hold', () => {
    const bench = new TcpBench({}, { mtu: 65_536 })
    const peer = bench.peer()
    bench.connect(peer)
    expect(peer.one().mss).toBe(65_535 - 40)
  })

  it('MUST-14: what the peer offers is what it gets', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open({ synOptions: mss(700) })
    bench.write(connection, 2100)
    expect(peer.heard().map(({ data }) => data.length)).toEqual([700, 700, 700])
  })

  it.each([
    [{}, 536],
    [V6, 1220],
  ])('MUST-15: without the option it is the default %o', (family, size) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ ...family, synOptions: [] })
    bench.write(connection, 3 * size)
    expect(peer.heard().map(({ data }) => data.length)).toEqual([size, size, size])
    const [server, client] = bench.open({ ...family, port: 7, synOptions: [] })
    bench.write(client, 3 * size)
    expect(server.heard().map(({ data }) => data.length)).toEqual([size, size, size])
  })

  it('MUST-16: what is sent is the smaller of what the peer and the path take, less the options of each segment', () => {
    const bench = new TcpBench({}, { mtu: 1000 })
    const [peer, connection] = bench.accept({ synOptions: [...mss(8000), ...stamps(1, 0)], clock: 1 })
    bench.write(connection, 2000)
    const packets = peer.heard().map(({ packet }) => packet.length)
    expect(packets.slice(0, 2)).toEqual([1000, 1000])
    const [small, other] = bench.accept({ port: 4001, synOptions: [...mss(300), ...stamps(1, 0)], clock: 1 })
    bench.write(other, 600)
    expect(small.heard()[0].packet.length).toBe(300 + 40)
  })

  it('MUST-16: SACK blocks take their room from the text', () => {
    const bench = new TcpBench()
    const synOptions = [...mss(1460), ...sackPermitted]
    const [peer, connection] = bench.accept({ synOptions })
    peer.send('.', { seq: 101, data: 100 })
    bench.write(connection, pattern(2920))
    const heard = peer.heard()
    expect(heard.some(({ sacks }) => sacks.length > 0)).toBe(true)
    expect(Math.max(...heard.map(({ packet }) => packet.length))).toBeLessThanOrEqual(1500)
  })

  it('MUST-65: stands in no segment but a SYN', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    bench.write(connection, 5000)
    peer.send('P.', { data: 10 })
    const heard = peer.heard()
    connection.finish(bench.now)
    heard.push(...peer.heard())
    expect(heard.length).toBeGreaterThan(3)
    expect(heard.every((one) => one.mss === null)).toBe(true)
  })
})
