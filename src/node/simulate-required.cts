// 'tunstack/simulate' for who uses `require`. Node can require ES modules by itself, but Jest has a `require` of its own, which can't:
// so the process's own is fetched from behind Jest's. The test's global object, whose `Date` is another one there, is handed over.
type Simulation = typeof import('./simulate.js', { with: { 'resolution-mode': 'import' }})

const vm: typeof import('node:vm') = require('node:vm')

const { getBuiltinModule } = vm.runInThisContext('process') as typeof process
const { createRequire } = getBuiltinModule('node:module')
const simulate = createRequire(__filename)('./simulate.js') as Simulation
simulate.alsoFor(globalThis)

module.exports = simulate
