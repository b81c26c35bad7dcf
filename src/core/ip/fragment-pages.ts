// Where octets wait that are to become datagrams: pages of equal size, used again and again, so that a flood of fragments makes
// no garbage. Slabs of them are made when first needed and let go when nothing waits. Used by ip/fragments alone.
import { copyOctets, type Octets } from '../batch.ts'

export const PAGE = 2048
const PAGE_WORDS = PAGE / 4
const SLAB_PAGES = 32

interface Slab extends Octets {
  readonly words: Int32Array
}

export class FragmentPages {
  readonly #slabs: Slab[] = []
  /** Pages given back, the last one first. */
  readonly #free: number[] = []
  #made = 0

  take(): number {
    const page = this.#free.pop()
    if (page !== undefined) return page
    if (this.#made % SLAB_PAGES === 0) {
      const bytes = new Uint8Array(SLAB_PAGES * PAGE)
      this.#slabs.push({ bytes, view: new DataView(bytes.buffer), words: new Int32Array(bytes.buffer) })
    }
    return this.#made++
  }

  give(page: number): void {
    this.#free.push(page)
  }

  /** Nothing waits: all but the first slab go. */
  shrink(): void {
    this.#free.length = 0
    this.#made = 0
    this.#slabs.length = Math.min(this.#slabs.length, 1)
    if (this.#slabs.length > 0) {
      for (let page = SLAB_PAGES - 1; page >= 0; page--) this.#free.push(page)
      this.#made = SLAB_PAGES
    }
  }

  clear(page: number): void {
    const at = (page % SLAB_PAGES) * PAGE_WORDS
    this.#slab(page).words.fill(0, at, at + PAGE_WORDS)
  }

  write(page: number, at: number, from: Octets, offset: number, length: number): void {
    copyOctets(this.#slab(page), (page % SLAB_PAGES) * PAGE + at, from, offset, length)
  }

  read(page: number, to: Octets, offset: number, length: number): void {
    copyOctets(to, offset, this.#slab(page), (page % SLAB_PAGES) * PAGE, length)
  }

  /** Whether every bit from `first` to before `end` is set (or, with `wanted` 0, clear). */
  areBits(page: number, first: number, end: number, wanted: 0 | -1): boolean {
    const { words } = this.#slab(page)
    const at = (page % SLAB_PAGES) * PAGE_WORDS
    for (let bit = first; bit < end; bit = nextWord(bit)) {
      const mask = maskOf(bit, end)
      if ((words[at + (bit >>> 5)] & mask) !== (wanted & mask)) return false
    }
    return true
  }

  setBits(page: number, first: number, end: number): void {
    const { words } = this.#slab(page)
    const at = (page % SLAB_PAGES) * PAGE_WORDS
    for (let bit = first; bit < end; bit = nextWord(bit)) words[at + (bit >>> 5)] |= maskOf(bit, end)
  }

  #slab(page: number): Slab {
    return this.#slabs[(page / SLAB_PAGES) | 0]
  }
}

function nextWord(bit: number): number {
  return (bit | 31) + 1
}

/** Of the bits from `bit` to before `end`, those that stand in the word of `bit`. */
function maskOf(bit: number, end: number): number {
  const count = Math.min(nextWord(bit), end) - bit
  return (count === 32 ? -1 : (1 << count) - 1) << (bit & 31)
}
