// `npm start`: the main job in the best form that this machine allows: a real TUN device as root; the same in a private
// namespace as an ordinary user; otherwise two stacks in this process. It never fails for want of privilege.
import type { CAC } from 'cac'
import { examineMachine, type Machine } from '../index.ts'
import { Options } from './options.ts'
import { Exit, say } from './output.ts'
import { runInside } from './private.ts'
import { defaultSettings, isForWant, serve } from './serve.ts'
import { showInMemory } from './show.ts'

export function addStart(cli: CAC): void {
  cli
    .command('start', 'The main job, in the best form that this machine allows')
    .option('--form <form>', 'best, tun, private or memory', { default: 'best' })
    .action((given: Record<string, unknown>) => start(new Options(given)))
}

async function start(options: Options): Promise<number> {
  const wished = options.choice('form', 'best', ['best', 'tun', 'private', 'memory'])
  const machine = examineMachine()
  const best = machine.canOpenTun ? 'tun' : machine.canOpenPrivateTun ? 'private' : 'memory'
  const form = wished === 'best' ? best : wished
  try {
    if (form === 'tun') return await serve(defaultSettings())
    if (form === 'private') {
      say('Without root, so in a user and network namespace of its own: commands enter it as shown below.')
      return await runInside(['serve', '--private', '--services'])
    }
  } catch (error) {
    if (!isForWant(error)) throw error
    say(`${error.message}`)
  }
  await showInMemory()
  sayWhatIsLacking(machine)
  return Exit.done
}

function sayWhatIsLacking({ checks }: Machine): void {
  const lacking = checks.filter(({ state }) => state === 'lacking')
  say('')
  say('With root the same stack stands on a real device, tun0, where ping and every other program reach it.')
  if (process.getuid?.() !== 0) say('  sudo npm start')
  for (const { found, remedy } of lacking) say(`Lacking here: ${found}. ${remedy}`)
}
