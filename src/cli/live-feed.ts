// What the dashboard's page listens to: every second all sockets; of the connection that it has chosen, if any, several times a second
// what has crossed the links and what TCP knew then. Nothing is collected but for a page that is open.
import {
  ConnectionWatch,
  connectionKey,
  type Endpoint,
  type EventStream,
  eventStream,
  HttpError,
  type HttpRequest,
  type HttpResponse,
  overview,
  type Watchable,
} from '../index.ts'
import type { PortableStack } from '../portable.ts'

const OVERVIEW = 1000
const WATCHED = 250
/** Pages that may be open. */
const MOST_FEEDS = 16
const LONGEST_KEY = 200

export class LiveFeeds {
  readonly #stack: PortableStack
  readonly #links: () => readonly Watchable[]
  #open = 0

  constructor(stack: PortableStack, links: () => readonly Watchable[]) {
    this.#stack = stack
    this.#links = links
  }

  /** `?of=KEY` asks for one connection, called as in the overview. */
  answer(request: HttpRequest): HttpResponse {
    const of = new URLSearchParams(request.target.split('?')[1] ?? '').get('of')
    if (of !== null && of.length > LONGEST_KEY) throw new HttpError(400)
    if (this.#open >= MOST_FEEDS) throw new HttpError(503, 'As many pages of the dashboard are open as may be.')
    return eventStream((events) => this.#begin(events, request.endpoint, of))
  }

  #begin(events: EventStream, endpoint: Endpoint, of: string | null): void {
    this.#open++
    const { time } = this.#stack.driver
    const feed = new Feed(this.#stack, events, endpoint, of, this.#links())
    let cancelOverview = () => {}
    let cancelWatched = () => {}
    const tell = () => {
      feed.tellOverview()
      if (!events.isClosed) cancelOverview = time.after(OVERVIEW, tell)
    }
    const tellWatched = () => {
      feed.tellWatched()
      if (!events.isClosed) cancelWatched = time.after(WATCHED, tellWatched)
    }
    events.onClose = () => {
      this.#open--
      cancelOverview()
      cancelWatched()
      feed.close()
    }
    tell()
    if (of !== null) tellWatched()
  }
}

class Feed {
  readonly #stack: PortableStack
  readonly #events: EventStream
  readonly #ours: string
  readonly #watch: ConnectionWatch | null

  constructor(
    stack: PortableStack,
    events: EventStream,
    { localAddress, localPort, remoteAddress, remotePort }: Endpoint,
    of: string | null,
    links: readonly Watchable[],
  ) {
    this.#stack = stack
    this.#events = events
    this.#ours = connectionKey(`${localAddress}`, localPort, `${remoteAddress}`, remotePort)
    this.#watch = of === null ? null : new ConnectionWatch(stack, links, of)
  }

  tellOverview(): void {
    const data = JSON.stringify({ ...overview(this.#stack), pid: process.pid, ours: this.#ours })
    this.#events.send({ event: 'overview', data })
  }

  tellWatched(): void {
    if (this.#watch === null) return
    const data = JSON.stringify(this.#watch.take())
    this.#events.send({ event: 'watched', data })
  }

  close(): void {
    this.#watch?.close()
  }
}
