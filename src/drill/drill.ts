// Plays one packetdrill script against a stack of its own, in virtual time: the public face of this folder.
// Nothing is read from anywhere, and nothing is kept: the same script gives the same result, octet for octet.
import type { PcapngSink } from '../link/pcapng.ts'
import type { Difference } from './comparison.ts'
import { parse } from './parser.ts'
import { Failure, Runner } from './runner.ts'
import { ScriptError, Unsupported } from './script.ts'
import { type Like, likeOf, setUp } from './setup.ts'
import type { TraceRow } from './trace.ts'

export interface DrillOptions {
  /** Where the script comes from: its folders say whose habits it supposes. */
  path?: string
  /** Whose habits, where the script's place and its first comment don't say it. */
  like?: Like
  /** A packet that no line expects is a failure also after the last line, which packetdrill does not look beyond. */
  strict?: boolean
  /** Gets a capture of every packet, as pcapng. */
  sink?: PcapngSink
}

export interface DrillResult {
  readonly outcome: 'pass' | 'fail' | 'unsupported'
  readonly like: Like
  /** Empty where it passed. */
  readonly reason: string
  /** The line of the script that it is about; 0 for none. */
  readonly line: number
  readonly differences: readonly Difference[]
  readonly trace: readonly TraceRow[]
}

export function drill(text: string, options: DrillOptions = {}): DrillResult {
  let like: Like = options.like ?? 'linux'
  let runner: Runner | null = null
  try {
    const script = parse(text)
    like = options.like ?? likeOf(script, options.path ?? '')
    runner = new Runner(script, setUp(script, like, options.strict ?? false), options.sink ?? null)
    runner.run()
    return { outcome: 'pass', like, reason: '', line: 0, differences: [], trace: runner.trace.rows }
  } catch (error) {
    const trace = runner?.trace.rows ?? []
    const line = runner?.line ?? 0
    if (error instanceof Failure) {
      const { differences } = error
      return { outcome: 'fail', like, reason: error.message, line, differences, trace }
    }
    if (error instanceof Unsupported) {
      return { outcome: 'unsupported', like, reason: error.message, line, differences: [], trace }
    }
    if (error instanceof ScriptError) {
      return { outcome: 'unsupported', like, reason: error.message, line: error.line, differences: [], trace }
    }
    throw error
  } finally {
    runner?.close()
  }
}
