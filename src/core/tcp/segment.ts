// The arriving segment: SEG.SEQ, SEG.ACK and the rest (RFC 9293 §3.3.1), one a stack, filled anew by tcp/input.
// Borrowed: valid until `receive` returns. The steps trim it to what is new and within the window as they go.
import type { Packet } from '../ip/packet.ts'
import { Flag } from '../wire/tcp.ts'
import { TcpOptions } from '../wire/tcp-options.ts'

export class Segment {
  /** Addresses, octets, interface, slot. */
  packet: Packet
  sourcePort = 0
  destinationPort = 0
  seq = 0
  ack = 0
  /** Values of `Flag`. */
  flags = 0
  /** As it stands in the header: scaled by whoever knows the connection. */
  wnd = 0
  /** The urgent pointer. */
  up = 0
  /** Where its text begins in the packet's octets, and how long it is. */
  text = 0
  textLength = 0
  /** Text of each segment that the link has merged into this one; 0 where it is an ordinary one. */
  segmentSize = 0
  /** Segments that this one stands for. */
  segments = 1
  readonly options = new TcpOptions()

  constructor(packet: Packet) {
    this.packet = packet
  }

  get hasSyn(): boolean {
    return (this.flags & Flag.syn) !== 0
  }

  get hasFin(): boolean {
    return (this.flags & Flag.fin) !== 0
  }

  get hasAck(): boolean {
    return (this.flags & Flag.ack) !== 0
  }

  get hasRst(): boolean {
    return (this.flags & Flag.rst) !== 0
  }

  /** SEG.LEN: SYN and FIN count. */
  get len(): number {
    return this.textLength + (this.flags & Flag.syn ? 1 : 0) + (this.flags & Flag.fin ? 1 : 0)
  }

  /** The sequence number after its last octet. */
  get end(): number {
    return (this.seq + this.len) | 0
  }

  /** The first `count` sequence numbers are old: a SYN first, then text, then a FIN. */
  trimStart(count: number): void {
    let left = count
    if (left > 0 && this.flags & Flag.syn) {
      this.flags &= ~Flag.syn
      left--
      this.seq = (this.seq + 1) | 0
      if (this.up > 0) this.up--
      else this.flags &= ~Flag.urg
    }
    const octets = Math.min(left, this.textLength)
    this.seq = (this.seq + octets) | 0
    this.text += octets
    this.textLength -= octets
    // RFC 9293 §3.10.7.4: the urgent pointer keeps its place in the sequence space.
    if (this.flags & Flag.urg && octets > 0) {
      if (this.up > octets) this.up -= octets
      else this.flags &= ~Flag.urg
    }
    if (left > octets && this.flags & Flag.fin) {
      this.flags &= ~Flag.fin
      this.seq = (this.seq + 1) | 0
    }
  }

  /** The last `count` sequence numbers are beyond the window. */
  trimEnd(count: number): void {
    let left = count
    if (left > 0 && this.flags & Flag.fin) {
      this.flags &= ~Flag.fin
      left--
    }
    this.textLength -= Math.min(left, this.textLength)
  }
}
