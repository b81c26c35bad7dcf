// What a running `tunstack serve` answers to other commands of its user.
import { type Control, type NodeStack, netstatCounters, openControl, type Question } from '../index.ts'
import { say } from './output.ts'

/** Null, and a word about it, where no socket can be had: the stack serves without it. */
export async function startControl(stack: NodeStack): Promise<Control | null> {
  try {
    return await openControl((question) => answer(stack, question))
  } catch (error) {
    say(`"tunstack netstat" can't ask this one: ${error instanceof Error ? error.message : error}.`)
    return null
  }
}

function answer(stack: NodeStack, { ask, info }: Question): unknown {
  if (ask !== 'netstat') throw new Error(`nothing is known of "${ask}" here`)
  return {
    pid: process.pid,
    sockets: stack.connections({ info: info === true }),
    counters: netstatCounters(stack),
  }
}
