// What is put into the source as it is loaded. Marks tell which lines a test comes by, since what never runs in a test can't fail it: a
// mark stands before the innermost statement around the line, or within the field's value or the arrow's expression that it is in.
// And a file of which there are broken versions stands for the one that is asked for at the time.
import { parseSync } from 'vite'

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** A line of a file, and the number under which it is told of. */
export interface Place {
  readonly mark: number
  /** From 1. */
  readonly number: number
  readonly column: number
}

export function withMarks(file: string, code: string, places: readonly Place[]): string {
  const { program } = parseSync(file, code)
  const lines = code.split('\n')
  const pieces: { at: number; text: string }[] = []
  for (const { mark, number, column } of places) {
    const offset = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, column)
    pieces.push(...piecesFor(program as unknown as Node, offset, `globalThis.mutating.reached[${mark}] = 1`))
  }
  let result = code
  for (const { at, text } of pieces.sort((a, b) => b.at - a.at)) result = result.slice(0, at) + text + result.slice(at)
  return result
}

function piecesFor(program: Node, offset: number, mark: string): { at: number; text: string }[] {
  const path = pathTo(program, offset)
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = path[depth]
    const parent = path[depth - 1]
    if (isListed(parent, node)) return [{ at: node.start, text: `${mark};` }]
    const isField = parent.type === 'PropertyDefinition' && parent.value === node && parent.static !== true
    const isAnswer = parent.type === 'ArrowFunctionExpression' && parent.body === node && node.type !== 'BlockStatement'
    if (isField || isAnswer) {
      return [
        { at: node.start, text: `(${mark}, ` },
        { at: node.end, text: ')' },
      ]
    }
  }
  throw new Error(`no statement around ${offset}`)
}

/** Whether another statement may stand before it. */
function isListed(parent: Node, node: Node): boolean {
  if (['Program', 'BlockStatement', 'FunctionBody', 'StaticBlock'].includes(parent.type)) return true
  return parent.type === 'SwitchCase' && parent.test !== node
}

function pathTo(program: Node, offset: number): Node[] {
  const path: Node[] = []
  let node: Node | undefined = program
  while (node !== undefined) {
    path.push(node)
    node = Object.values(node)
      .flat()
      .find((child): child is Node => isNode(child) && child.start <= offset && offset < child.end)
  }
  return path
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** A module that has what the version asked for has. */
export function anyVersion(file: string, code: string): string {
  const { program } = parseSync(file, code)
  const names = (program.body as unknown as Node[]).flatMap(exportedBy)
  const path = `./${file.slice(file.lastIndexOf('/') + 1)}?version=`
  const exported = names.map((name) => `export const ${name} = version.${name}`)
  return [
    `const { mutant } = globalThis.mutating`,
    `const wanted = mutant?.file === ${JSON.stringify(file)} ? mutant.version : 'sound'`,
    `const version = await import(/* @vite-ignore */ ${JSON.stringify(path)} + wanted)`,
    ...exported,
  ].join('\n')
}

function exportedBy(statement: Node): string[] {
  if (statement.type === 'ExportDefaultDeclaration' || statement.type === 'ExportAllDeclaration')
    throw new Error(`${statement.type} has no versions yet`)
  if (statement.type !== 'ExportNamedDeclaration' || statement.exportKind === 'type') return []
  const declaration = statement.declaration as Node | null
  const specifiers = statement.specifiers as { exported: { name: string }; exportKind: string }[]
  const listed = specifiers.filter(({ exportKind }) => exportKind !== 'type').map(({ exported }) => exported.name)
  if (declaration === null) return listed
  if (/^(?:Function|Class)Declaration$/.test(declaration.type)) return [(declaration.id as { name: string }).name]
  if (declaration.type !== 'VariableDeclaration') return []
  return (declaration.declarations as { id: { name: string } }[]).map(({ id }) => id.name)
}
