// The one run of a process: simulated hosts are put under Node for it alone. Who comes second is told who is there, since when, and how far
// it is. A run whose test is over makes way: one that was not awaited, or never ends, must not spoil the tests after it.
import { fileURLToPath } from 'node:url'
import { describeTime } from '../../simulate/timeline.ts'
import { globalOfTests } from './clock.ts'

export interface Running {
  readonly seed: number | string
  now(): number
  /** Ends it with that error; false where it can't be ended. */
  end(error: Error): boolean
}

interface Run {
  readonly network: Running
  /** Written where it began; its stack is asked for only when it is needed. */
  readonly begun: Error
  readonly test: Test | null
  readonly done: Promise<void>
}

/** What a test runner says of the test that is under way. */
interface Test {
  readonly identity: unknown
  isOver(): boolean
}

let current: Run | null = null

/** The function says that it is done; a promise of it where another run must make way first. */
export function enroll(network: Running): (() => void) | Promise<() => void> {
  const begun = new Error()
  return current === null ? enter(network, begun) : makeWay(current).then(() => enter(network, begun))
}

function enter(network: Running, begun: Error): () => void {
  let finish = () => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const run: Run = { network, begun, test: testNow(), done }
  current = run
  return () => {
    if (current === run) current = null
    finish()
  }
}

async function makeWay({ network, begun, test, done }: Run): Promise<void> {
  const who = `seed ${JSON.stringify(network.seed)}, begun ${placeOf(begun)}, now at ${describeTime(network.now())} of virtual time`
  const isLate = test?.isOver() === true
  const ended = new Error(
    'this run was not done when its test was over: await network.run(…), and let its function end; what a host does again and again, as setInterval, goes on for ever',
  )
  if (!isLate || !network.end(ended)) {
    throw new Error(
      `another network is running in this process (${who}): await its run(…) first, and await every run(…) in a test`,
    )
  }
  // A runner that has given up on the test listens to its errors no more.
  const message = `A network was still running when its test was over, and has been ended (${who}): await network.run(…), and let its function end`
  process.emitWarning(message, { type: 'TunstackWarning', code: 'TUNSTACK_STILL_RUNNING' })
  await done
}

/** Vitest keeps the test itself where its worker is, Jest the name beside its assertions. */
function testNow(): Test | null {
  const identity = identityNow()
  if (identity === null) return null
  const { result } = identity as { result?: { state?: string } }
  const isOver = () => identityNow() !== identity && (result === undefined || result.state !== 'run')
  return { identity, isOver }
}

function identityNow(): unknown {
  const { __vitest_worker__: worker, expect } = globalOfTests() as {
    __vitest_worker__?: { current?: object }
    expect?: { getState?(): { currentTestName?: string } }
  }
  return worker?.current ?? expect?.getState?.().currentTestName ?? null
}

/** The first place outside of this package, whether it is told by what was built or by its sources. */
function placeOf({ stack = '' }: Error): string {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const frame = stack.split('\n').find((line) => /^\s+at .*[/\\]/.test(line) && !isOwn(line, root))
  return frame === undefined
    ? 'somewhere'
    : `at ${frame
        .trim()
        .replace(/^at (?:async )?(?:.*\()?/, '')
        .replace(/\)$/, '')}`
}

function isOwn(line: string, root: string): boolean {
  const at = line.indexOf(root)
  return at >= 0 && /^(dist|src)[/\\]/.test(line.slice(at + root.length))
}
