// A network namespace for tests and benchmarks on a real kernel: made by the test, gone with it, nothing outside it touched.
// `privileged()` says whether that can be done here, and what is missing if not (`on-kernel` skips with that reason).
// Each test has a namespace of its own, so any port and any address is free in it.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface Output {
  /** The exit code; null if a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

export interface ExecOptions {
  /** Ended after so many milliseconds (30,000 unless told); what is resolved to has no code then, and says so in `stderr`. */
  timeout?: number
  /** Written to its standard input, which is empty otherwise. */
  input?: string
  env?: NodeJS.ProcessEnv
  cwd?: string
}

const KILL_AFTER = 2_000
let answer: { granted: boolean; reason: string } | null = null
let made = 0

/** Whether a namespace and a TUN device can be had here; if not, `reason` is a sentence that says what is missing. */
export function privileged(): { granted: boolean; reason: string } {
  answer ??= examine()
  return answer
}

function examine(): { granted: boolean; reason: string } {
  const lacking = (reason: string) => ({ granted: false, reason })
  if (process.platform !== 'linux')
    return lacking(`Tests on a real kernel need Linux, and this is ${process.platform}.`)
  if (process.getuid?.() !== 0) return lacking('Tests on a real TUN device need root: run them with sudo.')
  try {
    closeSync(openSync('/dev/net/tun', 'r+'))
  } catch (error) {
    return lacking(
      `/dev/net/tun can't be opened (${(error as NodeJS.ErrnoException).code}): load the module tun, or give the container the device.`,
    )
  }
  const name = nextName()
  const added = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (added.error) return lacking('The command ip is missing: install iproute2.')
  if (added.status !== 0)
    return lacking(`No network namespace can be made (${added.stderr.trim()}): CAP_SYS_ADMIN is missing.`)
  const entered = spawnSync('ip', ['netns', 'exec', name, 'true'], { encoding: 'utf8' })
  spawnSync('ip', ['netns', 'delete', name])
  if (entered.status !== 0) return lacking(`A network namespace can't be entered (${entered.stderr.trim()}).`)
  return { granted: true, reason: '' }
}

function nextName(): string {
  return `tunstack-${process.pid}-${made++}-${Math.random().toString(36).slice(2, 6)}`
}

/** Runs a command to its end. */
export function exec(command: string, args: string[], options: ExecOptions = {}): Promise<Output> {
  const child = spawn(command, args, { stdio: 'pipe', env: options.env ?? process.env, cwd: options.cwd })
  const output: Output = { code: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => {}).end(options.input ?? '')
  const limit = options.timeout ?? 30_000
  return new Promise((resolve, reject) => {
    // Not by its 'close': what it has started itself may outlive it, and hold its output open.
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      const stderr = `${output.stderr}${[command, ...args].join(' ').slice(0, 100)} was ended, since it took more than ${limit} ms.\n`
      resolve({ ...output, stderr, code: null })
    }, limit)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ ...output, code })
    })
  })
}

export class Namespace {
  readonly name: string
  #children: ChildProcess[] = []
  #onExit = () => this.#remove('SIGKILL')
  #disposed = false

  constructor() {
    this.name = nextName()
    const { status, stderr } = spawnSync('ip', ['netns', 'add', this.name], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`ip netns add ${this.name}: ${stderr?.trim()}`)
    process.once('exit', this.#onExit)
    const up = spawnSync('ip', ['-netns', this.name, 'link', 'set', 'lo', 'up'], { encoding: 'utf8' })
    if (up.status !== 0) throw new Error(`ip link set lo up in ${this.name}: ${up.stderr?.trim()}`)
  }

  /** Runs a command in the namespace, to its end. */
  exec(command: string, args: string[] = [], options: ExecOptions = {}): Promise<Output> {
    return exec('ip', ['netns', 'exec', this.name, command, ...args], options)
  }

  /** Starts a command in the namespace that runs until it is ended, by `stop` or with the namespace. */
  start(command: string, args: string[] = [], options: SpawnOptions = {}): ChildProcess {
    return this.adopt(spawn('ip', ['netns', 'exec', this.name, command, ...args], { stdio: 'pipe', ...options }))
  }

  /** A process started elsewhere that shall end with the namespace. */
  adopt(child: ChildProcess): ChildProcess {
    this.#children.push(child)
    child.on('error', () => {})
    return child
  }

  /** Ends a process, politely first. */
  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER)
    child.kill(signal)
    await ended
    clearTimeout(timer)
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    await Promise.all(this.#children.map((child) => this.stop(child)))
    process.removeListener('exit', this.#onExit)
    this.#remove('SIGKILL')
  }

  /** Ends what is left (what went into the background by itself), and removes the namespace with its devices. */
  #remove(signal: NodeJS.Signals): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const { stdout } = spawnSync('ip', ['netns', 'pids', this.name], { encoding: 'utf8' })
    for (const pid of (stdout ?? '').split('\n').map(Number)) {
      if (pid > 1 && pid !== process.pid) end(pid, signal)
    }
    spawnSync('ip', ['netns', 'delete', this.name])
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

export function createNamespace(): Namespace {
  return new Namespace()
}

/** Asks again until it holds; an error that names what was waited for if it doesn't within the time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeout = 30_000): Promise<void> {
  const latest = performance.now() + timeout
  while (!(await holds())) {
    if (performance.now() > latest) throw new Error(`waited ${timeout} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
