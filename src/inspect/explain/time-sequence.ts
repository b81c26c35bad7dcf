// The time-sequence picture of one side of a conversation, as Van Jacobson drew it: each segment an upright stroke from its first to its last
// number at the time it was sent, what was sent again in another colour, the line of acknowledgments below, the line of the offered
// window above, and SACKs between them. As SVG; the same conversation gives the same octets.
import { type Line, plot } from '../plot.ts'
import type { Conversation } from './conversation.ts'
import type { Place, Side } from './side.ts'

/** Of the highest number: where the picture ends. */
const ABOVE = 1.08
const KILO = 1000

/** The side that sent more text. */
export function timeSequence(conversation: Conversation): string {
  const { sides, began, ended, number } = conversation
  const [one, other] = sides
  const [side, peer] = one.unique >= other.unique ? [one, other] : [other, one]
  const end = Math.max(ended - began, 1) / 1000
  const top = Math.max(1, side.next * ABOVE) / KILO
  const at = (time: number) => (time - began) / 1000
  const strokes = (places: readonly Place[]) =>
    places.map(([time, from, to]): [number, number, number] => [at(time), from / KILO, to / KILO])
  return plot({
    title: `Stream ${number}: ${side.name} to ${peer.name}`,
    subtitle: 'Relative sequence numbers over time, as captured',
    x: { label: 'seconds', from: 0, to: end },
    y: { label: 'kB', to: top },
    width: 1000,
    height: 560,
    bars: [
      { name: 'SACKs', stroke: 'told-of', bars: strokes(side.drawn.sacks) },
      { name: 'segments', stroke: 'sent', bars: strokes(side.drawn.sent) },
      { name: 'sent again', stroke: 'again', bars: strokes(side.drawn.again) },
    ],
    lines: [
      { name: 'acknowledged', stroke: 'solid', points: steps(side.drawn.acks, top, at, end) },
      { name: 'offered window', stroke: 'thin', points: steps(edgesOf(side), top, at, end) },
    ],
  })
}

function edgesOf({ drawn }: Side): readonly Place[] {
  return drawn.edges.filter(([, edge], place) => place === 0 || drawn.edges[place - 1][1] !== edge)
}

/** A line that stands still until the next; what is above the top is a gap. */
function steps(places: readonly Place[], top: number, at: (time: number) => number, end: number): Line['points'] {
  const points: [number, number][] = []
  let before = Number.NaN
  for (const [time, octets] of places) {
    const number = octets / KILO
    points.push([at(time), before])
    before = number > top ? Number.NaN : number
    points.push([at(time), before])
  }
  if (!Number.isNaN(before)) points.push([end, before])
  return points
}
