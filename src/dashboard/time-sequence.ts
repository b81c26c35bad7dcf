// The time-sequence plot as Van Jacobson drew it, seen from who sends the data: each segment a stroke from its first octet to its last,
// below them the line of what is acknowledged, above them the line of the window; retransmissions and SACK blocks in colours.
import type uPlot from 'uplot'
import { type Conversation, type Flight, otherSide, type Side } from './conversation.ts'
import { octets } from './figures.ts'
import { type ColorName, color } from './page-colors.ts'
import { type Columns, Plot, type TimeScale } from './plot.ts'

/** Above the highest segment, as a part of what is shown; the line of the window is seen where it comes so near. */
const ROOM_ABOVE = 0.08
const NEAR_EDGE = 1.3
const CAP = 3
/** Octets: less would be told in parts of one. */
const LEAST_SPAN = 10

interface Shown {
  readonly data: readonly Flight[]
  readonly acks: readonly Flight[]
}

export class TimeSequence {
  readonly #plot: Plot
  readonly #scale: TimeScale
  #shown: Shown = { data: [], acks: [] }

  constructor(scale: TimeScale) {
    this.#scale = scale
    this.#plot = new Plot(
      {
        title: 'Time and sequence numbers',
        height: 400,
        value: octets,
        lines: [
          { label: 'acknowledged', color: 'ack', isStepped: true },
          { label: 'window', color: 'window', isStepped: true },
        ],
        marks: [
          { label: 'segment', color: 'server', shape: 'bar' },
          { label: 'sent again', color: 'again', shape: 'bar' },
          { label: 'SACK', color: 'sack', shape: 'bar' },
          { label: 'lost', color: 'again', shape: 'cross' },
        ],
        draw: (plot, context) => this.#draw(plot, context),
      },
      scale,
    )
  }

  get root(): HTMLElement {
    return this.#plot.root
  }

  /** The first `count` things that happened, in what `sender` has sent; time goes on to `until`. */
  show(conversation: Conversation, count: number, sender: Side, range: readonly [number, number]): void {
    const data: Flight[] = []
    const acks: Flight[] = []
    const other = otherSide(sender)
    for (let at = 0; at < count; at++) {
      const { kind, flight } = conversation.log[at]
      if (kind === 'sent' && flight.from === sender && flight.end > flight.start) data.push(flight)
      else if (kind === 'arrived' && flight.from === other && flight.acked >= 0) acks.push(flight)
    }
    this.#shown = { data, acks }
    const columns: Columns = [[], [], []]
    for (const { arrivedAt, acked, edge } of acks) {
      columns[0].push(arrivedAt)
      columns[1].push(acked)
      columns[2].push(edge)
    }
    const last = acks.at(-1)
    if (last !== undefined && last.arrivedAt < range[1]) {
      columns[0].push(range[1])
      columns[1].push(last.acked)
      columns[2].push(last.edge)
    }
    const again = data.filter(({ isAgain }) => isAgain).length
    const words = `${data.length} segments were sent, ${again} of them again; ${octets(last?.acked ?? 0)} are acknowledged.`
    this.#plot.show(columns, range, this.#top(range), words)
    this.#plot.root.dataset.segments = String(data.length)
    this.#plot.root.dataset.again = String(again)
  }

  close(): void {
    this.#plot.close()
  }

  #top(range: readonly [number, number]): readonly [number, number] {
    const [from, to] = this.#scale.part ?? range
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const { sentAt, start, end } of this.#shown.data) {
      if (sentAt < from || sentAt > to) continue
      low = Math.min(low, start)
      high = Math.max(high, end)
    }
    let edge = 0
    for (const ack of this.#shown.acks) {
      if (ack.arrivedAt < from || ack.arrivedAt > to) continue
      low = Math.min(low, ack.acked)
      edge = Math.max(edge, ack.edge)
    }
    if (low > high) return [0, 1]
    const span = Math.max(LEAST_SPAN, high - low)
    if (edge - low < span * NEAR_EDGE) high = Math.max(high, edge)
    return [low - span * 0.02, Math.max(high, low + span) + span * ROOM_ABOVE]
  }

  #draw(plot: uPlot, context: CanvasRenderingContext2D): void {
    const { data, acks } = this.#shown
    const ratio = devicePixelRatio
    const [from, to] = [plot.posToVal(-4, 'x'), plot.posToVal(plot.rect.width + 4, 'x')]
    const x = (value: number) => plot.valToPos(value, 'x', true)
    const y = (value: number) => plot.valToPos(value, 'y', true)
    const strokes = (flights: readonly Flight[], name: ColorName, width: number) => {
      context.strokeStyle = color(name)
      context.lineWidth = width * ratio
      context.beginPath()
      for (const { sentAt, start, end } of flights) bar(context, x(sentAt), y(start), y(end), ratio)
      context.stroke()
    }
    const seen = data.filter(({ sentAt }) => sentAt >= from && sentAt <= to)
    context.lineCap = 'butt'
    context.strokeStyle = color('sack')
    context.lineWidth = 2.5 * ratio
    context.beginPath()
    for (const { arrivedAt, sack } of acks) {
      if (arrivedAt < from || arrivedAt > to) continue
      for (const [left, right] of sack) bar(context, x(arrivedAt), y(left), y(right), 0)
    }
    context.stroke()
    strokes(
      seen.filter(({ isAgain }) => !isAgain),
      'server',
      1.5,
    )
    strokes(
      seen.filter(({ isAgain }) => isAgain),
      'again',
      2.5,
    )
    context.strokeStyle = color('again')
    context.lineWidth = 1.5 * ratio
    context.beginPath()
    for (const { isLost, sentAt, start, end } of seen)
      if (isLost) cross(context, x(sentAt), (y(start) + y(end)) / 2, 4 * ratio)
    context.stroke()
  }
}

/** With caps where there is room for them; never less than two points high. */
function bar(context: CanvasRenderingContext2D, at: number, low: number, high: number, ratio: number): void {
  const isFlat = low - high < 2
  context.moveTo(at, isFlat ? low + 1 : low)
  context.lineTo(at, isFlat ? low - 1 : high)
  if (ratio === 0 || low - high < 7 * ratio) return
  for (const end of [low, high]) {
    context.moveTo(at - CAP * ratio, end)
    context.lineTo(at + CAP * ratio, end)
  }
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.moveTo(x - size, y - size)
  context.lineTo(x + size, y + size)
  context.moveTo(x + size, y - size)
  context.lineTo(x - size, y + size)
}
