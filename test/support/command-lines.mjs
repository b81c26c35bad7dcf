// Plays many command lines of `tunstack` in one process, one after another, since a process for each takes a third of a second: each has
// the program's main module anew, its own arguments, and what it says and its exit code are written down. stdin is the list of them, stdout
// what came of it, both JSON. For those that end by themselves, and leave nothing behind.
import { text } from 'node:stream/consumers'

const [main] = process.argv.slice(2)
const lines = JSON.parse(await text(process.stdin))
const exit = process.exit
const said = { stdout: '', stderr: '' }
const tell = process.stdout.write.bind(process.stdout)

for (const name of ['stdout', 'stderr']) {
  // Each run has its own listeners.
  process[name].setMaxListeners(0)
  process[name].write = (part) => {
    said[name] += part
    return true
  }
}

const outcomes = []
for (const [number, words] of lines.entries()) {
  said.stdout = said.stderr = ''
  process.argv = [process.argv[0], main, ...words]
  process.exitCode = undefined
  let code
  process.exit = (given) => {
    code ??= given
  }
  await import(`${main}?${number}`)
  while (code === undefined && process.exitCode === undefined) await new Promise((done) => setImmediate(done))
  outcomes.push({ code: code ?? process.exitCode, ...said })
}
tell(JSON.stringify(outcomes), () => exit(0))
