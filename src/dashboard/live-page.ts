// The stack that serves this page, as it is now: every socket, and one connection in full when it is chosen.
import type { WatchedConnection } from '../portable.ts'
import { busierSide, ConnectionView } from './connection-view.ts'
import { Conversation, Side } from './conversation.ts'
import { element, fill, write } from './elements.ts'
import { count, milliseconds, octets, rate } from './figures.ts'
import { LiveFeed, type LiveOverview } from './live-feed.ts'
import { SocketTable } from './socket-table.ts'

/** Happenings of a connection that are kept. */
const MOST_KEPT = 12_000
const TILES = ['connections', 'in', 'out', 'packets in', 'packets out', 'sent again', 'dropped'] as const

export class LivePage {
  readonly root: HTMLElement
  readonly #table = new SocketTable()
  readonly #tiles = new Map<string, HTMLElement>()
  readonly #detail = element('div', { class: 'watched' })
  readonly #heard = element('p', { class: 'heard', role: 'status' })
  readonly #list: HTMLElement
  #feed: LiveFeed | null = null
  #before: LiveOverview | null = null
  #watching: string | null = null
  #view: ConnectionView | null = null
  #conversation: Conversation | null = null
  #left = 0
  #leftNote: HTMLElement | null = null
  #origin: number | null = null

  constructor() {
    const tiles = TILES.map((name) => {
      const value = element('dd', { 'data-tile': name }, '–')
      this.#tiles.set(name, value)
      return element('div', {}, element('dt', {}, name), value)
    })
    const intro = element(
      'h1',
      { class: 'intro' },
      'The stack that serves this page, as it is now. Choose a connection to look into it.',
    )
    this.#list = element('div', {}, intro, element('dl', { class: 'figures tiles' }, ...tiles), this.#table.root)
    this.root = element('div', { class: 'live' }, this.#heard, this.#detail, this.#list)
  }

  /** All connections, or that one. */
  show(key: string | null): void {
    if (this.#feed !== null && key === this.#watching) return
    this.#close()
    this.#watching = key
    this.#list.hidden = key !== null
    if (key === null) fill(this.#detail)
    else this.#open(key)
    const feed = new LiveFeed(key)
    feed.onHeard = (isHeard) => this.#tellHeard(isHeard)
    feed.onOverview = (overview) => this.#onOverview(overview)
    feed.onWatched = (watched) => this.#onWatched(watched)
    this.#feed = feed
  }

  hide(): void {
    this.#close()
  }

  #close(): void {
    this.#feed?.close()
    this.#feed = null
    this.#view?.close()
    this.#view = null
    this.#conversation = null
    this.#before = null
  }

  #open(key: string): void {
    const [local, remote] = key.split('~')
    this.#conversation = new Conversation([remote, 'tunstack'], true)
    this.#view = new ConnectionView([remote, 'tunstack'])
    this.#left = 0
    this.#origin = null
    this.#leftNote = element('p', { class: 'note' })
    fill(
      this.#detail,
      element('a', { href: '#connections', class: 'back' }, '← All connections'),
      element(
        'h1',
        {},
        element('span', { class: 'server' }, local),
        ' ↔ ',
        element('span', { class: 'client' }, remote),
      ),
      this.#leftNote,
      this.#view.root,
    )
  }

  #tellHeard(isHeard: boolean): void {
    document.documentElement.dataset.heard = isHeard ? 'yes' : 'no'
    write(this.#heard, isHeard ? '' : 'The server is not heard: what stands here is what it said last.')
  }

  #onOverview(overview: LiveOverview): void {
    const before = this.#before
    this.#before = overview
    if (this.#watching !== null) return
    this.#table.show(overview, before)
    const seconds = before === null ? Number.NaN : (overview.now - before.now) / 1000
    const { counters } = overview
    const each = (name: keyof LiveOverview['counters']) =>
      before === null ? Number.NaN : (counters[name] - before.counters[name]) / seconds
    const words: Record<(typeof TILES)[number], string> = {
      connections: String(
        Object.entries(overview.states).reduce((sum, [state, many]) => (state === 'LISTEN' ? sum : sum + many), 0),
      ),
      in: rate(each('octetsIn')),
      out: rate(each('octetsOut')),
      'packets in': perSecond(each('packetsIn')),
      'packets out': perSecond(each('packetsOut')),
      'sent again': count(counters.retransmissions),
      dropped: count(counters.dropped),
    }
    for (const [name, text] of Object.entries(words)) write(this.#tiles.get(name) as HTMLElement, text)
  }

  #onWatched(watched: WatchedConnection): void {
    const conversation = this.#conversation
    if (conversation === null) return
    const { segments, sample, changes, roundTrips, left, scales } = watched
    this.#origin ??= segments[0]?.at ?? sample?.at ?? null
    const origin = this.#origin ?? 0
    conversation.scales[0] = scales[0]
    conversation.scales[1] = scales[1]
    for (const { at, isOut, segment, reason } of segments) {
      const flight = conversation.sent(isOut ? Side.server : Side.client, at - origin, segment, isOut)
      flight.reason = reason
      if (!isOut) conversation.arrived(flight, at - origin)
    }
    for (const change of changes) conversation.changed({ ...change, at: change.at - origin, side: Side.server })
    this.#learnState(conversation, watched, origin)
    for (const { at, measured } of roundTrips) conversation.roundTrips[Side.server].push({ at: at - origin, measured })
    if (sample !== null) conversation.samples[Side.server].push({ ...sample, at: sample.at - origin })
    conversation.trim(MOST_KEPT)
    this.#left += left
    this.#tellWatched(watched, conversation, origin)
  }

  /** Where it stood when this page came, and what no event has told of. */
  #learnState({ states }: Conversation, { state, segments, sample }: WatchedConnection, origin: number): void {
    const last = states.at(-1)?.to
    if (last === state || (last === undefined && state === 'CLOSED')) return
    const at = Math.max(0, (segments.at(-1)?.at ?? sample?.at ?? origin) - origin)
    const cause = last === undefined ? 'when this page came' : ''
    states.push({ at, side: Side.server, from: last ?? state, to: state, cause })
  }

  #tellWatched({ sample, state }: WatchedConnection, conversation: Conversation, origin: number): void {
    const { log } = conversation
    const now = Math.max(log.at(-1)?.at ?? 0, sample === null ? 0 : sample.at - origin)
    const from = log[0]?.at ?? 0
    const words: string[] = [state]
    if (sample !== null)
      words.push(`round trip ${milliseconds(sample.smoothed ?? Number.NaN)}`, `cwnd ${octets(sample.cwnd)}`)
    if (this.#left > 0) words.push(`${count(this.#left)} packets too many to tell of`)
    if (this.#leftNote !== null) write(this.#leftNote, words.join(' · '))
    this.#view?.show(conversation, log.length, now, busierSide(conversation), [from, Math.max(now, from + 100)])
  }
}

function perSecond(value: number): string {
  return Number.isFinite(value) ? `${count(value)} /s` : '–'
}
