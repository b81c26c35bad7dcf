// A capture written to a file while packets flow: blocks gather for one iteration of the event loop and go out in one write.
import { closeSync, openSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers'

/** Octets that are written at once, whatever the loop does. */
const MOST_GATHERED = 1 << 20

export interface CaptureFile {
  /** What `capture` and `PcapngWriter` are given. */
  readonly write: (block: Uint8Array<ArrayBuffer>) => void
  /** Writes what is left. */
  close(): void
}

/** Throws where the file can't be made, and `failed` is told once if the disk refuses more later (which ends the capture). */
export function openCaptureFile(path: string, failed: (error: NodeJS.ErrnoException) => void = () => {}): CaptureFile {
  return new GatheringFile(openSync(path, 'w'), failed)
}

class GatheringFile implements CaptureFile {
  readonly #descriptor: number
  readonly #failed: (error: NodeJS.ErrnoException) => void
  #blocks: Uint8Array<ArrayBuffer>[] = []
  #octets = 0
  #isAwaited = false
  #isClosed = false

  constructor(descriptor: number, failed: (error: NodeJS.ErrnoException) => void) {
    this.#descriptor = descriptor
    this.#failed = failed
  }

  readonly write = (block: Uint8Array<ArrayBuffer>): void => {
    if (this.#isClosed) return
    this.#blocks.push(block)
    this.#octets += block.length
    if (this.#octets >= MOST_GATHERED) this.#flush()
    if (this.#isAwaited) return
    this.#isAwaited = true
    setImmediate(() => {
      this.#isAwaited = false
      this.#flush()
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#flush()
    this.#end()
  }

  #flush(): void {
    if (this.#isClosed || this.#octets === 0) return
    const gathered = Buffer.concat(this.#blocks, this.#octets)
    this.#blocks = []
    this.#octets = 0
    try {
      for (let written = 0; written < gathered.length; ) written += writeSync(this.#descriptor, gathered, written)
    } catch (error) {
      this.#end()
      this.#failed(error as NodeJS.ErrnoException)
    }
  }

  /** A `close` inside `#flush` finds it closed already. */
  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#descriptor)
  }
}
