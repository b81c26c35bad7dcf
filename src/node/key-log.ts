// The secrets of TLS on a stack, as lines of the format that SSLKEYLOGFILE made known: of the servers that listen on it and of what connects
// by its tls, https and http2. Asked of Node only while somebody wants them, for handshakes that begin from then on.
import type { Server, TLSSocket } from 'node:tls'

/** Gets each line, its end included. */
export type KeyListener = (line: string) => void

interface Loggable {
  on(event: 'keylog', listener: (line: Buffer) => void): unknown
  off(event: 'keylog', listener: (line: Buffer) => void): unknown
}

export class KeyLog {
  readonly #listeners = new Set<KeyListener>()
  readonly #servers = new Set<WeakRef<Loggable>>()
  readonly #take = (line: Buffer) => {
    const text = line.toString('latin1')
    for (const listener of this.#listeners) listener(text)
  }

  /** The returned function ends it. */
  add(listener: KeyListener): () => void {
    if (this.#listeners.size === 0) this.#forEachServer((server) => server.on('keylog', this.#take))
    const own: KeyListener = (line) => listener(line)
    this.#listeners.add(own)
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0)
        this.#forEachServer((server) => server.off('keylog', this.#take))
    }
  }

  /** A server listens: where it is one of TLS, its secrets are of interest. */
  onServer(server: object): void {
    if (!isSecure(server)) return
    for (const known of this.#servers) {
      const other = known.deref()
      if (other === undefined) this.#servers.delete(known)
      else if (other === server) return
    }
    this.#servers.add(new WeakRef<Loggable>(server))
    if (this.#listeners.size > 0) server.on('keylog', this.#take)
  }

  /** TLS begins on a socket that we have opened. */
  onClient(socket: Pick<TLSSocket, 'on'>): void {
    if (this.#listeners.size > 0) socket.on('keylog', this.#take)
  }

  #forEachServer(take: (server: Loggable) => void): void {
    for (const known of this.#servers) {
      const server = known.deref()
      if (server === undefined) this.#servers.delete(known)
      else take(server)
    }
  }
}

/** Of the classes of tls, https and http2, which have no other ancestor in common. */
function isSecure(server: object): server is Server {
  return 'setSecureContext' in server
}
