// Small ways to break a line of TypeScript: a comparison turned, a constant off by one, a branch dropped, a call or an assignment
// left out. Knows the language by its tokens alone; a line of types or declarations has none of these.

export interface Mutation {
  /** What was done, for people. */
  readonly what: string
  /** The line as it is then. */
  readonly line: string
}

interface Token {
  readonly text: string
  readonly at: number
}

const TOKEN =
  /\/\/.*$|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\b0x[\da-f_]+\b|\b\d[\d_]*(?:\.\d+)?(?:e\d+)?\b|[A-Za-z_$#][\w$]*|===|!==|<=|>=|=>|&&|\|\||\?\?|\?\.|<<|>>>?|\+\+|--|[-+*/|&]=|[-+<>!*%&|^=?:.,;(){}[\]]/gi

/** Turned into each other; where there are two, the draw decides. */
const TURNED: Record<string, readonly string[]> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>'],
  '<=': ['<', '>'],
  '>': ['>=', '<'],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['+'],
  '+=': ['-='],
  '-=': ['+='],
  '|=': ['&='],
  '&=': ['|='],
  '|': ['&'],
  '&': ['|'],
  '<<': ['>>'],
  '>>>': ['<<'],
  true: ['false'],
  false: ['true'],
  min: ['max'],
  max: ['min'],
  lessThan: ['atMost'],
  atMost: ['lessThan'],
}

/** Lines on which nothing is done. */
const DECLARES = /^\s*(?:\/\/|\*|\/\*|import\b|export (?:type|interface)\b|export \{|interface\b|type\b|[})\]]|@)/
/** A call that stands alone, or an assignment: what may be left out as a whole. */
const STANDS_ALONE =
  /^\s*(?!\.)(?!(?:return|const|let|throw|new|super|if|for|while|case|else|static|readonly|export|function)\b)[\w.#?[\]!]+(?:\([^{}]*\)|\s*(?:[-+|&]|>>>|<<)?=\s[^{}]+|\+\+|--)$/
const BRANCH = /^(\s*(?:\} else )?if \()(.+)(\) (?:return\b.*|throw\b.*|continue|break|\{|[\w.#]+.*))$/

/** Everything that may be done to a line; none for a line that does nothing. */
export function mutationsOf(line: string, isInClassBody: boolean): Mutation[] {
  if (DECLARES.test(line)) return []
  const found: Mutation[] = []
  const tokens = tokensOf(line)
  for (const [place, token] of tokens.entries()) found.push(...turned(line, tokens, place), ...shifted(line, token))
  for (const { text, at } of tokens) {
    if (text === '!' && /[\w(#]/.test(line[at + 1] ?? '') && !/[\w)\]]/.test(line[at - 1] ?? ''))
      found.push({ what: '! left out', line: cut(line, at, 1, '') })
  }
  const branch = BRANCH.exec(line)
  if (branch !== null) found.push({ what: 'branch dropped', line: `${branch[1]}false && (${branch[2]})${branch[3]}` })
  if (!isInClassBody && STANDS_ALONE.test(line)) {
    found.push({ what: `${line.includes('(') ? 'call' : 'assignment'} left out`, line: line.replace(/\S.*$/, ';') })
  }
  return found
}

function tokensOf(line: string): Token[] {
  return [...line.matchAll(TOKEN)]
    .map(({ 0: text, index }) => ({ text, at: index }))
    .filter(({ text }) => !/^(?:\/\/|['`])/.test(text))
}

function turned(line: string, tokens: readonly Token[], place: number): Mutation[] {
  const { text, at } = tokens[place]
  if (!Object.hasOwn(TURNED, text)) return []
  // A sign, a generic's bracket and a union of types have no space on both sides, or stand after a colon.
  const isWord = /^\w/.test(text)
  if (!isWord && !(line[at - 1] === ' ' && /\s/.test(line[at + text.length] ?? ' '))) return []
  if (text === '|' && isOfTypes(line, at)) return []
  return TURNED[text].map((other) => ({ what: `${text} → ${other}`, line: cut(line, at, text.length, other) }))
}

/** `| null`, `: A | B`. */
function isOfTypes(line: string, at: number): boolean {
  return (
    /\|\s*(?:null|undefined|[A-Z]|')/.test(line.slice(at, at + 12)) ||
    /:\s*[\w.<>[\]']+(?: \| [\w.<>[\]']+)* $/.test(line.slice(0, at))
  )
}

function shifted(line: string, { text, at }: Token): Mutation[] {
  if (!/^\d/.test(text) || /[\w.]/.test(line[at - 1] ?? '')) return []
  const value = Number(text.replaceAll('_', ''))
  return [{ what: `${text} → ${value + 1}`, line: cut(line, at, text.length, String(value + 1)) }]
}

function cut(line: string, at: number, length: number, other: string): string {
  return line.slice(0, at) + other + line.slice(at + length)
}
