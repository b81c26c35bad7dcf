// The scanner that the architecture test stands on: code told from what only looks like it.
import { describe, expect, it } from 'vitest'
import { functionLengths, importCycles, parseSource, scan } from './source-tree.ts'

describe('the source tree', () => {
  const code = (text: string) => scan(text).code

  it('blanks comments, strings, templates and regular expressions, and nothing else', () => {
    expect(code("a /* ' */ + b // c\nd")).toBe('a         + b     \nd')
    expect(code(String.raw`x = 'a\'b' + "//"`)).toBe('x = \'    \' + "  "')
    expect(code('x = `a$' + '{ b + `c$' + '{d}` + { e } }f` + g')).toBe(
      'x = ` $' + '{ b + ` $' + '{d}` + { e } } ` + g',
    )
    expect(code('x = /[/\'"]/.test(y) ? a / b / c : `/`')).toBe('x = /      .test(y) ? a / b / c : ` `')
    expect(code("if (a) return /'/g\nb")).toBe('if (a) return /   \nb')
  })

  it('finds imports of every kind, and none in comments or strings', () => {
    const text = [
      "import type { A } from './a.ts'",
      "import {\n  b,\n  type C,\n} from '../b.ts'",
      "export * from './d.ts'",
      "const e = await import('node:fs')",
      "type F = typeof import('./f.ts')",
      "// import g from 'g'",
      'const h = "import h from \'h\'"',
      "import 'i'",
    ].join('\n')
    const { imports } = parseSource('src/core/x.ts', text)
    expect(imports.map(({ specifier }) => specifier)).toEqual(['./a.ts', '../b.ts', './d.ts', 'node:fs', './f.ts', 'i'])
    expect(imports.map(({ file }) => file)).toEqual([
      'src/core/a.ts',
      'src/b.ts',
      'src/core/d.ts',
      null,
      'src/core/f.ts',
      null,
    ])
    expect(imports.map(({ reexport }) => reexport)).toEqual([false, false, true, false, false, false])
  })

  it('measures functions, methods and arrows, and no other blocks', () => {
    const text = [
      'export function one(a: number): void {',
      '  if (a) {',
      '    two({',
      '      b: 1,',
      '    })',
      '  }',
      '}',
      'class Three {',
      '  #four(',
      '    a: number,',
      '  ): { b: number } {',
      '    return { b: a }',
      '  }',
      '}',
      'const five = (a: number) => {',
      '  return a',
      '}',
    ].join('\n')
    const measured = functionLengths(code(text)).map(({ name, line, lines }) => `${name} ${line} ${lines}`)
    expect(measured).toEqual(['one 1 7', '#four 9 5', 'five 15 3'])
  })

  it('sees circles', () => {
    const file = (path: string, to: string) => parseSource(path, `import '${to}'`)
    expect(importCycles([file('a.ts', './b.ts'), file('b.ts', './c.ts')])).toEqual([])
    expect(importCycles([file('a.ts', './b.ts'), file('b.ts', './a.ts')])).toEqual([['a.ts', 'b.ts', 'a.ts']])
  })
})
