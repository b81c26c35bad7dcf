// A command that runs until it is told to stop hears of the end of what started it, however early that comes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

const SIGNALS = new URL('../../dist/cli/signals.js', import.meta.url).href

/** Says that it is there, lets its parent die meanwhile, and only then asks. */
const LATE = `
  import { untilSignal } from '${SIGNALS}'
  console.log('here')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  setTimeout(() => process.exit(1), 20_000)
  await untilSignal()
  console.log('told')
  process.exit(0)`

it('ends although npm’s shell was gone before it asked', async () => {
  const shell = spawn('sh', ['-c', '"$NODE" --input-type=module --eval "$PROGRAM"; true'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE: process.execPath, PROGRAM: LATE, npm_lifecycle_event: 'start' },
  })
  let said = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    shell.kill('SIGKILL')
  })
  await once(shell, 'close')
  expect(said).toBe('here\ntold\n')
})
