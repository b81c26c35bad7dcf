// TCP options (RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2 and §3): octets at an offset <-> numbers.
// `TcpOptions` is filled anew for every segment: one a stack, borrowed until the next `parse`. Written in Linux's layouts.
// Called by tcp/input, tcp/emit and tcp/reply.

export const Option = {
  end: 0,
  noOperation: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const

export const ABSENT = -1
/** RFC 7323 §2.3. */
export const LARGEST_SCALE = 14
/** What 40 octets hold; three beside timestamps. */
export const SACK_BLOCKS = 4
export const TIMESTAMPS_LENGTH = 12

const NOP_NOP_TIMESTAMPS = 0x0101080a
const NOP_NOP_SACK = 0x01010500
const NOP_NOP_SACK_PERMITTED = 0x01010402
const SACK_PERMITTED_TIMESTAMPS = 0x0402080a
const NOP_WINDOW_SCALE = 0x01030300
const MSS = 0x02040000

export class TcpOptions {
  /** ABSENT, or what the option says: it may be 0. */
  mss = ABSENT
  /** ABSENT, or 0 to 14. */
  windowScale = ABSENT
  sackPermitted = false
  hasTimestamps = false
  /** TSval and TSecr. */
  timestampValue = 0
  timestampEcho = 0
  sackCount = 0
  readonly sackStart = new Int32Array(SACK_BLOCKS)
  readonly sackEnd = new Int32Array(SACK_BLOCKS)
  /** An option's length was wrong: what stood before it counts, what follows is not looked at. */
  isMalformed = false

  clear(): void {
    this.mss = ABSENT
    this.windowScale = ABSENT
    this.sackPermitted = false
    this.hasTimestamps = false
    this.timestampValue = 0
    this.timestampEcho = 0
    this.sackCount = 0
    this.isMalformed = false
  }

  /** Reads the options in `length` octets (those of the header after the first 20). Never reads beyond them. */
  parse(view: DataView, at: number, length: number): void {
    this.clear()
    if (length === TIMESTAMPS_LENGTH && view.getInt32(at) === NOP_NOP_TIMESTAMPS) {
      // RFC 7323 Appendix A: the layout of nearly every segment.
      this.#timestamps(view, at + 4)
      return
    }
    const end = at + length
    let option = at
    while (option < end) {
      const kind = view.getUint8(option)
      // MUST-4, MUST-5, MUST-64: an option may begin at any octet, in any segment.
      if (kind === Option.end) return
      if (kind === Option.noOperation) {
        option++
        continue
      }
      // RFC 9293 §3.1: MUST-68, every other option has a length; MUST-7, a wrong one ends the walk.
      const optionLength = option + 1 < end ? view.getUint8(option + 1) : 0
      if (optionLength < 2 || option + optionLength > end) {
        this.isMalformed = true
        return
      }
      this.#take(view, option, kind, optionLength)
      option += optionLength
    }
  }

  /** MUST-6: an option that is not known is passed over; so is a known one whose length isn't its own. */
  #take(view: DataView, at: number, kind: number, length: number): void {
    switch (kind) {
      case Option.mss:
        if (length === 4) this.mss = view.getUint16(at + 2)
        else this.isMalformed = true
        break
      case Option.windowScale:
        // RFC 7323 §2.3: a larger shift means 14.
        if (length === 3) this.windowScale = Math.min(view.getUint8(at + 2), LARGEST_SCALE)
        else this.isMalformed = true
        break
      case Option.sackPermitted:
        if (length === 2) this.sackPermitted = true
        else this.isMalformed = true
        break
      case Option.timestamps:
        if (length === 10) this.#timestamps(view, at + 2)
        else this.isMalformed = true
        break
      case Option.sack:
        this.#sack(view, at, length)
    }
  }

  #timestamps(view: DataView, at: number): void {
    this.hasTimestamps = true
    this.timestampValue = view.getInt32(at)
    this.timestampEcho = view.getInt32(at + 4)
  }

  #sack(view: DataView, at: number, length: number): void {
    const blocks = (length - 2) >> 3
    if (blocks < 1 || length !== 2 + blocks * 8) {
      this.isMalformed = true
      return
    }
    this.sackCount = Math.min(blocks, SACK_BLOCKS)
    for (let block = 0; block < this.sackCount; block++) {
      this.sackStart[block] = view.getInt32(at + 2 + block * 8)
      this.sackEnd[block] = view.getInt32(at + 6 + block * 8)
    }
  }
}

/** Octets that `writeSyn` will take. `windowScale` may be ABSENT. */
export function synLength(windowScale: number, sackPermitted: boolean, hasTimestamps: boolean): number {
  return 4 + (hasTimestamps ? TIMESTAMPS_LENGTH : sackPermitted ? 4 : 0) + (windowScale === ABSENT ? 0 : 4)
}

/** The options of a SYN or SYN-ACK; returns their length, a multiple of four. MUST-14, MUST-65: the MSS option goes here only. */
export function writeSyn(
  view: DataView,
  start: number,
  mss: number,
  windowScale: number,
  sackPermitted: boolean,
  hasTimestamps: boolean,
  timestampValue: number,
  timestampEcho: number,
): number {
  let at = start
  view.setInt32(at, MSS | mss)
  at += 4
  if (hasTimestamps) {
    view.setInt32(at, sackPermitted ? SACK_PERMITTED_TIMESTAMPS : NOP_NOP_TIMESTAMPS)
    view.setInt32(at + 4, timestampValue)
    view.setInt32(at + 8, timestampEcho)
    at += TIMESTAMPS_LENGTH
  } else if (sackPermitted) {
    view.setInt32(at, NOP_NOP_SACK_PERMITTED)
    at += 4
  }
  if (windowScale !== ABSENT) {
    view.setInt32(at, NOP_WINDOW_SCALE | windowScale)
    at += 4
  }
  return at - start
}

/** How many SACK blocks a segment has room for. */
export function sackRoom(hasTimestamps: boolean): number {
  return hasTimestamps ? SACK_BLOCKS - 1 : SACK_BLOCKS
}

/** Octets that `write` will take. */
export function length(hasTimestamps: boolean, sackCount: number): number {
  return (hasTimestamps ? TIMESTAMPS_LENGTH : 0) + (sackCount > 0 ? 4 + sackCount * 8 : 0)
}

/** The options of every other segment; returns their length, a multiple of four (MUST-69: nothing is left to be padded). */
export function write(
  view: DataView,
  start: number,
  hasTimestamps: boolean,
  timestampValue: number,
  timestampEcho: number,
  sackCount: number,
  sackStart: Int32Array,
  sackEnd: Int32Array,
): number {
  let at = start
  if (hasTimestamps) {
    view.setInt32(at, NOP_NOP_TIMESTAMPS)
    view.setInt32(at + 4, timestampValue)
    view.setInt32(at + 8, timestampEcho)
    at += TIMESTAMPS_LENGTH
  }
  if (sackCount > 0) {
    view.setInt32(at, NOP_NOP_SACK | (2 + sackCount * 8))
    at += 4
    for (let block = 0; block < sackCount; block++, at += 8) {
      view.setInt32(at, sackStart[block])
      view.setInt32(at + 4, sackEnd[block])
    }
  }
  return at - start
}
