// Module hooks: an import of the replaced module gets the stack's, which preload.mjs has left where all can find it.

let specifiers = []
let exported = []
const URL_OF_REPLACEMENT = 'tunstack:replacement'

export function initialize(data) {
  specifiers = data.specifiers
  exported = data.exported
}

export function resolve(specifier, context, next) {
  return specifiers.includes(specifier) ? { url: URL_OF_REPLACEMENT, shortCircuit: true } : next(specifier, context)
}

export function load(url, context, next) {
  if (url !== URL_OF_REPLACEMENT) return next(url, context)
  const source = `const replacement = globalThis[Symbol.for('tunstack.replacement')]
export default replacement
export const { ${exported.join(', ')} } = replacement`
  return { format: 'module', source, shortCircuit: true }
}
