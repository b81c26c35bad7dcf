// A thread beside the tests that ends what will never end by itself. It counts processor time, not the clock's: a test that others keep
// from the processor is slow, not broken. A test that takes many times its processor time loops; one whose process sleeps for half a
// minute, and vitest's too, waits for what never comes. Where there is no /proc to say so, nothing is held to wait.
import { appendFileSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { PATIENCE } from './plan.ts'

interface Watched {
  readonly told: string
  readonly patience: Record<string, number>
  /** Counted up at each test's beginning and end; the version that is broken, from 0, or -1. */
  readonly numbers: Int32Array<SharedArrayBuffer>
  /** The file's name, after its length. */
  readonly name: Uint16Array<SharedArrayBuffer>
}

/** Milliseconds of the clock between looks. */
const PERIOD = 500
/** Looks at which nobody was seen to work before it is held to wait for ever, and the seconds of work that count as none. */
const IDLE_LOOKS = 60
const IDLE = 0.2

const { told, patience, numbers, name } = workerData as Watched
let seen = -1
let began = 0
let idleSince = 0
let looks = 0

setInterval(look, PERIOD)

function look(): void {
  const { user, system } = process.cpuUsage()
  const now = (user + system) / 1e6
  const current = Atomics.load(numbers, 0)
  if (current !== seen) {
    seen = current
    began = now
    restart(now)
    return
  }
  const test = String.fromCharCode(...name.subarray(1, 1 + name[0]))
  const taken = now - began
  if (taken > (patience[test] ?? PATIENCE)) bite(test, `does not end after ${taken.toFixed(0)} s of processor time`)
  if (now - idleSince > IDLE || isAtWork()) restart(now)
  else if (++looks > IDLE_LOOKS) bite(test, 'waits for what never comes')
}

/** Whether any thread but this one runs, or would if others let it: ours, or vitest's, which compiles what we load. */
function isAtWork(): boolean {
  if (!existsSync('/proc/thread-self')) return true
  const own = readlinkSync('/proc/thread-self').split('/').at(-1)
  return [process.pid, process.ppid].some((pid) =>
    readdirSync(`/proc/${pid}/task`).some((thread) => thread !== own && isRunnable(`/proc/${pid}/task/${thread}/stat`)),
  )
}

function isRunnable(stat: string): boolean {
  try {
    return !/\) [SIt]/.test(readFileSync(stat, 'utf8'))
  } catch {
    // It has just ended.
    return true
  }
}

function restart(now: number): void {
  idleSince = now
  looks = 0
}

function bite(test: string, why: string): void {
  const version = Atomics.load(numbers, 1)
  appendFileSync(told, `${JSON.stringify({ kind: 'bitten', version: version < 0 ? null : version, test, why })}\n`)
  process.kill(process.ppid, 'SIGKILL')
  process.kill(process.pid, 'SIGKILL')
}
