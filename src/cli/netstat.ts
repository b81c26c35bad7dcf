// `tunstack netstat`, also `tunstack ss`: the sockets of every `tunstack serve` that runs here, asked for over its control socket.
import { readFileSync } from 'node:fs'
import type { CAC } from 'cac'
import { askControl, findControls, type SocketView } from '../index.ts'
import { type Snapshot, summary, table } from './netstat-table.ts'
import { Options } from './options.ts'
import { CommandError, Exit, tell, tellJson } from './output.ts'
import { untilSignal } from './signals.ts'

interface Wish {
  readonly all: boolean
  readonly listening: boolean
  readonly protocols: ReadonlySet<string>
  readonly timers: boolean
  readonly info: boolean
  readonly summary: boolean
  readonly json: boolean
  readonly portName: (port: number, protocol: 'tcp' | 'udp') => string | null
  /** Null for all that run. */
  readonly pid: number | null
}

const LONGEST_WATCH = 3600

export function addNetstat(cli: CAC): void {
  cli
    .command('netstat', 'The sockets of each "tunstack serve" that runs here (also "tunstack ss")')
    .alias('ss')
    .option('-a, --all', 'Listeners and TIME-WAIT too')
    .option('-l, --listening', 'Listeners alone')
    .option('-t, --tcp', 'TCP alone')
    .option('-u, --udp', 'UDP alone')
    .option('-n, --numeric', 'Ports as numbers (addresses always are)')
    .option('-o, --timers', 'What each connection waits for: timer (seconds/retransmissions/probes)')
    .option('-i, --info', 'A line of what TCP knows of each connection')
    .option('-s, --summary', 'How many sockets of each state, and the counters')
    .option('--json', 'Prints it as JSON, a line for each process')
    .option('--watch <seconds>', 'Again and again, until a signal')
    .option('--pid <pid>', 'Of that process alone')
    .example('  $ tunstack netstat -ant')
    .example('  $ tunstack ss -tino --watch 1')
    .example('  $ tunstack netstat -s')
    .action((given: Record<string, unknown>) => netstat(new Options(given)))
}

async function netstat(options: Options): Promise<number> {
  const wish = readWish(options)
  const seconds = options.text('watch') === null ? 0 : options.integer('watch', 1, 1, LONGEST_WATCH)
  if (seconds === 0) {
    await show(wish)
    return Exit.done
  }
  let isTold = false
  const told = untilSignal().then(() => {
    isTold = true
  })
  while (!isTold) {
    await show(wish)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([told, new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000)))])
    clearTimeout(timer)
    if (!isTold && !wish.json) tell('')
  }
  return Exit.done
}

function readWish(options: Options): Wish {
  const pid = options.text('pid')
  const chosen = ['tcp', 'udp'].filter((protocol) => options.flag(protocol))
  return {
    all: options.flag('all'),
    listening: options.flag('listening'),
    protocols: new Set(chosen.length === 0 ? ['tcp', 'udp'] : chosen),
    timers: options.flag('timers'),
    info: options.flag('info'),
    summary: options.flag('summary'),
    json: options.flag('json'),
    portName: options.flag('numeric') ? () => null : portNames(),
    pid: pid === null ? null : options.integer('pid', 0, 1, 2 ** 31),
  }
}

async function show(wish: Wish): Promise<void> {
  const snapshots = await ask(wish)
  for (const [place, snapshot] of snapshots.entries()) {
    const sockets = snapshot.sockets.filter((socket) => isWished(socket, wish))
    if (wish.json) {
      tellJson(wish.summary ? { pid: snapshot.pid, counters: snapshot.counters } : { pid: snapshot.pid, sockets })
      continue
    }
    if (place > 0) tell('')
    for (const line of wish.summary ? summary(snapshot) : table(sockets, snapshot.pid, wish)) tell(line)
  }
}

function isWished({ protocol, state }: SocketView, { all, listening, protocols }: Wish): boolean {
  if (!protocols.has(protocol)) return false
  const isListener = state === 'LISTEN' || state === 'UNCONNECTED'
  if (listening) return isListener
  return all || (!isListener && state !== 'TIME-WAIT')
}

async function ask({ pid, info }: Wish): Promise<Snapshot[]> {
  const controls = await findControls()
  const chosen = [...controls].filter(([one]) => pid === null || one === pid)
  if (chosen.length === 0) {
    const what =
      pid === null ? 'No "tunstack serve" of yours runs here' : `Process ${pid} is no "tunstack serve" of yours`
    throw new CommandError(Exit.missing, `${what}: start one, or run this as the user who did.`)
  }
  const answers = chosen.map(async ([, path]) => (await askControl(path, { ask: 'netstat', info })) as Snapshot)
  return Promise.all(answers)
}

/** Those of /etc/services, where that is there. */
function portNames(): Wish['portName'] {
  const names = new Map<string, string>()
  try {
    for (const [, name, place] of readFileSync('/etc/services', 'utf8').matchAll(/^([\w-]+)\s+(\d+\/(?:tcp|udp))/gm))
      if (!names.has(place)) names.set(place, name)
  } catch {
    return () => null
  }
  return (port, protocol) => names.get(`${port}/${protocol}`) ?? null
}
