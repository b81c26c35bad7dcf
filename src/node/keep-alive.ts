// What keeps a process alive on behalf of a stack: one ref'd handle while anybody holds it, none otherwise.
// Held by whatever a user waits for: an open endpoint, a ping under way.
import { clearInterval, setInterval } from 'node:timers'

const ONE_DAY = 86_400_000

export class KeepAlive {
  #holders = 0
  #handle: NodeJS.Timeout | null = null
  #isClosed = false

  get isHeld(): boolean {
    return this.#handle !== null
  }

  /** The returned function lets go; calling it again does nothing. */
  hold(): () => void {
    if (this.#holders++ === 0 && !this.#isClosed) this.#handle = setInterval(doNothing, ONE_DAY)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (--this.#holders === 0) this.#letGo()
    }
  }

  /** For good, whoever holds it. */
  close(): void {
    this.#isClosed = true
    this.#letGo()
  }

  #letGo(): void {
    if (this.#handle !== null) clearInterval(this.#handle)
    this.#handle = null
  }
}

function doNothing(): void {}
