// One plot over time, by uPlot: the page's colours, a scale of time that all plots of a view share (drag to look closer, twice to
// go back, or by keys), and a line of words for whoever can't see it. What isn't a line is drawn by `draw`.
import uPlot from 'uplot'
import { element, write } from './elements.ts'
import { milliseconds, short } from './figures.ts'
import { type ColorName, color, onColors } from './page-colors.ts'

export interface PlotLine {
  readonly label: string
  readonly color: ColorName
  /** Holds its value until the next one. */
  readonly isStepped?: boolean
  readonly isDashed?: boolean
  readonly width?: number
  /** Marks each value, without a line between. */
  readonly isDots?: boolean
}

export interface PlotOptions {
  readonly title: string
  readonly height: number
  readonly lines: readonly PlotLine[]
  /** Shown in the legend beside the lines. */
  readonly marks?: readonly { readonly label: string; readonly color: ColorName; readonly shape: string }[]
  readonly value: (value: number) => string
  readonly draw?: (plot: uPlot, context: CanvasRenderingContext2D) => void
}

export type Columns = [number[], ...(number | null)[][]]

/** What all plots of a view show: all of it, or a part that somebody has chosen. */
export class TimeScale {
  #part: readonly [number, number] | null = null
  #listeners: (() => void)[] = []

  get part(): readonly [number, number] | null {
    return this.#part
  }

  choose(part: readonly [number, number] | null): void {
    this.#part = part
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }
}

const AXIS_FONT = '11px ui-monospace, Menlo, Consolas, monospace'
const KEYS = 'Drag to look closer, press twice to see all; with keys: + and - , arrows, 0.'

export class Plot {
  readonly root: HTMLElement
  readonly #options: PlotOptions
  readonly #scale: TimeScale
  readonly #frame: HTMLElement
  readonly #readout: HTMLElement
  readonly #observer: ResizeObserver
  readonly #forget: () => void
  #plot: uPlot | null = null
  #data: Columns
  #range: readonly [number, number] = [0, 1]
  #top: readonly [number, number] = [0, 1]

  constructor(options: PlotOptions, scale: TimeScale) {
    this.#options = options
    this.#scale = scale
    this.#data = [[], ...options.lines.map(() => [])]
    this.#readout = element('output', { class: 'readout' })
    this.#frame = element('div', {
      class: 'plot-frame',
      tabindex: 0,
      role: 'img',
      'aria-label': options.title,
      title: KEYS,
    })
    this.#frame.style.minHeight = `${options.height}px`
    this.#frame.addEventListener('keydown', (event) => this.#onKey(event))
    this.#frame.addEventListener('dblclick', () => scale.choose(null))
    this.root = element('div', { class: 'plot' }, this.#legend(), this.#frame)
    this.#observer = new ResizeObserver(() => this.#resize())
    this.#observer.observe(this.#frame)
    this.#forget = onColors(() => this.#plot?.redraw())
  }

  /** What is to be seen from now on: columns, the whole stretch of time, and the lowest and highest value. */
  show(data: Columns, range: readonly [number, number], top: readonly [number, number], words: string): void {
    this.#data = data
    this.#range = range
    this.#top = top
    this.#frame.dataset.points = String(data[0].length)
    this.#frame.setAttribute('aria-label', `${this.#options.title}. ${words}`)
    if (this.#plot === null) this.#resize()
    this.#plot?.setData(data as uPlot.AlignedData, true)
  }

  close(): void {
    this.#observer.disconnect()
    this.#forget()
    this.#plot?.destroy()
    this.#plot = null
  }

  #resize(): void {
    const width = Math.floor(this.#frame.clientWidth)
    if (width <= 0) return
    const { height } = this.#options
    if (this.#plot === null) this.#plot = new uPlot(this.#settings(width), this.#data as uPlot.AlignedData, this.#frame)
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height })
  }

  #settings(width: number): uPlot.Options {
    const { height, lines, value, draw } = this.#options
    const axis: uPlot.Axis = {
      stroke: () => color('soft'),
      font: AXIS_FONT,
      grid: { stroke: () => color('line'), width: 1 },
      ticks: { stroke: () => color('line'), width: 1, size: 4 },
      gap: 4,
    }
    return {
      width,
      height,
      padding: [8, 22, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'time' },
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
      },
      scales: {
        x: { time: false, range: () => [...(this.#scale.part ?? this.#range)] as [number, number] },
        y: { range: () => [...this.#top] as [number, number] },
      },
      axes: [
        { ...axis, size: 28, values: (_, splits) => splits.map(timeLabel), space: 64 },
        { ...axis, size: 58, values: (_, splits) => splits.map((split) => short(value(split))), space: 36 },
      ],
      series: [{}, ...lines.map(lineOptions)],
      hooks: {
        draw: draw === undefined ? [] : [(plot) => clipped(plot, () => draw(plot, plot.ctx))],
        setCursor: [(plot) => this.#tell(plot)],
        setSelect: [(plot) => this.#choose(plot)],
      },
    }
  }

  #legend(): HTMLElement {
    const { lines, marks = [] } = this.#options
    const entries = [
      ...lines.map((line) => ({
        label: line.label,
        color: line.color,
        shape: line.isDots ? 'dot' : line.isDashed ? 'dashed' : 'stroke',
      })),
      ...marks,
    ]
    return element(
      'div',
      { class: 'legend' },
      ...entries.map(({ label, color: name, shape }) =>
        element('span', { class: `key ${name}` }, element('i', { class: shape, 'aria-hidden': 'true' }), label),
      ),
      this.#readout,
    )
  }

  /** What the cursor points at. */
  #tell(plot: uPlot): void {
    const { idx } = plot.cursor
    if (idx === null || idx === undefined || this.#data[0][idx] === undefined) {
      write(this.#readout, '')
      return
    }
    const { lines, value } = this.#options
    const words = lines.flatMap((line, at) => {
      const found = this.#data[at + 1][idx]
      return found === null || found === undefined || Number.isNaN(found) ? [] : [`${line.label} ${value(found)}`]
    })
    write(this.#readout, `${milliseconds(this.#data[0][idx])}: ${words.join(', ')}`)
  }

  #choose(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < 4) return
    this.#scale.choose([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')])
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  }

  #onKey(event: KeyboardEvent): void {
    const [from, to] = this.#scale.part ?? this.#range
    const width = to - from
    const middle = (from + to) / 2
    const parts: Record<string, readonly [number, number] | null> = {
      '+': [middle - width / 4, middle + width / 4],
      '-': [middle - width, middle + width],
      ArrowLeft: [from - width / 4, to - width / 4],
      ArrowRight: [from + width / 4, to + width / 4],
      '0': null,
    }
    if (!(event.key in parts)) return
    event.preventDefault()
    const part = parts[event.key]
    const [first, last] = this.#range
    if (part === null || (part[0] <= first && part[1] >= last)) this.#scale.choose(null)
    else this.#scale.choose([Math.max(first, part[0]), Math.min(last, part[1])])
  }
}

function lineOptions({ label, color: name, isStepped, isDashed, isDots, width = 1.5 }: PlotLine): uPlot.Series {
  const options: uPlot.Series = { label, stroke: () => color(name), width, points: { show: false }, spanGaps: true }
  if (isStepped) options.paths = uPlot.paths.stepped?.({ align: 1 })
  if (isDashed) options.dash = [5, 4]
  if (isDots) {
    options.paths = () => null
    options.points = { show: true, size: 4, stroke: () => color(name), fill: () => color(name), width: 0 }
  }
  return options
}

function clipped(plot: uPlot, draw: () => void): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  draw()
  ctx.restore()
}

function timeLabel(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 10_000 ? `${value / 1000} s` : `${Number(value.toFixed(3))} ms`
}
