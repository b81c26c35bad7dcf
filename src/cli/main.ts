#!/usr/bin/env node
// `tunstack`: finds the command, runs it, and turns what went wrong into one sentence and an exit code.
import { readFileSync } from 'node:fs'
import { cac } from 'cac'
import { addCapture } from './capture.ts'
import { addDoctor } from './doctor.ts'
import { addDrill } from './drill.ts'
import { addExplain } from './explain.ts'
import { addGet } from './get.ts'
import { addNetstat } from './netstat.ts'
import { EXIT_CODES, Exit, exitCodeOf, isExpected, say, usageError } from './output.ts'
import { addPing } from './ping.ts'
import { addServe } from './serve.ts'
import { addSimulate } from './simulate.ts'
import { addStart } from './start.ts'

/** What `npm start` runs; the others are for everybody. */
const HIDDEN = 'start'

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function commandLine() {
  const cli = cac('tunstack')
  addServe(cli)
  addGet(cli)
  addPing(cli)
  addNetstat(cli)
  addCapture(cli)
  addSimulate(cli)
  addExplain(cli)
  addDrill(cli)
  addDoctor(cli)
  addStart(cli)
  cli.version(version())
  cli.help((sections) => {
    for (const section of sections) section.body = withoutHidden(section.body)
    sections.push({ title: 'Exit codes', body: EXIT_CODES })
  })
  return cli
}

function withoutHidden(body: string): string {
  // cac writes a negated option's default as that of what it negates.
  const shown = (line: string) => (/^\s+--no-/.test(line) ? line.replace(' (default: true)', '') : line)
  const isHidden = (line: string) =>
    line.trim().split(/\s+/)[0] === HIDDEN || line.includes(`tunstack ${HIDDEN} --help`)
  return body
    .split('\n')
    .filter((line) => !isHidden(line))
    .map((line) => shown(line).trimEnd())
    .join('\n')
}

/** `tunstack help serve` is `tunstack serve --help`. */
function withoutHelp([node, file, first, ...rest]: string[]): string[] {
  if (first === 'help') return [node, file, ...rest, '--help']
  return first === undefined ? [node, file] : [node, file, first, ...rest]
}

async function run(): Promise<number> {
  const cli = commandLine()
  const { options } = cli.parse(withoutHelp(process.argv), { run: false })
  if (options.help || (options.version && cli.matchedCommandName === undefined)) return Exit.done
  if (cli.matchedCommand === undefined) {
    const [given] = cli.args
    throw usageError(
      given === undefined
        ? 'Name a command: serve, get, ping, netstat, capture, simulate, explain, drill or doctor ("tunstack --help" says more).'
        : `There is no command "${given}": there are serve, get, ping, netstat, capture, simulate, explain, drill and doctor ("tunstack --help" says more).`,
    )
  }
  return (await cli.runMatchedCommand()) as number
}

function explain(error: unknown): number {
  if (error instanceof Error && error.name === 'CACError') {
    say(`tunstack: ${error.message} ("tunstack ${process.argv[2]} --help" says what there is).`)
    return Exit.usage
  }
  if (isExpected(error)) {
    const { code, path } = error as { code?: string; path?: string }
    say(`tunstack: ${code === 'ENOENT' && path !== undefined ? `There is no ${path} (ENOENT).` : error.message}`)
    return exitCodeOf(error)
  }
  say(`tunstack: a mistake of our own: ${process.env.DEBUG ? (error as Error).stack : error} (DEBUG=1 shows where).`)
  return Exit.failed
}

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read us has gone.
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? Exit.done : Exit.failed))
}

run().then(
  (code) => {
    process.exitCode = code
  },
  // What failed may have left something behind that would hold the process.
  (error) => process.exit(explain(error)),
)
