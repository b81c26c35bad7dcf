// The character generator (RFC 864): lines of the printing characters, each line begun one character further on.
import type { Random } from '../core/environment.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { isLoopProne } from './loops.ts'

export const CHARGEN_PORT = 19

const FIRST_CHARACTER = 0x20
const CHARACTERS = 95
const LINE = 72
const LINE_OCTETS = LINE + 2
/** RFC 864: a datagram of 0 to 512 characters. */
const LONGEST = 512

/** The pattern as one run of octets, of which every line begins one character later than the one before. */
export function chargenPattern(): Uint8Array<ArrayBuffer> {
  const pattern = new Uint8Array(CHARACTERS * LINE_OCTETS)
  for (let line = 0; line < CHARACTERS; line++) {
    for (let column = 0; column < LINE; column++) {
      pattern[line * LINE_OCTETS + column] = FIRST_CHARACTER + ((line + column) % CHARACTERS)
    }
    pattern[line * LINE_OCTETS + LINE] = 13
    pattern[line * LINE_OCTETS + LINE + 1] = 10
  }
  return pattern
}

/** Answers are of any length: more than what was asked with, which is why a rate limit stands before public ones. */
export function generateDatagrams(endpoint: UdpEndpoint, random: Random): void {
  const bytes = chargenPattern()
  const octets = { bytes, view: new DataView(bytes.buffer) }
  endpoint.onReadable = () => {
    for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive()) {
      if (isLoopProne(datagram.sourcePort)) continue
      endpoint.reply(datagram, octets, 0, (random.int32() >>> 0) % (LONGEST + 1))
    }
  }
}

/** So many rounds of the pattern are lent at a time: just below 64 kB. */
const ROUNDS = 9

/** Lines without end, as fast as the client reads; what it says is thrown away. It ends when the client has finished. */
export function generateStream(endpoint: Endpoint, rounds: Uint8Array<ArrayBuffer>): void {
  const fill = () => {
    while (endpoint.room > 0 && endpoint.lend(rounds));
  }
  endpoint.onReadable = () => {
    endpoint.look((_, __, length) => length)
    if (endpoint.isAtEnd) endpoint.finish()
  }
  endpoint.onWritable = fill
  fill()
}

/** What every client of `generateStream` is lent, and nobody changes. */
export function chargenRounds(): Uint8Array<ArrayBuffer> {
  const round = chargenPattern()
  const rounds = new Uint8Array(round.length * ROUNDS)
  for (let at = 0; at < rounds.length; at += round.length) rounds.set(round, at)
  return rounds
}
