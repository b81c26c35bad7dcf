// HTTP/2's frames (RFC 9113 §4): octets of a connection <-> frames. What a page on one connection needs of them: no pushes, no priorities,
// and headers written as literals (RFC 7541 §6.2.2), which every peer reads. Called by http2-asker.ts and http2-server.ts.

export const Frame = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const

/** §3.4. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
export const HEADER_LENGTH = 9
/** §6.5.2: of a stream and of the connection, before anybody says otherwise; the longest frame likewise. */
export const FIRST_WINDOW = 65_535
export const LONGEST_FRAME = 16_384
export const LARGEST_WINDOW = 0x7fff_ffff
export const Setting = { push: 2, initialWindow: 4 } as const

/** Borrowed until the call that is told of it returns. */
export interface Arrived {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Uint8Array
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(HEADER_LENGTH + payload.length)
  octets[0] = payload.length >>> 16
  octets[1] = payload.length >>> 8
  octets[2] = payload.length
  octets[3] = type
  octets[4] = flags
  new DataView(octets.buffer).setUint32(5, stream)
  octets.set(payload, HEADER_LENGTH)
  return octets
}

export function settings(pairs: readonly (readonly [setting: number, value: number])[]): Uint8Array<ArrayBuffer> {
  const payload = new DataView(new ArrayBuffer(pairs.length * 6))
  for (const [place, [setting, value]] of pairs.entries()) {
    payload.setUint16(place * 6, setting)
    payload.setUint32(place * 6 + 2, value)
  }
  return frame(Frame.settings, 0, 0, new Uint8Array(payload.buffer))
}

/** The value of a setting that a SETTINGS frame has; null where it has none. */
export function settingOf({ payload }: Arrived, wanted: number): number | null {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  let found: number | null = null
  for (let at = 0; at + 6 <= payload.length; at += 6) if (view.getUint16(at) === wanted) found = view.getUint32(at + 2)
  return found
}

export function windowUpdate(stream: number, octets: number): Uint8Array<ArrayBuffer> {
  return frame(Frame.windowUpdate, 0, stream, word(octets))
}

export function word(value: number): Uint8Array {
  const payload = new Uint8Array(4)
  new DataView(payload.buffer).setUint32(0, value)
  return payload
}

/** 0 where there is none. */
export function wordOf({ payload }: Arrived, at = 0): number {
  return payload.length < at + 4 ? 0 : new DataView(payload.buffer, payload.byteOffset).getUint32(at)
}

/** RFC 7541 §6.1: a field of the static table. */
export function indexed(index: number): number[] {
  return [0x80 | index]
}

/** RFC 7541 §6.2.2: a name of the static table, or of one's own, with a value; neither is remembered. Both are ASCII, and short. */
export function literal(name: number | string, value: string): number[] {
  const text = (words: string) => [words.length, ...[...words].map((letter) => letter.charCodeAt(0))]
  if (typeof name === 'number' && name < 15) return [name, ...text(value)]
  if (typeof name === 'number') return [15, name - 15, ...text(value)]
  return [0, ...text(name), ...text(value)]
}

/** Puts frames together from stretches of any length. */
export class FrameReader {
  #kept = new Uint8Array(0)
  readonly #take: (arrived: Arrived) => void

  constructor(take: (arrived: Arrived) => void) {
    this.#take = take
  }

  read(octets: Uint8Array): void {
    let all = octets
    if (this.#kept.length > 0) {
      all = new Uint8Array(this.#kept.length + octets.length)
      all.set(this.#kept)
      all.set(octets, this.#kept.length)
    }
    let at = 0
    while (all.length - at >= HEADER_LENGTH) {
      const length = (all[at] << 16) | (all[at + 1] << 8) | all[at + 2]
      const end = at + HEADER_LENGTH + length
      if (end > all.length) break
      const stream = new DataView(all.buffer, all.byteOffset + at).getUint32(5) & LARGEST_WINDOW
      const payload = all.subarray(at + HEADER_LENGTH, end)
      this.#take({ type: all[at + 3], flags: all[at + 4], stream, payload })
      at = end
    }
    this.#kept = all.slice(at)
  }
}
