// Holds docs/compliance.md to the tags in the code and in the tests. `npm run compliance` writes it anew.
import { describe, expect, it } from 'vitest'
import { codePlaces, document, testPlaces, unknownTags, unproven, untagged } from './support/compliance.ts'
import { REASONS, REQUIREMENTS } from './support/requirements.ts'
import { parseSource, readSources } from './support/source-tree.ts'

const code = codePlaces(readSources('src'))
const tests = testPlaces(
  readSources('test').filter(({ path }) => path.endsWith('.test.ts') && path !== 'test/compliance.test.ts'),
)

describe('the requirements of RFC 9293', () => {
  it('are all there', () => {
    const count = (kind: string) => Object.keys(REQUIREMENTS).filter((tag) => tag.startsWith(kind)).length
    expect(['MUST-', 'SHLD-', 'MAY-', 'REC-'].map(count)).toEqual([69, 31, 18, 1])
    expect(Object.keys(REASONS).filter((tag) => !(tag in REQUIREMENTS))).toEqual([])
  })

  it('are named by no tag that does not exist', () => {
    expect(unknownTags([...code, ...tests])).toEqual([])
  })

  it('are each proven by a test, or there is a reason', () => {
    expect(unproven(tests)).toEqual([])
  })

  it('are not said to be left out where a test proves them', () => {
    const proven = new Set(tests.map(({ tag }) => tag))
    const wrong = Object.entries(REASONS).filter(([tag, [verdict]]) => verdict !== 'differs' && proven.has(tag))
    expect(wrong).toEqual([])
  })

  it('are each tagged in the code where they are met', () => {
    expect(untagged(code)).toEqual([])
  })

  it('stand in docs/compliance.md as they are met (npm run compliance writes it)', async () => {
    await expect(document(code, tests)).toMatchFileSnapshot('../docs/compliance.md')
  })
})

describe('this table', () => {
  const names = (text: string) => codePlaces([parseSource('src/x.ts', text)]).map(({ tag, name }) => `${tag} ${name}`)

  it('names functions, methods and fields by the comments before them and in them', () => {
    expect(names('// A.\n\n/** MUST-1. */\nexport function one() {}')).toEqual(['MUST-1 one'])
    expect(names('// A.\nfunction two(\n  a: number,\n): void {\n  // MUST-2.\n  const b = 1\n}')).toEqual([
      'MUST-2 two',
    ])
    expect(
      names('// A.\nclass A {\n  /** MUST-3. */\n  #three = 1\n  four(): void {\n    // MUST-4.\n    x()\n  }\n}'),
    ).toEqual(['MUST-3 #three', 'MUST-4 four'])
    expect(names('// MUST-5: a header.\nconst a = 1')).toEqual(['MUST-5 '])
  })

  it('names tests by their titles', () => {
    const titles = (text: string) => testPlaces([parseSource('test/x.test.ts', text)]).map(({ name }) => name)
    expect(titles("it('MUST-1: is so', () => {})")).toEqual(['MUST-1: is so'])
    expect(titles("// MUST-2.\nit('is otherwise', () => {})")).toEqual(['is otherwise'])
  })

  it('sees what is missing', () => {
    expect(unknownTags([{ tag: 'MUST-70', path: 'a.ts', line: 1, name: '' }])).toEqual(['a.ts:1 MUST-70'])
    expect(unproven([])).toContain('MUST-13')
    expect(unproven([])).not.toContain('MUST-51')
  })
})
