// docs/compliance.md, made from the tags in the code and in the tests: `MUST-14` in a comment of src/ says where a requirement of RFC 9293
// is met, in a test's title (or in a comment before it) that the test proves it. Called by test/compliance.test.ts.
// Places are named by file and function, not by line, so that the table does not change with every line that moves.
import { basename } from 'node:path'
import { REASONS, REQUIREMENTS } from './requirements.ts'
import type { SourceFile } from './source-tree.ts'

const TAG = /\b(?:MUST|SHLD|MAY|REC)-\d+\b/g

export interface Place {
  tag: string
  path: string
  line: number
  /** The function or field in whose comment it stands, or the test's title; empty for a file's header. */
  name: string
}

/** The tags in the comments of the code. */
export function codePlaces(sources: readonly SourceFile[]): Place[] {
  return sources.flatMap((source) => {
    const lines = source.text.split('\n')
    return source.comments.flatMap(({ line, text }) =>
      text.split('\n').flatMap((words, offset) =>
        [...words.matchAll(TAG)].map(([tag]) => {
          const at = line + offset
          return { tag, path: source.path, line: at, name: line === 1 ? '' : enclosing(lines, at) }
        }),
      ),
    )
  })
}

/** The tags in the titles of tests, and in comments between them. */
export function testPlaces(tests: readonly SourceFile[]): Place[] {
  return tests.flatMap((source) => {
    const lines = source.text.split('\n')
    return lines.flatMap((words, at) =>
      [...words.matchAll(TAG)].map(([tag]) => ({ tag, path: source.path, line: at + 1, name: titleOf(lines, at) })),
    )
  })
}

const COMMENT = /^\s*(?:\/\/|\/?\*)/
const DECLARATION = /^(?:export )?(?:async )?(?:function|class|const|interface) ([\w$]+)/
const MEMBER = /^ {2}(?:(?:readonly|get|set|static|async|protected) )*(#?[\w$]+)\s*[(:=?;]/
const WORD = /^(?:if|for|while|switch|return|case|default|else|do|throw|const|let)$/

/** What a comment at a line (from 1) stands before, or in. */
function enclosing(lines: readonly string[], line: number): string {
  let next = line
  while (next < lines.length && COMMENT.test(lines[next])) next++
  const before = nameIn(lines[next] ?? '')
  if (before !== '' && !isStatement(lines, next)) return before
  for (let at = line - 1; at >= 0; at--) {
    const name = nameIn(lines[at])
    if (name !== '' && lines[at].endsWith('{') && !isStatement(lines, at)) return name
    // Parameters that stand in lines of their own.
    if (/^\): .*\{$|^ {2}\): .*\{$/.test(lines[at])) {
      let start = at
      while (start >= 0 && nameIn(lines[start]) === '') start--
      while (start >= 0 && !lines[start].endsWith('(')) start--
      return nameIn(lines[start] ?? '')
    }
  }
  return ''
}

function nameIn(line: string): string {
  const name = DECLARATION.exec(line)?.[1] ?? MEMBER.exec(line)?.[1] ?? ''
  return WORD.test(name) ? '' : name
}

/** A line of a function's body, two spaces in: above it, an opening line stands further out, and is no class, interface or object. */
function isStatement(lines: readonly string[], at: number): boolean {
  if (!/^ {2}\S/.test(lines[at])) return false
  for (let above = at - 1; above >= 0; above--) {
    if (/^\S/.test(lines[above]) && !COMMENT.test(lines[above])) {
      return /function|^\)/.test(lines[above])
    }
  }
  return false
}

function titleOf(lines: readonly string[], at: number): string {
  for (let line = at; line < Math.min(at + 8, lines.length); line++) {
    const found = /(?<!\w)(['"`])((?:\\.|(?!\1).){8,})\1/.exec(lines[line])
    const isTitle = found !== null && (TAG_IN.test(found[2]) || /\b(?:it|test)\b/.test(lines[line]))
    if (isTitle) return found[2].replace(/\\(.)/g, '$1')
  }
  return ''
}
const TAG_IN = /\b(?:MUST|SHLD|MAY|REC)-\d+\b/

export function unknownTags(places: readonly Place[]): string[] {
  return places.filter(({ tag }) => !(tag in REQUIREMENTS)).map(({ path, line, tag }) => `${path}:${line} ${tag}`)
}

/** Requirements that neither a test proves nor a reason excuses. */
export function unproven(tests: readonly Place[]): string[] {
  const proven = new Set(tests.map(({ tag }) => tag))
  const isExcused = (tag: string) => tag in REASONS && REASONS[tag][0] !== 'differs'
  return Object.keys(REQUIREMENTS).filter((tag) => !proven.has(tag) && !isExcused(tag))
}

/** Requirements that are met, but by no line that says so. */
export function untagged(code: readonly Place[]): string[] {
  const tagged = new Set(code.map(({ tag }) => tag))
  const isExcused = (tag: string) => tag in REASONS && REASONS[tag][0] !== 'differs'
  return Object.keys(REQUIREMENTS).filter((tag) => !tagged.has(tag) && !isExcused(tag))
}

const KINDS = { MUST: 'Must, and must not', SHLD: 'Should', MAY: 'May', REC: 'Recommended' } as const

export function document(code: readonly Place[], tests: readonly Place[]): string {
  const tags = Object.keys(REQUIREMENTS)
  const verdicts = tags.map(verdictOf)
  const counts = [...new Set(verdicts)].map(
    (verdict) => `${verdicts.filter((one) => one === verdict).length} ${verdict}`,
  )
  const sections = Object.entries(KINDS).map(([kind, title]) => {
    const rows = tags.filter((tag) => tag.startsWith(`${kind}-`)).map((tag) => row(tag, code, tests))
    return `## ${title}\n\n| | What is asked for | Answer | Where | Tests |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# RFC 9293, requirement by requirement

Appendix B of the RFC, in our own words. Made by \`npm run compliance\` from the tags in the code and the tests
(\`grep -rn MUST-14 src test\` finds the lines themselves); \`test/compliance.test.ts\` fails where this is out of date.

In all: ${counts.join(', ')}. "Differs" is met in another way than the RFC has it, for the reason that is given.

${sections.join('\n')}`
}

function verdictOf(tag: string): string {
  return REASONS[tag]?.[0] ?? 'met'
}

function row(tag: string, code: readonly Place[], tests: readonly Place[]): string {
  const [section, text] = REQUIREMENTS[tag]
  const why = REASONS[tag]?.[1] ?? ''
  const answer = why === '' ? verdictOf(tag) : `**${verdictOf(tag)}**: ${why}`
  return `| ${tag} | §${section}: ${text} | ${answer} | ${where(tag, code)} | ${proofs(tag, tests)} |`
}

function where(tag: string, code: readonly Place[]): string {
  const places = code.filter((place) => place.tag === tag)
  return unique(
    places.map(({ path, name }) => {
      const link = `[${path.replace(/^src\/(?:core\/)?/, '')}](../${path})`
      return name === '' ? link : `${link} \`${name}\``
    }),
  ).join('<br>')
}

function proofs(tag: string, tests: readonly Place[]): string {
  const places = tests.filter((place) => place.tag === tag)
  const files = unique(places.map(({ path }) => path))
  return files
    .map((path) => {
      const titles = unique(places.filter((place) => place.path === path).map(({ name }) => plain(name)))
      return `[${basename(path)}](../${path}): ${titles.join('; ')}`
    })
    .join('<br>')
}

/** A title without its tags, fit for a table's cell. */
function plain(title: string): string {
  return title
    .replace(/^(?:(?:MUST|SHLD|MAY|REC)-\d+(?:, )?)+: | \((?:(?:MUST|SHLD|MAY|REC)-\d+(?:, )?)+\)/g, '')
    .replace(/[: ]*%[a-z]/g, '')
    .replace(/ \(\)/g, '')
    .replace(/\|/g, '\\|')
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
