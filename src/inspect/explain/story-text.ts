// An explanation as text for people: one line a noteworthy thing, and what there is to count below. Called by `tunstack explain`.
import type { ConversationStory, Explanation, SideFigures } from './explain.ts'
import { counted, milliseconds, octets, percentOf } from './words.ts'

const TIME_WIDTH = 12

export function explanationText(explanation: Explanation, wanted: readonly ConversationStory[]): string {
  const { packets, others, length, problem, conversations } = explanation
  const found = counted(conversations.length, 'TCP conversation')
  const head = [
    `${counted(packets, 'packet')} in ${milliseconds(length)}: ${found}${others === 0 ? '' : `, ${counted(others, 'packet')} of none`}.`,
  ]
  if (problem !== null) head.push(`Not all of the file could be read: ${problem}.`)
  return [head.join('\n'), ...wanted.map(storyText)].join('\n\n')
}

function storyText(story: ConversationStory): string {
  const [one, other] = story.sides
  const place = story.interface === '' ? '' : `, captured at "${story.interface}"`
  const head = `Stream ${story.stream}: ${one.name} and ${other.name}${place}; ${counted(story.packets, 'packet')} in ${milliseconds(story.length)}`
  const lines = story.lines.map(({ time, packet, text }) => {
    const where = packet === 0 ? '' : ` (packet ${packet})`
    return `${`${(time / 1000).toFixed(6)} s`.padStart(TIME_WIDTH)}  ${text}${where}.`
  })
  return [head, ...lines, ...story.sides.flatMap(sideText)].join('\n')
}

function sideText(side: SideFigures): string[] {
  const { name, dataSegments, octets: count, goodput, rtt, retransmittedSegments, retransmittedOctets } = side
  if (dataSegments === 0) return [`  ${name}: ${counted(side.segments, 'segment')}, none with text`]
  const rate = goodput === null ? '' : `, ${goodput.toFixed(2)} Mbit/s`
  const lines = [`  ${name}: ${octets(count)} in ${counted(dataSegments, 'segment')} with text${rate}`]
  const again = `${counted(retransmittedSegments, 'segment')} (${percentOf(retransmittedSegments, dataSegments)}, ${octets(retransmittedOctets)})`
  lines.push(`    sent again: ${again}; in flight at most ${octets(side.largestFlight)}`)
  if (rtt !== null) {
    const { samples, least, p50, p95, p99 } = rtt
    const figures = [least, p50, p95, p99].map(milliseconds)
    lines.push(
      `    from text to its acknowledgment, as seen here: ${figures[0]} at least, half up to ${figures[1]}, 95% up to ${figures[2]}, 99% up to ${figures[3]} (${counted(samples, 'sample')})`,
    )
  }
  return lines
}
