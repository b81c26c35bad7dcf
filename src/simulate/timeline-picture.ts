// A timeline as SVG: a lane for each host, time from left to right, a mark for each happening, a stroke between the lanes that it joins, and
// below the most noteworthy of them in words, with the numbers that they have in the picture. The same octets for the same happenings.
import { escaped, figure, tenth, ticks } from '../inspect/plot.ts'
import { describeHappening, type Happening, type HappeningKind, noteworthy } from './timeline.ts'

export interface TimelinePictureOptions {
  title?: string
  /** Virtual milliseconds: where the picture begins and ends. From the first happening to the last, unless said otherwise. */
  from?: number
  to?: number
  /** Happenings that are told in words: 20 unless said otherwise. */
  words?: number
}

const WIDTH = 860
const LEFT = 110
const RIGHT = 24
const TOP = 64
const LANE = 44
const LINE = 18
const WORDS = 20
/** Marks of one lane and kind that are nearer than this are drawn as one. */
const NEAR = 1.5

const STYLE = [
  'svg{font:12px system-ui,sans-serif}',
  '.ground{fill:#fff}.word{fill:#1f2328}.faint{fill:#59636e}.lane{stroke:#d1d9e0;stroke-width:2}.axis{stroke:#59636e}',
  '.fault{fill:#cf222e;stroke:#cf222e}.trouble{fill:#bc4c00;stroke:#bc4c00}.connection{fill:#0969da;stroke:#0969da}',
  '.repair{fill:#8c959f;stroke:#8c959f}.note{fill:#1a7f37;stroke:#1a7f37}.error{fill:#8250df;stroke:#8250df}.joins{opacity:.35}',
  '@media(prefers-color-scheme:dark){.ground{fill:#0d1117}.word{fill:#e6edf3}.faint{fill:#9198a1}.lane{stroke:#30363d}.axis{stroke:#9198a1}}',
].join('')

const LEGEND: Record<HappeningKind, string> = {
  fault: 'fault',
  trouble: 'trouble',
  connection: 'connection',
  repair: 'lost packet sent again',
  note: 'note',
  error: 'error',
}

export function drawTimeline(
  hosts: readonly string[],
  happenings: readonly Happening[],
  options: TimelinePictureOptions = {},
): string {
  const { title = 'What happened', words = WORDS } = options
  const from = options.from ?? happenings[0]?.at ?? 0
  const to = Math.max(options.to ?? happenings.at(-1)?.at ?? 0, from + 1)
  const shown = happenings.filter(({ at }) => at >= from && at <= to)
  const told = noteworthy(shown, words)
  const bottom = TOP + Math.max(1, hosts.length) * LANE
  const height = bottom + 48 + told.length * LINE + 12
  const x = (at: number) => tenth(LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT))
  const y = (host: string | null) => TOP + (hosts.indexOf(host ?? '') + 0.5) * LANE
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="word" x="16" y="24" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...legend(new Set(shown.map(({ kind }) => kind))),
    ...hosts.map((host) => lane(host, y(host))),
    ...axis(from, to, x, bottom),
    ...marks(shown, x, y),
    ...told.map((one, place) => number(place + 1, x(one.at), y(one.host))),
    ...told.map((one, place) => sentence(place + 1, one, bottom + 48 + place * LINE)),
    '</svg>',
    '',
  ].join('\n')
}

function legend(kinds: ReadonlySet<HappeningKind>): string[] {
  let at = 16
  return (Object.keys(LEGEND) as HappeningKind[])
    .filter((kind) => kinds.has(kind))
    .map((kind) => {
      const mark = `<circle class="${kind}" cx="${at + 4}" cy="41" r="4"/>`
      const words = `<text class="faint" x="${at + 14}" y="45">${LEGEND[kind]}</text>`
      at += 34 + Math.round(LEGEND[kind].length * 6.4)
      return mark + words
    })
}

function lane(host: string, at: number): string {
  return `<line class="lane" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text class="word" x="${LEFT - 12}" y="${at + 4}" text-anchor="end">${escaped(host)}</text>`
}

function axis(from: number, to: number, x: (at: number) => number, bottom: number): string[] {
  const marks = ticks(from / 1000, to / 1000).map((seconds) => {
    const at = x(seconds * 1000)
    return `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/><text class="faint" x="${at}" y="${bottom + 18}" text-anchor="middle">${figure(seconds)} s</text>`
  })
  return [`<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`, ...marks]
}

function marks(shown: readonly Happening[], x: (at: number) => number, y: (host: string | null) => number): string[] {
  const last = new Map<string, number>()
  return shown.flatMap((one) => {
    const { kind, host, peer, at } = one
    if (host === null) return []
    const place = x(at)
    const key = `${kind} ${host} ${peer}`
    if (place - (last.get(key) ?? Number.NEGATIVE_INFINITY) < NEAR) return []
    last.set(key, place)
    const words = `<title>${escaped(describeHappening(one))}</title>`
    const mark = `<circle class="${kind}" cx="${place}" cy="${y(host)}" r="4">${words}</circle>`
    if (peer === null) return [mark]
    return [`<line class="${kind} joins" x1="${place}" x2="${place}" y1="${y(host)}" y2="${y(peer)}"/>${mark}`]
  })
}

function number(count: number, x: number, y: number): string {
  return `<text class="faint" x="${x}" y="${tenth(y - 8 - (count % 2) * 9)}" text-anchor="middle" font-size="9">${count}</text>`
}

function sentence(count: number, happening: Happening, y: number): string {
  return `<text class="faint" x="36" y="${y}" text-anchor="end">${count}</text><text class="word" x="46" y="${y}">${escaped(describeHappening(happening))}</text>`
}
