// A strict reader of OpenMetrics' text format, by the text of its specification, version 1.0: what it does not allow is an error here.
export interface ReadFamily {
  type: string
  help: string | null
  unit: string | null
  /** By its name and labels, as they are written. */
  samples: Map<string, number>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"$/
const ESCAPED = /^(?:[^"\\\n]|\\[\\"n])*$/
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const SUFFIXES: Record<string, readonly string[]> = { counter: ['_total', '_created'], gauge: [''] }
const RESERVED = ['_total', '_created', '_count', '_sum', '_bucket', '_gcount', '_gsum', '_info']

export function readOpenMetrics(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n# EOF\n')) throw new Error('it must end with # EOF and a line feed')
  if (/[\r\t]/.test(text)) throw new Error('lines end with a line feed, and nothing else is white but a space')
  const families = new Map<string, ReadFamily>()
  const written = new Set<string>()
  let current = null as { name: string; family: ReadFamily } | null
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    if (line.startsWith('#')) {
      const [, kind, name, rest] = /^# (TYPE|HELP|UNIT) (\S+) (.*)$/.exec(line) ?? wrong('an unknown line', line)
      if (!NAME.test(name)) wrong('a name', line)
      if (current?.name !== name) {
        if (families.has(name)) wrong('a family that stands in two places', line)
        current = { name, family: { type: 'unknown', help: null, unit: null, samples: new Map() } }
        families.set(name, current.family)
      }
      describeFamily(current, kind, rest, line)
    } else {
      const [, name, labels = '', value] = SAMPLE.exec(line) ?? wrong('a sample', line)
      if (current === null) wrong('a sample without a family', line)
      takeSample(current, name, labels, value, line)
      if (written.has(name + labels)) wrong('a sample that stands there twice', line)
      written.add(name + labels)
    }
  }
  for (const [name, { unit }] of families) {
    if (unit !== null && unit !== '' && !name.endsWith(`_${unit}`))
      wrong('a unit that the name does not end with', name)
    const clash = RESERVED.find((suffix) => families.has(name + suffix))
    if (clash !== undefined) wrong(`a family that another's samples are called like: ${clash}`, name)
  }
  return families
}

function describeFamily(
  { name, family }: { name: string; family: ReadFamily },
  kind: string,
  rest: string,
  line: string,
) {
  if (family.samples.size > 0) wrong('what describes a family stands before its samples', line)
  if (kind === 'TYPE') {
    if (family.type !== 'unknown') wrong('a second TYPE', line)
    if (!(rest in SUFFIXES)) wrong('a type', line)
    if (rest === 'counter' && name.endsWith('_total')) wrong('a counter is named without _total', line)
    family.type = rest
  } else if (kind === 'HELP') {
    if (family.help !== null) wrong('a second HELP', line)
    if (!ESCAPED.test(rest)) wrong('an escape', line)
    family.help = rest
  } else {
    if (family.unit !== null) wrong('a second UNIT', line)
    family.unit = rest
  }
}

function takeSample(
  { name: familyName, family }: { name: string; family: ReadFamily },
  name: string,
  labels: string,
  value: string,
  line: string,
) {
  const suffix = name.startsWith(familyName) ? name.slice(familyName.length) : null
  if (suffix === null || !(SUFFIXES[family.type] ?? []).includes(suffix)) wrong('a sample of another family', line)
  if (!NUMBER.test(value)) wrong('a number', line)
  if (family.type === 'counter' && Number(value) < 0) wrong('a counter below zero', line)
  if (labels === '{}') wrong('empty braces', line)
  const names = (labels === '' ? [] : labels.slice(1, -1).split(/,(?=[a-zA-Z_])/)).map((label) => {
    const [, called] = LABEL.exec(label) ?? wrong('a label', line)
    return called
  })
  if (new Set(names).size !== names.length) wrong('a label twice', line)
  family.samples.set(name + labels, Number(value))
}

function wrong(what: string, line: string): never {
  throw new Error(`not OpenMetrics, ${what}: ${line}`)
}
