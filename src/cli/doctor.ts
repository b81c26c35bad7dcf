// `tunstack doctor`: what this machine has, a line each, and what to do about what it lacks.
import type { CAC } from 'cac'
import { examineMachine, type Machine } from '../index.ts'
import { Options } from './options.ts'
import { Exit, say, styled, tell, tellJson } from './output.ts'

export function addDoctor(cli: CAC): void {
  cli
    .command('doctor', 'Says what this machine has, and what to do about what it lacks')
    .option('--json', 'Prints it as JSON')
    .example('  $ tunstack doctor')
    .example('  $ tunstack doctor --json')
    .action((given: Record<string, unknown>) => doctor(new Options(given)))
}

function doctor(options: Options): number {
  const machine = examineMachine()
  if (options.flag('json')) tellJson(machine)
  else print(machine)
  return machine.canOpenTun ? Exit.done : Exit.missing
}

const COLOURS = { ok: 'green', lacking: 'yellow', unknown: 'dim' } as const

function print({ checks, canOpenTun, canOpenPrivateTun }: Machine): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, state, found, remedy } of checks) {
    const mark = styled(state.padEnd(7), COLOURS[state], process.stdout)
    tell(`${mark}  ${name.padEnd(width)}  ${found}${remedy === '' ? '.' : `. ${remedy}`}`)
  }
  if (canOpenTun) say('Everything that "tunstack serve" needs is here.')
  else if (canOpenPrivateTun) say('"tunstack serve" lacks something here, and "tunstack serve --private" would work.')
  else say('"tunstack serve" lacks something here; links in memory and simulations need nothing of it.')
}
