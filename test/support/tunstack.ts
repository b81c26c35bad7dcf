// The built command and the built package, as users run them: `tunstack` to its end, `tunstack serve` in a namespace, scripts.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ExecOptions, exec, type Namespace, type Output } from './namespace.ts'

export const MAIN = built('cli/main.js')
const COMMAND_LINES = fileURLToPath(new URL('command-lines.mjs', import.meta.url))
export const PACKAGE = new URL('../../dist/index.js', import.meta.url).href

function built(path: string): string {
  const file = fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))
  if (!existsSync(file)) throw new Error(`${file} is missing: these tests run what "npm run prepare" builds`)
  return file
}

export function tunstack(args: string[], options: ExecOptions = {}): Promise<Output> {
  return exec(process.execPath, [MAIN, ...args], options)
}

/** Many command lines that end by themselves, one after another in one process. */
export async function tunstackEach(lines: readonly (readonly string[])[]): Promise<Output[]> {
  const { code, stdout, stderr } = await exec(process.execPath, [COMMAND_LINES, MAIN], { input: JSON.stringify(lines) })
  if (code !== 0) throw new Error(`the player of command lines ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Output[]
}

const evaluating = (text: string) => ['--input-type=module', '--eval', text.replaceAll("'tunstack'", `'${PACKAGE}'`)]

/** Runs a module that may import from `tunstack`. */
export function script(text: string, options: ExecOptions = {}): Promise<Output> {
  return exec(process.execPath, evaluating(text), options)
}

const LONG_ENOUGH = 1000
const PATIENCE = 30_000

/** Whether a process is still there a second after such a module has come to its end, however long the start of it took. */
export async function isHeld(text: string): Promise<boolean> {
  const words = evaluating(`${text}\n;process.stdout.write('at its end')`)
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  const ended = new Promise<boolean>((resolve) => child.once('close', () => resolve(false)))
  const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended])
  const held = await Promise.race([ended, sleep(LONG_ENOUGH, true)])
  clearTimeout(limit)
  child.kill('SIGKILL')
  await ended
  if (stderr !== '') throw new Error(stderr)
  return held
}

/** Whether a command that a test calls is there; those that lack one skip themselves. */
export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** An ordinary user: what follows runs as nobody. */
export const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** Whether nobody may run what is built here: a clone in somebody's home may be closed to others. */
export function nobodyMayRun(): boolean {
  const [command, ...words] = NOBODY
  return spawnSync(command, [...words, process.execPath, MAIN, '--version']).status === 0
}

/** Something that runs until it is told to stop, with what it has said so far. */
export class Running {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess
  readonly ended: Promise<number | null>

  constructor(namespace: Namespace, command: readonly string[]) {
    const [file, ...args] = command
    this.child = namespace.adopt(spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = new Promise((resolve) => this.child.once('close', resolve))
  }

  /** Waits until it has said that on stderr; an error, with what it did say, if it ends before. */
  async says(words: string): Promise<void> {
    const stream = this.child.stderr
    while (!this.stderr.includes(words)) {
      const more = new Promise<boolean>((resolve) => stream?.once('data', () => resolve(true)))
      if (!(await Promise.race([more, this.ended.then(() => false)])) && !this.stderr.includes(words))
        throw new Error(`it never said "${words}", but: ${this.stderr}${this.stdout}`)
    }
  }

  /** Its exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.ended
  }
}

/** Serves in the namespace, until everything is up. */
export async function serve(namespace: Namespace, ...flags: string[]): Promise<Running> {
  const running = new Running(namespace, [process.execPath, MAIN, 'serve', '--netns', namespace.name, ...flags])
  await running.says('Ctrl-C takes it down')
  return running
}
