// All sockets as a table, a row each, brought up to date in place: what has not changed is not touched.
import type { SocketRow } from '../portable.ts'
import { element, write } from './elements.ts'
import { milliseconds, octets, rate } from './figures.ts'
import type { LiveOverview } from './live-feed.ts'

const COLUMNS = ['State', 'Local', 'Remote', 'Owner', 'Recv-Q', 'Send-Q', 'In', 'Out', 'RTT', 'cwnd', 'Again'] as const
const NUMBERS: readonly string[] = ['Recv-Q', 'Send-Q', 'In', 'Out', 'RTT', 'cwnd', 'Again']

interface Row {
  readonly root: HTMLTableRowElement
  readonly cells: readonly HTMLElement[]
}

export class SocketTable {
  readonly root: HTMLElement
  readonly #body = element('tbody', {})
  readonly #rows = new Map<string, Row>()
  readonly #note = element('p', { class: 'note' })

  constructor() {
    const heads = COLUMNS.map((name) =>
      element('th', { scope: 'col', class: NUMBERS.includes(name) ? 'number' : '' }, name),
    )
    const table = element('table', { class: 'sockets' }, element('thead', {}, element('tr', {}, ...heads)), this.#body)
    this.root = element('section', { class: 'card', 'aria-label': 'Connections' }, table, this.#note)
  }

  show({ rows, left, now, ours }: LiveOverview, before: LiveOverview | null): void {
    const earlier = new Map(before?.rows.map((row) => [row.key, row]))
    const seconds = before === null ? Number.NaN : (now - before.now) / 1000
    const seen = new Set<string>()
    let place: Element | null = this.#body.firstElementChild
    for (const row of [...rows].sort((one, other) => rankOf(one) - rankOf(other))) {
      seen.add(row.key)
      const shown = this.#rowOf(row)
      fillRow(shown, row, earlier.get(row.key), seconds, row.key === ours)
      if (shown.root === place) place = place.nextElementSibling
      else this.#body.insertBefore(shown.root, place)
    }
    for (const [key, { root }] of this.#rows) {
      if (seen.has(key)) continue
      root.remove()
      this.#rows.delete(key)
    }
    write(this.#note, left > 0 ? `${left} more are not listed: "tunstack netstat" has all of them.` : '')
  }

  #rowOf(row: SocketRow): Row {
    const known = this.#rows.get(row.key)
    if (known !== undefined) return known
    const isConnection = row.protocol === 'tcp' && row.remote !== '*' && row.state !== 'TIME-WAIT'
    const cells = COLUMNS.map((name) =>
      element('td', { 'data-column': name, class: NUMBERS.includes(name) ? 'number' : '' }),
    )
    const link = isConnection
      ? element(
          'a',
          {
            href: `#connection=${encodeURIComponent(row.key)}`,
            'aria-label': `Look into ${row.local} and ${row.remote}`,
          },
          row.remote,
        )
      : null
    const root = element('tr', { 'data-key': row.key, class: isConnection ? 'open' : '' }, ...cells)
    if (link !== null) {
      cells[COLUMNS.indexOf('Remote')].append(link)
      root.addEventListener('click', (event) => {
        if (event.target !== link) link.click()
      })
    }
    const made = { root, cells }
    this.#rows.set(row.key, made)
    return made
  }
}

/** What happens stands above what waits. */
function rankOf({ protocol, state }: SocketRow): number {
  if (protocol === 'udp') return 3
  return state === 'LISTEN' ? 2 : state === 'TIME-WAIT' ? 1 : 0
}

function fillRow(
  { root, cells }: Row,
  row: SocketRow,
  before: SocketRow | undefined,
  seconds: number,
  isOurs: boolean,
): void {
  const each = (now: number, then: number | undefined) =>
    then === undefined || !(seconds > 0) ? '' : rate((now - then) / seconds)
  const isConnection = row.remote !== '*' && row.protocol === 'tcp'
  const words: Record<(typeof COLUMNS)[number], string> = {
    State: row.protocol === 'udp' ? 'UDP' : row.state,
    Local: row.local,
    Remote: row.remote,
    Owner: isOurs ? 'this page' : (row.owner ?? ''),
    'Recv-Q': String(row.receiveQueue),
    'Send-Q': String(row.sendQueue),
    In: isConnection ? each(row.octetsIn, before?.octetsIn) : '',
    Out: isConnection ? each(row.octetsOut, before?.octetsOut) : '',
    RTT: row.rtt === 0 ? '' : milliseconds(row.rtt),
    cwnd: row.cwnd === 0 ? '' : octets(row.cwnd),
    Again: isConnection ? String(row.retransmissions) : '',
  }
  for (const [place, name] of COLUMNS.entries()) {
    const cell = cells[place]
    if (name === 'Remote' && cell.firstElementChild !== null) continue
    write(cell, words[name])
  }
  root.dataset.state = row.state
}
