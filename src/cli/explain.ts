// `tunstack explain`: reads a capture, pcapng or pcap, and tells what its TCP conversations went through, in plain sentences.
import { readFileSync, writeFileSync } from 'node:fs'
import type { CAC } from 'cac'
import { explain, explanationText, timeSequence } from '../portable.ts'
import { Options } from './options.ts'
import { CommandError, Exit, say, tell, tellJson } from './output.ts'

/** Conversations that are told where nobody asks for one. */
const MOST_TOLD = 50
const LARGEST_STREAM = 1_000_000_000

export function addExplain(cli: CAC): void {
  cli
    .command('explain <file>', 'Tells what happened in a capture (pcapng or pcap): a line for each noteworthy thing')
    .option('--stream <number>', 'That conversation alone')
    .option('--plot <file>', 'Draws a time-sequence picture, as SVG: of that conversation, or of the largest')
    .option('--json', 'Prints all of it as JSON')
    .example('  $ tunstack explain capture.pcapng')
    .example('  $ tunstack explain --stream 2 --plot picture.svg capture.pcapng')
    .example('  $ tcpdump -w - -i eth0 -c 1000 tcp | tunstack explain /dev/stdin')
    .action((path: string, given: Record<string, unknown>) => explainCommand(path, new Options(given)))
}

function explainCommand(path: string, options: Options): number {
  const stream = options.text('stream') === null ? null : options.integer('stream', 0, 0, LARGEST_STREAM)
  const picture = options.text('plot')
  const { explanation, conversations } = explain(readFileSync(path))
  const all = explanation.conversations
  if (explanation.packets === 0)
    throw new CommandError(Exit.failed, `${path}: there are no packets: ${explanation.problem ?? 'the file is empty'}.`)
  if (stream !== null && stream >= all.length)
    throw new CommandError(Exit.failed, `There is no stream ${stream}: the capture has ${all.length}, from 0 on.`)
  if (picture !== null) {
    const sizes = all.map(({ sides: [one, other] }) => one.octets + other.octets)
    const chosen = stream ?? sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0))
    if (conversations[chosen] === undefined)
      throw new CommandError(Exit.failed, 'There is no TCP conversation to draw.')
    writeFileSync(picture, timeSequence(conversations[chosen]))
  }
  const wanted = stream === null ? all : [all[stream]]
  if (options.flag('json')) tellJson({ ...explanation, conversations: wanted })
  else tell(explanationText(explanation, wanted.slice(0, MOST_TOLD)))
  if (picture !== null) say(`wrote ${picture}`)
  if (!options.flag('json') && wanted.length > MOST_TOLD)
    say(`${wanted.length - MOST_TOLD} more conversations were not told: --stream NUMBER, or --json.`)
  return Exit.done
}
