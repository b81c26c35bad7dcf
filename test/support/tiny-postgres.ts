// A server that speaks enough of PostgreSQL's protocol for `pg`: no passwords, simple queries, one table in memory. It runs in virtual
// time too, where no child process can. Statements: `insert into NAME values (TEXT)`, `select * from NAME`.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

const SSL_REQUEST = 80_877_103
const TEXT = 25

export class TinyPostgres {
  readonly server: Server
  readonly #tables = new Map<string, string[]>([['orders', []]])
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.server = createServer((socket) => this.#serve(socket))
  }

  async listen(port: number, host: string): Promise<number> {
    await once(this.server.listen(port, host), 'listening')
    return (this.server.address() as { port: number }).port
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    let waiting = Buffer.alloc(0)
    let hasBegun = false
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (octets) => {
      waiting = Buffer.concat([waiting, octets])
      for (;;) {
        // Of a message the length stands behind its kind, which the first ones lack.
        const head = hasBegun ? 1 : 0
        if (waiting.length < head + 4) return
        const length = waiting.readInt32BE(head)
        if (waiting.length < head + length) return
        const kind = hasBegun ? String.fromCharCode(waiting[0]) : ''
        const body = waiting.subarray(head + 4, head + length)
        waiting = waiting.subarray(head + length)
        if (hasBegun) this.#answer(socket, kind, body)
        else if (body.readInt32BE(0) === SSL_REQUEST) socket.write('N')
        else {
          hasBegun = true
          socket.write(Buffer.concat([message('R', int32(0)), message('K', int32(1), int32(2)), READY]))
        }
      }
    })
  }

  #answer(socket: Socket, kind: string, body: Buffer): void {
    if (kind === 'X') socket.end()
    if (kind !== 'Q') return
    socket.write(Buffer.concat([...this.#run(body.toString('utf8', 0, body.length - 1)), READY]))
  }

  #run(statement: string): Buffer[] {
    const [, table, value] = /^(?:insert into|select \* from) (\w+)(?: values \('(.*)'\))?$/.exec(statement) ?? []
    const rows = this.#tables.get(table)
    if (rows === undefined) {
      const text = `relation "${table}" does not exist`
      return [message('E', Buffer.from(`SERROR\0C42P01\0M${text}\0\0`))]
    }
    if (value !== undefined) {
      rows.push(value)
      return [message('C', Buffer.from('INSERT 0 1\0'))]
    }
    const column = Buffer.concat([
      Buffer.from('what\0'),
      int32(0),
      int16(0),
      int32(TEXT),
      int16(-1),
      int32(-1),
      int16(0),
    ])
    const data = rows.map((row) => message('D', int16(1), int32(Buffer.byteLength(row)), Buffer.from(row)))
    return [message('T', int16(1), column), ...data, message('C', Buffer.from(`SELECT ${rows.length}\0`))]
  }
}

const READY = message('Z', Buffer.from('I'))

function message(kind: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

function int32(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeInt32BE(value)
  return octets
}

function int16(value: number): Buffer {
  const octets = Buffer.alloc(2)
  octets.writeInt16BE(value)
  return octets
}
