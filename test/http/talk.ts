// A server and a raw client in virtual time: octets go in, what comes back is read as answers.
import { createHttpServer, type Handler, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { type Network, type SimulateOptions, simulate } from '../../src/simulate/network.ts'

export interface Answered {
  status: number
  headers: Map<string, string>
  body: string
}

export class Talk {
  readonly network: Network
  readonly server: HttpServer
  readonly #client: ReturnType<Network['host']>
  readonly #serving: ReturnType<Network['host']>
  readonly #link: ReturnType<Network['link']>

  constructor(handler: Handler, options: HttpServerOptions = {}, settler?: SimulateOptions['settler']) {
    this.network = simulate(settler === undefined ? { seed: 5 } : { seed: 5, settler })
    this.#serving = this.network.host('server', ['10.0.0.1', 'fd00::1'])
    this.#client = this.network.host('client', ['10.0.0.2', 'fd00::2'])
    this.#link = this.network.link(this.#serving, this.#client, { delay: 1 })
    this.server = createHttpServer(handler, options).listen(this.#serving.stack)
  }

  get link() {
    return this.#link
  }

  get stack() {
    return this.#serving.stack
  }

  connect(): Client {
    return new Client(this.#client.stack.connect({ address: '10.0.0.1', port: 80 }))
  }

  later(milliseconds: number): Promise<void> {
    return this.network.run(this.network.now() + milliseconds)
  }

  /** Sends the pieces, 2 ms apart, and returns what has come back a while later. */
  async exchange(...pieces: (string | Uint8Array)[]): Promise<Client> {
    const client = this.connect()
    await this.later(5)
    for (const piece of pieces) {
      client.send(piece)
      await this.later(2)
    }
    await this.later(100)
    return client
  }
}

export class Client {
  readonly endpoint: Endpoint
  text = ''
  hasEnded = false
  closed: string | null = null
  isReading = true
  octets = 0

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    endpoint.onReadable = () => this.read()
    endpoint.onClose = (reason) => {
      this.closed = reason
    }
  }

  read(): void {
    if (!this.isReading) return
    for (let octets = this.endpoint.read(); octets !== null; octets = this.endpoint.read()) {
      this.octets += octets.length
      this.text += Buffer.from(octets).toString('latin1')
    }
    if (this.endpoint.isAtEnd) this.hasEnded = true
  }

  send(octets: string | Uint8Array): void {
    const bytes = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
    if (this.endpoint.send(bytes) !== bytes.length) throw new Error('more than the client can send at once')
  }

  /** What came, as answers; throws where it is not framed as HTTP is. `heads`: which of them answer HEAD. */
  answers(heads: readonly number[] = []): Answered[] {
    const answers: Answered[] = []
    let rest = this.text
    while (rest !== '') {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) throw new Error(`no head: ${rest}`)
      const [line, ...fields] = rest.slice(0, end).split('\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3}) [\w -]+$/.exec(line)?.[1])
      const headers = new Map(
        fields.map((field): [string, string] => {
          const place = field.indexOf(': ')
          return [field.slice(0, place).toLowerCase(), field.slice(place + 2)]
        }),
      )
      rest = rest.slice(end + 4)
      let body = ''
      const isMute = status < 200 || status === 204 || status === 304 || heads.includes(answers.length)
      if (!isMute && headers.get('transfer-encoding') === 'chunked') [body, rest] = dechunk(rest)
      else if (!isMute && headers.has('content-length')) {
        const length = Number(headers.get('content-length'))
        if (rest.length < length) throw new Error(`a body of ${rest.length} of ${length} octets`)
        body = rest.slice(0, length)
        rest = rest.slice(length)
      } else if (!isMute) [body, rest] = [rest, '']
      answers.push({ status, headers, body })
    }
    return answers
  }

  get statuses(): number[] {
    return this.answers().map(({ status }) => status)
  }
}

function dechunk(text: string): [string, string] {
  let rest = text
  let body = ''
  for (;;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (end < 0 || Number.isNaN(size)) throw new Error(`no chunk: ${rest}`)
    body += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 2 + size)
    if (!rest.startsWith('\r\n')) throw new Error(`a chunk without its end: ${rest}`)
    rest = rest.slice(2)
    if (size === 0) return [body, rest]
  }
}
