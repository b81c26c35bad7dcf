// How a connection was opened, from the segments with SYN: who asked, how often, what both agreed to, and how long it took.
// Part of conversation.ts, which shows it every segment until it is done.
import { Flag, type Segment } from './segment.ts'
import type { Side } from './side.ts'
import { milliseconds, times } from './words.ts'

export class Handshake {
  /** Of the first SYN, the first SYN-ACK, and what completed it. */
  synAt: number | null = null
  synAckAt: number | null = null
  doneAt: number | null = null
  /** Who asked. */
  asker: Side | null = null
  /** How often each was seen. */
  syns = 0
  synAcks = 0
  #lastSynAt = 0

  receive(segment: Segment, from: Side, to: Side): void {
    const { flags, packet } = segment
    const isSyn = (flags & Flag.syn) !== 0
    const isAck = (flags & Flag.ack) !== 0
    if (isSyn && !isAck) {
      if (from.syn === null) from.syn = segment
      this.asker ??= from
      this.synAt ??= packet.time
      this.#lastSynAt = packet.time
      this.syns++
    } else if (isSyn) {
      if (from.syn === null) from.syn = segment
      this.asker ??= to
      this.synAckAt ??= packet.time
      this.synAcks++
    } else if (isAck && this.synAckAt !== null && from === this.asker) this.doneAt ??= packet.time
  }

  get isWhole(): boolean {
    return (
      this.synAt !== null && this.synAckAt !== null && this.doneAt !== null && this.syns === 1 && this.synAcks === 1
    )
  }

  /** Milliseconds from the SYN to what completed it, which is one round trip wherever the capture was taken; null where it can't be known. */
  get roundTrip(): number | null {
    return this.isWhole ? this.doneAt! - this.synAt! : null
  }

  /** Near whom the capture was taken: whose answers came at once. Null where that is not clear. */
  nearer(sides: readonly Side[]): Side | null {
    if (!this.isWhole) return null
    const [away, back] = [this.synAckAt! - this.synAt!, this.doneAt! - this.synAckAt!]
    const asked = this.asker === sides[0] ? 1 : 0
    if (away > 4 * back && away > 0.5) return this.asker
    return back > 4 * away && back > 0.5 ? sides[asked] : null
  }

  /** What there is to say of it, when it is done or will not be. */
  sentences(sides: readonly Side[]): string[] {
    const { asker } = this
    if (asker === null) return []
    const other = asker === sides[0] ? sides[1] : sides[0]
    const sentences: string[] = []
    if (this.syns > 1) {
      const span = milliseconds(this.#lastSynAt - (this.synAt ?? this.#lastSynAt))
      sentences.push(
        `${asker.name} sent its SYN ${times(this.syns)} within ${span}: the others, or their answers, seem to have been lost`,
      )
    }
    if (this.synAcks > 1) sentences.push(`${other.name} sent its SYN-ACK ${times(this.synAcks)}`)
    if (this.synAckAt === null) {
      if (other.resetAt !== null) sentences.push(`${other.name} refused the connection (RST)`)
      else if (other.syn === null) sentences.push(`nobody answered the SYN, as far as the capture goes`)
      return sentences
    }
    const parts = [
      this.synAt === null ? '' : `SYN-ACK ${milliseconds(this.synAckAt - this.synAt)} after the SYN`,
      this.doneAt === null
        ? 'no ACK for it in the capture'
        : `ACK ${milliseconds(this.doneAt - this.synAckAt)} after that`,
    ]
    const near = this.nearer(sides)
    const place = near === null ? '' : `; so the capture was taken near ${near.name}`
    sentences.push(`handshake: ${parts.filter((part) => part !== '').join(', ')}${place}`)
    if (asker.syn !== null && other.syn !== null) sentences.push(agreed(asker, other))
    return sentences
  }
}

/** What both SYNs have, and what only one has. */
function agreed(asker: Side, other: Side): string {
  const [ours, theirs] = [asker.syn?.options ?? null, other.syn?.options ?? null]
  const words = [`MSS ${ours?.mss ?? 'not said'} and ${theirs?.mss ?? 'not said'}`]
  const scales = [ours?.windowScale ?? null, theirs?.windowScale ?? null]
  words.push(both('window scaling', scales[0] !== null, scales[1] !== null, ` (by 2^${scales[0]} and 2^${scales[1]})`))
  words.push(both('SACK', ours?.sackPermitted ?? false, theirs?.sackPermitted ?? false))
  words.push(both('timestamps', ours?.timestamp != null, theirs?.timestamp != null))
  const asked = ((asker.syn?.flags ?? 0) & (Flag.ece | Flag.cwr)) === (Flag.ece | Flag.cwr)
  const granted = ((other.syn?.flags ?? 0) & (Flag.ece | Flag.cwr)) === Flag.ece
  if (asked) words.push(granted ? 'ECN' : 'ECN asked for and not agreed to')
  return `options: ${words.join(', ')}`
}

function both(what: string, one: boolean, other: boolean, more = ''): string {
  if (one && other) return `${what}${more}`
  return one || other ? `${what} offered by one alone` : `no ${what}`
}
