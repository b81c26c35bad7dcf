// One test file in a process of its own: what it asks Node for, and what became of it.
import { spawn } from 'node:child_process'

/** The runner's own: the tests of a release ask for exactly its Node. */
const ENVIRONMENT = { ...process.env, NODE_TEST_KNOWN_GLOBALS: '0' }

/** What a file's head asks Node for. */
export function flagsOf(text) {
  const flags = /^\/\/ Flags:(.*)$/m.exec(text)?.[1].trim()
  return flags === undefined ? [] : flags.split(/\s+/)
}

/** `failure` is null where it passes; else why it fails, in a line. `limit`: real milliseconds, after which it is ended. */
export function run(folder, args, { limit, environment = {} }) {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...ENVIRONMENT, ...environment } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part))
  return new Promise((done) => {
    // Not by its 'close': what it has started itself may outlive it, and hold its output open.
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      const last = output.trimEnd().split('\n').at(-1).slice(0, 200)
      done({ failure: `did not end in ${limit / 1000} s, and was ended${last && `; its last words: ${last}`}`, output })
    }, limit)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) done({ failure: null, skipped: /^1\.\.0 # Skipped: (.*)$/m.exec(output)?.[1], output })
      else done({ failure: summary(output) || `ended with ${signal ?? code}`, output })
    })
  })
}

function summary(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((one) => /^\s*(?:\w*Error\b|Mismatched|.*\[ERR_)/.test(one)) ?? lines.at(-1) ?? ''
  return line.trim().slice(0, 200)
}
