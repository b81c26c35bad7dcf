// The ladder: what happened as rows, one line a packet from the end that sent it to the one that it reached. Rows are as far apart as
// happenings, not as time. A packet that is chosen is told field by field beside it, with why it was sent.
import { type Conversation, type Flight, type Happening, isBare, Side } from './conversation.ts'
import { drawing, element, fill, write } from './elements.ts'
import { milliseconds, moment } from './figures.ts'
import { fieldsOf, lineOf } from './segment-words.ts'

const ROW = 30
const ROWS = 40
/** Where the two ends stand, as parts of the width. */
const LEFT = 6
const RIGHT = 94

export class Ladder {
  readonly root: HTMLElement
  readonly #rows: HTMLElement
  readonly #details: HTMLElement
  readonly #earlier: HTMLButtonElement
  readonly #lose: ((flight: Flight) => void) | null
  readonly #follow: HTMLButtonElement
  /** Those that are shown keep their elements: whoever is about to press one must not lose it. */
  readonly #rowOf = new Map<Happening, HTMLElement>()
  readonly #names: readonly [string, string]
  #conversation: Conversation | null = null
  #count = 0
  #rowsShown = ROWS
  #shown: readonly Happening[] = []
  #chosen: Flight | null = null

  /** `lose`: offered for a chosen packet where it can be had. */
  constructor(names: readonly [string, string], lose: ((flight: Flight) => void) | null) {
    this.#names = names
    this.#lose = lose
    this.#rows = element('div', { class: 'ladder-rows', role: 'list', 'aria-label': 'Packets in the order of time' })
    this.#details = element('div', { class: 'details', 'aria-live': 'polite' })
    this.#earlier = element(
      'button',
      { class: 'quiet', type: 'button', click: () => this.#showEarlier() },
      'Show earlier ones',
    )
    this.#follow = element('button', { class: 'quiet follow', type: 'button', hidden: true, click: () => this.#goOn() })
    const heads = element(
      'div',
      { class: 'ladder-heads', 'aria-hidden': 'true' },
      element('span', { class: 'client' }, names[0]),
      element('span', { class: 'server' }, names[1]),
    )
    const lanes = element(
      'div',
      { class: 'ladder' },
      heads,
      element('div', { class: 'ladder-scroll' }, this.#earlier, this.#rows),
      this.#follow,
    )
    this.root = element('div', { class: 'ladder-view' }, lanes, this.#details)
    this.#tellNone()
  }

  show(conversation: Conversation, count: number): void {
    if (conversation === this.#conversation && count === this.#count) return
    if (conversation !== this.#conversation) {
      this.#chosen = null
      this.#tellNone()
      this.#follow.hidden = true
    }
    this.#conversation = conversation
    this.#count = count
    // Somebody reads: what has come since waits until they are done.
    if (!this.#follow.hidden) return
    this.#rowsShown = ROWS
    this.#draw()
    const scroll = this.#rows.parentElement as HTMLElement
    scroll.scrollTop = scroll.scrollHeight
  }

  #press(flight: Flight): void {
    this.choose(flight)
    if (this.#conversation?.isOneSided !== true) return
    this.#follow.hidden = false
    write(this.#follow, 'Follow what comes')
  }

  #goOn(): void {
    this.#follow.hidden = true
    this.#rowsShown = ROWS
    this.#draw()
  }

  choose(flight: Flight | null): void {
    this.#chosen = flight
    for (const row of this.#rows.querySelectorAll('[aria-pressed]'))
      row.setAttribute('aria-pressed', String(row.getAttribute('data-number') === String(flight?.number)))
    if (flight === null) this.#tellNone()
    else this.#tell(flight)
  }

  #showEarlier(): void {
    this.#rowsShown += ROWS
    this.#draw()
  }

  #draw(): void {
    const log = this.#conversation?.log ?? []
    const from = Math.max(0, this.#count - this.#rowsShown)
    this.#shown = log.slice(from, this.#count)
    this.#earlier.hidden = from === 0
    const svg = drawing('svg', {
      class: 'ladder-lines',
      viewBox: `0 0 100 ${this.#shown.length * ROW}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    })
    for (const x of [LEFT, RIGHT])
      svg.append(drawing('line', { x1: x, x2: x, y1: 0, y2: this.#shown.length * ROW, class: 'life' }))
    const places = new Map(this.#shown.map((happening, at) => [happening, at]))
    const drawn = new Set<Flight>()
    for (const { flight } of places.keys()) {
      if (drawn.has(flight)) continue
      drawn.add(flight)
      svg.append(...this.#line(flight))
    }
    svg.style.height = `${this.#shown.length * ROW}px`
    this.#place(svg)
  }

  /** The lines anew, and of the rows those that have come or gone. */
  #place(svg: SVGSVGElement): void {
    const wanted = new Set(this.#shown)
    for (const [happening, row] of this.#rowOf) {
      if (wanted.has(happening)) continue
      row.remove()
      this.#rowOf.delete(happening)
    }
    this.#rows.querySelector('svg')?.remove()
    let place = this.#rows.firstElementChild
    for (const happening of wanted) {
      const row = this.#rowOf.get(happening) ?? this.#row(happening)
      this.#rowOf.set(happening, row)
      if (row === place) place = place.nextElementSibling
      else this.#rows.insertBefore(row, place)
    }
    this.#rows.prepend(svg)
  }

  #row({ at, kind, flight }: Happening): HTMLElement {
    const side = flight.from === Side.client ? 'client' : 'server'
    const isSent = kind === 'sent' || Number.isNaN(flight.sentAt) || flight.sentAt === flight.arrivedAt
    const time = element('time', {}, moment(at))
    if (!isSent) return element('div', { class: 'row arrived', role: 'listitem' }, time)
    const state = flight.isLost ? 'lost' : flight.isAgain ? 'again' : isBare(flight) ? 'bare' : ''
    const label = element(
      'button',
      {
        type: 'button',
        class: `packet ${side} ${state}`,
        'data-number': flight.number,
        'aria-pressed': String(flight === this.#chosen),
        click: () => this.#press(flight),
      },
      lineOf(flight),
      flight.isLost ? element('em', {}, 'lost') : flight.isAgain ? element('em', {}, 'again') : null,
    )
    return element('div', { class: `row ${side}`, role: 'listitem' }, time, label)
  }

  #line(flight: Flight): SVGElement[] {
    const first = this.#shown[0]
    const placeOf = (kind: Happening['kind']) =>
      this.#shown.findIndex((one) => one.flight === flight && one.kind === kind)
    const isOneSided = Number.isNaN(flight.arrivedAt) ? !flight.isLost : flight.sentAt === flight.arrivedAt
    const sent = placeOf('sent')
    const arrived = placeOf('arrived')
    const [start, end] = flight.from === Side.client ? [LEFT, RIGHT] : [RIGHT, LEFT]
    const y = (place: number) => place * ROW + ROW - 7
    const side = flight.from === Side.client ? 'client' : 'server'
    const kind = `line ${side} ${flight.isAgain ? 'again' : ''} ${isBare(flight) ? 'bare' : ''}`
    const stroke = (x1: number, y1: number, x2: number, y2: number, more = '') =>
      drawing('line', { x1, y1, x2, y2, class: `${kind} ${more}`, 'vector-effect': 'non-scaling-stroke' })
    if (flight.isLost && sent >= 0) {
      const middle = start + (end - start) * 0.55
      return [stroke(start, y(sent), middle, y(sent) + ROW * 0.6, 'lost'), ...crossAt(middle, y(sent) + ROW * 0.6)]
    }
    if (sent >= 0 && arrived >= 0) return [stroke(start, y(sent), end, y(arrived)), tip(end, y(arrived), side)]
    if (arrived >= 0) {
      if (flight.sentAt === flight.arrivedAt)
        return [stroke(start, y(arrived), end, y(arrived)), tip(end, y(arrived), side)]
      const part = first.at > flight.sentAt ? 1 : 0
      return [stroke(start, y(-part), end, y(arrived)), tip(end, y(arrived), side)]
    }
    if (isOneSided && this.#conversation?.isOneSided)
      return [stroke(start, y(sent), end, y(sent)), tip(end, y(sent), side)]
    const left = Math.max(1, this.#shown.length - sent - 0.4)
    return [
      stroke(start, y(sent), start + (end - start) * Math.min(0.9, left / 12), y(sent) + left * ROW * 0.5, 'flying'),
    ]
  }

  #tellNone(): void {
    fill(
      this.#details,
      element(
        'p',
        { class: 'note' },
        'Choose a packet: here it will say what each of its fields means, and why it was sent.',
      ),
    )
  }

  #tell(flight: Flight): void {
    const conversation = this.#conversation
    if (conversation === null) return
    const [from, to] = flight.from === Side.client ? this.#names : [this.#names[1], this.#names[0]]
    const side = flight.from === Side.client ? 'client' : 'server'
    const { reason } = flight
    const fields = fieldsOf(flight, conversation).flatMap(({ name, value, meaning }) => [
      element('dt', {}, name, element('code', {}, value)),
      element('dd', {}, meaning),
    ])
    fill(
      this.#details,
      element('h3', { class: side }, `Packet ${flight.number}: ${from} → ${to}`),
      element('p', { class: 'note' }, fate(flight)),
      reason === null || reason.text === ''
        ? null
        : element(
            'div',
            { class: 'reason' },
            element(
              'p',
              {},
              element('b', {}, 'Why: '),
              reason.text,
              reason.section === '' ? null : element('cite', {}, reason.section),
            ),
            reason.explanation === '' ? null : element('p', { class: 'note' }, reason.explanation),
          ),
      this.#lose === null || flight.isLost
        ? null
        : element(
            'button',
            { type: 'button', class: 'quiet', click: () => this.#lose?.(flight) },
            'What if it had been lost?',
          ),
      element('dl', {}, ...fields),
    )
  }
}

function fate({ sentAt, arrivedAt, isLost }: Flight): string {
  if (isLost) return `Sent at ${moment(sentAt)}, and lost on the way.`
  if (Number.isNaN(arrivedAt)) return `Sent at ${moment(sentAt)}.`
  if (sentAt === arrivedAt) return `Arrived at ${moment(arrivedAt)}.`
  return `Sent at ${moment(sentAt)}, arrived ${milliseconds(arrivedAt - sentAt)} later.`
}

/** Stretched with the drawing across, so that it points along. */
function tip(x: number, y: number, side: string): SVGElement {
  const back = x === RIGHT ? -1.6 : 1.6
  return drawing('path', {
    d: `M${x + back} ${y - 4} L${x} ${y} L${x + back} ${y + 4}`,
    class: `tip ${side}`,
    'vector-effect': 'non-scaling-stroke',
  })
}

function crossAt(x: number, y: number): SVGElement[] {
  return [
    drawing('path', {
      d: `M${x - 0.9} ${y - 4} L${x + 0.9} ${y + 4} M${x + 0.9} ${y - 4} L${x - 0.9} ${y + 4}`,
      class: 'cross',
      'vector-effect': 'non-scaling-stroke',
    }),
  ]
}
