// Our own scripts in packetdrill's language: all in test/scripts pass, and each in must-fail fails where its second line says and for the
// reason that it gives: `// fails: LINE PATTERN`. So the interpreter is known to find what it is there to find.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { drill } from '../../src/drill/drill.ts'
import { traceText } from '../../src/drill/trace.ts'

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url))
const MUST_FAIL = fileURLToPath(new URL('must-fail', import.meta.url))

function scriptsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt'))
}

describe('passes', () => {
  it.each(scriptsIn(SCRIPTS))('%s', (name) => {
    const text = readFileSync(join(SCRIPTS, name), 'utf8')
    const { outcome, line, reason, trace, differences } = drill(text, { path: name, strict: true })
    expect(outcome, `${name}:${line}: ${reason}\n${traceText(trace, differences)}`).toBe('pass')
  })
})

describe('fails, and must', () => {
  it.each(scriptsIn(MUST_FAIL))('%s', (name) => {
    const text = readFileSync(join(MUST_FAIL, name), 'utf8')
    const [, line, pattern] = /^\/\/ fails: (\d+) (.*)$/m.exec(text) ?? []
    const result = drill(text, { path: name, strict: true })
    expect(result.outcome).toBe('fail')
    expect(`${result.line} ${result.reason}`).toMatch(new RegExp(`^${line} ${pattern}`))
  })
})
