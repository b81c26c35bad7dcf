// One test file in a process of its own: what it asks Node for, and what became of it.
import { spawn } from 'node:child_process'

/** The runner's own: the tests of a release ask for exactly its Node. */
const ENVIRONMENT = { ...process.env, NODE_TEST_KNOWN_GLOBALS: '0' }

/** What a file's head asks Node for. */
export function flagsOf(text) {
  const flags = /^\/\/ Flags:(.*)$/m.exec(text)?.[1].trim()
  return flags === undefined ? [] : flags.split(/\s+/)
}

/** `failure` is null where it passes; else why it fails, in a line. `limit`: real milliseconds. */
export function run(folder, args, { limit, environment = {} }) {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...ENVIRONMENT, ...environment } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, limit)
  return new Promise((done) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (isLate) done({ failure: `did not end in ${limit / 1000} s`, output })
      else if (code === 0) done({ failure: null, skipped: /^1\.\.0 # Skipped: (.*)$/m.exec(output)?.[1], output })
      else done({ failure: summary(output) || `ended with ${signal ?? code}`, output })
    })
  })
}

function summary(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((one) => /^\s*(?:\w*Error\b|Mismatched|.*\[ERR_)/.test(one)) ?? lines.at(-1) ?? ''
  return line.trim().slice(0, 200)
}
