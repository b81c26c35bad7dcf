// Lines over an axis, as SVG: figures in, one string out, the same octets for the same figures. Readable on paper and on dark screens, since
// colours follow the reader's preference; no scripts and no fonts of its own. Used by whoever draws what was measured.
// Lines that differ in colour alone differ in their stroke too.

export interface Line {
  name: string
  points: readonly (readonly [x: number, y: number])[]
  /** Solid for what was measured, dashed for what a formula says, thin for what is told besides; the others for more of the same kind. */
  stroke: Stroke
}

export type Stroke = 'solid' | 'dashed' | 'thin' | 'dotted' | 'broken'

export interface Bars {
  name: string
  /** What was sent, what was sent again, what was told besides. */
  stroke: 'sent' | 'again' | 'told-of'
  bars: readonly (readonly [x: number, from: number, to: number])[]
}

export interface Plot {
  title: string
  /** A sentence below the title. */
  subtitle?: string
  x: { label: string; from: number; to: number }
  /** Begins at 0; ends above the highest point unless said otherwise. */
  y: { label: string; to?: number }
  lines: readonly Line[]
  /** Upright strokes, below the lines. */
  bars?: readonly Bars[]
  /** Moments worth a word, in the order of their places. */
  events?: readonly { at: number; text: string }[]
  width?: number
  height?: number
}

const MARGIN = { left: 62, right: 18, top: 76, bottom: 48 }
/** Ticks on an axis, at most. */
const MOST_TICKS = 8
/** Rows on which the words of events stand, one below the other. */
const EVENT_ROWS = 3
const EVENT_ROW = 14

const STYLE = [
  'svg{font:12px system-ui,sans-serif}',
  '.ground{fill:#fff}.word{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}',
  '.solid{stroke:#0969da;stroke-width:2}.dashed{stroke:#cf222e;stroke-width:2;stroke-dasharray:7 4}',
  '.thin{stroke:#8c959f;stroke-width:1}.event{stroke:#9a6700;stroke-dasharray:2 3}.told{fill:#9a6700}',
  'path,line{fill:none;stroke-linejoin:round}',
  '@media(prefers-color-scheme:dark){.ground{fill:#0d1117}.word{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#30363d}',
  '.axis{stroke:#9198a1}.solid{stroke:#58a6ff}.dashed{stroke:#ff7b72}.thin{stroke:#6e7681}.event{stroke:#d29922}.told{fill:#d29922}}',
].join('')

/** Stands only in pictures that need it. */
const MORE_STROKES = [
  '.dotted{stroke:#1a7f37;stroke-width:2;stroke-dasharray:2 3}.broken{stroke:#8250df;stroke-width:2;stroke-dasharray:10 3 2 3}',
  '@media(prefers-color-scheme:dark){.dotted{stroke:#3fb950}.broken{stroke:#a371f7}}',
].join('')

const BAR_STROKES = [
  '.sent{stroke:#1f2328;stroke-width:1.6}.again{stroke:#cf222e;stroke-width:2.4}.told-of{stroke:#8250df;stroke-width:1}',
  '@media(prefers-color-scheme:dark){.sent{stroke:#e6edf3}.again{stroke:#ff7b72}.told-of{stroke:#a371f7}}',
].join('')

interface Frame {
  plot: Plot
  width: number
  height: number
  top: number
  x(value: number): number
  y(value: number): number
}

export function plot(wanted: Plot): string {
  const frame = frameOf(wanted)
  const { width, height } = frame
  const name = escaped(wanted.title)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${name}">`,
    `<style>${STYLE}${wanted.lines.some(isRare) ? MORE_STROKES : ''}${wanted.bars === undefined ? '' : BAR_STROKES}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="word" x="${MARGIN.left}" y="22" font-size="15" font-weight="600">${name}</text>`,
    `<text class="faint" x="${MARGIN.left}" y="41">${escaped(wanted.subtitle ?? '')}</text>`,
    ...legend(frame),
    ...axes(frame),
    ...events(frame),
    ...(wanted.bars ?? []).map(({ stroke, bars }) => `<path class="${stroke}" d="${barsOf(bars, frame)}"/>`),
    ...wanted.lines.map((line) => `<path class="${line.stroke}" d="${pathOf(line.points, frame)}"/>`),
    '</svg>',
    '',
  ].join('\n')
}

function isRare({ stroke }: Line): boolean {
  return stroke === 'dotted' || stroke === 'broken'
}

function frameOf(plot: Plot): Frame {
  const { width = 760, height = 380 } = plot
  const { from, to } = plot.x
  if (!(to > from)) throw new RangeError(`the axis must end after its beginning, not at ${to} after ${from}`)
  const highest = plot.y.to ?? 1.08 * plot.lines.reduce((most, line) => line.points.reduce(higher, most), 0)
  const rows = Math.min(plot.events?.length ?? 0, EVENT_ROWS)
  const top = MARGIN.top + rows * EVENT_ROW
  const [across, up] = [width - MARGIN.left - MARGIN.right, height - top - MARGIN.bottom]
  const most = highest > 0 ? highest : 1
  return {
    plot: { ...plot, y: { ...plot.y, to: most } },
    width,
    height,
    top,
    x: (value) => MARGIN.left + ((value - from) / (to - from)) * across,
    y: (value) => top + (1 - value / most) * up,
  }
}

function higher(most: number, point: readonly [number, number]): number {
  return point[1] > most ? point[1] : most
}

function legend({ plot }: Frame): string[] {
  const words: string[] = []
  let at = MARGIN.left
  for (const { name, stroke } of [...plot.lines, ...(plot.bars ?? [])]) {
    words.push(
      `<path class="${stroke}" d="M${at} 58h26"/><text class="word" x="${at + 32}" y="62">${escaped(name)}</text>`,
    )
    at += 52 + Math.round(name.length * 6.4)
  }
  return words
}

function axes({ plot, width, height, top, x, y }: Frame): string[] {
  const bottom = height - MARGIN.bottom
  const [left, right] = [MARGIN.left, width - MARGIN.right]
  const rows = ticks(0, plot.y.to ?? 1).map((value) => {
    const at = tenth(y(value))
    return `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text class="faint" x="${left - 8}" y="${tenth(at + 4)}" text-anchor="end">${figure(value)}</text>`
  })
  const columns = ticks(plot.x.from, plot.x.to).map((value) => {
    const at = tenth(x(value))
    return `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/><text class="faint" x="${at}" y="${bottom + 18}" text-anchor="middle">${figure(value)}</text>`
  })
  const middle = tenth((top + bottom) / 2)
  return [
    ...rows,
    ...columns,
    `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="word" x="${tenth((left + right) / 2)}" y="${height - 10}" text-anchor="middle">${escaped(plot.x.label)}</text>`,
    `<text class="word" transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escaped(plot.y.label)}</text>`,
  ]
}

/** A dotted line for each, and its words above, one row after another, so that neighbours don't cover each other. */
function events({ plot, width, height, top, x }: Frame): string[] {
  return (plot.events ?? []).map(({ at, text }, number) => {
    const place = tenth(x(at))
    const row = top - 6 - (EVENT_ROWS - 1 - (number % EVENT_ROWS)) * EVENT_ROW + (EVENT_ROWS - rowsOf(plot)) * EVENT_ROW
    const isRight = place > width * 0.66
    const words = `<text class="told" x="${tenth(place + (isRight ? -4 : 4))}" y="${row}"${isRight ? ' text-anchor="end"' : ''}>${escaped(text)}</text>`
    return `<line class="event" x1="${place}" x2="${place}" y1="${row - 8}" y2="${height - MARGIN.bottom}"/>${words}`
  })
}

function rowsOf(plot: Plot): number {
  return Math.min(plot.events?.length ?? 0, EVENT_ROWS)
}

/** Round numbers from one to the other. */
export function ticks(from: number, to: number): number[] {
  const rough = (to - from) / MOST_TICKS
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough * (1 - 1e-9)) ?? power
  const all: number[] = []
  for (let number = Math.ceil(from / step - 1e-9); number * step <= to * (1 + 1e-9); number++) all.push(number * step)
  return all
}

/** At most four points for each column of pixels: the first, the lowest, the highest and the last. NaN is a gap. */
function pathOf(points: Line['points'], { plot, x, y }: Frame): string {
  const strokes: Pixel[][] = [[]]
  let column: Pixel[] = []
  const flush = () => {
    strokes[strokes.length - 1].push(...thinned(column))
    column = []
  }
  for (const [at, value] of points) {
    if (at < plot.x.from || at > plot.x.to) continue
    if (Number.isNaN(value)) {
      flush()
      strokes.push([])
      continue
    }
    const pixel: Pixel = [tenth(x(at)), tenth(y(value))]
    if (column.length > 0 && Math.floor(column[0][0]) !== Math.floor(pixel[0])) flush()
    column.push(pixel)
  }
  flush()
  return strokes
    .filter((stroke) => stroke.length > 0)
    .map(
      (stroke) =>
        `M${withoutRests(stroke)
          .map(([at, value]) => `${at} ${value}`)
          .join(' ')}`,
    )
    .join('')
}

/** Those that meet in one column of half a pixel are one. */
function barsOf(bars: Bars['bars'], { plot, x, y }: Frame): string {
  const columns = new Map<number, [top: number, bottom: number][]>()
  for (const [at, from, to] of bars) {
    if (at < plot.x.from || at > plot.x.to) continue
    const place = Math.round(x(at) * 2) / 2
    const column = columns.get(place) ?? []
    const [top, bottom] = [tenth(y(Math.max(from, to))), tenth(y(Math.min(from, to)))]
    const last = column[column.length - 1]
    if (last !== undefined && top <= last[1] + 0.5 && bottom >= last[0] - 0.5) {
      last[0] = Math.min(last[0], top)
      last[1] = Math.max(last[1], bottom)
    } else column.push([top, bottom])
    columns.set(place, column)
  }
  const drawn = [...columns].flatMap(([place, column]) =>
    // What is shorter than a pixel is seen all the same.
    column.map(([top, bottom]) => `M${place} ${bottom}V${bottom - top < 1 ? tenth(bottom - 1) : top}`),
  )
  return drawn.join('')
}

type Pixel = [x: number, y: number]

function thinned(column: readonly Pixel[]): Pixel[] {
  if (column.length <= 2) return [...column]
  let [lowest, highest] = [0, 0]
  for (let at = 1; at < column.length; at++) {
    if (column[at][1] < column[lowest][1]) lowest = at
    if (column[at][1] > column[highest][1]) highest = at
  }
  const kept = [...new Set([0, lowest, highest, column.length - 1])].sort((one, other) => one - other)
  return kept.map((at) => column[at])
}

/** A level stretch needs its ends alone. */
function withoutRests(stroke: readonly Pixel[]): Pixel[] {
  return stroke.filter(([, y], at) => stroke[at - 1]?.[1] !== y || stroke[at + 1]?.[1] !== y)
}

export function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

/** As short as it can be said. */
export function figure(value: number): string {
  if (Math.abs(value) >= 1e6) return `${tenth(value / 1e5) / 10}M`
  return String(Math.round(value * 1000) / 1000)
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
