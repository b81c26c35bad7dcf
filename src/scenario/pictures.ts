// A scenario's pictures: lines over time, as SVG, by their names. The same figures give the same octets.
import { type Line, type Plot, plot, type Stroke } from '../inspect/plot.ts'
import type { Measured } from './measured.ts'
import type { ScenarioResult } from './run.ts'
import type { PlotName } from './scenario.ts'
import { byName } from './table.ts'

export interface Picture {
  /** Without an ending: `goodput`, `responses-http-2`. */
  readonly name: string
  readonly svg: string
}

const USUAL: readonly PlotName[] = ['goodput', 'window', 'rtt']
const STROKES: readonly Stroke[] = ['solid', 'dashed', 'dotted', 'broken', 'thin']
/** Samples that one point of the goodput takes together. */
const BIN = 6
const HEIGHT = 320

export function pictures(result: ScenarioResult): Picture[] {
  return (result.scenario.plots ?? USUAL).flatMap((name) => DRAWN[name](result))
}

const DRAWN: Record<PlotName, (result: ScenarioResult) => Picture[]> = {
  goodput: (result) => {
    const lines = byName(result.flows).map((group) => goodputOf(group))
    return draw(result, 'goodput', 'goodput', 'Mbit/s', lines)
  },
  window: (result) => {
    const alone = result.flows.length === 1 ? result.flows[0] : null
    const lines = byName(result.flows).map((group) => sumOf(group, 'cwnd'))
    if (alone === null) return draw(result, 'window', 'congestion window', 'kB', lines)
    const inFlight: Line = { name: 'in flight', stroke: 'thin', points: sumOf([alone], 'inFlight').points }
    return draw(result, 'window', 'congestion window', 'kB', [
      inFlight,
      { ...lines[0], name: 'window', stroke: 'solid' },
    ])
  },
  rtt: (result) => {
    const lines = byName(result.flows).map((group) => ({
      name: nameOf(group),
      points: group
        .flatMap(({ samples }) => samples.rtt.map((rtt, at) => [samples.time[at] / 1000, rtt] as const))
        .filter(([, rtt]) => !Number.isNaN(rtt))
        .sort(([one], [other]) => one - other),
    }))
    return draw(result, 'rtt', 'round trip', 'ms', lines)
  },
  queue: (result) => {
    if (result.queue === null) return []
    const { name, waiting } = result.queue
    const { length } = result.scenario
    const points = waiting.map((packets, at) => [(length * (at + 1)) / waiting.length / 1000, packets] as const)
    return draw(result, 'queue', `queue before "${name}"`, 'packets', [{ name: 'waiting', points }])
  },
  responses: (result) => {
    const pages = result.flows.filter(({ isHttp }) => isHttp)
    const until = Math.max(0, ...pages.map(lastOf))
    return pages.flatMap((page) => {
      const name = `responses-${page.name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-')}`
      const end = Math.min(result.scenario.length, until * 1.05) / 1000
      return draw(result, name, `${page.name}, how much of each response is there`, '%', responseLines(page), {
        x: { label: 'seconds', from: 0, to: end },
        y: { label: '%', to: 100 },
      })
    })
  },
}

type Points = Line['points']

function draw(
  { scenario, seed }: ScenarioResult,
  name: string,
  what: string,
  unit: string,
  lines: readonly { name: string; points: Points; stroke?: Stroke }[],
  axes: Partial<Plot> = {},
): Picture[] {
  const svg = plot({
    title: `${scenario.title}: ${what}`,
    subtitle: `virtual time, seed ${seed}`,
    x: { label: 'seconds', from: 0, to: scenario.length / 1000 },
    y: { label: unit },
    height: HEIGHT,
    lines: lines.map((line, place) => ({ stroke: STROKES[place % STROKES.length], ...line })),
    ...axes,
  })
  return [{ name, svg }]
}

function nameOf(group: readonly Measured[]): string {
  return group.length === 1 ? group[0].name : `${group.length} × ${group[0].name}`
}

function goodputOf(group: readonly Measured[]): { name: string; points: Points } {
  const times = timesOf(group)
  const points: [number, number][] = []
  let before = { time: Math.min(...group.map(({ start }) => start)), delivered: 0 }
  for (let at = 0; at < times.length; at++) {
    const time = times[at]
    if ((at + 1) % BIN !== 0 || time <= before.time) continue
    const delivered = group.reduce((all, flow) => all + (valueAt(flow, flow.samples.delivered, time) || 0), 0)
    points.push([time / 1000, ((delivered - before.delivered) * 8) / (time - before.time) / 1000])
    before = { time, delivered }
  }
  return { name: nameOf(group), points }
}

function sumOf(group: readonly Measured[], what: 'cwnd' | 'inFlight'): { name: string; points: Points } {
  const points = timesOf(group).map((time): [number, number] => {
    const values = group.map((flow) => valueAt(flow, flow.samples[what], time)).filter((value) => !Number.isNaN(value))
    const sum = values.reduce((all, value) => all + value, 0)
    return [time / 1000, values.length === 0 ? Number.NaN : sum / 1000]
  })
  return { name: nameOf(group), points }
}

/** When the first of them that began was looked at: the others were at the same times, from a later one on. */
function timesOf(group: readonly Measured[]): readonly number[] {
  return group.reduce(
    (longest, { samples }) => (samples.time.length > longest.length ? samples.time : longest),
    [...group[0].samples.time],
  )
}

function valueAt({ samples }: Measured, values: readonly number[], time: number): number {
  const first = samples.time[0]
  if (first === undefined || time < first) return Number.NaN
  // Both end at the run's end, and stand at the same times before it.
  const step = samples.time.length > 1 ? samples.time[1] - first : 1
  return values[Math.round((time - first) / step)] ?? Number.NaN
}

function lastOf({ responses, samples }: Measured): number {
  const last = Math.max(...responses.map((response) => response.last))
  return last === Number.POSITIVE_INFINITY ? (samples.time[samples.time.length - 1] ?? 0) : last
}

/** Resources of one name are one line with gaps in it: what stands before their number. */
function responseLines({ responses, samples }: Measured): { name: string; points: Points }[] {
  const lines = new Map<string, [number, number][]>()
  for (const { name, samples: received, last, size } of responses) {
    const base = name.replace(/ \d+$/, '')
    const points = lines.get(base) ?? []
    if (points.length > 0) points.push([0, Number.NaN])
    for (const [at, octets] of received.entries()) {
      const time = samples.time[at]
      if (time >= last) {
        points.push([last / 1000, 100])
        break
      }
      if (octets > 0 || (received[at + 1] ?? 0) > 0) points.push([time / 1000, (100 * octets) / size])
    }
    lines.set(base, points)
  }
  return [...lines].map(([name, points]) => ({ name, points }))
}
