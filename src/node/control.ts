// How one process asks another's stack: a UNIX socket of the kernel that only its owner may open, one line of JSON each way.
// `tunstack serve` holds one end, `tunstack netstat` the other.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder, where the usual places don't serve: whoever runs a command in a namespace of its own sets it. */
export const CONTROL_FOLDER = 'TUNSTACK_CONTROL'

const SUFFIX = '.sock'
/** A question is a line of this many octets at most. */
const LONGEST_QUESTION = 4096
/** Milliseconds: who asks and says nothing is let go. */
const PATIENCE = 5000

export type Question = Record<string, unknown> & { readonly ask: string }
/** An answer that goes on until one of both sides ends it: octets, after a line that says so. `begin` returns what ends it here. */
export class ControlStream {
  readonly begin: (socket: Socket) => () => void

  constructor(begin: (socket: Socket) => () => void) {
    this.begin = begin
  }
}

/** Answers a question, with something for JSON or a `ControlStream`; what it throws is told as a sentence. */
export type Answerer = (question: Question) => unknown

export interface Control {
  readonly path: string
  close(): void
}

/** The folders where such sockets stand, the one for new ones first. */
export function controlFolders(): string[] {
  const given = process.env[CONTROL_FOLDER]
  if (given !== undefined && given !== '') return [given]
  const user = process.getuid?.() ?? 0
  const runtime = process.env.XDG_RUNTIME_DIR
  const folders = user === 0 ? ['/run/tunstack'] : []
  if (runtime !== undefined && runtime !== '') folders.push(join(runtime, 'tunstack'))
  folders.push(join(tmpdir(), `tunstack-${user}`))
  return folders
}

/** Listens in the first folder that can be had. Throws what the last of them said. */
export async function openControl(answer: Answerer): Promise<Control> {
  let failure: unknown = null
  for (const folder of controlFolders()) {
    try {
      secure(folder)
      const path = join(folder, `${process.pid}${SUFFIX}`)
      rmSync(path, { force: true })
      const server = await listen(path, answer)
      return {
        path,
        close() {
          server.close()
          rmSync(path, { force: true })
        },
      }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** In a folder that others may write to, somebody may have laid a trap. */
function secure(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const status = lstatSync(folder)
  const { uid, mode } = status
  if (!status.isDirectory() || uid !== process.getuid?.()) throw new Error(`${folder} belongs to somebody else`)
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700)
}

function listen(path: string, answer: Answerer): Promise<Server> {
  const server = createServer((socket) => serve(socket, answer))
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      chmodSync(path, 0o600)
      resolve(server)
    })
  })
}

function serve(socket: Socket, answer: Answerer): void {
  let text = ''
  socket.unref()
  socket.setTimeout(PATIENCE, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) tell(socket, answered(text.slice(0, end), answer))
    else if (text.length > LONGEST_QUESTION) socket.destroy()
  })
}

function tell(socket: Socket, told: { answer: unknown } | { error: string }): void {
  if (!('answer' in told && told.answer instanceof ControlStream)) {
    socket.end(`${JSON.stringify(told)}\n`)
    return
  }
  socket.setTimeout(0)
  socket.write('{"answer":"stream"}\n')
  socket.once('close', told.answer.begin(socket))
  // Whoever has asked has gone.
  socket.once('end', () => socket.destroy())
}

function answered(text: string, answer: Answerer): { answer: unknown } | { error: string } {
  try {
    const question: unknown = JSON.parse(text)
    if (typeof question !== 'object' || question === null || typeof (question as Question).ask !== 'string')
      return { error: 'a question is an object with a member ask' }
    return { answer: answer(question as Question) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

/** The sockets of those that run, by process id; what a killed one has left behind is not among them. */
export async function findControls(): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const folder of controlFolders()) {
    for (const name of namesIn(folder)) {
      const pid = Number(name.slice(0, -SUFFIX.length))
      const path = join(folder, name)
      if (name.endsWith(SUFFIX) && Number.isInteger(pid) && (await isAlive(path))) found.set(pid, path)
    }
  }
  return found
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Asks, and gives the answer; what went wrong there is thrown here. */
export function askControl(path: string, question: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.write(`${JSON.stringify(question)}\n`))
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`${path} does not answer`)))
    socket.once('error', reject)
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    socket.once('end', () => {
      try {
        const { answer, error } = JSON.parse(text) as { answer?: unknown; error?: string }
        if (error === undefined) resolve(answer)
        else reject(new Error(error))
      } catch {
        reject(new Error(`${path} answered with something else than a line of JSON`))
      }
    })
  })
}

/** Asks for what goes on: the socket, paused, and what came with the first line. What was refused there is thrown here. */
export function streamControl(path: string, question: Question): Promise<{ socket: Socket; first: Buffer }> {
  return new Promise((resolve, reject) => {
    let came: Buffer = Buffer.alloc(0)
    const socket = connect(path, () => socket.write(`${JSON.stringify(question)}\n`))
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    const refused = () => fail(new Error(`${path} has ended without an answer`))
    socket.setTimeout(PATIENCE, () => fail(new Error(`${path} does not answer`)))
    socket.once('error', fail)
    socket.once('end', refused)
    socket.on('data', function take(piece: Buffer) {
      came = Buffer.concat([came, piece])
      const end = came.indexOf('\n')
      if (end < 0) return
      socket.off('data', take).off('error', fail).off('end', refused).setTimeout(0).pause()
      const { error } = JSON.parse(came.toString('utf8', 0, end)) as { error?: string }
      if (error !== undefined) fail(new Error(error))
      else resolve({ socket, first: came.subarray(end + 1) })
    })
  })
}
