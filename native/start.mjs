// `npm start`: the built command, in this process; one sentence where nothing has been built.
import { existsSync } from 'node:fs'

const COMMAND = new URL('../dist/cli/main.js', import.meta.url)

if (existsSync(COMMAND)) await import(COMMAND.href)
else {
  console.error(
    'tunstack: nothing is built here yet (NODE_ENV=production and --omit=dev leave the compiler out): run "npm install --include=dev", then "npm start" again.',
  )
  process.exitCode = 1
}
