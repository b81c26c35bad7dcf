// Runs a command again in a user and network namespace of its own, where an ordinary user is root and nothing outside is
// touched. It ends with us: it hears of our end by the channel between us.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CONTROL_FOLDER, controlFolders } from '../index.ts'
import { CommandError, Exit } from './output.ts'
import { passSignalsOn } from './signals.ts'

const INSIDE = 'TUNSTACK_INSIDE'

export function isInside(): boolean {
  return process.env[INSIDE] === '1'
}

/** Its exit code. */
export function runInside(words: readonly string[]): Promise<number> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const namespaces = ['--user', '--map-root-user', '--net']
  const child = spawn('unshare', [...namespaces, process.execPath, main, ...words], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Who is root in there finds the folder of who is not, and so do both of them.
    env: { ...process.env, [INSIDE]: '1', [CONTROL_FOLDER]: controlFolders()[0] },
    // A session of its own, so that Ctrl-C reaches it once, from us.
    detached: true,
  })
  const stopPassing = passSignalsOn((signal) => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', ({ message }) => {
      stopPassing()
      const what = `The command unshare, which makes a namespace, can't be run (${message}): install util-linux.`
      reject(new CommandError(Exit.missing, what))
    })
    child.once('exit', (code, signal) => {
      stopPassing()
      if (code === null) reject(new CommandError(Exit.failed, `What ran in the namespace was ended by ${signal}.`))
      else resolve(code)
    })
  })
}
