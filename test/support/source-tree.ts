// The project's own source text, read for test/architecture.test.ts: files, imports, comments, functions, top-level code.
// A small scanner tells code from comments, strings, templates and regular expressions; it is no parser. Functions are
// found by their shape after formatting (a closing brace stands at the indentation of the line that opened it).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface Comment {
  line: number
  /** Without its marks; consecutive `//` lines are one comment. */
  text: string
  lines: number
}

export interface Import {
  line: number
  specifier: string
  /** The file it means, from the root of the project, or null for a package. */
  file: string | null
  reexport: boolean
}

export interface SourceFile {
  /** From the root of the project, with slashes. */
  path: string
  text: string
  lines: number
  /** The text with comments blanked and whatever is inside strings, templates and regular expressions; as long as the text. */
  code: string
  comments: Comment[]
  imports: Import[]
}

interface Scan {
  code: string
  comments: { start: number; end: number; text: string; block: boolean }[]
}

const REGEX_FOLLOWS = /(?:^|[({[,;=:?!&|+\-*%^~<>]|\b(?:return|typeof|case|in|of|do|else|void|throw|yield|await))\s*$/
const REGEX = /^\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/

/** Blanks all that is not code; the quotes of a string stay, so that its place is known. */
export function scan(text: string): Scan {
  const code = text.split('')
  const comments: Scan['comments'] = []
  // For each template literal that we stand in, how many braces are open inside its `${`.
  const templates: number[] = []
  let at = 0
  const blank = (from: number, to: number) => {
    for (let index = from; index < to; index++) if (code[index] !== '\n') code[index] = ' '
  }
  const comment = (end: number, block: boolean) => {
    comments.push({ start: at, end, text: text.slice(at, end), block })
    blank(at, end)
    at = end
  }
  const template = (from: number) => {
    let end = from
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1
    blank(from, end)
    if (text[end] === '$') templates.push(0)
    at = end + (text[end] === '$' ? 2 : 1)
  }
  while (at < text.length) {
    const character = text[at]
    if (text.startsWith('//', at) || (at === 0 && text.startsWith('#!'))) comment(endOf(text, '\n', at), false)
    else if (text.startsWith('/*', at)) comment(endOf(text, '*/', at + 2) + 2, true)
    else if (character === "'" || character === '"') {
      let end = at + 1
      while (end < text.length && text[end] !== character && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1
      blank(at + 1, end)
      at = end + 1
    } else if (character === '`') template(at + 1)
    else if (character === '/' && REGEX_FOLLOWS.test(code.slice(Math.max(0, at - 40), at).join(''))) {
      const length = REGEX.exec(text.slice(at))?.[0].length ?? 1
      blank(at + 1, at + length)
      at += length
    } else if (character === '}' && templates.at(-1) === 0) {
      templates.pop()
      template(at + 1)
    } else {
      if (templates.length > 0 && character === '{') templates[templates.length - 1]++
      if (templates.length > 0 && character === '}') templates[templates.length - 1]--
      at++
    }
  }
  return { code: code.join(''), comments }
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? text.length : found
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

function joinComments(text: string, found: Scan['comments']): Comment[] {
  const joined: (Comment & { block: boolean; end: number })[] = []
  for (const { start, end, text: raw, block } of found) {
    const words = raw.replace(/^(?:\/\/|\/\*+|#!)|\*+\/$/g, '').replace(/\n\s*\* ?/g, '\n')
    const last = joined.at(-1)
    if (last && !last.block && !block && /^\n[ \t]*$/.test(text.slice(last.end, start))) {
      last.text += `\n${words}`
      last.lines++
      last.end = end
    } else joined.push({ line: lineAt(text, start), text: words, lines: raw.split('\n').length, block, end })
  }
  return joined.map(({ line, text: words, lines }) => ({ line, text: words, lines }))
}

const FROM =
  /\b(import|export)\b(?:\s+type\b)?[\s\w$*{},]*?\bfrom\s*(?=['"])|\bimport\s*\(?\s*(?=['"])|\brequire\s*\(\s*(?=['"])/g

function findImports(path: string, text: string, code: string): Import[] {
  const imports: Import[] = []
  for (const match of code.matchAll(FROM)) {
    const quote = match.index + match[0].length
    const specifier = text.slice(quote + 1, text.indexOf(text[quote], quote + 1))
    const file = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null
    imports.push({ line: lineAt(text, quote), specifier, file, reexport: match[1] === 'export' })
  }
  return imports
}

export function parseSource(path: string, text: string): SourceFile {
  const { code, comments } = scan(text)
  return {
    path,
    text,
    lines: text.replace(/\n$/, '').split('\n').length,
    code,
    comments: joinComments(text, comments),
    imports: findImports(path, text, code),
  }
}

/** Paths of the files below a folder of the project whose names end so, from the root, in order. */
export function listFiles(folder: string, ending: string): string[] {
  const from = join(root, folder)
  if (!existsSync(from)) return []
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort()
}

export function readSources(folder: string): SourceFile[] {
  return listFiles(folder, '.ts').map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

export interface FunctionLength {
  line: number
  name: string
  lines: number
}

const CONTROL = /^(?:\}\s*)?(?:if|else|for|while|switch|catch|with|do|try)\b/
const HEAD =
  /^(?:(?:export|default|declare|abstract|public|private|protected|static|override|async|get|set|function)\s+)*\*?\s*([\w$#[\].]+)?\s*(?:<.*>)?\(/

/** Functions, methods and arrow functions with a body in braces, and how many lines each takes. */
export function functionLengths(code: string): FunctionLength[] {
  const lines = code.split('\n')
  const found: FunctionLength[] = []
  for (const [index, line] of lines.entries()) {
    if (!line.trimEnd().endsWith('{')) continue
    const indentation = /^\s*/.exec(line)![0]
    let first = index
    // A parameter list over several lines ends in a line `): Type {`; its function begins where that indentation last stood.
    if (/^\s*[)}]/.test(line)) while (first > 0 && !isAt(lines[--first], indentation));
    const head = lines[first].trim()
    const arrow = /=>\s*\{\s*$/.test(line)
    const named = HEAD.exec(head)
    if (CONTROL.test(head) || !(arrow || (named && /\)\s*(?::.*)?\{\s*$/.test(line)))) continue
    let last = index + 1
    while (last < lines.length && !(isAt(lines[last], indentation) && /^\s*\}/.test(lines[last]))) last++
    const name = arrow
      ? (/([\w$#]+)\s*(?::[^=]*)?=/.exec(head)?.[1] ?? 'an arrow function')
      : (named?.[1] ?? 'a function')
    found.push({ line: first + 1, name, lines: last - first + 1 })
  }
  return found
}

function isAt(line: string, indentation: string): boolean {
  return line.startsWith(indentation) && /\S/.test(line[indentation.length] ?? '')
}

export interface Statement {
  line: number
  text: string
}

/** What stands outside all braces, split into statements that begin with a word at the left edge. */
export function topLevelStatements(code: string): Statement[] {
  const statements: Statement[] = []
  for (const [index, line] of code.split('\n').entries()) {
    if (/^[\w$@]/.test(line)) statements.push({ line: index + 1, text: line })
    else if (statements.length > 0) statements[statements.length - 1].text += `\n${line}`
  }
  return statements
}

/** Circles among files that import each other, each as the list of its files. */
export function importCycles(files: SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const cycles: string[][] = []
  const visit = (path: string) => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path])
      return
    }
    state.set(path, 'open')
    trail.push(path)
    for (const { file } of byPath.get(path)?.imports ?? []) if (file !== null && file !== path) visit(file)
    trail.pop()
    state.set(path, 'done')
  }
  for (const path of byPath.keys()) visit(path)
  return cycles
}
