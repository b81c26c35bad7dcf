// What a running `tunstack serve` answers to other commands of its user.
import {
  CaptureOutlet,
  type Control,
  ControlStream,
  type NodeStack,
  netstatCounters,
  openControl,
  type Question,
} from '../index.ts'
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

function answer(stack: NodeStack, question: Question): unknown {
  switch (question.ask) {
    case 'netstat':
      return {
        pid: process.pid,
        sockets: stack.connections({ info: question.info === true }),
        counters: netstatCounters(stack),
      }
    case 'capture':
      return captured(stack, question)
    default:
      throw new Error(`nothing is known of "${question.ask}" here`)
  }
}

function captured(stack: NodeStack, { snapLength, comments, secrets, interfaces }: Question): ControlStream {
  const names = Array.isArray(interfaces) ? interfaces.map(String) : undefined
  const known = stack.core.interfaces.list.map(({ name }) => name)
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`there is no interface ${unknown} here: there are ${known.join(' and ')}`)
  return new ControlStream((socket) =>
    stack.capture(new CaptureOutlet(socket).write, {
      snapLength: typeof snapLength === 'number' ? snapLength : undefined,
      comments: comments !== false,
      secrets: secrets !== false,
      interfaces: names,
    }),
  )
}
