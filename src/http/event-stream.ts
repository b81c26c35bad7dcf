// Server-sent events (the WHATWG's HTML standard, §9.2): an answer that goes on, as long as the client listens.
import { utf8 } from './octets.ts'
import { HttpResponse, type OctetSource } from './response.ts'

export interface ServerEvent {
  event?: string
  id?: string
  /** Milliseconds. */
  retry?: number
  data: string
}

/** Octets that may wait for a client that does not read; beyond, it is let go. */
const MOST_WAITING = 1_048_576

export class EventStream implements OctetSource {
  readonly length = null
  /** The client has gone, or was let go. */
  onClose: (() => void) | null = null
  readonly #waiting: Uint8Array<ArrayBuffer>[] = []
  #octets = 0
  #isClosed = false
  #wake: (() => void) | null = null

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** False where nobody hears it any more. */
  send(event: ServerEvent | string): boolean {
    const { event: name, id, retry, data } = typeof event === 'string' ? { data: event } : event
    let text = ''
    if (name !== undefined) text += `event: ${oneLine(name)}\n`
    if (id !== undefined) text += `id: ${oneLine(id)}\n`
    if (retry !== undefined) text += `retry: ${Math.trunc(retry)}\n`
    for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`
    return this.#push(`${text}\n`)
  }

  /** What no client shows: keeps the way open, and finds out who has gone. */
  comment(text = ''): boolean {
    return this.#push(`: ${oneLine(text)}\n\n`)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wake?.()
    this.onClose?.()
  }

  ended(): void {
    this.close()
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const piece = this.#waiting.shift()
        if (piece !== undefined) {
          this.#octets -= piece.length
          yield piece
        } else if (this.#isClosed) return
        else await this.#more()
      }
    } finally {
      this.close()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #push(text: string): boolean {
    if (this.#isClosed) return false
    const octets = utf8(text)
    this.#waiting.push(octets)
    this.#octets += octets.length
    this.#wake?.()
    if (this.#octets > MOST_WAITING) this.close()
    return !this.#isClosed
  }
}

/** `begin` is given the stream, to send on it now and later. */
export function eventStream(begin: (events: EventStream) => void): HttpResponse {
  const events = new EventStream()
  begin(events)
  const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }
  return new HttpResponse(events, { headers })
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]+/g, ' ')
}
