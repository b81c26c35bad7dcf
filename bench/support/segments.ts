// One connection between two stacks, and what arrives at one of its ends for ever: text in and out of order, acknowledgments.
// Each of these is a call on 64 segments, as a turn brings them; its time and its garbage are measured by others.
import { BATCH_PACKETS, type PacketBatch } from '../../src/core/batch.ts'
import type { Connection } from '../../src/core/tcp/connection.ts'
import { Template } from './template.ts'
import { SEGMENT, type Side, TwoStacks } from './two-stacks.ts'

/** A call, how many segments it handles, and how many have been handled: a measurement of nothing proves nothing. */
export interface SegmentCall {
  segments: number
  call(): void
  handled(): number
}

export const SEGMENTS = BATCH_PACKETS
const OCTETS = SEGMENTS * SEGMENT

/** In order, or in the order given: read where they lie, and acknowledged. */
export function receiving(order?: readonly number[]): SegmentCall {
  const pair = new TwoStacks()
  const [client, server] = pair.open(pair.listen())
  pair.warmUp(client, server, SEGMENTS)
  client.lend(new Uint8Array(OCTETS), pair.now)
  const template = new Template(pair.transmit(pair.client), pair.server.interface, order)
  const before = server.dataSegmentsReceived
  return {
    segments: SEGMENTS,
    call() {
      pair.pass(STEP)
      pair.server.stack.receive(template.batch, pair.now)
      server.consume(server.readable, pair.now)
      answer(pair, pair.server)
      template.advanceSequence(OCTETS)
    },
    handled: () => (server.readable === 0 ? server.dataSegmentsReceived - before : -1),
  }
}

/** Written, sent, and acknowledged by so many ACKs. */
export function sending(acks: number): SegmentCall {
  const pair = new TwoStacks()
  const [client, server] = pair.open(pair.listen())
  pair.warmUp(client, server, SEGMENTS)
  const template = new Template(acknowledgment(pair, client), pair.client.interface, new Array(acks).fill(0))
  const text = new Uint8Array(OCTETS)
  const each = OCTETS / acks
  let acknowledged = 0
  return {
    segments: SEGMENTS,
    call() {
      pair.pass(STEP)
      client.send(text, 0, OCTETS, pair.now)
      answer(pair, pair.client)
      for (let ack = 0; ack < acks; ack++) template.acknowledge(ack, (client.sndUna + (ack + 1) * each) | 0)
      pair.pass(STEP)
      pair.client.stack.receive(template.batch, pair.now)
      if (client.unacknowledged === 0) acknowledged += SEGMENTS
    },
    handled: () => acknowledged,
  }
}

/** ACKs that tell nothing new while `segments` of which the peer has every second one are in flight; none for an empty scoreboard. */
export function hearing(segments: number): SegmentCall {
  const pair = new TwoStacks()
  const [client, server] = pair.open(pair.listen())
  pair.warmUp(client, server, Math.max(segments, SEGMENTS))
  if (segments > 0) {
    client.lend(new Uint8Array(segments * SEGMENT), pair.now)
    let sent = 0
    while (pair.client.stack.hasOutput) {
      const batch = pair.transmit(pair.client)
      const rows = [...Array(batch.count).keys()].filter((row) => (sent + row) % 2 === 1)
      sent += batch.count
      pair.server.stack.receive(new Template(batch, pair.server.interface, rows).batch, pair.now)
    }
    if (sent !== segments) throw new Error(`${sent} of ${segments} segments were sent`)
  }
  const sacks = segments === 0 ? acknowledgment(pair, client) : pair.transmit(pair.server)
  const template = new Template(sacks, pair.client.interface, new Array(SEGMENTS).fill(0))
  const before = client.segmentsReceived
  return {
    segments: SEGMENTS,
    call() {
      pair.pass(STEP)
      pair.client.stack.receive(template.batch, pair.now)
    },
    handled: () => client.segmentsReceived - before,
  }
}

/** A batch with the server's ACK of text that nothing follows: two segments, since one alone would wait. */
function acknowledgment(pair: TwoStacks, client: Connection): PacketBatch {
  client.lend(new Uint8Array(2 * SEGMENT), pair.now)
  const batch = pair.transmit(pair.client)
  batch.interface = pair.server.interface.index
  pair.server.stack.receive(batch, pair.now)
  batch.interface = pair.client.interface.index
  const answer = pair.transmit(pair.server)
  if (answer.count !== 1) throw new Error(`${answer.count} ACKs`)
  pair.client.stack.receive(new Template(answer, pair.client.interface).batch, pair.now)
  return answer
}

/** Time between a turn and the next. */
const STEP = 0.05

function answer(pair: TwoStacks, side: Side): void {
  while (side.stack.hasOutput) pair.transmit(side)
}
