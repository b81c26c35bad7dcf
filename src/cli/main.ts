#!/usr/bin/env node
// `tunstack`: finds the command, runs it, and turns what went wrong into one sentence and an exit code.
import { readFileSync } from 'node:fs'
import { type CAC, cac } from 'cac'
import { EXIT_CODES, Exit, exitCodeOf, isExpected, say, usageError } from './output.ts'

/** Who runs one of them waits for the modules of no other. */
const COMMANDS: Readonly<Record<string, () => Promise<(cli: CAC) => void>>> = {
  serve: async () => (await import('./serve.ts')).addServe,
  get: async () => (await import('./get.ts')).addGet,
  ping: async () => (await import('./ping.ts')).addPing,
  netstat: async () => (await import('./netstat.ts')).addNetstat,
  capture: async () => (await import('./capture.ts')).addCapture,
  simulate: async () => (await import('./simulate.ts')).addSimulate,
  explain: async () => (await import('./explain.ts')).addExplain,
  drill: async () => (await import('./drill.ts')).addDrill,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  start: async () => (await import('./start.ts')).addStart,
}

/** What `npm start` runs; the others are for everybody. */
const HIDDEN = 'start'

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

async function commandLine(named: string): Promise<CAC> {
  const cli = cac('tunstack')
  const loads = Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]] : Object.values(COMMANDS)
  for (const add of await Promise.all(loads.map((load) => load()))) add(cli)
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
  const words = withoutHelp(process.argv)
  const cli = await commandLine(words[2] ?? '')
  const { options } = cli.parse(words, { run: false })
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
