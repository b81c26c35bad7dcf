// Holds the project's own rules against its source text: the three fences, who may import whom, no circles, banned names,
// no state at module level in the core, how files are named and begin, and the lengths that are a signal to look again.
// A rule may be passed only by an entry in one of the small tables here, with its reason.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MAY_IMPORT, PACKAGES, PORTABLE } from './support/import-table.ts'
import {
  functionLengths,
  importCycles,
  lineAt,
  listFiles,
  parseSource,
  readSources,
  root,
  type SourceFile,
  topLevelStatements,
} from './support/source-tree.ts'

const FILE_LINES = 400
const FUNCTION_LINES = 70
const HEADER_LINES = 8

/** Longer files, and longer functions as `path name`, that were looked at again and are right as they are: path → why. */
const ACCEPTED_FILES: Record<string, string> = {}
const ACCEPTED_FUNCTIONS: Record<string, string> = {}
/** Top-level values of the core that can't change though their text does not say so: `path NAME` → why. */
const ACCEPTED_STATE: Record<string, string> = {
  'src/core/batch.ts NO_WORDS': 'an array of no length',
  'src/core/batch.ts NO_HALVES': 'an array of no length',
  'src/core/batch.ts NO_OCTETS': 'an array of no length',
}

const BANNED_IN_CORE =
  /(?<![.\w$#])(?:Date|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|process|Buffer|crypto)\b(?!\s*:)|\bMath\s*\.\s*random\b/g
const BANNED_IN_PORTABLE =
  /\bDate\s*\.\s*now\b|(?<![.\w$#])Date\s*\(\s*\)|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<![.\w$#])(?:setTimeout|setInterval|setImmediate|performance|console|process|Buffer)\b(?!\s*:)|\bMath\s*\.\s*random\b/g

const sources = readSources('src')
const everything = [...sources, ...readSources('test'), ...readSources('bench'), ...readSources('examples')]
const native = listFiles('native', '.c').map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))

const within = (...folders: string[]) =>
  sources.filter(({ path }) => folders.some((folder) => isWithin(path.slice('src/'.length), folder)))

function isWithin(path: string, folderOrFile: string): boolean {
  return path === `${folderOrFile}.ts` || path.startsWith(`${folderOrFile}/`)
}

/** The entry of the table that a file belongs to. */
function unitOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((unit) => isWithin(path, unit))
    .sort((one, other) => other.length - one.length)[0]
}

function occurrences(files: SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, code }) =>
    [...code.matchAll(pattern)].map((match) => `${path}:${lineAt(code, match.index)} ${match[0]}`),
  )
}

function readProject(path: string) {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as {
    compilerOptions: { lib: string[]; types: string[] }
    include: string[]
  }
}

describe('the three fences', () => {
  it('compiles the core with the language alone', () => {
    const { compilerOptions } = readProject('src/core/tsconfig.json')
    expect(compilerOptions.lib).toEqual(['ES2022'])
    expect(compilerOptions.types).toEqual([])
  })

  it('compiles the portable folders, and no other, without the types of Node', () => {
    const { compilerOptions, include } = readProject('src/tsconfig.portable.json')
    expect(compilerOptions.lib).toEqual(['ES2022', 'WebWorker'])
    expect(compilerOptions.types).toEqual([])
    expect([...include].sort()).toEqual([...PORTABLE, 'portable.ts'].sort())
  })

  it('lets the core and the portable folders import files of theirs only', () => {
    const foreign = within('core', 'portable', ...PORTABLE).flatMap(({ path, imports }) =>
      imports.filter(({ file }) => file === null).map(({ line, specifier }) => `${path}:${line} ${specifier}`),
    )
    expect(foreign).toEqual([])
  })

  it('lets no file behind a fence ask for types by a directive', () => {
    const directives = within('core', 'portable', ...PORTABLE).flatMap(({ path, comments }) =>
      comments.filter(({ text }) => /<reference\s/.test(text)).map(({ line }) => `${path}:${line}`),
    )
    expect(directives).toEqual([])
  })

  it('names neither clock, randomness nor input and output in the core', () => {
    expect(occurrences(within('core'), BANNED_IN_CORE)).toEqual([])
  })

  it('takes time and randomness from the driver in the portable folders', () => {
    expect(occurrences(within('portable', ...PORTABLE), BANNED_IN_PORTABLE)).toEqual([])
  })

  it('keeps no state at module level in the core', () => {
    expect(within('core').flatMap(moduleState)).toEqual([])
  })
})

/** Top-level variables, and top-level values that could be changed. */
function moduleState({ path, code }: SourceFile): string[] {
  const found: string[] = []
  for (const { line, text } of topLevelStatements(code)) {
    const [, keyword, name] = /^(?:export\s+)?(let|var|const)\s+([\w$]+|[{[])/.exec(text) ?? []
    if (!keyword || `${path} ${name}` in ACCEPTED_STATE) continue
    if (keyword !== 'const' || (isMutable(text) && !isReadonly(text, code))) found.push(`${path}:${line} ${name}`)
  }
  for (const match of code.matchAll(/^\s+(?:(?:public|private|protected|override)\s+)*static\s+(.*)$/gm)) {
    const field = match[1]
    if (/^(?:(?:async|get|set)\s+)*\*?[\w$#]+\s*[(<]/.test(field)) continue
    if (!/^readonly\b/.test(field) || /=\s*(?:new\b|[[{])/.test(field)) {
      found.push(`${path}:${lineAt(code, match.index + 1)} static ${field.trim()}`)
    }
  }
  return found
}

/** Whether a value is declared as something readonly, or as an interface of the same file whose every field is. */
function isReadonly(statement: string, code: string): boolean {
  const type = /^[^=]*?:\s*([^=]+?)\s*=\s*[[{]/.exec(statement)?.[1] ?? ''
  if (/\bnew\s/.test(statement)) return false
  if (/^(?:readonly\b|Readonly(?:Array|Map|Set)?<)/.test(type)) return true
  const fields = /^[\w$]+$/.test(type) && new RegExp(`\\binterface ${type} \\{\\n([^}]*)\\}`).exec(code)?.[1]
  if (!fields) return false
  return fields.split('\n').every((line) => line.trim() === '' || /^\s*readonly\s/.test(line))
}

function isMutable(statement: string): boolean {
  const value = /[^=!<>]=(?![=>])\s*([\s\S]*)$/.exec(statement)?.[1].trim() ?? ''
  if (/^(?:async\s+)?(?:function\b|[\w$]+\s*=>|(?:<[^>]*>\s*)?\((?!\(|function\b|async\b)[\s\S]*=>)/.test(value))
    return false
  if (/\bnew\s/.test(value) || /\b\w*Array\s*(?:\.\s*(?:from|of)\s*)?\(/.test(value)) return true
  if (/^Object\s*\.\s*freeze\s*\(/.test(value)) return false
  return /[[{]/.test(value) && !/\bas\s+const(?:\s+satisfies\b[\s\S]*)?$/.test(value)
}

describe('who imports whom', () => {
  it('knows every folder of src', () => {
    expect(sources.filter(({ path }) => !unitOf(path.slice('src/'.length))).map(({ path }) => path)).toEqual([])
  })

  it('holds the table of the design', () => {
    const trespasses: string[] = []
    for (const { path, imports } of sources) {
      const unit = unitOf(path.slice('src/'.length)) ?? ''
      for (const { file, line } of imports) {
        if (file === null) continue
        const target = file.slice('src/'.length)
        if (unitOf(target) === unit) continue
        if (!(MAY_IMPORT[unit] ?? []).some((allowed) => isWithin(target, allowed))) {
          trespasses.push(`${path}:${line} may not import ${file}`)
        }
      }
    }
    expect(trespasses).toEqual([])
  })

  it('lets only what is for Node import modules of Node, and packages only where the table names them', () => {
    const foreign = within('node', 'cli', 'dashboard', 'index').flatMap(({ path, imports }) => {
      const allowed = PACKAGES[unitOf(path.slice('src/'.length)) ?? ''] ?? []
      return imports
        .filter(
          ({ file, specifier }) => file === null && !specifier.startsWith('node:') && !allowed.includes(specifier),
        )
        .map(({ line, specifier }) => `${path}:${line} ${specifier}`)
    })
    expect(foreign).toEqual([])
  })

  it('has no circles', () => {
    expect(importCycles(everything).map((circle) => circle.join(' → '))).toEqual([])
  })
})

describe('files', () => {
  it('are named in kebab-case, by what is in them', () => {
    const names = everything.filter(({ path }) => {
      const name = basename(path)
      if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d)?\.ts$/.test(name)) return true
      if (/^(?:utils?|helpers?|types|constants|common|misc)\b/.test(name)) return true
      return name === 'index.ts' && path !== 'src/index.ts'
    })
    expect(names.map(({ path }) => path)).toEqual([])
  })

  it('are no barrels, but for the two public ones', () => {
    const barrels = sources.filter(({ path, code, imports }) => {
      if (path === 'src/index.ts' || path === 'src/portable.ts' || !imports.some(({ reexport }) => reexport))
        return false
      return code.replace(/\b(?:import|export)\b[\s\w$*{},]*?\bfrom\s*(['"])\s*\1/g, '').trim() === ''
    })
    expect(barrels.map(({ path }) => path)).toEqual([])
  })

  it(`begin with a comment of at most ${HEADER_LINES} lines`, () => {
    const wrong = [...everything, ...native].filter(({ text, comments }) => {
      const header = comments[0]
      const allowed = HEADER_LINES + (text.startsWith('#!') ? 1 : 0)
      return header?.line !== 1 || header.lines > allowed || /^#!.*\n(?!\/\/)/.test(text)
    })
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('say why wherever they differ from an RFC', () => {
    const silent = [...sources, ...native].flatMap(({ path, comments }) =>
      comments.filter(({ text }) => differsSilently(text)).map(({ line }) => `${path}:${line}`),
    )
    expect(silent).toEqual([])
  })

  it(`are at most ${FILE_LINES} lines long`, () => {
    const long = [...everything, ...native].filter(({ path, lines }) => lines > FILE_LINES && !(path in ACCEPTED_FILES))
    expect(long.map(({ path, lines }) => `${path} ${lines}`)).toEqual([])
  })

  it(`have functions of at most ${FUNCTION_LINES} lines`, () => {
    // A suite of tests is one function for its length, so only what tests stand on is examined.
    const examined = everything.filter(({ path }) => !path.startsWith('test/') || path.startsWith('test/support/'))
    const long = examined.flatMap(({ path, code }) =>
      functionLengths(code)
        .filter(({ name, lines }) => lines > FUNCTION_LINES && !(`${path} ${name}` in ACCEPTED_FUNCTIONS))
        .map(({ line, name, lines }) => `${path}:${line} ${name} ${lines}`),
    )
    expect(long).toEqual([])
  })
})

/** A departure is told in a sentence, with a word that gives a reason. */
function differsSilently(comment: string): boolean {
  return comment
    .split(/(?=\bDiffers:)/)
    .filter((part) => part.startsWith('Differs:'))
    .some((part) => part.split(/\s+/).length < 8 || !/\b(?:since|because|so|as|for|lest|otherwise|to)\b/.test(part))
}

describe('these rules', () => {
  it('sees state at module level', () => {
    const state = (text: string) =>
      moduleState(parseSource('src/core/x.ts', text)).map((place) => place.split(' ').slice(1).join(' '))
    expect(state('let a = 1\nexport var b = 2')).toEqual(['a', 'b'])
    expect(state('const a = new Map()\nconst b: number[] = []\nconst c = Array.from(d)')).toEqual(['a', 'b', 'c'])
    expect(state('const a = {\n  b: new Set(),\n} as const')).toEqual(['a'])
    expect(state('const a = (() => {\n  return new Map()\n})()')).toEqual(['a'])
    expect(
      state('class A {\n  static b = 1\n  static readonly c = 2\n  static readonly d = []\n  static e() {}\n}'),
    ).toEqual(['static b = 1', 'static readonly d = []'])
    expect(
      state('const a = 1\nconst b = { c: 1 } as const\nconst d = (e: number) => {\n  return new Map()\n}'),
    ).toEqual([])
    expect(
      state('interface A {\n  readonly b: number\n}\nconst c: A = { b: 1 }\nconst d: readonly number[] = [1]'),
    ).toEqual([])
    expect(state('interface A {\n  b: number\n}\nconst c: A = { b: 1 }')).toEqual(['c'])
    expect(state('export function a() {\n  let b = []\n}\nconst c = Object.freeze([1])')).toEqual([])
  })

  it('sees banned names, and lets words alone that only contain them', () => {
    const banned = (text: string, pattern: RegExp) => occurrences([parseSource('x.ts', text)], pattern).length
    expect(banned('Date.now(); Math.random(); new Date()', BANNED_IN_CORE)).toBe(3)
    expect(banned('a.process(); updateDate(); // Date\n"console"', BANNED_IN_CORE)).toBe(0)
    expect(banned('Date.now(); new Date(); new Date; setTimeout(a, 1)', BANNED_IN_PORTABLE)).toBe(4)
    expect(banned('new Date(time.wall()).toISOString()', BANNED_IN_PORTABLE)).toBe(0)
  })

  it('sees a departure without a reason', () => {
    expect(differsSilently('Differs: from RFC 5681')).toBe(true)
    expect(
      differsSilently('RFC 5681 §3.1. Differs: every octet counts, since peers aggregate ACKs as we do (Linux too)'),
    ).toBe(false)
  })
})
