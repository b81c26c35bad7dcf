// Packets of other people's captures (pcap and pcapng), thrown at a stack one by one: none may make it throw.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bench } from '../../test/support/packets.ts'

/** Octets before the IP header, by link type; where it is not known how many, the packet is tried from its beginning. */
const BEFORE: Record<number, number> = { 0: 4, 1: 14, 12: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20 }
const LARGEST = 65_535

export interface CapturesOutcome {
  files: number
  packets: number
  /** The first of each failure. */
  failures: string[]
}

export function throwCaptures(folder: string): CapturesOutcome {
  const outcome: CapturesOutcome = { files: 0, packets: 0, failures: [] }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:pcap|pcapng|cap|dmp)$/.test(name),
  )
  for (const name of names) {
    const octets = readFileSync(join(folder, name))
    const bench = new Bench()
    outcome.files++
    try {
      for (const packet of packetsOf(octets)) {
        outcome.packets++
        bench.receive(packet)
        bench.sent()
        bench.advance(1)
      }
    } catch (error) {
      outcome.failures.push(`${name}: ${error instanceof Error ? error.stack : error}`)
    }
  }
  return outcome
}

function* packetsOf(octets: Buffer): Generator<Uint8Array> {
  if (octets.length < 24) return
  const magic = octets.readUInt32LE(0)
  if (magic === 0x0a0d0d0a) yield* fromPcapng(octets)
  else if (magic === 0xa1b2c3d4 || magic === 0xa1b23c4d) yield* fromPcap(octets, true)
  else if (magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1) yield* fromPcap(octets, false)
}

function* fromPcap(octets: Buffer, isLittle: boolean): Generator<Uint8Array> {
  const word = (at: number) => (isLittle ? octets.readUInt32LE(at) : octets.readUInt32BE(at))
  const before = BEFORE[word(20) & 0xffff] ?? 0
  for (let at = 24; at + 16 <= octets.length; ) {
    const length = word(at + 8)
    yield* packet(octets, at + 16, length, before)
    at += 16 + length
  }
}

function* fromPcapng(octets: Buffer): Generator<Uint8Array> {
  let isLittle = true
  const links: number[] = []
  const word = (at: number) => (isLittle ? octets.readUInt32LE(at) : octets.readUInt32BE(at))
  for (let at = 0; at + 12 <= octets.length; ) {
    if (octets.readUInt32LE(at) === 0x0a0d0d0a && at + 16 <= octets.length)
      isLittle = octets.readUInt32LE(at + 8) === 0x1a2b3c4d
    const type = word(at)
    const length = word(at + 4)
    if (type === 1) links.push(word(at + 8) & 0xffff)
    if (type === 6 && at + 28 <= octets.length)
      yield* packet(octets, at + 28, word(at + 20), BEFORE[links[word(at + 8)]] ?? 0)
    if (type === 3) yield* packet(octets, at + 12, length - 16, BEFORE[links[0]] ?? 0)
    if (length < 12) return
    at += length
  }
}

/** As it is, and as if it were for the stack. */
function* packet(octets: Buffer, at: number, length: number, before: number): Generator<Uint8Array> {
  const end = Math.min(octets.length, at + length)
  if (at + before >= end || end - at > LARGEST) return
  const whole = octets.subarray(at + before, end)
  yield whole
  const ours = Uint8Array.from(whole)
  if (ours[0] >>> 4 === 4 && ours.length >= 20) ours.set([10, 0, 0, 2], 16)
  else if (ours[0] >>> 4 === 6 && ours.length >= 40) ours.set([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 24)
  yield ours
}
