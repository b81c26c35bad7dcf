// Which lines are broken, and how: uniform over the lines on which something is done, then over what may be done to that line.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'vite'
import { SeededRandom } from '../../src/simulate/random.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import type { Place } from './reach.ts'

/** A line that may be broken. Its number among all of them is the mark by which tests tell that they come by. */
export interface Candidate extends Place {
  readonly file: string
  readonly before: string
  readonly mutations: readonly Mutation[]
}

export interface Mutant extends Mutation {
  readonly seed: string
  /** Its place in what the seed draws, from 1. */
  readonly place: number
  readonly candidate: Candidate
}

export function candidatesIn(root: string, folders: readonly string[]): Candidate[] {
  const lines = folders.flatMap((folder) => sources(root, folder)).flatMap((file) => candidatesOf(root, file))
  return lines.map((line, mark) => ({ mark, ...line }))
}

export function draw(root: string, all: readonly Candidate[], seed: string, count: number): Mutant[] {
  const random = new SeededRandom(seed, 'mutate')
  const candidates = [...all]
  const drawn: Mutant[] = []
  while (drawn.length < count && candidates.length > 0) {
    const [candidate] = candidates.splice(random.below(candidates.length), 1)
    const mutation = candidate.mutations[random.below(candidate.mutations.length)]
    if (isProgram(root, candidate, mutation.line)) {
      drawn.push({ seed, place: drawn.length + 1, candidate, ...mutation })
    }
  }
  return drawn
}

/** What does not even parse would count as caught. */
function isProgram(root: string, { file, number }: Candidate, line: string): boolean {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  lines[number - 1] = line
  return parseSync(file, lines.join('\n')).errors.length === 0
}

function sources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name))
}

function candidatesOf(root: string, file: string): Omit<Candidate, 'mark'>[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const result: Omit<Candidate, 'mark'>[] = []
  let isInType = false
  for (const [place, before] of lines.entries()) {
    if (/^(?:export )?(?:interface|type) /.test(before) && !/[}\w>)\]'] *$/.test(before)) isInType = true
    const isField = /^ {2}(?:readonly |static )?#?\w+(?::.*)? = /.test(before)
    const mutations = isInType ? [] : mutationsOf(before, isField)
    const column = isField ? before.indexOf(' = ') + 3 : before.search(/\S/)
    if (mutations.length > 0) result.push({ file, number: place + 1, column, before, mutations })
    if (/^[})]/.test(before)) isInType = false
  }
  return result
}
