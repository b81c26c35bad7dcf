// RFC 9293's Figure 5 as a drawing: the states, what leads from one to the next, and lit up the way that each end took.
import type { StateName } from '../portable.ts'
import type { Side, StateChange } from './conversation.ts'
import { drawing, element, fill, write } from './elements.ts'
import { moment } from './figures.ts'

/** The state in which everything ends stands apart from the one in which it begins, as in the figure. */
type Place = StateName | 'END'

const BOX = { width: 124, height: 34 }
const SIZE = { width: 560, height: 612 }

const PLACES: Partial<Record<Place, readonly [x: number, y: number]>> = {
  CLOSED: [280, 24],
  LISTEN: [280, 112],
  'SYN-RECEIVED': [84, 196],
  'SYN-SENT': [476, 196],
  ESTABLISHED: [280, 282],
  'FIN-WAIT-1': [84, 370],
  'CLOSE-WAIT': [476, 370],
  CLOSING: [280, 442],
  'FIN-WAIT-2': [84, 514],
  'LAST-ACK': [476, 470],
  'TIME-WAIT': [280, 584],
  END: [476, 584],
}

interface Way {
  readonly from: Place
  readonly to: Place
  /** What happens, and what is sent. */
  readonly words: readonly string[]
  readonly label: readonly [x: number, y: number]
  readonly anchor?: 'start' | 'end'
  /** Another path than straight from box to box. */
  readonly path?: string
}

const WAYS: readonly Way[] = [
  { from: 'CLOSED', to: 'LISTEN', words: ['passive OPEN'], label: [272, 72], anchor: 'end' },
  {
    from: 'CLOSED',
    to: 'SYN-SENT',
    words: ['active OPEN', 'snd SYN'],
    label: [484, 84],
    anchor: 'start',
    path: 'M342 24 H476 V179',
  },
  { from: 'LISTEN', to: 'SYN-RECEIVED', words: ['rcv SYN', 'snd SYN,ACK'], label: [166, 140], anchor: 'end' },
  { from: 'LISTEN', to: 'SYN-SENT', words: ['SEND', 'snd SYN'], label: [396, 140], anchor: 'start' },
  { from: 'SYN-SENT', to: 'SYN-RECEIVED', words: ['rcv SYN, snd SYN,ACK'], label: [280, 190] },
  { from: 'SYN-RECEIVED', to: 'ESTABLISHED', words: ['rcv ACK of SYN'], label: [190, 236], anchor: 'start' },
  { from: 'SYN-SENT', to: 'ESTABLISHED', words: ['rcv SYN,ACK', 'snd ACK'], label: [404, 246], anchor: 'start' },
  {
    from: 'SYN-RECEIVED',
    to: 'FIN-WAIT-1',
    words: ['CLOSE', 'snd FIN'],
    label: [52, 284],
    anchor: 'end',
    path: 'M60 213 V353',
  },
  { from: 'ESTABLISHED', to: 'FIN-WAIT-1', words: ['CLOSE', 'snd FIN'], label: [166, 320], anchor: 'end' },
  { from: 'ESTABLISHED', to: 'CLOSE-WAIT', words: ['rcv FIN', 'snd ACK'], label: [396, 320], anchor: 'start' },
  { from: 'FIN-WAIT-1', to: 'FIN-WAIT-2', words: ['rcv ACK', 'of FIN'], label: [76, 438], anchor: 'end' },
  { from: 'FIN-WAIT-1', to: 'CLOSING', words: ['rcv FIN, snd ACK'], label: [204, 398], anchor: 'start' },
  { from: 'CLOSING', to: 'TIME-WAIT', words: ['rcv ACK of FIN'], label: [288, 506], anchor: 'start' },
  { from: 'FIN-WAIT-2', to: 'TIME-WAIT', words: ['rcv FIN', 'snd ACK'], label: [152, 568], anchor: 'end' },
  { from: 'CLOSE-WAIT', to: 'LAST-ACK', words: ['CLOSE', 'snd FIN'], label: [484, 416], anchor: 'start' },
  { from: 'LAST-ACK', to: 'END', words: ['rcv ACK', 'of FIN'], label: [484, 524], anchor: 'start' },
  { from: 'TIME-WAIT', to: 'END', words: ['2 MSL'], label: [378, 576] },
]

/** More than that between two states is no way that anybody took. */
const MOST_WAYS = 2

export class StateDiagram {
  readonly root: HTMLElement
  readonly #boxes = new Map<Place, SVGGElement>()
  readonly #paths = new Map<Way, readonly SVGPathElement[]>()
  readonly #story: HTMLElement
  readonly #names: readonly [string, string]
  #shown = -1

  constructor(names: readonly [string, string]) {
    this.#names = names
    this.#story = element('ol', { class: 'story' })
    const svg = drawing('svg', {
      class: 'states',
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: 'img',
      'aria-label': 'The states of a TCP connection (RFC 9293, Figure 5), and the way that each end took',
    })
    svg.append(drawing('defs', {}, arrow('plain'), arrow('client'), arrow('server')))
    for (const way of WAYS) svg.append(...this.#drawWay(way))
    for (const place of Object.keys(PLACES) as Place[]) svg.append(this.#drawBox(place))
    const keys = names.map((name, side) =>
      element('span', { class: `key ${side === 0 ? 'client' : 'server'}` }, element('i', { class: 'dot' }), name),
    )
    this.root = element('div', { class: 'state-view' }, element('div', { class: 'legend' }, ...keys), svg, this.#story)
  }

  /** The first `count` changes of state. */
  show(changes: readonly StateChange[], count: number): void {
    if (count === this.#shown) return
    this.#shown = count
    const taken = changes.slice(0, count)
    for (const paths of this.#paths.values()) for (const path of paths) path.classList.remove('lit')
    for (const box of this.#boxes.values()) box.setAttribute('class', 'state')
    const current: [Place | null, Place | null] = [null, null]
    for (const { side, from, to } of taken) {
      const ways = from === to ? [] : waysBetween(from, to)
      for (const way of ways) {
        this.#paths.get(way)?.[side].classList.add('lit')
        this.#visit(way.to, side)
      }
      const end = ways.at(-1)?.to ?? (to === 'CLOSED' ? 'END' : to)
      this.#visit(from === 'CLOSED' ? 'CLOSED' : from, side)
      this.#visit(end, side)
      current[side] = end
    }
    for (const [side, place] of current.entries())
      if (place !== null) this.#boxes.get(place)?.classList.add(side === 0 ? 'client-now' : 'server-now')
    this.#tell(taken)
  }

  #visit(place: Place, side: Side): void {
    this.#boxes.get(place)?.classList.add(side === 0 ? 'client-was' : 'server-was')
  }

  #tell(taken: readonly StateChange[]): void {
    const items = taken.map(({ at, side, from, to, cause }) =>
      element(
        'li',
        { class: side === 0 ? 'client' : 'server' },
        element('time', {}, moment(at)),
        element(
          'span',
          {},
          element('b', {}, from === to ? `${this.#names[side]}: ${to}` : `${this.#names[side]}: ${from} → ${to}`),
          cause === '' ? null : `, ${cause}`,
        ),
      ),
    )
    fill(this.#story, ...items)
    this.#story.scrollTop = this.#story.scrollHeight
  }

  #drawWay(way: Way): SVGElement[] {
    const d = way.path ?? straight(way)
    const lit = (['client', 'server'] as const).map((side, at) =>
      drawing('path', {
        d,
        class: `way ${side}`,
        'marker-end': `url(#${side})`,
        transform: `translate(${at * 3 - 1.5} ${at * 3 - 1.5})`,
      }),
    )
    this.#paths.set(way, lit)
    const [x, y] = way.label
    const text = drawing('text', { x, y, 'text-anchor': way.anchor ?? 'middle', class: 'way-label' })
    for (const [line, words] of way.words.entries())
      text.append(drawing('tspan', { x, dy: line === 0 ? 0 : 12 }, words))
    return [drawing('path', { d, class: 'way', 'marker-end': 'url(#plain)' }), ...lit, text]
  }

  #drawBox(place: Place): SVGGElement {
    const [x, y] = PLACES[place] as readonly [number, number]
    const left = x - BOX.width / 2
    const top = y - BOX.height / 2
    const group = drawing(
      'g',
      { class: 'state' },
      drawing('rect', { x: left, y: top, width: BOX.width, height: BOX.height, rx: 9 }),
      drawing('text', { x, y: y + 4.5, 'text-anchor': 'middle' }),
      drawing('circle', { class: 'client-mark', cx: left + 1, cy: y, r: 6 }),
      drawing('circle', { class: 'server-mark', cx: left + BOX.width - 1, cy: y, r: 6 }),
    )
    write(group.children[1], place === 'END' ? 'CLOSED' : place)
    this.#boxes.set(place, group)
    return group
  }
}

/** From the border of one box to that of the other. */
function straight({ from, to }: Way): string {
  const [x0, y0] = PLACES[from] as readonly [number, number]
  const [x1, y1] = PLACES[to] as readonly [number, number]
  const [startX, startY] = border(x0, y0, x1, y1)
  const [endX, endY] = border(x1, y1, x0, y0)
  return `M${startX} ${startY} L${endX} ${endY}`
}

function border(x: number, y: number, towardsX: number, towardsY: number): [number, number] {
  const [dx, dy] = [towardsX - x, towardsY - y]
  const times = Math.min(BOX.width / 2 / Math.abs(dx || 1e-9), BOX.height / 2 / Math.abs(dy || 1e-9))
  return [Math.round(x + dx * times), Math.round(y + dy * times)]
}

/** The fewest that lead there; none where a reset or a timer cut it short. */
function waysBetween(from: StateName, to: StateName): Way[] {
  const isEnd = (place: Place) => place === to || (place === 'END' && to === 'CLOSED')
  let reached: { at: Place; ways: Way[] }[] = [{ at: from, ways: [] }]
  for (let length = 0; length < MOST_WAYS; length++) {
    reached = reached.flatMap(({ at, ways }) =>
      WAYS.filter((way) => way.from === at).map((way) => ({ at: way.to, ways: [...ways, way] })),
    )
    const found = reached.find(({ at }) => isEnd(at))
    if (found !== undefined) return found.ways
  }
  return []
}

function arrow(name: string): SVGMarkerElement {
  return drawing(
    'marker',
    {
      id: name,
      class: `arrow ${name}`,
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      orient: 'auto',
      markerUnits: 'userSpaceOnUse',
    },
    drawing('path', { d: 'M0 0.8 L7.4 4 L0 7.2 Z' }),
  )
}
