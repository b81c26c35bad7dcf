// `tunstack drill`: plays packetdrill scripts against the stack, in virtual time, and shows where what came is not what is written.
// `--expected` holds the outcomes against a table, so that a folder with known failures can be watched for new ones.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { CAC } from 'cac'
import { openCaptureFile } from '../index.ts'
import { type DrillResult, drill, traceText } from '../portable.ts'
import { Options } from './options.ts'
import { CommandError, Exit, say, styled, tell, tellJson, usageError } from './output.ts'

const OUTCOMES = ['pass', 'fail', 'unsupported'] as const
type OutcomeName = (typeof OUTCOMES)[number]
/** Rows of a trace that are shown before the first difference. */
const SHOWN_ROWS = 16

interface Played extends DrillResult {
  readonly path: string
  /** Below the folder that was given: the name in a table of what is expected. */
  readonly name: string
}

export function addDrill(cli: CAC): void {
  cli
    .command('drill [...paths]', 'Plays packetdrill scripts, or all in a folder, against the stack')
    .option(
      '--like <platform>',
      "Whose habits the scripts suppose: linux or freebsd; where it isn't said, the scripts are asked",
    )
    .option('--expected <file>', 'Outcomes that are expected, and why: only what is worse is a failure')
    .option('--strict', 'A packet after the last line is a failure too')
    .option('--trace', 'Shows every event, also of what passes')
    .option('--json', 'Prints the outcomes as JSON')
    .option('--pcap <file>', 'Writes every packet, as pcapng')
    .example('  $ tunstack drill handshake.pkt')
    .example('  $ tunstack drill scripts --expected expected.tsv')
    .action((paths: string[], given: Record<string, unknown>) => drillCommand(paths, new Options(given)))
}

function drillCommand(paths: readonly string[], options: Options): number {
  if (paths.length === 0) throw usageError('Name a script, or a folder with scripts.')
  const like = options.text('like') === null ? undefined : options.choice('like', 'linux', ['linux', 'freebsd'])
  const strict = options.flag('strict')
  const table = readTable(options.text('expected'))
  const pcap = options.text('pcap')
  const file = pcap === null ? null : openCaptureFile(pcap, (error) => say(`tunstack: ${error.message}`))
  const scripts = paths.flatMap(scriptsOf)
  if (scripts.length === 0) throw new CommandError(Exit.failed, `There is no script (.pkt) in ${paths.join(', ')}.`)
  const played: Played[] = []
  try {
    for (const { path, name } of scripts) {
      const result = drill(readFileSync(path, 'utf8'), { path, like, strict, sink: file?.write })
      played.push({ ...result, path, name })
    }
  } finally {
    file?.close()
  }
  if (options.flag('json')) tellJson(played.map(toJson))
  else for (const one of played) show(one, table, options.flag('trace'))
  return conclude(played, table, options.flag('json'))
}

function toJson({ path, outcome, like, line, reason, differences, trace }: Played) {
  return { path, outcome, like, line, reason, differences, trace: outcome === 'fail' ? trace : [] }
}

function scriptsOf(path: string): { path: string; name: string }[] {
  if (!statSync(path).isDirectory()) return [{ path, name: path }]
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt'))
  return files.sort().map((name) => ({ path: join(path, name), name: name.split(sep).join('/') }))
}

function show(one: Played, table: Table | null, isTraced: boolean): void {
  const { outcome, line, reason, trace, differences } = one
  const name = relative('', one.path) || one.path
  const isExpected = table !== null && !isWorse(one, table)
  if (outcome === 'pass') {
    if (isTraced) tell(`${styled('pass', 'green', process.stdout)} ${name}\n${traceText(trace, [])}\n`)
    return
  }
  if (isExpected && !isTraced) return
  const colour = outcome === 'fail' ? 'red' : 'yellow'
  tell(`${styled(outcome, colour, process.stdout)} ${name}:${line}: ${reason}`)
  if (outcome === 'fail') tell(`${traceText(trace, differences, isTraced ? {} : { rows: SHOWN_ROWS })}\n`)
}

/** What a table says of a script; a name that it doesn't have is expected to pass. */
type Table = ReadonlyMap<string, OutcomeName>

function readTable(path: string | null): Table | null {
  if (path === null) return null
  const table = new Map<string, OutcomeName>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [name, outcome] = line.split('\t')
    const known = OUTCOMES.find((one) => one === outcome)
    if (known === undefined) throw usageError(`${path} has a line without an outcome: "${line}".`)
    table.set(name, known)
  }
  return table
}

function isWorse({ name, outcome }: Played, table: Table): boolean {
  return outcome !== 'pass' && outcome !== table.get(name)
}

function conclude(played: readonly Played[], table: Table | null, isJson: boolean): number {
  const count = (outcome: OutcomeName) => played.filter((one) => one.outcome === outcome).length
  const totals = `${count('pass')} passed, ${count('fail')} failed, ${count('unsupported')} unsupported`
  const print = isJson ? say : tell
  print(`${played.length} ${played.length === 1 ? 'script' : 'scripts'}: ${totals}`)
  if (table === null) return count('pass') === played.length ? Exit.done : Exit.failed
  const worse = played.filter((one) => isWorse(one, table))
  const better = played.filter(({ name, outcome }) => outcome === 'pass' && (table.get(name) ?? 'pass') !== 'pass')
  for (const { name } of better) print(`${name} passes, and the table does not know it`)
  print(worse.length === 0 ? 'as expected' : `${worse.length} worse than expected`)
  return worse.length === 0 ? Exit.done : Exit.failed
}
