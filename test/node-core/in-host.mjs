// Runs one test file on a host of a simulated network, in virtual time: node [FLAGS] in-host.mjs FILE
// The network runs until the file ends the process itself, or nothing more will happen; then the process exits, so that what
// the file checks at its exit (`mustCall`) is checked.
import Module from 'node:module'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { simulate } from '../../dist/node/simulate.js'

const QUIET = /^nothing more will happen/

process.argv.splice(1, 1)
const file = process.argv[1]
const isModule = extname(file) === '.mjs'

const network = simulate()
const host = network.host('host')
// Nothing settles it: when all is over is up to the file.
const never = new Promise(() => {})
try {
  await network.run(() =>
    host.run(async () => {
      // As the main module: some files look at that.
      if (isModule) await import(pathToFileURL(file).href)
      else Module._load(file, null, true)
      await never
    }),
  )
} catch (error) {
  if (!QUIET.test(error.message)) {
    console.error(error)
    process.exitCode = 1
  }
}
process.exit()
