// The story of a capture against what happened: two stacks in virtual time, captured at one of them, and told. What the story counts is
// what the sender's own counters say.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeNote, noteDescriber } from '../../src/inspect/describe-note.ts'
import { explain } from '../../src/inspect/explain/explain.ts'
import { explanationText } from '../../src/inspect/explain/story-text.ts'
import { timeSequence } from '../../src/inspect/explain/time-sequence.ts'
import { Network } from '../../src/simulate/network.ts'
import { CHUNK, drain, Play, type Setting } from './captured-play.ts'

describe('opening and closing', () => {
  it('tells of the handshake, its options, where the capture was taken, and who closed', () => {
    for (const ipv6 of [false, true]) {
      const play = new Play({ ipv6 }).listen()
      play.send(5000)
      const { lines, story } = play.told(2000)
      const [one, other] = story.sides.map(({ name }) => name)
      expect(one).toMatch(ipv6 ? /^\[fd00::1\]:\d+$/ : /^10\.0\.0\.1:\d+$/)
      expect(lines).toEqual([
        `handshake: SYN-ACK 20.1 ms after the SYN, ACK 0.000 ms after that; so the capture was taken near ${one}`,
        `options: MSS ${ipv6 ? '1440 and 1440' : '1460 and 1460'}, window scaling (by 2^7 and 2^7), SACK, timestamps`,
        `${one} closes first (FIN), after 5,000 octets`,
        expect.stringMatching(/^.*:80 closes too, \d+\.\d ms after .* \(FIN\), after 0 octets$/),
      ])
      expect(story.sides[0]).toMatchObject({ octets: 5000, retransmittedSegments: 0, dataSegments: 4, outOfOrder: 0 })
      expect(other).toContain(':80')
    }
  })

  it('knows the other end, and options that only one has', () => {
    const play = new Play({ at: 'server', tcp: { selectiveAcks: false, timestamps: false } }).listen()
    play.send(10)
    const { lines } = play.told(2000)
    expect(lines[0]).toMatch(
      /^handshake: SYN-ACK 0\.000 ms after the SYN, ACK 20\.\d ms after that; so .* near 10\.0\.0\.2:80$/,
    )
    expect(lines[1]).toMatch(/no SACK, no timestamps$/)
  })

  it('tells of a refusal, of SYNs that nobody answers, and of resets', () => {
    const refused = new Play()
    refused.connect()
    expect(refused.told(1000).lines).toEqual(['10.0.0.2:80 refused the connection (RST)'])

    const silent = new Play({ tcp: { synRetries: 2 } }).at(0, () => silent.link.partition())
    silent.at(1, () => void silent.connect())
    expect(silent.told(20_000).lines).toEqual([
      expect.stringMatching(
        /sent its SYN 3 times within 3\.00 s: the others, or their answers, seem to have been lost$/,
      ),
      'nobody answered the SYN, as far as the capture goes',
    ])

    const late = new Play({ impairment: { delay: 10, rate: 1 } }).listen()
    const endpoint = late.send(100_000, false)
    late.at(500, () => endpoint.abort())
    expect(late.told(1000).lines.at(-1)).toMatch(
      /^10\.0\.0\.1:\d+ resets the connection \(RST\), while|^10\.0\.0\.1:\d+ resets the connection \(RST\)$/,
    )
  })

  it('begins in the middle where the capture does, and claims nothing of windows', () => {
    const play = new Play({ impairment: { delay: 10, rate: 10, loss: 0.02 } }).listen()
    play.send(300_000)
    play.network.advance(5000)
    const all = play.file
    const blocks = blocksOf(all)
    const { explanation } = explain(new Uint8Array(Buffer.concat([...blocks.slice(0, 2), ...blocks.slice(60)])))
    const text = explanationText(explanation, explanation.conversations)
    expect(text).toContain('the capture begins in the middle')
    expect(text).not.toMatch(/handshake|filled the window|NaN/)
    expect(explanation.conversations).toHaveLength(1)
  })

  it('takes a new SYN on the same ports for another conversation', () => {
    const [one, two] = [new Play().listen(), new Play({ tcp: { timestamps: false } }).listen()]
    for (const play of [one, two]) {
      play.send(10)
      play.network.advance(1000)
    }
    const second = blocksOf(two.file).slice(2)
    const { explanation } = explain(new Uint8Array(Buffer.concat([one.file, ...second])))
    expect(explanation.conversations.map(({ sides: [side] }) => side.octets)).toEqual([10])
  })
})

describe('losses', () => {
  it.each([
    ['at the sender', { at: 'client' }],
    ['at the receiver', { at: 'server' }],
    ['without SACK and timestamps', { at: 'client', tcp: { selectiveAcks: false, timestamps: false } }],
  ] as [string, Setting][])('counts what was sent again as the sender does, captured %s', (_name, setting) => {
    for (const impairment of [
      { delay: 10, rate: 10, loss: 0.02 },
      { delay: 10, rate: 20, burstLoss: { fraction: 0.03, length: 3 } },
    ]) {
      const play = new Play({ ...setting, impairment }).listen()
      const endpoint = play.send(400_000)
      const { story, text } = play.told(20_000)
      const [side] = story.sides
      const { totalRetransmissions } = endpoint.connection
      expect(totalRetransmissions).toBeGreaterThan(3)
      // What was lost before it came to the capture is not in it.
      expect(side.retransmittedSegments).toBeLessThanOrEqual(totalRetransmissions)
      expect(side.retransmittedSegments).toBeGreaterThanOrEqual(
        totalRetransmissions * (setting.at === 'server' ? 0.8 : 1),
      )
      expect([side.octets, side.outOfOrder]).toEqual([400_000, 0])
      expect(text).toContain('fast retransmit')
      if (setting.at === 'server') expect(text).toContain('lost before it came there')
    }
  })

  it('tells a probe of the tail from a timer', () => {
    const cutFor = (milliseconds: number) => {
      const play = new Play({ impairment: { delay: 20, rate: 100 } }).listen()
      const endpoint = play.send(20_000, false)
      // The last of it is lost, and what comes after it for so long.
      play.at(500, () => void endpoint.send(CHUNK, 0, 3000))
      play.at(499.9, () => play.link.partition('forward')).at(500 + milliseconds, () => play.link.heal('forward'))
      return play.told(10_000).lines.join('\n')
    }
    expect(cutFor(5)).toMatch(
      /sends \d segments? again \([\d,]+ octets\): a probe of the tail \(TLP\), as it looks, after \d+\.\d ms of silence; all was acknowledged \d/,
    )
    const long = cutFor(900)
    expect(long).toMatch(/the timer seems to have expired/)
    expect(long).toMatch(/all was acknowledged 1\.\d\d s later/)
  })

  it('tells reordering from loss', () => {
    const play = new Play({
      at: 'server',
      impairment: { delay: 10, rate: 10, reorder: 0.02, reorderDelay: 4 },
    }).listen()
    const endpoint = play.send(300_000)
    const { story, lines } = play.told(10_000)
    expect(story.sides[0].retransmittedSegments).toBe(endpoint.connection.totalRetransmissions)
    expect(story.sides[0].outOfOrder).toBeGreaterThan(2)
    expect(lines.join()).toMatch(/\d+ segments of .* came out of order, overtaken on the way/)
  })

  it('tells where slow start seems to end, where the capture shows it', () => {
    const play = new Play({ impairment: { delay: 20, rate: 20, queue: 60 } }).listen()
    play.send(1_000_000)
    expect(play.told(10_000).lines.join('\n')).toMatch(
      /seems to leave slow start with(?:out)? a loss: it grew from 14,480 octets to [\d,]+ octets in flight within \d round trips/,
    )
    const other = new Play({ at: 'server', impairment: { delay: 20, rate: 20, queue: 60 } }).listen()
    other.send(1_000_000)
    expect(other.told(10_000).text).not.toContain('slow start')
  })

  it('sees that longer segments are given up for shorter ones', () => {
    const play = new Play({ impairment: { delay: 10, rate: 10 } }).listen()
    play.send(2_000_000)
    play.at(500, () => play.link.impair({ forward: { mtu: 1300 } }))
    expect(play.told(20_000).lines.join('\n')).toMatch(
      /the segments of .* have 1,\d\d\d octets, where they had 1,448 octets, .*: the path seems to take no longer packets any more/,
    )
  })

  it('tells what routers say by ICMP', () => {
    const network = new Network({ seed: 2 })
    const [client, server] = [network.host('client'), network.host('server')]
    const [near, far] = [network.router('near'), network.router('far')]
    network.link(client, near, { delay: 5 })
    network.link(near, far, { forward: { delay: 5 }, backward: { delay: 5 }, mtu: 1400 })
    network.link(far, server, { delay: 5 })
    const blocks: Uint8Array[] = []
    client.ports[0].tapped.tap((block) => void blocks.push(block))
    server.stack.listen({ port: 80 })
    const endpoint = client.stack.connect({ address: server.address, port: 80 })
    endpoint.onOpen = () => void endpoint.send(CHUNK, 0, 5000)
    network.advance(1000)
    const { explanation } = explain(new Uint8Array(Buffer.concat(blocks)))
    const text = explanation.conversations[0].lines.map((line) => line.text).join('\n')
    expect(text).toMatch(
      /10\.0\.0\.3 says by ICMP about a segment of 10\.0\.0\.1:\d+: packets are too long: 1400 octets fit/,
    )
  })
})

describe('windows and silence', () => {
  it('tells how long a window was closed, and of the probes', () => {
    const play = new Play({ tcp: { receiveBufferInitial: 20_000, receiveBufferMost: 20_000 } }).listen(false)
    play.send(100_000)
    play.at(3000, () => {
      const { accepted } = play
      if (accepted === null) return
      accepted.onReadable = () => drain(accepted)
      drain(accepted)
    })
    const { lines, story } = play.told(10_000)
    expect(lines.join('\n')).toMatch(/10\.0\.0\.2:80 closes its window: it takes nothing more/)
    expect(lines.join('\n')).toMatch(
      /opens its window to [\d,]+ octets, which was closed for 2\.\d\d s \(\d+ probes? of 10\.0\.0\.1:\d+ so far\)/,
    )
    expect(story.sides[0].windowProbes).toBeGreaterThan(1)
    expect(story.sides[0].retransmittedSegments).toBe(0)
    expect(lines.join('\n')).toMatch(/filled the window of 10\.0\.0\.2:80/)
  })

  it('counts keep-alive probes, and says for how long there was nothing', () => {
    const play = new Play().listen()
    const endpoint = play.send(100, false)
    play.at(100, () => endpoint.setKeepAlive(true, 6000, 6000, 5))
    const { lines, story } = play.told(30_000)
    expect(story.sides[0].keepAlives).toBeGreaterThan(2)
    expect(lines.filter((line) => line.startsWith('no packet for'))).not.toHaveLength(0)
    expect(lines.join('\n')).toMatch(/asks \d times whether the other one is there \(keep-alive\)/)
    expect(lines.at(-1)).toBe('the capture ends with the connection open')
  })

  it('shows what comments there are, and beside a repair what the stack says of it', () => {
    const dropped = new Play({
      at: 'server',
      impairment: { delay: 10, rate: 10, corrupt: 0.05 },
      writer: { describe: describeNote },
    }).listen()
    dropped.send(100_000)
    expect(dropped.told(10_000).text).toMatch(
      /a comment in the capture, on \d+ packets?, number \d+ first: dropped: tcp bad checksum/,
    )
    let describe: (note: number) => string | readonly string[] | null = () => null
    const lossy = { delay: 10, rate: 10, loss: 0.02 }
    const play = new Play({ impairment: lossy, writer: { describe: (note) => describe(note) } }).listen()
    const { observer } = play.client.stack.core
    observer.watch(4096, true)
    describe = noteDescriber(observer)
    play.send(200_000)
    const { text } = play.told(10_000)
    expect(text).toMatch(/sends \d+ segments? again .*; the capture has the comment "[^"]*retransmi/)
    // What our own stack says of every segment is no line of its own.
    expect(text).not.toMatch('a comment in the capture')
  })
})

describe('files', () => {
  it('that were captured at two places tell each view of it', () => {
    const play = new Play({ at: 'both', impairment: { delay: 10, rate: 10, loss: 0.05 } }).listen()
    play.send(100_000)
    const { explanation, text } = play.told(5000)
    expect(explanation.conversations.map((story) => story.interface)).toEqual(['client to server', 'server to client'])
    expect(text).toContain('captured at "client to server"')
    const [near, far] = explanation.conversations.map(({ sides }) => sides[0])
    expect(near.octets).toBe(far.octets)
    expect(near.dataSegments).toBeGreaterThan(far.dataSegments)
  })

  it('that kept the heads of packets alone are told the same', () => {
    const run = (snapLength?: number) => {
      const play = new Play({ impairment: { delay: 10, rate: 10, loss: 0.02 }, writer: { snapLength } }).listen()
      play.send(100_000)
      return play.told(5000).explanation.conversations
    }
    expect(run(100)).toEqual(run())
    const cut = new Play({ writer: { snapLength: 40 } }).listen()
    cut.send(1000)
    expect(cut.told(1000).text).toContain("ended before TCP's options")
  })

  it('are drawn, the same each time', () => {
    const play = new Play({ impairment: { delay: 10, rate: 10, loss: 0.02 } }).listen()
    play.send(200_000)
    const { conversations } = play.told(5000)
    const svg = timeSequence(conversations[0])
    expect(svg).toBe(timeSequence(explain(play.file).conversations[0]))
    for (const stroke of ['sent', 'again', 'told-of', 'solid', 'thin'])
      expect(svg).toMatch(new RegExp(`<path class="${stroke}" d="M[^"]{20,}"/>\n`))
    expect(svg).not.toContain('NaN')
  })

  it('of any octets make it throw nothing', () => {
    const play = new Play({ at: 'both', impairment: { delay: 10, rate: 10, loss: 0.05, reorder: 0.05 } }).listen()
    play.send(30_000)
    play.network.advance(2000)
    const whole = play.file
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), (changes) => {
        const file = whole.slice()
        for (const [at, value] of changes) file[at] = value
        const { explanation, conversations } = explain(file)
        explanationText(explanation, explanation.conversations)
        for (const conversation of conversations.slice(0, 2)) timeSequence(conversation)
      }),
      { numRuns: 40 },
    )
  })

  it('of any packets make it throw nothing', () => {
    const packet = fc.uint8Array({ minLength: 0, maxLength: 90 })
    const kind = fc.constantFrom(0, 1, 12, 101, 108, 113, 228, 229, 276, 9)
    const start = fc.constantFrom([0x45, 0, 0, 60], [0x60, 0, 0, 0], [])
    fc.assert(
      fc.property(fc.array(fc.tuple(start, packet), { maxLength: 12 }), kind, (packets, linkType) => {
        const head = new DataView(new ArrayBuffer(24))
        head.setUint32(0, 0xa1b2c3d4)
        head.setUint32(20, linkType)
        const parts = packets.map(([first, rest]) => {
          const octets = [...first, ...rest]
          if (octets.length > 10) octets[9] = 6
          const record = new DataView(new ArrayBuffer(16))
          record.setUint32(8, octets.length)
          record.setUint32(12, octets.length)
          return Buffer.concat([Buffer.from(record.buffer), Buffer.from(octets)])
        })
        const { explanation } = explain(new Uint8Array(Buffer.concat([Buffer.from(head.buffer), ...parts])))
        expect(explanation.packets).toBe(packets.length)
        explanationText(explanation, explanation.conversations)
      }),
    )
  })
})

function blocksOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const blocks: Uint8Array[] = []
  for (let at = 0; at < file.length; at += view.getUint32(at + 4, true))
    blocks.push(file.subarray(at, at + view.getUint32(at + 4, true)))
  return blocks
}
