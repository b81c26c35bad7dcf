// What a run of the tests is told, and what it tells: two files in a temporary folder.
import type { Place } from './reach.ts'

/** One line that is broken. */
export interface Broken {
  readonly version: number
  readonly file: string
  readonly number: number
  readonly line: string
}

/** Files of tests that run together, under one mutant or none. */
export interface Portion {
  readonly mutant: Broken | null
  readonly files: readonly string[]
  /** Numbers of tests; all where it is null. */
  readonly tests: readonly number[] | null
  /** The last one judges: what failed must pass when nothing is broken. */
  readonly isLast: boolean
}

export interface Plan {
  /** By file, in the one run that tells what comes by where. */
  readonly places: Record<string, Place[]>
  readonly marks: number
  readonly portions: readonly Portion[]
  /** What is a test's number elsewhere: its file and its name. */
  readonly tests: readonly string[]
  /** Seconds of processor time that one test may take, for each file. */
  readonly patience: Record<string, number>
  readonly watchdog: string
  /** Empty files, one for each portion, for vitest to find. */
  readonly stubs: string
  /** To which lines of JSON are added. */
  readonly told: string
}

export type Told =
  | { readonly kind: 'test'; readonly test: string; readonly cpu: number; readonly reached: string }
  | { readonly kind: 'survives'; readonly version: number }
  | { readonly kind: 'caught'; readonly version: number; readonly by: string }
  /** What failed fails without the mutant too, after what the mutant did: it must be judged again in a new process. */
  | { readonly kind: 'tainted'; readonly version: number; readonly by: string }
  | { readonly kind: 'failed'; readonly test: string; readonly why: string }
  | { readonly kind: 'bitten'; readonly version: number | null; readonly test: string; readonly why: string }

/** Seconds for a test of which nothing is known. */
export const PATIENCE = 60
