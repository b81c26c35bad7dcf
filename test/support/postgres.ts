// A PostgreSQL of the moment in a namespace: its data in a temporary folder, run as an ordinary user, since it refuses to be root.
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec, type Namespace, until } from './namespace.ts'

const INSTALLED = '/usr/lib/postgresql'
/** nobody. */
const USER = 65534

export class Postgres {
  readonly #folder: string
  readonly #stop: () => Promise<void>

  private constructor(folder: string, stop: () => Promise<void>) {
    this.#folder = folder
    this.#stop = stop
  }

  /** Where its programs are; null where it is not installed. */
  static get programs(): string | null {
    if (!existsSync(INSTALLED)) return null
    const [version] = readdirSync(INSTALLED).sort().reverse()
    const folder = join(INSTALLED, version ?? '', 'bin')
    return existsSync(join(folder, 'initdb')) ? folder : null
  }

  /** Listens on every address of the namespace, trusts everybody, and knows the user postgres. */
  static async start(namespace: Namespace): Promise<Postgres> {
    const { programs } = Postgres
    if (programs === null) throw new Error('PostgreSQL is not installed')
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-postgres-'))
    chownSync(folder, USER, USER)
    chmodSync(folder, 0o700)
    const data = join(folder, 'data')
    const as = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups']
    const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8']
    const made = await exec('setpriv', [...as, join(programs, 'initdb'), ...options], { cwd: folder })
    if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`)
    writeFileSync(join(data, 'pg_hba.conf'), 'host all all all trust\n')
    const settings = ['-c', 'listen_addresses=*', '-c', 'unix_socket_directories=', '-c', 'fsync=off']
    const child = namespace.start('setpriv', [...as, join(programs, 'postgres'), '-D', data, ...settings], {
      cwd: folder,
    })
    let words = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text))
    await until('PostgreSQL is ready', () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended: ${words}`)
      return words.includes('ready to accept connections')
    })
    return new Postgres(folder, () => namespace.stop(child, 'SIGINT'))
  }

  async stop(): Promise<void> {
    await this.#stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
