// Loaded before a test file: `net` or `dgram`, whichever TUNSTACK_REPLACES names, becomes that of a stack with loopback alone,
// with and without `node:`, for `require` and for `import`. Node's other modules keep the kernel's.
import Module, { register } from 'node:module'
import { createStack } from '../../dist/index.js'

const name = process.env.TUNSTACK_REPLACES
// Names as Node has them: some tests put a resolver of their own into `dns`.
const stack = await createStack({ resolver: 'system' })
const replacement = stack[name]
if (replacement === undefined) throw new Error(`a stack has no ${name}`)
const specifiers = [name, `node:${name}`]

globalThis[Symbol.for('tunstack.replacement')] = replacement

const load = Module._load
Module._load = function (specifier, ...rest) {
  return specifiers.includes(specifier) ? replacement : Reflect.apply(load, this, [specifier, ...rest])
}

const exported = Object.keys(replacement).filter((key) => /^[A-Za-z$][\w$]*$/.test(key))
register('./replace.mjs', { parentURL: import.meta.url, data: { specifiers, exported } })
