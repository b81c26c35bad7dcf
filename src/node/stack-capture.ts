// Captures of a whole stack: the packets of all its interfaces, with what only the stack knows of each as comments, and the secrets
// of its TLS. Links are wrapped when they are added, so that a capture may begin and end at any time; the wrapping costs two tests a turn.
import { type Observer, RING_EVENTS } from '../core/observer.ts'
import { noteDescriber } from '../inspect/describe-note.ts'
import type { TappedLink } from '../link/capture.ts'
import { type PcapngSink, PcapngWriter } from '../link/pcapng.ts'
import type { KeyLog } from './key-log.ts'

export interface StackCaptureOptions {
  /** The octets of a packet that are kept; all of them unless said otherwise. */
  snapLength?: number
  /** What the stack knows of each packet, as comments; not where this is false. */
  comments?: boolean
  /** The secrets of TLS on this stack, in blocks of their own; not where this is false. */
  secrets?: boolean
  /** Interfaces, by their names: all of them unless said otherwise. */
  interfaces?: readonly string[]
}

interface Running {
  readonly writer: PcapngWriter
  readonly stops: (() => void)[]
  readonly wants: (name: string) => boolean
}

export class StackCaptures {
  readonly #observer: Observer
  readonly #keyLog: KeyLog
  readonly #links = new Map<string, TappedLink>()
  readonly #running = new Set<Running>()

  constructor(observer: Observer, keyLog: KeyLog) {
    this.#observer = observer
    this.#keyLog = keyLog
  }

  /** An interface was added, with a link that is wrapped. */
  add(name: string, link: TappedLink): void {
    this.#links.set(name, link)
    for (const running of this.#running) tap(running, name, link)
  }

  /** Writes the blocks of a pcapng file from now on; the returned function ends it. */
  start(sink: PcapngSink, options: StackCaptureOptions = {}): () => void {
    const { snapLength, comments = true, secrets = true, interfaces } = options
    const describe = comments ? noteDescriber(this.#observer) : undefined
    const writer = new PcapngWriter(sink, { snapLength, describe })
    const running: Running = { writer, stops: [], wants: (name) => interfaces?.includes(name) ?? true }
    if (comments) {
      this.#observer.watch(RING_EVENTS, true)
      running.stops.push(() => this.#observer.unwatch(true))
    }
    if (secrets) running.stops.push(this.#keyLog.add((line) => writer.secrets(line)))
    for (const [name, link] of this.#links) tap(running, name, link)
    this.#running.add(running)
    return () => {
      this.#running.delete(running)
      for (const stop of running.stops.splice(0).reverse()) stop()
    }
  }
}

function tap({ writer, stops, wants }: Running, name: string, link: TappedLink): void {
  if (wants(name)) stops.push(link.tap(writer, { name }))
}
