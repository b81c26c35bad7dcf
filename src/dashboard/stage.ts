// The stage: both hosts, the path between them, and every packet where it is at that moment: in the queue, on its way, or lost.
import { type Flight, isText, Side } from './conversation.ts'
import { element } from './elements.ts'
import type { Experiment } from './experiment.ts'
import { type ColorName, color, onColors } from './page-colors.ts'

const HOST = { width: 96, height: 150 }
const LABEL_FONT = '11px ui-monospace, Menlo, Consolas, monospace'
const SMALL_HOST = 62
const NARROW = 560
/** How far the lanes are from the middle, where the stage is no higher than it must be: data above, acknowledgments below. */
const LANE = { data: -30, back: 30 }
const LOWEST = 190
const LARGEST_SCALE = 1.7
/** Where a lost packet leaves the path, and how far it falls. */
const LOST_AT = 0.5
const FALL = 50
const MOST_QUEUED = 40

export class Stage {
  readonly root: HTMLCanvasElement
  readonly #observer: ResizeObserver
  readonly #departures = new WeakMap<Flight, number>()
  #experiment: Experiment | null = null
  #at = 0
  #height = 0
  /** Of everything that is drawn, by how high the stage is. */
  #scale = 1

  constructor() {
    this.root = element('canvas', {
      class: 'stage',
      role: 'img',
      'aria-label': 'Two hosts and the packets between them',
    })
    this.#observer = new ResizeObserver(() => this.#draw())
    this.#observer.observe(this.root)
    onColors(() => this.#draw())
  }

  show(experiment: Experiment, at: number): void {
    this.#experiment = experiment
    this.#at = at
    this.#draw()
  }

  #draw(): void {
    const canvas = this.root
    const { clientWidth: width, clientHeight: height } = canvas
    this.#height = height
    this.#scale = Math.min(LARGEST_SCALE, Math.max(1, height / LOWEST))
    const context = canvas.getContext('2d')
    if (width === 0 || context === null) return
    const ratio = devicePixelRatio
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    const host = width < NARROW ? SMALL_HOST : HOST.width
    const left = host + 10
    const right = width - host - 10
    this.#drawPath(context, left, right)
    if (this.#experiment !== null) this.#drawFlights(context, this.#experiment, left, right)
    drawHost(context, 0, host, height, 'client', '')
    drawHost(context, width - host, host, height, 'server', this.#experiment?.settings.controller ?? '')
  }

  #laneAt(lane: number): number {
    return this.#height / 2 + lane * this.#scale
  }

  #drawPath(context: CanvasRenderingContext2D, left: number, right: number): void {
    context.strokeStyle = color('line')
    context.lineWidth = 1
    context.setLineDash([2, 5])
    for (const lane of [LANE.data, LANE.back]) {
      context.beginPath()
      context.moveTo(left, this.#laneAt(lane))
      context.lineTo(right, this.#laneAt(lane))
      context.stroke()
    }
    context.setLineDash([])
    context.fillStyle = color('soft')
    context.font = LABEL_FONT
    context.textAlign = 'center'
    const middle = (left + right) / 2
    const { delay, rate } = this.#experiment?.settings ?? {}
    if (delay !== undefined) context.fillText(`${delay} ms, ${rate} Mbit/s`, middle, this.#height / 2 + 4)
    context.fillStyle = color('faint')
    context.fillText('← data', middle, this.#laneAt(LANE.data) - 28 * this.#scale)
    context.fillText('acknowledgments →', middle, this.#laneAt(LANE.back) + 24 * this.#scale)
  }

  #drawFlights(context: CanvasRenderingContext2D, experiment: Experiment, left: number, right: number): void {
    const { flights } = experiment.conversation
    const at = this.#at
    const queued: [Flight[], Flight[]] = [[], []]
    for (let place = firstSentAfter(flights, at - experiment.longestFlight * 2); place < flights.length; place++) {
      const flight = flights[place]
      if (flight.sentAt > at) break
      if (flight.arrivedAt <= at) continue
      const departure = this.#departureOf(experiment, flight)
      if (departure > at) queued[flight.from].push(flight)
      else this.#drawFlight(context, experiment, flight, departure, left, right)
    }
    this.#drawQueue(context, queued[Side.server], right - 6, -1, this.#laneAt(LANE.data))
    this.#drawQueue(context, queued[Side.client], left + 6, 1, this.#laneAt(LANE.back))
    const { queue } = experiment.settings
    const waiting = queued[Side.server].length
    context.fillStyle = waiting >= queue ? color('again') : color('soft')
    context.textAlign = 'right'
    if (waiting > 0)
      context.fillText(`queue ${waiting} of ${queue}`, right - 2, this.#laneAt(LANE.data) - 28 * this.#scale)
  }

  #drawFlight(
    context: CanvasRenderingContext2D,
    experiment: Experiment,
    flight: Flight,
    departure: number,
    left: number,
    right: number,
  ): void {
    const { delay } = experiment.settings
    const travel = flight.isLost || Number.isNaN(flight.arrivedAt) ? delay : flight.arrivedAt - departure
    let part = travel <= 0 ? 1 : (this.#at - departure) / travel
    let fallen = 0
    if (flight.isLost && part > LOST_AT) {
      fallen = Math.min(1, (part - LOST_AT) / 0.35)
      if (fallen >= 1) return
      part = LOST_AT + fallen * 0.03
    }
    const isData = flight.from === Side.server
    const x = isData ? right - (right - left) * part : left + (right - left) * part
    const y = this.#laneAt(isData ? LANE.data : LANE.back) + fallen * fallen * FALL * this.#scale
    context.globalAlpha = 1 - fallen * 0.8
    drawPacket(context, flight, x, y, this.#scale)
    if (flight.isLost && fallen > 0) drawCross(context, x, y)
    context.globalAlpha = 1
  }

  #drawQueue(
    context: CanvasRenderingContext2D,
    flights: readonly Flight[],
    from: number,
    step: number,
    y: number,
  ): void {
    const shown = flights.slice(0, MOST_QUEUED)
    for (const [place, flight] of shown.entries())
      drawPacket(context, flight, from + step * place * 3.4, y, this.#scale, 0.7)
  }

  /** When it is through the queue and on its way. */
  #departureOf(experiment: Experiment, flight: Flight): number {
    const known = this.#departures.get(flight)
    if (known !== undefined) return known
    const { delay, rate } = experiment.settings
    const takes = (flight.segment.octets * 8) / (rate * 1000)
    if (Number.isNaN(flight.arrivedAt)) return flight.sentAt + takes
    // What falls behind is on its way for longer than the delay, and has not waited longer.
    const departure = Math.max(flight.sentAt + takes, flight.arrivedAt - delay)
    this.#departures.set(flight, departure)
    return departure
  }
}

function firstSentAfter(flights: readonly Flight[], at: number): number {
  let low = 0
  let high = flights.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (flights[middle].sentAt < at) low = middle + 1
    else high = middle
  }
  return low
}

function colorOf(flight: Flight): ColorName {
  if (flight.isAgain) return 'again'
  if (flight.sack.length > 0) return 'sack'
  return flight.from === Side.client ? 'client' : 'server'
}

function drawPacket(
  context: CanvasRenderingContext2D,
  flight: Flight,
  x: number,
  y: number,
  scale: number,
  opacity = 1,
): void {
  const isLarge = isText(flight) && flight.from === Side.server
  const [width, height] = isLarge ? [7, 26 * scale] : [5, 12 * scale]
  const before = context.globalAlpha
  context.globalAlpha = before * opacity
  context.fillStyle = color(colorOf(flight))
  context.beginPath()
  context.roundRect(x - width / 2, y - height / 2, width, height, 2.5)
  context.fill()
  context.strokeStyle = color('card')
  context.lineWidth = 1
  context.stroke()
  context.globalAlpha = before
}

function drawCross(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.strokeStyle = color('again')
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(x - 6, y - 6)
  context.lineTo(x + 6, y + 6)
  context.moveTo(x + 6, y - 6)
  context.lineTo(x - 6, y + 6)
  context.stroke()
}

function drawHost(
  context: CanvasRenderingContext2D,
  x: number,
  width: number,
  height: number,
  name: 'client' | 'server',
  controller: string,
): void {
  const tall = Math.min(height - 40, HOST.height * LARGEST_SCALE * 0.8)
  context.fillStyle = color('card')
  context.strokeStyle = color(name)
  context.lineWidth = 2
  context.beginPath()
  context.roundRect(x + 1, (height - tall) / 2, width - 2, tall, 14)
  context.fill()
  context.stroke()
  context.fillStyle = color(name)
  context.textAlign = 'center'
  context.font = '600 14px system-ui, sans-serif'
  context.fillText(name, x + width / 2, height / 2 + (controller === '' ? 5 : -2))
  context.fillStyle = color('soft')
  context.font = LABEL_FONT
  context.fillText(controller, x + width / 2, height / 2 + 16)
}
